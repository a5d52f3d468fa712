"""The command line: `signalpost serve`, `token`, `key` and `check-config` (SPEC §9); `remote` has the others.

It turns arguments into a `Config` and an exit code, and errors into one line. It starts the server
through `signalpost.app` and knows nothing of what that does.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Sequence
from typing import Annotated

import structlog
import typer

from signalpost import __version__
from signalpost.config import Config, ConfigError, in_one_line, load
from signalpost.domain.keys import KEY_ID, Scope, digest_of, spelled
from signalpost.domain.names import is_name
from signalpost.remote import register
from signalpost.renewal import register as register_renewal
from signalpost.settings import kind_of, without_secrets
from signalpost.telemetry import logs
from signalpost.tokens import make_token, make_web_token

__all__ = ["cli", "main"]

DAY = 86_400

cli = typer.Typer(
    name="signalpost",
    help="A signaling server: logins, messages, channels and calls over one WebSocket.",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # they print local variables, certificates among them
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _paragraphs(text: str) -> str:
    """Help text without the line breaks of its source, which the terminal has no use for."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


SERVE = """\
Run the server until SIGTERM or SIGINT.

The first line on standard output says where it listens; logs go to standard error.
[bold]One port[/] serves WebSocket clients, /getaddr, /healthz, /readyz, /metrics and a page at /.

[bold]Examples[/]

signalpost serve --dev

signalpost serve --host 0.0.0.0 --config signalpost.toml --data /var/lib/signalpost

SIGNALPOST_APPS=myapp:5cfd2fd1755d40ec signalpost serve --host 0.0.0.0

[bold]Where settings come from[/]

Flags win over the environment, the environment over the TOML file, the file over the defaults.
A flag such as --tls-cert is `tls_cert` in the file's section \\[server] and SIGNALPOST_TLS_CERT in
the environment, lists separated by commas. An app is a section \\[apps.ID] with `certificate` and
`allow_no_token`; SIGNALPOST_APPS="ID:CERTIFICATE,ID" and SIGNALPOST_ALLOW_NO_TOKEN="ID" say
the same. What a flag says stands in the process list: a certificate belongs into the file or the
environment. SIGNALPOST_CONFIG names the file. `signalpost check-config FILE` checks one.
"""

TOKEN = """\
Print a login token for one account, and nothing else.

[bold]Example[/]

SIGNALPOST_CERTIFICATE=5cfd2fd1755d40ec signalpost token --app myapp --account ada --ttl 3600

signalpost token --jwt --config signalpost.toml --app myapp --account ada

With --jwt it is a JSON Web Token, made with the secret, the audience and the issuer that the
configuration has for the app.
"""

KEY = """\
Make a key for the HTTP API: print it, and what belongs into the configuration, which is not the key itself.

Without --app it is an operator's, for all apps and the server.

[bold]Example[/]

signalpost key backend --app myapp --scope send --scope read
"""

CHECK = """\
Check a configuration file as `serve --config FILE` would read it here, the environment included.

Prints a summary without secrets, or every problem with its line and what is allowed (exit code 1).
"""

LISTENING, APPS, STORAGE = "Where it listens", "Apps", "Configuration and data"


# --- commands ---------------------------------------------------------------------------------


