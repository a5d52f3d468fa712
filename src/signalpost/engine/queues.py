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
from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from itertools import islice
from math import inf
from operator import attrgetter

import msgspec

from signalpost.engine.ports import Appended, Clock, Full, Head, Item, Pending, Unavailable
from signalpost.engine.ports.kept import (
    Append,
    HeadOf,
    Marked,
    Marks,
    Remove,
    RemoveMarked,
    Stretch,
    Trim,
)
from signalpost.engine.receipts import LOST, Receipt, Receipts

__all__ = ["MemoryQueues", "Queue", "Stored", "settled"]

_SWEEP = 4096  # queues that one sweep looks at, receipts that it forgets
_LOOKS = 4  # queues that are looked at for each that comes, so that those that are over never pile up
_AGAIN = 1.0  # seconds until a queue is looked at again, at least
_PASS = 64  # removing one item of so many one by one costs less than to go through all of them

_by_seq = attrgetter("seq")


class Stored(msgspec.Struct, gc=False, eq=False):
    """One item of the index."""

    seq: int
    size: int
    expires: float
    body: bytes | None  #: None when it is on the disk only
    source: str = ""  #: what it has in common with others, "" for nothing
    row: int = 0  #: its row in the journal: 0 not durable, LOST when its commit failed


class Held:
    """What a queue holds of one source."""

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

    __slots__ = ("barrier", "items", "last", "look", "marks", "next", "parts", "size", "soonest", "touched")

    def __init__(self, base: int, now: float) -> None:
        self.items: list[Stored] = []  # ascending; those above `last` are not visible yet
        self.last = base  # highest visible number
        self.next = base + 1  # number of the next append
        self.size = 0  # sum over `items`
        self.soonest = inf  # nothing ends before this time; may be too early, never too late
        self.touched = now  # when it was last used: an empty one is forgotten some time after
        self.look = inf  # when it is next looked at, to let go of what is over, or of itself
        self.barrier: Pending | None = None  # the latest commit that one of `items` waits for
        self.marks: dict[int, str] | None = None  # of those of `items` that bear one; made with the first
        # What `items` hold of each part; None until they are so many that it matters.
        self.parts: dict[str, Held] | None = None

    def part(self, source: str) -> Held:
        """What `items` hold of a source, to be counted up; it is kept up until all of them have left."""
        if self.parts is None:
            self.parts = {}
            for item in self.items:
                if item.source:
                    self.part(item.source).add(item.size)
        held = self.parts.get(source)
        if held is None:
            held = self.parts[source] = Held()
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
                held = parts.get(item.source)
                if held is None:
                    continue
                held.items -= 1
                held.size -= item.size
                if not held.items:
                    del parts[item.source]


