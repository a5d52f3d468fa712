"""The port `Shared`: what every implementation must do."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from contract.notes import Mark, Note
from engine.driving import NOW, ManualClock, run, together
from signalpost.engine.ports import Conflict, Entry, RateExceeded
from signalpost.engine.ports.kept import Attribute
from signalpost.engine.ports.shared import (
    Absent,
    AddMember,
    Begin,
    Behind,
    Change,
    Changed,
    DeleteAttribute,
    Drop,
    Edit,
    Event,
    Keep,
    Page,
    Past,
    Place,
    Rate,
    RemoveMember,
    SetAttribute,
    Shared,
    Since,
    Snapshot,
    Spend,
    Topic,
    Topics,
)
from signalpost.engine.ports.steps import Arm, Cancel, Delete, Due, Expect, Keys, Put, Receipt, Record

KEEP = Keep(seconds=120.0, events=100, size=10_000)
ALL = 1_000_000


class Ear:
    """What a node was told."""

    def __init__(self, shared: Shared) -> None:
        self._events: list[tuple[str, str, Event]] = []
        self._notes: list[msgspec.Struct] = []
        self._shared = shared
        self._marked = asyncio.Event()  # a mark has come
        shared.listen(lambda *event: self._events.append(event))
        shared.nodes.listen(self._note)

    async def _settle(self) -> None:
        """Wait until all that is on its way here has come: a note to oneself comes behind it."""
        self._marked.clear()
        await run(self._shared.nodes.send(self._shared.nodes.me, Mark()))
        await asyncio.wait_for(self._marked.wait(), 20.0)

    def _note(self, note: msgspec.Struct) -> None:
        if isinstance(note, Mark):
            self._marked.set()
        else:
            self._notes.append(note)

    async def events(self) -> list[tuple[str, int, bytes]]:
        """The events since the last look: topic, offset, body."""
        await self._settle()
        heard, self._events = self._events, []
        return [(topic, event.offset, event.body) for topic, _, event in heard]

    async def notes(self) -> list[msgspec.Struct]:
        """The notes since the last look."""
        await self._settle()
        heard, self._notes = self._notes, []
        return heard


async def one(shared: Shared, ask: Any) -> Any:
    (answer,) = await run(shared.load(ask))
    return answer


async def do(shared: Shared, step: Any) -> Any:
    (result,) = await run(shared.commit(step))
    return result


async def change(shared: Shared, topic: str, *edits: Edit, **options: Any) -> Changed:
    changed = await do(shared, Change(topic, edits, **{"keep": KEEP, **options}))
    assert isinstance(changed, Changed)
    return changed


async def enter(shared: Shared, topic: str, name: str = "ada", tag: str = "s", **options: Any) -> Changed:
    return await change(shared, topic, Begin(), AddMember(name, tag), **options)


async def say(shared: Shared, topic: str, body: bytes, **options: Any) -> int:
    changed = await change(shared, topic, event=body, **options)
    assert changed.told
    return changed.offset


async def page(shared: Shared, topic: str, after: int, events: int = ALL, size: int = ALL) -> Page:
    found = await one(shared, Past(topic, after, events, size))
    assert isinstance(found, Page)
    return found


async def past(shared: Shared, topic: str, after: int) -> tuple[list[bytes], int]:
    found = await page(shared, topic, after)
    return [event.body for event in found.events], found.lost


async def attributes(shared: Shared, topic: str) -> dict[str, str]:
    found = await one(shared, Topic(topic))
    assert isinstance(found, Snapshot)
    return dict(found.attributes)


# --- records ------------------------------------------------------------------------------------


async def test_a_record_is_stored_replaced_and_removed(shared: Shared) -> None:
    """SPEC L7: whoever changes what somebody else has changed meanwhile finds out."""
    assert await one(shared, Record("a")) is None
    first = await do(shared, Put("a", b"1", expect=0))
    assert first > 0
    assert await one(shared, Record("a")) == Entry(b"1", first)
    for expect in (0, first + 1):
        with pytest.raises(Conflict) as caught:
            await do(shared, Put("a", b"x", expect=expect))
        assert caught.value.step == Put("a", b"x", expect=expect)
    second = await do(shared, Put("a", b"2", expect=first))
    assert second not in (0, first)
    with pytest.raises(Conflict):
        await do(shared, Delete("a", expect=first))
    assert await do(shared, Delete("a", expect=second)) is True
    assert await do(shared, Delete("a")) is False
    assert await do(shared, Delete("a", expect=0)) is False
    assert await do(shared, Put("a", b"3")) not in (0, first, second)


async def test_a_record_is_there_for_its_time(shared: Shared, clock: ManualClock) -> None:
    await do(shared, Put("a", b"1", ttl=10.0))
    await do(shared, Put("b", b"1", ttl=10.0))
    await do(shared, Put("b", b"1"))
    await do(shared, Put("c", b"1"))
    await do(shared, Put("c", b"1", ttl=5.0))
    await do(shared, Put("d", b"1", ttl=5.0))
    await do(shared, Put("d", b"2", ttl=50.0))
    clock.advance(9.9)
    await run(shared.sweep())
    assert [await one(shared, Record(key)) is not None for key in "abcd"] == [True, True, False, True]
    clock.advance(0.1)
    assert [await one(shared, Record(key)) is not None for key in "abcd"] == [False, True, False, True]
    assert await do(shared, Put("a", b"2", expect=0)) > 0
    await run(shared.sweep())
    assert await one(shared, Record("a")) is not None
    clock.advance(40.0)
    assert await one(shared, Record("d")) is None


async def test_of_many_who_put_at_once_one_succeeds(shared: Shared) -> None:
    done = await together(*[shared.commit(Put("a", b"%d" % n, expect=0)) for n in range(5)])
    assert sum(isinstance(result, tuple) for result in done) == 1
    assert sum(isinstance(result, Conflict) for result in done) == 4


async def listed(shared: Shared, ask: type[Keys] | type[Topics], prefix: str, limit: int) -> list[str]:
    """All pages, one after the other."""
    names: list[str] = []
    found = await one(shared, ask(prefix, limit=limit))
    names += found.names
    while found.cursor:
        found = await one(shared, ask(prefix, found.cursor, limit))
        names += found.names
    return names


async def test_keys_are_listed_by_what_they_begin_with(shared: Shared, clock: ManualClock) -> None:
    live = [f"s\x1fapp\x1f{number}" for number in range(7)] + ["s\x1fapp\x1f*", "s\x1fapp\x1f[a]é"]
    for key in [*live, "s\x1fap", "s\x1fapp*\x1f1", "s\x1fapple\x1f1", "t\x1fapp\x1f1"]:
        await do(shared, Put(key, b"1"))
    await do(shared, Put("s\x1fapp\x1fshort", b"1", ttl=5.0))
    await do(shared, Delete(live.pop(3)))
    clock.advance(5.0)
    for limit in (1, 3, 100):
        assert set(await listed(shared, Keys, "s\x1fapp\x1f", limit)) == set(live)
    assert await listed(shared, Keys, "u", 10) == []


async def test_what_is_there_all_the_time_is_listed_whatever_comes_and_goes(shared: Shared) -> None:
    for number in range(30):
        await do(shared, Put(f"k{number:02}", b"1"))
    found = await one(shared, Keys("k", limit=5))
    names, number = list(found.names), 0
    while found.cursor:
        await do(shared, Delete(f"k{number:02}"))
        await do(shared, Put(f"k{number:02}-", b"1"))
        await do(shared, Put(f"k{number + 15}", b"2"))
        number += 1
        found = await one(shared, Keys("k", found.cursor, 5))
        names += found.names
    assert {f"k{each:02}" for each in range(number, 30)} <= set(names)


async def test_topics_are_listed_by_what_they_begin_with(shared: Shared) -> None:
    for topic in ("app\x1froom", "app\x1f*", "app\x1fhall", "apple\x1froom", "app\x1fgone"):
        await enter(shared, topic)
    await change(shared, "app\x1fgone", RemoveMember("ada", "s"))
    await do(shared, Put("app\x1frecord", b"1"))
    for limit in (1, 2, 100):
        names = await listed(shared, Topics, "app\x1f", limit)
        assert set(names) == {"app\x1froom", "app\x1f*", "app\x1fhall"}


# --- one instant, all or nothing ----------------------------------------------------------------


async def test_several_questions_are_answered_in_order(shared: Shared) -> None:
    rev = await do(shared, Put("a", b"1"))
    await enter(shared, "room")
    answers = await run(shared.load(Record("a"), Place("room", "ada"), Record("b"), Place("hall", "ada")))
    assert answers == (Entry(b"1", rev), "s", None, None)
    assert await run(shared.load()) == ()


async def test_a_commit_is_done_as_a_whole_or_not_at_all(shared: Shared) -> None:
    """ENGINE: all in force, in this order, or none."""
    ear = Ear(shared)
    await run(shared.follow("room"))
    await enter(shared, "room")
    rev = await do(shared, Put("a", b"1"))
    wrong: list[tuple[Any, type[Exception]]] = [
        (Put("a", b"x", expect=rev + 9), Conflict),
        (Delete("b", expect=7), Conflict),
        (Change("nowhere", (AddMember("ada", "s"),)), Conflict),
        (Change("room", event=b"x", rates=(Rate("r", 0),)), RateExceeded),
        (Spend("k", 1.0, 0), RateExceeded),
        (Expect("a", rev + 9), Conflict),
        (Expect("a", 0), Conflict),
        (Absent("room"), Conflict),
    ]
    for step, error in wrong:
        right = (
            Put("b", b"1"),
            Delete("a"),
            Arm("t", NOW - 1.0),
            Spend("other", 1.0, 1),
            Change("room", (AddMember("bo", "s"), SetAttribute("a", "1", 1)), event=b"joined", keep=KEEP),
            Change("hall", (Begin(), AddMember("bo", "s"))),
        )
        for steps in ((*right, step), (step, *right)):
            with pytest.raises(error):
                await run(shared.commit(*steps))
        assert await one(shared, Record("b")) is None
        assert await one(shared, Record("a")) == Entry(b"1", rev)
        assert await one(shared, Place("room", "bo")) is None
        assert await one(shared, Topic("hall")) is None
        assert await run(shared.due(limit=9, lease=1.0)) == []
    assert await ear.events() == []
    results = await run(shared.commit(Expect("a", rev), Expect("b", 0), Absent("hall"), *right))
    assert [type(result) for result in results[3:]] == [int, bool, type(None), type(None), Changed, Changed]
    assert await ear.events() == [("room", 1, b"joined")]


async def test_a_change_of_places_is_one_commit(shared: Shared) -> None:
    """SPEC C2: joining a second channel leaves the first."""
    await enter(shared, "one")
    await enter(shared, "two", "bo")
    rev = await do(shared, Put("session", b"1"))
    left, came, put = await run(
        shared.commit(
            Change("one", (RemoveMember("ada", "s"),), event=b"left", keep=KEEP),
            Change("two", (AddMember("ada", "s"),), event=b"came", keep=KEEP),
            Put("session", b"2", expect=rev),
        )
    )
    assert (left.applied, left.count) == (True, 0)
    assert (came.offset, came.count) == (1, 2)
    assert await one(shared, Record("session")) == Entry(b"2", put)
    assert await one(shared, Topic("one")) is None


# --- topics -------------------------------------------------------------------------------------


async def test_edits_and_their_event_are_one_step(shared: Shared) -> None:
    """SPEC C1, C6: a snapshot carries the offset of the latest event."""
    done = await change(
        shared, "room", Begin(), AddMember("ada", "s1"), SetAttribute("a", "1", 7), event=b"joined"
    )
    assert done == Changed(1, done.epoch, told=True, count=1)
    found = await one(shared, Topic("room", 200))
    assert found == Snapshot(1, done.epoch, 1, ("ada",), {"a": "1"}, 1, 0.0)


async def test_offsets_are_consecutive_in_each_topic(shared: Shared) -> None:
    """SPEC C6; ENGINE: a gap is a loss."""
    ear = Ear(shared)
    for topic in ("a", "b"):
        await enter(shared, topic)
        await run(shared.follow(topic))
    await together(*[shared.commit(Change("ab"[n % 2], event=b"%d" % n, keep=KEEP)) for n in range(100)])
    heard = await ear.events()
    for topic in ("a", "b"):
        assert [offset for name, offset, _ in heard if name == topic] == list(range(1, 51))
    for topic in ("a", "b"):
        found = await page(shared, topic, 0)
        told = [(offset, body) for name, offset, body in heard if name == topic]
        assert [(event.offset, event.body) for event in found.events] == told


async def test_a_topic_lives_until_nobody_and_nothing_is_in_it(shared: Shared) -> None:
    """SPEC C8."""
    assert await one(shared, Topic("room")) is None
    first = await enter(shared, "room")
    await change(shared, "room", RemoveMember("ada", "s"))
    assert await one(shared, Topic("room")) is None
    assert await one(shared, Past("room", 0, 1, 1)) is None
    again = await change(shared, "room", Begin({"a": Attribute("1", 5)}), AddMember("ada", "s"))
    assert again.epoch != first.epoch
    await change(shared, "room", RemoveMember("ada", "s"))
    found = await one(shared, Topic("room"))
    assert (found.count, found.attributes, found.emptied, found.epoch) == (0, {"a": "1"}, NOW, again.epoch)
    await change(shared, "room", DeleteAttribute("a", 6))
    assert await one(shared, Topic("room")) is None


async def test_a_topic_is_dropped_when_asked(shared: Shared) -> None:
    """SPEC C8."""
    await enter(shared, "room")
    assert await do(shared, Drop("room")) is False
    await change(shared, "room", SetAttribute("a", "1", 1), RemoveMember("ada", "s"))
    assert await do(shared, Drop("room")) is True
    assert await do(shared, Drop("room")) is False
    await enter(shared, "room")
    assert await do(shared, Drop("room", if_empty=False)) is True
    assert await one(shared, Topic("room")) is None


async def test_nobody_enters_what_has_not_begun(shared: Shared) -> None:
    """ENGINE: on a new epoch the copy of the attributes is loaded first."""
    step = Change("room", (AddMember("ada", "s"),))
    with pytest.raises(Conflict) as caught:
        await do(shared, step)
    assert caught.value.step == step
    await change(shared, "room", Begin({"a": Attribute("1", 5)}), AddMember("ada", "s"))
    await change(shared, "room", Begin({"a": Attribute("2", 6)}), AddMember("bo", "s"))
    assert await attributes(shared, "room") == {"a": "1"}


async def test_an_event_to_no_topic_is_dropped(shared: Shared) -> None:
    """SPEC C5: into an unknown channel: success, no channel is made, and nothing is remembered of it."""
    ear = Ear(shared)
    await run(shared.follow("room"))
    for edits in ((), (SetAttribute("a", "1", 1),), (DeleteAttribute("a", 1),)):
        done = await change(
            shared, "room", *edits, event=b"x", dedupe="r", dedupe_ttl=9.0, rates=(Rate("k", 0),)
        )
        assert (done.offset, done.epoch, done.told, done.news) == (0, "", False, False)
    assert await ear.events() == []
    assert await one(shared, Topic("room")) is None
    assert await one(shared, Receipt("room", "r")) is None


async def test_a_member_is_removed_only_with_its_tag(shared: Shared) -> None:
    """SPEC L17: the old session's leaving does not remove the new session's place."""
    await enter(shared, "room", tag="old")
    await change(shared, "room", AddMember("ada", "new"))
    refused = await change(
        shared, "room", RemoveMember("ada", "old"), SetAttribute("a", "1", 1), event=b"left"
    )
    assert (refused.applied, refused.news, refused.told, refused.offset) == (False, False, False, 0)
    assert await one(shared, Place("room", "ada")) == "new"
    assert await attributes(shared, "room") == {}
    left = await change(shared, "room", RemoveMember("ada", "new"), event=b"left")
    assert (left.applied, left.told, left.offset, left.count) == (True, True, 1, 0)
    nowhere = await change(shared, "room", RemoveMember("ada", "new"), event=b"left")
    assert (nowhere.applied, nowhere.offset, nowhere.epoch) == (False, 0, "")


async def test_who_is_there_already_is_no_news(shared: Shared) -> None:
    """SPEC C2: joining the channel that one is in changes nothing for others."""
    first = await enter(shared, "room", event=b"came")
    again = await change(shared, "room", AddMember("ada", "s2"), event=b"came")
    assert (first.news, first.told) == (True, True)
    assert (again.applied, again.news, again.told, again.offset) == (True, False, False, 1)


async def test_an_event_can_be_left_out_by_an_attribute(shared: Shared) -> None:
    """SPEC C11: `_userNotification`."""
    await enter(shared, "room")
    await change(shared, "room", SetAttribute("quiet", "1", 1))
    for value, told in (("1", False), ("0", True)):
        done = await change(shared, "room", AddMember(f"m{value}", "s"), event=b"x", unless=("quiet", value))
        assert done.told is told


async def test_a_change_can_follow_the_news_of_the_one_before(shared: Shared) -> None:
    """SPEC P4: who watches the app is told of joins and leaves, not of what was none."""
    await enter(shared, "watchers")
    await enter(shared, "room")
    watched = Change("watchers", event=b"seen", keep=KEEP, follows=True)
    for edit, told in (
        (AddMember("ada", "s2"), False),
        (AddMember("bo", "s"), True),
        (RemoveMember("bo", "other"), False),
        (RemoveMember("bo", "s"), True),
    ):
        _, seen = await run(shared.commit(Change("room", (edit,)), watched))
        assert (seen.told, seen.applied) == (told, told)
    (alone,) = await run(shared.commit(watched))
    assert alone.applied is False
    _, nowhere, chained = await run(
        shared.commit(Change("no", event=b"x"), watched, Change("watchers", follows=True))
    )
    assert not nowhere.applied
    assert not chained.applied


async def test_a_snapshot_has_the_newest_members_oldest_first(shared: Shared) -> None:
    """SPEC C1: the latest 200, oldest first."""
    for name in "abcde":
        await enter(shared, "room", name)
    await enter(shared, "room", "b", "again")
    found = await one(shared, Topic("room", 4))
    assert (found.count, found.members) == (5, ("b", "c", "d", "e"))
    assert (await one(shared, Topic("room"))).members == ()


async def test_a_change_can_show_what_is_behind_it(shared: Shared) -> None:
    """ENGINE: a join is one round trip."""
    await enter(shared, "room", "bo")
    done = await enter(shared, "room", event=b"came", show=9)
    assert done.shown == await one(shared, Topic("room", 9))
    assert done.shown is not None
    assert (done.shown.offset, done.shown.members) == (1, ("bo", "ada"))
    await enter(shared, "room", "cy")
    again = await enter(shared, "room", event=b"came", show=1)
    assert again.shown is not None
    assert again.shown.members == ("cy",)
    assert (await change(shared, "nowhere", show=9)).shown is None


async def test_a_member_who_comes_back_is_the_newest_and_counts_again(shared: Shared) -> None:
    """SPEC C11: `_total_member_num` counts the joins so far."""
    await enter(shared, "room", "a", "1")
    for edit in (AddMember("b", "1"), AddMember("a", "2"), RemoveMember("a", "2"), AddMember("a", "3")):
        await change(shared, "room", edit)
    found = await one(shared, Topic("room", 9))
    assert (found.count, found.added, found.members) == (2, 3, ("b", "a"))


async def test_ten_thousand_members_fit(shared: Shared) -> None:
    """SPEC C15."""
    await change(shared, "room", Begin(), *[AddMember(f"m{n}", "s") for n in range(10_000)])
    found = await one(shared, Topic("room", 200))
    assert found.count == 10_000
    assert found.members == tuple(f"m{n}" for n in range(9_800, 10_000))


# --- copies of attributes -----------------------------------------------------------------------


async def test_an_edit_is_taken_only_if_it_is_newer(shared: Shared) -> None:
    """ENGINE: members end at what is kept, in whatever order two nodes come."""
    await change(shared, "room", Begin({"a": Attribute("5", 5)}), AddMember("ada", "s"))
    for edit, news, value in (
        (SetAttribute("a", "4", 4), False, "5"),
        (SetAttribute("a", "again", 5), False, "5"),
        (SetAttribute("a", "7", 7), True, "7"),
        (DeleteAttribute("a", 6), False, "7"),
        (DeleteAttribute("a", 9), True, None),
        (SetAttribute("a", "8", 8), False, None),
        (DeleteAttribute("a", 10), False, None),
        (SetAttribute("a", "9", 9), False, None),
        (SetAttribute("a", "11", 11), True, "11"),
    ):
        done = await change(shared, "room", edit, event=b"x")
        assert (done.applied, done.news, done.told) == (True, news, news), edit
        assert (await attributes(shared, "room")).get("a") == value
    assert (await page(shared, "room", 0)).head == 3


async def test_what_was_deleted_before_a_topic_began_does_not_come_back(shared: Shared) -> None:
    await change(shared, "room", Begin({"a": Attribute("5", 5)}), AddMember("ada", "s"))
    assert not (await change(shared, "room", SetAttribute("b", "4", 4))).news
    assert (await change(shared, "room", SetAttribute("b", "6", 6))).news


async def test_what_was_deleted_stays_so_for_a_minute(shared: Shared, clock: ManualClock) -> None:
    await enter(shared, "room")
    await change(shared, "room", SetAttribute("a", "1", 1))
    await change(shared, "room", DeleteAttribute("a", 3))
    clock.advance(59.0)
    await run(shared.sweep())
    assert not (await change(shared, "room", SetAttribute("a", "2", 2))).news


async def test_attributes_that_were_read_do_not_change_later(shared: Shared) -> None:
    await enter(shared, "room")
    await change(shared, "room", SetAttribute("a", "1", 1))
    found = await one(shared, Topic("room"))
    await change(shared, "room", SetAttribute("a", "2", 2))
    await change(shared, "room", DeleteAttribute("a", 3))
    assert found.attributes == {"a": "1"}


# --- the past -----------------------------------------------------------------------------------


async def test_the_past_is_read_in_order(shared: Shared, clock: ManualClock) -> None:
    """SPEC C9."""
    done = await enter(shared, "room")
    for n in range(1, 6):
        clock.advance(1.0)
        assert await say(shared, "room", b"%d" % n) == n
    found = await page(shared, "room", 3)
    events = (Event(4, NOW + 4.0, b"4"), Event(5, NOW + 5.0, b"5"))
    assert found == Page(events, 0, 5, NOW + 5.0, done.epoch, 3)
    assert await past(shared, "room", 5) == ([], 0)
    assert await past(shared, "room", 15) == ([], 0)
    assert await past(shared, "room", 0) == ([b"1", b"2", b"3", b"4", b"5"], 0)
    assert await one(shared, Past("other", 0, 1, 1)) is None


async def test_a_member_is_told_nothing_from_before_it_came(shared: Shared) -> None:
    """SPEC C9, L17: whatever it says that it has seen; a new tag leaves its place, and so its past."""

    async def seen(after: int, member: str = "bo") -> tuple[list[bytes], int]:
        found = await one(shared, Past("room", after, ALL, ALL, member))
        assert isinstance(found, Page)
        return [event.body for event in found.events], found.after

    keep = Keep(120.0, 100, ALL)
    await enter(shared, "room", "ada", event=b"ada", keep=keep)
    await enter(shared, "room", "bo", event=b"bo", keep=keep)
    await say(shared, "room", b"1", keep=keep)
    await enter(shared, "room", "bo", "t", event=b"bo again", keep=keep)
    await enter(shared, "room", "cy", event=b"cy", keep=keep)
    assert await seen(0) == ([b"1", b"cy"], 2)
    assert await seen(3) == ([b"cy"], 3)
    assert await seen(0, "cy") == ([], 4)
    assert await seen(1, "nobody") == ([b"bo", b"1", b"cy"], 1)
    await change(shared, "room", RemoveMember("bo", "t"))
    await enter(shared, "room", "bo")
    await say(shared, "room", b"2", keep=keep)
    assert await seen(0) == ([b"2"], 4)


async def test_the_past_comes_in_pages(shared: Shared) -> None:
    """SPEC C9: never the whole backlog in memory."""
    await enter(shared, "room")
    for n in range(300):
        await say(shared, "room", b"%03d" % n, keep=Keep(120.0, 250, ALL))
    seen, after, lost = [], 0, 0
    while (found := await page(shared, "room", after, events=7)).events:
        assert len(found.events) <= 7
        seen += [event.body for event in found.events]
        lost += found.lost
        after = found.events[-1].offset
    assert seen == [b"%03d" % n for n in range(50, 300)]
    assert lost == 50
    assert [event.offset for event in (await page(shared, "room", 100, size=7)).events] == [101, 102]
    assert [event.offset for event in (await page(shared, "room", 100, size=2)).events] == [101]
    assert [event.offset for event in (await page(shared, "room", 0, size=2)).events] == [51]


@pytest.mark.parametrize("keep", [Keep(120.0, 3, 10_000), Keep(120.0, 100, 30)], ids=["by count", "by size"])
async def test_the_past_is_bounded_and_the_lost_are_counted(shared: Shared, keep: Keep) -> None:
    """SPEC C9: 24 000 events or 16 MiB; if more was missed, `onError` says how many."""
    await enter(shared, "room")
    for n in range(1, 11):
        await say(shared, "room", b"%010d" % n, keep=keep)
    kept = [b"%010d" % n for n in (8, 9, 10)]
    assert await past(shared, "room", 0) == (kept, 7)
    assert await past(shared, "room", 3) == (kept, 4)
    assert await past(shared, "room", 7) == (kept, 0)
    assert await past(shared, "room", 8) == (kept[1:], 0)


@pytest.mark.parametrize("swept", [False, True])
async def test_events_are_kept_for_their_seconds(shared: Shared, clock: ManualClock, swept: bool) -> None:
    """SPEC C9: the last 120 s."""
    await enter(shared, "room")
    await say(shared, "room", b"1")
    clock.advance(100.0)
    await say(shared, "room", b"2")
    clock.advance(20.0)
    assert await past(shared, "room", 0) == ([b"1", b"2"], 0)
    clock.advance(0.01)
    if swept:
        await run(shared.sweep())
    assert await past(shared, "room", 0) == ([b"2"], 1)
    assert await past(shared, "room", 1) == ([b"2"], 0)
    clock.advance(100.0)
    assert await past(shared, "room", 1) == ([], 1)
    assert (await page(shared, "room", 1)).head == 2


async def test_the_lost_are_counted_over_a_long_life(shared: Shared, clock: ManualClock) -> None:
    """SPEC C9: by a subtraction, for as long as the topic lives."""
    await enter(shared, "room")
    keep = Keep(seconds=10.0, events=5, size=1000)
    for n in range(1000):
        clock.advance(0.05)
        await say(shared, "room", b"%d" % n, keep=keep)
    assert (await past(shared, "room", 500))[1] == 495
    assert (await past(shared, "room", 0))[1] == 995


async def test_how_far_a_reader_came_is_told_by_what_it_has_not_read(
    shared: Shared, clock: ManualClock
) -> None:
    """SPEC C9: what never arrived was missed; rather more than that than less."""
    await enter(shared, "room")
    for _ in range(10):
        clock.advance(1.0)
        await say(shared, "room", b"x" * 100, keep=Keep(120.0, 8, 10_000))
    for ask, offset in (
        (Behind("room"), 10),
        (Behind("room", 4), 4),
        (Behind("room", 99), 10),
        (Behind("room", 10, 1), 9),
        (Behind("room", 10, 100), 9),
        (Behind("room", 10, 101), 8),
        (Behind("room", 5, 150), 3),
        (Behind("room", None, 800), 2),
        (Behind("room", None, 5000), 2),
        (Behind("room", None, 0, NOW + 7.5), 7),
        (Behind("room", None, 0, NOW + 7.0), 6),
        (Behind("room", None, 101, NOW + 7.0), 4),
        (Behind("room", 5, 0, NOW + 7.0), 5),
        (Behind("room", None, 0, NOW), 2),
        (Behind("room", None, 0, NOW + 99.0), 10),
        (Behind("nowhere", 7, 5), 0),
    ):
        assert await one(shared, ask) == offset, ask


# --- who follows --------------------------------------------------------------------------------


async def test_who_follows_is_told_what_comes_then(shared: Shared) -> None:
    """ENGINE: follow first, then join."""
    ear = Ear(shared)
    done = await enter(shared, "room")
    await say(shared, "room", b"before")
    await run(shared.follow("room"))
    await run(shared.follow("room"))
    await say(shared, "room", b"then")
    await say(shared, "room", b"again")
    assert await ear.events() == [("room", 2, b"then"), ("room", 3, b"again")]
    await run(shared.unfollow("room"))
    await say(shared, "room", b"later")
    assert await ear.events() == []
    await run(shared.unfollow("room"))
    await run(shared.follow("room"))
    assert (await page(shared, "room", 3)).epoch == done.epoch
    await say(shared, "room", b"back")
    assert await ear.events() == [("room", 5, b"back")]


async def test_a_topic_can_be_followed_before_it_begins(shared: Shared) -> None:
    ear = Ear(shared)
    await run(shared.follow("room"))
    await enter(shared, "room", event=b"came")
    await change(shared, "room", RemoveMember("ada", "s"), event=b"left")
    await enter(shared, "room", event=b"came anew")
    assert await ear.events() == [("room", 1, b"came"), ("room", 2, b"left"), ("room", 1, b"came anew")]


# --- rates, repeats -----------------------------------------------------------------------------


async def test_a_rate_admits_so_many_in_any_window(shared: Shared, clock: ManualClock) -> None:
    """SPEC M8, C7."""
    await enter(shared, "room")
    await enter(shared, "hall")
    rate = Rate("messages", limit=3)
    for wait in (0.0, 0.5, 0.25):
        clock.advance(wait)
        await say(shared, "room", b"x", rates=(rate,))
    with pytest.raises(RateExceeded) as caught:
        await say(shared, "room", b"x", rates=(rate,))
    assert (caught.value.key, caught.value.limit) == ("messages", 3)
    await say(shared, "hall", b"x", rates=(rate,))
    await say(shared, "room", b"x", rates=(Rate("other", 1),))
    clock.advance(0.25)
    await say(shared, "room", b"x", rates=(rate,))
    with pytest.raises(RateExceeded):
        await say(shared, "room", b"x", rates=(rate,))
    assert (await page(shared, "room", 0)).head == 5


async def test_a_rate_may_be_set_by_an_attribute(shared: Shared) -> None:
    """SPEC C7: `_sendmsg_limit`, 1 to the app's maximum."""
    await enter(shared, "room")
    rate = Rate("messages", limit=2, attribute="most", most=4)
    for rev, value, limit in ((1, "", 2), (2, "3", 3), (3, "9", 4), (4, "x", 2)):
        await change(shared, "room", SetAttribute("most", value, rev))
        room = f"room{rev}"
        await change(shared, room, Begin({"most": Attribute(value, rev)}), AddMember("ada", "s"))
        for _ in range(limit):
            await say(shared, room, b"x", rates=(rate,))
        with pytest.raises(RateExceeded) as caught:
            await say(shared, room, b"x", rates=(rate,))
        assert caught.value.limit == limit


