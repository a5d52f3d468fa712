"""One port for WebSocket and HTTP: accepts connections, tells the two apart, keeps WebSockets alive.

It knows asyncio transports, time-outs, and how a connection begins and ends. It refuses to know what a
message means: that is for the handler which `Accept` makes for each WebSocket.

A connection goes through the hands of up to three protocols: `Doorway` reads the request's head; then
`Socket` owns it for its whole life as a WebSocket, or aiohttp as ordinary HTTP, which hands it back
when an upgrade comes on a kept-alive connection.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, cast

import structlog
from aiohttp import web

from signalpost.gateway.addresses import Allowance, Network, Networks, client_address
from signalpost.gateway.http import Site, http_logger, web_application
from signalpost.gateway.outbox import DEFAULT_CAP, Flusher, Outbox
from signalpost.gateway.websocket import (
    HEAD_END,
    HEAD_LIMIT,
    FrameReader,
    HandshakeRefused,
    Kind,
    ProtocolError,
    accept_answer,
    asks_websocket,
    begins_head,
    check_handshake,
    close_code,
    frame_close,
    frame_ping,
    frame_pong,
    frame_text,
    read_head,
    refusal_answer,
)

__all__ = ["Accept", "Counts", "Handler", "Listener", "ListenerSettings", "Socket"]

log = structlog.get_logger("signalpost.listener")


# --- what the layer above implements ----------------------------------------------------------


class Handler(Protocol):
    """What a WebSocket's messages are for."""

    def text(self, data: bytes) -> None:
        """One whole text message: valid UTF-8, at most `max_message` bytes."""
        ...

    def lost(self, alive: float) -> None:
        """The connection is over; called exactly once. `alive`: loop time when the peer was last heard."""
        ...


Accept: TypeAlias = Callable[["Socket"], Handler]
"""Makes the handler of a new WebSocket, which may already send."""


# --- settings and counts ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Where to listen, and every bound of the edge. Times are seconds, sizes bytes."""

    host: str = "127.0.0.1"
    port: int = 8080  #: 0 picks a free one
    tls: ssl.SSLContext | None = None  #: given, there is a second listener on port + 1
    backlog: int = 2048
    max_message: int = 64 * 1024  #: of a client (E5)
    handshake_timeout: float = 10.0  #: for the request's head, and for TLS before it
    ping_after: float = 10.0  #: a peer silent for so long is pinged, once in that time (L13)
    dead_after: float = 30.0  #: and after so long it is dead (L13)
    close_timeout: float = 3.0  #: for the peer's part of a close
    sweep_every: float = 1.0  #: how exact these times are
    keep_alive: float = 75.0  #: for idle HTTP connections
    outbox_cap: int = DEFAULT_CAP  #: more waiting than this, and the peer is too slow
    send_buffer: int = 256 * 1024  #: of the kernel, for each connection
    high_water: int = 256 * 1024  #: backlog at which a peer is no longer read from
    low_water: int = 64 * 1024  #: and at which it is again
    connections_per_second: int = 200  #: of one address (L16)
    failed_logins_per_minute: int = 600  #: of one address (L16)
    exempt: tuple[Network, ...] = ()  #: for which no limit per address holds
    trusted_proxies: tuple[Network, ...] = ()  #: whose X-Forwarded-For counts


@dataclass(slots=True)
class Counts:
    """What happened so far, for metrics; only the listener and its connections write here."""

    accepted: int = 0  #: connections ever
    upgraded: int = 0  #: WebSockets ever
    http: int = 0  #: connections that began as ordinary HTTP
    refused: int = 0  #: answered 429
    bad_handshakes: int = 0
    handshake_timeouts: int = 0
    protocol_errors: int = 0
    slow: int = 0  #: aborted because they did not read
    silent: int = 0  #: aborted because nothing came from them


# --- a WebSocket ------------------------------------------------------------------------------


