"""What the command line asks of a server that runs: `send`, `kick`, `calls`, `status` (SPEC §9).

It turns arguments into requests and answers into lines. It knows `admin` alone, and starts nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from signalpost.admin import Admin

__all__ = ["register"]

SEND = """\
Send a message to an account, and print its id.

[bold]Example[/]

signalpost send --app myapp --from shop ada "your order is ready"
"""

KICK = """\
End the session of an account: its client is told so (103) and does not come back by itself.

Exit code 1 if it has none.
"""

CALLS = """\
Print the open calls of an app, or of one account: who rings whom, in which channel, and how it stands.
"""

STATUS = """\
Print how a server is, or how accounts of an app stand.

The former takes an operator's key. Exit code 1 if the server is not ready, or one of the accounts offline.

[bold]Examples[/]

signalpost status

signalpost status --app myapp ada bo
"""

Where = Annotated[
    str,
    typer.Option("--api", help="Where the API is.", metavar="URL", envvar="SIGNALPOST_API", show_envvar=True),
]
Key = Annotated[
    str,
    typer.Option(
        help="A key for it; in the environment it stays out of the process list.",
        metavar="KEY",
        envvar="SIGNALPOST_KEY",
        show_envvar=True,
    ),
]
OfApp = Annotated[str, typer.Option(help="App ID.", metavar="ID")]
Account = Annotated[str, typer.Argument(help="An account.", metavar="ACCOUNT")]

_LOCAL = "http://127.0.0.1:8082"


class NoAnswer(typer.TyperException):
    """The server says no, or nothing: exit code 1."""

    exit_code = 1


def register(cli: typer.Typer, spell: Callable[[str], str]) -> None:
    """Add the commands. `spell`: makes help of a text."""
    cli.command(help=spell(SEND))(send)
    cli.command(help=spell(KICK))(kick)
    cli.command(help=spell(CALLS))(calls)
    cli.command(help=spell(STATUS))(status)


def send(
    to: Account,
    text: Annotated[str, typer.Argument(help="What to send.", metavar="TEXT")],
    app: OfApp,
    key: Key,
    sender: Annotated[str, typer.Option("--from", help="In whose name.", metavar="NAME")],
    api: Where = _LOCAL,
) -> None:
    async def ask(admin: Admin) -> None:
        typer.echo(await admin.send(to, text, sender=sender))

    _ask(api, key, app, ask)


def kick(account: Account, app: OfApp, key: Key, api: Where = _LOCAL) -> None:
    async def ask(admin: Admin) -> None:
        if not await admin.kick(account):
            raise NoAnswer(f"{account} has no session")

    _ask(api, key, app, ask)


def calls(
    app: OfApp,
    key: Key,
    account: Annotated[str, typer.Argument(help="Only those of this account.", metavar="[ACCOUNT]")] = "",
    api: Where = _LOCAL,
) -> None:
    async def ask(admin: Admin) -> None:
        async for call in admin.calls(account):
            since = datetime.fromtimestamp(call.invited).strftime("%H:%M:%S")
            typer.echo(f"{since}  {call.state:9}  {call.caller} -> {call.callee}  in {call.channel}")

    _ask(api, key, app, ask)


def status(
    key: Key,
    accounts: Annotated[
        list[str] | None, typer.Argument(help="Accounts of the app.", metavar="[ACCOUNT]...")
    ] = None,
    app: Annotated[str, typer.Option(help="App ID, if accounts are asked for.", metavar="ID")] = "",
    api: Where = _LOCAL,
) -> None:
    if bool(accounts) != bool(app):
        raise NoAnswer("give --app and accounts, or neither")

    async def ask(admin: Admin) -> None:
        if accounts:
            stand = await admin.presence(accounts)
            for each in stand:
                how = "online" if each.connected else "reconnecting" if each.online else "offline"
                typer.echo(f"{how:12}  {each.account}")
            if not all(each.online for each in stand):
                raise typer.Exit(1)
            return
        info = await admin.info()
        started = datetime.fromtimestamp(info.started).isoformat(" ", "seconds")
        typer.echo(f"{info.status}: signalpost {info.version}, node {info.node}, since {started}")
        typer.echo(f"{info.connections} connections, {info.sessions} sessions")
        if not info.ready:
            raise typer.Exit(1)

    _ask(api, key, app, ask)


def _ask(api: str, key: str, app: str, ask: Callable[[Admin], Coroutine[object, object, None]]) -> None:
    from signalpost.admin import Admin, AdminError, Unreachable  # late: other commands start without it

    async def asked() -> None:
        async with Admin(api, key, app, tries=3) as admin:
            await ask(admin)

    try:
        asyncio.run(asked())
    except (AdminError, Unreachable, ValueError) as error:
        raise NoAnswer(str(error)) from error