async def test_what_was_refused_or_no_news_does_not_count(shared: Shared, clock: ManualClock) -> None:
    """SPEC M8: the surplus does not count."""
    await enter(shared, "room")
    user, room = Rate("user", limit=2), Rate("room", limit=1)
    await say(shared, "room", b"x", rates=(user, room))
    for rates in ((user, room), (room, user)):
        with pytest.raises(RateExceeded) as caught:
            await change(shared, "room", SetAttribute("a", "1", 1), event=b"y", rates=rates)
        assert caught.value.key == "room"
    assert await attributes(shared, "room") == {}
    for edit in (AddMember("ada", "s"), RemoveMember("ada", "other"), DeleteAttribute("a", 9)):
        await change(shared, "room", edit, rates=(room,))
    await say(shared, "room", b"x", rates=(user,))
    with pytest.raises(RateExceeded):
        await say(shared, "room", b"x", rates=(user,))
    clock.advance(1.0)
    await say(shared, "room", b"x", rates=(user, room))


async def test_rates_have_windows_of_their_own_and_outlast_sweeps(shared: Shared, clock: ManualClock) -> None:
    """SPEC C10: `_setattr_limit`, changes a second of one attribute."""
    await enter(shared, "room")
    minute, second = Rate("m", limit=1, window=60.0), Rate("s", limit=1)
    await say(shared, "room", b"x", rates=(minute, second))
    for wait in (1.0, 30.0, 28.0):
        clock.advance(wait)
        await run(shared.sweep())
        await say(shared, "room", b"x", rates=(second,))
        with pytest.raises(RateExceeded):
            await say(shared, "room", b"x", rates=(minute,))
    clock.advance(1.0)
    await run(shared.sweep())
    await say(shared, "room", b"x", rates=(minute,))


