"""What waits to be written: order, one write a tick, and an end to patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from signalpost.gateway.outbox import Batch, Flusher, Outbox


class Ticks:
    """A loop that runs what is scheduled when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.scheduled.append(callback)

    def tick(self) -> None:
        scheduled, self.scheduled = self.scheduled, []
        for callback in scheduled:
            callback()


class Transport:
    """Records writes; `backlog` is what it claims not to have got rid of."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.backlog = 0
        self.aborted = 0
        self.broken = False

    def write(self, data: bytes) -> None:
        if self.broken:
            raise RuntimeError("the handler is closed")
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def abort(self) -> None:
        self.aborted += 1


class Source:
    """Notes each change of its outbox's congestion."""

    def __init__(self) -> None:
        self.outbox: Outbox | None = None
        self.heard: list[bool] = []
        self.live = False  # something is put that could be told later
        self.lags = 0

    def lag(self) -> bool:
        lagged, self.live = self.live, False
        self.lags += lagged
        return lagged

    def flow(self) -> None:
        assert self.outbox is not None
        self.heard.append(self.outbox.congested)


class Desk:
    """A flusher with its loop, and as many outboxes as a test asks for."""

    def __init__(self, cap: int = 1000, mark: int = 1000) -> None:
        self.ticks = Ticks()
        self.source = Source()
        self.overrun: list[object] = []
        loop = cast("asyncio.AbstractEventLoop", self.ticks)
        self.flusher = Flusher(loop, cap=cap, mark=mark, overrun=self.overrun.append)

    def outbox(self) -> tuple[Outbox, Transport]:
        transport = Transport()
        outbox = Outbox(cast("asyncio.Transport", transport), self.flusher, self.source)
        self.source.outbox = outbox
        return outbox, transport

    def tick(self) -> None:
        self.ticks.tick()


def test_the_frames_of_a_tick_leave_in_one_write() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    for frame in (b"a", b"b", b"c"):
        outbox.put(frame)
    assert transport.writes == []
    desk.tick()
    assert transport.writes == [b"abc"]


def test_ticks_are_written_apart() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    for frame in (b"a", b"b"):
        outbox.put(frame)
        desk.tick()
    assert transport.writes == [b"a", b"b"]


def test_a_tick_schedules_one_flush_for_all_outboxes() -> None:
    desk = Desk()
    outboxes = [desk.outbox() for _ in range(10)]
    for outbox, _ in outboxes:
        outbox.put(b"a")
        outbox.put_batch(Batch())
    desk.flusher.batch()
    assert len(desk.ticks.scheduled) == 1
    desk.tick()
    assert desk.ticks.scheduled == []


def test_a_single_frame_is_not_copied() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    frame = bytes(100)
    outbox.put(frame)
    desk.tick()
    assert transport.writes[0] is frame


def test_a_batch_is_joined_once_for_all() -> None:
    """Fan-out: the same bytes object is written to every member."""
    desk = Desk()
    members = [desk.outbox() for _ in range(3)]
    batch = Batch()
    batch.frames += [b"a", b"b"]
    for outbox, _ in members:
        outbox.put_batch(batch)
    desk.tick()
    writes = [transport.writes for _, transport in members]
    assert writes == [[b"ab"]] * 3
    assert writes[0][0] is writes[1][0] is writes[2][0]


def test_a_batch_grows_until_the_end_of_its_tick() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    batch = Batch()
    batch.frames.append(b"a")
    outbox.put_batch(batch)
    batch.frames.append(b"b")
    before = batch.sealed
    desk.tick()
    assert (before, batch.sealed) == (False, True)
    assert transport.writes == [b"ab"]


def test_a_batch_that_nobody_takes_is_sealed_too() -> None:
    desk = Desk()
    batch = desk.flusher.batch()
    desk.tick()
    assert batch.sealed


def test_a_batch_held_only_by_a_lost_connection_is_sealed_too() -> None:
    desk = Desk()
    outbox, _ = desk.outbox()
    batch = Batch()
    outbox.put_batch(batch)
    outbox.discard()
    desk.tick()
    assert batch.sealed


