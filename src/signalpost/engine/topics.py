"""Topics in process memory: members, attributes and a log of events, changed in one atomic step.

It knows names, tags, sequences and rates. It refuses to know what an event says and who listens where.

Sequences are times: an event's number is the clock's milliseconds x 1000, or one more than the
latest number of all topics if that is higher. So they ascend over all topics, over restarts too, and
tell how old an event is.
"""

from __future__ import annotations

import secrets
from array import array
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence
from itertools import islice

from signalpost.engine.ports import (
    AddMember,
    Change,
    Clock,
    DeleteAttribute,
    Edit,
    Event,
    Keep,
    Listener,
    Member,
    Pending,
    Rate,
    RateExceeded,
    RemoveMember,
    SetAttribute,
    Snapshot,
    TopicHead,
    Unavailable,
)
from signalpost.engine.receipts import Receipt, Receipts
from signalpost.engine.rounds import Rounds

__all__ = ["MemoryTopics", "Topic"]

_SWEEP = 4096  # topics and rates that one sweep looks at, receipts that it drops
_FADED = 1024  # numbers of dropped events that are let go of together
_FADED_SPAN = 240_000_000  # how long they are known at least: microseconds, as sequences count
_NO_PAST = Keep(seconds=0.0, events=0, size=0)


def _nobody(topic: str, seq: int, epoch: str, body: bytes) -> None:
    """Stand in for the listener until there is one."""


def _number(now: float) -> int:
    """The lowest sequence of this millisecond."""
    return int(now * 1000) * 1000


class Window:
    """The times of the admitted changes of one rate key."""

    __slots__ = ("span", "times")

    def __init__(self) -> None:
        self.span = 0.0  # seconds, as the latest `Rate` said
        self.times: deque[float] = deque()  # ascending; those older than `span` count no more


class Topic:
    """One topic."""

    __slots__ = (
        "added",
        "attributes",
        "epoch",
        "faded",
        "forgotten",
        "keep",
        "log",
        "members",
        "seq",
        "size",
        "span",
    )

    def __init__(self, seq: int) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = seq  # of the latest event; at first the latest of all topics
        self.members: dict[str, str] = {}  # name -> tag, oldest first
        self.attributes: dict[str, str] = {}
        self.added = 0  # members that came anew
        self.keep = _NO_PAST  # as the latest event said
        self.span = 0  # its seconds, as sequences count
        self.log: deque[Event] = deque()  # events that `read` can give, ascending
        self.size = 0  # bytes of `log`
        self.faded = array("q")  # numbers of events that left the log, ascending: to count the lost
        self.forgotten = (0, 0)  # how many left `faded` in turn, and the highest number among them

    def record(self, seq: int, body: bytes, keep: Keep | None) -> None:
        """Note an event; without `keep` it counts, but cannot be read."""
        self.seq = seq
        if keep is None:
            self.faded.append(seq)
            return
        if keep is not self.keep:
            self.keep = keep
            self.span = int(keep.seconds * 1_000_000)
        self.log.append(Event(seq, body))
        self.size += len(body)

    def fade(self, number: int) -> None:
        """Let go of events that may not be kept any longer; `number` tells the time."""
        log, keep = self.log, self.keep
        oldest = number - self.span
        while log and (len(log) > keep.events or self.size > keep.size or log[0][0] < oldest):
            seq, body = log.popleft()
            self.size -= len(body)
            if self.faded and seq < self.faded[-1]:
                insort(self.faded, seq)
            else:
                self.faded.append(seq)
        if len(self.faded) > _FADED:
            self._forget(number - max(2 * self.span, _FADED_SPAN))

    def lost(self, after: int) -> int:
        """How many events with a higher number cannot be read.

        Exact for an `after` within twice the time that events are kept; else all there ever were.
        """
        lost = len(self.faded) - bisect_right(self.faded, after)
        count, latest = self.forgotten
        return lost + count if after < latest else lost

    def _forget(self, oldest: int) -> None:
        end = bisect_right(self.faded, oldest)
        if end < _FADED:
            return
        self.forgotten = (self.forgotten[0] + end, self.faded[end - 1])
        del self.faded[:end]


