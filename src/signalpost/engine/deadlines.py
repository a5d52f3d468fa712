"""Deadlines in process memory: a heap of times, one a key, which are given out on a lease.

It knows keys and times. It refuses to know what a key stands for; whoever is given one decides that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush

from signalpost.engine.ports import Clock, Pending
from signalpost.engine.ports.steps import Due

__all__ = ["Deadlines"]

_LONGEST_SLEEP = 30.0  # seconds; a Unix clock may be set forward while the loop's sleeps
_PAUSE = 0.001  # seconds between two alarms of what was not taken
_SLACK = 64  # stale heap entries that are not worth a rebuild


def _nobody() -> None:
    """Stand in for the handler until there is one."""


class Deadlines:
    """One deadline a key. `run` has a loop tell in time that something may be due."""

    __slots__ = ("_alarm", "_armed", "_clock", "_heap", "_loop", "_turn", "_wake")

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._alarm: Callable[[], None] = _nobody
        # (when to give it out, turn, key), stale entries among them
        self._heap: list[tuple[float, int, str]] = []
        # key -> its deadline, the turn it was armed in, the turn of its one valid heap entry
        self._armed: dict[str, tuple[float, int, int]] = {}
        self._turn = 0  # highest number given
        self._loop: asyncio.AbstractEventLoop | None = None  # set while `run` is in force
        self._wake: asyncio.TimerHandle | None = None  # the loop's call of `_tick`, if one is due

    def __len__(self) -> int:
        return len(self._armed)

    def keys(self) -> list[str]:
        """The keys that have a deadline."""
        return list(self._armed)

    def alarm(self, handler: Callable[[], None]) -> None:
        """Whom to call when there may be something due."""
        self._alarm = handler

    def arm(self, key: str, at: float) -> Pending | None:
        """The key's deadline; replaces its earlier one. Here and below: what is to be waited for."""
        self._turn = turn = self._turn + 1
        self._armed[key] = at, turn, turn
        self._push(at, turn, key)
        return None

    def cancel(self, key: str) -> Pending | None:
        """Forget the key's deadline, if it has one."""
        self._armed.pop(key, None)
        return None

    def due(self, limit: int, lease: float) -> list[Due]:
        """Up to `limit` whose time has come, the earliest first; not given out again for `lease` seconds."""
        now = self._clock()
        found: list[Due] = []
        while len(found) < limit and self._heap and self._heap[0][0] <= now:
            _, entry, key = heappop(self._heap)
            armed = self._armed.get(key)
            if armed is None or armed[2] != entry:
                continue
            at, turn, _ = armed
            found.append(Due(key, at, turn))
        for due in found:
            self._turn = entry = self._turn + 1
            self._armed[due.key] = due.at, due.turn, entry
            self._push(now + lease, entry, due.key)
        return found

    def done(self, due: Due) -> Pending | None:
        """Forget this one, unless it was armed anew meanwhile."""
        armed = self._armed.get(due.key)
        if armed is not None and armed[1] == due.turn:
            del self._armed[due.key]
        return None

    def next_at(self) -> float | None:
        """When the next is to be given out, or None."""
        while self._heap:
            at, entry, key = self._heap[0]
            armed = self._armed.get(key)
            if armed is not None and armed[2] == entry:
                return at
            heappop(self._heap)
        return None

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop` tell when something is due, until `stop`."""
        self._loop = loop
        self._schedule()

    def stop(self) -> None:
        """Tell no more; what is armed stays."""
        self._loop = None
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _push(self, at: float, entry: int, key: str) -> None:
        heappush(self._heap, (at, entry, key))
        if len(self._heap) > 2 * len(self._armed) + _SLACK:
            self._compact()
        if self._heap[0][1] == entry:
            self._schedule()

    def _schedule(self, least: float = 0.0) -> None:
        if self._loop is None:
            return
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        at = self.next_at()
        if at is None:
            return
        delay = min(max(at - self._clock(), least), _LONGEST_SLEEP)
        self._wake = self._loop.call_at(self._loop.time() + delay, self._tick)

    def _tick(self) -> None:
        self._wake = None
        try:
            at = self.next_at()
            if at is not None and at <= self._clock():
                self._alarm()
        finally:
            if self._wake is None:
                self._schedule(_PAUSE)  # what is not taken yet may be under way

    def _compact(self) -> None:
        armed = self._armed
        self._heap = [entry for entry in self._heap if entry[2] in armed and armed[entry[2]][2] == entry[1]]
        heapify(self._heap)
