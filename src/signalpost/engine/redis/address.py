"""Where the store is: one server by its URL, or whichever one the Sentinels say is the primary.

    redis://[user:password@]host[:port][/db]                            rediss:// likewise, over TLS
    unix://[user:password@]/path/to/socket[?db=0]
    redis+sentinel://[user:password@]host[:port],host[:port].../name[/db]     rediss+sentinel:// likewise

What follows a `?` is passed to the library (`ssl_ca_certs=/path`, `ssl_certfile`, `ssl_keyfile`). A password
that contains `@`, `/` or `:` is percent-encoded. `name` is what the Sentinels call the set of servers; if
they want a user of their own: `sentinel_username`, `sentinel_password`.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

__all__ = ["Address", "AddressError"]

_SENTINEL_PORT: Final = 26379

# How a connection is made, whatever the URL says: the older protocol, as messages of a channel then come as
# answers do, and nothing that an old server or a user with few rights would refuse.
_HABITS: Final[dict[str, Any]] = {"protocol": 2, "driver_info": None}


class AddressError(ValueError):
    """The URL cannot be used; the text never has its password."""


class Address:
    """Where the store is, and as whom it is used."""

    __slots__ = ("_kind", "_options", "_sentinel_options", "_sentinels", "_service", "text")

    def __init__(self, url: str) -> None:
        """Raises AddressError."""
        self.text = masked(url)  # for logs
        self._sentinels: list[tuple[str, int]] = []  # who knows the primary; empty: it is where the URL says
        self._service = ""
        self._sentinel_options: dict[str, Any] = {}
        try:
            if "+sentinel://" in url:
                self._read_sentinels(url)
            else:
                self._read(url)
        except (ValueError, TypeError):
            # from None: what the library says may have the whole URL in it
            raise AddressError(f"not the URL of a Redis or Valkey: {self.text}") from None

    def _read(self, url: str) -> None:
        self._options: dict[str, Any] = {**parse_url(url)}
        self._kind: type[AbstractConnection] = self._options.pop("connection_class", Connection)

    def _read_sentinels(self, url: str) -> None:
        parts = urlsplit(url)
        users, _, hosts = parts.netloc.rpartition("@")
        name, _, db = parts.path.strip("/").partition("/")
        if parts.scheme not in ("redis+sentinel", "rediss+sentinel") or not name or not hosts:
            raise ValueError
        self._service = unquote(name)
        self._sentinels = [_host_and_port(one) for one in hosts.split(",")]
        plain = parts.scheme.partition("+")[0]
        self._read(f"{plain}://{users + '@' if users else ''}primary/{db}?{parts.query}")
        given = dict(parse_qsl(parts.query))
        for option in ("username", "password"):
            self._options.pop(f"sentinel_{option}", None)
            if value := given.get(f"sentinel_{option}"):
                self._sentinel_options[option] = value
        if plain == "rediss":
            ours = {key: value for key, value in self._options.items() if key.startswith("ssl_")}
            self._sentinel_options |= {"ssl": True, **ours}

    async def connection(self, *, seconds: float) -> AbstractConnection:
        """A connection to the primary, not yet connected, whose answers are waited for so long.

        Raises RedisError if no Sentinel knows which that is.
        """
        options = {**self._options, **_HABITS, "socket_timeout": seconds, "socket_connect_timeout": seconds}
        if self._sentinels:
            options["host"], options["port"] = await self._primary(seconds)
        return self._kind(**options)

    async def _primary(self, seconds: float) -> tuple[str, int]:
        share = seconds / (2 * len(self._sentinels))  # one that is gone leaves the others their time
        once = {"socket_timeout": share, "socket_connect_timeout": share, "retry": Retry(NoBackoff(), 0)}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            self._sentinels, sentinel_kwargs={**self._sentinel_options, **once}
        )
        try:
            host, port = await sentinel.discover_master(self._service)
        finally:
            await sentinel.aclose()
        return host, int(port)


def masked(url: str) -> str:
    """The URL without secrets: what stands for a password, and what follows a `?`, is left out."""
    front, at, back = url.partition("?")[0].rpartition("@")
    scheme, slashes, user = front.rpartition("://")
    if not at:
        return back
    return f"{scheme}{slashes}{user.partition(':')[0]}:***@{back}"


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or _SENTINEL_PORT
