"""Whose turn it is to be written to in bulk, and how a client is told what it has missed (SPEC E5, C9)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine
from typing import Any, cast

from signalpost.domain.channels import ChannelEvent
from signalpost.engine.ports.shared import Event
from signalpost.gateway.backlog import PATIENCE, Backlog
from signalpost.gateway.bulk import Pace, Turns
from signalpost.gateway.outbox import LARGE
from signalpost.services.channels import Missed
from signalpost.services.driver import start
from signalpost.services.stored import EVENT


class Ticks:
    """A loop that runs what is scheduled, a tick at a time."""

    def __init__(self) -> None:
        self.scheduled: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def call_soon(self, callback: Callable[..., None], *args: Any) -> None:
        self.scheduled.append((callback, args))

    def tick(self) -> None:
        scheduled, self.scheduled = self.scheduled, []
        for callback, args in scheduled:
            callback(*args)

    def run(self) -> None:
        """All ticks that are to come."""
        while self.scheduled:
            self.tick()


class Outbox:
    """Takes frames until it has a page, then waits for its peer to read."""

    def __init__(self, page: int = 1000, *, reads: bool = False) -> None:
        self.page = page
        self.frames: list[bytes] = []
        self.unread = 0
        self._reads = reads  # its peer reads at once

    @property
    def congested(self) -> bool:
        return self.unread >= self.page

    @property
    def relieved(self) -> bool:
        return not self.congested

    def put_any(self, frame: bytes) -> None:
        self.frames.append(frame)
        if not self._reads:
            self.unread += len(frame)


class Desk:
    """Turns, and connections that have them."""

    def __init__(self) -> None:
        self.ticks = Ticks()
        self.turns = Turns(cast("Any", self.ticks))

    def pace(self, outbox: Outbox) -> Pace:
        return Pace(cast("Any", outbox), self.turns)

    def read(self, outbox: Outbox, pace: Pace) -> None:
        """The peer has read all."""
        outbox.unread = 0
        pace.relieved()


def spawn(work: Coroutine[Any, Any, Any]) -> list[Exception | None]:
    """Run it; the list has its end once it has come."""
    ends: list[Exception | None] = []
    start(work, lambda _, error: ends.append(error))
    return ends


# --- turns ----------------------------------------------------------------------------------------


async def write(pace: Pace, frames: list[bytes]) -> None:
    for frame in frames:
        if not await pace.turn():
            return
        pace.put(frame)


def test_who_reads_is_written_to_at_once() -> None:
    """Nobody waits a tick for what is little."""
    desk = Desk()
    outbox = Outbox(reads=True)
    assert spawn(write(desk.pace(outbox), [b"x" * 100] * 50)) == [None]
    assert len(outbox.frames) == 50


def test_all_together_are_written_to_a_large_frame_a_tick() -> None:
    """SPEC E5: so that everybody else has his turn in between; and in turns."""
    desk = Desk()
    outboxes = [Outbox(LARGE, reads=True) for _ in range(4)]
    frames = [b"x" * (LARGE // 4)] * 40
    ends = [spawn(write(desk.pace(outbox), frames)) for outbox in outboxes]
    written = [sum(len(outbox.frames) for outbox in outboxes)]
    while desk.ticks.scheduled:
        desk.ticks.tick()
        written.append(sum(len(outbox.frames) for outbox in outboxes))
        if written[-1] < 160:
            counts = [len(outbox.frames) for outbox in outboxes]
            assert max(counts) - min(counts) <= 8
    assert max(after - before for before, after in itertools.pairwise(written)) <= 4
    assert written[-1] == 160
    assert ends == [[None]] * 4


def test_what_is_larger_is_taken_off_the_next_ticks() -> None:
    """SPEC E5: who is answered with megabytes makes nobody else wait for long, and so he waits himself."""
    desk = Desk()
    outbox = Outbox(LARGE, reads=True)
    pace = desk.pace(outbox)
    pace.put(b"x" * 10 * LARGE)
    ends = spawn(write(pace, [b"y"]))
    for _ in range(9):
        desk.ticks.tick()
        assert ends == []
    desk.ticks.run()
    assert ends == [None]


def test_nothing_is_written_to_who_does_not_read() -> None:
    """SPEC E5: a page, then its peer's turn."""
    desk = Desk()
    outbox = Outbox(1000)
    pace = desk.pace(outbox)
    ends = spawn(write(pace, [b"x" * 300] * 10))
    counts = []
    while counts[-1:] != [10]:
        counts.append(len(outbox.frames))
        desk.read(outbox, pace)
        desk.ticks.run()
    assert ends == [None]
    assert counts == [4, 8, 10]


