"""What survives an orderly end and a crash of the SQLite engine."""

from __future__ import annotations

import asyncio

import pytest

from engine.conftest import Disk
from engine.driving import NOW, ManualClock, append, begin, run, together
from signalpost.engine.ports import (
    Appended,
    Conflict,
    Entry,
    Full,
    Unavailable,
)


async def bodies(disk: Disk, key: str) -> list[bytes]:
    return [item.body for item in await run(disk.queues.read(key, after=0, limit=1000))]


async def number(disk: Disk, key: str, **options: object) -> int:
    return (await run(append(disk.queues, key, b"x", **options))).seq


@pytest.mark.parametrize("crash", [False, True])
async def test_acknowledged_items_survive_in_order_with_their_numbers(disk: Disk, crash: bool) -> None:
    """SPEC M3, M5."""
    await together(*[append(disk.queues, f"q{n % 3}", b"%d" % n) for n in range(30)])
    before = [await run(disk.queues.read(f"q{n}", after=0, limit=100)) for n in range(3)]
    disk.crash() if crash else await disk.reopen()
    assert [await run(disk.queues.read(f"q{n}", after=0, limit=100)) for n in range(3)] == before
    assert disk.queues.items == 30
    head = await run(disk.queues.head("q0"))
    assert (head.cleared, head.count) == (before[0][0].seq - 1, 10)


async def test_caps_and_ends_hold_after_a_restart(disk: Disk, clock: ManualClock) -> None:
    """SPEC M3, M9."""
    await number(disk, "bo", ttl=10.0, size=50)
    await number(disk, "bo", ttl=20.0, size=50)
    await disk.reopen()
    (full,) = await together(append(disk.queues, "bo", b"y", size=1, max_size=100))
    assert type(full).__name__ == "Full"
    clock.advance(10.0)
    await run(append(disk.queues, "bo", b"y", size=1, max_size=100))
    assert await bodies(disk, "bo") == [b"x", b"y"]
    clock.advance(10.0)
    await disk.reopen()
    assert await bodies(disk, "bo") == [b"y"]


@pytest.mark.parametrize("crash", [False, True])
async def test_the_cap_of_a_part_holds_after_a_restart(disk: Disk, crash: bool) -> None:
    """SPEC M9: who has used up his half of an inbox does not get another by a restart."""
    of = {"part_items": 2, "part_size": 100}
    for part in ("ada", "cy", "ada"):
        await number(disk, "bo", source=part, **of)
    disk.crash() if crash else await disk.reopen()
    full, done = await together(
        append(disk.queues, "bo", b"y", source="ada", **of),
        append(disk.queues, "bo", b"y", source="cy", **of),
    )
    assert isinstance(full, Full)
    assert isinstance(done, Appended)


async def test_a_failed_append_gives_the_room_of_its_part_back(disk: Disk) -> None:
    """SPEC M9."""
    of = {"source": "ada", "part_items": 1, "part_size": 100}
    disk.store.writer.execute("PRAGMA query_only = ON")
    (failed,) = await together(append(disk.queues, "bo", b"x", **of))
    assert isinstance(failed, Unavailable)
    disk.store.writer.execute("PRAGMA query_only = OFF")
    await number(disk, "bo", **of)


async def test_items_that_are_not_durable_vanish(disk: Disk) -> None:
    """SPEC K11: live call events are not for the next process."""
    await together(*[append(disk.queues, "bo", b"%d" % n, durable=n % 2 == 0) for n in range(6)])
    await disk.reopen()
    assert await bodies(disk, "bo") == [b"0", b"2", b"4"]


async def test_what_was_trimmed_and_removed_stays_away_after_an_orderly_end(disk: Disk) -> None:
    """PROTOCOL §6: everything up to V is processed, delete it."""
    done = [await number(disk, "bo") for _ in range(5000)]
    await run(disk.queues.trim("bo", upto=done[4990]))
    await run(disk.queues.remove("bo", [done[4995]]))
    await disk.reopen()
    head = await run(disk.queues.head("bo"))
    assert (head.cleared, head.count) == (done[4990], 8)
    assert disk.store.reader.execute("SELECT count(*) FROM items").fetchone() == (8,)


async def test_what_was_trimmed_a_moment_before_a_crash_comes_back_as_it_was(disk: Disk) -> None:
    """SPEC M6, PROTOCOL §6: its removal waits for the next commit; the number and the item are the same."""
    await together(*[append(disk.queues, "bo", b"%d" % n) for n in range(3)])
    before = await run(disk.queues.read("bo", after=0, limit=10))
    await run(disk.queues.trim("bo", upto=before[1].seq))
    disk.crash()
    assert await run(disk.queues.read("bo", after=0, limit=10)) == before
    await run(disk.queues.trim("bo", upto=before[1].seq))
    assert await run(disk.queues.read("bo", after=0, limit=10)) == before[2:]


