"""The configuration: defaults, a TOML file, the environment and flags become one frozen `Config`.

It knows which source wins, where each value came from, and what the values must be together. What a
single value may be is in `settings.py`; nothing here opens a socket or reads the data directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal, NamedTuple

import msgspec

from signalpost.domain.apps import App, WebTokens
from signalpost.domain.keys import KEY_ID, MOST_DIGESTS, Key, Scope, digest_of
from signalpost.domain.limits import Limits
from signalpost.domain.names import is_name
from signalpost.domain.webhooks import Endpoint
from signalpost.settings import (
    API,
    APP,
    JWT,
    KEY,
    LIMITS,
    PAGE,
    SERVER,
    WEBHOOK,
    IceServer,
    Kind,
    Network,
    kind_of,
)
from signalpost.toml_file import Path, TomlError, TomlFile

__all__ = ["Api", "Config", "ConfigError", "Problem", "in_one_line", "load"]

ENVIRONMENT: Final = "SIGNALPOST_"
_LINE: Final = 460  # characters that are said of one problem
_NAME: Final = 40  # characters of a name that are compared with those that exist
_MOST_PROBLEMS: Final = 50  # that are told; after so many another file was meant
_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """The listener for back ends and operators: `[api]`, and the keys of it and of the apps."""

    host: str = "127.0.0.1"  #: where to listen
    port: int = 8082  #: 0: any free one
    public_metrics: bool = False  #: `/metrics` stays on the public port as well
    requests: int = 100  #: requests a second with one key, sustained
    requests_burst: int = 200  #: requests with one key at once
    idempotency_seconds: float = 3_600.0  #: how long an `Idempotency-Key` is remembered (A3)
    keys: tuple[Key, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All that a deployment decides: `[server]`, `[page]`, the limits of every app, and the apps.

    Many fields: one a setting.
    """

    host: str = "127.0.0.1"  #: where to listen
    port: int = 8080  #: 0: any free one; TLS listens on the next one
    workers: int = 1  #: processes that share the port (N8)
    worker_port: int = 0  #: the first of as many ports, one of each worker alone; 0: none
    data: str = "./signalpost-data"  #: what must survive; ":memory:" keeps nothing
    durability: Literal["power", "process"] = "power"  #: what an acknowledged message survives (M5)
    store: str = ""  #: URL of the PostgreSQL that keeps it, in the directory's place; empty: the directory
    share: str = ""  #: URL of the Redis that several nodes share; empty: there is one node
    advertise: str = ""  #: what `/getaddr` says; empty: the address that the request came to
    tls_cert: str = ""  #: certificate chain (PEM); empty: no TLS listener
    tls_key: str = ""  #: its key (PEM)
    trusted_proxies: tuple[Network, ...] = ()  #: whose `X-Forwarded-For` counts (L16)
    exempt_networks: tuple[Network, ...] = ()  #: who is free of the limits per address (L16)
    dev: bool = False  #: any App ID, any token, loopback only (L4)
    connections_per_second: int = 200  #: new connections of one address (L16)
    failed_logins_per_minute: int = 600  #: failed logins of one address (L16)
    guests: int = 10_000  #: connections without a login; at most half of the descriptors (L16)
    guests_per_address: int = 1_000  #: of these of one address; at most a quarter (L16)
    ping_after: float = 10.0  #: seconds of silence before a WebSocket ping (L13)
    dead_after: float = 30.0  #: seconds of silence after which a connection is dead (L13)
    login_timeout: float = 60.0  #: seconds that a connection may live without a login
    handshake_timeout: float = 10.0  #: seconds for the head of a request
    outbox_bytes: int = 4 * 1024 * 1024  #: backlog of one connection; a slower consumer is closed
    send_buffer: int = 256 * 1024  #: SO_SNDBUF of a connection
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"  #: auto: console on a terminal, else JSON
    ice_servers: tuple[IceServer, ...] = ()  #: of `[page]`: how its calls find a way between networks
    api: Api | None = None  #: `[api]`: the listener for back ends; None: there is none (A1)
    limits: Limits = Limits()  #: of the apps that `--dev` makes up
    apps: Mapping[str, App] = {}  #: by App ID, each with its own limits filled in

    def app(self, app_id: str) -> App | None:
        """The app of this ID; with `dev` any name is one, and takes any token."""
        app = self.apps.get(app_id)
        if not self.dev:
            return app
        if app is None:
            return App(any_token=True, allow_no_token=True, limits=self.limits) if is_name(app_id) else None
        return msgspec.structs.replace(app, any_token=True, allow_no_token=True)

    def __repr__(self) -> str:
        return f"<Config {self.host}:{self.port} apps={sorted(self.apps)}>"  # never a certificate


