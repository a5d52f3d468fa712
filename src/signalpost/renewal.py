"""What the command line does to a database that was restored: `store renew` (SPEC N2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

__all__ = ["register"]

STORE = """\
Look after the PostgreSQL that keeps what was promised.
"""

RENEW = """\
After restoring a dump: have no number be used again that clients may know of.

What is told to clients from then on has numbers above all that were ever told. Harmless at any time.
A standby that was promoted, and another server, are noticed without it.

[bold]Example[/]

SIGNALPOST_STORE=postgresql://signalpost@db/signalpost signalpost store renew
"""


class NotRenewed(typer.TyperException):
    """The database cannot be used: exit code 1."""


def register(cli: typer.Typer, spell: Callable[[str], str]) -> None:
    """Add the commands; `spell` lays a help text out."""
    store = typer.Typer(no_args_is_help=True)
    cli.add_typer(store, name="store", help=spell(STORE))

    @store.callback()
    def group() -> None:
        """Have the commands stand under their group."""

    @store.command("renew", help=spell(RENEW))
    def renew_numbers(
        url: Annotated[
            str,
            typer.Option(
                "--store",
                help="The database; in the environment its password stays out of the process list.",
                metavar="URL",
                envvar="SIGNALPOST_STORE",
                show_envvar=True,
            ),
        ],
    ) -> None:
        from signalpost.engines import StoreError, renew  # late: it brings the server's libraries

        try:
            floor = asyncio.run(renew(url))
        except StoreError as error:
            raise NotRenewed(str(error)) from error
        typer.echo(f"numbers go on above {floor}")