class MemoryQueues:
    """The queues. A subclass that stores overrides the hooks at the end."""

    def __init__(self, *, clock: Clock, idle_seconds: float = 3600.0) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._epoch = secrets.token_hex(8)
        self._queues: dict[str, Queue] = {}
        # Where queues that are not there will begin, as somebody was told; ascending.
        self._told: dict[str, int] = {}
        # A heap: when to look at a queue. The valid entry of each is the one for its `look`.
        self._looks: list[tuple[float, str]] = []
        # What all queues hold of each source: [items, sum of their sizes]. A list, as it changes twice
        # a message.
        self._sources: dict[str, list[int]] = {}
        self._receipts = Receipts()
        self._floor = 0  # highest number of all queues that are not in `_queues`
        self._ceiling: float = inf  # numbers above it may not be shown to anybody yet
        self.items = 0  # items in all queues

    def __len__(self) -> int:
        return len(self._queues)

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._epoch

    # --- appending ----------------------------------------------------------------------------------

    def check(self, step: Append, now: float, earlier: Sequence[object]) -> None:
        """Raise Full if there is no room for the step, with that of those `earlier` in its commit counted."""
        queue = self._queues.get(step.key) or self._begin(step.key, now)
        queue.touched = now
        self._require_room(queue, step, now, earlier)

    def append(self, step: Append, now: float) -> tuple[Appended, Pending | None, Stored | Receipt]:
        """Append, unless it was done before; the result, what is to be waited for, and whose `row` is LOST if
        that comes to nothing. Raises Full, with nothing done."""
        key, dedupe = step.key, step.dedupe
        receipt: Receipt | None = None
        if dedupe:
            receipt = self._receipts.find((key, dedupe), now)
            if receipt is not None:
                return Appended(receipt.seq, receipt.note, True), receipt.waiting, receipt
        queue = self._queues.get(key)
        if queue is None:
            queue = self._begin(key, now)
        queue.touched = now
        size, source, bounds = step.size, step.source, step.bounds
        count, held, total = len(queue.items), queue.size + size, self._sources.get(source)
        if (
            count >= bounds.max_items
            or held > bounds.max_size
            or queue.parts is not None
            or (source and (count >= bounds.part_items or held > bounds.part_size))
            or (total is not None and (total[0] >= bounds.all_items or total[1] + size > bounds.all_size))
        ):  # it may well be that there is none
            self._require_room(queue, step, now, ())
            total = self._sources.get(source)
        seq, expires = queue.next, now + bounds.ttl
        item = Stored(seq, size, expires, step.body, source)
        if dedupe:
            receipt = Receipt(seq, step.note, now + bounds.dedupe_ttl)
        waiting = self._keep(queue, item, step, receipt)  # it may raise, so that nothing is changed before
        if receipt is not None:
            self._receipts.add((key, dedupe), receipt, ttl=bounds.dedupe_ttl, now=now)
        if source:
            if total is None:
                self._sources[source] = [1, size]
            else:
                total[0] += 1
                total[1] += size
            if queue.parts is not None:
                queue.part(source).add(size)
        queue.next = seq + 1
        queue.items.append(item)
        queue.size += size
        if expires < queue.soonest:
            queue.soonest = expires
            if expires < queue.look:
                self._look_at(key, queue, expires)
        self.items += 1
        if step.mark:
            assert not step.durable, "marks are kept in memory only"
            queue.marks = queue.marks or {}
            queue.marks[seq] = step.mark
        return Appended(seq, step.note, False), waiting, item

    def receipt(self, key: str, dedupe: str) -> Receipt | None:
        """What an append with this dedupe key has done, or is doing."""
        return self._receipts.find((key, dedupe), self._clock())

    def held_back(self, step: Append) -> Pending | None:
        """What must be waited for before this one, which is not durable, can be appended with other steps."""
        return None

    # --- reading and removing -----------------------------------------------------------------------

    def stretch(self, ask: Stretch) -> list[Item]:
        """See `Stretch`."""
        queue = self._queues.get(ask.key)
        if queue is None or ask.limit <= 0:
            return []
        self._refresh(queue)
        start = bisect_right(queue.items, ask.after, key=_by_seq)
        found = queue.items[start : start + ask.limit]
        while found and found[-1].seq > queue.last:
            found.pop()
        return self._load(found)

    def stand(self, ask: HeadOf) -> Head:
        """See `HeadOf`."""
        queue = self._queues.get(ask.key)
        if queue is None:  # none is made for who only asks, as every login does
            base = self._told.get(ask.key) or self._tell(ask.key)
            return Head(base, base, 0)
        self._refresh(queue)
        items, last = queue.items, queue.last
        if not items:
            return Head(last, last, 0)
        count = len(items) if items[-1].seq <= last else bisect_right(items, last, key=_by_seq)
        return Head(min(items[0].seq - 1, last), last, count)

    def trim_to(self, step: Trim) -> None:
        """See `Trim`."""
        upto = step.upto
        queue = self._queues.get(step.key)
        if queue is None or upto > queue.last:
            return
        end = bisect_right(queue.items, upto, key=_by_seq)
        if end:
            gone = queue.items[:end]
            del queue.items[:end]
            self._discard(queue, gone)

    def take_out(self, step: Remove) -> list[int]:
        """See `Remove`."""
        queue = self._queues.get(step.key)
        if queue is None:
            return []
        self._refresh(queue)
        return self._take_out(queue, {seq for seq in step.seqs if seq <= queue.last})

    def take_marked(self, step: RemoveMarked) -> list[int]:
        """See `RemoveMarked`."""
        marks = step.marks
        queue = self._queues.get(step.key)
        if queue is None or not queue.marks:
            return []
        self._refresh(queue)
        return self._take_out(
            queue, {seq for seq, mark in queue.marks.items() if marks is None or mark in marks}
        )

    def count_marked(self, ask: Marked) -> int:
        """See `Marked`."""
        queue = self._queues.get(ask.key)
        if queue is None or not queue.marks:
            return 0
        now = self._clock()
        if queue.soonest <= now:
            self._purge(queue, now)
        return len(queue.marks)

    def marks_of(self, ask: Marks) -> Collection[str]:
        """See `Marks`."""
        queue = self._queues.get(ask.key)
        if queue is None or not queue.marks:
            return ()
        self._refresh(queue)
        return frozenset(queue.marks.values())

    async def sweep(self) -> int:
        """Drop some of what is over its time, forget some idle queues and receipts; returns how many went.

        0 if there are no more.
        """
        now = self._clock()
        return self._look(now, _SWEEP) + self._untell(now, _SWEEP) + self._receipts.expire(now, _SWEEP)

    # --- the index --------------------------------------------------------------------------------

    def _begin(self, key: str, now: float) -> Queue:
        self._look(now, _LOOKS)
        queue = Queue(self._told.pop(key, 0) or self._base(now), now)
        if queue.last > self._ceiling:  # while no commit raises it; what comes is numbered above both
            queue.last = int(self._ceiling)
        self._queues[key] = queue
        self._look_at(key, queue, now + self._idle_seconds)
        return queue

    def _base(self, now: float) -> int:
        """Behind which number a queue begins now."""
        return max(int(now * 1000) * 1000, self._floor)

    def _tell(self, key: str) -> int:
        """Behind which number a queue that is not there will begin."""
        base = self._base(self._clock())
        if base > self._ceiling:
            return int(self._ceiling)  # as in `_begin`; nobody is promised the next one
        self._told[key] = base
        return base

    def _untell(self, now: float, limit: int) -> int:
        """Forget up to `limit` numbers that were told as long ago as a queue may be idle."""
        horizon = (now - self._idle_seconds) * 1_000_000
        over = [key for key, base in islice(self._told.items(), limit) if base <= horizon]
        for key in over:
            del self._told[key]
        return len(over)

    def _look_at(self, key: str, queue: Queue, when: float) -> None:
        queue.look = when
        heappush(self._looks, (when, key))

    def _look(self, now: float, limit: int) -> int:
        """Let go of what is over in up to `limit` queues, and of idle ones; returns how many went.

        Each comes by when something in it ends, and once in the time after which it would be idle.
        """
        looks, count, gone = self._looks, 0, 0
        while max(count, gone) < limit and looks and looks[0][0] <= now:
            when, key = heappop(looks)
            queue = self._queues.get(key)
            if queue is None or queue.look != when:  # it is gone, or looked at earlier
                continue
            count += 1
            if queue.soonest <= now:
                gone += self._purge(queue, now)
            idle = queue.touched + self._idle_seconds
            if queue.items:
                self._look_at(key, queue, max(min(queue.soonest, now + self._idle_seconds), now + _AGAIN))
            elif idle > now:
                self._look_at(key, queue, idle)
            else:
                self._floor = max(self._floor, queue.next - 1)
                del self._queues[key]
                gone += 1
        return gone

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

    def _require_room(self, queue: Queue, step: Append, now: float, earlier: Sequence[object]) -> None:
        """Raise Full if there is no room for the step, with that of those `earlier` in its commit counted."""
        bounds = step.bounds
        same = [each for each in earlier if type(each) is Append and each.key == step.key] if earlier else ()
        items = len(queue.items) + len(same)
        size = queue.size + sum([each.size for each in same]) + step.size
        if items >= bounds.max_items or size > bounds.max_size:
            if queue.soonest <= now and self._purge(queue, now):
                self._require_room(queue, step, now, earlier)
                return
            raise Full(step.key, step=step)
        if step.source:
            if queue.parts is not None or items >= bounds.part_items > 0 or size > bounds.part_size > 0:
                self._check_part(queue, step, now, earlier)
            self._check_source(step, now, earlier)

    def _check_part(self, queue: Queue, step: Append, now: float, earlier: Sequence[object]) -> None:
        """Raise Full if the queue holds too much of the source."""
        source, bounds = step.source, step.bounds
        held = queue.part(source)
        more = [
            each
            for each in earlier
            if type(each) is Append and each.key == step.key and each.source == source
        ]
        items, size = held.items + len(more), held.size + sum([each.size for each in more]) + step.size
        if items >= bounds.part_items > 0 or size > bounds.part_size > 0:
            if queue.soonest <= now and self._purge(queue, now):
                self._check_part(queue, step, now, earlier)
                return
            if not held.items and queue.parts is not None:
                del queue.parts[source]
            raise Full(step.key, part=source, step=step)

    def _check_source(self, step: Append, now: float, earlier: Sequence[object]) -> None:
        """Raise Full if all queues hold too much of the source."""
        bounds = step.bounds
        for _ in range(2):  # the second time without what is over
            total = self._sources.get(step.source)
            more = [each for each in earlier if type(each) is Append and each.source == step.source]
            items, size = len(more), sum([each.size for each in more]) + step.size
            if total is not None:
                items, size = items + total[0], size + total[1]
            if not (items >= bounds.all_items > 0 or size > bounds.all_size > 0):
                return
            self._look(now, _SWEEP)
        raise Full(step.key, charge=step.source, step=step)

    # --- hooks of a variant that stores -----------------------------------------------------------

    def _keep(self, queue: Queue, item: Stored, step: Append, receipt: Receipt | None) -> Pending | None:
        """Make the item visible now, or return what will. It is not in the queue yet."""
        queue.last = item.seq
        return None

    def _load(self, found: list[Stored]) -> list[Item]:
        """The items with their bodies."""
        return [Item(item.seq, item.body) for item in found if item.body is not None]

    def _discard(self, queue: Queue, gone: list[Stored]) -> None:
        """Account for items that have just left the index."""
        queue.let_go(gone)
        self.items -= len(gone)
        for item in gone:
            source = item.source
            if source:
                total = self._sources[source]
                if total[0] == 1:
                    del self._sources[source]
                else:
                    total[0] -= 1
                    total[1] -= item.size


async def settled(receipt: Receipt) -> None:
    """Wait until what the receipt is of is done; raises Unavailable if it came to nothing."""
    if receipt.waiting is not None:
        try:
            await receipt.waiting
        except Unavailable:
            if receipt.row == LOST:
                raise
