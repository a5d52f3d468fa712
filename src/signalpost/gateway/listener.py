"""The edge: connections come by its ports, become WebSockets or are answered, and end.

It knows which part does what with a connection, and limits per address. It refuses to know what a message
means: that is for the handler which `Accept` makes for each WebSocket.

A connection goes through the hands of up to three: a `Handshake` for TLS; a `Doorway`, which reads heads and
answers what is ordinary HTTP; a `Socket`, which owns it from an upgrade on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from signalpost.gateway import descriptors
from signalpost.gateway.addresses import Allowances, Networks, client_address
from signalpost.gateway.doorway import Doorway, peer_of
from signalpost.gateway.guests import Guest, Guests
from signalpost.gateway.http import Pages, Site
from signalpost.gateway.outbox import Flusher
from signalpost.gateway.ports import Ports
from signalpost.gateway.registry import Registry
from signalpost.gateway.secure_port import Handshake
from signalpost.gateway.settings import Counts, ListenerSettings
from signalpost.gateway.sockets import Accept, Handler, Socket
from signalpost.gateway.timeouts import Timeouts
from signalpost.gateway.websocket import RESTART, accept_answer

__all__ = ["Accept", "Counts", "Handler", "Listener", "ListenerSettings", "Socket"]

_SPARE: Final = 32  # descriptors for everything that is no connection, besides those in use at the start

_PAUSE: Final = 0.01  # seconds; of no less are pauses in between

_log = structlog.get_logger("signalpost.listener")


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
        self.flusher: Final = Flusher(
            loop,
            cap=settings.outbox_cap,
            mark=min(settings.high_water, settings.outbox_cap // 4),
            overrun=self._overran,
        )
        self.now: Final[Callable[[], float]] = clock or loop.time
        # No new connections are taken.
        self.draining = False
        self.pages: Final = Pages(site, self)
        self._accept: Final = accept
        exempt = Networks(settings.exempt)
        self._allowances: Final = Allowances(
            settings.connections_per_second, settings.failed_logins_per_minute, exempt
        )
        self.trusted: Final = Networks(settings.trusted_proxies)
        guests = Guests(
            max(1, min(settings.guests, settings.descriptors // 2)),
            max(1, min(settings.guests_per_address, settings.descriptors // 4)),
            exempt,
        )
        self.registry: Final = Registry(guests, settings.descriptors)
        self.ports: Final = Ports(settings)
        self.timeouts: Final = Timeouts(
            settings, self.registry, self.counts, self.now, self._allowances.sweep
        )

    # for the composition root

    async def start(self) -> None:
        """Bind and accept; raises OSError if that is impossible."""
        settings = self.settings
        await self.ports.open(self, partial(Doorway, self), self._secured)
        spare = min(_SPARE, settings.descriptors // 8)
        self.registry.room = max(1, settings.descriptors - descriptors.in_use() - spare)
        self.timeouts.start()

    def stop(self) -> None:
        """Take no more connections; those that exist go on."""
        self.draining = True
        self.ports.close()

    async def drain(
        self, code: int = RESTART, reason: str = "the server restarts", *, over: float = 0.0
    ) -> None:
        """Stop, and close everything: WebSockets with `code`, each when it has its answers; whoever does not
        follow in time by force. `over`: seconds over which it is spread, as all go to where others are (N7).
        """
        self.stop()
        for handshake in tuple(self.registry.handshakes):
            handshake.give_way()
        for doorway in tuple(self.registry.doorways):
            doorway.give_way()
        loop = asyncio.get_running_loop()
        sockets = list(self.registry.sockets)
        begun = loop.time()
        for number, connection in enumerate(sockets):
            pause = begun + over * number / len(sockets) - loop.time()
            if pause >= _PAUSE:
                await asyncio.sleep(pause)
            connection.part(code, reason)
        # Who has not all answers by then is told all the same, before force is used.
        patience = self.settings.close_timeout
        late = loop.call_later(patience / 2, self._close_all, code, reason)
        if not await self.registry.emptied(patience):
            _log.warning("connections left", count=len(self.registry.sockets), polite=True)
            for connection in tuple(self.registry.sockets):
                connection.abort()
            if not await self.registry.emptied(patience):
                _log.warning("connections left", count=len(self.registry.sockets), polite=False)
        late.cancel()
        self.timeouts.stop()

    @property
    def port(self) -> int:
        """The plain port; 0 before `start`."""
        return self.ports.port

    @property
    def tls_port(self) -> int | None:
        """The port for TLS; None before `start`, and without TLS."""
        return self.ports.tls_port

    @property
    def connections(self) -> int:
        """How many connections of any kind are open."""
        return len(self.registry)

    @property
    def websockets(self) -> int:
        """How many WebSockets are open."""
        return len(self.registry.sockets)

    @property
    def guests(self) -> int:
        """How many connections have no login."""
        return len(self.registry.guests)

    @property
    def guests_dropped(self) -> int:
        """How many of them had to give way so far."""
        return self.registry.guests.dropped

    # for the layer above: limits per address (L16)

    def may_login(self, peer: str) -> bool:
        """Whether an address has failed logins left in this minute."""
        return self._allowances.failing.left(peer, self.now())

    def address_of(self, peer: str, forwarded: str) -> str:
        """Who somebody is who came by another door (L16)."""
        return client_address(peer, forwarded, self.trusted)

    def failed_login(self, peer: str) -> None:
        """Count a failed login of an address."""
        self._allowances.failing.take(peer, self.now())

    # for the connections: `Porter`, `Hall`, `Keeper`

    def may_connect(self, peer: str) -> bool:
        """Count a connection of an address, unless it has had all that it may have in this second."""
        return self._allowances.connecting.take(peer, self.now())

    def may_be_refused(self, peer: str) -> bool:
        """Whether an address that may not connect is told so over TLS; else its connection just ends."""
        return self._allowances.refusing.take(peer, self.now())

    def arrived(self, handshake: Handshake) -> None:
        """A connection has come, and TLS shakes hands on it."""
        self.registry.shake_hands(handshake, "" if handshake.peer in self.trusted else handshake.peer)
        if self.registry.is_crowded:
            self.exhausted()

    def shook_hands(self, handshake: Handshake) -> None:
        """That is over; `entered` follows if it went well."""
        self.registry.shook_hands(handshake)

    def entered(self, doorway: Doorway, address: str) -> None:
        """A connection can say what it wants; its address is "" as long as that is not known."""
        self.counts.accepted += 1
        self.registry.enter(doorway, address)
        if self.registry.is_crowded:
            self.exhausted()

    def exhausted(self) -> None:
        """There is no descriptor for one more connection."""
        self.counts.exhausted += 1
        self.registry.guests.drop_oldest()

    def counted(self, guest: Guest, address: str) -> None:
        """The address of a connection without a login is known, or it has no login any more."""
        self.registry.guests.enter(guest, address)

    def known(self, guest: Guest) -> None:
        """A connection has a login."""
        self.registry.guests.leave(guest)

    def waits(self, doorway: Doorway) -> None:
        """Its time runs anew."""
        self.registry.wait(doorway)

    def left(self, doorway: Doorway) -> None:
        """It is gone, or something else now."""
        self.registry.leave(doorway)

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
        self.registry.upgrade(doorway, connection)
        self.counts.upgraded += 1
        transport.set_protocol(connection)
        high, low = self.settings.waters
        transport.set_write_buffer_limits(high=high, low=low)
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
        self.registry.closing[connection] = self.now() + self.settings.close_timeout

    def ended(self, connection: Socket) -> None:
        """A WebSocket's transport is gone."""
        self.registry.end(connection)

    # inside

    def _secured(self, handshake: Handshake) -> Doorway:
        return Doorway(self, handshake=handshake)

    def _overran(self, transport: asyncio.Transport) -> None:
        self.counts.slow += 1
        _log.info("slow consumer dropped", peer=peer_of(transport))

    def _close_all(self, code: int, reason: str) -> None:
        for connection in tuple(self.registry.sockets):
            connection.close(code, reason)
