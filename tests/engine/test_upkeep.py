"""What is let go of, and that no sweep does it all at once."""

from __future__ import annotations

from engine.driving import NOW, ManualClock, append, run, together
from engine.over_kept import QueuesOf, RecordsOf
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports import Appended
from signalpost.engine.receipts import Receipt, Receipts


def test_receipts_of_different_times_to_live_do_not_hold_each_other_up() -> None:
    """SPEC M7."""
    receipts = Receipts()
    for n, ttl in enumerate((100.0, 5.0, 100.0, 5.0)):
        receipt = Receipt(n, "", ttl)
        receipt.row = n + 1
        receipts.add(("q", str(n)), receipt, ttl=ttl, now=0.0)
    receipts.expire(5.0, 100)
    assert len(receipts) == 2
    assert receipts.gone_rows == [2, 4]
    assert receipts.find(("q", "0"), 5.0) is not None
    receipts.expire(100.0, 100)
    assert len(receipts) == 0


def test_receipts_do_not_pile_up_between_sweeps() -> None:
    receipts = Receipts()
    for n in range(1000):
        receipts.add(("q", str(n)), Receipt(n, "", n + 10.0), ttl=10.0, now=float(n))
    assert len(receipts) <= 12


async def test_one_sweep_of_queues_visits_a_part_of_them(clock: ManualClock) -> None:
    queues = QueuesOf(memory_kept(clock=clock))
    await together(*[append(queues, f"q{n}", b"x", ttl=1.0) for n in range(10_000)])
    clock.advance(1.0)
    assert [await run(queues.sweep()) for _ in range(4)] == [4096, 4096, 1808, 0]
    assert queues.items == 0


async def test_a_sweep_stops_after_a_queue_that_held_much(clock: ManualClock) -> None:
    queues = QueuesOf(memory_kept(clock=clock))
    for key in ("a", "b"):
        await together(*[append(queues, key, b"x", ttl=1.0) for _ in range(5000)])
    clock.advance(1.0)
    assert [await run(queues.sweep()) for _ in range(3)] == [5000, 5000, 0]


async def test_idle_queues_cost_nothing_after_a_while(clock: ManualClock) -> None:
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=60.0))
    for n in range(100):
        await run(append(queues, f"q{n}", b"x", ttl=1.0))
    clock.advance(60.0)
    await run(queues.sweep())
    assert len(queues._queues) == 0


async def test_who_only_asks_for_a_head_makes_no_queue(clock: ManualClock) -> None:
    """Every login asks for one: what it was told is remembered, for as long as a queue may be idle."""
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=60.0))
    head = await run(queues.head("q"))
    clock.advance(59.0)
    await run(queues.sweep())
    assert not queues._queues
    assert await run(queues.head("q")) == head
    clock.advance(1.0)
    await run(queues.sweep())
    assert not queues._told
    assert (await run(queues.head("q"))).last > head.last


async def test_records_that_come_let_go_of_those_that_are_over(clock: ManualClock) -> None:
    """SPEC E5: at whatever rate they come, and without a sweep, no more are kept than live."""
    records = RecordsOf(memory_kept(clock=clock))
    for n in range(1000):
        await run(records.put(f"lives {n}", b"", expect=None, ttl=None))
    for n in range(50_000):
        clock.advance(0.001)
        await run(records.put(f"k{n}", b"", expect=0, ttl=1.0))
    assert len(records._records) < 1000 + 1000 + 10
    assert len(records._ends) < 1000 + 10


async def test_a_record_that_gets_another_end_lives_until_then(clock: ManualClock) -> None:
    records = RecordsOf(memory_kept(clock=clock))
    for key in ("later", "endless", "sooner"):
        await run(records.put(key, b"", expect=0, ttl=10.0))
    await run(records.put("later", b"", expect=None, ttl=20.0))
    await run(records.put("endless", b"", expect=None, ttl=None))
    await run(records.put("sooner", b"", expect=None, ttl=5.0))
    for after, left in ((5.0, {"later", "endless"}), (10.0, {"later", "endless"}), (20.0, {"endless"})):
        clock.now = NOW + after
        await run(records.sweep())
        assert records._records.keys() == left
    assert len(records._ends) == 0


async def test_one_sweep_of_records_visits_a_part_of_them(clock: ManualClock) -> None:
    records = RecordsOf(memory_kept(clock=clock))
    for n in range(5000):
        await run(records.put(f"k{n}", b"", expect=None, ttl=1.0))
    clock.advance(1.0)
    assert [await run(records.sweep()) for _ in range(3)] == [4096, 904, 0]


async def test_sweep_drops_what_is_over_its_time_and_says_how_many(clock: ManualClock) -> None:
    """SPEC M3."""
    queues = QueuesOf(memory_kept(clock=clock))
    await together(*[append(queues, "bo", b"x", ttl=10.0) for _ in range(3)])
    await together(*[append(queues, "al", b"x", ttl=30.0) for _ in range(2)])
    clock.advance(10.0)
    assert await run(queues.sweep()) == 3
    assert await run(queues.sweep()) == 0
    assert len(await run(queues.read("al", after=0, limit=9))) == 2


async def test_receipts_that_are_over_are_swept(clock: ManualClock) -> None:
    """SPEC M7, E5: and a dedupe key that was is one that never was."""
    queues = QueuesOf(memory_kept(clock=clock))
    first = await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    clock.advance(120.0)
    assert await run(queues.sweep()) == 1
    assert len(queues._receipts) == 0
    again = await run(append(queues, "bo", b"x", dedupe="r1", dedupe_ttl=120.0))
    assert again == Appended(first.seq + 1, "", False)


async def test_a_forgotten_queue_never_repeats_a_number(clock: ManualClock) -> None:
    """SPEC M6: even when it comes back after the clock was set back."""
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=600.0))
    last = await run(append(queues, "bo", b"x"))
    await run(queues.trim("bo", upto=last.seq))
    clock.advance(601.0)
    assert await run(queues.sweep()) == 1
    clock.advance(-3600.0)
    assert (await run(append(queues, "bo", b"x"))).seq > last.seq


async def test_a_forgotten_queue_goes_on_at_the_clock(clock: ManualClock) -> None:
    """A name that was used once costs nothing."""
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=600.0))
    last = await run(append(queues, "bo", b"x"))
    await run(queues.trim("bo", upto=last.seq))
    clock.advance(601.0)
    await run(queues.sweep())
    assert (await run(append(queues, "bo", b"x"))).seq > last.seq + 600_000_000


async def test_queues_that_come_let_go_of_those_that_are_over(clock: ManualClock) -> None:
    """SPEC E5: at whatever rate names are made up, and without a sweep, no more are kept than live."""
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=10.0))
    await together(*[append(queues, f"lives {n}", b"x", source="ada") for n in range(1000)])
    for n in range(30_000):
        clock.advance(0.01)
        await run(append(queues, f"q{n}", b"x", ttl=1.0, source=f"s{n}"))
    assert len(queues._queues) < 1000 + 1100 + 10
    assert len(queues._sources) < 1 + 1100 + 10
    assert len(queues._looks) < 2 * 1000 + 1100 + 10


async def test_a_queue_in_use_is_not_forgotten(clock: ManualClock) -> None:
    queues = QueuesOf(memory_kept(clock=clock, idle_seconds=600.0))
    last = await run(append(queues, "bo", b"x"))
    await run(queues.trim("bo", upto=last.seq))
    clock.advance(400.0)
    await run(queues.head("bo"))
    clock.advance(400.0)
    await run(queues.sweep())
    assert (await run(append(queues, "bo", b"x"))).seq == last.seq + 1