@cli.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"signalpost {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cli.command(help=_paragraphs(SERVE))
def serve(
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on. Default: 127.0.0.1", metavar="HOST", rich_help_panel=LISTENING
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            help="Port; 0 takes any free one. TLS listens on the next. Default: 8080",
            metavar="PORT",
            rich_help_panel=LISTENING,
        ),
    ] = None,
    advertise: Annotated[
        str | None,
        typer.Option(
            help="What /getaddr tells clients behind NAT or a proxy. Default: the address they asked",
            metavar="IPV4:PORT|URL",
            rich_help_panel=LISTENING,
        ),
    ] = None,
    tls_cert: Annotated[
        str | None,
        typer.Option(help="Certificate chain, PEM.", metavar="FILE", rich_help_panel=LISTENING),
    ] = None,
    tls_key: Annotated[
        str | None,
        typer.Option(help="Its key, PEM.", metavar="FILE", rich_help_panel=LISTENING),
    ] = None,
    trusted_proxies: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose X-Forwarded-For counts. May be repeated.",
            metavar="CIDR",
            rich_help_panel=LISTENING,
        ),
    ] = None,
    app: Annotated[
        list[str] | None,
        typer.Option(
            help="An app, and the secret that its tokens are made with, for everybody to see who may list"
            " processes. May be repeated.",
            metavar="ID[:CERTIFICATE]",
            rich_help_panel=APPS,
        ),
    ] = None,
    allow_no_token: Annotated[
        list[str] | None,
        typer.Option(
            help="An app whose clients may log in with _no_need_token. May be repeated.",
            metavar="ID",
            rich_help_panel=APPS,
        ),
    ] = None,
    dev: Annotated[
        bool,
        typer.Option("--dev", help="Take any App ID and any token, on loopback only.", rich_help_panel=APPS),
    ] = False,
    config: Annotated[
        str | None, typer.Option(help="A TOML file.", metavar="FILE", rich_help_panel=STORAGE)
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            help="Processes that share the port; more than one need --store and --share. Default: 1",
            metavar="N",
            rich_help_panel=LISTENING,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Directory of what must survive; :memory: keeps nothing. Default: ./signalpost-data",
            metavar="DIR",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="PostgreSQL that keeps it instead, as postgresql://HOST/DATABASE; one with a password is"
            " better given in the environment or the file.",
            metavar="URL",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(
            help="Redis by which several nodes are one server, as redis://HOST; needs --store.",
            metavar="URL",
            rich_help_panel=STORAGE,
        ),
    ] = None,
) -> None:
    given: dict[str, str | bool | list[str] | None] = {
        "host": host,
        "port": port,
        "advertise": advertise,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "trusted_proxies": trusted_proxies,
        "app": app,
        "allow_no_token": allow_no_token,
        "dev": dev or None,
        "workers": workers,
        "data": data,
        "store": store,
        "share": share,
    }
    flags = {name: value for name, value in given.items() if value is not None and value != []}
    try:
        settled = load(config, environment=os.environ, flags=flags)
    except ConfigError as error:
        raise Unusable(error) from error
    logs.configure(settled.log_level, settled.log_format)
    _warn(settled)
    from signalpost.app import run  # late: the other commands start without the server's libraries

    raise typer.Exit(run(settled))


@cli.command(help=_paragraphs(TOKEN))
def token(
    app: Annotated[str, typer.Option(help="App ID.", metavar="ID")],
    account: Annotated[str, typer.Option(help="Who is to log in.", metavar="NAME")],
    certificate: Annotated[
        str | None,
        typer.Option(
            help="The app's certificate; in the environment it stays out of the process list.",
            metavar="CERT",
            envvar="SIGNALPOST_CERTIFICATE",
        ),
    ] = None,
    ttl: Annotated[
        int, typer.Option(help="How long the token is good, in seconds.", metavar="SECONDS", min=1)
    ] = DAY,
    jwt: Annotated[bool, typer.Option("--jwt", help="A JSON Web Token.")] = False,
    config: Annotated[
        str | None, typer.Option(help="With --jwt: the TOML file that has the app.", metavar="FILE")
    ] = None,
) -> None:
    for flag, name in (("--app", app), ("--account", account)):
        if not is_name(name):
            raise Misuse(f"{flag}: expected 1 to 128 bytes without blanks, got {kind_of(name)}")
    if jwt:
        typer.echo(_web_token(config, app, account, ttl))
        return
    if certificate is None:
        raise Misuse("Missing option '--certificate'.")
    try:
        made = make_token(app, certificate, account, ttl=ttl)
    except UnicodeEncodeError as error:
        raise Misuse("--certificate: expected text in UTF-8") from error
    except ValueError as error:
        raise Misuse(str(error)) from error
    typer.echo(made)


def _web_token(file: str | None, app_id: str, account: str, ttl: int) -> str:
    try:
        app = load(file, environment=os.environ, flags={}).apps.get(app_id)
    except ConfigError as error:
        raise Unusable(error) from error
    tokens = None if app is None else app.jwt
    if tokens is None or not tokens.secret:
        raise Misuse("--jwt: the configuration has no secret for JSON Web Tokens of this app")
    claims = {tokens.account_claim: account, "iss": tokens.issuer, "aud": "".join(tokens.audience[:1])}
    algorithm = (*tokens.algorithms, "HS256")[0]
    given = {name: claim for name, claim in claims.items() if claim}
    return make_web_token(tokens.secret, account, ttl=ttl, algorithm=algorithm, claims=given)


