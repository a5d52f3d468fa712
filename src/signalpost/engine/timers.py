"""Timers in process memory: a heap of deadlines, one a key.

It knows keys and times. It refuses to know what a key stands for; whoever is called decides that.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from signalpost.engine.ports import Clock

__all__ = ["HeapTimers"]

_LONGEST_SLEEP = 30.0  # seconds; a Unix clock may be set forward while the loop's sleeps
_SLACK = 64  # stale heap entries that are not worth a rebuild


def _nobody(key: str) -> None:
    """Stand in for the handler until there is one."""


class HeapTimers:
    """The port `Timers`. `due` fires; `run` has a loop call it in time."""

    __slots__ = ("_armed", "_clock", "_count", "_handler", "_heap", "_loop", "_wake")

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._handler: Callable[[str], None] = _nobody
        self._heap: list[tuple[float, int, str]] = []  # (deadline, number, key), stale entries among them
        self._armed: dict[str, int] = {}  # key -> number of its one valid heap entry
        self._count = 0  # highest number given
        self._loop: asyncio.AbstractEventLoop | None = None  # set while `run` is in force
        self._wake: asyncio.TimerHandle | None = None  # the loop's call of `_tick`, if one is due

    def listen(self, handler: Callable[[str], None]) -> None:
        """See `Timers.listen`. The handler must not raise."""
        self._handler = handler

    async def arm(self, key: str, at: float) -> None:
        """See `Timers.arm`."""
        self._count += 1
        self._armed[key] = self._count
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._armed) + _SLACK:
            self._compact()
        if self._heap[0][1] == self._count:
            self._schedule()

    async def cancel(self, key: str) -> None:
        """See `Timers.cancel`."""
        self._armed.pop(key, None)

    def __len__(self) -> int:
        return len(self._armed)

    def next_at(self) -> float | None:
        """The earliest deadline, or None."""
        while self._heap:
            at, number, key = self._heap[0]
            if self._armed.get(key) == number:
                return at
            heapq.heappop(self._heap)
        return None

    def due(self) -> None:
        """Fire all whose time has come. What a handler arms now waits for the next call."""
        now = self._clock()
        newest = self._count
        later: list[tuple[float, int, str]] = []
        try:
            while self._heap and self._heap[0][0] <= now:
                entry = heapq.heappop(self._heap)
                _, number, key = entry
                if self._armed.get(key) != number:
                    continue
                if number > newest:
                    later.append(entry)
                    continue
                del self._armed[key]
                self._handler(key)
        finally:
            for entry in later:
                heapq.heappush(self._heap, entry)

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop` fire what is due, until `stop`."""
        self._loop = loop
        self._schedule()

    def stop(self) -> None:
        """Fire no more; what is armed stays."""
        self._loop = None
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _schedule(self) -> None:
        if self._loop is None:
            return
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        at = self.next_at()
        if at is None:
            return
        delay = min(max(at - self._clock(), 0.0), _LONGEST_SLEEP)
        self._wake = self._loop.call_at(self._loop.time() + delay, self._tick)

    def _tick(self) -> None:
        self._wake = None
        try:
            self.due()
        finally:
            self._schedule()

    def _compact(self) -> None:
        self._heap = [entry for entry in self._heap if self._armed.get(entry[2]) == entry[1]]
        heapq.heapify(self._heap)
