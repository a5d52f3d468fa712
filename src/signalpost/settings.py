"""What each setting may be, and how it is spelled in TOML and as text (environment, flags).

It judges one value at a time. Where values come from, which one wins and what they must be together
is in `config.py`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from signalpost.domain.keys import MOST_DIGESTS, SECRET, Scope
from signalpost.domain.limits import Limits
from signalpost.domain.names import is_name
from signalpost.domain.webhooks import EVENTS
from signalpost.wire.codes import CHANNEL_TTL_SECONDS, FRAME_BYTES

__all__ = [
    "API",
    "APP",
    "JWT",
    "KEY",
    "LIMITS",
    "PAGE",
    "SERVER",
    "WEBHOOK",
    "IceServer",
    "Kind",
    "Network",
    "kind_of",
    "without_secrets",
]

Network = IPv4Network | IPv6Network


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A STUN or TURN server, as `RTCPeerConnection` takes it."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of allowed values."""

    allowed: str  #: what is allowed, as it stands after "expected"
    take: Callable[[Any], Any]  #: the setting from a TOML value; raises ValueError
    spell: Callable[[str], Any]  #: the TOML value that a text stands for; raises ValueError

    def expected(self, got: object) -> str:
        """The complaint about a value that is not allowed."""
        return f"expected {self.allowed}, got {kind_of(got)}"


def kind_of(value: object) -> str:
    """What a wrong value is, and nothing of it: any may be a secret in the wrong place."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "another text" if value else "an empty text"
    if isinstance(value, int | float):
        return "another number"
    if isinstance(value, list):
        return "a list with something else" if value else "an empty list"
    return "a table" if isinstance(value, dict) else "a date or a time"


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError


# --- kinds ------------------------------------------------------------------------------------


def _whole(low: int, high: int = 2**53) -> Kind:
    def take(value: Any) -> int:
        _require(type(value) is int and low <= value <= high)
        return int(value)

    return Kind(f"a whole number from {low} to {high}", take, int)


def _seconds(*, zero: bool = False, high: float = 1e9) -> Kind:
    def take(value: Any) -> float:
        _require(type(value) in (int, float) and 0 <= value <= high and (zero or value > 0))
        return float(value)

    least = "from 0 to" if zero else "greater than 0 and at most"
    return Kind(f"a number of seconds {least} {high:.0f}", take, float)


def _truth() -> Kind:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }

    def take(value: Any) -> bool:
        _require(type(value) is bool)
        return bool(value)

    return Kind("true or false", take, lambda text: words.get(text.lower(), text))


def _choice(*words: str) -> Kind:
    def take(value: Any) -> str:
        _require(value in words)
        return str(value)

    return Kind(" or ".join(f'"{word}"' for word in words), take, str)


def _text(allowed: str, accepts: Callable[[str], bool]) -> Kind:
    def take(value: Any) -> str:
        _require(isinstance(value, str) and accepts(value))
        return str(value)

    return Kind(allowed, take, str)


def _several(allowed: str, item: Callable[[str], Any]) -> Kind:
    """A list of texts in TOML, separated by commas elsewhere."""

    def take(value: Any) -> tuple[Any, ...]:
        _require(isinstance(value, list) and all(isinstance(each, str) for each in value))
        return tuple(item(each) for each in value)

    def spell(text: str) -> list[str]:
        return [each.strip() for each in text.split(",") if each.strip()]

    return Kind(allowed, take, spell)


def _one_or_two(allowed: str, accepts: Callable[[str], object]) -> Kind:
    """A text, or a list of two while one is being replaced by another."""

    def take(value: Any) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        _require(isinstance(texts, list) and 1 <= len(texts) <= MOST_DIGESTS)
        _require(all(isinstance(text, str) and accepts(text) for text in texts))
        return tuple(texts)

    return Kind(f"{allowed}, or a list of two such texts", take, str)


_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)

_ICE_URL: Final = re.compile(
    r"(?:stuns?|(?P<turn>turns?)):(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?(?(turn)(?:\?transport=(?:udp|tcp))?)",
    re.ASCII,
)


def _ice_servers(values: Any) -> tuple[IceServer, ...]:
    """A list of tables in TOML, like the list that a page gives to `RTCPeerConnection`."""
    _require(isinstance(values, list))
    return tuple(_ice_server(value) for value in values)


def _ice_server(value: Any) -> IceServer:
    """Browsers refuse what is no such URL, and TURN without a name and a credential (WebRTC §4.4.1)."""
    _require(isinstance(value, dict) and value.keys() <= {"urls", "username", "credential"})
    urls = value.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    _require(isinstance(urls, list) and bool(urls) and all(isinstance(url, str) for url in urls))
    found = [match for url in urls if (match := _ICE_URL.fullmatch(url))]
    login = [value.get("username", ""), value.get("credential", "")]
    _require(len(found) == len(urls) and all(1 <= int(match["port"] or 1) <= 65535 for match in found))
    _require(all(isinstance(text, str) and _is_text(text) for text in login))
    _require(all(login) or not any(match["turn"] for match in found))
    return IceServer(tuple(urls), *login)


def _network(text: str) -> Network:
    return ip_network(text)


def _name(text: str) -> str:
    _require(is_name(text))
    return text


def _is_address(text: str) -> bool:
    """An IPv4 address with a port, or a WebSocket URL: what `/getaddr` can say (PROTOCOL §1)."""
    host, colon, port = text.rpartition(":")
    if colon and _is_ipv4(host):
        return port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535
    try:
        url = urlsplit(text)
        return url.scheme in ("ws", "wss") and bool(url.hostname) and url.port != 0 and _is_printable(text)
    except ValueError:  # brackets that do not match, a port that is no number
        return False


def _is_web_url(text: str) -> bool:
    """An http:// or https:// URL that holds no secret of its own."""
    try:
        url = urlsplit(text)
        named = bool(url.hostname) and "@" not in url.netloc and url.port != 0
        return url.scheme in ("http", "https") and named and _is_printable(text) and text.isascii()
    except ValueError:
        return False


