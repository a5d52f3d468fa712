"""The kept half as nobody would build it: a list of all that was ever done, gone through for each answer.

Nothing is stored but steps with their times; nothing is found but by doing all of them again, one after the
other, in a world of plain dicts and lists. Each call takes a turn of the loop before it does anything. It
promises what the suite asks for, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import singledispatchmethod
from math import inf
from typing import Any, NamedTuple

from signalpost.engine.ports import (
    Appended,
    Arm,
    Cancel,
    Clock,
    Conflict,
    Delete,
    Due,
    Entry,
    Expect,
    Full,
    Head,
    Item,
    Keys,
    Listed,
    Pending,
    Put,
    Receipt,
    Record,
    Step,
)
from signalpost.engine.ports.kept import (
    Append,
    Attribute,
    Attributes,
    Charged,
    Count,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Fields,
    HeadOf,
    Held,
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
    Stand,
    Stretch,
    Trim,
)

__all__ = ["ToyKept"]


class _Seen(Step[None], frozen=True, gc=False):
    """Somebody has asked where a queue stands: its next item follows that."""

    key: str


class _Lease(Step[None], frozen=True, gc=False):
    due: Due
    until: float


class _Done(Step[None], frozen=True, gc=False):
    due: Due


class _Record(NamedTuple):
    value: bytes
    rev: int
    expires: float
    fields: dict[str, bytes]


class _Item(NamedTuple):
    seq: int
    expires: float
    step: Append


class _World:
    """What is the case after some steps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.number = 0  # how many steps were done: revisions, turns
        self.records: dict[str, _Record] = {}
        self.sets: dict[str, dict[str, str]] = {}
        self.last: dict[str, int] = {}  # of each queue
        self.items: dict[str, list[_Item]] = {}
        self.receipts: dict[tuple[str, str], tuple[Appended, float]] = {}
        self.attributes: dict[str, dict[str, tuple[Attribute, SetAttribute]]] = {}
        self.notes: dict[tuple[str, str], tuple[bytes | None, float]] = {}
        self.timers: dict[str, tuple[Due, float]] = {}  # with when it is given out

    def pass_time(self, now: float) -> None:
        """Drop what is over its time."""
        if now == self.now:
            return
        self.now = now
        self.records = {key: each for key, each in self.records.items() if each.expires > now}
        self.items = {
            key: [item for item in items if item.expires > now] for key, items in self.items.items()
        }
        self.receipts = {key: each for key, each in self.receipts.items() if each[1] > now}
        self.notes = {key: each for key, each in self.notes.items() if each[1] > now}

    def stand(self, key: str) -> int:
        """The queue's last number; it begins when it is first asked for."""
        return self.last.setdefault(key, int(self.now * 1000) * 1000)

    def charged(self, key: str) -> Held:
        """What is charged to a key by attributes."""
        sizes = [
            step.size
            for attributes in self.attributes.values()
            for _, step in attributes.values()
            if any(charge.key == key for charge in step.charges)
        ]
        return Held(len(sizes), sum(sizes))

    # --- steps ------------------------------------------------------------------------------------

    @singledispatchmethod
    def do(self, step: Any) -> Any:
        """Do a step; its result. What raises may have changed something."""
        raise NotImplementedError(step)

    def _expect(self, step: Any, rev: int | None) -> None:
        found = self.records.get(step.key)
        if rev is not None and rev != (0 if found is None else found.rev):
            raise Conflict(step)

    @do.register
    def _(self, step: Put) -> int:
        self._expect(step, step.expect)
        found = self.records.get(step.key)
        fields = {**({} if found is None else found.fields), **step.fields}
        expires = inf if step.ttl is None else self.now + step.ttl
        self.records[step.key] = _Record(step.value, self.number, expires, fields)
        return self.number

    @do.register
    def _(self, step: Delete) -> bool:
        self._expect(step, step.expect)
        return self.records.pop(step.key, None) is not None

    @do.register
    def _(self, step: Expect) -> None:
        self._expect(step, step.rev)

    @do.register
    def _(self, step: Include) -> bool:
        names = self.sets.setdefault(step.key, {})
        new = step.name not in names
        if new and step.most and len(names) >= step.most:
            raise Full(step.key, step=step)
        names[step.name] = step.value
        return new

    @do.register
    def _(self, step: Exclude) -> bool:
        names = self.sets.get(step.key, {})
        if names.get(step.name) != step.value:
            return False
        del names[step.name]
        return True

    @do.register
    def _(self, step: Append) -> Appended:
        if step.dedupe and (step.key, step.dedupe) in self.receipts:
            done = self.receipts[step.key, step.dedupe][0]
            return Appended(done.seq, done.note, True)
        here = [item.step for item in self.items.get(step.key, [])]
        self._find_room(step, here, step.bounds.max_items, step.bounds.max_size, Full(step.key, step=step))
        if step.source:
            same = [each for each in here if each.source == step.source]
            full = Full(step.key, part=step.source, step=step)
            self._find_room(step, same, step.bounds.part_items or inf, step.bounds.part_size or inf, full)
            everywhere = [
                item.step
                for items in self.items.values()
                for item in items
                if item.step.source == step.source
            ]
            full = Full(step.key, charge=step.source, step=step)
            self._find_room(step, everywhere, step.bounds.all_items or inf, step.bounds.all_size or inf, full)
        seq = self.last[step.key] = self.stand(step.key) + 1
        self.items.setdefault(step.key, []).append(_Item(seq, self.now + step.bounds.ttl, step))
        appended = Appended(seq, step.note, False)
        if step.dedupe:
            self.receipts[step.key, step.dedupe] = appended, self.now + step.bounds.dedupe_ttl
        return appended

    @staticmethod
    def _find_room(step: Append, there: list[Append], items: float, size: float, full: Full) -> None:
        if len(there) >= items or sum(each.size for each in there) + step.size > size:
            raise full

    @do.register
    def _(self, step: _Seen) -> None:
        self.stand(step.key)

    @do.register
    def _(self, step: Trim) -> None:
        if step.upto <= self.last.get(step.key, 0):
            self._take(step.key, lambda item: item.seq <= step.upto)

    @do.register
    def _(self, step: Remove) -> list[int]:
        return self._take(step.key, lambda item: item.seq in step.seqs)

    @do.register
    def _(self, step: RemoveMarked) -> list[int]:
        marks = step.marks
        return self._take(
            step.key, lambda item: bool(item.step.mark) and (marks is None or item.step.mark in marks)
        )

    def _take(self, key: str, wanted: Callable[[_Item], bool]) -> list[int]:
        items = self.items.get(key, [])
        self.items[key] = [item for item in items if not wanted(item)]
        return [item.seq for item in items if wanted(item)]

    @do.register
    def _(self, step: SetAttribute) -> int:
        attributes = self.attributes.setdefault(step.topic, {})
        before = {charge.key: self.charged(charge.key) for charge in step.charges}
        attributes[step.name] = Attribute(step.value, self.number), step
        for charge in step.charges:
            held = self.charged(charge.key)
            if (charge.max_items and held.items > max(charge.max_items, before[charge.key].items)) or (
                charge.max_size and held.size > max(charge.max_size, before[charge.key].size)
            ):
                raise Full(step.topic, charge=charge.key, step=step)
        return self.number

    @do.register
    def _(self, step: DeleteAttribute) -> int:
        return 0 if self.attributes.get(step.topic, {}).pop(step.name, None) is None else self.number

    @do.register
    def _(self, step: DeleteAttributes) -> int:
        return len(self.attributes.pop(step.topic, {}))

    @do.register
    def _(self, step: Note) -> None:
        if (step.key, step.name) in self.notes:
            raise Conflict(step)
        self.notes[step.key, step.name] = step.value, self.now + step.ttl

    @do.register
    def _(self, step: Arm) -> None:
        self.timers[step.key] = Due(step.key, step.at, self.number), step.at

    @do.register
    def _(self, step: Cancel) -> None:
        self.timers.pop(step.key, None)

    @do.register
    def _(self, step: _Lease) -> None:
        self.timers[step.due.key] = step.due, step.until

    @do.register
    def _(self, step: _Done) -> None:
        if step.due.key in self.timers and self.timers[step.due.key][0].turn == step.due.turn:
            del self.timers[step.due.key]

    # --- asks -------------------------------------------------------------------------------------

    @singledispatchmethod
    def answer(self, ask: Any) -> Any:
        """What answers an ask."""
        raise NotImplementedError(ask)

    @answer.register
    def _(self, ask: Record) -> Entry | None:
        found = self.records.get(ask.key)
        return None if found is None else Entry(found.value, found.rev)

    @answer.register
    def _(self, ask: Keys) -> Listed:
        """Backwards, as nobody may rely on an order."""
        found = [key for key, record in self.records.items() if key.startswith(ask.prefix)]
        found = sorted([key for key in found if not ask.cursor or key < ask.cursor], reverse=True)
        return Listed(found[: ask.limit], found[ask.limit - 1] if len(found) > ask.limit else "")

    @answer.register
    def _(self, ask: Fields) -> dict[str, bytes]:
        return self.records[ask.key].fields if ask.key in self.records else {}

    @answer.register
    def _(self, ask: Names) -> dict[str, str]:
        return self.sets.get(ask.key, {})

    @answer.register
    def _(self, ask: Count) -> int:
        return len(self.sets.get(ask.key, {}))

    @answer.register
    def _(self, ask: Holds) -> str | None:
        return self.sets.get(ask.key, {}).get(ask.name)

    @answer.register
    def _(self, ask: Stretch) -> list[Item]:
        found = [item for item in self.items.get(ask.key, []) if item.seq > ask.after]
        return [Item(item.seq, item.step.body) for item in found[: max(ask.limit, 0)]]

    @answer.register
    def _(self, ask: HeadOf) -> Head:
        items, last = self.items.get(ask.key, []), self.stand(ask.key)
        return Head(items[0].seq - 1 if items else last, last, len(items))

    @answer.register
    def _(self, ask: Marked) -> int:
        return len([item for item in self.items.get(ask.key, []) if item.step.mark])

    @answer.register
    def _(self, ask: Marks) -> set[str]:
        return {item.step.mark for item in self.items.get(ask.key, [])} - {""}

    @answer.register
    def _(self, ask: Receipt) -> Appended | None:
        found = self.receipts.get((ask.key, ask.dedupe))
        return None if found is None else Appended(found[0].seq, found[0].note, True)

    @answer.register
    def _(self, ask: Attributes) -> Stand:
        found = self.attributes.get(ask.topic, {})
        return Stand({name: attribute for name, (attribute, _) in found.items()}, self.number)

    @answer.register
    def _(self, ask: Charged) -> Held:
        return self.charged(ask.key)

    @answer.register
    def _(self, ask: Noted) -> bytes | None:
        return self.notes.get((ask.key, ask.name), (None, 0.0))[0]


