"""The queues of the port `Kept`: what every implementation must do."""

from __future__ import annotations

import pytest

from engine.driving import NOW, ManualClock, append, run, together
from engine.over_kept import QueuesOf
from signalpost.engine.ports import Appended, Full, Head, Item

FIRST = int(NOW * 1000) * 1000


async def seqs(queues: QueuesOf, key: str, *, after: int = 0, limit: int = 1000) -> list[int]:
    return [item.seq for item in await run(queues.read(key, after=after, limit=limit))]


async def bodies(queues: QueuesOf, key: str) -> list[bytes]:
    return [item.body for item in await run(queues.read(key, after=0, limit=1000))]


async def fill(queues: QueuesOf, key: str, count: int, **options: object) -> list[int]:
    done = await together(*[append(queues, key, b"%d" % n, **options) for n in range(count)])
    return [one.seq for one in done if isinstance(one, Appended)]


async def test_numbers_begin_at_the_clocks_milliseconds_and_have_no_gaps(queues: QueuesOf) -> None:
    """PROTOCOL §6: versions; §12: they are Unix milliseconds x 1000 or higher."""
    numbers = await fill(queues, "bo", 5)
    assert numbers[0] > FIRST
    assert numbers == list(range(numbers[0], numbers[0] + 5))


async def test_what_is_appended_is_read_in_order_byte_for_byte(queues: QueuesOf) -> None:
    """SPEC M2, M4."""
    first = await run(append(queues, "bo", b"\x00\xff \xe2\x82\xac"))
    second = await run(append(queues, "bo", b""))
    assert await run(queues.read("bo", after=0, limit=10)) == [
        Item(first.seq, b"\x00\xff \xe2\x82\xac"),
        Item(second.seq, b""),
    ]


async def test_appends_of_one_tick_keep_their_order_in_every_queue(queues: QueuesOf) -> None:
    """SPEC M4."""
    await together(*[append(queues, f"q{n % 7}", b"%d" % n) for n in range(300)])
    for queue in range(7):
        assert await bodies(queues, f"q{queue}") == [b"%d" % n for n in range(queue, 300, 7)]


async def test_read_gives_at_most_limit_items_after_a_number(queues: QueuesOf) -> None:
    """PROTOCOL §6: a poll returns at most 30 above the cursor."""
    numbers = await fill(queues, "bo", 10)
    assert await seqs(queues, "bo", after=numbers[3], limit=3) == numbers[4:7]
    assert await seqs(queues, "bo", after=numbers[3] - 1, limit=100) == numbers[3:]
    assert await seqs(queues, "bo", after=numbers[-1]) == []
    assert await seqs(queues, "bo", limit=0) == []
    assert await seqs(queues, "nobody") == []


async def test_items_that_are_not_durable_keep_their_place_in_the_order(queues: QueuesOf) -> None:
    """SPEC M4: call events and messages share the inbox."""
    await together(*[append(queues, "bo", b"%d" % n, durable=n % 3 == 0) for n in range(20)])
    assert await bodies(queues, "bo") == [b"%d" % n for n in range(20)]


async def test_head_says_what_is_cleared_the_last_number_and_how_many_wait(queues: QueuesOf) -> None:
    """PROTOCOL §6: `ver_clear` of a poll's answer."""
    numbers = await fill(queues, "bo", 4)
    assert await run(queues.head("bo")) == Head(numbers[0] - 1, numbers[3], 4)
    await run(queues.trim("bo", upto=numbers[1]))
    assert await run(queues.head("bo")) == Head(numbers[1], numbers[3], 2)
    await run(queues.trim("bo", upto=numbers[3]))
    assert await run(queues.head("bo")) == Head(numbers[3], numbers[3], 0)


async def test_an_untouched_queue_has_a_head_that_its_first_item_follows(
    queues: QueuesOf, clock: ManualClock
) -> None:
    """PROTOCOL §6: a push with the cursor's next number is delivered without a poll."""
    head = await run(queues.head("bo"))
    assert head == Head(head.last, head.last, 0)
    clock.advance(30.0)
    assert (await run(append(queues, "bo", b"x"))).seq == head.last + 1


async def test_trim_removes_what_is_at_or_below(queues: QueuesOf) -> None:
    """PROTOCOL §6: everything up to V is processed, delete it."""
    numbers = await fill(queues, "bo", 6)
    await run(queues.trim("bo", upto=numbers[2]))
    assert await seqs(queues, "bo") == numbers[3:]
    await run(queues.trim("bo", upto=0))
    await run(queues.trim("nobody", upto=5))
    assert await seqs(queues, "bo") == numbers[3:]