class _State(IntEnum):
    """Where a WebSocket is in its life; it only moves forward.

    OPEN     → CLOSING (we closed first), ENDING (the peer closed first, or broke the protocol), LOST
    CLOSING  → ENDING (the peer has answered), LOST
    ENDING   → LOST
    """

    OPEN = 0
    CLOSING = 1  # our close frame is sent; the peer's is awaited
    ENDING = 2  # both are done with frames; whatever still comes is ignored, and TCP is being closed
    LOST = 3  # the transport is gone


_OPEN: Final = _State.OPEN


class Socket(asyncio.Protocol):
    """A WebSocket connection after its handshake."""

    __slots__ = (
        "_handler",
        "_held",
        "_listener",
        "_reader",
        "_state",
        "_transport",
        "heard",
        "outbox",
        "peer",
        "pinged",
        "secure",
    )

    def __init__(
        self, listener: Listener, transport: asyncio.Transport, *, peer: str, secure: bool, now: float
    ) -> None:
        self._listener: Final = listener
        self._transport: Final = transport
        self._reader: Final = FrameReader(listener.settings.max_message)
        self.outbox: Final = Outbox(transport, listener.flusher)
        # The client's address, after trusted proxies.
        self.peer: Final = peer
        # Whether it came over TLS.
        self.secure: Final = secure
        # Loop time when the last bytes arrived.
        self.heard = now
        # Loop time of the last ping; the sweep's.
        self.pinged = now
        self._state = _OPEN
        # Gets the messages; None until `open`.
        self._handler: Handler | None = None
        # The layer above has enough for now, between `hold` and `go_on`.
        self._held = False

    # for the layer above

    def send(self, payload: bytes) -> None:
        """Send one text message at the end of this tick; nothing once a close has begun."""
        self.outbox.put(frame_text(payload))

    def close(self, code: int, reason: str = "") -> None:
        """Begin the close handshake, behind what is queued.

        TCP ends when the peer answers, or after a time-out.
        """
        if self._state is not _OPEN:
            return
        self._state = _State.CLOSING
        self._listener.closing(self)
        self.outbox.finish(frame_close(code, reason), _nothing)
        self._read_on()

    def hold(self) -> None:
        """Read nothing more from the peer until `go_on`; what has been read still comes."""
        self._held = True
        if self._state is _OPEN:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read from the peer again, unless it does not read from us."""
        self._held = False
        if self._state is _OPEN and not self.outbox.congested:
            self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection at once, without a close frame."""
        self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether messages can still come and go."""
        return self._state is _OPEN

    # for the listener

    def open(self, accept: Accept) -> None:
        """Begin; called once, when the handshake's answer has been written."""
        self._handler = accept(self)

    def ping(self, now: float) -> None:
        """Ask a silent peer for a sign of life."""
        self.pinged = now
        self.outbox.put(_PING)

    # for the transport

    def data_received(self, data: bytes) -> None:
        self.heard = self._listener.now()
        if self._state is not _OPEN or self._handler is None:
            self._read_end(data)
            return
        text = self._reader.whole_text(data)
        if text is not None:
            self._handler.text(text)
            return
        try:
            received = self._reader.feed(data)
        except ProtocolError as error:
            self._take(error.received)
            self._listener.counts.protocol_errors += 1
            self._fail(error.code, error.reason)
            return
        self._take(received)

    def eof_received(self) -> None:
        """The peer will send no more; returning None closes the transport."""

    def pause_writing(self) -> None:
        """The peer does not read what it asked for: let it ask no more until it does."""
        self.outbox.congest()
        if self._state is _OPEN:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.outbox.relieve()
        # It has read, which is a sign of life, and we could not have heard any other.
        self.heard = self._listener.now()
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = _State.LOST
        self.outbox.discard()
        self._listener.ended(self)
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.lost(self.heard)

    # inside

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _take(self, received: list[tuple[Kind, bytes]]) -> None:
        for kind, payload in received:
            if self._state is not _OPEN or self._handler is None:
                return
            if kind is Kind.TEXT:
                self._handler.text(payload)
            elif kind is Kind.PING:
                self.outbox.put(frame_pong(payload))
            elif kind is Kind.CLOSE:
                self._answer_close(payload)
            elif kind is Kind.BINARY:
                self._fail(1003, "binary messages are not taken; send text")

    def _answer_close(self, payload: bytes) -> None:
        """The peer closes first: what is queued, the close frame back, then TCP (RFC 6455 §7.1.1)."""
        self._state = _State.ENDING
        self._listener.closing(self)
        self.outbox.finish(frame_close(close_code(payload)), self._transport.close)

    def _fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455 §7.1.7).

        The close frame must reach a peer that is still sending, so what comes is thrown away until the
        peer has gone.
        """
        if self._state is not _OPEN:
            return
        self._state = _State.ENDING
        self._listener.closing(self)
        self.outbox.finish(frame_close(code, reason), self._end_sending)

    def _end_sending(self) -> None:
        _end_sending(self._transport)

    def _read_end(self, data: bytes) -> None:
        """After our close frame only the peer's matters."""
        if self._state is not _State.CLOSING:
            return
        try:
            received = self._reader.feed(data)
        except ProtocolError:
            self._state = _State.ENDING
            self._transport.close()
            return
        if any(kind is Kind.CLOSE for kind, _ in received):
            self._state = _State.ENDING
            self._transport.close()


