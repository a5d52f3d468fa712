"""Records in process memory, and the rule of compare-and-set that every embedded variant shares.

It knows keys, values, revisions and ends. It refuses to know what a value says.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from signalpost.engine.ends import Ends
from signalpost.engine.listing import page
from signalpost.engine.ports import NO_FIELDS, Clock, Conflict, Delete, Expect, Keys, Listed, Pending, Put

__all__ = ["MemoryRecords", "Record"]

_SWEEP = 4096  # records that one sweep looks at


class Record(NamedTuple):
    """What is kept of a key."""

    value: bytes
    rev: int
    expires: float  # Unix time, infinite for no end
    fields: Mapping[str, bytes] | None = NO_FIELDS  # never changed; None when they are on the disk only


class MemoryRecords:
    """The records. A subclass that stores overrides `find`, `_load`, `_set`, `sweep`."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, Record] = {}  # may hold some whose time is over, for a while
        self._rev = 0  # highest revision given, over all keys: so none is used twice for one
        self._ends: Ends[str] = Ends(self._look)

    def find(self, key: str) -> Record | None:
        """The live record."""
        record = self._records.get(key)
        if record is None or (record.expires != inf and record.expires <= self._clock()):
            return None
        return record

    def held(self, key: str) -> Mapping[str, bytes]:
        """The live record's fields; not to be changed."""
        record = self.find(key)
        return NO_FIELDS if record is None else self._load(key, record)

    def keys(self, ask: Keys) -> Listed:
        """See `Keys`, of those in memory."""
        now = self._clock()
        live = [key for key, record in self._records.items() if record.expires > now]
        return page(live, ask.prefix, ask.cursor, ask.limit)

    def check(self, step: Put | Delete | Expect, _: object = ()) -> Record | None:
        """The live record; raises Conflict if the step expects another."""
        found = self.find(step.key)
        expect = step.rev if isinstance(step, Expect) else step.expect
        if expect is not None and expect != (0 if found is None else found.rev):
            raise Conflict(step)
        return found

    def place(self, step: Put, found: Record | None) -> tuple[int, Pending | None]:
        """See `Put`; its result, and what is to be waited for. `found`: what `check` has found just now."""
        held = NO_FIELDS if found is None else found.fields
        if step.fields:
            held = dict(step.fields) if found is None else {**self._load(step.key, found), **step.fields}
        self._rev = rev = self._rev + 1
        record = Record(step.value, rev, self._end(step.ttl), held)
        return rev, self._set(step.key, record, step.fields)

    def end(self, step: Delete, found: Record | None) -> tuple[bool, Pending | None]:
        """See `Delete`; as `place`."""
        return (False, None) if found is None else (True, self._set(step.key, None))

    async def sweep(self) -> int:
        """Let go of some records whose time is over; returns how much it did: 0 if nothing is left."""
        return self._ends.expire(self._clock(), _SWEEP)

    def _end(self, ttl: float | None) -> float:
        return inf if ttl is None else self._clock() + ttl

    def _load(self, key: str, record: Record) -> Mapping[str, bytes]:
        """The fields of this record, which is the live one."""
        assert record.fields is not None, "in memory they are there"
        return record.fields

    def _set(
        self, key: str, record: Record | None, fields: Mapping[str, bytes] = NO_FIELDS
    ) -> Pending | None:
        """Put the record in force with what it has, or end it; returns what its caller is to wait for.

        `fields`: those of the record's that are new or have changed.
        """
        if record is None:
            self._records.pop(key, None)
            return None
        self._records[key] = record
        if record.expires != inf:
            self._ends.add(record.expires, key, self._clock())
        return None

    def _look(self, key: str, at: float, now: float) -> None:
        record = self._records.get(key)
        if record is not None and record.expires <= now:  # else it has got another end meanwhile
            del self._records[key]