class ToyKept:
    """The port `Kept`, without a loop that wakes anybody."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._done: list[tuple[float, Step[Any]]] = []
        self.epoch = "toy"

    async def load(self, *asks: Any) -> Any:
        """See `Kept.load`."""
        await _turn()
        for ask in asks:
            if type(ask) is HeadOf:
                self._try(_Seen(ask.key))
        world = self._world()
        return tuple([world.answer(ask) for ask in asks])

    async def commit(self, *steps: Any) -> Any:
        """See `Kept.commit`."""
        await _turn()
        return self._try(*steps)

    def listen(self, wake: Callable[[], None]) -> None:
        """See `Kept.listen`: nobody has to be woken."""

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Kept.due`."""
        await _turn()
        now = self._clock()
        found = sorted((when, due.turn, due) for due, when in self._world().timers.values() if when <= now)
        taken = [due for _, _, due in found[:limit]]
        self._try(*[_Lease(due, now + lease) for due in taken])
        return taken

    async def done(self, *due: Due) -> None:
        """See `Kept.done`."""
        await _turn()
        self._try(*[_Done(each) for each in due])

    def _world(self) -> _World:
        """The world as it is now, made anew."""
        world = _World()
        for at, step in self._done:
            world.number += 1
            world.pass_time(at)
            world.do(step)
        world.pass_time(self._clock())
        return world

    def _try(self, *steps: Step[Any]) -> tuple[Any, ...]:
        """Do all of them, in a world of their own, and take it for the real one if none raises."""
        world, now, results = self._world(), self._clock(), []
        for step in steps:
            world.number += 1
            results.append(world.do(step))
        self._done += [(now, step) for step in steps]
        return tuple(results)


async def _turn() -> None:
    """Wait for the loop's next turn; who comes first goes first."""
    pending = Pending()
    asyncio.get_running_loop().call_soon(pending.settle)
    await pending