async def test_a_bucket_takes_so_many_at_once_and_fills_again(shared: Shared, clock: ManualClock) -> None:
    """SPEC L16: logins, 60 at once and 2 a second."""
    step = Spend("logins", rate=2.0, burst=5)
    for _ in range(5):
        assert await do(shared, step) is None
    for _ in range(3):
        with pytest.raises(RateExceeded) as caught:
            await do(shared, step)
        assert (caught.value.key, caught.value.wait) == ("logins", pytest.approx(0.5))
    await do(shared, Spend("others", rate=2.0, burst=5))
    clock.advance(1.0)
    await run(shared.sweep())
    for _ in range(2):
        await do(shared, step)
    with pytest.raises(RateExceeded):
        await do(shared, step)
    clock.advance(100.0)
    await run(shared.sweep())
    for _ in range(5):
        await do(shared, step)
    with pytest.raises(RateExceeded):
        await do(shared, step)


async def test_a_change_that_is_repeated_happens_once(shared: Shared, clock: ManualClock) -> None:
    """PROTOCOL §12: rid."""
    await enter(shared, "room")
    options: dict[str, Any] = {"event": b"x", "dedupe": "r1", "dedupe_ttl": 120.0, "rates": (Rate("k", 1),)}
    assert await one(shared, Receipt("room", "r1")) is None
    first = await change(shared, "room", SetAttribute("a", "1", 1), **options)
    await change(shared, "room", SetAttribute("a", "2", 2))
    again = await change(shared, "room", SetAttribute("a", "1", 3), **options)
    assert (again.offset, again.epoch, again.repeated, first.repeated) == (
        first.offset,
        first.epoch,
        True,
        False,
    )
    assert await attributes(shared, "room") == {"a": "2"}
    assert (await page(shared, "room", 0)).head == 1
    found = await one(shared, Receipt("room", "r1"))
    assert (found.offset, found.epoch, found.repeated) == (first.offset, first.epoch, True)
    assert await one(shared, Receipt("hall", "r1")) is None
    _, follower = await run(
        shared.commit(Change("room", **options), Change("room", event=b"y", keep=KEEP, follows=True))
    )
    assert not follower.applied
    clock.advance(120.0)
    await run(shared.sweep())
    assert await one(shared, Receipt("room", "r1")) is None
    assert not (await change(shared, "room", **options)).repeated


