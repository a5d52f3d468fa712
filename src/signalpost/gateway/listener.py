"""One port for WebSocket and HTTP: accepts connections, sweeps them for time-outs, drains them.

It knows ports, TLS, every connection that is open, limits per address, and how many descriptors there are. It
refuses to know what a message means: that is for the handler which `Accept` makes for each WebSocket.

A connection goes through the hands of up to two protocols: `Doorway` reads heads and answers what is ordinary
HTTP; `Socket` owns it from an upgrade on.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog

from signalpost.gateway import descriptors
from signalpost.gateway.addresses import Allowance, Networks
from signalpost.gateway.doorway import Doorway, peer_of
from signalpost.gateway.guests import Guest, Guests
from signalpost.gateway.http import Pages, Site
from signalpost.gateway.outbox import Flusher
from signalpost.gateway.secure_port import Handshake, SecurePort
from signalpost.gateway.settings import Counts, ListenerSettings
from signalpost.gateway.sockets import Accept, Handler, Socket
from signalpost.gateway.websocket import accept_answer

__all__ = ["Accept", "Counts", "Handler", "Listener", "ListenerSettings", "Socket"]

_MOST_TRIES: Final = 1000
_SPARE: Final = 32  # descriptors for everything that is no connection, besides those in use at the start
_QUIET: Final = 60.0  # seconds between two lines of the log about the same trouble

log = structlog.get_logger("signalpost.listener")


class Listener:
    """All connections of one process; made inside the running loop.

    `clock` replaces the loop's time for every time-out of the edge itself; TLS keeps the loop's.
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
        # When a WebSocket's transport has enough, and when it may get more: bytes.
        self._high_water: Final = min(settings.high_water, settings.outbox_cap // 16)
        self._low_water: Final = min(settings.low_water, settings.outbox_cap // 32)
        self.flusher: Final = Flusher(
            loop,
            cap=settings.outbox_cap,
            mark=min(settings.high_water, settings.outbox_cap // 4),
            overrun=self._overran,
        )
        self.now: Final[Callable[[], float]] = clock or loop.time
        # The ports that were bound; 0 and None before `start`.
        self.port = 0
        self.tls_port: int | None = None
        # No new connections are taken.
        self.draining = False
        self._loop: Final = loop
        self.pages: Final = Pages(site, self)
        self._accept: Final = accept
        exempt = Networks(settings.exempt)
        self._connecting: Final = Allowance(settings.connections_per_second, 1.0, exempt)
        self._failing: Final = Allowance(settings.failed_logins_per_minute, 60.0, exempt)
        # How often an address is told so, of TLS: that costs a handshake.
        self._refusing: Final = Allowance(settings.connections_per_second, 1.0, exempt)
        self._guests: Final = Guests(
            max(1, min(settings.guests, settings.descriptors // 2)),
            max(1, min(settings.guests_per_address, settings.descriptors // 4)),
            exempt,
        )
        # Connections for which descriptors are left; set by `start`.
        self._room = settings.descriptors
        # Connections that are no WebSockets, those first whose time is up first.
        self._doorways: Final[OrderedDict[Doorway, None]] = OrderedDict()
        # Connections on which TLS is shaking hands.
        self._handshakes: Final[set[Handshake]] = set()
        # WebSockets until their transport is gone.
        self._sockets: Final[set[Socket]] = set()
        # Those that are being closed, with the loop time at which patience ends, soonest first.
        self._closing: Final[dict[Socket, float]] = {}
        # Accepting; empty before `start` and after `stop`.
        self._servers: list[asyncio.Server | SecurePort] = []
        # The next sweep; None while nothing is served.
        self._sweeping: asyncio.TimerHandle | None = None
        # Loop time of the latest sweep.
        self._swept = 0.0
        # What has been logged of the guests that gave way and of the descriptors, and when.
        self._murmurs: Final = (
            _Murmur("connections without a login gave way"),
            _Murmur("out of descriptors"),
        )
        # Awaits the end of the last WebSocket; None except in `drain`.
        self._emptied: asyncio.Future[None] | None = None

    # for the composition root

    async def start(self) -> None:
        """Bind and accept; raises OSError if that is impossible."""
        settings = self.settings
        plain, tls = await _bind(settings)
        self.port = plain[0].getsockname()[1]
        self.tls_port = tls[0].getsockname()[1] if tls else None
        make = partial(Doorway, self)
        for bound in plain:
            server = await self._loop.create_server(make, sock=bound, backlog=settings.backlog)
            self._servers.append(server)
        for bound in tls:
            assert settings.tls is not None, "there is a port for it"
            secure = SecurePort(self, bound, settings.tls)
            secure.open()
            self._servers.append(secure)
        spare = min(_SPARE, settings.descriptors // 8)
        self._room = max(1, settings.descriptors - descriptors.in_use() - spare)
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
        for handshake in tuple(self._handshakes):
            handshake.give_way()
        for doorway in tuple(self._doorways):
            doorway.give_way()
        for connection in tuple(self._sockets):
            connection.part(code, reason)
        # Who has not all answers by then is told all the same, before force is used.
        late = self._loop.call_later(self.settings.close_timeout / 2, self._close_all, code, reason)
        await self._emptiness()
        late.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    @property
    def connections(self) -> int:
        """How many connections of any kind are open."""
        return len(self._handshakes) + len(self._doorways) + len(self._sockets)

    @property
    def websockets(self) -> int:
        """How many WebSockets are open."""
        return len(self._sockets)

    @property
    def guests(self) -> int:
        """How many connections have no login."""
        return len(self._guests)

    @property
    def guests_dropped(self) -> int:
        """How many of them had to give way so far."""
        return self._guests.dropped

    # for the layer above: limits per address (L16)

    def may_login(self, peer: str) -> bool:
        """Whether an address has failed logins left in this minute."""
        return self._failing.left(peer, self.now())

    def failed_login(self, peer: str) -> None:
        """Count a failed login of an address."""
        self._failing.take(peer, self.now())

    # for the connections

    def may_connect(self, peer: str) -> bool:
        """Count a connection of an address, unless it has had all that it may have in this second."""
        return self._connecting.take(peer, self.now())

    def may_be_refused(self, peer: str) -> bool:
        """Whether an address that may not connect is told so over TLS; else its connection just ends."""
        return self._refusing.take(peer, self.now())

    def arrived(self, handshake: Handshake) -> None:
        """A connection has come, and TLS shakes hands on it."""
        self._handshakes.add(handshake)
        self._count(handshake, "" if handshake.peer in self.trusted else handshake.peer)

    def shook_hands(self, handshake: Handshake) -> None:
        """That is over; `entered` follows if it went well."""
        self._handshakes.discard(handshake)
        self._guests.leave(handshake)

    def entered(self, doorway: Doorway, address: str) -> None:
        """A connection can say what it wants; its address is "" as long as that is not known."""
        self.counts.accepted += 1
        self._doorways[doorway] = None
        self._count(doorway, address)

    def exhausted(self) -> None:
        """There is no descriptor for one more connection."""
        self.counts.exhausted += 1
        self._guests.drop_oldest()

    def counted(self, guest: Guest, address: str) -> None:
        """The address of a connection without a login is known, or it has no login any more."""
        self._guests.enter(guest, address)

    def known(self, guest: Guest) -> None:
        """A connection has a login."""
        self._guests.leave(guest)

    def waits(self, doorway: Doorway) -> None:
        """Its time runs anew."""
        if doorway in self._doorways:
            self._doorways.move_to_end(doorway)

    def left(self, doorway: Doorway) -> None:
        """It is gone, or something else now."""
        self._doorways.pop(doorway, None)
        self._guests.leave(doorway)

    def upgrade(
        self,
        doorway: Doorway,
        transport: asyncio.Transport,
        *,
        peer: str,
        secure: bool,
        key: str,
        rest: bytes,
    ) -> None:
        """Grant a handshake; `rest` came directly behind its head."""
        connection = Socket(self, transport, peer=peer, secure=secure, now=self.now())
        self._doorways.pop(doorway, None)
        self._sockets.add(connection)
        self._guests.follow(doorway, connection, peer)
        self.counts.upgraded += 1
        transport.set_protocol(connection)
        transport.set_write_buffer_limits(high=self._high_water, low=self._low_water)
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
        self._guests.leave(connection)
        self._closing.pop(connection, None)
        if self._emptied is not None and not self._sockets and not self._emptied.done():
            self._emptied.set_result(None)

    # inside

    def _count(self, guest: Guest, address: str) -> None:
        self._guests.enter(guest, address)
        if len(self._handshakes) + len(self._doorways) + len(self._sockets) > self._room:
            self.exhausted()

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
        for allowance in (self._connecting, self._refusing, self._failing):
            allowance.sweep(now)
        for murmur, count in zip(self._murmurs, (self._guests.dropped, self.counts.exhausted), strict=True):
            murmur.note(count, now)

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
        while self._doorways:
            doorway = next(iter(self._doorways))
            if doorway.since > now - self.settings.handshake_timeout:
                break
            if doorway.is_read():
                doorway.since = now
                self.waits(doorway)
                continue
            self.counts.handshake_timeouts += 1
            doorway.give_way()
            self.left(doorway)
        for connection, deadline in tuple(self._closing.items()):
            if deadline > now:
                break
            connection.abort()


class _Murmur:
    """A trouble that may happen thousands of times a second, and is logged once a minute."""

    __slots__ = ("_event", "_said_at", "_told")

    def __init__(self, event: str) -> None:
        self._event = event
        # How often it had happened when it was logged last, and when that was; None before.
        self._told = 0
        self._said_at: float | None = None

    def note(self, count: int, now: float) -> None:
        """It has happened so often by now."""
        if count > self._told and (self._said_at is None or now - self._said_at >= _QUIET):
            log.warning(self._event, count=count - self._told)
            self._told, self._said_at = count, now


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
