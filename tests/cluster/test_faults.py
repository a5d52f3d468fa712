"""What fails while a crowd is busy, and that nothing comes of it (SPEC N2-N7).

Each test has the crowd busy on three nodes, lets something fail, lets it go on, and has their whole story
judged: nothing acknowledged is lost, nothing seen twice, all in order, nobody there who is not, and each call
has one end.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cluster.crowd import CONFIG, Crowd
from support.cluster import Cluster
from support.postgres import Postgres
from support.redis import RedisServer, Sentinel, free_port
from support.waiting import until

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

_MUCH = ("mail", "say", "call", "wander", "commute", "describe")


async def busy(crowd: Crowd) -> None:
    """Everything that people do is done, and more than once."""
    await crowd.progress(60, "mail", "say")
    await crowd.progress(3, *_MUCH)


async def test_each_part_dies_in_turn(tmp_path: Path) -> None:
    """SPEC N2, N3, N5: a node, what is shared, the store."""
    with Cluster(tmp_path, config=CONFIG.format(grace=8)) as cluster:
        await cluster.start()
        async with Crowd(cluster.url) as crowd:
            await busy(crowd)
            cluster.nodes[0].kill()
            await busy(crowd)
            cluster.redis.kill()
            cluster.redis.start()
            await busy(crowd)
            cluster.postgres.kill()
            cluster.postgres.start()
            await cluster.start(cluster.nodes[0])
            await busy(crowd)
            await crowd.judged()


async def test_nothing_is_amiss_when_nothing_fails(cluster: Cluster) -> None:
    """SPEC N1: with the parties on different nodes."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        await busy(crowd)
        await crowd.judged()


async def test_a_node_is_killed(cluster: Cluster, times: int) -> None:
    """SPEC N2, N3."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for turn in range(times):
            await busy(crowd)
            node = cluster.nodes[turn % 3]
            node.kill()
            await busy(crowd)
            await cluster.start(node)
        await busy(crowd)
        await crowd.judged()


async def test_a_node_stands_still_for_ten_seconds(cluster: Cluster, times: int) -> None:
    """SPEC N4: it is taken for dead, and gives up what has moved."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for turn in range(times):
            await busy(crowd)
            node = cluster.nodes[turn % 3]
            node.pause()
            await asyncio.sleep(10)
            node.go_on()
            await busy(crowd)
        await crowd.judged()


@pytest.mark.parametrize("seconds", [3, 15], ids=["a while", "long"])
@pytest.mark.parametrize("cut_off", ["redis", "postgres", "both"])
async def test_a_node_is_cut_off(cluster: Cluster, times: int, cut_off: str, seconds: float) -> None:
    """SPEC N4, N6: shorter and longer than it takes for a node to be taken for dead."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for turn in range(times):
            await busy(crowd)
            node = cluster.nodes[turn % 3]
            ways = [node.to_redis] * (cut_off != "postgres") + [node.to_postgres] * (cut_off != "redis")
            for way in ways:
                way.silence()
            await asyncio.sleep(seconds)
            for way in ways:
                way.open()
            await busy(crowd)
        await crowd.judged()


async def test_connections_to_the_stores_break_again_and_again(cluster: Cluster, times: int) -> None:
    """SPEC N6: what was under way is done once, or not at all, and is told so."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        await busy(crowd)
        for _ in range(10 * times):
            node = random.choice(cluster.nodes)
            random.choice((node.to_redis, node.to_postgres)).reset()
            await asyncio.sleep(random.uniform(0.1, 0.5))
        await busy(crowd)
        await crowd.judged()


async def test_notices_are_dropped_at_random(cluster: Cluster, times: int) -> None:
    """SPEC N4: a dropped notice only delays."""
    for node in cluster.nodes:
        node.deaf = 30
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for _ in range(times):
            await busy(crowd)
        await crowd.judged()


async def test_redis_is_killed_and_comes_back_empty(cluster: Cluster, times: int) -> None:
    """SPEC N5."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for _ in range(times):
            await busy(crowd)
            cluster.redis.kill()
            await asyncio.sleep(random.uniform(0.2, 1))
            cluster.redis.start()
            await busy(crowd)
        await crowd.judged()


async def test_postgresql_is_killed_and_comes_back(cluster: Cluster, times: int) -> None:
    """SPEC N2."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for _ in range(times):
            await busy(crowd)
            cluster.postgres.kill()
            cluster.postgres.start()
            await busy(crowd)
        await crowd.judged()