async def test_a_repetition_of_what_is_under_way_is_one_too(shared: Shared) -> None:
    """PROTOCOL §12: rid."""
    await enter(shared, "room")
    step = Change("room", event=b"x", keep=KEEP, dedupe="r", dedupe_ttl=9.0)
    done = await together(*[shared.commit(step) for _ in range(3)])
    results = [result[0] for result in done if isinstance(result, tuple)]
    assert [result.offset for result in results] == [1, 1, 1]
    assert sorted(result.repeated for result in results) == [False, True, True]


async def test_what_was_refused_is_not_remembered(shared: Shared) -> None:
    await enter(shared, "room")
    options: dict[str, Any] = {"event": b"x", "dedupe": "r", "dedupe_ttl": 9.0}
    with pytest.raises(RateExceeded):
        await change(shared, "room", rates=(Rate("k", 0),), **options)
    assert not (await change(shared, "room", **options)).repeated


# --- timers -------------------------------------------------------------------------------------


def keys(due: list[Due]) -> list[str]:
    return [one.key for one in due]


async def test_timers_are_given_out_when_their_time_has_come(shared: Shared, clock: ManualClock) -> None:
    """SPEC L11: later is allowed, earlier is not."""
    await run(
        shared.commit(Arm("b", NOW + 2.0), Arm("a", NOW + 1.0), Arm("c", NOW + 9.0), Arm("d", NOW + 1.5))
    )
    await run(shared.commit(Cancel("d"), Cancel("unknown")))
    assert await run(shared.due(limit=9, lease=5.0)) == []
    clock.advance(2.0)
    due = await run(shared.due(limit=1, lease=5.0))
    assert [(one.key, one.at) for one in due] == [("a", NOW + 1.0)]
    due += await run(shared.due(limit=9, lease=5.0))
    assert keys(due) == ["a", "b"]
    assert await run(shared.due(limit=9, lease=5.0)) == []
    await run(shared.done(*due))
    clock.advance(6.0)
    assert await run(shared.due(limit=9, lease=5.0)) == []
    clock.advance(1.0)
    assert keys(await run(shared.due(limit=9, lease=5.0))) == ["c"]


