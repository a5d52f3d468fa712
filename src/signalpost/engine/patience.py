"""How long an engine that is elsewhere is waited for: then it counts as unavailable.

One timer for all that is asked, whatever is asked how often.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from signalpost.engine.ports import Reply, Uncertain

__all__ = ["PATIENCE", "Patience"]

PATIENCE = 2.0  # seconds for which an answer is waited for


class Patience:
    """The answers that are waited for, none for longer than so many seconds."""

    __slots__ = ("_later", "_now", "_seconds", "_waiting", "_woken")

    def __init__(
        self,
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
        *,
        seconds: float = PATIENCE,
    ) -> None:
        """`now`: a clock that never steps; `later`: calls back after so many seconds."""
        self._now = now
        self._later = later
        self._seconds = seconds
        self._waiting: dict[Reply[Any], float] = {}  # until when each is waited for, the oldest first
        self._woken = False  # the timer runs

    def __len__(self) -> int:
        """How many are waited for."""
        return len(self._waiting)

    def wait(self) -> Reply[Any]:
        """What an answer is waited for with: it fails as Uncertain, as what was asked may have been done.

        Who answers it looks first whether it is `settled`.
        """
        reply: Reply[Any] = Reply()
        self._waiting[reply] = self._now() + self._seconds
        reply.when_settled(partial(self._waiting.pop, reply))
        if not self._woken:
            self._woken = True
            self._later(self._seconds, self._look)
        return reply

    def _look(self) -> None:
        self._woken = False
        now = self._now()
        over = []
        for reply, until in self._waiting.items():
            if until > now:
                self._woken = True
                self._later(until - now, self._look)
                break
            over.append(reply)
        for reply in over:
            if not reply.settled:  # another that has failed may have led to its answer
                reply.settle(Uncertain(f"the engine has not answered within {self._seconds:g} s"))
