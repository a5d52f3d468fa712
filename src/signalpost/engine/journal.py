"""The journal: group commit by one writer thread, and how the loop waits for it.

It knows batches, tables, the thread, and whether commits succeed. It refuses to know why a row is written;
those who write (the parties) are asked when a batch leaves and told when it is settled.

All appends of one loop tick form one batch. While a batch is being committed the next one gathers,
so there are at most two. Everything here runs on the loop's thread except `_work`.

Two things keep a commit short although both threads need the GIL. `sqlite3` lets go of the GIL around
every step of a statement and must win it back, so a batch is few statements: one INSERT of many rows,
not many INSERTs. And a busy loop gives the GIL away: when a commit is older than `_PATIENCE`, the loop
waits for it at most `_HANDOVER` a tick, in a call that releases the GIL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from functools import cache
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Final, NamedTuple, Protocol

from signalpost.engine.failures import is_uncertain, lacks_room
from signalpost.engine.ports import Pending, Unavailable, Uncertain
from signalpost.engine.queues import Queue, Stored
from signalpost.engine.receipts import Ident, Receipt
from signalpost.engine.room import Room

__all__ = ["BUCKETS", "Batch", "Journal", "Meter", "Party"]

_PATIENCE = 0.002  # seconds that a commit may take before the loop helps it
_HANDOVER = 0.0005  # seconds that the loop waits for it in one tick
_LATER = 0.5  # seconds that removals wait for appends to be committed with
_EXACT = 64  # up to so many rows have a statement of their own, more are cut into powers of two
_LARGEST = 1024  # rows of the largest statement
_GLANCE = 0.05  # seconds for which it is believed that the database is still where it was
_HUNG = 3.0  # seconds after which a commit under way counts as one that does not succeed
_PIECE = 64  # rows that are removed at once where there is little room
_PROBE = 65_536  # bytes that a probe writes: no less than what most messages need

BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds


class Table(NamedTuple):
    """How rows get into a table."""

    insert: str
    columns: int
    known: str = ""  #: what becomes of a row that is there


_ITEMS = Table("INSERT INTO items (id, queue, seq, size, expires, body, part) VALUES ", 7)
_RECEIPTS = Table("INSERT INTO receipts (id, queue, dedupe, seq, note, expires) VALUES ", 6)
_RECORDS = Table("INSERT OR REPLACE INTO records (key, value, rev, expires) VALUES ", 4)
_FIELDS = Table("INSERT OR REPLACE INTO record_fields (key, name, value) VALUES ", 3)
_ATTRIBUTES = Table(
    "INSERT OR REPLACE INTO topic_attributes (topic, name, value, rev, size, charged) VALUES ", 6
)
_NAMES = Table(
    "INSERT INTO names (key, name, value) VALUES ",
    3,
    " ON CONFLICT (key, name) DO UPDATE SET value = excluded.value",
)
_TIMERS = Table("INSERT OR REPLACE INTO timers (key, at) VALUES ", 2)
_META = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
_PROBES = (
    f"INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob({_PROBE}))",
    "DELETE FROM meta WHERE name = 'probe'",
)
_DELETE_ITEMS = "DELETE FROM items WHERE id IN (SELECT value FROM json_each(?))"
_DELETE_RECEIPTS = "DELETE FROM receipts WHERE id IN (SELECT value FROM json_each(?))"
_DELETE_RECORD = "DELETE FROM records WHERE key = ?"
_DELETE_FIELDS = "DELETE FROM record_fields WHERE key IN (SELECT value FROM json_each(?))"
_DELETE_NAME = "DELETE FROM names WHERE key = ? AND name = ?"
_DELETE_TIMERS = "DELETE FROM timers WHERE key IN (SELECT value FROM json_each(?))"
_DELETE_ATTRIBUTE = "DELETE FROM topic_attributes WHERE topic = ? AND name = ?"


class Batch(Pending):
    """What one commit writes; whoever appended to it awaits it.

    The first group is the writer thread's from the moment that the batch leaves, the second is the
    loop's at all times.

    Many fields: one for each kind of row.
    """

    __slots__ = (
        "appended",
        "attributes",
        "bared",
        "began",
        "failure",
        "fields",
        "gone_items",
        "gone_receipts",
        "items",
        "meta",
        "names",
        "noted",
        "probing",
        "receipts",
        "records",
        "rows",
        "timers",
    )

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Any] = []  # parameters of new rows, one after the other
        self.receipts: list[Any] = []  # likewise
        self.gone_items: list[int] = []  # rows to delete
        self.gone_receipts: list[int] = []  # likewise
        self.records: dict[str, tuple[bytes, int, float | None] | None] = {}  # None: delete
        self.bared: set[str] = set()  # keys of records whose fields are deleted, before those below are set
        self.fields: dict[str, dict[str, bytes]] = {}  # by key of the record and name
        # (topic, name) -> value, revision, size, to whom it is charged; None: delete
        self.attributes: dict[tuple[str, str], tuple[str, int, int, str] | None] = {}
        self.names: dict[tuple[str, str], str | None] = {}  # (key, name) -> value; None: delete
        self.timers: dict[str, float | None] = {}  # None: delete
        self.meta: dict[str, int] = {}
        self.probing = False  # if nothing else is to be written, see whether something could be
        self.failure: Exception | None = None  # why the commit failed: set by the writer thread

        self.appended: list[tuple[Queue, Stored]] = []  # what becomes visible with it
        self.noted: list[tuple[Ident, Receipt]] = []  # receipts that wait for it
        self.rows = 0  # how many it writes, once it has left
        self.began = 0.0  # when it left (perf_counter)


class Party(Protocol):
    """One who writes through the journal."""

    def leaving(self, batch: Batch) -> None:
        """Add to the batch what has waited for one; it is about to leave."""
        ...

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """The batch is committed, or has failed as a whole. Those who await it do not know yet.

        On a full disk removals may have succeeded in a batch that failed; then it lists them no more.
        """
        ...

    def closing(self, batch: Batch) -> None:
        """Add what is to be true on the disk after an orderly end; this is the last batch."""
        ...


class Meter:
    """What is worth counting; read it, do not write."""

    __slots__ = ("buckets", "commits", "failures", "latency", "rows", "seconds")

    def __init__(self) -> None:
        self.commits = 0  # batches committed
        self.failures = 0  # batches that failed
        self.rows = 0  # rows written and deleted by the batches committed
        self.seconds = 0.0  # sum of their latencies, from leaving to settlement
        self.latency = 0.0  # the latest one
        self.buckets = [0] * (len(BUCKETS) + 1)  # how many were at most BUCKETS[i]; the last: above all

    def count(self, batch: Batch) -> None:
        """Note a committed batch."""
        self.latency = latency = perf_counter() - batch.began
        self.commits += 1
        self.rows += batch.rows
        self.seconds += latency
        for number, bound in enumerate(BUCKETS):
            if latency <= bound:
                self.buckets[number] += 1
                return
        self.buckets[-1] += 1


class Journal:
    """The open batch, the batch under way, and the thread that commits it.

    Many fields: two threads hand a batch to each other, and each step of that is a field.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        loop: asyncio.AbstractEventLoop,
        room: Room,
        loss: Callable[[], str],
    ) -> None:
        """`loss`: says whether what is committed is being lost, as a clause; empty if not."""
        self.meter = Meter()
        self.open: Batch | None = None  # gathers; None when nothing has come since the last one left
        self.closed = False  # set by `close`, before anything else
        self._connection = connection  # the writer thread's while `_flight` is set
        self._room = room  # likewise
        self._loss = loss
        self._glanced = 0.0  # when `_loss` was last asked (perf_counter)
        self._trouble = ""  # why the last commit that showed it failed; empty after one that succeeded
        self._loop = loop
        self._parties: list[Party] = []
        self._flight: Batch | None = None  # being committed
        self._sealed = False  # the open batch may leave as soon as `_flight` is settled
        self._attending = False  # a call of `_attend` is under way
        self._later: asyncio.TimerHandle | None = None  # opens a batch for what is not in a hurry
        self._last: Batch | None = None  # set by `close`: the batch after which nothing comes
        self._ended: asyncio.Future[None] = loop.create_future()  # `_last` is settled
        self._committed = threading.Lock()  # held, but for the moment between a commit and its settlement
        self._committed.acquire()
        self._inbox: SimpleQueue[Batch | None] = SimpleQueue()  # None: end
        self._thread = threading.Thread(target=self._work, name="signalpost-journal", daemon=True)
        self._thread.start()

    @property
    def queued(self) -> int:
        """Rows that wait for their commit."""
        waiting = 0 if self._flight is None else self._flight.rows
        return waiting if self.open is None else waiting + _rows(self.open)

    def join(self, party: Party) -> None:
        """Ask and tell this party too."""
        self._parties.append(party)

    def batch(self) -> Batch:
        """The batch that gathers now; it leaves at the end of this tick, or after the one under way."""
        if self.open is not None:
            return self.open
        if self.closed:
            raise Unavailable("the store is closed")
        self.open = Batch()
        self._loop.call_soon(self._seal)
        return self.open

    def probe(self) -> None:
        """Have a commit try whether commits succeed, unless one is under way that shows it."""
        if self.open is None and self._flight is None and not self.closed:
            self.batch().probing = True

    def trouble(self) -> str:
        """Why commits do not succeed at present, as a clause; empty if they do."""
        if self._flight is not None and perf_counter() - self._flight.began > _HUNG:
            return f"a commit takes longer than {_HUNG:g} s"
        return self._trouble

    def failed(self, error: Exception) -> None:
        """Note that a commit has failed which was none of the batches, before there was any."""
        if lacks_room(error):
            self._room.give_up(self._connection)
        self._trouble = str(error)

    def later(self) -> None:
        """See to it that a batch leaves soon, with or without appends."""
        if self.open is None and self._later is None and not self.closed:
            self._later = self._loop.call_later(_LATER, self._open_late)

    async def flush(self) -> None:
        """Wait until all that was appended is committed, or has failed. Await it in a task."""
        batch = self.open or self._flight
        if batch is None:
            return
        settled = self._loop.create_future()
        batch.when_settled(lambda: settled.set_result(None))
        await settled

    async def close(self) -> None:
        """Commit what has gathered and end the thread. Await it in a task."""
        if self.closed:
            return
        self.closed = True
        if self._later is not None:
            self._later.cancel()
        self._last, self.open = self.open or Batch(), None
        for party in self._parties:
            party.closing(self._last)
        if self._flight is None:
            self._send(self._last)
        await self._ended
        self._inbox.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    # --- the loop's side --------------------------------------------------------------------------

    def _open_late(self) -> None:
        self._later = None
        if not self.closed:
            self.batch()

    def _seal(self) -> None:
        if self._flight is not None:
            self._sealed = True
        else:
            self._send_open()

    def _send_open(self) -> None:
        batch, self.open, self._sealed = self.open, None, False
        if batch is not None:
            self._send(batch)

    def _send(self, batch: Batch) -> None:
        for party in self._parties:
            party.leaving(batch)
        batch.rows = _rows(batch)
        batch.began = perf_counter()
        self._flight = batch
        self._inbox.put(batch)
        if not self._attending:
            self._attending = True
            self._loop.call_later(_PATIENCE, self._attend)

    def _attend(self) -> None:
        """Give the GIL to a commit that takes long, once a tick until it is over."""
        batch = self._flight
        if batch is None:
            self._attending = False
            return
        left = batch.began + _PATIENCE - perf_counter()
        if left > 0:
            self._loop.call_later(left, self._attend)
            return
        if self._committed.acquire(timeout=_HANDOVER):
            self._settle(batch)
        self._loop.call_soon(self._attend)

    def _landed(self, batch: Batch) -> None:
        if self._flight is batch:
            self._committed.acquire()
            self._settle(batch)

    def _settle(self, batch: Batch) -> None:
        self._flight = None
        failure = self._outcome(batch)
        if failure is None:
            self.meter.count(batch)
        else:
            self.meter.failures += 1
        for party in self._parties:
            party.settled(batch, failure)
        # The next one leaves before those who waited go on: its commit and their work overlap.
        if self._last is not None and batch is not self._last:
            self._send(self._last)
        elif self._sealed:
            self._send_open()
        for rows in (batch.items, batch.receipts, batch.appended, batch.noted):
            rows.clear()  # whoever still holds the batch needs its outcome only
        if batch is self._last:
            self._ended.set_result(None)
        batch.settle(failure)

    def _outcome(self, batch: Batch) -> Unavailable | None:
        """What becomes of those who wait for a batch that has been tried."""
        now = perf_counter()
        if now >= self._glanced + _GLANCE:
            self._glanced = now
            if loss := self._loss():
                self._glanced = 0.0  # it may be found again: look each time
                return Uncertain(loss)
        if batch.failure is None:
            # A full disk may have room for removals alone: they show nothing.
            if batch.probing or any((batch.items, batch.records, *_changes(batch))):
                self._trouble = ""
            return None
        self._trouble = str(batch.failure)
        kind = Uncertain if is_uncertain(batch.failure) else Unavailable
        return kind(f"the commit failed: {batch.failure}")

    # --- the thread's side ------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            batch = self._inbox.get()
            if batch is None:
                return
            try:
                self._room.ask_again(self._connection)
                _commit(self._connection, batch)
            except Exception as failure:
                batch.failure = failure
                if lacks_room(failure):
                    self._remove(batch)
            self._committed.release()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._landed, batch)

    def _remove(self, batch: Batch) -> None:
        """The disk is full: make room as far as the batch does, and strike that off it."""
        self._room.give_up(self._connection)
        with contextlib.suppress(sqlite3.Error):  # what is left on it is tried again with the next one
            for rows, statement in (
                (batch.gone_items, _DELETE_ITEMS),
                (batch.gone_receipts, _DELETE_RECEIPTS),
            ):
                while rows:
                    self._connection.execute(statement, (_json(rows[:_PIECE]),))
                    del rows[:_PIECE]