async def test_what_was_given_out_and_not_done_is_given_out_again(shared: Shared, clock: ManualClock) -> None:
    """ENGINE: a crash between the two loses nothing."""
    await do(shared, Arm("a", NOW))
    (first,) = await run(shared.due(limit=9, lease=5.0))
    clock.advance(4.9)
    assert await run(shared.due(limit=9, lease=5.0)) == []
    clock.advance(0.1)
    (again,) = await run(shared.due(limit=9, lease=5.0))
    assert again == first
    await run(shared.done(first))
    clock.advance(5.0)
    assert await run(shared.due(limit=9, lease=5.0)) == []


async def test_what_was_armed_anew_is_not_done(shared: Shared, clock: ManualClock) -> None:
    for at in (NOW, NOW + 3.0):
        await do(shared, Arm("a", NOW))
        (due,) = await run(shared.due(limit=9, lease=60.0))
        await do(shared, Arm("a", at))
        await run(shared.done(due))
        clock.advance(at - NOW)
        (due,) = await run(shared.due(limit=9, lease=60.0))
        assert (due.key, due.at) == ("a", at)
        await run(shared.done(due))
    await do(shared, Arm("a", NOW))
    (due,) = await run(shared.due(limit=9, lease=1.0))
    await do(shared, Cancel("a"))
    await run(shared.done(due))
    clock.advance(1.0)
    assert await run(shared.due(limit=9, lease=1.0)) == []