class Problem(NamedTuple):
    """One thing that is wrong: the place (file and line, variable or flag) and the reason."""

    place: str
    reason: str

    def __str__(self) -> str:
        return in_one_line(f"{self.place}: {self.reason}")


def in_one_line(text: str) -> str:
    """The text as a terminal can show it, cut where nobody reads on."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text[:_LINE]
    )
    return shown if max(len(shown), len(text)) <= _LINE else f"{shown[: _LINE - 1]}…"


class ConfigError(Exception):
    """The configuration cannot be used. The text is one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def load(
    file: str | None, *, environment: Mapping[str, str], flags: Mapping[str, str | bool | list[str]]
) -> Config:
    """Flags over environment over file over defaults; `SIGNALPOST_CONFIG` names the file if `file` is None.

    `flags` holds what was given on the command line: settings of `[server]` under their names, as
    text, lists or true, and `app` and `allow_no_token` as lists. Raises ConfigError with every problem found.
    """
    draft = _Draft()
    if file:
        _read_file(draft, file, "the configuration file")
    elif name := environment.get(f"{ENVIRONMENT}CONFIG"):
        _read_file(draft, name, f"{ENVIRONMENT}CONFIG")
    _read_environment(draft, environment)
    _read_flags(draft, flags)
    return draft.finish()


# --- the draft --------------------------------------------------------------------------------


