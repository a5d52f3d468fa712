"""When to look whether something is over: a heap of times, so that nothing ever visits what is alive.

It knows keys and times. It refuses to know what a key stands for: whoever is asked decides whether it is
over.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from typing import Any, Generic, TypeVar

__all__ = ["Ends"]

K = TypeVar("K", bound=Any)

_LOOKS = 2  # at what is due, for each that comes, so that what is over never piles up


class Ends(Generic[K]):
    """Times to look at keys. A key may have several; `look` tells those that count no more."""

    __slots__ = ("_heap", "_look")

    def __init__(self, look: Callable[[K, float, float], float | None]) -> None:
        """`look(key, at, now)`: the time `at` of this key has come; returns when to look again, None for
        never."""
        self._look = look
        self._heap: list[tuple[float, K]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, at: float, key: K, now: float) -> None:
        """Look at this key at this time; looks at two that are due."""
        heappush(self._heap, (at, key))
        if self._heap[0][0] <= now:
            self.expire(now, _LOOKS)

    def expire(self, now: float, limit: int) -> int:
        """Look at up to `limit` that are due; returns how many."""
        heap, looks = self._heap, 0
        while looks < limit and heap and heap[0][0] <= now:
            looks += 1
            at, key = heap[0]
            again = self._look(key, at, now)
            if again is None:
                heappop(heap)
            else:
                heapreplace(heap, (again, key))
        return looks
