"""Records in process memory that name whose they are: compare-and-set, a time to live, and a node.

It knows keys, values, revisions and ends. It refuses to know what a value says.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from signalpost.engine.ends import Ends
from signalpost.engine.listing import page
from signalpost.engine.ports import Conflict, Entry
from signalpost.engine.ports.steps import Delete, Expect, Keys, Listed, Put, Record

__all__ = ["Entries"]


class _Held(msgspec.Struct, gc=False):
    """What is kept of a record."""

    value: bytes
    rev: int
    node: str
    expires: float | None
    look: float = 0.0  # of its one valid entry among the ends; 0.0 for none


class Entries:
    """All records."""

    __slots__ = ("_ends", "_records", "_rev")

    def __init__(self) -> None:
        self._records: dict[str, _Held] = {}  # may hold some whose time is over, for a while
        self._rev = 0  # highest revision given, over all keys: so none is used twice for one
        self._ends: Ends[str] = Ends(self._look)

    def __len__(self) -> int:
        """How many things are held: those that are over included."""
        return len(self._records) + len(self._ends)

    def live(self, now: float) -> Iterator[tuple[str, str]]:
        """The keys of the live records, and the node that each names."""
        for key, held in self._records.items():
            if held.expires is None or held.expires > now:
                yield key, held.node

    def node_of(self, key: str, now: float) -> str:
        """The node that the live record names, "" if there is no such record."""
        held = self._find(key, now)
        return "" if held is None else held.node

    def record(self, ask: Record, now: float) -> Entry | None:
        """See `Record`."""
        held = self._find(ask.key, now)
        return None if held is None else Entry(held.value, held.rev)

    def keys(self, ask: Keys, now: float) -> Listed:
        """See `Keys`."""
        return page([key for key, _ in self.live(now)], ask.prefix, ask.cursor, ask.limit)

    def compare(self, step: Put | Delete, now: float) -> None:
        """Raises Conflict if the record is not as the step expects it."""
        if step.expect is not None:
            self._judge(step, step.key, step.expect, now)

    def expect(self, step: Expect, now: float) -> None:
        """As `compare`."""
        self._judge(step, step.key, step.rev, now)

    def put(self, step: Put, now: float) -> int:
        """See `Put`."""
        self._rev = rev = self._rev + 1
        key = step.key
        if step.ttl is None:
            self._records[key] = _Held(step.value, rev, step.node, None)
            return rev
        before = self._records.get(key)
        expires = now + step.ttl
        held = self._records[key] = _Held(step.value, rev, step.node, expires)
        if before is not None and before.look and before.look <= expires:
            held.look = before.look
        else:
            held.look = expires
            self._ends.add(expires, key, now)
        return rev

    def delete(self, step: Delete, now: float) -> bool:
        """See `Delete`."""
        there = self._find(step.key, now) is not None
        self._records.pop(step.key, None)
        return there

    def sweep(self, now: float, limit: int) -> int:
        """Let go of what is over its time, with so many looks; returns how many it took."""
        return self._ends.expire(now, limit)

    def _find(self, key: str, now: float) -> _Held | None:
        """The live record."""
        held = self._records.get(key)
        if held is None or (held.expires is not None and held.expires <= now):
            return None
        return held

    def _judge(self, step: Put | Delete | Expect, key: str, rev: int, now: float) -> None:
        held = self._find(key, now)
        if rev != (0 if held is None else held.rev):
            raise Conflict(step)

    def _look(self, key: str, at: float, now: float) -> float | None:
        held = self._records.get(key)
        if held is None or held.look != at or held.expires is None:
            return None
        if held.expires <= now:
            del self._records[key]
            return None
        held.look = held.expires
        return held.look