class _Draft:
    """What has been read so far; later sources replace earlier ones, value by value."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []  # in the order of their discovery
        self.server: dict[str, Any] = {}  # accepted values of [server]
        self.places: dict[str, str] = {}  # where each of them came from
        self.page: dict[str, Any] = {}  # accepted values of [page]
        self.limits: dict[str, Any] = {}  # accepted values of [limits]
        self.apps: dict[str, dict[str, Any]] = {}  # accepted values of [apps.ID], "limits" among them
        self.api: dict[str, Any] | None = None  # accepted values of [api]; None: there is no such section
        self.keys: list[tuple[str, str, dict[str, Any], str]] = []  # App ID or "", id, values, place
        self.jwt_places: dict[str, str] = {}  # where each [apps.ID.jwt] stands
        self.app_places: dict[str, str] = {}  # where each app was last named
        self.limits_places: dict[str, str] = {}  # where [limits] ("") and each [apps.ID.limits] stand
        self.no_token: list[tuple[str, str]] = []  # App ID and place of every --allow-no-token

    @property
    def is_full(self) -> bool:
        """Whether there are more problems than anybody reads."""
        return len(self.problems) > _MOST_PROBLEMS

    def refuse(self, place: str, reason: str) -> None:
        if not self.is_full:
            self.problems.append(Problem(place, reason))

    def take(self, into: dict[str, Any], name: str, kind: Kind, value: object, place: str) -> None:
        """Accept a TOML value, or note why not."""
        try:
            into[name] = kind.take(value)
        except ValueError:
            self.refuse(place, kind.expected(value))

    def take_server(self, name: str, value: object, place: str) -> None:
        self.places[name] = place
        self.take(self.server, name, SERVER[name], value, place)

    def spell_server(self, name: str, text: str, place: str) -> None:
        """Accept a text of the environment or of a flag."""
        kind = SERVER[name]
        try:
            value = kind.spell(text)
        except ValueError:
            self.refuse(place, kind.expected(text))
        else:
            self.take_server(name, value, place)

    def name_app(self, app_id: str, place: str) -> dict[str, Any]:
        """The values of an app, which exists from now on if its ID is one."""
        if not is_name(app_id):
            self.refuse(place, f"expected an App ID of 1 to 128 bytes without blanks, got {kind_of(app_id)}")
            return {}
        self.app_places[app_id] = place
        return self.apps.setdefault(app_id, {})

    def add_app(self, text: str, place: str) -> None:
        """`ID` or `ID:CERTIFICATE`, as flags and environment spell an app."""
        app_id, colon, certificate = text.partition(":")
        app = self.name_app(app_id, place)
        if colon:
            self.take(app, "certificate", APP["certificate"], certificate, place)

    def finish(self) -> Config:
        """The Config, once all values fit together. Raises ConfigError."""
        for app_id, place in self.no_token:
            if app_id in self.apps:
                self.apps[app_id]["allow_no_token"] = True
            else:
                self.refuse(place, f"no such app is configured{_meant(app_id, self.apps)}")
        limits = self._limits("", self.limits)
        apps = {app_id: App(**values | self._tables(app_id, values)) for app_id, values in self.apps.items()}
        config = Config(**self.server, **self.page, api=self._api(), limits=limits, apps=apps)
        if config.dev and "exempt_networks" not in self.server:
            config = msgspec.structs.replace(config, exempt_networks=_LOOPBACK)
        self._judge(config)
        if self.problems:
            told = list(dict.fromkeys(self.problems))
            if len(told) > _MOST_PROBLEMS:
                told[_MOST_PROBLEMS:] = [Problem("configuration", "there are more problems than these")]
            raise ConfigError(told)
        return config

    def _tables(self, app_id: str, values: dict[str, Any]) -> dict[str, Any]:
        """What the tables below an app's own, and its values together, make of it."""
        made: dict[str, Any] = {"limits": self._limits(app_id, self.limits | values.get("limits", {}))}
        if not values.get("md5_tokens", True):
            made["certificate"] = ""  # so that none is right (L3)
        if "webhooks" in values:
            whole = [hook for hook in values["webhooks"].values() if hook.keys() >= {"url", "secrets"}]
            made["webhooks"] = tuple(Endpoint(**hook) for hook in whole)
        if app_id in self.jwt_places:
            made["jwt"] = self._web_tokens(self.jwt_places[app_id], values["jwt"])
        return made

    def _web_tokens(self, place: str, values: dict[str, Any]) -> WebTokens:
        tokens = WebTokens(**values)
        given = [name for name in ("secret", "public_key", "jwks_url") if name in values]
        if len(given) != 1:
            self.refuse(place, "expected one of secret, public_key and jwks_url")
        elif fault := _fault_of(tokens):
            self.refuse(place, fault)
        return tokens

    def _api(self) -> Api | None:
        if self.api is None:
            for _, _, _, place in self.keys:
                self.refuse(place, "there is nothing to use it at: give the file a section [api]")
            return None
        keys: dict[str, Key] = {}
        for app_id, id, values, place in self.keys:
            key = self._key(app_id, id, values, place)
            if id in keys:
                self.refuse(place, "the id is that of another key, of whatever app")
            elif key is not None:
                keys[id] = key
        return Api(**self.api, keys=tuple(keys.values()))

    def _key(self, app_id: str, id: str, values: dict[str, Any], place: str) -> Key | None:
        if not KEY_ID.fullmatch(id):
            self.refuse(place, "expected an id of 1 to 32 letters, digits and -")
            return None
        digests = [digest_of(secret) for secret in values.get("secret", ())]
        digests += [text.removeprefix("sha256:") for text in values.get("hash", ())]
        if not digests:
            self.refuse(place, "the key has neither a secret nor a hash: `signalpost key` makes one")
        if len(digests) > MOST_DIGESTS:
            self.refuse(place, f"a key has {MOST_DIGESTS} secrets at most, hashes included")
        scopes = frozenset(values.get("scopes", ()))
        if not scopes:
            self.refuse(place, "the key may do nothing: give it scopes")
        if app_id and Scope.ADMIN in scopes:
            self.refuse(place, "admin is for operators' keys, which stand under [api.keys]")
        networks = values.get("networks", ())
        return Key(id=id, app=app_id, digests=tuple(digests), scopes=scopes, networks=networks)

    def _limits(self, app_id: str, values: dict[str, Any]) -> Limits:
        limits = Limits(**values)
        if limits.grace_min > limits.grace_max:
            place = self.limits_places.get(app_id) or self.limits_places.get("", "limits")
            self.refuse(place, "grace_min is greater than grace_max")
        return limits

    def _judge(self, config: Config) -> None:
        """What the values must be together."""
        if config.dev and not _is_loopback(config.host):
            self._refuse_server("host", "--dev takes any token, so it listens on loopback only")
        for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
            path = getattr(config, name)
            if path and not getattr(config, other):
                self._refuse_server(name, f"{other} is missing: TLS needs both files")
            if path and not os.path.isfile(path):
                self._refuse_server(name, "no such file")
        if config.tls_cert and config.port == 65535:
            self._refuse_server("port", "TLS listens on the next port, so at most 65534 is allowed")
        missing = [name for name in ("store", "share") if config.workers > 1 and not getattr(config, name)]
        if missing:
            self._refuse_server(
                "workers",
                f"not without {' and '.join(missing)}: several processes are several nodes, which need a"
                " --store postgresql://… and a --share redis://…",
            )
        if config.worker_port and config.worker_port + config.workers - 1 > 65535:
            self._refuse_server("worker_port", "there are not enough ports above it, one for each worker")
        if config.share and not config.store:
            self._refuse_server(
                "share", "store is missing: nodes that share sessions need one PostgreSQL that keeps the rest"
            )
        if config.ping_after >= config.dead_after:
            self._refuse_server("ping_after", "must be less than dead_after")
        if not config.dev:
            self._judge_apps(config)

    def _judge_apps(self, config: Config) -> None:
        if not config.apps:
            self.refuse(
                "apps",
                "no app is configured: give [apps.ID] with a certificate in the file,"
                " or SIGNALPOST_APPS=ID:CERTIFICATE in the environment, or try --dev, which takes any",
            )
        for app_id, app in config.apps.items():
            if not app.certificate and not app.allow_no_token and app.jwt is None:
                self.refuse(
                    self.app_places[app_id],
                    "md5_tokens is false, so nobody could log in: give the app a section jwt"
                    if not app.md5_tokens
                    else "the app has no certificate: give it one (certificate in the file, or"
                    " SIGNALPOST_APPS=ID:CERTIFICATE), or let everybody in (--allow-no-token ID)",
                )

    def _refuse_server(self, name: str, reason: str) -> None:
        self.refuse(self.places.get(name, f"server.{name}"), reason)


