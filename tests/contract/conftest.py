"""Every implementation of every port, so that each suite here runs against all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from contract.on_redis import redis_shared
from contract.toy_kept import ToyKept
from contract.toy_shared import ToyShared, World
from engine.driving import ManualClock
from engine.over_kept import QueuesOf, RecordsOf
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.engine.postgres import PostgresKept
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.engine.sqlite import Store, sqlite_kept
from support.postgres import Postgres
from support.redis import shared_server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "data", loop=asyncio.get_running_loop(), durability="process")
    yield store
    await store.close()


@pytest.fixture
async def postgres_kept(postgres: Postgres, clock: ManualClock) -> AsyncIterator[PostgresKept]:
    kept = PostgresKept(await postgres.fresh(), clock=clock, power=False, idle_seconds=600.0)
    await kept.open()
    yield kept
    await kept.close()


@pytest.fixture(params=["memory", "sqlite", "sqlite, bodies on disk", "postgres"])
def queues(request: pytest.FixtureRequest, clock: ManualClock) -> QueuesOf:
    if request.param == "postgres":
        return QueuesOf(request.getfixturevalue("postgres_kept"))
    if request.param == "memory":
        return QueuesOf(memory_kept(clock=clock, idle_seconds=600.0))
    store = request.getfixturevalue("store")
    budget = 0 if request.param.endswith("disk") else 1024 * 1024
    return QueuesOf(sqlite_kept(store, clock=clock, body_budget=budget, idle_seconds=600.0))


@pytest.fixture(params=["memory", "sqlite", "sqlite, hardly cached", "postgres"])
def records(request: pytest.FixtureRequest, clock: ManualClock) -> RecordsOf:
    if request.param == "postgres":
        return RecordsOf(request.getfixturevalue("postgres_kept"))
    if request.param == "memory":
        return RecordsOf(memory_kept(clock=clock))
    store = request.getfixturevalue("store")
    return RecordsOf(sqlite_kept(store, clock=clock, cached=1 if "hardly" in request.param else 1000))


@pytest.fixture(params=["memory", "sqlite", "sqlite, hardly cached", "toy", "postgres"])
def kept(request: pytest.FixtureRequest, clock: ManualClock) -> Kept:
    if request.param == "postgres":
        return cast(Kept, request.getfixturevalue("postgres_kept"))
    if request.param == "memory":
        return memory_kept(clock=clock, idle_seconds=600.0)
    if request.param == "toy":
        return ToyKept(clock=clock)
    store = request.getfixturevalue("store")
    if "hardly" in request.param:
        return sqlite_kept(store, clock=clock, cached=1, body_budget=0, idle_seconds=600.0)
    return sqlite_kept(store, clock=clock, idle_seconds=600.0)


@pytest.fixture(params=["memory", "toy", "redis"])
async def nodes(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[tuple[Shared, Shared]]:
    if request.param == "toy":
        world = World(clock)
        yield ToyShared(world), ToyShared(world)
    elif request.param == "memory":
        memory = SharedMemory(clock=clock)
        yield MemoryShared(memory), MemoryShared(memory)
    else:
        server = shared_server()
        async with redis_shared(server, clock) as here, redis_shared(server, clock) as there:
            yield here, there


@pytest.fixture
def shared(nodes: tuple[Shared, Shared]) -> Shared:
    return nodes[0]


@pytest.fixture
def neighbour(nodes: tuple[Shared, Shared]) -> Shared:
    """Another node that shares the same."""
    return nodes[1]
