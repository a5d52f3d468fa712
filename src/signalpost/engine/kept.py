"""The kept half of an engine in this process: its parts under one `load` and one `commit`.

It knows which part a step is for, and that a commit first checks all of its steps, then does them without
waiting in between, and waits then for what is to be stored. It refuses to know what its parts know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from signalpost.engine.claims import Claims
from signalpost.engine.deadlines import Deadlines
from signalpost.engine.names import MemoryNames
from signalpost.engine.ports import (
    Appended,
    Arm,
    Cancel,
    Clock,
    Delete,
    Due,
    Entry,
    Expect,
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
    Claim,
    Count,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Fields,
    HeadOf,
    Holds,
    Include,
    Marked,
    Names,
    Note,
    Noted,
    Release,
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

Waits = list[tuple[Pending, Any]]
"""What a commit has to wait for, each with the one whose `row` is LOST if that came to nothing (or None)."""


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
    claims: Claims


class EmbeddedKept:
    """The port `Kept`. `run` has a loop wake whoever listens."""

    def __init__(self, parts: Parts, *, clock: Clock) -> None:
        self.parts = parts
        self._clock = clock
        self._queues = parts.queues  # a short way for what happens once a message
        self._answers: dict[type, Callable[[Any], object]] = {
            Record: self._record,
            Fields: lambda ask: self._records(ask.durable).held(ask.key),
            Names: lambda ask: self._names_of(ask.key).of(ask.key),
            Count: lambda ask: len(self._names_of(ask.key).of(ask.key)),
            Holds: lambda ask: self._names_of(ask.key).of(ask.key).get(ask.name),
            Stretch: lambda ask: self._queues.stretch(ask.key, ask.after, ask.limit),
            HeadOf: lambda ask: self._queues.stand(ask.key),
            Marked: lambda ask: self._queues.count_marked(ask.key),
            Receipt: self._receipt,
            Attributes: lambda ask: parts.attributes.of(ask.topic),
            Charged: lambda ask: parts.attributes.charged(ask.key),
            Noted: lambda ask: parts.claims.noted(ask.key),
        }
        records, attributes, claims = self._records, parts.attributes, parts.claims
        # What a step is checked by, before anything is changed: it returns what the next needs.
        self._checks: dict[type, Callable[[Any, Sequence[Any]], Any]] = {
            Put: lambda step, _: records(step.durable).check(step),
            Delete: lambda step, _: records(step.durable).check(step),
            Expect: lambda step, _: records(step.durable).check(step),
            Include: lambda step, earlier: self._names(step.durable).check(step, earlier),
            Append: lambda step, earlier: self._queues.check(step, self._clock(), earlier),
            SetAttribute: attributes.find,
            DeleteAttribute: lambda step, _: attributes.find_old(step),
            DeleteAttributes: lambda step, _: attributes.find_all(step),
            Note: lambda step, _: claims.check(step),
        }
        # What does a step that needs neither a check nor a wait; its result.
        self._removals: dict[type, Callable[[Any], Any]] = {
            Trim: self._queues.trim_to,
            Remove: self._queues.take_out,
            RemoveMarked: self._queues.take_marked,
            Release: claims.release,
        }
        # What does a step whose check has found this; what comes of it, and what has to be waited for.
        self._deeds: dict[type, Callable[[Any, Any], tuple[Any, Pending | None]]] = {
            Put: lambda step, found: records(step.durable).place(step, found),
            Delete: lambda step, found: records(step.durable).end(step, found),
            Expect: lambda step, _: (None, None),
            Include: lambda step, _: self._names(step.durable).include(step),
            Exclude: lambda step, _: self._names(step.durable).exclude(step),
            SetAttribute: attributes.set,
            DeleteAttribute: attributes.delete,
            DeleteAttributes: attributes.delete_all,
            Arm: lambda step, _: (None, self._deadlines(step.durable).arm(step.key, step.at)),
            Cancel: lambda step, _: (None, self._deadlines(step.durable).cancel(step.key)),
            Note: lambda step, _: (None, None),  # it is remembered at the end
        }

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._queues.epoch

    async def load(self, *asks: Any) -> Any:
        """See `Kept.load`."""
        for ask in asks:
            if type(ask) is Receipt:
                receipt = self._queues.receipt(ask.key, ask.dedupe)
                if receipt is not None:
                    await settled(receipt)
        answers = self._answers
        return tuple([answers[type(ask)](ask) for ask in asks])

    async def commit(self, *steps: Any) -> Any:
        """See `Kept.commit`."""
        if len(steps) == 1:  # once a message: the short way
            first = steps[0]
            kind = type(first)
            if kind is Append:
                queues, now = self._queues, self._clock()
                appended, waiting, witness = queues.add(first, queues.check(first, now), now)
                if waiting is not None:
                    try:
                        await waiting
                    except Unavailable:
                        if witness.row == LOST:
                            raise
                return (appended,)
            if kind in self._removals:
                return (self._removals[kind](first),)
            if kind is Claim:
                return (await self.parts.claims.claim(first),)
        for step in steps:
            if type(step) is Append:
                held_back = self._queues.held_back(step)
                if held_back is not None:
                    await held_back
        found = self._check(steps)
        waits: Waits = []
        results = tuple([self._do(step, each, waits) for step, each in zip(steps, found, strict=True)])
        for pending, witness in waits:
            try:
                await pending
            except Unavailable:
                if witness is None or witness.row == LOST:
                    raise
        for step in steps:
            if type(step) is Note:
                self.parts.claims.note(step)
        return results

    def _check(self, steps: Sequence[Any]) -> list[Any]:
        """What the steps' checks have found. Raises Conflict, Full."""
        checks, found = self._checks, []
        for number, step in enumerate(steps):
            check = checks.get(type(step))
            found.append(None if check is None else check(step, steps[:number]))
        return found

    def _do(self, step: Any, found: Any, waits: Waits) -> Any:
        removal = self._removals.get(type(step))
        if removal is not None:
            return removal(step)
        witness = None
        if type(step) is Append:
            result, waiting, witness = self._queues.add(step, found, self._clock())
        else:
            result, waiting = self._deeds[type(step)](step, found)
        if waiting is not None:
            waits.append((waiting, witness))
        return result

    # --- which part ---------------------------------------------------------------------------------

    def _records(self, durable: bool) -> MemoryRecords:
        return self.parts.records if durable else self.parts.passing_records

    def _names(self, durable: bool) -> MemoryNames:
        return self.parts.names if durable else self.parts.passing_names

    def _names_of(self, key: str) -> MemoryNames:
        return self.parts.names if self.parts.names.of(key) else self.parts.passing_names

    def _deadlines(self, durable: bool) -> Deadlines:
        return self.parts.deadlines if durable else self.parts.passing_deadlines

    def _record(self, ask: Record) -> Entry | None:
        record = self._records(ask.durable).find(ask.key)
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
        gone = await parts.records.sweep() + await parts.queues.sweep() + await parts.claims.sweep()
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
