"""How often something may happen: at most N in any one second (SPEC M8, M10).

A sliding log, exact at N and N + 1 for every second that one may look at. Time is an argument.
"""

from __future__ import annotations

from collections import deque

__all__ = ["SlidingWindow"]


class SlidingWindow:
    """The instants of the last second, oldest first; empty when nothing happened in it."""

    __slots__ = ("_instants",)

    def __init__(self) -> None:
        self._instants: deque[float] = deque()

    def take(self, now: float, limit: int) -> bool:
        """Count one happening at `now`, unless `limit` lie within the second before: then it counts not."""
        instants = self._instants
        horizon = now - 1.0
        while instants and instants[0] <= horizon:
            instants.popleft()
        if len(instants) >= limit:
            return False
        instants.append(now)
        return True

    def give_back(self, at: float) -> None:
        """Uncount the happening that was counted at `at`: it came to nothing."""
        if at in self._instants:
            self._instants.remove(at)

    def idle(self, now: float) -> bool:
        """Whether nothing counts any more, so that the window may be forgotten."""
        return not self._instants or self._instants[-1] <= now - 1.0
