"""Buckets in process memory: what was spent of them, as the time at which all of it has come back.

It knows keys, rates and times. It refuses to know what is counted.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from signalpost.engine.ports import RateExceeded
from signalpost.engine.ports.shared import Spend

__all__ = ["Buckets"]

_ROUNDING: Final = 1e-9  # seconds
_FEW: Final = 1024  # buckets that may be kept though they are full again: to look for those costs more
_STRIDE: Final = 64  # beyond, as many may come before twice as many are looked at


class Buckets:
    """All buckets of which something is spent.

    When there are more than a few, some that are due are looked at now and then as others come: so what is
    kept is what is not full again, and little besides. It is no `Ends`, as this happens once a login.
    """

    __slots__ = ("_full_at", "_looks", "_most")

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}  # by key: when nothing is spent any more
        self._looks: list[tuple[float, str]] = []  # a heap: when to look at each
        self._most = _FEW  # with so many, some are looked at before another one comes

    def __len__(self) -> int:
        """How many things are held: those that are over included."""
        return len(self._full_at) + len(self._looks)

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
        key, full_at = step.key, self._full_at
        before = full_at.get(key)
        if before is not None:
            full_at[key] = max(now, before) + 1.0 / step.rate
            return
        full_at[key] = at = now + 1.0 / step.rate
        heappush(self._looks, (at, key))
        if len(full_at) >= self._most:
            self.sweep(now, 2 * _STRIDE)
            self._most = max(_FEW, len(full_at) + _STRIDE)

    def sweep(self, now: float, limit: int) -> int:
        """Forget buckets that are full, with so many looks; returns how many it took."""
        full_at, due, looks = self._full_at, self._looks, 0
        while looks < limit and due and due[0][0] <= now:
            looks += 1
            _, key = heappop(due)
            at = full_at[key]
            if at <= now:
                del full_at[key]
            else:
                heappush(due, (at, key))
        return looks
