"""One port for WebSocket and HTTP: accepts connections, sweeps them for time-outs, drains them.

It knows ports, aiohttp's server, every connection that is open, and limits per address. It refuses to
know what a message means: that is for the handler which `Accept` makes for each WebSocket.

A connection goes through the hands of up to three protocols: `Doorway` reads the request's head; then
`Socket` owns it for its whole life as a WebSocket, or aiohttp as ordinary HTTP, which hands it back
when an upgrade comes on a kept-alive connection.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import structlog
from aiohttp import web

from signalpost.gateway.addresses import Allowance, Networks, client_address
from signalpost.gateway.doorway import BUSY, Doorway, peer_of
from signalpost.gateway.http import Site, http_logger, web_application
from signalpost.gateway.outbox import Flusher
from signalpost.gateway.settings import Counts, ListenerSettings
from signalpost.gateway.sockets import Accept, Handler, Socket
from signalpost.gateway.websocket import HandshakeRefused, accept_answer, check_handshake

__all__ = ["Accept", "Counts", "Handler", "Listener", "ListenerSettings", "Socket"]

_MOST_TRIES: Final = 1000

log = structlog.get_logger("signalpost.listener")


class _Tail:
    """Takes from aiohttp what came behind an upgrade request; quacks like its WebSocket parser."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing more comes."""


