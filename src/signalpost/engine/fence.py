"""Whether this node may act: others take over from one that was not heard of for some time.

It knows when this node was heard of last, and stands before both halves of its engine. It refuses to know who
the others are, and what they take over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from signalpost.engine.ports import Clock, Due, Unavailable
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Listener, Nodes, Shared
from signalpost.engine.ports.steps import Half

__all__ = ["SILENT", "Fence", "FencedKept", "FencedShared"]

SILENT: Final = 8.0
"""Seconds after its last confirmed beat for which a node acts (SPEC N6)."""


class Fence:
    """Shut when this node was not heard of for so long, and then until it knows what it has missed (N4)."""

    __slots__ = ("_beaten", "_clock", "_ignorant", "_seconds")

    def __init__(self, clock: Clock, *, seconds: float = SILENT) -> None:
        self._clock = clock
        self._seconds = seconds
        self._beaten = clock()  # when the last beat was sent that was confirmed
        self._ignorant = True  # others may have acted in its place, of which it does not know yet

    def beaten(self, sent: float) -> None:
        """A beat of this node that was sent then is confirmed."""
        self._ignorant = self._ignorant or self._is_late()
        self._beaten = max(self._beaten, sent)

    @property
    def ignorant(self) -> bool:
        """Whether it has to learn first what others have done."""
        return self._ignorant or self._is_late()

    def learnt(self) -> None:
        """It knows."""
        self._ignorant = self._is_late()

    def check(self) -> None:
        """Raises Unavailable if this node must not act."""
        if self._ignorant or self._is_late():
            raise Unavailable("this node was cut off from the others, and does not know yet what they did")

    def _is_late(self) -> bool:
        return self._clock() - self._beaten >= self._seconds


class _Fenced:
    """What both halves have in common."""

    def __init__(self, half: Half, fence: Fence) -> None:
        self._load = half.load
        self._commit = half.commit
        self._due = half.due
        self._done = half.done
        self._fence = fence

    async def load(self, *asks: Any) -> Any:
        """See `Half.load`."""
        self._fence.check()
        return await self._load(*asks)

    async def commit(self, *steps: Any) -> Any:
        """See `Half.commit`."""
        self._fence.check()
        return await self._commit(*steps)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Half.due`."""
        self._fence.check()
        return await self._due(limit=limit, lease=lease)

    async def done(self, *due: Due) -> None:
        """See `Half.done`."""
        self._fence.check()
        await self._done(*due)


class FencedKept(_Fenced):
    """The kept half of a node, which it uses while it may act."""

    def __init__(self, kept: Kept, fence: Fence) -> None:
        super().__init__(kept, fence)
        self._kept = kept

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._kept.epoch

    def listen(self, wake: Callable[[], None]) -> None:
        """See `Kept.listen`."""
        self._kept.listen(wake)


class FencedShared(_Fenced):
    """The shared half, likewise. What it is told it hears at any time, and it may always tell others."""

    def __init__(self, shared: Shared, fence: Fence) -> None:
        super().__init__(shared, fence)
        self._shared = shared
        self.nodes: Nodes = shared.nodes

    async def follow(self, topic: str) -> None:
        """See `Shared.follow`."""
        await self._shared.follow(topic)

    async def unfollow(self, topic: str) -> None:
        """See `Shared.unfollow`."""
        await self._shared.unfollow(topic)

    def listen(self, listener: Listener) -> None:
        """See `Shared.listen`."""
        self._shared.listen(listener)

    def alarm(self, handler: Callable[[], None]) -> None:
        """See `Shared.alarm`."""
        self._shared.alarm(handler)

    async def sweep(self) -> int:
        """See `Shared.sweep`."""
        return await self._shared.sweep()
