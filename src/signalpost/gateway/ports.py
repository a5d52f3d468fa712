"""The ports of the edge: bound, listened on, closed; a plain one, and with TLS the one above it.

It knows addresses of this machine, and which ports are free. What a connection is, it is told.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from signalpost.gateway.secure_port import Make, Porter, SecurePort
from signalpost.gateway.settings import ListenerSettings

__all__ = ["Ports"]

_MOST_TRIES: Final = 1000


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
        plain, tls = await _bind(settings)
        self.port = plain[0].getsockname()[1]
        self.tls_port = tls[0].getsockname()[1] if tls else None
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


async def _bind(settings: ListenerSettings) -> tuple[list[socket.socket], list[socket.socket]]:
    """Sockets for the plain port and, with TLS, for the port above it; one for every address of the host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    hosts = list(dict.fromkeys((entry[0], entry[4][0]) for entry in found))
    # A free port whose upper neighbour is free, too, may take a few tries.
    for tries_left in range(_MOST_TRIES, -1, -1):
        plain = _bind_port(hosts, settings.port, settings.send_buffer)
        if settings.tls is None:
            return plain, []
        try:
            return plain, _bind_port(hosts, plain[0].getsockname()[1] + 1, settings.send_buffer)
        except OSError:
            for bound in plain:
                bound.close()
            if settings.port or not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _bind_port(hosts: Sequence[tuple[int, Any]], port: int, send_buffer: int) -> list[socket.socket]:
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
            # Accepted connections inherit this. Without it the kernel takes megabytes for a peer that does
            # not read before a transport notices anything.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((host, port))
            port = made.getsockname()[1]
    except OSError:
        for made in bound:
            made.close()
        raise
    return bound