async def test_trim_above_the_last_number_removes_nothing(queues: QueuesOf) -> None:
    """SPEC E5: a cursor from nowhere does not delete messages."""
    numbers = await fill(queues, "bo", 3)
    await run(queues.trim("bo", upto=numbers[-1] + 1))
    assert await seqs(queues, "bo") == numbers


async def test_remove_takes_items_out_of_the_middle_and_tells_which_were_there(queues: QueuesOf) -> None:
    """SPEC K3: a cancelled invitation leaves the inbox."""
    numbers = await fill(queues, "bo", 6)
    assert await run(queues.remove("bo", [numbers[4], numbers[1], 7])) == [numbers[1], numbers[4]]
    assert await run(queues.remove("bo", [numbers[1]])) == []
    assert await run(queues.remove("nobody", [1])) == []
    assert await seqs(queues, "bo") == [numbers[n] for n in (0, 2, 3, 5)]


async def test_marked_items_are_removed_by_their_marks_or_all_of_them(queues: QueuesOf) -> None:
    """PROTOCOL §8: an account's call events leave its inbox, some calls' or all; the messages stay."""
    for body, mark in ((b"1", ""), (b"2", "a"), (b"3", "b"), (b"4", ""), (b"5", "a"), (b"6", "c")):
        await run(append(queues, "bo", body, durable=not mark, mark=mark))
    await run(append(queues, "al", b"x", durable=False, mark="a"))
    numbers = await seqs(queues, "bo")
    assert await run(queues.remove_marked("bo", {"a", "nothing"})) == [numbers[1], numbers[4]]
    assert await bodies(queues, "bo") == [b"1", b"3", b"4", b"6"]
    assert await run(queues.remove_marked("bo", {"a"})) == []
    assert await run(queues.remove_marked("bo", None)) == [numbers[2], numbers[5]]
    assert await run(queues.remove_marked("bo", None)) == []
    assert await run(queues.remove_marked("nobody", None)) == []
    assert await bodies(queues, "bo") == [b"1", b"4"]
    assert await bodies(queues, "al") == [b"x"]


async def test_a_marked_item_is_removed_before_it_is_visible(queues: QueuesOf) -> None:
    """SPEC K3: an invitation that waits behind a message's commit is taken back like any other."""
    message, ring, gone, later = await together(
        append(queues, "bo", b"message"),
        append(queues, "bo", b"ring", durable=False, mark="a"),
        queues.remove_marked("bo", {"a"}),
        append(queues, "bo", b"later", durable=False, mark="b"),
    )
    assert isinstance(ring, Appended)
    assert gone == [ring.seq]
    assert await bodies(queues, "bo") == [b"message", b"later"]
    assert isinstance(message, Appended)
    assert isinstance(later, Appended)
    assert await run(queues.head("bo")) == Head(message.seq - 1, later.seq, 2)


async def test_a_marked_item_that_has_gone_otherwise_is_not_found_again(
    queues: QueuesOf, clock: ManualClock
) -> None:
    trimmed, removed, _ = await fill(queues, "bo", 3, durable=False, mark="a", ttl=10.0)
    later = await run(append(queues, "bo", b"later", durable=False, mark="a", ttl=20.0))
    await run(queues.trim("bo", upto=trimmed))
    await run(queues.remove("bo", [removed]))
    clock.advance(10.0)
    assert await run(queues.remove_marked("bo", None)) == [later.seq]
    assert await run(queues.head("bo")) == Head(later.seq, later.seq, 0)


async def test_marked_items_are_counted(queues: QueuesOf, clock: ManualClock) -> None:
    """SPEC M9: what room the call events have left, however they went."""
    assert await run(queues.marked("bo")) == 0
    await fill(queues, "bo", 3)
    first, second, *_ = await fill(queues, "bo", 4, durable=False, mark="a", ttl=20.0)
    await run(append(queues, "bo", b"brief", durable=False, mark="b", ttl=10.0))
    assert await run(queues.marked("bo")) == 5
    await run(queues.trim("bo", upto=first))
    await run(queues.remove("bo", [second]))
    assert await run(queues.marked("bo")) == 3
    clock.advance(10.0)
    assert await run(queues.marked("bo")) == 2
    await run(queues.remove_marked("bo", None))
    assert await run(queues.marked("bo")) == await run(queues.marked("nobody")) == 0