def _fault_of(tokens: WebTokens) -> str:
    """Why these tokens could never be judged; "" if they can."""
    # Late: it takes time to load, and most need it for no setting.
    from signalpost.gateway.web_tokens import fixed_key
    from signalpost.wire.web_tokens import ALGORITHMS, SECRET_ALGORITHMS, KeyFault

    allowed = [name for name in ALGORITHMS if (name in SECRET_ALGORITHMS) == bool(tokens.secret)]
    if any(name not in allowed for name in tokens.algorithms):
        return f"algorithms: with this kind of key, expected some of {', '.join(allowed)}"
    if tokens.jwks_url and not tokens.audience:
        return "audience is missing: a provider's keys sign tokens for others, too"
    try:
        fixed_key(tokens)
    except KeyFault as fault:
        return str(fault)
    return ""


def _told(app_id: str) -> str:
    """An App ID as it may be told: what is none, or has a colon, may have been meant for a certificate."""
    return app_id if is_name(app_id) and ":" not in app_id else "…"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name[:_NAME], list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


# --- the file ---------------------------------------------------------------------------------


def _exists(name: str) -> bool:
    """Whether it is the name of something."""
    try:
        return os.path.lexists(name)
    except ValueError:  # a NUL
        return False


class _File:
    """A file and its name."""

    def __init__(self, name: str) -> None:
        """Raises TomlError."""
        self._name = name
        self._read = TomlFile(name)
        self.root = self._read.root

    def place(self, *path: str) -> str:
        """`FILE:LINE: dotted.key`, of a key that is known."""
        return self._at(path, path)

    def place_below(self, *path: str) -> str:
        """The same of an unknown key, which may be anything: the line, and in which table it stands."""
        return self._at(path, path[:-1])

    def _at(self, path: Path, told: Path) -> str:
        keys = ".".join(_quoted(_told(key) if above == ("apps",) else key) for above, key in _steps(told))
        return f"{self._name}:{self._read.line(path)}" + (f": {keys}" if keys else "")