# --- nodes --------------------------------------------------------------------------------------


async def test_what_is_known_has_a_beginning(shared: Shared, clock: ManualClock) -> None:
    """ENGINE: who was there before, nobody can say."""
    clock.advance(10.0)
    assert await one(shared, Since()) == NOW


async def test_two_nodes_see_the_same(shared: Shared, neighbour: Shared) -> None:
    """SPEC N1."""
    assert shared.nodes.me != neighbour.nodes.me
    here, there = Ear(shared), Ear(neighbour)
    await run(neighbour.follow("room"))
    await enter(shared, "room", event=b"came")
    assert await here.events() == []
    assert await there.events() == [("room", 1, b"came")]
    assert await one(neighbour, Place("room", "ada")) == "s"
    rev = await do(shared, Put("a", b"1"))
    await do(neighbour, Put("a", b"2", expect=rev))
    with pytest.raises(Conflict):
        await do(shared, Put("a", b"3", expect=rev))


async def test_a_note_goes_to_a_node_or_to_that_of_a_record(shared: Shared, neighbour: Shared) -> None:
    """SPEC N1: kicks and announcements find the session's node."""
    here, there = Ear(shared), Ear(neighbour)
    await do(shared, Put("a", b"1", node=neighbour.nodes.me))
    await do(shared, Put("b", b"1", node=shared.nodes.me))
    await do(shared, Put("c", b"1"))
    await run(shared.nodes.send(neighbour.nodes.me, Note("1")))
    for key in ("a", "b", "c", "d"):
        await run(shared.nodes.tell(key, Note(key)))
    await run(neighbour.nodes.send(neighbour.nodes.me, Note("2")))
    await run(neighbour.nodes.send("gone", Note("3")))
    await do(shared, Put("a", b"2"))
    await run(shared.nodes.tell("a", Note("nobody's")))
    assert await there.notes() == [Note("1"), Note("a"), Note("2")]
    assert await here.notes() == [Note("b")]