async def test_one_marked_item_is_removed_out_of_a_full_queue_without_going_through_it(
    queues: QueuesOf,
) -> None:
    """SPEC E5: the inbox's 10 000 messages cost a logout nothing; the few that go are found by number."""
    before = await fill(queues, "bo", 4000)
    ring = await run(append(queues, "bo", b"ring", durable=False, mark="a"))
    after = await fill(queues, "bo", 4000)
    assert await run(queues.remove_marked("bo", {"a"})) == [ring.seq]
    assert await seqs(queues, "bo", limit=20_000) == [*before, *after]
    assert await run(queues.remove("bo", [before[7], after[7]])) == [before[7], after[7]]
    assert (await run(queues.head("bo"))).count == 7998


async def test_a_queue_at_its_cap_of_items_refuses_and_stores_nothing(queues: QueuesOf) -> None:
    """SPEC M9."""
    numbers = await fill(queues, "bo", 3, max_items=3)
    with pytest.raises(Full):
        await run(append(queues, "bo", b"x", max_items=3))
    assert await seqs(queues, "bo") == numbers
    await run(queues.trim("bo", upto=numbers[0]))
    assert (await run(append(queues, "bo", b"x", max_items=3))).seq == numbers[-1] + 1


async def test_appends_under_way_count_against_the_cap(queues: QueuesOf) -> None:
    """SPEC M9."""
    done = await together(*[append(queues, "bo", b"x", max_items=3) for _ in range(5)])
    assert [type(one) for one in done] == [Appended, Appended, Appended, Full, Full]


async def test_a_queue_at_its_cap_of_bytes_refuses_what_does_not_fit(queues: QueuesOf) -> None:
    """SPEC M9: the sizes are those that the caller names."""
    await run(append(queues, "bo", b"x", size=60, max_size=100))
    with pytest.raises(Full):
        await run(append(queues, "bo", b"x", size=41, max_size=100))
    await run(append(queues, "bo", b"x", size=40, max_size=100))
    assert (await run(queues.head("bo"))).count == 2


async def test_a_part_of_a_queue_has_caps_of_its_own(queues: QueuesOf) -> None:
    """SPEC M9: of one sender at most so many messages and bytes; the others' room is theirs."""
    of = {"part_items": 2, "part_size": 10, "max_items": 5}
    first = await run(append(queues, "bo", b"1", source="ada", **of))
    await run(append(queues, "bo", b"2", source="ada", durable=False, **of))
    with pytest.raises(Full) as full:
        await run(append(queues, "bo", b"3", source="ada", **of))
    assert full.value.part == "ada"
    await run(append(queues, "bo", b"4", source="cy", size=8, **of))
    with pytest.raises(Full):
        await run(append(queues, "bo", b"5", source="cy", size=3, **of))
    await run(append(queues, "bo", b"6", source="cy", size=2, **of))
    await run(append(queues, "al", b"7", source="ada", **of))
    await run(append(queues, "bo", b"8"))
    with pytest.raises(Full) as full:
        await run(append(queues, "bo", b"9", source="di", **of))
    assert full.value.part == ""
    with pytest.raises(Full):
        await run(append(queues, "al", b"large", source="di", size=11, **of))
    assert await bodies(queues, "bo") == [b"1", b"2", b"4", b"6", b"8"]
    await run(queues.trim("bo", upto=first.seq))
    await run(append(queues, "bo", b"10", source="ada", **of))
    with pytest.raises(Full):
        await run(append(queues, "bo", b"11", source="ada", **of))


async def test_a_part_has_room_again_when_its_items_go_in_whatever_way(
    queues: QueuesOf, clock: ManualClock
) -> None:
    """SPEC M9."""
    of = {"source": "ada", "part_items": 1, "part_size": 10}
    one = await run(append(queues, "bo", b"1", **of))
    await run(queues.remove("bo", [one.seq]))
    await run(append(queues, "bo", b"2", durable=False, mark="m", **of))
    await run(queues.remove_marked("bo", None))
    await run(append(queues, "bo", b"3", ttl=5.0, **of))
    with pytest.raises(Full):
        await run(append(queues, "bo", b"4", **of))
    clock.advance(5.0)
    await run(append(queues, "bo", b"5", **of))
    assert await bodies(queues, "bo") == [b"5"]


