"""Servers that keep in PostgreSQL, alone or several that share a Redis (SPEC N1, N2, N6)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from support.postgres import Postgres
from support.redis import RedisServer
from support.server import ServerProcess
from support.waiting import until

OURS = {"device": "signalpost-web", "inbox": ["", 0]}


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    redis = RedisServer()
    yield redis
    redis.close()


async def test_a_node_without_a_share_keeps_in_postgresql(postgres: Postgres, directory: Path) -> None:
    """SPEC N1, M5: a container needs no volume; what was acknowledged is there after `kill -9`."""
    store = await postgres.make("alone")
    with ServerProcess(directory, flags=("--store", store), data=":memory:") as server:
        ada = await server.client("ada", polled=False, **OURS)
        await ada.ok("user_sendmsg", peer="bo", t="instant", content="hi", rid="1")
        await ada.ok("user_set_attr", name="mood", value="fine")
        server.kill()
        await ada.gone()
        server.start()
        bo = await server.client("bo", polled=False, **OURS)
        _, got = await bo.pushed()
        assert got.content == "hi"
        body = await bo.ok("user_get_attr", account="ada", name="mood")
        assert body["value"] == "fine"
        await server.forget()
        assert server.stop() == 0
    assert not (directory / "data").exists()


async def test_two_nodes_are_one_server(postgres: Postgres, redis: RedisServer, directory: Path) -> None:
    """SPEC N1: with a Redis that they share; a session goes on at the other when one is gone."""
    store = await postgres.make("two")
    flags = ("--store", store, "--share", redis.url)
    places = [directory / "one", directory / "two"]
    for place in places:
        place.mkdir()
    with ServerProcess(places[0], flags=flags) as one, ServerProcess(places[1], flags=flags) as two:
        ada, bo = await one.open(), await two.client("bo", polled=False, **OURS)
        epoch = (await ada.login("ada", **OURS))["inbox"]
        for client in (ada, bo):
            await client.ok("channel_join", name="room")
        await ada.event("room")
        await bo.ok("channel_sendmsg", name="room", msg="psst")
        _, heard = await ada.event("room")
        assert "psst" in heard.content
        await bo.ok("user_sendmsg", peer="ada", t="instant", content="hi", rid="1")
        version, got = await ada.pushed()
        assert got.content == "hi"
        one.kill()
        await bo.ok("user_sendmsg", peer="ada", t="instant", content="there?", rid="2")
        again = await two.open()
        cursor = {"device": OURS["device"], "inbox": [epoch, version]}
        assert (await again.login("ada", **cursor, line=ada.line))["resumed"]
        _, got = await again.pushed()
        assert got.content == "there?"
        found = await bo.ok("channel_query_userlist", name="room")
        assert [name for name, _ in found["list"]] == ["ada", "bo"]
        await two.forget()
        assert two.stop() == 0


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--store", "postgresql://u:hunter2@127.0.0.1:1/x"), "127.0.0.1:1"),
        (("--store", "{store}", "--share", "redis://u:hunter2@127.0.0.1:1"), "127.0.0.1:1"),
    ],
)
async def test_a_store_that_cannot_be_reached_is_named_in_one_line(
    postgres: Postgres, directory: Path, flags: tuple[str, ...], told: str
) -> None:
    """SPEC §9, O1: without its password."""
    store = await postgres.make("unreached")
    command = [sys.executable, "-m", "signalpost", "serve", "--dev", "--port", "0"]
    command += [flag.format(store=store) for flag in flags]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, cwd=directory
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("signalpost: ")
    assert told in last
    assert "hunter2" not in done.stderr + done.stdout


async def test_a_database_that_was_restored_is_noticed(
    postgres: Postgres, redis: RedisServer, directory: Path
) -> None:
    """SPEC N2: by what the nodes remember; `signalpost store renew` is what helps."""
    store = await postgres.make("restored")
    flags = ("--store", store, "--share", redis.url)
    with ServerProcess(directory, flags=flags) as server:
        connection = await asyncpg.connect(store, server_settings={"search_path": "signalpost"})

        async def beaten_twice() -> bool:
            pulse = await connection.fetchval("SELECT pulse FROM meta")
            beats.update({pulse} - {0.0})
            return len(beats) > 1

        beats: set[float] = set()
        await until(beaten_twice, "two beats")
        assert server.stop() == 0
        server.start()
        assert server.stop() == 0
        assert "store renew" not in server.log.read_text()
        await connection.execute("UPDATE meta SET pulse = pulse - 3600")
        await connection.close()
        server.start()
        assert server.stop() == 0
        assert "store renew" in server.log.read_text()
    command = [sys.executable, "-m", "signalpost", "store", "renew"]
    for url, status in ((store, 0), ("postgresql://u:hunter2@127.0.0.1:1/x", 1)):
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            env={**os.environ, "SIGNALPOST_STORE": url},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        assert "hunter2" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
