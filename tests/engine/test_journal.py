"""Group commit: batches, failures, the end, and what the loop does while a commit is under way."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from engine.conftest import Disk
from engine.driving import append, begin, run, together
from signalpost.engine import journal as journal_module
from signalpost.engine.ports import Appended, Pending, Unavailable
from signalpost.engine.ports.kept import Attributes, SetAttribute


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Each commit waits until the semaphore lets it."""
    permits = threading.Semaphore(0)
    commit = journal_module._commit

    def gated(connection: Any, batch: Any) -> None:
        assert permits.acquire(timeout=30)
        commit(connection, batch)

    monkeypatch.setattr(journal_module, "_commit", gated)
    return permits


def stuff(disk: Disk) -> None:
    """Let the database grow no further, as on a full disk."""
    disk.store.writer.execute("PRAGMA max_page_count = 1")


def empty(disk: Disk) -> None:
    """Undo `stuff`."""
    disk.store.writer.execute("PRAGMA max_page_count = 1000000")


BIG = b"x" * 100_000


async def test_appends_of_one_tick_are_one_commit_and_wait_for_one_pending(disk: Disk) -> None:
    """ARCHITECTURE: one commit per tick."""
    coroutines = [append(disk.queues, f"q{n}", b"x") for n in range(100)]
    pendings = {id(coroutine.send(None)) for coroutine in coroutines}
    assert len(pendings) == 1
    last = begin(append(disk.queues, "last", b"x"))
    await last
    meter = disk.store.journal.meter
    assert (meter.commits, meter.rows) == (1, 101)
    for coroutine in coroutines:
        with pytest.raises(StopIteration):
            coroutine.send(None)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 127, 128, 1000, 1024, 1025, 5000])
async def test_batches_of_every_size_are_stored_whole(disk: Disk, count: int) -> None:
    await together(*[append(disk.queues, "bo", b"%d" % n) for n in range(count)])
    assert disk.store.journal.meter.commits == 1
    disk.crash()
    items = await run(disk.queues.read("bo", after=0, limit=count + 1))
    assert [item.body for item in items] == [b"%d" % n for n in range(count)]


async def test_what_comes_during_a_commit_is_the_next_batch(disk: Disk, gate: threading.Semaphore) -> None:
    first = begin(append(disk.queues, "bo", b"1"))
    await asyncio.sleep(0)
    rest = []
    for n in (2, 3, 4):
        rest.append(begin(append(disk.queues, "bo", b"%d" % n)))
        await asyncio.sleep(0)
    assert disk.store.journal.queued == 4
    gate.release(10)
    await asyncio.gather(first, *rest)
    assert disk.store.journal.meter.commits == 2
    assert disk.store.journal.queued == 0


async def test_nothing_is_seen_before_its_commit(disk: Disk, gate: threading.Semaphore) -> None:
    """ARCHITECTURE: commit first, tell second."""
    base = (await run(disk.queues.head("bo"))).last
    waiting = [begin(append(disk.queues, "bo", b"%d" % n, durable=n != 1)) for n in range(3)]
    await asyncio.sleep(0)
    waiting += [begin(append(disk.queues, "bo", b"%d" % n, durable=n != 3)) for n in (3, 4)]
    assert await run(disk.queues.read("bo", after=0, limit=9)) == []
    assert await run(disk.queues.head("bo")) == (base, base, 0)
    await run(disk.queues.trim("bo", upto=base + 1))
    assert await run(disk.queues.remove("bo", [base + 1, base + 2])) == []
    gate.release()
    await asyncio.gather(*waiting[:4])
    assert [item.body for item in await run(disk.queues.read("bo", after=0, limit=9))] == [
        b"0",
        b"1",
        b"2",
        b"3",
    ]
    assert not waiting[4].done()
    waiting.append(begin(append(disk.queues, "bo", b"5", durable=False)))
    assert not waiting[5].done()
    gate.release(10)
    await asyncio.gather(*waiting)
    assert (await run(disk.queues.head("bo"))).count == 6