def _steps(path: Path) -> Iterator[tuple[Path, str]]:
    """Each key with those above it."""
    return ((path[:depth], key) for depth, key in enumerate(path))


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else msgspec.json.encode(key).decode()


def _read_file(draft: _Draft, name: str, source: str) -> None:
    """`source`: who says so; a name of nothing is not told, as it may be anything."""
    try:
        file = _File(name)
    except TomlError as error:
        place = name if error.line is None else f"{name}:{error.line}"
        place = place if _exists(name) else source
        raise ConfigError([Problem(place, error.reason)]) from None  # nobody can say what else is wrong
    sections = dict(_section(draft, file, file.root, ("server", "page", "api", "limits", "apps"), ()))
    for key, value in _section(draft, file, sections.get("server", {}), SERVER, ("server",)):
        draft.take_server(key, value, file.place("server", key))
    for key, value in _section(draft, file, sections.get("page", {}), PAGE, ("page",)):
        draft.take(draft.page, key, PAGE[key], value, file.place("page", key))
    if "api" in sections:
        draft.api = {}
        for key, value in _section(draft, file, sections["api"], (*API, "keys"), ("api",)):
            if key == "keys":
                _read_keys(draft, file, "", value, ("api", key))
            else:
                draft.take(draft.api, key, API[key], value, file.place("api", key))
    if "limits" in sections:
        _read_limits(draft, file, draft.limits, sections["limits"], ("limits",))
        draft.limits_places[""] = file.place("limits")
    for app_id, values in _section(draft, file, sections.get("apps", {}), None, ("apps",)):
        _read_app(draft, file, app_id, values)


def _read_app(draft: _Draft, file: _File, app_id: str, values: object) -> None:
    path = ("apps", app_id)
    app = draft.name_app(app_id, file.place(*path))
    for key, value in _section(draft, file, values, (*APP, "limits", "jwt", "keys", "webhooks"), path):
        if key == "webhooks":
            _read_webhooks(draft, file, app.setdefault("webhooks", {}), value, (*path, key))
        elif key == "keys":
            _read_keys(draft, file, app_id, value, (*path, key))
        elif key == "jwt":
            _read_web_tokens(draft, file, app.setdefault("jwt", {}), value, (*path, key))
            draft.jwt_places[app_id] = file.place(*path, key)
        elif key == "limits":
            _read_limits(draft, file, app.setdefault("limits", {}), value, (*path, key))
            draft.limits_places[app_id] = file.place(*path, key)
        else:
            draft.take(app, key, APP[key], value, file.place(*path, key))