def test_who_is_lost_waits_no_more() -> None:
    desk = Desk()
    outbox = Outbox(1000)
    pace = desk.pace(outbox)
    ends = [spawn(write(pace, [b"x" * 1000] * 10)) for _ in range(3)]
    pace.lost()
    assert ends == [[None]] * 3
    assert len(outbox.frames) == 1
    desk.ticks.run()


# --- what was missed of channels ------------------------------------------------------------------


_BODY = EVENT.encode(ChannelEvent("channel_msg", "ada", 7))


class Story:
    """Channels with what has happened in them, and a connection that is told."""

    def __init__(self, *, page: int = 1000, size: int = 250) -> None:
        self.desk = Desk()
        self.outbox = Outbox(page)
        self.pace = self.desk.pace(self.outbox)
        self.size = size
        self.seq = 0
        self.events: dict[str, list[Event]] = {}
        self.lost: dict[str, int] = {}  # by channel: up to which number nothing is kept
        self.live: set[str] = set()  # channels that are seen live
        self.heard: list[tuple[str, int]] = []  # what was seen live
        self.given_up = 0
        self.now = 1000.0
        self.behind: set[str] = set()
        self.backlog = Backlog(
            self.pace,
            "app",
            read=self.missed,
            encode=lambda one: f"{one.channel} {one.number} ".encode().ljust(self.size, b"x"),
            catch_up=self._catch_up,
            give_up=self._give_up,
            now=lambda: self.now,
        )

    def _give_up(self) -> None:
        self.given_up += 1

    def _catch_up(self, told: dict[str, int]) -> bool:
        assert told.keys() == self.behind
        self.live |= self.behind
        return True

    def happens(self, channel: str) -> int:
        self.seq += 1
        self.events.setdefault(channel, []).append(Event(self.seq, float(self.seq), _BODY))
        if channel in self.live:
            self.heard.append((channel, self.seq))
        return self.seq

    async def missed(self, channel: str, after: int) -> Missed:
        kept = self.lost.get(channel, 0)
        events = [event for event in self.events.get(channel, []) if event.offset > max(after, kept)]
        lost = len([event for event in self.events.get(channel, []) if after < event.offset <= kept])
        return Missed(channel, "e", after, tuple(events[:100]), lost)

    def add(self, channel: str, after: int = 0) -> None:
        self.behind.add(channel)
        work = self.missed(channel, after)
        try:
            work.send(None)
        except StopIteration as stop:
            self.backlog.add(stop.value)

    def told(self) -> list[tuple[str, int]]:
        return [(frame.split()[0].decode(), int(frame.split()[1])) for frame in self.outbox.frames]

    def reads(self) -> None:
        self.desk.read(self.outbox, self.pace)
        self.desk.ticks.run()


def test_what_was_missed_comes_by_pages_and_then_it_is_live() -> None:
    """SPEC C9: in order, without a gap or a repeat, though it goes on while it is told."""
    story = Story()
    wanted = [("room", story.happens("room")) for _ in range(30)]
    story.add("room")
    ends = spawn(story.backlog.write())
    while not story.live:
        assert ends == []
        assert len(story.outbox.frames) % 4 == 0, "four frames are a page"
        if len(wanted) < 60:
            wanted.append(("room", story.happens("room")))
        story.reads()
    assert ends == [None]
    wanted.append(("room", story.happens("room")))
    assert story.told() + story.heard == wanted


