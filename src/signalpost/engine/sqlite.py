"""The engine that keeps in SQLite what must survive; its rules are those of the memory engine.

It knows what is loaded, what is under way and what lies on the disk only. How a batch is committed is
the journal's affair, files and schema are the store's.

Numbers of queues. None may be used twice, whatever crashes: a number that a client has seen on an item
that was lost (not durable, or pushed by a process that was then killed) must not come again on another.
So `meta.ceiling` is ahead of every number that anybody has been told: it is raised by a minute's worth
of numbers whenever the clock has used up half of that, and a number above the ceiling that is on the
disk is not told before a commit has raised it. After a restart every queue, old or new, goes on above
the ceiling, or at the clock if that is later; a clock that was set back meanwhile changes nothing. An
orderly end lowers the ceiling to the highest number in use. The numbers of a commit that failed are
burnt, and rows that are deleted after a trim may come back in a crash, which repeats items, not numbers.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from math import inf
from typing import Any, Final

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import (
    Clock,
    DeleteAttribute,
    Edit,
    Item,
    Pending,
    SetAttribute,
    Unavailable,
)
from signalpost.engine.queues import MemoryQueues, Queue, Stored
from signalpost.engine.receipts import LOST, Ident, Receipt
from signalpost.engine.records import MemoryRecords, Record
from signalpost.engine.store import (
    DatabaseDamaged,
    DataDirectoryInUse,
    DataDirectoryUnusable,
    SchemaTooNew,
    Store,
    StoreError,
)
from signalpost.engine.topics import MemoryTopics, Topic

__all__ = [
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DatabaseDamaged",
    "SchemaTooNew",
    "SqliteQueues",
    "SqliteRecords",
    "SqliteTopics",
    "Store",
    "StoreError",
]

_AHEAD: Final = 60_000_000  # numbers by which the ceiling is raised: a minute of the clock
_DELETIONS: Final = 1024  # rows of each journal table that one batch deletes at least
_SWEEP: Final = 1000  # records that one sweep deletes


class SqliteQueues(MemoryQueues):
    """The port `Queues`: an index in memory, bodies in memory up to a budget, a journal on disk."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        body_budget: int = 128 * 1024 * 1024,
        idle_seconds: float = 3600.0,
    ) -> None:
        """Load the index; raises StoreError. `body_budget`: bytes of durable bodies kept in memory."""
        super().__init__(clock=clock, idle_seconds=idle_seconds)
        self._store = store
        self._journal: Journal = store.journal
        self._body_budget = body_budget
        self.body_bytes = 0  # bytes of durable bodies in memory
        self._resident: OrderedDict[int, Stored] = (
            OrderedDict()
        )  # by row, those of `body_bytes`, oldest first
        self._row = 0  # highest row of `items` given
        self._receipt_row = 0  # highest row of `receipts` given
        self._trash: list[int] = []  # rows of `items` that the next batch deletes
        self._renewal = 0  # a number above it asks for a higher ceiling
        with store.loading():
            self._epoch = str(store.meta("epoch"))
            self._restore()
        self._journal.join(self)

    # --- at start ---------------------------------------------------------------------------------

    def _restore(self) -> None:
        now = self._clock()
        stored = int(self._store.meta("ceiling") or 0)
        rows = self._store.reader.execute("SELECT id, queue, seq, size, expires FROM items ORDER BY id")
        for row, key, seq, size, expires in rows:
            self._row = row
            self._floor = max(self._floor, seq)
            if expires <= now:
                self._trash.append(row)
                continue
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = Queue(seq, now)
            item = Stored(seq, size, expires, None)
            item.row = row
            queue.items.append(item)
            queue.size += size
            queue.soonest = min(queue.soonest, expires)
            self.items += 1
        self._floor = max(self._floor, stored)
        for queue in self._queues.values():
            queue.last, queue.next = self._floor, self._floor + 1
        self._restore_receipts(now)
        self._ceiling = max(self._floor, int(now * 1000) * 1000) + _AHEAD
        self._renewal = self._ceiling - _AHEAD // 2
        self._store.writer.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('ceiling', ?)", (self._ceiling,)
        )

    def _restore_receipts(self, now: float) -> None:
        rows = self._store.reader.execute(
            "SELECT id, queue, dedupe, seq, note, expires FROM receipts ORDER BY expires"
        ).fetchall()
        for row, key, dedupe, seq, note, expires in rows:
            self._receipt_row = max(self._receipt_row, row)
            receipt = Receipt(seq, note, expires)
            receipt.row = row
            if expires <= now:
                self._receipts.gone_rows.append(row)
            else:
                self._receipts.add((key, dedupe), receipt, ttl=0.0, now=now)

    # --- hooks of the index -----------------------------------------------------------------------

    def _keep(
        self, key: str, queue: Queue, item: Stored, ident: Ident, receipt: Receipt | None, durable: bool
    ) -> Pending | None:
        seq = item.seq
        journal = self._journal
        if seq > self._renewal:
            _raise_to(seq + _AHEAD, journal.batch())
        if durable:
            batch = journal.open or journal.batch()
            self._row = item.row = self._row + 1
            batch.items += (item.row, key, seq, item.size, item.expires, item.body)
            if receipt is not None:
                self._receipt_row = receipt.row = self._receipt_row + 1
                batch.receipts += (receipt.row, *ident, seq, receipt.note, receipt.expires)
        elif journal.closed:
            raise Unavailable("the store is closed")
        elif seq > self._ceiling:
            batch = journal.batch()
        elif isinstance(queue.barrier, Batch):
            batch = queue.barrier
        else:
            queue.last = seq
            return None
        queue.barrier = batch
        batch.appended.append((queue, item))
        if receipt is not None:
            receipt.waiting = batch
            batch.noted.append((ident, receipt))
        return batch

    def _cover(self, number: int) -> Pending:
        batch = self._journal.batch()
        _raise_to(number + _AHEAD, batch)
        return batch

    def _load(self, found: list[Stored]) -> list[Item]:
        missing = [item.row for item in found if item.body is None]
        bodies = self._bodies(missing) if missing else {}
        try:
            return [Item(item.seq, bodies[item.row] if item.body is None else item.body) for item in found]
        except KeyError as error:
            raise Unavailable(f"row {error} of the journal is gone") from error

    def _bodies(self, rows: list[int]) -> dict[int, bytes]:
        try:
            return dict(
                self._store.reader.execute(
                    "SELECT id, body FROM items WHERE id IN (SELECT value FROM json_each(?))",
                    (json.dumps(rows),),
                ).fetchall()
            )
        except sqlite3.Error as error:
            raise Unavailable(f"the journal cannot be read: {error}") from error

    def _discard(self, queue: Queue, gone: list[Stored]) -> None:
        super()._discard(queue, gone)
        for item in gone:
            if item.row == 0:
                continue
            self._trash.append(item.row)
            if item.body is not None:
                del self._resident[item.row]
                self.body_bytes -= len(item.body)
        if self._trash:
            self._journal.later()

    async def sweep(self) -> int:
        """See `Queues.sweep`."""
        gone = await super().sweep()
        now = int(self._clock() * 1000) * 1000
        if now > self._renewal and not self._journal.closed:
            _raise_to(now + _AHEAD, self._journal.batch())
        if self._receipts.gone_rows:
            self._journal.later()
        return gone

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""
        # Not all at once, or an append would wait for them; yet faster than appends can come.
        limit = max(_DELETIONS, len(batch.items) // 2)
        batch.gone_items, self._trash = self._trash[:limit], self._trash[limit:]
        rows = self._receipts.gone_rows
        batch.gone_receipts, self._receipts.gone_rows = rows[:limit], rows[limit:]

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        if failure is not None:
            self._undo(batch)
        else:
            self._confirm(batch)
        if self._trash or self._receipts.gone_rows:
            self._journal.later()

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
        self._floor = max([self._floor, *(queue.next - 1 for queue in self._queues.values())])
        self._ceiling = batch.meta["ceiling"] = self._floor

    def _confirm(self, batch: Batch) -> None:
        """Put in force what the batch has stored."""
        ceiling = batch.meta.get("ceiling", 0)
        if ceiling > self._ceiling:
            self._ceiling = ceiling
            self._renewal = ceiling - _AHEAD // 2
        resident = self._resident
        held = self.body_bytes
        for queue, item in batch.appended:
            queue.last = item.seq
            if queue.barrier is batch:
                queue.barrier = None
            if item.row and item.body is not None:
                resident[item.row] = item
                held += len(item.body)
        while held > self._body_budget:
            _, oldest = resident.popitem(last=False)
            held -= len(oldest.body or b"")
            oldest.body = None
        self.body_bytes = held
        for _, receipt in batch.noted:
            receipt.waiting = None

    def _undo(self, batch: Batch) -> None:
        """Take back what the batch was to store; its numbers are burnt."""
        self._trash += batch.gone_items
        self._receipts.gone_rows += batch.gone_receipts
        for queue, item in batch.appended:
            if queue.barrier is batch:
                queue.barrier = None
            if item.row or item.seq > self._ceiling:
                item.row = LOST
                queue.items.remove(item)
                queue.size -= item.size
                self.items -= 1
            else:
                queue.last = item.seq
        for ident, receipt in batch.noted:
            receipt.waiting = None
            if receipt.row or receipt.seq > self._ceiling:
                receipt.row = LOST
                self._receipts.drop(ident, receipt)


def _raise_to(ceiling: int, batch: Batch) -> None:
    if batch.meta.get("ceiling", 0) < ceiling:
        batch.meta["ceiling"] = ceiling


class SqliteRecords(MemoryRecords):
    """The port `Records`: every record on disk, the ones used last in memory too. One a store."""

    def __init__(self, store: Store, *, clock: Clock, cached: int = 10_000) -> None:
        """`cached`: records that are kept in memory."""
        super().__init__(clock=clock)
        self._store = store
        self._journal: Journal = store.journal
        self._cached = cached
        self._cache: OrderedDict[str, Record | None] = OrderedDict()  # as on disk, used last at the end
        self._under_way: dict[str, tuple[Record | None, Batch]] = {}  # what waits for its commit
        with store.loading():
            self._rev = int(store.meta("rev") or 0)
        self._journal.join(self)

    async def keys(self, prefix: str, *, endless: bool = False) -> list[str]:
        """See `Records.keys`."""
        now = self._clock()
        low = prefix.encode()
        # No UTF-8 text has a byte 0xFF, so this is above all keys with the prefix and nothing else.
        rows = self._query(
            "SELECT key FROM records WHERE key >= CAST(? AS TEXT) AND key < CAST(? AS TEXT)"
            " AND (expires IS NULL OR (expires > ? AND NOT ?))",
            (low, low + b"\xff", now, endless),
        )
        found = [key for (key,) in rows if key not in self._under_way]
        for key, (record, _) in self._under_way.items():
            if record is None or not key.startswith(prefix):
                continue
            if record.expires == inf or (not endless and record.expires > now):
                found.append(key)
        return found

    async def sweep(self) -> int:
        """See `Records.sweep`."""
        if self._journal.closed:
            return 0
        rows = self._query("SELECT key FROM records WHERE expires <= ? LIMIT ?", (self._clock(), _SWEEP))
        gone = [key for (key,) in rows if key not in self._under_way]
        for key in gone:
            self._set(key, None)
        return len(gone)

    # --- hooks of the rule ------------------------------------------------------------------------

    def _find(self, key: str) -> Record | None:
        record = self._peek(key)
        if record is None or record.expires <= self._clock():
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
            record = Record(value, rev, inf if expires is None else expires)
        self._remember(key, record)
        return record

    def _set(self, key: str, record: Record | None) -> Pending:
        batch = self._journal.batch()
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
                continue
            del self._under_way[key]
            if failure is None:
                self._remember(key, record)
            else:
                self._cache.pop(key, None)

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""


class SqliteTopics(MemoryTopics):
    """The port `Topics`: as in memory, and the attributes on disk too."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        """Load the topics that have attributes; raises StoreError."""
        super().__init__(clock=clock)
        self._journal: Journal = store.journal
        self._unsaved: dict[tuple[str, str], str | None] = {}  # from failed commits, for the next one
        with store.loading():
            rows = store.reader.execute("SELECT topic, name, value FROM topic_attributes").fetchall()
        for topic, name, value in rows:
            place = self._topics.get(topic) or self._make(topic)
            place.attributes[name] = value
        self._journal.join(self)

    def _keep(self, topic: str, edits: Sequence[Edit]) -> Pending | None:
        place: Topic | None = self._topics.get(topic)
        batch: Batch | None = None
        for edit in edits:
            if isinstance(edit, SetAttribute):
                batch = batch or self._journal.batch()
                batch.attributes[topic, edit.name] = edit.value
            elif isinstance(edit, DeleteAttribute) and place is not None:
                batch = batch or self._journal.batch()
                batch.attributes[topic, edit.name] = None
        return batch

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""
        if self._unsaved:
            batch.attributes = {**self._unsaved, **batch.attributes}
            self._unsaved = {}

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        if failure is not None:
            self._unsaved = {**batch.attributes, **self._unsaved}
            if self._unsaved:
                self._journal.later()

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
