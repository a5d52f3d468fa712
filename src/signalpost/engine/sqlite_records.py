"""Records in SQLite, the ones used last in memory too.

It knows which record is on disk, which in memory and which under way. It refuses to know how a batch
is committed (`journal`) and when a write conflicts (`records`).
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Mapping
from math import inf
from typing import Any, Final

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import NO_FIELDS, Clock, Pending, Unavailable
from signalpost.engine.records import MemoryRecords, Record
from signalpost.engine.store import Store

__all__ = ["SqliteRecords"]

_SWEEP: Final = 1000  # records that one sweep deletes


class SqliteRecords(MemoryRecords):
    """The records: every one on disk, the ones used last in memory too. One a store."""

    def __init__(self, store: Store, *, clock: Clock, cached: int = 10_000) -> None:
        """`cached`: records that are kept in memory."""
        super().__init__(clock=clock)
        self._store = store
        self._journal: Journal = store.journal
        self._cached = cached
        self._cache: OrderedDict[str, Record | None] = OrderedDict()  # as on disk, used last at the end
        self._under_way: dict[str, tuple[Record | None, Batch]] = {}  # what waits for its commit
        self._doubtful: set[str] = set()  # of these: those of which an earlier commit has failed meanwhile
        with store.loading():
            self._rev = int(store.meta("rev") or 0)
        self._journal.join(self)

    async def sweep(self) -> int:
        """See `MemoryRecords.sweep`."""
        if self._journal.closed:
            return 0
        rows = self._query("SELECT key FROM records WHERE expires <= ? LIMIT ?", (self._clock(), _SWEEP))
        gone = [key for (key,) in rows if key not in self._under_way]
        for key in gone:
            self._set(key, None)
        return len(gone)

    # --- hooks of the rule ------------------------------------------------------------------------

    def find(self, key: str) -> Record | None:
        """See `MemoryRecords.find`."""
        record = self._peek(key)
        if record is None or (record.expires != inf and record.expires <= self._clock()):
            return None
        return record

    def _peek(self, key: str) -> Record | None:
        under_way = self._under_way.get(key)
        if under_way is not None:
            return under_way[0]
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        rows = self._query("SELECT value, rev, expires FROM records WHERE key = ?", (key,))
        record = None
        if rows:
            value, rev, expires = rows[0]
            record = Record(value, rev, inf if expires is None else expires, None)
        self._remember(key, record)
        return record

    def _load(self, key: str, record: Record) -> Mapping[str, bytes]:
        if record.fields is not None:
            return record.fields
        # None of them is under way: whoever changes some has them all.
        found = dict(self._query("SELECT name, value FROM record_fields WHERE key = ?", (key,)))
        if self._cache.get(key) is record:
            self._cache[key] = record._replace(fields=found)
        return found

    def _set(self, key: str, record: Record | None, fields: Mapping[str, bytes] = NO_FIELDS) -> Pending:
        batch = self._journal.batch()
        before = self._peek(key)
        if record is None or (before is not None and before.expires <= self._clock()):
            batch.bared.add(key)
            batch.fields.pop(key, None)
        if fields:
            batch.fields.setdefault(key, {}).update(fields)
        if record is None:
            batch.records[key] = None
        else:
            expires = None if record.expires == inf else record.expires
            batch.records[key] = (record.value, record.rev, expires)
            batch.meta["rev"] = self._rev
        self._under_way[key] = (record, batch)
        return batch

    def _remember(self, key: str, record: Record | None) -> None:
        self._cache[key] = record
        self._cache.move_to_end(key)
        if len(self._cache) > self._cached:
            self._cache.popitem(last=False)

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        try:
            return self._store.reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"the records cannot be read: {error}") from error

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        for key in batch.records:
            record, latest = self._under_way[key]
            if latest is not batch:
                if failure is not None:
                    self._doubtful.add(key)  # the later one has fields in memory that are not on the disk
                continue
            del self._under_way[key]
            if failure is None and key not in self._doubtful:
                self._remember(key, record)
            else:
                self._cache.pop(key, None)
                self._doubtful.discard(key)

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