async def test_many_trimmed_rows_leave_the_disk_in_several_commits(disk: Disk) -> None:
    """No append waits for them all."""
    await together(*[append(disk.queues, "bo", b"x") for _ in range(5000)])
    head = await run(disk.queues.head("bo"))
    await run(disk.queues.trim("bo", upto=head.last))
    await number(disk, "al")
    (rows,) = disk.store.reader.execute("SELECT count(*) FROM items").fetchone()
    assert 1 < rows <= 5001 - 1024
    for _ in range(3):
        await number(disk, "al")
    await disk.reopen()
    assert disk.store.reader.execute("SELECT count(*) FROM items").fetchone() == (4,)


async def test_trimmed_rows_leave_the_disk_without_further_appends(disk: Disk) -> None:
    done = [await number(disk, "bo") for _ in range(3)]
    await run(disk.queues.trim("bo", upto=done[1]))
    journal = disk.store.journal
    assert journal._later is not None
    journal._later.cancel()
    journal._open_late()
    await number(disk, "al")
    assert disk.store.reader.execute("SELECT seq FROM items WHERE queue = 'bo'").fetchall() == [(done[2],)]


@pytest.mark.parametrize("back", [0.0, 3600.0])
@pytest.mark.parametrize("crash", [False, True])
async def test_no_number_is_used_twice(disk: Disk, clock: ManualClock, crash: bool, back: float) -> None:
    """SPEC M6: not after a crash, a lost item, or a clock that was set back."""
    shown = [await number(disk, "bo", durable=n != 2) for n in range(3)]
    shown.append((await run(disk.queues.head("only looked at"))).last)
    epoch = disk.queues.epoch
    clock.advance(-back)
    disk.crash() if crash else await disk.reopen()
    assert disk.queues.epoch == epoch
    for key in ("bo", "never seen", "only looked at"):
        assert await number(disk, key) > max(shown)


async def test_numbers_do_not_run_away_from_the_clock_in_orderly_restarts(
    disk: Disk, clock: ManualClock
) -> None:
    for _ in range(5):
        await number(disk, "bo")
        await disk.reopen()
    clock.advance(0.001)
    assert await number(disk, "al") == int((NOW + 0.001) * 1000) * 1000 + 1


@pytest.mark.parametrize("durable", [False, True])
async def test_a_number_is_told_only_when_the_ceiling_on_the_disk_covers_it(
    disk: Disk, clock: ManualClock, durable: bool
) -> None:
    """SPEC M6: an hour of silence, then one item that a crash loses, then a clock that was set back."""
    clock.advance(3600.0)
    shown = [
        await number(disk, "bo", durable=durable),
        (await run(disk.queues.head("al"))).last,
    ]
    clock.advance(-3600.0)
    disk.crash()
    assert await number(disk, "al") > max(shown)
    assert await number(disk, "bo") > max(shown)


async def test_the_sweep_keeps_the_ceiling_ahead_so_that_no_append_waits_for_it(
    disk: Disk, clock: ManualClock
) -> None:
    async def commit() -> None:
        await disk.store.journal.batch()

    for _ in range(10):
        clock.advance(45.0)
        await run(disk.queues.sweep())
        await run(commit())
    with pytest.raises(StopIteration):
        append(disk.queues, "bo", b"", durable=False).send(None)


@pytest.mark.parametrize("crash", [False, True])
async def test_a_repetition_is_known_after_a_restart(disk: Disk, clock: ManualClock, crash: bool) -> None:
    """SPEC M7: as durable as the message; also when that is gone."""
    first = await run(append(disk.queues, "bo", b"x", note="id", dedupe="r", dedupe_ttl=120.0))
    await run(disk.queues.trim("bo", upto=first.seq))
    disk.crash() if crash else await disk.reopen()
    again = await run(append(disk.queues, "bo", b"x", dedupe="r", dedupe_ttl=120.0))
    assert again == Appended(first.seq, "id", True)
    clock.advance(120.0)
    await disk.reopen()
    assert not (await run(append(disk.queues, "bo", b"x", dedupe="r", dedupe_ttl=120.0))).repeated


async def test_forgotten_receipts_leave_the_disk(disk: Disk, clock: ManualClock) -> None:
    for n in range(10):
        await run(append(disk.queues, "bo", b"x", dedupe=f"r{n}", dedupe_ttl=120.0))
    clock.advance(120.0)
    await run(disk.queues.sweep())
    await number(disk, "bo")
    assert disk.store.reader.execute("SELECT count(*) FROM receipts").fetchone() == (0,)


