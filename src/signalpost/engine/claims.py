"""Requests that are claimed while they are under way, and what was noted of those that are over.

It knows keys, who holds them and for how long. It refuses to know what a note says.
"""

from __future__ import annotations

from typing import NamedTuple

from signalpost.engine.ends import Ends
from signalpost.engine.ports import Clock, Conflict, Pending
from signalpost.engine.ports.kept import Claim, Note, Release

__all__ = ["Claims"]

_SWEEP = 4096  # notes that one sweep looks at


class _Held:
    """Who holds a claim."""

    __slots__ = ("by", "over", "until")

    def __init__(self, by: str, until: float) -> None:
        self.by = by
        self.until = until
        self.over: Pending | None = None  # settled when it is noted or released; made for who waits for that


class _Noted(NamedTuple):
    value: bytes
    until: float


class Claims:
    """Claims and notes, one a key."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._noted: dict[str, _Noted] = {}
        self._ends: Ends[str] = Ends(self._look)  # of the notes

    def noted(self, key: str) -> bytes | None:
        """See `Noted`."""
        noted = self._noted.get(key)
        return None if noted is None or noted.until <= self._clock() else noted.value

    async def claim(self, step: Claim) -> bytes | None:
        """See `Claim`."""
        while True:
            value = self.noted(step.key)
            if value is not None:
                return value
            held, now = self._held.get(step.key), self._clock()
            if held is None or held.until <= now:
                self._held[step.key] = _Held(step.by, now + step.ttl)
                if held is not None and held.over is not None:
                    held.over.settle()
                return None
            if held.over is None:
                held.over = Pending()
            await held.over

    def check(self, step: Note) -> None:
        """Raise Conflict if the claim is not (any more) whose note this is."""
        held = self._held.get(step.key)
        if held is None or held.by != step.by:
            raise Conflict(step)

    def note(self, step: Note) -> None:
        """See `Note`."""
        now = self._clock()
        until = now + step.ttl
        self._noted[step.key] = _Noted(step.value, until)
        self._ends.add(until, step.key, now)
        self._end(step.key, step.by)

    def release(self, step: Release) -> None:
        """See `Release`."""
        self._end(step.key, step.by)

    async def sweep(self) -> int:
        """Let go of some notes whose time is over; returns how many it looked at: 0 if there are no more."""
        return self._ends.expire(self._clock(), _SWEEP)

    def _end(self, key: str, by: str) -> None:
        held = self._held.get(key)
        if held is not None and held.by == by:
            del self._held[key]
            if held.over is not None:
                held.over.settle()

    def _look(self, key: str, at: float, now: float) -> None:
        noted = self._noted.get(key)
        if noted is not None and noted.until <= now:  # else there is a later one
            del self._noted[key]
