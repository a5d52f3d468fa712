"""Implementations of `Shared` that know nothing of each other do the same, whatever is asked of them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.notes import Mark
from contract.on_redis import redis_shared
from contract.toy_shared import ToyShared, World
from engine.driving import ManualClock, run
from signalpost.engine.ports import Conflict, Entry, RateExceeded
from signalpost.engine.ports.kept import Attribute
from signalpost.engine.ports.shared import (
    AddMember,
    Begin,
    Behind,
    Change,
    Changed,
    DeleteAttribute,
    Drop,
    Event,
    Keep,
    Page,
    Past,
    Place,
    Rate,
    RemoveMember,
    SetAttribute,
    Shared,
    Snapshot,
    Spend,
    Topic,
)
from signalpost.engine.ports.steps import Arm, Cancel, Delete, Put, Receipt, Record
from signalpost.engine.shared import MemoryShared, SharedMemory
from support.redis import shared_server

names = st.sampled_from(["ada", "bo"])
tags = st.sampled_from(["1", "2"])
topics = st.sampled_from(["room", "hall"])
labels = st.sampled_from(["a", "quiet", "most"])
values = st.sampled_from(["0", "1", "2"])
revs = st.integers(1, 9)
keys = st.sampled_from(["k", "l"])
moments = st.sampled_from([-5.0, 0.0, 0.5, 1.0, 30.0])

begins = st.builds(Begin, st.dictionaries(labels, st.builds(Attribute, values, revs), max_size=2))
edits = st.one_of(
    st.builds(AddMember, names, tags),
    st.builds(RemoveMember, names, tags),
    st.builds(SetAttribute, labels, values, revs),
    st.builds(DeleteAttribute, labels, revs),
)
rates = st.builds(
    Rate,
    st.sampled_from(["r", "s"]),
    st.integers(0, 3),
    st.sampled_from([1.0, 60.0]),
    st.sampled_from(["", "most"]),
    st.integers(1, 3),
)
keeps = st.builds(Keep, st.sampled_from([1.0, 120.0]), st.integers(0, 5), st.integers(0, 40))
changes = st.builds(
    Change,
    topics,
    st.tuples(st.lists(begins, max_size=1), st.lists(edits, max_size=3)).map(
        lambda pair: (*pair[0], *pair[1])
    ),
    st.none() | st.binary(max_size=20),
    keeps,
    st.lists(rates, max_size=2, unique_by=lambda rate: rate.name).map(tuple),
    st.sampled_from(["", "", "d"]),
    st.sampled_from([1.0, 60.0]),
    st.none() | st.tuples(st.just("quiet"), values),
    st.booleans(),
    st.integers(-1, 2),
)
expected = st.sampled_from([None, 0, -1, 999])
steps = st.one_of(
    changes,
    changes,
    changes,
    st.builds(Put, keys, st.binary(max_size=2), expected, st.none() | st.just(5.0)),
    st.builds(Delete, keys, expected),
    st.builds(Drop, topics, st.booleans()),
    st.builds(Spend, keys, st.just(2.0), st.integers(0, 3)),
    st.builds(Arm, keys, moments),
    st.builds(Cancel, keys),
)
asks = st.one_of(
    st.builds(Record, keys),
    st.builds(Receipt, topics, st.just("d")),
    st.builds(Topic, topics, st.integers(0, 3)),
    st.builds(Place, topics, names),
    st.builds(Past, topics, st.integers(0, 9), st.integers(1, 4), st.integers(0, 30), st.just("") | names),
    st.builds(Behind, topics, st.none() | st.integers(0, 9), st.integers(0, 40), st.none() | moments),
)
acts = st.one_of(
    st.lists(steps, min_size=1, max_size=4),
    st.lists(steps, min_size=1, max_size=1),
    st.lists(asks, min_size=1, max_size=4),
    st.sampled_from([0.1, 0.5, 1.0, 6.0, 61.0]),
)


class Party:
    """One implementation, and what it was told of the topics."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.told: list[Any] = []
        shared.listen(lambda topic, epoch, event: self.told.append((topic, event)))
        self._heard = asyncio.Event()
        shared.nodes.listen(lambda note: self._heard.set())
        self.revs: dict[str, int] = {}

    async def settle(self) -> None:
        """Wait until all that is on its way here has come: a note to oneself comes behind it."""
        await run(self.shared.nodes.send(self.shared.nodes.me, Mark()))
        await asyncio.wait_for(self._heard.wait(), 20.0)

    async def follow(self) -> None:
        for topic in ("room", "hall"):
            await run(self.shared.follow(topic))

    async def act(self, act: list[Any], now: float) -> Any:
        """What comes of it, without what each implementation makes up by itself."""
        act = [self._meant(one, now) for one in act]
        if not isinstance(act[0], Put | Delete | Drop | Spend | Arm | Cancel | Change):
            return [_plain(answer) for answer in await run(self.shared.load(*act))]
        try:
            results = await run(self.shared.commit(*act))
        except (Conflict, RateExceeded) as error:
            return type(error).__name__
        for step, result in zip(act, results, strict=True):
            if isinstance(step, Put):
                self.revs[step.key] = result
        return [
            0 if isinstance(step, Put) else _plain(result) for step, result in zip(act, results, strict=True)
        ]

    def _meant(self, one: Any, now: float) -> Any:
        if isinstance(one, Put | Delete) and one.expect == -1:  # the revision of its latest value
            return msgspec.structs.replace(one, expect=self.revs.get(one.key, 0))
        if isinstance(one, Arm | Behind) and one.at is not None:
            return msgspec.structs.replace(one, at=now + one.at)
        return one


def _plain(result: Any) -> Any:
    match result:
        case Changed() | Snapshot() | Page():
            plain = msgspec.structs.asdict(result)
            plain["epoch"] = bool(plain["epoch"])
            if "shown" in plain:
                plain["shown"] = _plain(plain["shown"])
            return plain
        case Entry():
            return result.value
        case Event():
            return result
    return result


async def play(script: list[Any], clock: ManualClock, one: Shared, other: Shared) -> None:
    """Have both do all of it."""
    parties = [Party(one), Party(other)]
    for party in parties:
        await party.follow()
    for act in script:
        if isinstance(act, float):
            clock.advance(act)
            await run(one.sweep())
            due = [await run(party.shared.due(limit=9, lease=3.0)) for party in parties]
            here, there = (sorted((one.key, one.at) for one in dues) for dues in due)
            assert here == there
            continue
        done, too = [await party.act(act, clock()) for party in parties]
        assert done == too, act
    for party in parties:
        await party.settle()
    assert parties[0].told == parties[1].told


@given(st.lists(acts, max_size=40))
@settings(max_examples=100, deadline=None)
def test_memory_and_toy_do_the_same(script: list[Any]) -> None:
    """ENGINE: the contract says all that an implementation has to do."""
    clock = ManualClock()

    async def both() -> None:
        await play(script, clock, MemoryShared(SharedMemory(clock=clock)), ToyShared(World(clock)))

    asyncio.run(both())


@given(st.lists(acts, max_size=40))
@settings(max_examples=100, deadline=None)
def test_memory_and_redis_do_the_same(script: list[Any]) -> None:
    """ENGINE: the contract says all that an implementation has to do."""
    clock = ManualClock()

    async def both() -> None:
        async with redis_shared(shared_server(), clock) as redis:
            await play(script, clock, MemoryShared(SharedMemory(clock=clock)), redis)

    asyncio.run(both())
