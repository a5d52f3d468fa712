"""The ports of the edge: bound, listened on, closed; a plain one, and with TLS the one above it.

It knows addresses of this machine, and which ports are free. What a connection is, it is told. Several
processes may listen on the same ports, and the kernel deals connections out; who starts them holds the ports.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from signalpost.gateway.secure_port import Make, Porter, SecurePort
from signalpost.gateway.settings import ListenerSettings

__all__ = ["Held", "Ports", "hold"]

_MOST_TRIES: Final = 1000
_Option = tuple[int, int]  # of a socket: its name and its value
_SHARED: Final[_Option] = (socket.SO_REUSEPORT, 1)


class Ports:
    """What is listened on, from `open` to `close`."""

    def __init__(self, settings: ListenerSettings) -> None:
        self._settings: Final = settings
        # The ports that were bound; 0 and None before.
        self.port = 0
        self.tls_port: int | None = None
        # Accepting; empty before and after.
        self._servers: list[asyncio.Server | SecurePort] = []

    async def open(self, porter: Porter, make: Callable[[], asyncio.Protocol], make_secured: Make) -> None:
        """Bind and accept; raises OSError if that is impossible. `porter` hears of what comes for TLS."""
        settings, loop = self._settings, asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        hosts = _hosts(found)
        # Accepted connections inherit the buffer's size. Without it the kernel takes megabytes for a peer
        # that does not read before a transport notices anything.
        alone = [(socket.SO_SNDBUF, settings.send_buffer)]
        options = [*alone, _SHARED] if settings.shared else alone
        plain, tls = _bind(hosts, settings.port, tls=settings.tls is not None, options=options)
        self.port = plain[0].getsockname()[1]
        self.tls_port = tls[0].getsockname()[1] if tls else None
        if settings.own_port:
            plain += _bind_port(hosts, settings.own_port, alone)
        for bound in plain:
            self._servers.append(await loop.create_server(make, sock=bound, backlog=settings.backlog))
        for bound in tls:
            assert settings.tls is not None, "there is a port for it"
            secure = SecurePort(porter, make_secured, bound, settings.tls)
            secure.open()
            self._servers.append(secure)

    def close(self) -> None:
        """Accept no more."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()


class Held:
    """Ports that processes of this user may share, and that nobody else can have."""

    def __init__(self, plain: Sequence[socket.socket], tls: Sequence[socket.socket]) -> None:
        self._sockets: Final = (*plain, *tls)

    @property
    def port(self) -> int:
        """The plain one."""
        return int(self._sockets[0].getsockname()[1])

    def close(self) -> None:
        """Hold them no more."""
        for each in self._sockets:
            each.close()


def hold(host: str, port: int, *, tls: bool) -> Held:
    """Bind what other processes are to listen on, without listening; 0 picks it. Raises OSError."""
    hosts = _hosts(socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    # For an instant they are bound alone, as another server of this user would share them without a word.
    alone = Held(*_bind(hosts, port, tls=tls, options=()))
    found = alone.port
    alone.close()
    return Held(*_bind(hosts, found, tls=tls, options=(_SHARED,)))


def _hosts(found: Sequence[tuple[Any, ...]]) -> list[tuple[int, Any]]:
    return list(dict.fromkeys((entry[0], entry[4][0]) for entry in found))


def _bind(
    hosts: Sequence[tuple[int, Any]], port: int, *, tls: bool, options: Sequence[_Option]
) -> tuple[list[socket.socket], list[socket.socket]]:
    """Sockets for the plain port and, with TLS, for the port above it; one for every host."""
    # A free port whose upper neighbour is free, too, may take a few tries.
    for tries_left in range(_MOST_TRIES, -1, -1):
        plain = _bind_port(hosts, port, options)
        if not tls:
            return plain, []
        try:
            return plain, _bind_port(hosts, plain[0].getsockname()[1] + 1, options)
        except OSError:
            for bound in plain:
                bound.close()
            if port or not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _bind_port(
    hosts: Sequence[tuple[int, Any]], port: int, options: Sequence[_Option]
) -> list[socket.socket]:
    """A bound socket for every host, all on one port; 0 picks it."""
    if port > 65535:
        raise OSError(errno.EADDRNOTAVAIL, "there is no port above 65535 for TLS")
    bound: list[socket.socket] = []
    try:
        for family, host in hosts:
            # With the protocol named, or asyncio's loop does not see that TCP_NODELAY applies.
            made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound.append(made)
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for name, value in options:
                made.setsockopt(socket.SOL_SOCKET, name, value)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((host, port))
            port = made.getsockname()[1]
    except OSError:
        for made in bound:
            made.close()
        raise
    return bound
