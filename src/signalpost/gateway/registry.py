"""All connections that are open: what each is, which has no login, and whose time is up first.

It knows who is there, and how many there may be. It refuses to know what happens on a connection.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from signalpost.gateway.doorway import Doorway
from signalpost.gateway.guests import Guests
from signalpost.gateway.secure_port import Handshake
from signalpost.gateway.sockets import Socket

__all__ = ["Registry"]


class Registry:
    """Every connection, from its coming to the end of its transport."""

    def __init__(self, guests: Guests, room: int) -> None:
        self.guests: Final = guests
        # Connections for which descriptors are left.
        self.room = room
        # Connections on which TLS is shaking hands.
        self.handshakes: Final[set[Handshake]] = set()
        # Connections that are no WebSockets, those first whose time is up first.
        self.doorways: Final[OrderedDict[Doorway, None]] = OrderedDict()
        # WebSockets until their transport is gone.
        self.sockets: Final[set[Socket]] = set()
        # Those that are being closed, with the loop time at which patience ends, soonest first.
        self.closing: Final[dict[Socket, float]] = {}
        # Awaits the end of the last WebSocket; None unless somebody waits.
        self._emptied: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self.handshakes) + len(self.doorways) + len(self.sockets)

    @property
    def is_crowded(self) -> bool:
        """Whether there are more than there are descriptors for."""
        return len(self.handshakes) + len(self.doorways) + len(self.sockets) > self.room

    def enter(self, doorway: Doorway, address: str) -> None:
        """It has come, without a login; its address is "" as long as that is not known."""
        self.doorways[doorway] = None
        self.guests.enter(doorway, address)

    def shake_hands(self, handshake: Handshake, address: str) -> None:
        """As `enter`, but TLS comes first."""
        self.handshakes.add(handshake)
        self.guests.enter(handshake, address)

    def shook_hands(self, handshake: Handshake) -> None:
        """That is over; a doorway comes if it went well."""
        self.handshakes.discard(handshake)
        self.guests.leave(handshake)

    def wait(self, doorway: Doorway) -> None:
        """Its time runs anew."""
        if doorway in self.doorways:
            self.doorways.move_to_end(doorway)

    def upgrade(self, doorway: Doorway, connection: Socket) -> None:
        """One has become the other."""
        self.doorways.pop(doorway, None)
        self.sockets.add(connection)
        self.guests.follow(doorway, connection, connection.peer)

    def leave(self, doorway: Doorway) -> None:
        """It is gone, or something else now."""
        self.doorways.pop(doorway, None)
        self.guests.leave(doorway)

    def end(self, connection: Socket) -> None:
        """A WebSocket's transport is gone."""
        self.sockets.discard(connection)
        self.guests.leave(connection)
        self.closing.pop(connection, None)
        if self._emptied is not None and not self.sockets and not self._emptied.done():
            self._emptied.set_result(None)

    async def emptied(self, seconds: float) -> bool:
        """Wait until no WebSocket is left; False if that takes longer."""
        if not self.sockets:
            return True
        self._emptied = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self._emptied, seconds)
        except TimeoutError:
            return False
        finally:
            self._emptied = None
        return True
