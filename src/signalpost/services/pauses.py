"""Long work in small pieces, so that everybody else has his turn in between (SPEC E5).

What one client has made long, its thousand calls, is worked off a little in each turn of the loop, whoever
waits for it. Little work never waits: all pieces of a turn share one budget.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from signalpost.engine.ports import Pending

__all__ = ["Pauses"]

_PIECE = 0.001  # seconds of each turn of the loop that long work may take, all of it together


class Pauses:
    """The pauses that long work takes, so that each turn of the loop has a little of it."""

    __slots__ = ("_now", "_since", "_soon", "_waiting")

    def __init__(self, now: Callable[[], float], soon: Callable[[Callable[[], None]], object]) -> None:
        """`now`: seconds that go on within a turn; `soon`: calls back in the loop's next turn."""
        self._now = now
        self._soon = soon
        self._since: float | None = None  # when this turn's work began; None before there is any
        self._waiting: deque[Pending] = deque()  # work that goes on in a later turn, one a use case

    async def take(self) -> None:
        """Go on at once, or in a later turn if the work of this one has taken its time.

        Called between two pieces, where others may act.
        """
        if self._since is None:
            self._since = self._now()
            self._soon(self._begin)
        elif self._waiting or self._now() - self._since >= _PIECE:
            pending = Pending()
            self._waiting.append(pending)
            await pending

    def _begin(self) -> None:
        """Another turn: go on with what waits, in the order in which it came."""
        if not self._waiting:
            self._since = None
            return
        since = self._since = self._now()
        self._soon(self._begin)
        while self._waiting:
            self._waiting.popleft().settle()
            if self._now() - since >= _PIECE:
                return
