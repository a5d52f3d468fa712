"""The port `Kept`: what every implementation must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.driving import NOW, ManualClock, begin, run
from signalpost.engine.ports import (
    Appended,
    Arm,
    Cancel,
    Conflict,
    Delete,
    Entry,
    Expect,
    Full,
    Head,
    Item,
    Keys,
    Put,
    Receipt,
    Record,
    Step,
)
from signalpost.engine.ports.kept import (
    Append,
    Attribute,
    Attributes,
    Charge,
    Charged,
    Count,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Fields,
    HeadOf,
    Held,
    Holds,
    Include,
    Kept,
    Marked,
    Marks,
    Names,
    Note,
    Noted,
    Remove,
    RemoveMarked,
    SetAttribute,
    Stretch,
    Trim,
)
from support.steps import append

FIRST = int(NOW * 1000) * 1000


async def load(kept: Kept, ask: Any) -> Any:
    [answer] = await run(kept.load(ask))
    return answer


async def commit(kept: Kept, *steps: Step[Any]) -> tuple[Any, ...]:
    return await run(kept.commit(*steps))


async def bodies(kept: Kept, key: str) -> list[bytes]:
    return [item.body for item in await load(kept, Stretch(key, 0, 1000))]


async def values(kept: Kept, topic: str) -> dict[str, str]:
    stand = await load(kept, Attributes(topic))
    return {name: attribute.value for name, attribute in stand.attributes.items()}


# --- a commit -------------------------------------------------------------------------------------


async def test_answers_and_results_come_in_order(kept: Kept) -> None:
    results = await commit(kept, Put("k", b"v"), append("q", b"x"), Arm("t", NOW))
    rev, appended, nothing = results
    assert (rev > 0, appended.seq > FIRST, nothing) == (True, True, None)
    assert await run(kept.load(Stretch("q", 0, 9), Record("k"), Record("nobody"))) == (
        [Item(appended.seq, b"x")],
        Entry(b"v", rev),
        None,
    )


async def test_no_ask_and_no_step_are_none(kept: Kept) -> None:
    assert await run(kept.load()) == ()
    assert await commit(kept) == ()


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("last", ["conflict", "full queue", "full set"])
async def test_all_steps_are_in_force_or_none(kept: Kept, durable: bool, last: str) -> None:
    """SPEC M5, K11: a decision and its events are one step."""
    [rev] = await commit(kept, Put("old", b"1", durable=durable))
    mark = "" if durable else "m"
    [before] = await commit(kept, append("q", b"before", durable=durable, mark=mark))
    await commit(kept, Include("set", "one", durable=durable))
    failing = {
        "conflict": Put("old", b"2", expect=rev + 1, durable=durable),
        "full queue": append("other", b"xx", max_size=1, durable=durable),
        "full set": Include("set", "three", most=1, durable=durable),
    }[last]
    with pytest.raises((Conflict, Full)) as raised:
        await commit(
            kept,
            Put("new", b"1", durable=durable),
            Delete("old", durable=durable),
            Include("names", "two", durable=durable),
            append("q", b"x", durable=durable),
            Remove("q", [before.seq]),
            Arm("timer", NOW, durable=durable),
            failing if last != "conflict" else Expect("old", rev + 1, durable=durable),
        )
    assert isinstance(raised.value, Conflict | Full)
    assert raised.value.step == (failing if last != "conflict" else Expect("old", rev + 1, durable=durable))
    assert await load(kept, Record("new", durable)) is None
    assert await load(kept, Record("old", durable)) == Entry(b"1", rev)
    assert await load(kept, Names("set")) == {"one": ""}
    assert await load(kept, Names("names")) == {}
    assert await bodies(kept, "q") == [b"before"]
    assert await run(kept.due(limit=9, lease=1.0)) == []


async def test_commits_of_one_tick_keep_their_order(kept: Kept) -> None:
    """SPEC M4."""
    started = [begin(kept.commit(append(f"q{n % 3}", b"%d" % n, durable=n % 4 > 0))) for n in range(60)]
    for each in started:
        await each
    for queue in range(3):
        assert await bodies(kept, f"q{queue}") == [b"%d" % n for n in range(queue, 60, 3)]


# --- records --------------------------------------------------------------------------------------


async def test_a_record_is_there_until_it_is_deleted(kept: Kept) -> None:
    [first] = await commit(kept, Put("k", b"1"))
    [second] = await commit(kept, Put("k", b"2", expect=first))
    assert second > first
    assert await load(kept, Record("k")) == Entry(b"2", second)
    assert await commit(kept, Delete("k", expect=second)) == (True,)
    assert await commit(kept, Delete("k")) == (False,)
    assert await load(kept, Record("k")) is None


@pytest.mark.parametrize("durable", [True, False])
async def test_what_expects_another_revision_conflicts(kept: Kept, durable: bool) -> None:
    [rev] = await commit(kept, Put("k", b"1", expect=0, durable=durable))
    for step in (
        Put("k", b"2", expect=0, durable=durable),
        Put("k", b"2", expect=rev + 1, durable=durable),
        Put("nobody", b"2", expect=rev, durable=durable),
        Delete("k", expect=rev + 1, durable=durable),
        Delete("k", expect=0, durable=durable),
        Delete("nobody", expect=rev, durable=durable),
        Expect("k", 0, durable=durable),
        Expect("nobody", rev, durable=durable),
    ):
        with pytest.raises(Conflict) as raised:
            await commit(kept, step)
        assert raised.value.step == step
    await commit(kept, Expect("k", rev, durable=durable))
    await commit(kept, Expect("nobody", 0, durable=durable), Delete("nobody", expect=0, durable=durable))
    assert await load(kept, Record("k", durable)) == Entry(b"1", rev)


async def test_of_two_who_expect_the_same_one_conflicts(kept: Kept) -> None:
    [rev] = await commit(kept, Put("k", b"0"))
    started = [begin(kept.commit(Put("k", b"%d" % n, expect=rev), append("q", b"%d" % n))) for n in range(9)]
    outcomes = []
    for each in started:
        try:
            outcomes.append((await each)[0])
        except Conflict:
            outcomes.append(None)
    assert len([each for each in outcomes if each is not None]) == 1
    assert len(await bodies(kept, "q")) == 1


@pytest.mark.parametrize("durable", [True, False])
async def test_a_record_is_gone_when_its_time_is_over(kept: Kept, clock: ManualClock, durable: bool) -> None:
    [rev] = await commit(kept, Put("k", b"v", ttl=10.0, durable=durable))
    clock.advance(9.9)
    assert await load(kept, Record("k", durable)) == Entry(b"v", rev)
    clock.advance(0.2)
    assert await load(kept, Record("k", durable)) is None
    [again] = await commit(kept, Put("k", b"v", expect=0, durable=durable))
    assert again > rev


async def test_keys_are_listed_by_what_they_begin_with(kept: Kept) -> None:
    """Those that are not durable: calls are."""
    live = [f"call\x1fapp\x1f{number}" for number in range(7)] + ["call\x1fapp\x1f%_[*]é"]
    for key in [*live, "call\x1fap", "call\x1fapple\x1f1", "call\x1fapp_\x1f1", "other\x1fapp\x1f1"]:
        await commit(kept, Put(key, b"1", durable=False))
    await commit(kept, Delete(live.pop(3), durable=False))
    for limit in (1, 3, 100):
        names: list[str] = []
        found = await load(kept, Keys("call\x1fapp\x1f", limit=limit))
        names += found.names
        while found.cursor:
            found = await load(kept, Keys("call\x1fapp\x1f", found.cursor, limit))
            names += found.names
        assert set(names) == set(live)


async def test_fields_are_set_apart_and_die_with_their_record(kept: Kept) -> None:
    """SPEC P2: a change writes what it changes."""
    await commit(kept, Put("k", b"", fields={"a": b"1", "b": b"2"}))
    await commit(kept, Put("k", b"x", fields={"b": b"3"}))
    fields: Mapping[str, bytes]
    entry, fields = await run(kept.load(Record("k"), Fields("k")))
    assert entry is not None
    assert (entry.value, dict(fields)) == (b"x", {"a": b"1", "b": b"3"})
    await commit(kept, Delete("k"))
    await commit(kept, Put("k", b""))
    assert dict(await load(kept, Fields("k"))) == {}
    assert dict(await load(kept, Fields("nobody"))) == {}


# --- sets of names --------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [True, False])
async def test_names_are_in_their_set_in_the_order_in_which_they_came(kept: Kept, durable: bool) -> None:
    for name in ("z", "a", "m"):
        assert await commit(kept, Include("s", name, f"of {name}", durable=durable)) == (True,)
    assert await commit(kept, Include("s", "z", "other", durable=durable)) == (False,)
    assert list((await load(kept, Names("s"))).items()) == [("z", "other"), ("a", "of a"), ("m", "of m")]
    assert await run(kept.load(Count("s"), Holds("s", "a"), Holds("s", "b"), Count("nobody"))) == (
        3,
        "of a",
        None,
        0,
    )


@pytest.mark.parametrize("durable", [True, False])
async def test_a_name_is_taken_out_only_with_its_value(kept: Kept, durable: bool) -> None:
    """SPEC K8: the end of one call leaves alone what follows it under its name."""
    await commit(kept, Include("s", "a", "1", durable=durable))
    assert await commit(kept, Exclude("s", "a", "2", durable=durable)) == (False,)
    assert await commit(kept, Exclude("s", "b", "1", durable=durable)) == (False,)
    assert await load(kept, Count("s")) == 1
    assert await commit(kept, Exclude("s", "a", "1", durable=durable)) == (True,)
    assert await load(kept, Names("s")) == {}


async def test_a_set_takes_no_more_than_the_most(kept: Kept) -> None:
    """SPEC K12, E6."""
    await commit(kept, Include("s", "a", most=2, durable=False), Include("t", "a", most=1, durable=False))
    with pytest.raises(Full) as raised:
        await commit(kept, Include("s", "b", most=2, durable=False), Include("s", "c", most=2, durable=False))
    assert raised.value.step == Include("s", "c", most=2, durable=False)
    await commit(kept, Include("s", "b", most=2, durable=False))
    with pytest.raises(Full):
        await commit(kept, Include("s", "c", most=2, durable=False))
    await commit(kept, Include("s", "a", "new", most=2, durable=False))
    await commit(kept, Include("s", "a", "newer", most=1, durable=False))
    assert await load(kept, Names("s")) == {"a": "newer", "b": ""}


# --- queues: more of them in test_queues ----------------------------------------------------------


async def test_an_append_is_there_when_the_commit_returns(kept: Kept) -> None:
    """SPEC M5; PROTOCOL §6, §12."""
    [first] = await commit(kept, append("q", b"1"))
    [second] = await commit(kept, append("q", b"2", durable=False))
    assert (first.seq > FIRST, second.seq) == (True, first.seq + 1)
    assert await load(kept, HeadOf("q")) == Head(first.seq - 1, second.seq, 2)
    assert await load(kept, Stretch("q", first.seq, 9)) == [Item(second.seq, b"2")]
    await commit(kept, Trim("q", first.seq))
    assert await load(kept, HeadOf("q")) == Head(first.seq, second.seq, 1)


async def test_two_appends_of_one_commit_need_room_for_both(kept: Kept) -> None:
    """SPEC M9."""
    with pytest.raises(Full):
        await commit(kept, append("q", b"1", max_items=1), append("q", b"2", max_items=1))
    with pytest.raises(Full):
        await commit(kept, append("q", b"12", max_size=3), append("q", b"34", max_size=3))
    assert await load(kept, HeadOf("q")) == Head(*[(await load(kept, HeadOf("q"))).last] * 2, 0)
    first, second = await commit(kept, append("q", b"12", max_size=4), append("q", b"34", max_items=2))
    assert second.seq == first.seq + 1


async def test_marks_are_counted_and_found(kept: Kept) -> None:
    """SPEC K11."""
    results = await commit(
        kept,
        append("q", b"1", durable=False, mark="a"),
        append("q", b"2", durable=False, mark="b"),
        append("q", b"3", durable=False),
    )
    assert await load(kept, Marked("q")) == 2
    assert sorted(await load(kept, Marks("q"))) == ["a", "b"]
    assert await commit(kept, RemoveMarked("q", ["b", "c"])) == ([results[1].seq],)
    assert await commit(kept, Remove("q", [results[2].seq, 5])) == ([results[2].seq],)
    assert await commit(kept, RemoveMarked("q", None)) == ([results[0].seq],)
    assert await load(kept, Marked("q")) == 0
    assert not await load(kept, Marks("q"))
    assert not await load(kept, Marks("nobody's"))


async def test_a_step_that_removes_and_one_that_appends_are_one_commit(kept: Kept) -> None:
    """SPEC K11: an invitation that rings anew takes the place of the earlier one."""
    [old] = await commit(kept, append("q", b"old", durable=False, mark="m"))
    removed, new = await commit(kept, Remove("q", [old.seq]), append("q", b"new", durable=False, mark="m"))
    assert removed == [old.seq]
    assert await load(kept, Stretch("q", 0, 9)) == [Item(new.seq, b"new")]


async def test_a_receipt_can_be_asked_for(kept: Kept, clock: ManualClock) -> None:
    """SPEC M7: also when the queue is full, or the item gone."""
    step = append("q", b"1", note="id", dedupe="r", dedupe_ttl=10.0, max_items=1)
    assert await load(kept, Receipt("q", "r")) is None
    [appended] = await commit(kept, step)
    assert appended == Appended(appended.seq, "id", False)
    again = Appended(appended.seq, "id", True)
    assert await load(kept, Receipt("q", "r")) == again
    assert await load(kept, Receipt("other", "r")) is None
    assert await commit(kept, step) == (again,)
    await commit(kept, Trim("q", appended.seq))
    assert await commit(kept, step) == (again,)
    assert await bodies(kept, "q") == []
    clock.advance(10.1)
    assert await load(kept, Receipt("q", "r")) is None
    assert not (await commit(kept, step))[0].repeated


async def test_a_repeat_of_one_tick_stores_nothing(kept: Kept) -> None:
    """SPEC M7: the second waits for the first."""
    step = append("q", b"1", note="id", dedupe="r", dedupe_ttl=10.0)
    first, second = begin(kept.commit(step)), begin(kept.commit(step))
    asked = begin(kept.load(Receipt("q", "r")))
    [one], [two], [three] = await first, await second, await asked
    assert (one.repeated, two.repeated, two.seq, three) == (False, True, one.seq, two)
    assert await bodies(kept, "q") == [b"1"]


# --- sources (E6) ---------------------------------------------------------------------------------


def sent(key: str, body: bytes = b"x", **options: Any) -> Append:
    return append(key, body, **{"source": "ada", "all_items": 3, **options})


async def fill(kept: Kept) -> list[int]:
    """All that the source may have, over three queues."""
    return [(await commit(kept, sent(key)))[0].seq for key in ("a", "b", "c")]


async def test_a_source_has_a_bound_over_all_queues(kept: Kept) -> None:
    """SPEC E6."""
    await fill(kept)
    for key in ("a", "new"):
        with pytest.raises(Full) as raised:
            await commit(kept, sent(key))
        assert (raised.value.charge, raised.value.part, raised.value.step) == ("ada", "", sent(key))
    assert await bodies(kept, "new") == []
    await commit(kept, sent("new", source="bo"), append("new", b"y"), sent("new", all_items=0))


@pytest.mark.parametrize("how", ["trim", "remove", "expiry", "expiry of others"])
async def test_whatever_removes_an_item_gives_its_room_back(kept: Kept, clock: ManualClock, how: str) -> None:
    """SPEC E6."""
    [first] = await commit(kept, sent("a", ttl=10.0 if how.startswith("expiry") else 100.0))
    await commit(kept, sent("b"))
    await commit(kept, sent("c"))
    with pytest.raises(Full):
        await commit(kept, sent("b"))
    match how:
        case "trim":
            await commit(kept, Trim("a", first.seq))
        case "remove":
            await commit(kept, Remove("a", [first.seq]))
        case _:
            clock.advance(10.1)
    await commit(kept, sent("a" if how == "expiry" else "b"))
    with pytest.raises(Full):
        await commit(kept, sent("b"))


async def test_a_source_that_has_nothing_left_has_its_room_again(kept: Kept) -> None:
    """SPEC E6: over and over, nothing is forgotten."""
    for _ in range(5):
        numbers = await fill(kept)
        with pytest.raises(Full):
            await commit(kept, sent("a"))
        for key, number in zip("abc", numbers, strict=True):
            await commit(kept, Trim(key, number))


async def test_a_source_has_a_bound_of_bytes_over_all_queues(kept: Kept) -> None:
    """SPEC E6."""
    bytes_of = {"all_items": 0, "all_size": 10}
    with pytest.raises(Full):
        await commit(kept, sent("a", b"x" * 11, **bytes_of))
    await commit(kept, sent("a", b"x" * 6, **bytes_of))
    with pytest.raises(Full) as raised:
        await commit(kept, sent("b", b"x" * 5, **bytes_of))
    assert raised.value.charge == "ada"
    await commit(kept, sent("b", b"x" * 4, **bytes_of))
    with pytest.raises(Full):
        await commit(kept, sent("b", b"x", **bytes_of))


async def test_two_appends_of_one_commit_are_both_charged(kept: Kept) -> None:
    """SPEC E6."""
    with pytest.raises(Full):
        await commit(kept, *[sent(key) for key in "abcd"])
    await commit(kept, *[sent(key) for key in "abc"])


async def test_a_source_has_a_bound_in_each_queue(kept: Kept) -> None:
    """SPEC M9."""
    await commit(kept, sent("a", part_items=1))
    with pytest.raises(Full) as raised:
        await commit(kept, sent("a", part_items=1))
    assert (raised.value.part, raised.value.charge) == ("ada", "")
    await commit(kept, sent("b", part_items=1), sent("a", source="bo", part_items=1))


# --- attributes of topics -------------------------------------------------------------------------


async def test_attributes_have_revisions_that_ascend_over_their_deletion(kept: Kept) -> None:
    """SPEC C10: members end at what is kept."""
    revisions = [(await load(kept, Attributes("t"))).rev]
    revisions += await commit(kept, SetAttribute("t", "a", "1"))
    revisions += await commit(kept, SetAttribute("t", "a", "2"))
    revisions += await commit(kept, DeleteAttribute("t", "a"))
    revisions += await commit(kept, SetAttribute("t", "a", "3"))
    assert revisions[0] < revisions[1] < revisions[2] < revisions[3] < revisions[4]
    stand = await load(kept, Attributes("t"))
    assert dict(stand.attributes) == {"a": Attribute("3", revisions[4])}
    assert stand.rev >= revisions[4]
    assert await commit(kept, DeleteAttributes("t")) == (1,)
    [rev] = await commit(kept, SetAttribute("t", "a", "4"))
    assert rev > stand.rev


async def test_attributes_of_a_topic_are_deleted_together(kept: Kept) -> None:
    """SPEC C8."""
    for topic in ("t", "u"):
        await commit(kept, SetAttribute(topic, "a", "1"), SetAttribute(topic, "b", "2"))
    assert await commit(kept, DeleteAttribute("t", "c")) == (0,)
    assert await commit(kept, DeleteAttributes("t"), DeleteAttributes("nobody")) == (2, 0)
    assert (await values(kept, "t"), await values(kept, "u")) == ({}, {"a": "1", "b": "2"})


async def test_attributes_are_charged_to_whoever_sets_them(kept: Kept) -> None:
    """SPEC E6: and given back by whatever changes or deletes them."""
    charges = (Charge("ada", max_size=10), Charge("app", max_items=2, max_size=15))
    await commit(kept, SetAttribute("t", "a", "x", 6, charges))
    assert await run(kept.load(Charged("ada"), Charged("app"))) == (Held(1, 6), Held(1, 6))
    with pytest.raises(Full) as raised:
        await commit(kept, SetAttribute("u", "a", "x", 5, charges))
    assert raised.value.charge == "ada"
    await commit(kept, SetAttribute("t", "a", "y", 10, charges))
    with pytest.raises(Full):
        await commit(kept, SetAttribute("t", "a", "y", 11, charges))
    other = (Charge("bo", max_size=10), charges[1])
    with pytest.raises(Full) as raised:
        await commit(kept, SetAttribute("t", "b", "x", 6, other))
    assert raised.value.charge == "app"
    await commit(kept, SetAttribute("t", "b", "x", 5, other))
    with pytest.raises(Full):  # of items
        await commit(kept, SetAttribute("t", "c", "", 0, other))
    await commit(kept, SetAttribute("t", "b", "z", 5, charges[1:]))
    assert await run(kept.load(Charged("ada"), Charged("bo"), Charged("app"))) == (
        Held(1, 10),
        Held(0, 0),
        Held(2, 15),
    )
    await commit(kept, DeleteAttribute("t", "b"))
    assert await load(kept, Charged("app")) == Held(1, 10)
    await commit(kept, DeleteAttributes("t"))
    assert await run(kept.load(Charged("ada"), Charged("app"))) == (Held(0, 0), Held(0, 0))


async def test_who_is_above_a_bound_may_take_less(kept: Kept) -> None:
    """SPEC E6: a bound that was lowered is no reason to refuse what makes room."""
    await commit(kept, SetAttribute("t", "a", "x", 20, (Charge("ada", max_size=20),)))
    smaller = (Charge("ada", max_items=0, max_size=5),)
    await commit(kept, SetAttribute("t", "a", "x", 19, smaller))
    await commit(kept, SetAttribute("t", "a", "y", 19, smaller))
    with pytest.raises(Full):
        await commit(kept, SetAttribute("t", "b", "y", 1, smaller))


async def test_attributes_of_one_commit_need_room_together(kept: Kept) -> None:
    """SPEC E6."""
    charges = (Charge("ada", max_size=10),)
    with pytest.raises(Full):
        await commit(kept, SetAttribute("t", "a", "x", 6, charges), SetAttribute("t", "b", "x", 6, charges))
    assert await load(kept, Charged("ada")) == Held(0, 0)


# --- notes ----------------------------------------------------------------------------------------


async def test_what_is_noted_is_known_for_its_time(kept: Kept, clock: ManualClock) -> None:
    """PROTOCOL §12: a repeat is answered, not done again."""
    assert await load(kept, Noted("ada", "r")) is None
    rev, nothing = await commit(kept, Put("k", b"done"), Note("ada", "r", b"answer", 10.0))
    assert nothing is None
    assert await run(kept.load(Record("k"), Noted("ada", "r"), Noted("bo", "r"), Noted("ada", "s"))) == (
        Entry(b"done", rev),
        b"answer",
        None,
        None,
    )
    clock.advance(10.1)
    assert await load(kept, Noted("ada", "r")) is None
    await commit(kept, Note("ada", "r", b"another", 10.0))
    assert await load(kept, Noted("ada", "r")) == b"another"


@pytest.mark.parametrize("durable", [True, False])
async def test_what_is_noted_is_not_done_again(kept: Kept, durable: bool) -> None:
    """PROTOCOL §12."""
    await commit(kept, Note("ada", "r", b"answer", 10.0))
    again = Note("ada", "r", b"again", 10.0)
    with pytest.raises(Conflict) as raised:
        await commit(kept, Put("k", b"again", durable=durable), again)
    assert raised.value.step == again
    assert await run(kept.load(Noted("ada", "r"), Record("k", durable))) == (b"answer", None)


@pytest.mark.parametrize("durable", [True, False])
async def test_of_commits_at_once_that_note_the_same_one_is_done(kept: Kept, durable: bool) -> None:
    """PROTOCOL §12: the others find what that one has noted."""

    async def act(by: bytes) -> bytes:
        try:
            await kept.commit(
                Put("k", by, durable=durable),
                append("q", by, durable=durable),
                Note("ada", "r", by, 10.0),
            )
        except Conflict:
            [noted] = await kept.load(Noted("ada", "r"))
            assert noted is not None
            return noted
        return by

    acting = [begin(act(by)) for by in (b"one", b"two", b"three")]
    [first, *others] = [await each for each in acting]
    assert others == [first, first]
    assert await bodies(kept, "q") == [first]
    [found] = await run(kept.load(Record("k", durable)))
    assert found is not None
    assert found.value == first


async def test_a_commit_that_fails_notes_nothing(kept: Kept) -> None:
    with pytest.raises(Conflict):
        await commit(kept, Note("ada", "r", b"answer", 10.0), Expect("k", 7))
    assert await load(kept, Noted("ada", "r")) is None


async def test_the_latest_notes_of_a_key_are_known(kept: Kept) -> None:
    """SPEC E6: older ones may be."""
    for n in range(9):
        await commit(kept, Note("ada", f"r{n}", b"%d" % n, 10.0, most=4))
    await commit(kept, Note("bo", "r0", b"bo", 10.0, most=4))
    found = await run(kept.load(*[Noted("ada", f"r{n}") for n in range(5, 9)], Noted("bo", "r0")))
    assert found == (b"5", b"6", b"7", b"8", b"bo")


# --- timers ---------------------------------------------------------------------------------------


async def due(kept: Kept) -> list[tuple[str, float]]:
    return [(each.key, each.at) for each in await run(kept.due(limit=9, lease=60.0))]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_timer_is_due_at_its_time(kept: Kept, clock: ManualClock, durable: bool) -> None:
    await commit(kept, Arm("late", NOW + 20.0, durable), Arm("soon", NOW + 10.0, durable))
    assert await run(kept.due(limit=9, lease=60.0)) == []
    clock.advance(10.0)
    assert await due(kept) == [("soon", NOW + 10.0)]
    clock.advance(10.0)
    assert await due(kept) == [("late", NOW + 20.0)]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_key_has_one_time(kept: Kept, clock: ManualClock, durable: bool) -> None:
    await commit(kept, Arm("k", NOW + 10.0, durable))
    await commit(kept, Arm("k", NOW + 30.0, durable))
    clock.advance(20.0)
    assert await run(kept.due(limit=9, lease=60.0)) == []
    await commit(kept, Arm("k", NOW + 20.0, durable), Arm("gone", NOW, durable))
    await commit(kept, Cancel("gone", durable))
    assert await due(kept) == [("k", NOW + 20.0)]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_timer_that_is_not_done_comes_again_when_its_lease_is_over(
    kept: Kept, clock: ManualClock, durable: bool
) -> None:
    """A crash between taking a timer and acting on it loses nothing."""
    await commit(kept, Arm("k", NOW, durable))
    [taken] = await run(kept.due(limit=9, lease=5.0))
    assert await run(kept.due(limit=9, lease=5.0)) == []
    clock.advance(5.0)
    assert await run(kept.due(limit=9, lease=5.0)) == [taken]
    await run(kept.done(taken))
    clock.advance(5.0)
    assert await run(kept.due(limit=9, lease=5.0)) == []


@pytest.mark.parametrize("durable", [True, False])
async def test_done_leaves_alone_what_was_armed_anew(kept: Kept, clock: ManualClock, durable: bool) -> None:
    await commit(kept, Arm("k", NOW, durable))
    [taken] = await run(kept.due(limit=9, lease=60.0))
    await commit(kept, Arm("k", NOW + 1.0, durable))
    await run(kept.done(taken))
    clock.advance(1.0)
    assert await due(kept) == [("k", NOW + 1.0)]


@pytest.mark.parametrize("durable", [True, False])
async def test_what_is_due_is_given_out_in_pieces_the_earliest_first(kept: Kept, durable: bool) -> None:
    await commit(kept, *[Arm(f"k{n}", NOW - n, durable) for n in range(5)])
    pieces = [await run(kept.due(limit=2, lease=60.0)) for _ in range(4)]
    assert [[each.key for each in piece] for piece in pieces] == [["k4", "k3"], ["k2", "k1"], ["k0"], []]