@pytest.mark.parametrize("away", ["redis", "postgres", "both"])
async def test_stores_are_away_for_long(cluster: Cluster, times: int, away: str) -> None:
    """SPEC N6: longer than a node acts without having been heard of, and than a session is kept."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        await busy(crowd)
        ways = [node.to_redis for node in cluster.nodes] * (away != "postgres")
        ways += [node.to_postgres for node in cluster.nodes] * (away != "redis")
        for turn in range(times):
            for way in ways:
                (way.silence if turn % 2 else way.refuse)()
            await asyncio.sleep(30)
            for way in ways:
                way.open()
            await busy(crowd)
        await crowd.judged()


async def test_a_rolling_restart_of_three_nodes(cluster: Cluster, times: int) -> None:
    """SPEC N7: clients go elsewhere and lose nothing."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for _ in range(times):
            for node in cluster.nodes:
                await busy(crowd)
                await cluster.stop(node)
                await cluster.start(node)
        await busy(crowd)
        await crowd.judged()


async def test_a_drain_without_stores_ends(cluster: Cluster) -> None:
    """SPEC N7: it needs none of them."""
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        await busy(crowd)
        node = cluster.nodes[0]
        node.to_redis.silence()
        node.to_postgres.silence()
        await cluster.stop(node)
        node.to_redis.open()
        node.to_postgres.open()
        await cluster.start(node)
        await busy(crowd)
        await crowd.judged()


@pytest.mark.parametrize("half", ["kept", "shared"])
async def test_a_node_dies_behind_any_commit(cluster: Cluster, times: int, half: str) -> None:
    """SPEC N2, N3: whatever it was about to do next, and whoever was not told."""
    for node in cluster.nodes:
        node.mortal = True
    await cluster.start()
    async with Crowd(cluster.url) as crowd:
        for turn in range(3 * times):
            await busy(crowd)
            node = cluster.nodes[turn % 3]
            node.doom(half)

            async def dead(node=node) -> bool:  # type: ignore[no-untyped-def]
                assert node.process is not None
                return node.process.poll() is not None

            await until(dead, "the node has died", within=30)
            node.spare()
            await busy(crowd)
            await cluster.start(node)
        await busy(crowd)
        await crowd.judged()


# --- failover -------------------------------------------------------------------------------------


async def test_the_primary_of_postgresql_dies_and_its_synchronous_standby_is_promoted(tmp_path: Path) -> None:
    """SPEC N2: nothing that was acknowledged is lost, and no number is used again."""
    with ExitStack() as stack:
        primary = stack.enter_context(closing(Postgres()))
        standby = stack.enter_context(closing(Postgres(source=primary)))
        primary.settings["synchronous_standby_names"] = "standby"
        primary.stop()
        primary.start()
        await until(primary.followed, "the standby follows", within=30)
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        store = f"postgresql://signalpost@{hosts}/postgres?target_session_attrs=read-write"
        cluster = stack.enter_context(Cluster(tmp_path, config=CONFIG.format(grace=20), store=store))
        await cluster.start()
        async with Crowd(cluster.url) as crowd:
            await busy(crowd)
            primary.kill()
            standby.promote()
            await busy(crowd)
            await crowd.judged()


async def test_the_primary_of_redis_dies_and_sentinel_promotes_its_replica(tmp_path: Path) -> None:
    """SPEC N5: what the replica lacks is not taken for what was."""
    with ExitStack() as stack:
        primary = stack.enter_context(closing(RedisServer(port=free_port())))
        follows = ("--replicaof", f"127.0.0.1 {primary.port}")
        stack.enter_context(closing(RedisServer(*follows, port=free_port())))
        sentinel = stack.enter_context(closing(Sentinel("main", primary, port=free_port())))
        share = f"redis+sentinel://127.0.0.1:{sentinel.port}/main"
        cluster = stack.enter_context(Cluster(tmp_path, config=CONFIG.format(grace=20), share=share))
        await cluster.start()
        async with Crowd(cluster.url) as crowd:
            await busy(crowd)
            primary.kill()
            await busy(crowd)
            await crowd.judged()
