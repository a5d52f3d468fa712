"""What the shared half holds in memory, after a load that is over: what is alive, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from engine.driving import ManualClock, run
from signalpost.engine.ports import RateExceeded
from signalpost.engine.ports.shared import (
    AddMember,
    Begin,
    Change,
    DeleteAttribute,
    Drop,
    Keep,
    Rate,
    RemoveMember,
    SetAttribute,
    Spend,
)
from signalpost.engine.ports.steps import Arm, Cancel, Delete, Put, Step
from signalpost.engine.shared import MemoryShared, SharedMemory

Load = Callable[[int], Iterator[Step[object]]]

KEEP = Keep(seconds=120.0, events=1000, size=100_000)
A_SECOND = 4000  # changes: five times what the sweeps of earlier days kept up with
SECONDS = 20
AFTER = 300.0  # seconds after which nothing of the load is alive


def sends_into_nowhere(n: int) -> Iterator[Step[object]]:
    yield Change(f"nowhere {n}", event=b"x", keep=KEEP, rates=(Rate("r", 1),), dedupe="d", dedupe_ttl=120.0)


def repeated_requests(n: int) -> Iterator[Step[object]]:
    yield Change("hall", event=b"x", keep=KEEP, dedupe=f"request {n}", dedupe_ttl=120.0)


def records_that_end(n: int) -> Iterator[Step[object]]:
    yield Put(f"record {n % 3000}", b"x", ttl=float(60 + n % 60))


def records_that_are_replaced(n: int) -> Iterator[Step[object]]:
    yield Put(f"record {n % 10}", b"x", ttl=120.0)


def records_that_are_deleted(n: int) -> Iterator[Step[object]]:
    yield Put(f"record {n}", b"x", ttl=250.0)
    yield Delete(f"record {n}")


def logins(n: int) -> Iterator[Step[object]]:
    yield Spend(f"account {n}", rate=2.0, burst=60)


def attributes_with_ever_new_names(n: int) -> Iterator[Step[object]]:
    yield Change("hall", (SetAttribute(f"a{n}", "x", 2 * n + 1),), rates=(Rate(f"a{n}", 9),))
    yield Change("hall", (DeleteAttribute(f"a{n}", 2 * n + 2),), event=b"x", keep=KEEP)


def rooms_that_come_and_go(n: int) -> Iterator[Step[object]]:
    yield Change(f"room {n}", (Begin(), AddMember("ada", "s")), event=b"x", keep=KEEP, rates=(Rate("r", 9),))
    yield Change(f"room {n}", (RemoveMember("ada", "s"),), event=b"x", keep=KEEP)


def rooms_that_are_dropped(n: int) -> Iterator[Step[object]]:
    room = f"room {n % 50}"
    yield Change(room, (Begin(), AddMember("ada", "s"), SetAttribute("a", "x", n)), event=b"x", keep=KEEP)
    yield Drop(room, if_empty=False)


def rooms_that_speak_once(n: int) -> Iterator[Step[object]]:
    yield Change(f"room {n % 500}", event=b"x", keep=KEEP, rates=(Rate("r", 99_999),))


def timers(n: int) -> Iterator[Step[object]]:
    yield Arm(f"timer {n}", 1e12)
    yield Cancel(f"timer {n}")


LOADS = [
    sends_into_nowhere,
    repeated_requests,
    records_that_end,
    records_that_are_replaced,
    records_that_are_deleted,
    logins,
    attributes_with_ever_new_names,
    rooms_that_come_and_go,
    rooms_that_are_dropped,
    rooms_that_speak_once,
    timers,
]


class World:
    """Something that is alive all the time, and a load that comes and goes."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shared = MemoryShared(SharedMemory(clock=self.clock))

    async def live(self) -> None:
        await run(self.shared.commit(Change("hall", (Begin(), AddMember("ada", "s")))))
        for n in range(500):
            await run(self.shared.commit(Change(f"room {n}", (Begin(), AddMember("ada", "s")))))
            await run(self.shared.commit(Put(f"session {n}", b"x"), Arm(f"session {n}", 1e12)))

    async def load(self, kinds: list[Load]) -> None:
        for n in range(A_SECOND * SECONDS):
            for step in kinds[n % len(kinds)](n):
                try:
                    await run(self.shared.commit(step))
                except RateExceeded:
                    continue
            self.clock.advance(1.0 / A_SECOND)
            if n % (5 * A_SECOND) == 0:
                await run(self.shared.sweep())

    async def rest(self) -> None:
        """Time passes, with a sweep every five seconds."""
        for _ in range(int(AFTER / 5)):
            self.clock.advance(5.0)
            while await run(self.shared.sweep()):
                pass


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.__name__)
async def test_what_a_load_leaves_behind_is_what_is_alive(load: Load) -> None:
    """ENGINE B2: nothing visits what is alive, and nothing that is over stays."""
    world = World()
    await world.live()
    await world.rest()
    before = world.shared.size()
    await world.load([load])
    await world.rest()
    assert world.shared.size() <= before + 80, "but for what is not worth a rebuild of the timers"


async def test_what_is_over_never_piles_up_while_a_load_lasts() -> None:
    """ENGINE B2: without any sweep, what is held is what its time is not over of, and little more."""
    world = World()
    await world.live()
    before = world.shared.size()
    for n in range(60_000):
        await run(world.shared.commit(*records_that_end(n)))
        await run(world.shared.commit(*logins(n)))
        await run(world.shared.commit(Change("hall", event=b"x", keep=KEEP, dedupe=f"r{n}", dedupe_ttl=1.0)))
        world.clock.advance(1.0 / 500)
    alive = 2 * 3000 + 2 * 250 + 2 * 500 + 1000
    assert world.shared.size() - before < 1.2 * alive


async def test_a_random_load_leaves_nothing_behind() -> None:
    """ENGINE B2: all kinds of it, in any order."""
    world = World()
    await world.live()
    await world.rest()
    before = world.shared.size()
    kinds = list(LOADS)
    random.Random(11).shuffle(kinds)
    await world.load(kinds)
    await world.rest()
    # Rooms that a load dropped or emptied are alive no longer, either.
    assert world.shared.size() <= before + 80
