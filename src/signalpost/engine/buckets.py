"""Buckets in process memory: what was spent of them, as the time at which all of it has come back.

It knows keys, rates and times. It refuses to know what is counted.
"""

from __future__ import annotations

from signalpost.engine.ends import Ends
from signalpost.engine.ports import RateExceeded
from signalpost.engine.ports.shared import Spend

__all__ = ["Buckets"]

_ROUNDING = 1e-9  # seconds


class Buckets:
    """All buckets of which something is spent."""

    __slots__ = ("_ends", "_full_at")

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}  # by key: when nothing is spent any more
        self._ends: Ends[str] = Ends(self._look)

    def __len__(self) -> int:
        """How many things are held: those that are over included."""
        return len(self._full_at) + len(self._ends)

    def check(self, step: Spend, now: float) -> None:
        """Raises RateExceeded if there is not enough in the bucket."""
        full_at = self._full_at.get(step.key)
        if full_at is None and step.burst:  # as nearly always
            return
        wait = (full_at or now) - now - (step.burst - 1) / step.rate
        if wait > _ROUNDING:
            raise RateExceeded(step.key, limit=step.burst, wait=wait)

    def spend(self, step: Spend, now: float) -> None:
        """See `Spend`."""
        before = self._full_at.get(step.key)
        if before is None:
            at = self._full_at[step.key] = now + 1.0 / step.rate
            self._ends.add(at, step.key, now)
        else:
            self._full_at[step.key] = max(now, before) + 1.0 / step.rate

    def sweep(self, now: float, limit: int) -> int:
        """Forget buckets that are full, with so many looks; returns how many it took."""
        return self._ends.expire(now, limit)

    def _look(self, key: str, at: float, now: float) -> float | None:
        full_at = self._full_at.get(key)
        if full_at is None or full_at > now:
            return full_at
        del self._full_at[key]
        return None