def _rows(batch: Batch) -> int:
    return (
        len(batch.items) // _ITEMS.columns
        + len(batch.receipts) // _RECEIPTS.columns
        + len(batch.gone_items)
        + len(batch.gone_receipts)
        + len(batch.records)
        + len(batch.bared)
        + sum(map(len, batch.fields.values()))
        + sum(map(len, _changes(batch)))
        + len(batch.meta)
    )


def _changes(batch: Batch) -> tuple[Collection[object], ...]:
    """What is put or deleted by its key, but for records."""
    return batch.attributes, batch.names, batch.timers


def _commit(connection: sqlite3.Connection, batch: Batch) -> None:
    statements = list(_statements(batch))
    if batch.probing and not statements:
        for probe in _PROBES:
            connection.execute(probe)
        return
    alone = len(statements) == 1  # then it is a transaction of its own, in one step
    try:
        if not alone:
            connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(*statement)
        if not alone:
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _statements(batch: Batch) -> Iterator[tuple[str, Any]]:
    yield from _inserts(_ITEMS, batch.items)
    yield from _inserts(_RECEIPTS, batch.receipts)
    if batch.gone_items:
        yield _DELETE_ITEMS, (_json(batch.gone_items),)
    if batch.gone_receipts:
        yield _DELETE_RECEIPTS, (_json(batch.gone_receipts),)
    if batch.records:
        kept: list[Any] = []
        for key, record in batch.records.items():
            if record is None:
                yield _DELETE_RECORD, (key,)
            else:
                kept += (key, *record)
        yield from _inserts(_RECORDS, kept)
    if batch.bared:
        yield _DELETE_FIELDS, (json.dumps(list(batch.bared)),)
    if batch.fields:
        yield from _inserts(
            _FIELDS,
            [each for key, held in batch.fields.items() for pair in held.items() for each in (key, *pair)],
        )
    if batch.attributes or batch.names or batch.timers:
        yield from _changed(batch)
    for name, number in batch.meta.items():
        yield _META, (name, number)