class MemoryTopics:
    """The port `Topics`."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._topics: dict[str, Topic] = {}
        self._windows: dict[str, Window] = {}  # by rate key; idle ones go with the sweep
        self._receipts = Receipts()
        self._listener: Listener = _nobody
        self._seq = _number(clock())  # highest number given, over all topics
        self._topic_rounds = Rounds(self._topics)
        self._window_rounds = Rounds(self._windows)

    def __len__(self) -> int:
        return len(self._topics)

    def sequence_at(self, at: float) -> int:
        """See `Topics.sequence_at`."""
        return int(at * 1000) * 1000 - 1

    def listen(self, listener: Listener) -> None:
        """See `Topics.listen`. The listener must not raise."""
        self._listener = listener

    async def change(
        self,
        topic: str,
        *,
        edits: Sequence[Edit] = (),
        event: bytes | None = None,
        keep: Keep | None = None,
        rates: Sequence[Rate] = (),
        dedupe: str = "",
        dedupe_ttl: float = 0.0,
    ) -> Change:
        """See `Topics.change`."""
        now = self._clock()
        if dedupe:
            known = self._receipts.find((topic, dedupe), now)
            if known is not None:
                return await self._repeat(known)
        windows = [self._admit(rate, now) for rate in rates] if rates else ()
        place = self._topics.get(topic)
        if edits and not _matches(place, edits):
            if place is None:
                return Change(0, "", False, False)
            return Change(place.seq, place.epoch, False, False)
        waiting = self._keep(topic, edits) if edits else None
        for window in windows:
            window.times.append(now)
        if edits:
            place = self._edit(topic, place, edits)
        if place is None:
            return Change(0, "", True, False)
        if event is not None:
            number = _number(now)
            self._seq = seq = number if number > self._seq else self._seq + 1
            place.record(seq, event, keep)
            place.fade(number)
        seq, epoch = place.seq, place.epoch
        receipt: Receipt | None = None
        if dedupe:
            receipt = Receipt(seq, epoch, now + dedupe_ttl)
            receipt.waiting = waiting
            self._receipts.add((topic, dedupe), receipt, ttl=dedupe_ttl, now=now)
        if event is not None:
            self._listener(topic, seq, epoch, event)
        if waiting is not None:
            try:
                await waiting
            except Unavailable:
                if receipt is not None:
                    self._receipts.drop((topic, dedupe), receipt)
                raise
            if receipt is not None:
                receipt.waiting = None
        return Change(seq, epoch, True, False)

    async def changed(self, topic: str, dedupe: str) -> Change | None:
        """See `Topics.changed`."""
        receipt = self._receipts.find((topic, dedupe), self._clock())
        return None if receipt is None else await self._repeat(receipt)

    async def head(self, topic: str) -> TopicHead | None:
        """See `Topics.head`."""
        place = self._topics.get(topic)
        if place is None:
            return None
        return TopicHead(place.seq, place.epoch, len(place.members), place.added)

    async def snapshot(self, topic: str, *, limit: int) -> Snapshot | None:
        """See `Topics.snapshot`."""
        place = self._topics.get(topic)
        if place is None:
            return None
        newest = [Member(name, tag) for name, tag in islice(reversed(place.members.items()), max(limit, 0))]
        newest.reverse()
        return Snapshot(place.seq, place.epoch, len(place.members), newest, dict(place.attributes))

    async def attributes(self, topic: str) -> dict[str, str]:
        """See `Topics.attributes`."""
        place = self._topics.get(topic)
        return {} if place is None else place.attributes

    async def member(self, topic: str, name: str) -> str | None:
        """See `Topics.member`."""
        place = self._topics.get(topic)
        return None if place is None else place.members.get(name)

    async def read(self, topic: str, *, after: int) -> tuple[list[Event], int]:
        """See `Topics.read`."""
        place = self._topics.get(topic)
        if place is None:
            return [], 0
        place.fade(_number(self._clock()))
        log = place.log
        if not log or log[-1].seq <= after:
            return [], place.lost(after)
        return list(islice(log, bisect_right(log, after, key=_seq), None)), place.lost(after)

    async def short_of(self, topic: str, *, upto: int, size: int) -> int:
        """See `Topics.short_of`."""
        place = self._topics.get(topic)
        if place is None or size <= 0:
            return upto
        for event in reversed(place.log):
            if size <= 0:
                return min(event.seq, upto)
            if event.seq <= upto:
                size -= len(event.body)
        return min(place.log[0].seq - 1, upto) if place.log else upto

    async def drop(self, topic: str, *, if_empty: bool) -> bool:
        """See `Topics.drop`."""
        place = self._topics.get(topic)
        if place is None or (if_empty and place.members):
            return False
        waiting = self._keep(topic, [DeleteAttribute(name) for name in place.attributes])
        del self._topics[topic]
        if waiting is not None:
            await waiting
        return True

    async def names(self) -> list[str]:
        """See `Topics.names`."""
        return list(self._topics)

    async def sweep(self) -> None:
        """See `Topics.sweep`."""
        now = self._clock()
        number = _number(now)
        for name in self._topic_rounds.some(_SWEEP):
            place = self._topics.get(name)
            if place is not None:
                place.fade(number)
        for key in self._window_rounds.some(_SWEEP):
            window = self._windows.get(key)
            if window is not None and (not window.times or window.times[-1] <= now - window.span):
                del self._windows[key]
        self._receipts.expire(now, _SWEEP)

    # --- one change -------------------------------------------------------------------------------

    def _admit(self, rate: Rate, now: float) -> Window:
        window = self._windows.get(rate.key)
        if window is None:
            window = self._windows[rate.key] = Window()
        window.span = rate.window
        times, start = window.times, now - rate.window
        while times and times[0] <= start:
            times.popleft()
        if len(times) >= rate.limit:
            raise RateExceeded(rate.key)
        return window

    def _edit(self, name: str, place: Topic | None, edits: Sequence[Edit]) -> Topic | None:
        for edit in edits:
            if isinstance(edit, AddMember):
                place = place or self._make(name)
                if edit.name not in place.members:
                    place.added += 1
                place.members[edit.name] = edit.tag
            elif isinstance(edit, SetAttribute):
                place = place or self._make(name)
                place.attributes[edit.name] = edit.value
            elif place is None:
                continue
            elif isinstance(edit, RemoveMember):
                place.members.pop(edit.name, None)
            else:
                place.attributes.pop(edit.name, None)
        return place

    def _make(self, name: str) -> Topic:
        place = self._topics[name] = Topic(self._seq)
        return place

    async def _repeat(self, receipt: Receipt) -> Change:
        if receipt.waiting is not None:
            await receipt.waiting
        return Change(receipt.seq, receipt.note, True, True)

    # --- hook of a variant that stores ------------------------------------------------------------

    def _keep(self, topic: str, edits: Sequence[Edit]) -> Pending | None:
        """Store the attribute edits among these; returns what the change is to wait for."""
        return None


def _seq(event: Event) -> int:
    return event.seq


def _matches(place: Topic | None, edits: Sequence[Edit]) -> bool:
    """Whether every member that is to be removed is there with its tag."""
    for edit in edits:
        if isinstance(edit, RemoveMember) and (place is None or place.members.get(edit.name) != edit.tag):
            return False
    return True
