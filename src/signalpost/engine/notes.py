"""What was noted, for a time: names under keys, each with what came of it.

It knows keys, names and ends, and that a note whose commit is under way is not in force yet. It refuses to
know what a note says.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from signalpost.engine.ends import Ends
from signalpost.engine.ports import Clock, Conflict, Pending, Unavailable
from signalpost.engine.ports.kept import Note, Noted
from signalpost.engine.receipts import LOST

__all__ = ["Notes", "Waits", "carried_through"]

_SWEEP = 4096  # keys that one sweep looks at
_OVER = 2  # notes that are forgotten for each that comes, so that what is over never piles up

Waits = list[tuple[Pending, Any]]
"""What a commit has to wait for, each with the one whose `row` is LOST if that came to nothing (or None)."""


async def carried_through(waits: Waits) -> None:
    """Wait for what a commit has to wait for. Raises Unavailable if it came to nothing."""
    for pending, witness in waits:
        try:
            await pending
        except Unavailable:
            if witness is None or witness.row == LOST:
                raise


class _One:
    """One note."""

    __slots__ = ("until", "value", "waits")

    def __init__(self, value: bytes, until: float) -> None:
        self.value = value
        self.until = until
        self.waits: Waits | None = None  # what its commit waits for; None once that is over


class Notes:
    """Notes by key and name; those of a key leave in the order in which they came."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[str, dict[str, _One]] = {}
        self._ends: Ends[str] = Ends(self._look)  # of each key: when its oldest note may be over

    def __len__(self) -> int:
        return sum(map(len, self._noted.values()))

    def noted(self, ask: Noted) -> bytes | None:
        """See `Noted`, but for what is under way."""
        one = self._find(ask.key, ask.name)
        return None if one is None or one.waits is not None else one.value

    async def settle(self, ask: Noted) -> None:
        """Wait for the commit under way that notes this."""
        while (one := self._find(ask.key, ask.name)) is not None and one.waits is not None:
            try:
                await carried_through(one.waits)
            except Unavailable:
                self._drop(ask.key, ask.name, one)
            else:
                one.waits = None

    def check(self, step: Note, _: object = ()) -> None:
        """Raise Conflict if it is noted, or about to be."""
        if self._find(step.key, step.name) is not None:
            raise Conflict(step)

    def note(self, step: Note, _: object = None) -> tuple[None, None]:
        """See `Note`; as if its commit had nothing to wait for."""
        now = self._clock()
        until = now + step.ttl
        names = self._noted.get(step.key)
        if names is None:
            names = self._noted[step.key] = {}
            self._ends.add(until, step.key, now)
        else:
            names.pop(step.name, None)  # it is over, and comes anew
            self._expire(names, now, _OVER)
            if len(names) >= step.most > 0:
                del names[next(iter(names))]
        names[step.name] = _One(step.value, until)
        return None, None

    async def carry(self, steps: list[Note], waits: Waits) -> None:
        """Wait for what the commit of these has to wait for. Raises Unavailable if it came to nothing, and so
        have they."""
        ones = [(step, self._noted[step.key][step.name]) for step in steps]
        for _, one in ones:
            one.waits = waits
        try:
            await carried_through(waits)
        finally:
            for step, _ in ones:
                await self.settle(Noted(step.key, step.name))

    async def sweep(self) -> int:
        """Let go of some notes whose time is over; returns how many keys it looked at: 0 if there are no
        more."""
        return self._ends.expire(self._clock(), _SWEEP)

    def _find(self, key: str, name: str) -> _One | None:
        names = self._noted.get(key)
        one = None if names is None else names.get(name)
        return None if one is None or one.until <= self._clock() else one

    def _drop(self, key: str, name: str, one: _One) -> None:
        names = self._noted.get(key)
        if names is not None and names.get(name) is one:
            del names[name]

    def _look(self, key: str, at: float, now: float) -> float | None:
        names = self._noted[key]
        self._expire(names, now, len(names))
        for one in names.values():
            return one.until
        del self._noted[key]
        return None

    @staticmethod
    def _expire(names: dict[str, _One], now: float, limit: int) -> None:
        over = []
        for name, one in islice(names.items(), limit):
            if one.until > now:
                break
            over.append(name)
        for name in over:
            del names[name]