def _changed(batch: Batch) -> Iterator[tuple[str, Any]]:
    kept: list[Any] = []
    for pair, attribute in batch.attributes.items():
        if attribute is None:
            yield _DELETE_ATTRIBUTE, pair
        else:
            kept += (*pair, *attribute)
    yield from _inserts(_ATTRIBUTES, kept)
    kept = []
    for pair, value in batch.names.items():
        if value is None:
            yield _DELETE_NAME, pair
        else:
            kept += (*pair, value)
    yield from _inserts(_NAMES, kept)
    gone = [key for key, at in batch.timers.items() if at is None]
    if gone:
        yield _DELETE_TIMERS, (json.dumps(gone),)
    kept = [each for key, at in batch.timers.items() if at is not None for each in (key, at)]
    yield from _inserts(_TIMERS, kept)


def _inserts(table: Table, parameters: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    rows = len(parameters) // table.columns
    start = 0
    while start < rows:
        left = rows - start
        count = left if left <= _EXACT else min(_LARGEST, 1 << (left.bit_length() - 1))
        end = start + count
        yield _insert(table, count), parameters[start * table.columns : end * table.columns]
        start = end


@cache
def _insert(table: Table, rows: int) -> str:
    row = f"({', '.join('?' * table.columns)})"
    return table.insert + ", ".join([row] * rows) + table.known


def _json(rows: list[int]) -> str:
    return f"[{','.join(map(str, sorted(rows)))}]"  # neighbours together, so that a page is visited once