@cli.command("key", help=_paragraphs(KEY))
def make_key(
    id: Annotated[str, typer.Argument(help="What it is called: 1 to 32 letters, digits, -.", metavar="ID")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do. May be repeated.", show_choices=True)],
    app: Annotated[str | None, typer.Option(help="The app that it is for.", metavar="ID")] = None,
) -> None:
    if not KEY_ID.fullmatch(id):
        raise Misuse("ID: expected 1 to 32 letters, digits and -")
    if app is not None and not is_name(app):
        raise Misuse(f"--app: expected 1 to 128 bytes without blanks, got {kind_of(app)}")
    if app is not None and Scope.ADMIN in scope:
        raise Misuse("--scope: admin is for operators' keys, which are for no app")
    secret = secrets.token_urlsafe(32)
    scopes = ", ".join(f'"{each.value}"' for each in dict.fromkeys(scope))
    section = f"api.keys.{id}" if app is None else f"apps.{_toml_key(app)}.keys.{id}"
    typer.echo(spelled(id, secret))
    typer.echo("\n# The configuration file holds this, and not the key itself:")
    typer.echo(f'[{section}]\nhash = "sha256:{digest_of(secret)}"\nscopes = [{scopes}]')


@cli.command("check-config", help=_paragraphs(CHECK))
def check_config(file: Annotated[str, typer.Argument(help="A TOML file.", metavar="FILE")]) -> None:
    try:
        config = load(file, environment=os.environ, flags={})
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(in_one_line(f"ok: {_summary(config)}"))


register(cli, _paragraphs)
register_renewal(cli, _paragraphs)


def _toml_key(name: str) -> str:
    """A name as a part of a TOML key."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


# --- what is said -----------------------------------------------------------------------------


#: What typer says of arguments, and how it is said without them: any may be a secret in the wrong place.
_GIVEN = tuple(
    (re.compile(given), instead)
    for given, instead in (
        (r"^(Got unexpected extra \S+) \(.*", r"\1"),
        (r"^(No such command) .*?((?:\. Did you mean '[a-z-]+'(?:, '[a-z-]+')*\?)?)$", r"\1\2"),
        (r"^(No such option):.*?((?: \(Possible options: [^()]*\))?)$", r"\1\2"),
        (r"^(Invalid value for '[^']*'): .* is not ", r"\1: it is not "),
    )
)


class Misuse(typer.TyperException):
    """The command line asks for something that cannot be: exit code 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """What typer does when it, and not `main`, handles the error."""
        _complain(self)


class Unusable(Misuse):
    """The configuration cannot be used; the first problem stands for all."""

    def __init__(self, error: ConfigError) -> None:
        first, *others = error.problems
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(f"{first}{more}")


def _complain(error: typer.TyperException) -> None:
    line = " ".join(error.format_message().split())
    for given, instead in _GIVEN:
        line = given.sub(instead, line)
    print(f"signalpost: {in_one_line(line)}", file=sys.stderr)


def _warn(config: Config) -> None:
    if config.dev:
        structlog.get_logger("signalpost").warning(
            "development mode: any App ID and any token is accepted, on loopback only"
        )


def _summary(config: Config) -> str:
    apps = "any app (dev)" if config.dev else ", ".join(sorted(config.apps))
    tls = f", TLS on port {config.port + 1}" if config.tls_cert else ""
    api = f", API on {config.api.host}:{config.api.port}" if config.api else ""
    return f"listens on {config.host}:{config.port}{tls}{api}; {_keeping(config)}; apps: {apps}"


def _keeping(config: Config) -> str:
    """Where what must survive lies, and what is shared."""
    if not config.store:
        return f"data in {config.data}"
    shared = f", shared by {without_secrets(config.share)}" if config.share else ""
    return f"data in {without_secrets(config.store)}{shared}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 failed, 2 wrong usage or configuration."""
    try:
        status = cli(arguments, prog_name="signalpost", standalone_mode=False)
    except typer.TyperException as error:
        _complain(error)
        return error.exit_code
    except typer.Abort:
        return 130
    return status if isinstance(status, int) else 0