def _texts(value: Any) -> tuple[str, ...]:
    """A text, or a list of them."""
    found = [value] if isinstance(value, str) else value
    _require(isinstance(found, list) and bool(found))
    _require(all(isinstance(each, str) and each and _is_text(each) for each in found))
    return tuple(found)


def _few(texts: tuple[str, ...], most: int) -> tuple[str, ...]:
    _require(len(texts) <= most)
    return texts


def _one_of(text: str, known: Sequence[str]) -> str:
    _require(text in known)
    return text


def _webhook_secret(text: str) -> str:
    """As Standard Webhooks spell it."""
    prefix, mark, encoded = text.partition("whsec_")
    _require(not prefix and bool(mark))
    _require(24 <= len(b64decode(encoded, validate=True)) <= 64)
    return text


def _is_url(text: str, schemes: Collection[str]) -> bool:
    """Whether it is a URL of one of these schemes; whoever uses it knows what else has to be in it."""
    scheme, separator, rest = text.partition("://")
    return bool(separator and rest) and scheme in schemes and _is_printable(text)


def without_secrets(url: str) -> str:
    """Where a URL leads: without who asks there, and without options, as either may have a password."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return ""
    place = _PLACE.fullmatch(rest)
    return f"{scheme}://{place[1] if place else '…'}"  # a password that is not encoded may look like anything


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_path(text: str) -> bool:
    """Whether it may name a file or a directory here; a URL does not."""
    return bool(text) and text.isprintable() and "://" not in text


def _is_printable(text: str) -> bool:
    return bool(text) and text.isprintable() and " " not in text


def _is_text(text: str) -> bool:
    """Whether it has an UTF-8 form; arguments of a command line may have none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- settings ---------------------------------------------------------------------------------

_NETWORKS: Final = _several('a list of networks such as "10.0.0.0/8" (no bits set behind the mask)', _network)
_FILE: Final = _text("the path of a file", _is_path)
_PLACE: Final = re.compile(r"(?:[^@/?]*@)?([\w.,:\[\]-]*(?:/[\w./-]*)?)(?:\?[^@]*)?")
_STORES: Final = ("postgresql", "postgres")
_SHARES: Final = ("redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix")
_HOST: Final = re.compile(r"[\w.:%-]{1,255}")

#: The section `[server]`; the fields of `Config` and, in upper case after `SIGNALPOST_`, the environment.
SERVER: Final[Mapping[str, Kind]] = {
    "host": _text("a host name or an address", lambda text: bool(_HOST.fullmatch(text))),
    "port": _whole(0, 65535),
    "workers": _whole(1, 256),
    "worker_port": _whole(0, 65535),
    "data": _text('the path of a directory, or ":memory:"', _is_path),
    "durability": _choice("power", "process"),
    "store": _text(
        'a URL such as "postgresql://USER:PASSWORD@HOST/DATABASE", or nothing',
        lambda text: not text or _is_url(text, _STORES),
    ),
    "share": _text(
        'a URL such as "redis://USER:PASSWORD@HOST", with rediss for TLS, or nothing',
        lambda text: not text or _is_url(text, _SHARES),
    ),
    "advertise": _text(
        "IPV4:PORT or a ws:// or wss:// URL, or nothing", lambda text: not text or _is_address(text)
    ),
    "tls_cert": _FILE,
    "tls_key": _FILE,
    "trusted_proxies": _NETWORKS,
    "exempt_networks": _NETWORKS,
    "dev": _truth(),
    "connections_per_second": _whole(1),
    "failed_logins_per_minute": _whole(1),
    "guests": _whole(1),
    "guests_per_address": _whole(1),
    "ping_after": _seconds(),
    "dead_after": _seconds(),
    "login_timeout": _seconds(),
    "handshake_timeout": _seconds(),
    "outbox_bytes": _whole(FRAME_BYTES),
    "send_buffer": _whole(4096, 2**30),
    "log_level": _choice("debug", "info", "warning", "error"),
    "log_format": _choice("auto", "json", "console"),
}