async def test_a_record_that_is_written_in_two_batches_is_the_later_one_throughout(
    disk: Disk, gate: threading.Semaphore
) -> None:
    first = begin(disk.records.put("k", b"1", expect=0, ttl=None))
    await asyncio.sleep(0)
    second = begin(disk.records.put("k", b"2", expect=None, ttl=None))
    gate.release()
    await first
    assert not second.done()
    entry = await run(disk.records.get("k"))
    assert entry is not None
    assert entry.value == b"2"
    gate.release(10)
    assert await run(disk.records.get("k")) == (b"2", await second)


async def test_a_loop_waits_for_a_commit_that_takes_long_and_settles_it_in_that_tick(
    disk: Disk, gate: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ARCHITECTURE, the writer thread: it starves unless the loop gives it the GIL."""
    monkeypatch.setattr(journal_module, "_PATIENCE", 0.0)
    monkeypatch.setattr(journal_module, "_HANDOVER", 30.0)
    waiting = begin(append(disk.queues, "bo", b"x"))
    threading.Timer(0.1, gate.release, [10]).start()
    ticks = 0
    while not waiting.done():
        await asyncio.sleep(0)
        ticks += 1
    assert ticks < 20


async def test_a_busy_loop_lets_commits_through(disk: Disk) -> None:
    """ARCHITECTURE, the writer thread."""
    loop = asyncio.get_running_loop()
    meter = disk.store.journal.meter
    busy = True

    def work() -> None:
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            sum(range(100))
        if busy:
            loop.call_soon(work)

    loop.call_soon(work)
    for n in range(20):
        await run(append(disk.queues, "bo", b"%d" % n))
    busy = False
    assert meter.commits == 20
    assert meter.seconds / 20 < 0.1


async def test_a_slow_commit_does_not_stop_the_loop(disk: Disk, gate: threading.Semaphore) -> None:
    """Only half a millisecond a tick is given to it."""
    waiting = begin(append(disk.queues, "bo", b"x"))
    loop = asyncio.get_running_loop()
    longest, since, until = 0.0, loop.time(), loop.time() + 0.1
    while loop.time() < until:
        await asyncio.sleep(0)
        longest, since = max(longest, loop.time() - since), loop.time()
    assert not waiting.done()
    assert longest < 0.09
    gate.release(10)
    await waiting


async def test_a_failed_commit_raises_burns_its_numbers_and_keeps_the_rest(disk: Disk) -> None:
    """SPEC M5: acknowledged means kept; what could not be stored is not acknowledged."""
    before = await run(append(disk.queues, "bo", b"before"))
    stuff(disk)
    results = await together(
        append(disk.queues, "bo", BIG),
        append(disk.queues, "bo", b"call", durable=False),
        append(disk.queues, "al", b"in the same batch"),
    )
    assert [type(result) for result in results] == [Unavailable, Appended, Unavailable]
    assert "full" in str(results[0])
    empty(disk)
    after = await run(append(disk.queues, "bo", b"after"))
    assert after.seq == before.seq + 3
    items = await run(disk.queues.read("bo", after=0, limit=9))
    assert [item.body for item in items] == [b"before", b"call", b"after"]
    assert (await run(disk.queues.head("al"))).count == 0
    assert disk.queues.items == 3
    assert disk.store.journal.meter.failures == 1
    disk.crash()
    assert [i.body for i in await run(disk.queues.read("bo", after=0, limit=9))] == [b"before", b"after"]


async def test_a_failed_append_gives_its_room_and_its_dedupe_key_back(disk: Disk) -> None:
    """SPEC M7, M9."""
    options: dict[str, Any] = {"dedupe": "r", "dedupe_ttl": 120.0, "max_items": 1, "size": 1}
    stuff(disk)
    first, again = await together(
        append(disk.queues, "bo", BIG, **options), append(disk.queues, "bo", BIG, **options)
    )
    assert isinstance(first, Unavailable)
    assert isinstance(again, Unavailable)
    empty(disk)
    assert not (await run(append(disk.queues, "bo", BIG, **options))).repeated


async def test_removals_of_a_failed_commit_are_made_later(disk: Disk) -> None:
    done = await run(append(disk.queues, "bo", b"old"))
    stuff(disk)
    await run(disk.queues.trim("bo", upto=done.seq))
    assert isinstance((await together(append(disk.queues, "bo", BIG)))[0], Unavailable)
    empty(disk)
    await run(append(disk.queues, "bo", b"new"))
    disk.crash()
    assert [item.body for item in await run(disk.queues.read("bo", after=0, limit=9))] == [b"new"]


async def test_a_head_tells_no_number_above_the_ceiling_and_needs_no_commit(disk: Disk) -> None:
    """SPEC M6: no number is told that a crash could give to another; M3: inboxes are read all the same."""
    ceiling = disk.store.meta("ceiling")
    disk.clock.advance(3600.0)
    stuff(disk)
    head, *refused = await together(
        disk.queues.head("bo"), append(disk.queues, "bo", b"x", durable=False), append(disk.queues, "al", BIG)
    )
    assert head == (ceiling, ceiling, 0)
    assert [type(result) for result in refused] == [Unavailable] * 2
    empty(disk)
    done = await run(append(disk.queues, "bo", b"x", durable=False))
    assert done.seq > disk.clock.now * 1_000_000


async def test_a_failed_record_is_as_it_was(disk: Disk) -> None:
    rev = await run(disk.records.put("k", b"old", expect=0, ttl=None))
    stuff(disk)
    results = await together(
        disk.records.put("k", BIG, expect=rev, ttl=None), disk.records.put("new", b"", expect=0, ttl=None)
    )
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert await run(disk.records.get("k")) == (b"old", rev)
    assert await run(disk.records.get("new")) is None
    empty(disk)
    assert await run(disk.records.put("k", BIG, expect=rev, ttl=None)) > rev


async def test_attributes_of_a_failed_commit_are_as_they_were(disk: Disk) -> None:
    """SPEC C10: nobody was told of them yet."""
    await run(disk.kept.commit(SetAttribute("room", "a", "old")))
    stuff(disk)
    steps = SetAttribute("room", "a", BIG.decode()), SetAttribute("room", "b", BIG.decode())
    assert isinstance((await together(disk.kept.commit(*steps)))[0], Unavailable)
    empty(disk)
    await run(disk.kept.commit(SetAttribute("room", "c", "new")))
    for _ in range(2):
        (stand,) = await run(disk.kept.load(Attributes("room")))
        assert {name: each.value for name, each in stand.attributes.items()} == {"a": "old", "c": "new"}
        disk.crash()


async def test_close_commits_what_is_under_way_and_what_has_gathered(
    disk: Disk, gate: threading.Semaphore
) -> None:
    """SPEC §9: SIGTERM commits."""
    waiting = [begin(append(disk.queues, "bo", b"1"))]
    await asyncio.sleep(0)
    waiting.append(begin(append(disk.queues, "bo", b"2")))
    closing = asyncio.ensure_future(disk.store.close())
    await asyncio.sleep(0)
    gate.release(10)
    await closing
    assert all(isinstance(one.result(), Appended) for one in waiting)
    disk.open()
    assert [item.body for item in await run(disk.queues.read("bo", after=0, limit=9))] == [b"1", b"2"]


async def test_after_close_nothing_is_taken(disk: Disk) -> None:
    await disk.store.close()
    await disk.store.close()
    attempts = [
        append(disk.queues, "bo", b"x"),
        append(disk.queues, "bo", b"x", durable=False),
        disk.records.put("k", b"", expect=None, ttl=None),
        disk.kept.commit(SetAttribute("room", "a", "1")),
    ]
    assert [type(result) for result in await together(*attempts)] == [Unavailable] * 4
    assert disk.queues.items == 0


async def test_close_leaves_one_file_without_a_log(disk: Disk) -> None:
    await run(append(disk.queues, "bo", b"x"))
    await disk.store.close()
    assert sorted(path.name for path in disk.directory.iterdir()) == ["lock", "reserve", "signalpost.db"]


async def test_latencies_are_counted_in_buckets(disk: Disk) -> None:
    for _ in range(5):
        await run(append(disk.queues, "bo", b"x"))
    meter = disk.store.journal.meter
    assert sum(meter.buckets) == meter.commits == 5
    assert len(meter.buckets) == len(journal_module.BUCKETS) + 1
    assert 0 < meter.latency <= meter.seconds


async def test_who_waits_for_a_settled_batch_goes_on_at_once() -> None:
    pending = Pending()
    pending.settle()

    async def wait() -> str:
        await pending
        return "on"

    assert await run(wait()) == "on"
