"""What is written in bulk goes out by pages: when its connection is relieved, and when it is its turn.

Bulk is what a client has not asked for piece by piece: an inbox that is pushed, the missed events of
its channels, and the answers behind a large one. Each page is made when the peer has read most of what
it was sent before, so that nothing piles up here and no outbox overflows. All connections share what may
be written in a tick, so that nobody else waits long (SPEC E5).

It knows outboxes and bytes. It refuses to know what is written, and where it is read from.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from signalpost.engine.ports import Pending
from signalpost.gateway.outbox import LARGE, Outbox

__all__ = ["Pace", "Turns"]


class Turns:
    """Whose turn it is: all connections together have one large frame's bytes a tick.

    What is written beyond, as one frame can be much larger, is taken off the next ticks.
    """

    __slots__ = ("_loop", "_waiting", "_woken", "left")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        # The connections that wait for a turn, each once.
        self._waiting: deque[Pace] = deque()
        # Whether the next tick is seen to.
        self._woken = False
        # How many bytes may still be written in this tick.
        self.left = LARGE

    def spend(self, size: int) -> None:
        """Count bytes that were written in bulk."""
        self.left -= size
        self._wake()

    def enter(self, pace: Pace) -> None:
        """Give the connection a turn in one of the next ticks."""
        self._waiting.append(pace)
        self._wake()

    def enter_later(self, pace: Pace) -> None:
        """The same, a tick later: what the connection has received by then is served first."""
        self._loop.call_soon(self.enter, pace)

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._woken = False
        self.left = min(self.left + LARGE, LARGE)
        try:
            for _ in range(len(self._waiting)):
                if self.left <= 0:
                    break
                self._waiting.popleft().go_on()
        finally:
            if self._waiting or self.left < LARGE:
                self._wake()


class Pace:
    """When one connection may be sent the next page."""

    __slots__ = ("_entered", "_over", "_turns", "_waiting", "outbox", "page")

    def __init__(self, outbox: Outbox, turns: Turns) -> None:
        self._turns = turns
        self.outbox: Final = outbox
        # How many bytes are a page, and a large frame.
        self.page: Final = outbox.page
        # Who waits for a turn; None when nobody ever did (an idle connection owns no queue).
        self._waiting: deque[Pending] | None = None
        # A turn is on its way.
        self._entered = False
        # The connection is lost: nobody waits any more.
        self._over = False

    @property
    def free(self) -> bool:
        """Whether something may be written now."""
        return self._turns.left > 0 and self.outbox.relieved

    async def turn(self) -> bool:
        """Wait until a page may be written; False when the connection is lost."""
        while not self._over and not self.free:
            pending = Pending()
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(pending)
            if not self.outbox.congested:
                self._enter()
            await pending
        return not self._over

    def put(self, frame: bytes) -> int:
        """Write a frame of a page; returns its bytes."""
        self.outbox.put_any(frame)
        size = len(frame)
        self._turns.spend(size)
        return size

    def spend(self, size: int) -> None:
        """Count what was written otherwise: it is taken off everybody's next turns."""
        self._turns.spend(size)

    def relieved(self) -> None:
        """The peer has read. It is read from first: whatever it says must not wait for the end of all."""
        if self._waiting and not self._entered:
            self._entered = True
            self._turns.enter_later(self)

    def go_on(self) -> None:
        """It is this connection's turn."""
        self._entered = False
        waiting = self._waiting
        if not waiting:
            return
        if self._over or self.free:
            waiting.popleft().settle()
        if waiting and not self.outbox.congested:
            self._enter()

    def lost(self) -> None:
        """The connection is lost: whoever waits for a turn has none to come."""
        self._over = True
        waiting = self._waiting
        while waiting:
            waiting.popleft().settle()

    def _enter(self) -> None:
        if not self._entered:
            self._entered = True
            self._turns.enter(self)