_PING: Final = frame_ping()


# --- before it is one -------------------------------------------------------------------------

_BUSY: Final = "too many connections from this address"


class Doorway(asyncio.Protocol):
    """A connection whose request head is being read."""

    __slots__ = ("_head", "_limited", "_listener", "_peer", "_refused", "_secure", "_transport", "since")

    def __init__(self, listener: Listener, *, secure: bool) -> None:
        self._listener: Final = listener
        self._secure: Final = secure
        # The head so far; None until a chunk comes that does not hold it whole.
        self._head: bytearray | None = None
        # Its address has used up its connections: the first bytes are answered with 429.
        self._limited = False
        # It got its refusal: what still comes is thrown away.
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = self._listener
        self._transport = cast("asyncio.Transport", transport)
        # The address that TCP shows.
        self._peer = _peer_of(transport)
        # Loop time when it came.
        self.since = listener.now()
        listener.entered(self)
        # Behind a proxy the address is known only when the head is.
        if self._peer not in listener.trusted:
            self._limited = not listener.may_connect(self._peer)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._limited:
            self._refuse_busy()
            return
        searched = 0
        head: bytes | bytearray = data
        if self._head is not None:
            searched = max(len(self._head) - 3, 0)
            self._head += data
            head = self._head
        end = head.find(HEAD_END, searched)
        if end > HEAD_LIMIT or (end < 0 and len(head) > HEAD_LIMIT):
            self._refuse(431, f"a request head is at most {HEAD_LIMIT} bytes")
        elif end >= 0:
            self._judge(bytes(head), end)
        elif not begins_head(head):
            self._hand_over(bytes(head))
        elif self._head is None:
            self._head = bytearray(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.left(self)

    def expire(self) -> None:
        """Its time is up."""
        self._transport.abort()

    def _judge(self, data: bytes, end: int) -> None:
        """The head is whole: a WebSocket, ordinary HTTP, or neither."""
        listener = self._listener
        request = read_head(data[:end])
        if request is None:
            self._hand_over(data)
            return
        peer = self._peer
        if peer in listener.trusted:
            peer = client_address(peer, request.headers.get("x-forwarded-for", ""), listener.trusted)
            if not listener.may_connect(peer):
                self._refuse_busy()
                return
        if not asks_websocket(request.headers):
            self._hand_over(data)
            return
        try:
            key = check_handshake(request.method, request.version, request.headers)
        except HandshakeRefused as refused:
            listener.counts.bad_handshakes += 1
            self._refuse(refused.status, refused.reason, refused.headers)
            return
        listener.left(self)
        rest = data[end + len(HEAD_END) :]
        listener.upgrade(self._transport, peer=peer, secure=self._secure, key=key, rest=rest)

    def _hand_over(self, data: bytes) -> None:
        """Ordinary HTTP, or what our head parser cannot read: aiohttp's from here on."""
        listener = self._listener
        listener.left(self)
        listener.counts.http += 1
        protocol = listener.http_protocol()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _refuse_busy(self) -> None:
        self._listener.counts.refused += 1
        self._refuse(429, _BUSY, {"Retry-After": "1"})

    def _refuse(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        self._refused = True
        self._head = None
        self._transport.write(refusal_answer(status, reason, headers))
        _end_sending(self._transport)


def _end_sending(transport: asyncio.Transport) -> None:
    """Close our half only: closing a socket over unread bytes resets it, and the peer loses our last words.

    TLS has no halves; there the transport's own shutdown reads on for a while.
    """
    if transport.can_write_eof():
        transport.write_eof()
    else:
        transport.close()


def _peer_of(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""


class _Tail:
    """Takes from aiohttp what came behind an upgrade request; quacks like its WebSocket parser."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing more comes."""


# --- the listener -----------------------------------------------------------------------------


class Listener:
    """All connections of one process; made inside the running loop."""

    def __init__(self, settings: ListenerSettings, site: Site, accept: Accept) -> None:
        loop = asyncio.get_running_loop()
        self.settings: Final = settings
        self.counts: Final = Counts()
        self.trusted: Final = Networks(settings.trusted_proxies)
        self.flusher: Final = Flusher(loop, cap=settings.outbox_cap, overrun=self._overran)
        self.now: Final[Callable[[], float]] = loop.time
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
        """Stop, and close everything: WebSockets with `code`, whoever does not follow in time by force."""
        self.stop()
        for doorway in tuple(self._doorways):
            doorway.expire()
        for connection in tuple(self._sockets):
            connection.close(code, reason)
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await asyncio.gather(runner.cleanup(), self._emptiness())
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
            peer = _peer_of(transport)
            if peer in self.trusted:
                # One connection of a proxy carries many clients.
                peer = client_address(peer, headers.get("x-forwarded-for", ""), self.trusted)
                if not self.may_connect(peer):
                    self.counts.refused += 1
                    raise HandshakeRefused(429, _BUSY, {"Retry-After": "1"})
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
        log.info("slow consumer dropped", peer=_peer_of(transport))

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
                self.counts.silent += 1
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
    """Sockets for the plain port and, with TLS, for the port above it."""
    for attempts_left in range(32, -1, -1):
        plain = await _bind_port(settings, settings.port)
        if settings.tls is None:
            return plain, []
        port = plain[0].getsockname()[1]
        try:
            if port == 65535:
                raise OSError(errno.EADDRINUSE, "there is no port above 65535 for TLS")
            return plain, await _bind_port(settings, port + 1)
        except OSError:
            for bound in plain:
                bound.close()
            if settings.port or not attempts_left:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _bind_port(settings: ListenerSettings, port: int) -> list[socket.socket]:
    """A bound socket for every address of the host, all on one port."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        settings.host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    bound: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            if port == 0 and bound:
                address = (address[0], bound[0].getsockname()[1], *address[2:])
            made = socket.socket(family, socket.SOCK_STREAM)
            bound.append(made)
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Accepted connections inherit this. Without it the kernel takes megabytes for a peer that does
            # not read before a transport notices anything.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(address)
    except OSError:
        for made in bound:
            made.close()
        raise
    return bound


def _nothing() -> None:
    """Our close frame is out, and the peer's is awaited."""