#: The section `[page]`: what the page at `/` is told.
PAGE: Final[Mapping[str, Kind]] = {
    "ice_servers": Kind(
        'a list of tables with urls ("stun:HOST:PORT", "turn:HOST:PORT"),'
        " and for turn: username and credential",
        _ice_servers,
        str,
    )
}

#: The section `[api]`, besides its `keys`: the listener for back ends and operators.
API: Final[Mapping[str, Kind]] = {
    "host": SERVER["host"],
    "port": SERVER["port"],
    "public_metrics": _truth(),
    "requests": _whole(1),
    "requests_burst": _whole(1),
    "idempotency_seconds": _seconds(high=604_800.0),
}

#: A section `[api.keys.ID]` or `[apps.ID.keys.ID]`.
KEY: Final[Mapping[str, Kind]] = {
    "secret": _one_or_two("32 to 128 letters, digits, - and _", SECRET.fullmatch),
    "hash": _one_or_two('"sha256:" and 64 hex digits', _HASH.fullmatch),
    "scopes": _several(
        "a list of " + ", ".join(f'"{scope.value}"' for scope in Scope), lambda text: Scope(text)
    ),
    "networks": _NETWORKS,
}

#: A section `[apps.ID]`, besides its `limits`.
APP: Final[Mapping[str, Kind]] = {
    "certificate": _text("the app's certificate as text", _is_text),
    "allow_no_token": _truth(),
    "md5_tokens": _truth(),
    "lines": _choice("device", "flag"),
    "watchers": _several("a list of accounts", _name),
}

#: A section `[apps.ID.jwt]`: which JSON Web Tokens an app takes.
JWT: Final[Mapping[str, Kind]] = {
    "secret": _text("a secret as text", lambda text: bool(text) and _is_text(text)),
    "public_key": _text("a public key in PEM form", lambda text: bool(text) and _is_text(text)),
    "jwks_url": _text("an https:// or http:// URL without a password", _is_web_url),
    "algorithms": Kind("an algorithm or a list of them", _texts, str),
    "audience": Kind("a text or a list of texts", _texts, str),
    "issuer": _text("a text", lambda text: bool(text) and _is_text(text)),
    "account_claim": _text("the name of a claim", lambda text: bool(text) and _is_text(text)),
    "leeway": _seconds(zero=True, high=600),
}

#: A section `[apps.ID.webhooks.NAME]`: whom an app's events are told.
WEBHOOK: Final[Mapping[str, Kind]] = {
    "url": _text("an https:// or http:// URL without a password", _is_web_url),
    "secrets": Kind(
        "one or two secrets: whsec_ and 24 to 64 bytes in base64",
        lambda value: tuple(_webhook_secret(text) for text in _few(_texts(value), 2)),
        str,
    ),
    "events": Kind(
        "some of " + ", ".join(EVENTS),
        lambda value: tuple(_one_of(text, EVENTS) for text in _texts(value)),
        str,
    ),
    "bodies": _truth(),
}

#: The sections `[limits]` and `[apps.ID.limits]`: positive, but for some where nothing is a choice.
LIMITS: Final[Mapping[str, Kind]] = {
    field.name: _whole(1) if field.type is int else _seconds() for field in msgspec.structs.fields(Limits)
} | {
    "inbox_call_reserve": _whole(0),
    "untaken_messages": _whole(0),
    "untaken_bytes": _whole(0),
    "deserted_channels": _whole(0),
    "set_attribute_bytes": _whole(0),
    "channel_attribute_bytes": _whole(0),
    "api_untaken_messages": _whole(0),
    "api_untaken_bytes": _whole(0),
    "api_deserted_channels": _whole(0),
    "channel_seconds": _seconds(zero=True, high=CHANNEL_TTL_SECONDS),
    "webhook_offline_delay": _seconds(zero=True, high=86_400),
}
