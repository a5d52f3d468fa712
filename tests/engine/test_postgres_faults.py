"""The kept half when PostgreSQL is killed, hangs, is replaced: nothing lost, nothing twice (SPEC N2, N6)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from engine.driving import run
from signalpost.engine.ports import Put, Record, Unavailable, Uncertain
from signalpost.engine.ports.kept import HeadOf, Stretch, Trim
from signalpost.engine.postgres import PostgresKept
from support.postgres import Postgres
from support.steps import append

SENDERS = 12


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    """One that waits for the disk."""
    server = Postgres()
    yield server
    server.close()


class Judge:
    """Senders that repeat each message until they know what became of it, and a check of what has come."""

    def __init__(self, *nodes: PostgresKept) -> None:
        self.nodes = nodes
        self.going = True
        self.acknowledged: dict[str, list[tuple[bytes, int]]] = {}  # by queue, in the order of the answers
        self.failures: list[Unavailable] = []
        self.sent = 0
        self._more = asyncio.Event()
        self._tasks = [asyncio.create_task(self._send(number)) for number in range(SENDERS)]

    async def _send(self, number: int) -> None:
        kept = self.nodes[number % len(self.nodes)]
        queue = f"q{number % 3}"
        n = 0
        while self.going:
            n += 1
            body = b"%d-%d" % (number, n)
            known = {"source": f"s{number}", "dedupe": body.decode(), "dedupe_ttl": 600.0}
            step = append(queue, body, max_items=10**9, max_size=2**40, **known)
            while True:
                try:
                    [done] = await run(kept.commit(step))
                except Unavailable as failure:
                    self.failures.append(failure)
                    await asyncio.sleep(0.02)
                else:
                    break
            self.sent += 1
            self._more.set()
            self.acknowledged.setdefault(queue, []).append((body, done.seq))

    async def until(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        goal = self.sent + more
        async with asyncio.timeout(60):
            while self.sent < goal:
                self._more.clear()
                await self._more.wait()

    async def judge(self) -> None:
        """All that was acknowledged is there once, under the number that was told, in each sender's order."""
        self.going = False
        await asyncio.gather(*self._tasks)
        for queue, told in self.acknowledged.items():
            [items] = await run(self.nodes[0].load(Stretch(queue, 0, 1_000_000)))
            there = {item.body: item.seq for item in items}
            assert len(there) == len(items), "something is there twice"
            assert there == dict(told)
            assert len(set(there.values())) == len(there)
            for number in range(SENDERS):
                own = [item.body for item in items if item.body.startswith(b"%d-" % number)]
                assert own == sorted(own, key=lambda body: int(body.split(b"-")[1]))


async def opened(url: str, **options: Any) -> PostgresKept:
    kept = PostgresKept(url, **options)
    await kept.open()
    return kept


@pytest.fixture
async def url(durable: Postgres) -> str:
    return await durable.make("faults")


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[tuple[PostgresKept, PostgresKept]]:
    one, two = await opened(url), await opened(url)
    yield one, two
    await one.close()
    await two.close()


async def test_a_server_that_is_killed_has_lost_nothing_that_was_acknowledged(
    durable: Postgres, nodes: tuple[PostgresKept, PostgresKept]
) -> None:
    judge = Judge(*nodes)
    for _ in range(3):
        await judge.until(100)
        durable.kill()
        await asyncio.sleep(0.2)
        durable.start()
        await judge.until(50)
    await judge.judge()
    assert judge.failures
    assert [kept.trouble() for kept in nodes] == ["", ""]


async def test_a_process_of_the_server_that_is_killed_takes_nothing_with_it(
    durable: Postgres, url: str, nodes: tuple[PostgresKept, PostgresKept]
) -> None:
    """PostgreSQL ends all its connections then, and recovers."""
    judge = Judge(*nodes)
    for _ in range(2):
        await judge.until(100)
        connection = await asyncpg.connect(url)
        pids = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT * FROM commit%'"
        )
        connection.terminate()
        os.kill(pids[0][0], signal.SIGKILL)
        await judge.until(100)
    await judge.judge()


async def test_connections_that_are_cut_are_made_anew(
    url: str, nodes: tuple[PostgresKept, PostgresKept]
) -> None:
    judge = Judge(*nodes)
    for _ in range(5):
        await judge.until(50)
        connection = await asyncpg.connect(url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalpost'"
        )
        await connection.close()
    await judge.until(50)
    await judge.judge()


async def test_a_server_that_hangs_is_waited_for_no_longer_than_the_patience(
    durable: Postgres, url: str, nodes: tuple[PostgresKept, PostgresKept]
) -> None:
    """SPEC N6: an error, never a hang; and all goes on by itself. What was under way may be done or not."""
    kept = await opened(url, patience=0.5)
    [rev] = await run(kept.commit(Put("k", b"1")))
    processes = durable.processes()
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(20):
            with pytest.raises(Uncertain):
                await run(kept.commit(Put("k", b"2", expect=rev)))
            with pytest.raises(Unavailable) as raised:
                await run(kept.commit(Put("k", b"3")))
            assert not isinstance(raised.value, Uncertain)
            with pytest.raises(Unavailable):
                await run(kept.load(Record("k")))
            with pytest.raises(Unavailable):
                await run(kept.load(HeadOf("nobody")))
            with pytest.raises(Unavailable):
                await run(kept.due(limit=9, lease=1.0))
        assert kept.trouble()
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
    async with asyncio.timeout(30):
        while True:
            try:
                [found] = await run(kept.load(Record("k")))
                await run(kept.commit(Trim("q", 0)))
                break
            except Unavailable:
                await asyncio.sleep(0.05)
    assert found.value in (b"1", b"2")
    assert kept.trouble() == ""
    await kept.close()


async def test_a_standby_that_is_promoted_has_all_that_was_acknowledged() -> None:
    """SPEC N2: several hosts in the URL; numbers go on above all that were told."""
    primary = Postgres()
    standby: Postgres | None = None
    try:
        standby = Postgres(source=primary)
        await primary.make("faults")
        connection = await asyncpg.connect(primary.url())
        await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()
        url = f"postgresql://signalpost@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/faults"
        one, two = await opened(url), await opened(url)
        judge = Judge(one, two)
        await judge.until(200)
        before = max(seq for told in judge.acknowledged.values() for _, seq in told)
        primary.kill()
        await asyncio.to_thread(standby.promote)
        await judge.until(200)
        await judge.judge()
        [done] = await run(one.commit(append("q0")))
        assert done.seq > before
        assert one.epoch == two.epoch
        await one.close()
        await two.close()
    finally:
        primary.close()
        if standby is not None:
            standby.close()


async def test_a_standby_alone_is_not_taken_for_the_primary() -> None:
    primary = Postgres()
    standby: Postgres | None = None
    try:
        standby = Postgres(source=primary)
        with pytest.raises(Exception, match="cannot use"):
            await opened(standby.url())
    finally:
        primary.close()
        if standby is not None:
            standby.close()