def test_frames_and_batches_leave_in_the_order_in_which_they_were_put() -> None:
    """SPEC C6: and what a batch gets later stands where the batch stands."""
    desk = Desk()
    outbox, transport = desk.outbox()
    first, second = Batch(), Batch()
    outbox.put(b"1")
    outbox.put_batch(first)
    outbox.put(b"4")
    outbox.put_batch(second)
    outbox.put(b"6")
    second.frames.append(b"5")
    first.frames += [b"2", b"3"]
    desk.tick()
    assert transport.writes == [b"123456"]


def test_one_frame_may_be_larger_than_the_cap() -> None:
    desk = Desk(cap=10)
    outbox, transport = desk.outbox()
    outbox.put(bytes(100))
    desk.tick()
    assert (transport.writes, transport.aborted) == ([bytes(100)], 0)


def test_more_than_the_cap_in_one_tick_ends_the_connection() -> None:
    """STYLE: every queue is bounded and says what happens when it is full."""
    desk = Desk(cap=10)
    outbox, transport = desk.outbox()
    outbox.put(bytes(10))
    outbox.put(bytes(1))
    assert transport.aborted == 0
    outbox.put(b"one more")
    assert (transport.aborted, desk.overrun) == (1, [transport])
    outbox.put(b"another")
    outbox.put_batch(Batch())
    desk.tick()
    assert (transport.writes, transport.aborted, len(desk.overrun)) == ([], 1, 1)


def test_the_cap_of_a_tick_does_not_count_earlier_ticks() -> None:
    desk = Desk(cap=10)
    outbox, transport = desk.outbox()
    for _ in range(5):
        outbox.put(bytes(11))
        desk.tick()
    assert (len(transport.writes), transport.aborted) == (5, 0)


def test_a_batch_into_a_full_outbox_ends_the_connection() -> None:
    desk = Desk(cap=10)
    outbox, transport = desk.outbox()
    outbox.put(bytes(11))
    outbox.put_batch(Batch())
    assert transport.aborted == 1


def test_a_peer_that_asks_for_more_than_the_mark_in_a_tick_is_read_no_more_until_the_next() -> None:
    """A loop may read a burst of requests before it flushes once: their answers must not add up."""
    desk = Desk(cap=100, mark=10)
    outbox, transport = desk.outbox()
    outbox.put(bytes(11))
    assert desk.source.heard == []
    outbox.put(bytes(80))
    outbox.put_batch(Batch())
    assert (desk.source.heard, outbox.congested) == ([True], True)
    desk.tick()
    assert (desk.source.heard, outbox.congested) == ([True, False], False)
    assert (transport.writes, transport.aborted) == ([bytes(91)], 0)


def test_congestion_of_a_tick_does_not_end_that_of_the_transport() -> None:
    desk = Desk(cap=100, mark=10)
    outbox, _ = desk.outbox()
    outbox.put(bytes(11))
    outbox.put(bytes(11))
    outbox.congest()
    desk.tick()
    assert desk.source.heard == [True, True]
    outbox.relieve()
    assert not outbox.congested


def test_a_tick_that_reaches_the_cap_ends_the_connection_whatever_the_mark() -> None:
    desk = Desk(cap=100, mark=10)
    outbox, transport = desk.outbox()
    for _ in range(101):
        outbox.put(b"x")
    assert transport.aborted == 0
    outbox.put(b"x")
    assert transport.aborted == 1


def test_a_backlog_of_the_cap_is_borne_and_one_byte_more_is_not() -> None:
    desk = Desk(cap=1000)
    outbox, transport = desk.outbox()
    outbox.congest()
    transport.backlog = 1000
    outbox.put(b"a")
    desk.tick()
    assert transport.writes == [b"a"]
    transport.backlog = 1001
    outbox.put(b"b")
    desk.tick()
    assert (transport.writes, transport.aborted, desk.overrun) == ([b"a"], 1, [transport])


def test_a_peer_that_has_caught_up_is_forgiven() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    outbox.congest()
    outbox.relieve()
    outbox.put(b"a")
    desk.tick()
    assert transport.writes == [b"a"]


def test_a_broken_transport_costs_the_others_nothing() -> None:
    """SPEC E5: nothing harms another."""
    desk = Desk()
    (first, _), (second, broken), (third, _) = members = [desk.outbox() for _ in range(3)]
    broken.broken = True
    for outbox in (first, second, third):
        outbox.put(b"a")
    desk.tick()
    assert [transport.writes for _, transport in members] == [[b"a"], [], [b"a"]]
    assert [transport.aborted for _, transport in members] == [0, 1, 0]


