"""Timers in process memory that are given out until they are done: a heap of deadlines, one a key.

It knows keys, times and leases. It refuses to know what a key stands for, and who is woken by a deadline.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from signalpost.engine.ports import Arm, Cancel, Due, Pending

__all__ = ["MemoryDeadlines"]

_SLACK = 64  # stale heap entries that are not worth a rebuild


class _Turn(NamedTuple):
    """When a timer is given out: at its time, or when the lease of who has got it is over."""

    when: float
    number: int  # so that nothing else is ever compared
    key: str
    at: float


class MemoryDeadlines:
    """One deadline a key."""

    def __init__(self) -> None:
        self._heap: list[_Turn] = []  # stale ones among them
        self._armed: dict[str, _Turn] = {}  # the one valid turn of each key
        self._number = 0  # highest number given

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, step: Arm) -> Pending | None:
        """See `Arm`; returns what is to be waited for."""
        self._turn(step.at, step.key, step.at)
        return None

    def cancel(self, step: Cancel) -> Pending | None:
        """See `Cancel`; returns what is to be waited for."""
        self._armed.pop(step.key, None)
        return None

    def next_at(self) -> float | None:
        """When to look again what is due, or None."""
        heap, armed = self._heap, self._armed
        while heap:
            if armed.get(heap[0].key) is heap[0]:
                return heap[0].when
            heappop(heap)
        return None

    def due(self, now: float, *, limit: int, lease: float) -> list[Due]:
        """See `Kept.due`."""
        found: list[Due] = []
        heap, armed = self._heap, self._armed
        while len(found) < limit and heap and heap[0].when <= now:
            turn = heappop(heap)
            if armed.get(turn.key) is turn:
                found.append(Due(turn.key, turn.at))
                self._turn(now + lease, turn.key, turn.at)
        return found

    def done(self, due: Due) -> Pending | None:
        """See `Kept.done`; returns what is to be waited for."""
        turn = self._armed.get(due.key)
        if turn is not None and turn.at == due.at:
            del self._armed[due.key]
        return None

    def _turn(self, when: float, key: str, at: float) -> None:
        self._number += 1
        turn = self._armed[key] = _Turn(when, self._number, key, at)
        heappush(self._heap, turn)
        if len(self._heap) > 2 * len(self._armed) + _SLACK:
            self._heap = [each for each in self._heap if self._armed.get(each.key) is each]
            heapify(self._heap)
