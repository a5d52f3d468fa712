"""Ordered queues: the index in memory that every embedded variant shares.

It knows numbers, sizes, ends and what is visible. It refuses to know what a body says and how a
journal works: a subclass that stores tells it, through a few hooks, what an append must wait for.

Numbers. A queue begins at the clock's milliseconds x 1000, or at the floor if that is higher, and counts
on from there. The floor is the highest number that a forgotten queue had, so that a queue which comes
back never repeats one, whatever the clock does meanwhile.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from math import inf
from operator import attrgetter

import msgspec

from signalpost.engine.ports import Appended, Clock, Full, Head, Item, Pending, Unavailable
from signalpost.engine.receipts import LOST, Ident, Receipt, Receipts
from signalpost.engine.rounds import Rounds

__all__ = ["MemoryQueues", "Queue", "Stored"]

_SWEEP = 4096  # queues that one sweep looks at, items and receipts that it drops, about
_PASS = 64  # removing one item of so many one by one costs less than to go through all of them

_by_seq = attrgetter("seq")


class Stored(msgspec.Struct, gc=False, eq=False):
    """One item of the index."""

    seq: int
    size: int
    expires: float
    body: bytes | None  #: None when it is on the disk only
    part: str = ""  #: what it has in common with others of its queue, "" for nothing
    row: int = 0  #: its row in the journal: 0 not durable, LOST when its commit failed


class Held:
    """What a queue holds of one part."""

    __slots__ = ("items", "size")

    def __init__(self) -> None:
        self.items = 0
        self.size = 0  # sum over them

    def add(self, size: int) -> None:
        """One more is there."""
        self.items += 1
        self.size += size


class Queue:
    """One queue of the index."""

    __slots__ = ("barrier", "items", "last", "marks", "next", "parts", "size", "soonest", "touched")

    def __init__(self, base: int, now: float) -> None:
        self.items: list[Stored] = []  # ascending; those above `last` are not visible yet
        self.last = base  # highest visible number
        self.next = base + 1  # number of the next append
        self.size = 0  # sum over `items`
        self.soonest = inf  # nothing ends before this time; may be too early, never too late
        self.touched = now  # when it was last used: an empty one is forgotten some time after
        self.barrier: Pending | None = None  # the latest commit that one of `items` waits for
        self.marks: dict[int, str] | None = None  # of those of `items` that bear one; made with the first
        # What `items` hold of each part; None until they are so many that it matters.
        self.parts: dict[str, Held] | None = None

    def part(self, part: str) -> Held:
        """What `items` hold of a part, to be counted up; it is kept up until all of them have left."""
        if self.parts is None:
            self.parts = {}
            for item in self.items:
                if item.part:
                    self.part(item.part).add(item.size)
        held = self.parts.get(part)
        if held is None:
            held = self.parts[part] = Held()
        return held

    def let_go(self, gone: list[Stored]) -> None:
        """Account for items that have just left."""
        marks, parts = self.marks, self.parts
        if not self.items:  # the everyday case: all of it was taken
            self.size = 0
            if marks:
                marks.clear()
            self.parts = None
            return
        self.size -= sum([item.size for item in gone])
        if marks:
            for item in gone:
                marks.pop(item.seq, None)
        if parts:
            for item in gone:
                held = parts.get(item.part)
                if held is None:
                    continue
                held.items -= 1
                held.size -= item.size
                if not held.items:
                    del parts[item.part]


class MemoryQueues:
    """The port `Queues`."""

    def __init__(self, *, clock: Clock, idle_seconds: float = 3600.0) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._epoch = secrets.token_hex(8)
        self._queues: dict[str, Queue] = {}
        self._rounds = Rounds(self._queues)
        self._receipts = Receipts()
        self._floor = 0  # highest number of all queues that are not in `_queues`
        self._ceiling: float = inf  # numbers above it may not be shown to anybody yet
        self.items = 0  # items in all queues

    @property
    def epoch(self) -> str:
        """See `Queues.epoch`."""
        return self._epoch

    async def append(
        self,
        key: str,
        body: bytes,
        *,
        size: int,
        ttl: float,
        max_items: int,
        max_size: int,
        durable: bool,
        part: str = "",
        part_items: int = 0,
        part_size: int = 0,
        note: str = "",
        mark: str = "",
        dedupe: str = "",
        dedupe_ttl: float = 0.0,
    ) -> Appended:
        """See `Queues.append`."""
        assert not (mark and durable), "marks are kept in memory only"
        now = self._clock()
        receipt: Receipt | None = None
        if dedupe:
            receipt = self._receipts.find((key, dedupe), now)
            if receipt is not None:
                return await self._repeat(receipt)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._begin(key, now)
        if len(queue.items) >= max_items or queue.size + size > max_size:
            self._make_room(key, queue, now, size, max_items, max_size)
        held: Held | None = None
        if part and (
            queue.parts is not None or len(queue.items) >= part_items or queue.size + size > part_size
        ):
            held = self._make_room_for(key, queue, now, part, size, part_items, part_size)
        seq = queue.next
        expires = now + ttl
        item = Stored(seq, size, expires, body, part)
        if dedupe:
            receipt = Receipt(seq, note, now + dedupe_ttl)
        waiting = self._keep(key, queue, item, (key, dedupe), receipt, durable)
        queue.next = seq + 1
        queue.items.append(item)
        queue.size += size
        if held is not None:
            held.add(size)
        queue.touched = now
        if expires < queue.soonest:
            queue.soonest = expires
        self.items += 1
        if mark:
            queue.marks = queue.marks or {}
            queue.marks[seq] = mark
        if receipt is not None:
            self._receipts.add((key, dedupe), receipt, ttl=dedupe_ttl, now=now)
        if waiting is not None:
            try:
                await waiting
            except Unavailable:
                if item.row == LOST:
                    raise
        return Appended(seq, note, False)

    async def appended(self, key: str, dedupe: str) -> Appended | None:
        """See `Queues.appended`."""
        receipt = self._receipts.find((key, dedupe), self._clock())
        return None if receipt is None else await self._repeat(receipt)

    async def read(self, key: str, *, after: int, limit: int) -> list[Item]:
        """See `Queues.read`."""
        queue = self._queues.get(key)
        if queue is None or limit <= 0:
            return []
        self._refresh(queue)
        start = bisect_right(queue.items, after, key=_by_seq)
        found = queue.items[start : start + limit]
        while found and found[-1].seq > queue.last:
            found.pop()
        return self._load(found)

    async def head(self, key: str) -> Head:
        """See `Queues.head`."""
        queue = self._queues.get(key)
        if queue is None:
            queue = self._begin(key, self._clock())
        self._refresh(queue)
        items, last = queue.items, queue.last
        if not items:
            return Head(last, last, 0)
        count = len(items) if items[-1].seq <= last else bisect_right(items, last, key=_by_seq)
        return Head(min(items[0].seq - 1, last), last, count)

    async def trim(self, key: str, *, upto: int) -> None:
        """See `Queues.trim`."""
        queue = self._queues.get(key)
        if queue is None or upto > queue.last:
            return
        end = bisect_right(queue.items, upto, key=_by_seq)
        if end:
            gone = queue.items[:end]
            del queue.items[:end]
            self._discard(queue, gone)

    async def remove(self, key: str, seqs: Iterable[int]) -> list[int]:
        """See `Queues.remove`."""
        queue = self._queues.get(key)
        if queue is None:
            return []
        self._refresh(queue)
        return self._take_out(queue, {seq for seq in seqs if seq <= queue.last})

    async def remove_marked(self, key: str, marks: Collection[str] | None) -> list[int]:
        """See `Queues.remove_marked`."""
        queue = self._queues.get(key)
        if queue is None or not queue.marks:
            return []
        self._refresh(queue)
        return self._take_out(
            queue, {seq for seq, mark in queue.marks.items() if marks is None or mark in marks}
        )

    async def marked(self, key: str) -> int:
        """See `Queues.marked`."""
        queue = self._queues.get(key)
        if queue is None or not queue.marks:
            return 0
        self._refresh(queue)
        return len(queue.marks)

    async def sweep(self) -> int:
        """See `Queues.sweep`."""
        now = self._clock()
        gone = 0
        for key in self._rounds.some(_SWEEP):
            queue = self._queues.get(key)
            if queue is None:
                continue
            if queue.soonest <= now:
                gone += self._purge(queue, now)
            if not queue.items and queue.touched + self._idle_seconds <= now:
                self._floor = max(self._floor, queue.next - 1)
                del self._queues[key]
            if gone >= _SWEEP:
                break
        self._receipts.expire(now, _SWEEP)
        return gone

    # --- the index --------------------------------------------------------------------------------

    def _begin(self, key: str, now: float) -> Queue:
        queue = Queue(max(int(now * 1000) * 1000, self._floor), now)
        if queue.last > self._ceiling:  # while no commit raises it; what comes is numbered above both
            queue.last = int(self._ceiling)
        self._queues[key] = queue
        return queue

    def _refresh(self, queue: Queue) -> None:
        """Note that the queue is used, and let go of what is over its time."""
        now = self._clock()
        queue.touched = now
        if queue.soonest <= now:
            self._purge(queue, now)

    def _purge(self, queue: Queue, now: float) -> int:
        # What is not visible yet stays, ended or not: its commit is under way and will look for it.
        last = queue.last
        gone = [item for item in queue.items if item.expires <= now and item.seq <= last]
        if gone:
            queue.items = [item for item in queue.items if item.expires > now or item.seq > last]
            self._discard(queue, gone)
        queue.soonest = min((item.expires for item in queue.items), default=inf)
        return len(gone)

    def _take_out(self, queue: Queue, wanted: set[int]) -> list[int]:
        """Remove those of these items that are there; returns them, ascending."""
        items = queue.items
        if len(wanted) * _PASS < len(items):
            gone = []
            for seq in sorted(wanted):
                at = bisect_left(items, seq, key=_by_seq)
                if at < len(items) and items[at].seq == seq:
                    gone.append(items.pop(at))
        else:
            gone = [item for item in items if item.seq in wanted]
            queue.items = [item for item in items if item.seq not in wanted]
        if gone:
            self._discard(queue, gone)
        return [item.seq for item in gone]

    def _make_room(
        self, key: str, queue: Queue, now: float, size: int, max_items: int, max_size: int
    ) -> None:
        if queue.soonest <= now:
            self._purge(queue, now)
        if len(queue.items) >= max_items or queue.size + size > max_size:
            raise Full(key)

    def _make_room_for(
        self, key: str, queue: Queue, now: float, part: str, size: int, part_items: int, part_size: int
    ) -> Held:
        held = queue.part(part)
        if (held.items >= part_items or held.size + size > part_size) and queue.soonest <= now:
            self._purge(queue, now)
            held = queue.part(part)
        if held.items >= part_items or held.size + size > part_size:
            if not held.items and queue.parts is not None:
                del queue.parts[part]
            raise Full(key, part)
        return held

    @staticmethod
    async def _repeat(receipt: Receipt) -> Appended:
        if receipt.waiting is not None:
            try:
                await receipt.waiting
            except Unavailable:
                if receipt.row == LOST:
                    raise
        return Appended(receipt.seq, receipt.note, True)

    # --- hooks of a variant that stores -----------------------------------------------------------

    def _keep(
        self, key: str, queue: Queue, item: Stored, ident: Ident, receipt: Receipt | None, durable: bool
    ) -> Pending | None:
        """Make the item visible now, or return what will. It is not in the index yet."""
        queue.last = item.seq
        return None

    def _load(self, found: list[Stored]) -> list[Item]:
        """The items with their bodies."""
        return [Item(item.seq, item.body) for item in found if item.body is not None]

    def _discard(self, queue: Queue, gone: list[Stored]) -> None:
        """Account for items that have just left the index."""
        queue.let_go(gone)
        self.items -= len(gone)