def test_nothing_leaves_behind_the_last_frame() -> None:
    """RFC 6455 §5.5.1: no frame follows a close frame."""
    desk = Desk()
    outbox, transport = desk.outbox()
    batch = Batch()
    batch.frames.append(b"b")
    outbox.put(b"a")
    outbox.finish(b"z")
    outbox.put(b"late")
    outbox.put_batch(batch)
    outbox.finish(b"again")
    desk.tick()
    outbox.put(b"later")
    desk.tick()
    assert (transport.writes, transport.aborted) == ([b"az"], 0)


def test_the_last_frame_fits_into_a_full_outbox() -> None:
    desk = Desk(cap=10)
    outbox, transport = desk.outbox()
    outbox.put(bytes(11))
    outbox.finish(b"z")
    desk.tick()
    assert (transport.writes, transport.aborted) == ([bytes(11) + b"z"], 0)


def test_the_end_is_told_once_the_last_frame_is_written() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    told: list[list[bytes]] = []
    outbox.finish(b"z")
    outbox.when_finished(lambda: told.append(list(transport.writes)))
    assert told == []
    desk.tick()
    assert told == [[b"z"]]


def test_whoever_asks_after_the_last_frame_is_told_at_once() -> None:
    desk = Desk()
    outbox, _ = desk.outbox()
    outbox.finish(b"z")
    desk.tick()
    told: list[str] = []
    outbox.when_finished(lambda: told.append("now"))
    assert told == ["now"]


def test_a_lost_connection_is_told_nothing_and_takes_nothing() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    told: list[str] = []
    outbox.put(b"a")
    outbox.finish(b"z")
    outbox.when_finished(lambda: told.append("never"))
    outbox.discard()
    desk.tick()
    outbox.put(b"b")
    outbox.finish(b"y")
    outbox.when_finished(lambda: told.append("never"))
    desk.tick()
    assert (transport.writes, transport.aborted, told) == ([], 0, [])


def test_a_congested_peer_still_gets_its_last_frame() -> None:
    desk = Desk()
    outbox, transport = desk.outbox()
    outbox.congest()
    outbox.finish(b"z")
    outbox.relieve()
    told: list[str] = []
    outbox.when_finished(lambda: told.append("end"))
    desk.tick()
    assert (transport.writes, told) == ([b"z"], ["end"])


def test_what_is_put_while_flushing_leaves_in_the_next_tick() -> None:
    desk = Desk()
    first, transport = desk.outbox()
    second, other = desk.outbox()
    first.finish(b"a")
    first.when_finished(lambda: second.put(b"b"))
    second.put(b"c")
    desk.tick()
    desk.tick()
    assert (transport.writes, b"".join(other.writes)) == ([b"a"], b"cb")


def test_an_idle_outbox_owns_no_list() -> None:
    desk = Desk()
    outbox, _ = desk.outbox()
    outbox.put(b"a")
    desk.tick()
    assert outbox._parts is None


# --- large frames -----------------------------------------------------------------------------


def stuck(desk: Desk) -> tuple[Outbox, Transport]:
    """An outbox whose transport gets rid of nothing, and says so."""
    outbox, transport = desk.outbox()
    write = transport.write

    def keep(data: bytes) -> None:
        write(data)
        transport.backlog += len(data)
        outbox.congest()

    transport.write = keep  # type: ignore[method-assign]
    return outbox, transport


def test_a_large_frame_does_not_count_against_what_follows_it() -> None:
    """SPEC E5: neither in its tick nor while it waits in the transport."""
    desk = Desk(cap=1000, mark=500)
    outbox, transport = stuck(desk)
    outbox.put_large(bytes(50_000))
    for _ in range(10):
        outbox.put(bytes(90))
    desk.tick()
    assert (len(transport.writes[0]), transport.aborted) == (50_900, 0)
    outbox.put(b"a")
    desk.tick()
    assert (transport.writes[1:], transport.aborted) == ([b"a"], 0)


def test_behind_a_large_frame_the_cap_holds_as_ever() -> None:
    """SPEC E5: memory is bounded by the cap and one such frame."""
    desk = Desk(cap=1000, mark=500)
    outbox, transport = stuck(desk)
    outbox.put_large(bytes(50_000))
    desk.tick()
    for _ in range(3):
        outbox.put(bytes(400))
        desk.tick()
        assert transport.aborted == 0
    outbox.put(b"a")
    desk.tick()
    assert transport.aborted == 1
    outbox, transport = stuck(desk)
    outbox.put_large(bytes(50_000))
    for _ in range(12):
        outbox.put(bytes(90))
    assert transport.aborted == 0
    outbox.put(b"a")
    assert transport.aborted == 1