async def test_the_records_of_a_node_can_be_found(
    shared: Shared, neighbour: Shared, clock: ManualClock
) -> None:
    """SPEC N3: a dead node's sessions are detached."""
    other = neighbour.nodes.me
    for key, node in (("a", other), ("b", shared.nodes.me), ("c", other), ("d", ""), ("e", other)):
        await do(shared, Put(key, b"1", node=node))
    await do(shared, Put("f", b"1", node=other, ttl=5.0))
    await do(shared, Put("c", b"1", node=shared.nodes.me))
    await do(shared, Delete("e"))
    clock.advance(5.0)
    assert await run(shared.nodes.records_of(other)) == ["a"]
    assert sorted(await run(neighbour.nodes.records_of(shared.nodes.me))) == ["b", "c"]
    assert await run(shared.nodes.records_of("gone")) == []


async def test_a_node_that_does_not_beat_is_silent(
    shared: Shared, neighbour: Shared, clock: ManualClock
) -> None:
    """SPEC N3."""
    here, there = shared.nodes, neighbour.nodes
    assert await run(here.silent(10.0)) == {}
    await run(there.beat())
    await run(here.beat())
    clock.advance(9.9)
    assert await run(here.silent(10.0)) == {}
    clock.advance(0.25)
    assert await run(here.silent(10.0)) == {there.me: pytest.approx(10.15, abs=0.05)}
    assert await run(there.silent(10.0)) == {here.me: pytest.approx(10.15, abs=0.05)}
    await run(there.beat())
    assert await run(here.silent(10.0)) == {}
    await run(there.forget(here.me))
    clock.advance(60.0)
    assert await run(there.silent(10.0)) == {}