class Listener:
    """All connections of one process; made inside the running loop.

    `clock` replaces the loop's time for every time-out of the edge itself; aiohttp and TLS keep the loop's.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        site: Site,
        accept: Accept,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.settings: Final = settings
        self.counts: Final = Counts()
        self.trusted: Final = Networks(settings.trusted_proxies)
        self.flusher: Final = Flusher(
            loop, cap=settings.outbox_cap, mark=settings.high_water, overrun=self._overran
        )
        self.now: Final[Callable[[], float]] = clock or loop.time
        # The ports that were bound; 0 and None before `start`.
        self.port = 0
        self.tls_port: int | None = None
        # No new connections are taken.
        self.draining = False
        self._loop: Final = loop
        self._site: Final = site
        self._accept: Final = accept
        exempt = Networks(settings.exempt)
        self._connecting: Final = Allowance(settings.connections_per_second, 1.0, exempt)
        self._failing: Final = Allowance(settings.failed_logins_per_minute, 60.0, exempt)
        # Connections whose head is still being read, oldest first.
        self._doorways: Final[dict[Doorway, None]] = {}
        # WebSockets until their transport is gone.
        self._sockets: Final[set[Socket]] = set()
        # Those that are being closed, with the loop time at which patience ends, soonest first.
        self._closing: Final[dict[Socket, float]] = {}
        # Accepting; empty before `start` and after `stop`.
        self._servers: list[asyncio.Server] = []
        # aiohttp's side; None before `start` and after `drain`.
        self._runner: web.AppRunner | None = None
        # The next sweep; None while nothing is served.
        self._sweeping: asyncio.TimerHandle | None = None
        # Loop time of the latest sweep.
        self._swept = 0.0
        # Awaits the end of the last WebSocket; None except in `drain`.
        self._emptied: asyncio.Future[None] | None = None

    # for the composition root

    async def start(self) -> None:
        """Bind and accept; raises OSError if that is impossible."""
        settings = self.settings
        self._runner = web.AppRunner(
            web_application(self._site, self),
            access_log=None,
            logger=http_logger,
            keepalive_timeout=settings.keep_alive,
            shutdown_timeout=settings.close_timeout,
        )
        await self._runner.setup()
        plain, tls = await _bind(settings)
        self.port = plain[0].getsockname()[1]
        for bound in plain:
            make = partial(Doorway, self, secure=False)
            self._servers.append(await self._loop.create_server(make, sock=bound, backlog=settings.backlog))
        for bound in tls:
            self.tls_port = bound.getsockname()[1]
            make = partial(Doorway, self, secure=True)
            server = await self._loop.create_server(
                make,
                sock=bound,
                backlog=settings.backlog,
                ssl=settings.tls,
                ssl_handshake_timeout=settings.handshake_timeout,
                ssl_shutdown_timeout=settings.close_timeout,
            )
            self._servers.append(server)
        self._swept = self.now()
        self._sweeping = self._loop.call_later(settings.sweep_every, self._sweep)

    def stop(self) -> None:
        """Take no more connections; those that exist go on."""
        self.draining = True
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()

    async def drain(self, code: int = 1012, reason: str = "the server restarts") -> None:
        """Stop, and close everything: WebSockets with `code`, each when it has its answers; whoever does not
        follow in time by force."""
        self.stop()
        for doorway in tuple(self._doorways):
            doorway.expire()
        for connection in tuple(self._sockets):
            connection.part(code, reason)
        # Who has not all answers by then is told all the same, before force is used.
        late = self._loop.call_later(self.settings.close_timeout / 2, self._close_all, code, reason)
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await asyncio.gather(runner.cleanup(), self._emptiness())
        late.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    @property
    def connections(self) -> int:
        """How many connections of any kind are open."""
        served = self._runner.server if self._runner is not None else None
        http = len(served.connections) if served is not None else 0
        return len(self._doorways) + len(self._sockets) + http

    @property
    def websockets(self) -> int:
        """How many WebSockets are open."""
        return len(self._sockets)

    # for the layer above: limits per address (L16)

    def may_login(self, peer: str) -> bool:
        """Whether an address has failed logins left in this minute."""
        return self._failing.left(peer, self.now())

    def failed_login(self, peer: str) -> None:
        """Count a failed login of an address."""
        self._failing.take(peer, self.now())

    # for the HTTP application

    def take_over(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Make a WebSocket of a connection that aiohttp has, or answer why not."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the peer has gone")
        try:
            if self.draining:
                raise HandshakeRefused(503, "the server restarts")
            key = check_handshake(request.method, (request.version.major, request.version.minor), headers)
            peer = peer_of(transport)
            if peer in self.trusted:
                # One connection of a proxy carries many clients.
                peer = client_address(peer, headers.get("x-forwarded-for", ""), self.trusted)
                if not self.may_connect(peer):
                    self.counts.refused += 1
                    raise HandshakeRefused(429, BUSY, {"Retry-After": "1"})
        except HandshakeRefused as refused:
            self.counts.bad_handshakes += 1
            answer = web.Response(status=refused.status, text=f"{refused.reason}\n", headers=refused.headers)
            answer.force_close()
            return answer
        tail = _Tail()
        protocol = request.protocol
        protocol.set_parser(cast("Any", tail))
        # aiohttp's protocol shall believe that its connection is gone, and leave the transport alone.
        protocol.transport = None
        protocol.connection_lost(None)
        secure = transport.get_extra_info("sslcontext") is not None
        self.upgrade(transport, peer=peer, secure=secure, key=key, rest=tail.data)
        # Nobody gets this: aiohttp finds its connection gone when it wants to write it.
        return web.Response()

    # for the connections

    def http_protocol(self) -> asyncio.Protocol:
        """A fresh protocol of aiohttp's server."""
        assert self._runner is not None, "connections end before the runner does"
        server = self._runner.server
        assert server is not None, "the runner is set up before anything is accepted"
        return server()

    def may_connect(self, peer: str) -> bool:
        """Count a connection of an address, unless it has had all that it may have in this second."""
        return self._connecting.take(peer, self.now())

    def entered(self, doorway: Doorway) -> None:
        """A connection has come."""
        self.counts.accepted += 1
        self._doorways[doorway] = None

    def left(self, doorway: Doorway) -> None:
        """It is gone, or something else now."""
        self._doorways.pop(doorway, None)

    def upgrade(
        self, transport: asyncio.Transport, *, peer: str, secure: bool, key: str, rest: bytes
    ) -> None:
        """Grant a handshake; `rest` came directly behind its head."""
        settings = self.settings
        connection = Socket(self, transport, peer=peer, secure=secure, now=self.now())
        self._sockets.add(connection)
        self.counts.upgraded += 1
        transport.set_protocol(connection)
        transport.set_write_buffer_limits(high=settings.high_water, low=settings.low_water)
        transport.write(accept_answer(key))
        try:
            connection.open(self._accept)
        except Exception:
            transport.abort()
            raise
        if rest:
            connection.data_received(rest)

    def closing(self, connection: Socket) -> None:
        """A close has begun, and must come to an end."""
        self._closing[connection] = self.now() + self.settings.close_timeout

    def ended(self, connection: Socket) -> None:
        """A WebSocket's transport is gone."""
        self._sockets.discard(connection)
        self._closing.pop(connection, None)
        if self._emptied is not None and not self._sockets and not self._emptied.done():
            self._emptied.set_result(None)

    # inside

    def _overran(self, transport: asyncio.Transport) -> None:
        self.counts.slow += 1
        log.info("slow consumer dropped", peer=peer_of(transport))

    def _close_all(self, code: int, reason: str) -> None:
        for connection in tuple(self._sockets):
            connection.close(code, reason)

    async def _emptiness(self) -> None:
        """Wait until no WebSocket is left: politely, then by force."""
        for polite in (True, False):
            if not self._sockets:
                return
            if not polite:
                for connection in tuple(self._sockets):
                    connection.abort()
            self._emptied = self._loop.create_future()
            try:
                await asyncio.wait_for(self._emptied, self.settings.close_timeout)
            except TimeoutError:
                log.warning("connections left", count=len(self._sockets), polite=polite)
            finally:
                self._emptied = None

    def _sweep(self) -> None:
        """See to every time-out, once in `sweep_every`."""
        settings = self.settings
        now = self.now()
        late = now - self._swept - settings.sweep_every
        self._swept = now
        self._sweeping = self._loop.call_later(settings.sweep_every, self._sweep)
        # After a long pause of the whole process everybody seems silent; what they sent has yet to be read.
        if late < settings.ping_after / 2:
            self._sweep_silent(now)
            self._sweep_overdue(now)
        self._connecting.sweep(now)
        self._failing.sweep(now)

    def _sweep_silent(self, now: float) -> None:
        """Ping who is silent, and drop who stays so (L13)."""
        quiet = now - self.settings.ping_after
        dead = now - self.settings.dead_after
        for connection in self._sockets:
            heard = connection.heard
            if heard > quiet:
                continue
            if heard <= dead:
                self.counts.silent += connection.is_open
                connection.abort()
            elif connection.pinged <= quiet:
                connection.ping(now)

    def _sweep_overdue(self, now: float) -> None:
        """End what should have ended: slow handshakes, closes without an answer."""
        for doorway in tuple(self._doorways):
            if doorway.since > now - self.settings.handshake_timeout:
                break
            self.counts.handshake_timeouts += 1
            doorway.expire()
        for connection, deadline in tuple(self._closing.items()):
            if deadline > now:
                break
            connection.abort()


# --- binding ----------------------------------------------------------------------------------


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
