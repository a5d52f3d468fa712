"""The port `Topics`: what every implementation must do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.driving import NOW, ManualClock, run, together
from signalpost.engine.ports import (
    AddMember,
    Change,
    DeleteAttribute,
    Edit,
    Event,
    Keep,
    Member,
    Rate,
    RateExceeded,
    RemoveMember,
    SetAttribute,
    Topics,
)

FIRST = int(NOW * 1000) * 1000
KEEP = Keep(seconds=120.0, events=100, size=10_000)

Told = list[tuple[str, int, str, bytes]]


@pytest.fixture
def told(topics: Topics) -> Told:
    """What the listener was told."""
    heard: Told = []
    topics.listen(lambda *event: heard.append(event))
    return heard


async def change(topics: Topics, topic: str, *edits: Edit, **options: object) -> Change:
    return await run(topics.change(topic, edits=edits, **options))  # type: ignore[arg-type]


async def say(topics: Topics, topic: str, body: bytes, *, keep: Keep | None = KEEP, **options: object) -> int:
    return (await change(topics, topic, event=body, keep=keep, **options)).seq


async def past(topics: Topics, topic: str, after: int) -> tuple[list[bytes], int]:
    events, lost = await run(topics.read(topic, after=after))
    return [event.body for event in events], lost


async def test_edits_and_their_event_are_one_step(topics: Topics, told: Told) -> None:
    """SPEC C1, C6; ARCHITECTURE: an edit and its event are one step, a snapshot carries its sequence."""
    done = await change(
        topics, "room", AddMember("ada", "s1"), SetAttribute("a", "1"), event=b"joined", keep=KEEP
    )
    assert done.applied
    assert not done.repeated
    assert done.seq > FIRST - 1
    assert told == [("room", done.seq, done.epoch, b"joined")]
    snapshot = await run(topics.snapshot("room", limit=200))
    assert snapshot == (done.seq, done.epoch, 1, [Member("ada", "s1")], {"a": "1"})


async def test_sequences_ascend_over_all_topics(topics: Topics, told: Told) -> None:
    """SPEC C6; PROTOCOL §7: ids must ascend over all channels that a session is in."""
    for topic in ("a", "b"):
        await change(topics, topic, AddMember("ada", "s"))
    await together(*[topics.change("ab"[n % 2], event=b"%d" % n, keep=KEEP) for n in range(100)])
    numbers = [seq for _, seq, _, _ in told]
    assert numbers == sorted(set(numbers))
    assert [body for *_, body in told] == [b"%d" % n for n in range(100)]


async def test_sequences_follow_the_clock(topics: Topics, clock: ManualClock) -> None:
    """PROTOCOL §12: so they ascend over a restart too."""
    await change(topics, "room", AddMember("ada", "s"))
    clock.advance(5.0)
    assert await say(topics, "room", b"x") >= FIRST + 5_000_000
    clock.advance(-60.0)
    assert await say(topics, "room", b"y") > FIRST + 5_000_000


async def test_a_topic_lives_from_its_first_edit_until_it_is_dropped(topics: Topics) -> None:
    """SPEC C8."""
    assert await run(topics.head("room")) is None
    assert await run(topics.snapshot("room", limit=1)) is None
    made = await change(topics, "room", SetAttribute("a", "1"))
    assert await run(topics.names()) == ["room"]
    assert await run(topics.drop("room", if_empty=False)) is True
    assert await run(topics.drop("room", if_empty=False)) is False
    assert await run(topics.names()) == []
    assert await run(topics.attributes("room")) == {}
    again = await change(topics, "room", AddMember("ada", "s"))
    assert again.epoch != made.epoch
    assert await run(topics.attributes("room")) == {}


async def test_an_event_to_no_topic_is_dropped(topics: Topics, told: Told) -> None:
    """SPEC C5: into an unknown channel: success, no channel is made."""
    assert await change(topics, "room", event=b"x", keep=KEEP) == Change(0, "", True, False)
    assert await change(topics, "room", DeleteAttribute("a"), event=b"x") == Change(0, "", True, False)
    assert told == []
    assert await run(topics.names()) == []


async def test_a_topic_with_members_is_dropped_only_when_asked_regardless(topics: Topics) -> None:
    """SPEC C8."""
    await change(topics, "room", AddMember("ada", "s"))
    assert await run(topics.drop("room", if_empty=True)) is False
    await change(topics, "room", RemoveMember("ada", "s"))
    assert await run(topics.drop("room", if_empty=True)) is True


async def test_a_member_is_removed_only_with_its_tag(topics: Topics, told: Told) -> None:
    """SPEC L17: the old session's leaving does not remove the new session's place."""
    await change(topics, "room", AddMember("ada", "old"))
    await change(topics, "room", AddMember("ada", "new"))
    head = await run(topics.head("room"))
    assert head is not None
    refused = await change(topics, "room", RemoveMember("ada", "old"), SetAttribute("a", "1"), event=b"left")
    assert refused == Change(head.seq, head.epoch, False, False)
    assert await run(topics.member("room", "ada")) == "new"
    assert await run(topics.attributes("room")) == {}
    assert told == []
    assert (await change(topics, "room", RemoveMember("ada", "new"), event=b"left")).applied
    assert await run(topics.member("room", "ada")) is None
    assert [body for *_, body in told] == [b"left"]


async def test_nobody_is_removed_from_no_topic(topics: Topics) -> None:
    assert await change(topics, "room", RemoveMember("ada", "s"), event=b"x") == Change(0, "", False, False)
    assert await run(topics.member("room", "ada")) is None


async def test_a_snapshot_has_the_newest_members_oldest_first(topics: Topics) -> None:
    """SPEC C1: the latest 200, oldest first."""
    for name in "abcde":
        await change(topics, "room", AddMember(name, "s"))
    await change(topics, "room", AddMember("b", "again"))
    snapshot = await run(topics.snapshot("room", limit=4))
    assert snapshot is not None
    assert snapshot.count == 5
    assert snapshot.members == [Member("b", "again"), Member("c", "s"), Member("d", "s"), Member("e", "s")]
    empty = await run(topics.snapshot("room", limit=0))
    assert empty is not None
    assert empty.members == []


async def test_a_member_who_comes_back_is_the_newest_and_counts_again(topics: Topics) -> None:
    """SPEC C11: `_total_member_num` counts the joins so far."""
    for edit in (AddMember("a", "1"), AddMember("b", "1"), AddMember("a", "2"), RemoveMember("a", "2")):
        await change(topics, "room", edit)
    await change(topics, "room", AddMember("a", "3"))
    head = await run(topics.head("room"))
    assert head is not None
    assert (head.members, head.added) == (2, 3)
    snapshot = await run(topics.snapshot("room", limit=9))
    assert snapshot is not None
    assert [member.name for member in snapshot.members] == ["b", "a"]


async def test_attributes_are_set_replaced_and_deleted(topics: Topics) -> None:
    """SPEC C10."""
    await change(topics, "room", SetAttribute("a", "1"), SetAttribute("b", "2"))
    await change(topics, "room", SetAttribute("a", "3"), DeleteAttribute("b"), DeleteAttribute("c"))
    assert await run(topics.attributes("room")) == {"a": "3"}
    await change(topics, "room", SetAttribute("d", "1"), DeleteAttribute("d"))
    assert await run(topics.attributes("room")) == {"a": "3"}


async def test_a_snapshots_attributes_do_not_change_later(topics: Topics) -> None:
    await change(topics, "room", SetAttribute("a", "1"))
    snapshot = await run(topics.snapshot("room", limit=1))
    await change(topics, "room", SetAttribute("a", "2"))
    assert snapshot is not None
    assert snapshot.attributes == {"a": "1"}


async def test_read_gives_what_was_missed_in_order(topics: Topics) -> None:
    """SPEC C9."""
    await change(topics, "room", AddMember("ada", "s"))
    numbers = [await say(topics, "room", b"%d" % n) for n in range(5)]
    assert await past(topics, "room", numbers[1]) == ([b"2", b"3", b"4"], 0)
    assert await past(topics, "room", numbers[4]) == ([], 0)
    assert await past(topics, "room", numbers[4] + 10) == ([], 0)
    assert await past(topics, "room", 0) == ([b"0", b"1", b"2", b"3", b"4"], 0)
    assert await past(topics, "other", 0) == ([], 0)
    events, _ = await run(topics.read("room", after=numbers[3]))
    assert events == [Event(numbers[4], b"4")]


async def test_a_cursor_may_lie_between_events(topics: Topics) -> None:
    """PROTOCOL §7: gaps are fine."""
    for topic in ("room", "other"):
        await change(topics, topic, AddMember("ada", "s"))
    await say(topics, "room", b"1")
    between = await say(topics, "other", b"x")
    await say(topics, "room", b"2")
    assert await past(topics, "room", between) == ([b"2"], 0)


@pytest.mark.parametrize("keep", [Keep(120.0, 3, 10_000), Keep(120.0, 100, 30)], ids=["by count", "by size"])
async def test_the_log_is_bounded_and_the_lost_are_counted(topics: Topics, keep: Keep) -> None:
    """SPEC C9: 24 000 events or 16 MiB; if more was missed, `onError` says how many."""
    await change(topics, "room", AddMember("ada", "s"))
    numbers = [await say(topics, "room", b"%010d" % n, keep=keep) for n in range(10)]
    kept = [b"%010d" % n for n in (7, 8, 9)]
    assert await past(topics, "room", 0) == (kept, 7)
    assert await past(topics, "room", numbers[2]) == (kept, 4)
    assert await past(topics, "room", numbers[2] - 1) == (kept, 5)
    assert await past(topics, "room", numbers[6]) == (kept, 0)
    assert await past(topics, "room", numbers[7]) == (kept[1:], 0)


@pytest.mark.parametrize("swept", [False, True])
async def test_events_are_kept_for_their_seconds(topics: Topics, clock: ManualClock, swept: bool) -> None:
    """SPEC C9: the last 120 s."""
    await change(topics, "room", AddMember("ada", "s"))
    first = await say(topics, "room", b"1")
    clock.advance(100.0)
    await say(topics, "room", b"2")
    clock.advance(20.0)
    assert await past(topics, "room", 0) == ([b"1", b"2"], 0)
    clock.advance(0.01)
    if swept:
        await run(topics.sweep())
    assert await past(topics, "room", 0) == ([b"2"], 1)
    assert await past(topics, "room", first) == ([b"2"], 0)
    clock.advance(100.0)
    assert await past(topics, "room", first) == ([], 1)


async def test_an_event_that_is_not_kept_counts_as_lost(topics: Topics) -> None:
    await change(topics, "room", AddMember("ada", "s"))
    first = await say(topics, "room", b"1")
    await say(topics, "room", b"2", keep=None)
    last = await say(topics, "room", b"3")
    assert await past(topics, "room", 0) == ([b"1", b"3"], 1)
    for n in range(100):
        await say(topics, "room", b"%d" % n)
    assert (await past(topics, "room", last - 1))[1] == 1
    assert (await past(topics, "room", first))[1] == 2
    assert (await past(topics, "room", 0))[1] == 3


async def test_the_lost_are_counted_over_a_long_life(topics: Topics, clock: ManualClock) -> None:
    """SPEC C9: exactly, for as long as a session can have been away."""
    await change(topics, "room", AddMember("ada", "s"))
    keep = Keep(seconds=10.0, events=5, size=1000)
    numbers = []
    for n in range(6000):
        clock.advance(0.05)
        numbers.append(await say(topics, "room", b"%d" % n, keep=keep))
    assert (await past(topics, "room", numbers[-1001]))[1] == 995
    assert (await past(topics, "room", numbers[-4001]))[1] == 3995
    assert (await past(topics, "room", 0))[1] == 5995


async def test_how_far_a_reader_came_is_told_by_the_size_of_what_it_has_not_read(topics: Topics) -> None:
    """SPEC C9: what never arrived was missed; rather more than that than less."""
    await change(topics, "room", AddMember("ada", "s"))
    numbers = [await say(topics, "room", b"x" * 100) for _ in range(10)]
    last = numbers[-1]
    assert await run(topics.short_of("room", upto=last, size=0)) == last
    for size, unread in ((1, 1), (100, 1), (101, 2), (900, 9)):
        upto = await run(topics.short_of("room", upto=last, size=size))
        assert upto == numbers[-1 - unread], size
    assert await run(topics.short_of("room", upto=numbers[4], size=150)) == numbers[2]
    for size in (1000, 5000):
        upto = await run(topics.short_of("room", upto=last, size=size))
        assert len((await past(topics, "room", upto))[0]) == 10
    assert await run(topics.short_of("nowhere", upto=7, size=5)) == 7


async def test_a_rate_admits_so_many_in_any_window(topics: Topics, clock: ManualClock, told: Told) -> None:
    """SPEC M8, C7."""
    await change(topics, "room", AddMember("ada", "s"))
    rate = Rate("room", limit=3)
    for wait in (0.0, 0.5, 0.25):
        clock.advance(wait)
        await say(topics, "room", b"x", rates=[rate])
    with pytest.raises(RateExceeded) as caught:
        await say(topics, "room", b"x", rates=[rate])
    assert caught.value.key == "room"
    clock.advance(0.25)
    await say(topics, "room", b"x", rates=[rate])
    with pytest.raises(RateExceeded):
        await say(topics, "room", b"x", rates=[rate])
    assert len(told) == 4


async def test_a_refused_change_does_nothing_and_does_not_count(topics: Topics, clock: ManualClock) -> None:
    """SPEC M8: the surplus does not count."""
    await change(topics, "room", AddMember("ada", "s"))
    user, room = Rate("user", limit=2), Rate("room", limit=1)
    await say(topics, "room", b"x", rates=[user, room])
    for rates in ([user, room], [room, user]):
        with pytest.raises(RateExceeded) as caught:
            await change(topics, "room", SetAttribute("a", "1"), event=b"y", rates=rates)
        assert caught.value.key == "room"
    assert await run(topics.attributes("room")) == {}
    await say(topics, "room", b"x", rates=[user])
    with pytest.raises(RateExceeded):
        await say(topics, "room", b"x", rates=[user])
    clock.advance(1.0)
    await say(topics, "room", b"x", rates=[user, room])


async def test_a_change_that_is_not_applied_does_not_count(topics: Topics) -> None:
    await change(topics, "room", AddMember("ada", "s"))
    rate = Rate("room", limit=1)
    await change(topics, "room", RemoveMember("ada", "other"), rates=[rate])
    await say(topics, "room", b"x", rates=[rate])


async def test_rates_have_windows_of_their_own_and_outlast_sweeps(topics: Topics, clock: ManualClock) -> None:
    """SPEC C10: `_setattr_limit`, changes a second of one attribute."""
    await change(topics, "room", AddMember("ada", "s"))
    minute, second = Rate("m", limit=1, window=60.0), Rate("s", limit=1)
    await say(topics, "room", b"x", rates=[minute, second])
    clock.advance(1.0)
    await run(topics.sweep())
    await say(topics, "room", b"x", rates=[second])
    with pytest.raises(RateExceeded):
        await say(topics, "room", b"x", rates=[minute])
    clock.advance(59.0)
    await run(topics.sweep())
    await say(topics, "room", b"x", rates=[minute])


async def test_a_change_that_is_repeated_happens_once(topics: Topics, clock: ManualClock, told: Told) -> None:
    """PROTOCOL §12: rid."""
    await change(topics, "room", AddMember("ada", "s"))
    options = {"event": b"x", "keep": KEEP, "dedupe": "r1", "dedupe_ttl": 120.0, "rates": [Rate("room", 1)]}
    first = await change(topics, "room", SetAttribute("a", "1"), **options)
    await change(topics, "room", SetAttribute("a", "2"))
    again = await change(topics, "room", SetAttribute("a", "1"), **options)
    assert again == Change(first.seq, first.epoch, True, True)
    assert await run(topics.attributes("room")) == {"a": "2"}
    assert len(told) == 1
    clock.advance(120.0)
    await run(topics.sweep())
    assert not (await change(topics, "room", **options)).repeated


async def test_a_repetition_of_what_is_under_way_waits_for_it(topics: Topics, told: Told) -> None:
    """PROTOCOL §12: rid."""
    edits: Sequence[Edit] = [SetAttribute("a", "1")]
    first, again = await together(
        topics.change("room", edits=edits, event=b"x", dedupe="r", dedupe_ttl=9.0),
        topics.change("room", edits=edits, event=b"x", dedupe="r", dedupe_ttl=9.0),
    )
    assert isinstance(first, Change)
    assert again == Change(first.seq, first.epoch, True, True)
    assert len(told) == 1


async def test_what_a_dedupe_key_did_can_be_asked_for(topics: Topics, clock: ManualClock) -> None:
    """PROTOCOL §12: nothing is changed to find out."""
    await change(topics, "room", AddMember("ada", "s"))
    assert await run(topics.changed("room", "r")) is None
    first = await change(topics, "room", event=b"x", dedupe="r", dedupe_ttl=9.0)
    assert await run(topics.changed("room", "r")) == Change(first.seq, first.epoch, True, True)
    assert await run(topics.changed("hall", "r")) is None
    clock.advance(9.0)
    assert await run(topics.changed("room", "r")) is None


async def test_what_was_refused_or_dropped_is_not_remembered(topics: Topics, told: Told) -> None:
    await change(topics, "room", event=b"x", dedupe="r", dedupe_ttl=9.0)
    await change(topics, "room", AddMember("ada", "s"))
    with pytest.raises(RateExceeded):
        await change(topics, "room", event=b"x", dedupe="r", dedupe_ttl=9.0, rates=[Rate("k", 0)])
    assert not (await change(topics, "room", event=b"x", dedupe="r", dedupe_ttl=9.0)).repeated
    assert len(told) == 1


async def test_ten_thousand_members_fit(topics: Topics) -> None:
    """SPEC C15."""
    for n in range(10_000):
        await change(topics, "room", AddMember(f"m{n}", "s"))
    snapshot = await run(topics.snapshot("room", limit=200))
    assert snapshot is not None
    assert snapshot.count == 10_000
    assert [member.name for member in snapshot.members] == [f"m{n}" for n in range(9_800, 10_000)]
