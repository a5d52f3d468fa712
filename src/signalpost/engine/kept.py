"""The kept half of an engine in this process: its parts under one `load` and one `commit`.

It knows which part a step is for, and that a commit first checks all of its steps, then does them without
waiting in between, and waits then for what is to be stored. It refuses to know what its parts know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from signalpost.engine.deadlines import Deadlines
from signalpost.engine.names import NOTHING, MemoryNames
from signalpost.engine.notes import Notes, Waits, carried_through
from signalpost.engine.ports import (
    Appended,
    Arm,
    Cancel,
    Clock,
    Delete,
    Due,
    Entry,
    Expect,
    Keys,
    Pending,
    Put,
    Receipt,
    Record,
    Unavailable,
)
from signalpost.engine.ports.kept import (
    Append,
    Attributes,
    Charged,
    Count,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Fields,
    HeadOf,
    Holds,
    Include,
    Marked,
    Marks,
    Names,
    Note,
    Noted,
    Remove,
    RemoveMarked,
    SetAttribute,
    Stretch,
    Trim,
)
from signalpost.engine.queues import MemoryQueues, settled
from signalpost.engine.receipts import LOST
from signalpost.engine.records import MemoryRecords
from signalpost.engine.topic_attributes import MemoryAttributes

__all__ = ["EmbeddedKept", "Parts"]


_SETTLED: Final = frozenset({Receipt, Noted})
"""What is answered when nothing of it is under way any more."""


class Parts(NamedTuple):
    """What the half is made of. `passing_…`: of what need not outlive the process; in memory the same."""

    records: MemoryRecords
    passing_records: MemoryRecords
    names: MemoryNames
    passing_names: MemoryNames
    queues: MemoryQueues
    attributes: MemoryAttributes
    deadlines: Deadlines
    passing_deadlines: Deadlines
    notes: Notes


_LOOKING_BACK: Final = frozenset({Include, SetAttribute})  # checked with those before them; others alone


class _Way(NamedTuple):
    """How a step is checked, before anything is changed; None if nothing can be wrong.

    And how it is done, given what the check has found: what comes of it, and what has to be waited for.
    """

    check: Callable[[Any, Sequence[Any]], Any] | None
    deed: Callable[[Any, Any], tuple[Any, Pending | None]]


def _ways(parts: Parts, *, durable: bool) -> dict[type, _Way]:
    """How all steps but appends are done that are as durable as that."""
    records = parts.records if durable else parts.passing_records
    names = parts.names if durable else parts.passing_names
    deadlines = parts.deadlines if durable else parts.passing_deadlines
    queues, attributes, notes = parts.queues, parts.attributes, parts.notes

    def trim(step: Trim, _: object) -> tuple[None, None]:
        queues.trim_to(step)
        return None, None

    return {
        Put: _Way(records.check, records.place),
        Delete: _Way(records.check, records.end),
        Expect: _Way(records.check, lambda step, _: (None, None)),
        Include: _Way(names.check, names.include),
        Exclude: _Way(None, names.exclude),
        Trim: _Way(None, trim),
        Remove: _Way(None, lambda step, _: (queues.take_out(step), None)),
        RemoveMarked: _Way(None, lambda step, _: (queues.take_marked(step), None)),
        SetAttribute: _Way(attributes.find, attributes.set),
        DeleteAttribute: _Way(lambda step, _: attributes.find_old(step), attributes.delete),
        DeleteAttributes: _Way(lambda step, _: attributes.find_all(step), attributes.delete_all),
        Arm: _Way(None, lambda step, _: (None, deadlines.arm(step.key, step.at))),
        Cancel: _Way(None, lambda step, _: (None, deadlines.cancel(step.key))),
        Note: _Way(notes.check, notes.note),
    }


class EmbeddedKept:
    """The port `Kept`. `run` has a loop wake whoever listens."""

    def __init__(self, parts: Parts, *, clock: Clock) -> None:
        self.parts = parts
        self._clock = clock
        self._queues = queues = parts.queues  # a short way for what happens once a message
        self._durable = _ways(parts, durable=True)
        self._passing = _ways(parts, durable=False)
        self._names_kept, self._names_passing = parts.names.known, parts.passing_names.known
        names, attributes = self._names, parts.attributes
        # What does a step alone that needs neither a check nor a wait; likewise.
        self._removals: dict[type, Callable[[Any], Any]] = {
            Trim: queues.trim_to,
            Remove: queues.take_out,
            RemoveMarked: queues.take_marked,
        }
        self._answers: dict[type, Callable[[Any], object]] = {
            Record: self._record,
            Fields: lambda ask: self._records(ask.durable).held(ask.key),
            Keys: parts.passing_records.keys,
            Names: self._named,
            Count: lambda ask: len(names(ask.key)),
            Holds: lambda ask: names(ask.key).get(ask.name),
            Stretch: queues.stretch,
            HeadOf: queues.stand,
            Marked: queues.count_marked,
            Marks: queues.marks_of,
            Receipt: self._receipt,
            Attributes: lambda ask: attributes.of(ask.topic),
            Charged: lambda ask: attributes.charged(ask.key),
            Noted: parts.notes.noted,
        }

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._queues.epoch

    async def load(self, *asks: Any) -> Any:
        """See `Kept.load`."""
        answers = self._answers
        if len(asks) == 1:  # the short way, several times a login
            (ask,) = asks
            kind = type(ask)
            if kind in _SETTLED:
                await self._settle(asks)
            return (answers[kind](ask),)
        if not _SETTLED.isdisjoint(map(type, asks)):
            await self._settle(asks)
        return tuple([answers[type(ask)](ask) for ask in asks])

    async def _settle(self, asks: Sequence[Any]) -> None:
        """Wait for what is asked for and still under way."""
        for ask in asks:
            if type(ask) is Noted:
                await self.parts.notes.settle(ask)
            elif type(ask) is Receipt:
                receipt = self._queues.receipt(ask.key, ask.dedupe)
                if receipt is not None:
                    await settled(receipt)

    async def commit(self, *steps: Any) -> Any:
        """See `Kept.commit`."""
        if len(steps) == 1:  # once a message: the short way
            first = steps[0]
            kind = type(first)
            if kind is Append:
                queues, now = self._queues, self._clock()
                appended, waiting, witness = queues.append(first, now)
                if waiting is not None:
                    try:
                        await waiting
                    except Unavailable:
                        if witness.row == LOST:
                            raise
                return (appended,)
            removal = self._removals.get(kind)
            if removal is not None:
                return (removal(first),)
        for step in steps:
            if type(step) is Append:
                held_back = self._queues.held_back(step)
                if held_back is not None:
                    await held_back
        waits: Waits = []
        results = self._do(steps, waits)
        if waits:
            noting = [step for step in steps if type(step) is Note]
            await (self.parts.notes.carry(noting, waits) if noting else carried_through(waits))
        return results

    def _do(self, steps: Sequence[Any], waits: Waits) -> tuple[Any, ...]:
        """Check all steps, then do them; their results. Raises Conflict, Full, with nothing done."""
        ways = self._durable
        for step in steps:
            if hasattr(step, "durable"):  # then it speaks for all
                ways = self._durable if step.durable else self._passing
                break
        queues, now = self._queues, self._clock()
        checked: list[tuple[Any, Any, Any]] = []  # how it is done (None: an append), the step, what was found
        appends: list[Append] = []  # those so far
        for step in steps:
            kind = type(step)
            if kind is Append:
                queues.check(step, now, appends)
                appends.append(step)
                checked.append((None, step, None))
                continue
            check, deed = ways[kind]
            if check is None:
                checked.append((deed, step, None))
            elif kind in _LOOKING_BACK:
                checked.append((deed, step, check(step, steps[: len(checked)])))
            else:
                checked.append((deed, step, check(step, ())))
        results = []
        for do, step, found in checked:
            if do is None:
                result, waiting, witness = queues.append(step, now)
                if waiting is not None:
                    waits.append((waiting, witness))
            else:
                result, waiting = do(step, found)
                if waiting is not None:
                    waits.append((waiting, None))
            results.append(result)
        return tuple(results)

    # --- which part ---------------------------------------------------------------------------------

    def _records(self, durable: bool) -> MemoryRecords:
        return self.parts.records if durable else self.parts.passing_records

    def _names(self, key: str) -> Mapping[str, str]:
        return self._names_kept(key) or self._names_passing(key) or NOTHING

    def _named(self, ask: Names) -> Mapping[str, str]:
        return self._names_kept(ask.key) or self._names_passing(ask.key) or NOTHING

    def _record(self, ask: Record) -> Entry | None:
        record = (self.parts.records if ask.durable else self.parts.passing_records).find(ask.key)
        return None if record is None else Entry(record.value, record.rev)

    def _receipt(self, ask: Receipt) -> Appended | None:
        receipt = self._queues.receipt(ask.key, ask.dedupe)
        return None if receipt is None else Appended(receipt.seq, receipt.note, True)

    # --- timers -------------------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """See `Kept.listen`."""
        self.parts.passing_deadlines.alarm(wake)
        self.parts.deadlines.alarm(wake)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Kept.due`."""
        parts = self.parts
        found = parts.passing_deadlines.due(limit, lease)
        if len(found) < limit:
            found += parts.deadlines.due(limit - len(found), lease)
        return found

    async def done(self, *due: Due) -> None:
        """See `Kept.done`."""
        waiting: Pending | None = None
        for each in due:
            self.parts.passing_deadlines.done(each)
            waiting = self.parts.deadlines.done(each) or waiting
        if waiting is not None:
            await waiting

    async def sweep(self) -> int:
        """Let go of some of what is over its time; returns how much went."""
        parts = self.parts
        gone = await parts.records.sweep() + await parts.queues.sweep() + await parts.notes.sweep()
        if parts.passing_records is not parts.records:
            gone += await parts.passing_records.sweep()
        return gone

    def next_at(self) -> float | None:
        """When to look again what is due, or None."""
        times = [self.parts.passing_deadlines.next_at(), self.parts.deadlines.next_at()]
        return min([each for each in times if each is not None], default=None)

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop` wake whoever listens when something is due, until `stop`."""
        self.parts.passing_deadlines.run(loop)
        self.parts.deadlines.run(loop)

    def stop(self) -> None:
        """Wake nobody any more; what is armed stays."""
        self.parts.passing_deadlines.stop()
        self.parts.deadlines.stop()
