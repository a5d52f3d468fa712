"""Queues in SQLite: the index in memory, the journal on disk.

It knows which rows and bodies are where, and what is under way. It refuses to know how a batch is
committed (`journal`) and what an index may do (`queues`).

Numbers. None may be used twice, whatever crashes: a number that a client has seen on an item
that was lost (not durable, held by a process that was then killed) must not come again on another. So
`meta.ceiling` is ahead of every number that anybody has been told: it is raised by a minute's worth
of numbers whenever the clock has used up half of that, and a number above the ceiling that is on the
disk is not told before a commit has raised it. After a restart every queue, old or new, goes on above
the ceiling, or at the clock if that is later; a clock that was set back meanwhile changes nothing. While
no commit succeeds, the ceiling stays where it is, and so does what is told of queues without items. An
orderly end lowers the ceiling to the highest number in use. The numbers of a commit that failed are
burnt, and rows that are deleted after a trim may come back in a crash, which repeats items, not numbers.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from typing import Final

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import Clock, Item, Pending, Unavailable, Uncertain
from signalpost.engine.ports.kept import Append
from signalpost.engine.queues import MemoryQueues, Queue, Stored
from signalpost.engine.receipts import LOST, Receipt
from signalpost.engine.store import Store

__all__ = ["SqliteQueues"]

_AHEAD: Final = 60_000_000  # numbers by which the ceiling is raised: a minute of the clock
_COMMIT: Final = 1_000  # numbers of one queue that the steps of one commit use at most
_DELETIONS: Final = 1024  # rows of each journal table that one batch deletes at least


class SqliteQueues(MemoryQueues):
    """The queues: an index in memory, bodies in memory up to a budget, a journal on disk.

    Many fields: what is on the disk, and what of it is in memory, is one truth.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        body_budget: int = 128 * 1024 * 1024,
        idle_seconds: float = 3600.0,
    ) -> None:
        """Load the index; raises StoreError (close the store then).

        `body_budget`: bytes of durable bodies that are kept in memory.
        """
        super().__init__(clock=clock, idle_seconds=idle_seconds)
        self._store = store
        self._journal: Journal = store.journal
        self._body_budget = body_budget
        self.body_bytes = 0  # bytes of durable bodies in memory
        self._resident: OrderedDict[int, Stored] = (
            OrderedDict()
        )  # by row, whose bodies those are, oldest first
        self._row = 0  # highest row of `items` given
        self._receipt_row = 0  # highest row of `receipts` given
        self._trash: list[int] = []  # rows of `items` that the next batch deletes
        self._renewal = 0  # a number above it asks for a higher ceiling
        with store.loading():
            self._epoch = store.opened.epoch
            self._restore()
        self._journal.join(self)

    # --- at start ---------------------------------------------------------------------------------

    def _restore(self) -> None:
        now = self._clock()
        stored = int(self._store.meta("ceiling") or 0)
        rows = self._store.reader.execute("SELECT id, queue, seq, size, expires, part FROM items ORDER BY id")
        parts: dict[str, str] = {}  # each text once, however many items bear it
        for row, key, seq, size, expires, part in rows:
            self._row = row
            self._floor = max(self._floor, seq)
            if expires <= now:
                self._trash.append(row)
                continue
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = Queue(seq, now)
            part = parts.setdefault(part, part)
            if part:
                total = self._sources.setdefault(part, [0, 0])
                total[0] += 1
                total[1] += size
            item = Stored(seq, size, expires, None, part, row)
            queue.items.append(item)
            queue.size += size
            queue.soonest = min(queue.soonest, expires)
            self.items += 1
        self._floor = max(self._floor, stored)
        for key, queue in self._queues.items():
            queue.last, queue.next = self._floor, self._floor + 1
            self._look_at(key, queue, min(queue.soonest, now + self._idle_seconds))
        self._restore_receipts(now)
        ceiling = max(self._floor, int(now * 1000) * 1000) + _AHEAD
        # On a full disk inboxes are read all the same, and whatever needs a higher number fails.
        self._ceiling = ceiling if self._store.note("ceiling", ceiling) else self._floor
        self._renewal = self._ceiling - _AHEAD // 2

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

    def _keep(self, queue: Queue, item: Stored, step: Append, receipt: Receipt | None) -> Pending | None:
        seq = item.seq
        journal = self._journal
        if seq > self._renewal:
            _raise_to(seq + _AHEAD, journal.batch())
        if step.durable:
            batch = journal.open or journal.batch()
            self._row = item.row = self._row + 1
            batch.items += (item.row, step.key, seq, step.size, item.expires, step.body, step.source)
            if receipt is not None:
                self._receipt_row = receipt.row = self._receipt_row + 1
                batch.receipts += (
                    receipt.row,
                    step.key,
                    step.dedupe,
                    seq,
                    step.note,
                    receipt.expires,
                )
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
            batch.noted.append(((step.key, step.dedupe), receipt))
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

    def held_back(self, step: Append) -> Pending | None:
        """See `MemoryQueues.held_back`: a number above the ceiling may come to nothing."""
        queue = self._queues.get(step.key) or self._begin(step.key, self._clock())
        if step.durable or queue.next + _COMMIT <= self._ceiling:
            return None
        batch = self._journal.batch()
        _raise_to(queue.next + _AHEAD, batch)
        return batch

    async def sweep(self) -> int:
        """See `MemoryQueues.sweep`."""
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
        self._empty_trash(batch, max(_DELETIONS, len(batch.items) // 2))

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        if failure is not None:
            if isinstance(failure, Uncertain):
                self._trash += [item.row for _, item in batch.appended if item.row]
            self._undo(batch)
        else:
            self._confirm(batch)
        left = max(len(self._trash), len(self._receipts.gone_rows))
        if left >= _DELETIONS and failure is None and not self._journal.closed:
            self._journal.batch()
        elif left:
            self._journal.later()

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
        self._empty_trash(batch, max(len(self._trash), len(self._receipts.gone_rows)))
        ends = (queue.next - 1 for queue in self._queues.values())
        self._floor = max([self._floor, *ends, *self._told.values()])
        self._ceiling = batch.meta["ceiling"] = self._floor

    def _empty_trash(self, batch: Batch, limit: int) -> None:
        rows, receipts = self._trash, self._receipts.gone_rows
        batch.gone_items += rows[:limit]
        batch.gone_receipts += receipts[:limit]
        del rows[:limit], receipts[:limit]

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
                if item in queue.items:  # one with a mark may have been removed meanwhile
                    queue.items.remove(item)
                    super()._discard(queue, [item])
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