def _read_keys(draft: _Draft, file: _File, app_id: str, values: object, path: tuple[str, ...]) -> None:
    for id, fields in _section(draft, file, values, None, path):
        taken: dict[str, Any] = {}
        for name, value in _section(draft, file, fields, KEY, (*path, id)):
            draft.take(taken, name, KEY[name], value, file.place_below(*path, id, name) + f".{name}")
        draft.keys.append((app_id, id, taken, file.place_below(*path, id)))


def _read_limits(
    draft: _Draft, file: _File, into: dict[str, Any], values: object, path: tuple[str, ...]
) -> None:
    for key, value in _section(draft, file, values, LIMITS, path):
        draft.take(into, key, LIMITS[key], value, file.place(*path, key))


def _read_web_tokens(
    draft: _Draft, file: _File, into: dict[str, Any], values: object, path: tuple[str, ...]
) -> None:
    for key, value in _section(draft, file, values, JWT, path):
        draft.take(into, key, JWT[key], value, file.place(*path, key))


def _read_webhooks(
    draft: _Draft, file: _File, into: dict[str, Any], values: object, path: tuple[str, ...]
) -> None:
    for name, table in _section(draft, file, values, None, path):
        place = file.place(*path, name)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            draft.refuse(place, "expected a name of up to 64 letters, digits, - and _")
            continue
        hook: dict[str, Any] = {"name": name}
        for key, value in _section(draft, file, table, WEBHOOK, (*path, name)):
            draft.take(hook, key, WEBHOOK[key], value, file.place(*path, name, key))
        missing = [key for key in ("url", "secrets") if isinstance(table, dict) and key not in table]
        if missing:
            draft.refuse(place, f"{' and '.join(missing)} missing")
        into[name] = hook


def _section(
    draft: _Draft, file: _File, values: object, known: Collection[str] | None, path: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """The known keys of a table (None: all of them); what is unknown, or no table, is noted on the way."""
    if not isinstance(values, dict):
        draft.refuse(file.place(*path), "expected a table")
        return
    for key, value in values.items():
        if draft.is_full:
            return
        if known is None or key in known:
            yield key, value
        else:
            hint = f" ({key} belongs under [server])" if not path and key in SERVER else _meant(key, known)
            draft.refuse(file.place_below(*path, key), f"unknown key{hint}")


# --- environment and flags --------------------------------------------------------------------


def _read_environment(draft: _Draft, environment: Mapping[str, str]) -> None:
    """An empty variable counts as absent, and a variable that nobody knows is left alone: orchestrators
    put in their own (`SIGNALPOST_SERVICE_HOST`)."""
    for name in SERVER:
        variable = ENVIRONMENT + name.upper()
        if text := environment.get(variable):
            draft.spell_server(name, text, variable)
    for place, text in _entries(f"{ENVIRONMENT}APPS", _listed(environment, "APPS")):
        draft.add_app(text, place)
    no_token = _listed(environment, "ALLOW_NO_TOKEN")
    draft.no_token += [
        (app_id, place) for place, app_id in _entries(f"{ENVIRONMENT}ALLOW_NO_TOKEN", no_token)
    ]


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    parts = environment.get(ENVIRONMENT + name, "").split(",")
    return [part.strip() for part in parts if part.strip()]


def _entries(source: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Each with its place."""
    for number, text in enumerate(texts, 1):
        yield (source if len(texts) == 1 else f"{source}, entry {number}"), text


def _read_flags(draft: _Draft, flags: Mapping[str, str | bool | list[str]]) -> None:
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            _read_list(draft, name, flag, value)
        elif isinstance(value, bool):
            draft.take_server(name, value, flag)
        else:
            draft.spell_server(name, value, flag)


def _read_list(draft: _Draft, name: str, flag: str, values: list[str]) -> None:
    if name == "app":
        for place, text in _entries(flag, values):
            draft.add_app(text, place)
    elif name == "allow_no_token":
        draft.no_token += [(app_id, place) for place, app_id in _entries(flag, values)]
    else:
        draft.take_server(name, values, flag)