def test_numbers_ascend_over_all_channels() -> None:
    """PROTOCOL §7: an original has one filter for all; what comes to be missed later is sorted in."""
    story = Story()
    for number in range(60):
        story.happens(("room", "hall", "yard")[number % 3])
    story.add("room")
    story.add("hall")
    spawn(story.backlog.write())
    story.reads()
    first = story.told()
    story.add("yard", after=first[-1][1])
    while not story.live:
        story.happens("hall")
        if story.seq > 90:
            story.outbox._reads = True
        story.reads()
    numbers = [number for _, number in story.told()]
    assert numbers == sorted(set(numbers))
    assert {channel for channel, _ in story.told()} == {"room", "hall", "yard"}


def test_a_channel_that_was_left_is_told_no_more_of() -> None:
    """SPEC C3."""
    story = Story()
    for _ in range(20):
        story.happens("room")
        story.happens("hall")
    story.add("room")
    story.add("hall")
    spawn(story.backlog.write())
    before = len(story.outbox.frames)
    story.backlog.drop("room")
    story.behind.discard("room")
    while not story.live:
        story.reads()
    assert {channel for channel, _ in story.told()[before:]} == {"hall"}


def test_who_breaks_was_told_what_was_written() -> None:
    """SPEC C9: and no more than that."""
    story = Story()
    numbers = [story.happens("room") for _ in range(20)]
    story.add("room")
    story.add("hall", after=7)
    ends = spawn(story.backlog.write())
    assert story.backlog.told() == {"room": numbers[3], "hall": 7}
    story.pace.lost()
    assert ends == [None]
    assert len(story.outbox.frames) == 4
    assert story.backlog.told() == {"room": numbers[3], "hall": 7}


def test_what_was_read_is_told_though_it_is_kept_no_longer() -> None:
    """SPEC C9: the engine may let go of it meanwhile."""
    story = Story()
    wanted = [("room", story.happens("room")) for _ in range(20)]
    story.add("room")
    spawn(story.backlog.write())
    story.lost["room"] = story.seq
    while not story.live:
        story.reads()
    assert story.told() == wanted
    assert story.given_up == 0


def test_who_cannot_keep_up_with_what_happens_is_given_up() -> None:
    """SPEC C9: it comes back, and is told how much it has missed."""
    story = Story()
    for _ in range(20):
        story.happens("room")
    story.add("room")
    ends = spawn(story.backlog.write())
    story.happens("room")
    story.lost["room"] = story.seq
    while ends == []:
        story.reads()
    assert story.given_up == 1
    assert story.live == set()
    assert story.backlog.told() == {"room": 20}


def test_missed_events_are_not_held_for_ever() -> None:
    """SPEC E5: whoever reads a page an hour would hold what is kept no longer."""
    story = Story()
    for _ in range(20):
        story.happens("room")
    story.add("room")
    ends = spawn(story.backlog.write())
    story.now += PATIENCE
    story.reads()
    assert (ends, story.given_up, len(story.told())) == ([], 0, 8)
    story.now += 1.0
    story.reads()
    assert (ends, story.given_up, len(story.told())) == ([None], 1, 8)


def test_a_defect_ends_the_connection() -> None:
    """SPEC C9: or its client would be in a channel of which it hears nothing."""
    story = Story()
    for _ in range(20):
        story.happens("room")
    story.add("room")
    ends = spawn(story.backlog.write())
    story.backlog._encode = lambda happened: bytes(-1)
    story.reads()
    assert [type(end) for end in ends] == [ValueError]
    assert (story.given_up, len(story.told()), story.backlog.told()) == (1, 4, {"room": 4})