async def test_bodies_above_the_budget_stay_on_the_disk_and_are_read_from_there(disk: Disk) -> None:
    """A great backlog costs the index, not the bodies."""
    disk.options = {"body_budget": 1000}
    await disk.reopen()
    for n in range(50):
        await run(append(disk.queues, "bo", b"%0100d" % n))
    assert disk.queues.body_bytes <= 1000
    assert await bodies(disk, "bo") == [b"%0100d" % n for n in range(50)]
    last = (await run(disk.queues.head("bo"))).last
    await run(disk.queues.trim("bo", upto=last))
    assert (disk.queues.body_bytes, disk.queues.items, len(disk.queues._resident)) == (0, 0, 0)


async def test_records_survive_with_revision_and_end(disk: Disk, clock: ManualClock) -> None:
    """SPEC P3."""
    rev = await run(disk.records.put("kept", b"v", expect=0, ttl=None))
    await run(disk.records.put("short", b"v", expect=0, ttl=10.0))
    await run(disk.records.put("gone", b"v", expect=0, ttl=None))
    await run(disk.records.delete("gone"))
    disk.crash()
    assert await run(disk.records.get("kept")) == Entry(b"v", rev)
    assert await run(disk.records.get("gone")) is None
    assert await run(disk.records.get("short")) is not None
    clock.advance(10.0)
    assert await run(disk.records.get("short")) is None
    assert await run(disk.records.sweep()) == 1


@pytest.mark.parametrize("crash", [False, True])
async def test_revisions_are_not_used_again_after_a_restart(disk: Disk, crash: bool) -> None:
    rev = await run(disk.records.put("k", b"v", expect=0, ttl=None))
    await run(disk.records.delete("k"))
    disk.crash() if crash else await disk.reopen()
    assert await run(disk.records.put("k", b"v", expect=0, ttl=None)) > rev
    with pytest.raises(Conflict):
        await run(disk.records.put("k", b"w", expect=rev, ttl=None))


@pytest.mark.parametrize("crash", [False, True])
async def test_fields_survive_with_their_record_and_end_with_it(
    disk: Disk, clock: ManualClock, crash: bool
) -> None:
    """SPEC P2, P3."""
    await run(disk.records.put("kept", b"v", expect=0, ttl=None, fields={"a": b"1", "b": b"2"}))
    await run(disk.records.put("short", b"v", expect=0, ttl=10.0, fields={"a": b"1"}))
    await run(disk.records.put("gone", b"v", expect=0, ttl=None, fields={"a": b"1"}))
    await run(disk.records.put("kept", b"w", expect=None, ttl=None, fields={"b": b"3"}))
    await run(disk.records.delete("gone"))
    disk.crash() if crash else await disk.reopen()
    assert await run(disk.records.fields("kept")) == {"a": b"1", "b": b"3"}
    assert await run(disk.records.fields("gone")) == {}
    clock.advance(10.0)
    assert await run(disk.records.fields("short")) == {}
    assert await run(disk.records.sweep()) == 1
    await disk.store.flush()
    rows = disk.store.reader.execute("SELECT key, name FROM record_fields ORDER BY 1, 2").fetchall()
    assert rows == [("kept", "a"), ("kept", "b")]


async def test_a_change_of_one_field_writes_one_and_one_of_the_value_none(disk: Disk) -> None:
    """SPEC E5: of 100 attributes of 8 KB."""
    records, meter = disk.records, disk.store.journal.meter
    big = {f"a{n}": b"x" * 8096 for n in range(100)}
    await run(records.put("k", b"v", expect=0, ttl=None, fields=big))
    before = meter.rows
    await run(records.put("k", b"v", expect=None, ttl=None, fields={"a7": b"y"}))
    assert meter.rows - before == 3, "the field, its record, and the highest revision"
    await run(records.put("k", b"w", expect=None, ttl=None))
    assert meter.rows - before == 5
    await disk.reopen()
    await run(disk.records.put("k", b"x", expect=None, ttl=None))
    assert disk.store.journal.meter.rows == 2
    assert await run(disk.records.fields("k")) == {**big, "a7": b"y"}


async def test_a_field_whose_commit_failed_is_not_there(disk: Disk) -> None:
    """SPEC M5: neither now nor after a restart; and one that came behind it is."""
    await run(disk.records.put("k", b"v", expect=0, ttl=None, fields={"a": b"1"}))
    disk.store.writer.execute("PRAGMA query_only = ON")
    first = begin(disk.records.put("k", b"v", expect=None, ttl=None, fields={"a": b"2", "lost": b""}))
    await asyncio.sleep(0)  # it leaves; the next one gathers in another batch
    second = begin(disk.records.put("k", b"w", expect=None, ttl=None, fields={"b": b"3"}))
    with pytest.raises(Unavailable):
        await first
    disk.store.writer.execute("PRAGMA query_only = OFF")
    stored = {"a": b"1"}
    try:
        await second
        stored["b"] = b"3"
    except Unavailable:
        pass  # it left before the disk was writable again
    assert await run(disk.records.fields("k")) == stored
    await disk.reopen()
    assert await run(disk.records.fields("k")) == stored