def test_a_large_frame_congests_until_it_is_read() -> None:
    """SPEC E5: it ends the peer's turn; who reads at once has the next one at once."""
    desk = Desk(cap=1000, mark=500)
    outbox, _ = desk.outbox()
    outbox.put_large(bytes(50_000))
    assert (outbox.congested, outbox.relieved) == (True, False)
    outbox.congest()
    desk.tick()
    assert outbox.congested
    outbox.relieve()
    assert (outbox.congested, outbox.relieved) == (False, True)
    outbox.put_large(bytes(50_000))
    desk.tick()
    assert desk.source.heard == [True, True, True, False]
    assert outbox.relieved


def test_what_large_frames_may_take_is_over_with_them() -> None:
    """SPEC E5: a peer that has read one gets no more room by it."""
    desk = Desk(cap=1000, mark=500)
    outbox, transport = desk.outbox()
    for _ in range(3):
        outbox.put_large(bytes(50_000))
        desk.tick()
        outbox.congest()
        outbox.relieve()
    outbox.congest()
    transport.backlog = 1001
    outbox.put(b"a")
    desk.tick()
    assert transport.aborted == 1


def test_an_outbox_knows_what_it_took_with_it() -> None:
    """SPEC C9: what never reached the peer was missed."""
    desk = Desk(cap=10_000, mark=5000)
    outbox, transport = desk.outbox()
    outbox.put(b"gone")
    desk.tick()
    assert outbox.unsent == 0
    transport.backlog = 700
    outbox.congest()
    assert outbox.unsent == 700
    outbox.put(bytes(50))
    batch = Batch()
    batch.frames += [bytes(20), bytes(30)]
    outbox.put_batch(batch)
    assert outbox.unsent == 800
    outbox.discard()
    desk.tick()
    transport.backlog = 0
    assert outbox.unsent == 800


def test_who_reads_too_slowly_for_what_happens_is_told_the_rest_later() -> None:
    """SPEC E5, C9: with half of the cap waiting it lags, and what waits then counts no more."""
    desk = Desk()
    outbox, transport = desk.outbox()
    desk.source.live = True
    transport.backlog = 500
    outbox.congest()
    assert desk.source.lags == 0
    transport.backlog = 2_000
    outbox.put(bytes(10))
    desk.tick()
    assert desk.source.lags == 0, "it was judged before: nothing can be done for it any more"
    assert transport.aborted == 1
    outbox, transport = desk.outbox()
    transport.backlog = 2_000
    outbox.congest()
    assert desk.source.lags == 1
    outbox.put(bytes(900))
    desk.tick()
    transport.backlog = 2_900
    outbox.put(bytes(10))
    desk.tick()
    assert transport.aborted == 0
    transport.backlog = 3_001
    outbox.put(bytes(10))
    desk.tick()
    assert transport.aborted == 1


def test_a_tick_in_which_more_happens_than_the_cap_is_told_later() -> None:
    """SPEC E5, C9: once; whatever else comes in that tick has the room of one cap more."""
    desk = Desk()
    outbox, transport = desk.outbox()
    desk.source.live = True
    for _ in range(20):
        outbox.put(bytes(100))
    assert (desk.source.lags, transport.aborted) == (1, 0)
    transport.backlog = 1_000
    outbox.congest()
    desk.tick()
    assert len(transport.writes[0]) == 2_000
    transport.backlog = 2_000
    outbox.put(b"a")
    desk.tick()
    assert transport.aborted == 0


def test_what_stands_behind_a_batch_may_seal_it() -> None:
    """SPEC C1, C12: an answer that says how things are is not overtaken by what happens later."""
    desk = Desk()
    outbox, transport = desk.outbox()
    batch = Batch()
    outbox.seal()
    batch.frames.append(b"1")
    outbox.put_batch(batch)
    outbox.put(b"2")
    outbox.seal()
    outbox.put(b"3")
    assert batch.sealed
    desk.tick()
    assert transport.writes == [b"123"]
    outbox.seal()
    assert outbox.unsent == 0
