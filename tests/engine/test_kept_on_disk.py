"""The kept half in SQLite: what outlives the process, what a failed commit leaves, and what a start costs."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from engine.conftest import Disk
from engine.driving import NOW, ManualClock, begin, run
from engine.test_journal import BIG, empty, stuff
from signalpost.engine.ports import Arm, Cancel, Delete, Full, Item, Put, Record, Step, Unavailable
from signalpost.engine.ports.kept import (
    Attribute,
    Attributes,
    Charge,
    Charged,
    DeleteAttribute,
    DeleteAttributes,
    Exclude,
    Fields,
    Held,
    Include,
    Names,
    Note,
    Noted,
    RemoveMarked,
    SetAttribute,
    Stretch,
    Trim,
)
from signalpost.engine.store import MIGRATIONS
from support.steps import append


async def commit(disk: Disk, *steps: Step[Any]) -> tuple[Any, ...]:
    return await run(disk.kept.commit(*steps))


async def load(disk: Disk, *asks: Any) -> tuple[Any, ...]:
    return await run(disk.kept.load(*asks))


async def due(disk: Disk) -> list[str]:
    return [each.key for each in await run(disk.kept.due(limit=9, lease=5.0))]


@pytest.mark.parametrize("crash", [False, True])
async def test_what_is_durable_outlives_the_process_and_nothing_else(disk: Disk, crash: bool) -> None:
    """SPEC M5, P3, C8, E6."""
    charges = (Charge("ada", max_size=10),)
    await commit(disk, Include("set", "b"), Include("set", "a", "1"), Include("set", "gone"))
    await commit(disk, Exclude("set", "gone"), Include("set", "b", "new"))
    await commit(disk, Include("open", "call", durable=False), Put("call", b"", durable=False))
    [first, _, third] = await commit(
        disk,
        SetAttribute("t", "a", "1", 6, charges),
        SetAttribute("t", "b", "2"),
        SetAttribute("t", "c", "3"),
    )
    await commit(disk, DeleteAttribute("t", "b"))
    await commit(disk, Put("k", b"v", fields={"f": b"1"}), Arm("soon", NOW), Arm("late", NOW + 5_000.0))
    await commit(disk, Arm("passing", NOW, durable=False))
    await commit(disk, Note("ada", "r", b"answer", 10.0))
    disk.crash() if crash else await disk.reopen()
    names, passing, stand, charged, call, noted = await load(
        disk,
        Names("set"),
        Names("open"),
        Attributes("t"),
        Charged("ada"),
        Record("call", False),
        Noted("ada", "r"),
    )
    assert list(names.items()) == [("b", "new"), ("a", "1")]
    assert (dict(passing), call, noted) == ({}, None, None)
    assert dict(stand.attributes) == {"a": Attribute("1", first), "c": Attribute("3", third)}
    assert charged == Held(1, 6)
    assert dict((await load(disk, Fields("k")))[0]) == {"f": b"1"}
    with pytest.raises(Full):
        await commit(disk, SetAttribute("u", "a", "", 5, charges))
    [rev] = await commit(disk, SetAttribute("t", "b", "4"))
    assert rev > third + 1  # above that of the deletion
    assert await due(disk) == ["soon"]
    disk.clock.advance(5_000.0)
    assert await due(disk) == ["soon", "late"]


async def test_timers_that_were_done_or_cancelled_do_not_come_back(disk: Disk) -> None:
    await commit(disk, Arm("done", NOW), Arm("cancelled", NOW + 1.0), Arm("moved", NOW + 1.0))
    [taken] = await run(disk.kept.due(limit=1, lease=5.0))
    await run(disk.kept.done(taken))
    await commit(disk, Cancel("cancelled"), Arm("moved", NOW + 2.0))
    disk.crash()
    disk.clock.advance(1.5)
    assert await due(disk) == []
    disk.clock.advance(1.0)
    assert await due(disk) == ["moved"]


async def test_a_timer_that_was_given_out_and_not_done_comes_after_a_crash(disk: Disk) -> None:
    await commit(disk, Arm("k", NOW))
    assert await due(disk) == ["k"]
    disk.crash()
    assert await due(disk) == ["k"]


async def test_timers_of_any_number_are_fetched_piece_by_piece(disk: Disk, clock: ManualClock) -> None:
    """Many of the same time, as when a whole app went offline at once."""
    keys = [f"k{n:05}" for n in range(9_000)]
    await commit(disk, *[Arm(key, NOW + 100.0) for key in keys])
    await disk.reopen()
    await commit(disk, Arm("k00000", NOW + 300.0), Cancel("k08999"), Arm("another", NOW + 100.0))
    assert await run(disk.kept.due(limit=9, lease=5.0)) == []
    clock.advance(100.0)
    found: list[str] = []
    while piece := await run(disk.kept.due(limit=1000, lease=1000.0)):
        found += [each.key for each in piece]
    assert sorted(found) == ["another", *keys[1:-1]]
    clock.advance(200.0)
    assert [each.key for each in await run(disk.kept.due(limit=9, lease=5.0))] == ["k00000"]


async def test_the_loop_is_told_of_timers_that_are_on_disk_only(disk: Disk, clock: ManualClock) -> None:
    await commit(disk, Arm("k", NOW + 5_000.0))
    await disk.reopen()
    await due(disk)
    for _ in range(200):  # it looks again and again, each time when it may be worth it
        at = disk.kept.next_at()
        assert at is not None
        clock.now = max(clock.now, at)
        if found := await due(disk):
            break
    assert (found, clock.now) == (["k"], NOW + 5_000.0)


async def test_a_failed_commit_leaves_everything_as_it_was(disk: Disk) -> None:
    """SPEC M5: all of a commit or none, also where the disk says no."""
    charges = (Charge("ada"),)
    await commit(
        disk, Include("set", "a", "1"), Put("k", b"old", fields={"f": b"old"}), Arm("kept", NOW + 9.0)
    )
    await commit(disk, SetAttribute("t", "a", "old", 1, charges), Arm("cancelled", NOW + 9.0))
    await commit(disk, SetAttribute("t", "b", "old", 2, charges), Arm("later", NOW + 9.0))
    asks = (
        Names("set"),
        Names("new"),
        Record("k"),
        Fields("k"),
        Attributes("t"),
        Charged("ada"),
        Charged("bo"),
        Noted("ada", "r"),
        Stretch("q", 0, 9),
    )
    before = await load(disk, *asks)
    stuff(disk)
    with pytest.raises(Unavailable):
        await commit(
            disk,
            Put("k", BIG, fields={"f": BIG}),
            append("q", source="ada", all_items=1),
            Include("set", "a", "2"),
            Include("set", "b"),
            Include("new", "a"),
            SetAttribute("t", "a", BIG.decode(), 9, (Charge("bo"),)),
            DeleteAttribute("t", "b"),
            Arm("later", NOW),
            Arm("new", NOW),
            Cancel("cancelled"),
            Note("ada", "r", b"answer", 10.0),
        )
    empty(disk)
    after = await load(disk, *asks)
    assert after[:4] == before[:4]
    assert dict(after[4].attributes) == dict(before[4].attributes)
    assert after[5:] == before[5:]
    assert await due(disk) == []
    await commit(disk, append("q", source="ada", all_items=1), Note("ada", "r", b"answer", 10.0))
    disk.clock.advance(9.0)
    assert sorted(await due(disk)) == ["cancelled", "kept", "later"]
    disk.crash()
    assert (await load(disk, Attributes("t")))[0].attributes == before[4].attributes


async def test_what_follows_a_failed_commit_stands(disk: Disk) -> None:
    """Of two commits under way the first fails."""
    await commit(disk, Include("set", "a", "1"), SetAttribute("t", "a", "1", 1, (Charge("ada"),)))
    stuff(disk)
    first = begin(
        disk.kept.commit(
            Put("big", BIG),
            Include("set", "a", "2"),
            SetAttribute("t", "a", "2", 2, (Charge("ada"),)),
            Arm("k", NOW + 1.0),
        )
    )
    with pytest.raises(Unavailable):
        await first
    empty(disk)
    await commit(
        disk, Include("set", "a", "3"), SetAttribute("t", "a", "3", 3, (Charge("bo"),)), Arm("k", NOW + 2.0)
    )
    assert await load(disk, Names("set"), Charged("ada"), Charged("bo")) == (
        {"a": "3"},
        Held(0, 0),
        Held(1, 3),
    )
    disk.clock.advance(1.5)
    assert await due(disk) == []
    disk.crash()
    assert (await load(disk, Names("set")))[0] == {"a": "3"}


async def test_events_above_the_ceiling_come_with_their_decision_or_not_at_all(disk: Disk) -> None:
    """SPEC K11: while no commit raises what numbers may be told, no call is decided without its events."""
    await run(disk.kept.commit(append("q", durable=False, mark="c")))
    disk.clock.advance(3600.0)
    stuff(disk)
    attempt = (Put("call", BIG, durable=False), append("new", durable=False, mark="c"))
    failing = begin(disk.kept.commit(append("full", BIG)))
    started = begin(disk.kept.commit(*attempt))
    with pytest.raises(Unavailable):
        await started
    with pytest.raises(Unavailable):
        await failing
    assert await load(disk, Record("call", False), Stretch("new", 0, 9)) == (None, [])
    empty(disk)
    _, appended = await commit(disk, *attempt)
    assert await load(disk, Stretch("new", 0, 9)) == ([Item(appended.seq, b"x")],)


@pytest.mark.parametrize("crash", [False, True])
async def test_what_a_source_has_in_queues_counts_after_a_restart(disk: Disk, crash: bool) -> None:
    """SPEC E6: rebuilt at the start."""
    options: dict[str, Any] = {"source": "ada", "all_items": 2}
    [first], _ = [await commit(disk, append(key, **options)) for key in ("a", "b")]
    disk.crash() if crash else await disk.reopen()
    with pytest.raises(Full) as raised:
        await commit(disk, append("c", **options))
    assert raised.value.charge == "ada"
    await commit(disk, Trim("a", first.seq))
    await commit(disk, append("c", **options))


async def test_a_failed_append_is_charged_to_nobody(disk: Disk) -> None:
    """SPEC E6."""
    options: dict[str, Any] = {"source": "ada", "all_items": 1}
    stuff(disk)
    with pytest.raises(Unavailable):
        await commit(disk, append("a", BIG, **options))
    empty(disk)
    await commit(disk, append("b", **options))
    with pytest.raises(Full):
        await commit(disk, append("c", **options))


async def test_deleting_all_of_a_topic_reaches_the_disk(disk: Disk) -> None:
    """SPEC C8."""
    await commit(disk, SetAttribute("t", "a", "1"), SetAttribute("t", "b", "2"), SetAttribute("u", "a", "3"))
    await commit(disk, DeleteAttributes("t"), Delete("nobody"), RemoveMarked("q", None))
    disk.crash()
    t, u = await load(disk, Attributes("t"), Attributes("u"))
    assert (dict(t.attributes), list(u.attributes)) == ({}, ["a"])


async def test_a_directory_of_the_second_schema_has_timers_for_what_it_holds(disk: Disk) -> None:
    """SPEC P3, C8: nothing is adopted at a start, so what was stored before must be told of its end."""
    await disk.store.close()
    path = disk.directory / "signalpost.db"
    path.unlink()
    old = sqlite3.connect(path, isolation_level=None)
    for migrate in MIGRATIONS[:2]:
        migrate(old)
    old.execute(f"PRAGMA application_id = {0x51677073}")
    old.execute("PRAGMA user_version = 2")
    old.execute("INSERT INTO records VALUES ('attributes\x1fapp\x1fada', x'01', 1, ?)", (NOW + 10.0,))
    old.execute("INSERT INTO topic_attributes VALUES ('app\x1froom', 'a', '1'), ('app\x1froom', 'b', '2')")
    old.execute("INSERT INTO items VALUES (1, 'app\x1fbo', 5, 1, 1e12, x'78', 'ada')")
    old.close()
    disk.open()
    assert sorted(await due(disk)) == ["attributes\x1fapp\x1fada", "channel\x1fapp\x1froom"]
    disk.clock.advance(11.0)
    [entry, stand] = await load(disk, Record("attributes\x1fapp\x1fada"), Attributes("app\x1froom"))
    assert entry is not None
    assert {name: each.value for name, each in stand.attributes.items()} == {"a": "1", "b": "2"}
    with pytest.raises(Full):
        await commit(disk, append("app\x1fcy", source="app\x1fada", all_items=1))