async def test_what_a_dedupe_key_did_can_be_asked_for(queues: QueuesOf, clock: ManualClock) -> None:
    """SPEC M7, E5: nothing is appended, and nothing is made, to find out."""
    assert await run(queues.appended("bo", "r1")) is None
    first = await run(append(queues, "bo", b"x", note="id", dedupe="r1", dedupe_ttl=120.0))
    assert await run(queues.appended("bo", "r1")) == Appended(first.seq, "id", True)
    assert await run(queues.appended("al", "r1")) is None
    clock.advance(120.0)
    assert await run(queues.appended("bo", "r1")) is None
    waiting, asked = await together(
        append(queues, "bo", b"y", note="id2", dedupe="r2", dedupe_ttl=9.0), queues.appended("bo", "r2")
    )
    assert isinstance(waiting, Appended)
    assert asked == Appended(waiting.seq, "id2", True)


async def test_what_is_over_its_time_is_gone_and_makes_room(queues: QueuesOf, clock: ManualClock) -> None:
    """SPEC M3, M9."""
    numbers = await fill(queues, "bo", 2, ttl=10.0, max_items=3)
    later = await run(append(queues, "bo", b"later", ttl=20.0, max_items=3))
    clock.advance(10.0)
    await run(append(queues, "bo", b"x", ttl=20.0, max_items=3))
    await run(append(queues, "bo", b"y", ttl=20.0, max_items=3))
    assert await seqs(queues, "bo") == [later.seq, later.seq + 1, later.seq + 2]
    assert await run(queues.head("bo")) == Head(numbers[1], later.seq + 2, 3)
    clock.advance(20.0)
    assert await run(queues.head("bo")) == Head(later.seq + 2, later.seq + 2, 0)


async def test_a_second_append_with_the_same_dedupe_key_stores_nothing(queues: QueuesOf) -> None:
    """SPEC M7."""
    first = await run(append(queues, "bo", b"x", note="id-1", dedupe="r1", dedupe_ttl=120.0))
    again = await run(append(queues, "bo", b"x", note="id-2", dedupe="r1", dedupe_ttl=120.0))
    assert (first.note, first.repeated) == ("id-1", False)
    assert again == Appended(first.seq, "id-1", True)
    assert await bodies(queues, "bo") == [b"x"]


async def test_a_repetition_waits_for_the_first_that_is_under_way(queues: QueuesOf) -> None:
    """SPEC M7."""
    first, again = await together(
        append(queues, "bo", b"x", note="id", dedupe="r1", dedupe_ttl=120.0),
        append(queues, "bo", b"x", note="other", dedupe="r1", dedupe_ttl=120.0),
    )
    assert isinstance(first, Appended)
    assert again == Appended(first.seq, "id", True)
    assert await seqs(queues, "bo") == [first.seq]


async def test_a_dedupe_key_is_one_of_its_queue(queues: QueuesOf) -> None:
    """SPEC M7."""
    await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    assert not (await run(append(queues, "al", b"x", dedupe="r1", dedupe_ttl=120.0))).repeated


async def test_a_dedupe_key_outlives_the_items_removal_and_a_full_queue(queues: QueuesOf) -> None:
    """SPEC M7: a repetition is never an error."""
    first = await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    await run(queues.trim("bo", upto=first.seq))
    assert (await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))).repeated
    assert (await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=1.0, max_items=0))).repeated


async def test_a_dedupe_key_is_forgotten_after_its_time(queues: QueuesOf, clock: ManualClock) -> None:
    """SPEC M7: 120 seconds."""
    first = await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    clock.advance(119.0)
    assert (await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))).repeated
    clock.advance(1.0)
    again = await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    assert not again.repeated
    assert again.seq == first.seq + 1
    clock.advance(119.0)
    assert (await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))).seq == again.seq


async def test_a_refused_append_is_not_remembered(queues: QueuesOf) -> None:
    """SPEC M7, M9."""
    with pytest.raises(Full):
        await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0, max_items=0))
    assert not (await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))).repeated


async def test_a_clock_that_steps_back_repeats_no_number(queues: QueuesOf, clock: ManualClock) -> None:
    """SPEC M6: versions are never used twice."""
    before = await fill(queues, "bo", 3)
    clock.advance(-3600.0)
    assert await fill(queues, "bo", 3) == list(range(before[-1] + 1, before[-1] + 4))


async def test_the_epoch_is_a_text_that_stays(queues: QueuesOf) -> None:
    """PROTOCOL §12: epochs."""
    epoch = queues.epoch
    await fill(queues, "bo", 3)
    assert epoch
    assert queues.epoch == epoch
