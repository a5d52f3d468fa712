"""Commits that travel together: steps become columns, and what comes back becomes results.

It knows what `commit` in functions.sql takes and returns. It refuses to know when a batch is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final

from msgspec.structs import astuple

from signalpost.engine.ports import (
    Appended,
    Arm,
    Cancel,
    Conflict,
    Delete,
    EngineError,
    Expect,
    Full,
    Pending,
    Put,
    Step,
)
from signalpost.engine.ports.kept import (
    Append,
    Bounds,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Include,
    Note,
    Remove,
    RemoveMarked,
    SetAttribute,
    Trim,
)
from signalpost.engine.postgres.texts import fit, stripes_of

__all__ = ["Batch", "BeginQueue", "ForgetQueue", "ForgetRecord", "ForgetTopic", "Purge", "Settle"]

_MOST: Final = 1000  # steps that travel together
_MOST_BYTES: Final = 1024 * 1024  # of their bodies and values
_RUN: Final = 1  # the kind of lone appends in a row

_STATEMENT: Final = f"SELECT * FROM commit({', '.join(f'${n}' for n in range(1, 33))})"

# --- what only this engine asks of itself ---------------------------------------------------------


class BeginQueue(Step[None], frozen=True, gc=False):
    """Let a queue that is not there begin where it would begin now."""

    key: str


class Purge(Step[None], frozen=True, gc=False):
    """Remove what is over its time from a queue."""

    key: str


class ForgetQueue(Step[None], frozen=True, gc=False):
    """Forget a queue that is empty, if nobody has used it for `idle` seconds."""

    key: str
    idle: float


class ForgetTopic(Step[None], frozen=True, gc=False):
    """Forget the revision of a topic without attributes, likewise."""

    key: str
    idle: float


class ForgetRecord(Step[None], frozen=True, gc=False):
    """Remove a record whose time is over."""

    key: str


class Settle(Step[None], frozen=True, gc=False):
    """Move what a queue still has in a slot whose time is over to where it may stay."""

    key: str
    slot: int


_PASSING: Final = frozenset([Trim, Note])
"""What nobody has to wait for until it is on the disk."""


class Batch:
    """Some commits. `add` until `full`; then `arguments` go to the server, `settle` takes what comes back.

    Many fields: a column each.
    """

    def __init__(self) -> None:
        self.done = Pending()  # settled when there are results, or with what went wrong
        self.asked: list[Sequence[Any]] = []
        self.results: list[tuple[Any, ...] | EngineError] = []  # one a commit, once done
        self.bytes = 0
        # What its steps will have done once, as `Receipt` and `Noted` ask for it: (step's type, key, text).
        self.once: set[tuple[type, str, str]] = set()
        self._keys: set[bytes] = set()
        self._relaxed = True
        self._trims: tuple[list[bytes], list[int]] = ([], [])
        # Appends: key, body, size, source, note, mark, dedupe, the number of the bounds.
        self._appends: tuple[list[Any], ...] = ([], [], [], [], [], [], [], [])
        self._bounds: dict[Bounds, int] = {}  # of the appends, each with its number, from 1
        # Steps: commit, kind, key, name, value, number, from, to, time.
        self._steps: tuple[list[Any], ...] = ([], [], [], [], [], [], [], [], [])
        self._texts: list[bytes] = []
        self._numbers: list[int] = []
        # Of each commit: the number, from 1, of its lone append (below zero) or of its first step; 0: a trim.
        self._places: list[int] = []
        self._running = False  # the latest step is a run of lone appends, which goes on

    @property
    def statement(self) -> str:
        """See `Cargo.statement`."""
        return _STATEMENT

    @property
    def full(self) -> bool:
        """Whether what comes should go into another."""
        return (
            len(self._steps[0]) + len(self._appends[0]) + len(self._trims[0]) >= _MOST
            or self.bytes >= _MOST_BYTES
        )

    def add(self, steps: Sequence[Any]) -> int:
        """Take a commit in; its number, from 0."""
        self.asked.append(steps)
        if len(steps) == 1:
            kind = type(steps[0])
            if kind is Append:
                self._add_lone(steps[0])
                return len(self.asked) - 1
            if kind is Trim:
                key = steps[0].key.encode()
                self._keys.add(key)
                self._trims[0].append(key)
                self._trims[1].append(fit(steps[0].upto))
                self._places.append(0)
                return len(self.asked) - 1
        self._running = False
        self._places.append(len(self._steps[0]) + 1)
        for step in steps:
            if type(step) not in _PASSING:
                self._relaxed = False
            _ENCODERS[type(step)](self, step)
        return len(self.asked) - 1

    def _add_lone(self, step: Append) -> None:
        number = self._append(step)
        self._relaxed = False
        self._places.append(-number)
        if self._running:
            self._steps[7][-1] = number
        else:
            self._running = True
            self._step(_RUN, b"", start=number, end=number)

    def _append(self, step: Append) -> int:
        """Have an append; its number, from 1."""
        number = self._bounds.get(step.bounds)
        if number is None:
            number = self._bounds[step.bounds] = len(self._bounds) + 1
        keys, bodies, sizes, sources, notes, marks, dedupes, bounds = self._appends
        key = step.key.encode()
        self._keys.add(key)
        keys.append(key)
        bodies.append(step.body)
        sizes.append(step.size)
        sources.append(step.source.encode())
        notes.append(step.note.encode())
        marks.append(step.mark.encode())
        dedupes.append(step.dedupe.encode())
        if step.dedupe:
            self.once.add((Append, step.key, step.dedupe))
        bounds.append(number)
        self.bytes += len(step.body)
        return len(keys)

    def _step(
        self,
        kind: int,
        key: bytes,
        *,
        name: bytes = b"",
        value: bytes = b"",
        number: int | None = 0,
        start: int = 1,
        end: int = 0,
        time: float = 0.0,
    ) -> None:
        for column, field in zip(
            self._steps, (len(self.asked), kind, key, name, value, number, start, end, time), strict=True
        ):
            column.append(field)
        self.bytes += len(value)

    def _on(self, kind: int, key: str, **fields: Any) -> None:
        """Have a step on a key, whose stripe is held."""
        encoded = key.encode()
        self._keys.add(encoded)
        self._step(kind, encoded, **fields)

    # --- there ------------------------------------------------------------------------------------

    def arguments(self, now: float | None) -> tuple[Any, ...]:
        """What the statement is given; `now`: None for the server's time."""
        bounds = list(zip(*map(astuple, self._bounds), strict=True)) or [()] * len(Bounds.__struct_fields__)
        return (
            now,
            self._relaxed,
            stripes_of(self._keys),
            *self._trims,
            *self._appends,
            *bounds,
            *self._steps,
            self._texts,
            self._numbers,
        )

    # --- and back ---------------------------------------------------------------------------------

    def settle(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Have results, and tell who waits."""
        [row] = rows
        seqs = row["seqs"]
        again = dict(zip(row["again"] or (), row["notes"] or (), strict=True))
        failed = dict(zip(row["failed"] or (), row["reasons"] or (), strict=True))
        found = _Found(row)
        results = self.results
        for place, steps in zip(self._places, self.asked, strict=True):
            if place < 0:
                number, step = -place, steps[0]
                if place in failed:
                    results.append(_full(step, failed[place]))
                elif number in again:
                    results.append((Appended(seqs[number - 1], again[number].decode(), True),))
                else:
                    results.append((Appended(seqs[number - 1], step.note, False),))
            elif not place:
                results.append((None,))
            else:
                results.append(self._result(place, steps, failed, again, found, seqs))
        self.done.settle()

    def _result(
        self,
        place: int,
        steps: Sequence[Any],
        failed: Mapping[int, int],
        again: Mapping[int, bytes],
        found: _Found,
        seqs: Sequence[int],
    ) -> tuple[Any, ...] | EngineError:
        for number, step in enumerate(steps, place):
            if number in failed:
                reason = failed[number]
                return _full(step, reason) if reason else Conflict(step)
        results: list[Any] = []
        for number, step in enumerate(steps, place):
            if type(step) is Append:
                append = self._steps[5][number - 1]
                note = again.get(append)
                results.append(
                    Appended(seqs[append - 1], step.note if note is None else note.decode(), note is not None)
                )
            else:
                results.append(_RESULTS[type(step)](found, number))
        return tuple(results)


class _Found:
    """What came of the steps, by their numbers from 1."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._numbers: list[int] = row["results"]
        self._row = row

    def number(self, step: int) -> int:
        return self._numbers[step - 1]

    def truth(self, step: int) -> bool:
        return self.number(step) > 0

    def nothing(self, step: int) -> None:
        return None

    def removed(self, step: int) -> list[int]:
        by, seqs = self._row["removed_by"] or (), self._row["removed"] or ()
        return [seq for each, seq in zip(by, seqs, strict=True) if each == step]


def _full(step: Any, bound: int) -> Full:
    """Which bound it is that has no room for the step; see `full_up` in functions.sql."""
    if type(step) is SetAttribute:
        return Full(step.topic, charge=step.charges[bound - 1].key, step=step)
    if type(step) is Append and bound > 1:
        return Full(step.key, **{"part" if bound == 2 else "charge": step.source}, step=step)
    return Full(step.key, step=step)


# --- how each step travels --------------------------------------------------------------------


def _stretch(batch: Batch, texts: Sequence[bytes]) -> dict[str, int]:
    start = len(batch._texts) + 1
    batch._texts += texts
    return {"start": start, "end": len(batch._texts)}


def _append(batch: Batch, step: Append) -> None:
    batch._step(2, b"", number=batch._append(step))


def _remove(batch: Batch, step: Remove) -> None:
    start = len(batch._numbers) + 1
    batch._numbers += map(fit, step.seqs)
    batch._on(4, step.key, start=start, end=len(batch._numbers))


def _remove_marked(batch: Batch, step: RemoveMarked) -> None:
    marks = () if step.marks is None else step.marks
    batch._on(
        5,
        step.key,
        number=0 if step.marks is None else 1,
        **_stretch(batch, [mark.encode() for mark in marks]),
    )


def _put(batch: Batch, step: Put) -> None:
    fields = [part for name, value in step.fields.items() for part in (name.encode(), value)]
    batch.bytes += sum(map(len, fields))
    batch._on(
        6,
        step.key,
        value=step.value,
        number=step.expect,
        time=inf if step.ttl is None else step.ttl,
        **_stretch(batch, fields),
    )


def _note(batch: Batch, step: Note) -> None:
    batch.once.add((Note, step.key, step.name))
    batch._on(14, step.key, name=step.name.encode(), value=step.value, time=step.ttl)


def _set_attribute(batch: Batch, step: SetAttribute) -> None:
    at = _stretch(batch, [charge.key.encode() for charge in step.charges])
    # The bounds of each charge lie at twice its place.
    batch._numbers += [0] * (2 * at["start"] - 2 - len(batch._numbers))
    for charge in step.charges:
        batch._numbers += (charge.max_items, charge.max_size)
    batch._on(11, step.topic, name=step.name.encode(), value=step.value.encode(), number=step.size, **at)


_ENCODERS: Final[dict[type, Callable[[Batch, Any], None]]] = {
    Append: _append,
    Trim: lambda batch, step: batch._on(3, step.key, number=fit(step.upto)),
    Remove: _remove,
    RemoveMarked: _remove_marked,
    Put: _put,
    Expect: lambda batch, step: batch._on(7, step.key, number=step.rev),
    Delete: lambda batch, step: batch._on(8, step.key, number=step.expect),
    Include: lambda batch, step: batch._on(
        9, step.key, name=step.name.encode(), value=step.value.encode(), number=step.most
    ),
    Exclude: lambda batch, step: batch._on(10, step.key, name=step.name.encode(), value=step.value.encode()),
    SetAttribute: _set_attribute,
    DeleteAttribute: lambda batch, step: batch._on(12, step.topic, name=step.name.encode()),
    DeleteAttributes: lambda batch, step: batch._on(13, step.topic),
    Note: _note,
    Arm: lambda batch, step: batch._on(15, step.key, time=step.at),
    Cancel: lambda batch, step: batch._on(16, step.key),
    BeginQueue: lambda batch, step: batch._on(17, step.key),
    Purge: lambda batch, step: batch._on(18, step.key),
    ForgetQueue: lambda batch, step: batch._on(19, step.key, time=step.idle),
    ForgetTopic: lambda batch, step: batch._on(20, step.key, time=step.idle),
    ForgetRecord: lambda batch, step: batch._on(21, step.key),
    Settle: lambda batch, step: batch._on(22, step.key, number=step.slot),
}

_RESULTS: Final[dict[type, Callable[[_Found, int], object]]] = {
    Remove: _Found.removed,
    RemoveMarked: _Found.removed,
    Put: _Found.number,
    Delete: _Found.truth,
    Include: _Found.truth,
    Exclude: _Found.truth,
    SetAttribute: _Found.number,
    DeleteAttribute: _Found.number,
    DeleteAttributes: _Found.number,
    **dict.fromkeys(
        (
            Trim,
            Expect,
            Note,
            Arm,
            Cancel,
            BeginQueue,
            Purge,
            ForgetQueue,
            ForgetTopic,
            ForgetRecord,
            Settle,
        ),
        _Found.nothing,
    ),
}
