"""How a Redis is reached: its URL, TLS, a user with few rights, and whichever server the Sentinels name."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.notes import InMessagePack, Mark
from engine.driving import run
from signalpost.engine.failures import StoreError
from signalpost.engine.ports import Unavailable
from signalpost.engine.ports.shared import AddMember, Begin, Change, Event, Keep, Past, Since, Topic
from signalpost.engine.ports.steps import Keys, Put, Record
from signalpost.engine.redis import Address, AddressError, RedisShared
from support.redis import RedisServer, Sentinel, free_port

KEEP = Keep(seconds=120.0, events=1000, size=1_000_000)
GUIDE = Path(__file__).parents[2] / "docs" / "cluster.md"
SOON = 30.0  # seconds within which what shall happen happens, on a busy machine, too


@contextlib.asynccontextmanager
async def node(url: str) -> AsyncIterator[RedisShared]:
    """A node that runs."""
    shared = RedisShared(Address(url), notation=InMessagePack())
    await shared.open()
    shared.run(asyncio.get_running_loop())
    try:
        yield shared
    finally:
        await shared.close()


async def until(happened: Callable[[], Any]) -> None:
    """Wait for something that shall happen."""
    async with asyncio.timeout(SOON):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
def closing() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


# --- URLs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host", "redis://host"),
        ("redis://:s3cret@host:1/2", "redis://:***@host:1/2"),
        ("rediss://user:s3cret@host/0?ssl_ca_certs=/s3cret", "rediss://user:***@host/0"),
        ("redis://user:s3%40cret@host", "redis://user:***@host"),
        ("unix:///run/redis.sock?db=1&password=s3cret", "unix:///run/redis.sock"),
        ("redis+sentinel://u:s3cret@a,b:7,[::1]:8/main/3", "redis+sentinel://u:***@a,b:7,[::1]:8/main/3"),
        ("rediss+sentinel://a/main?sentinel_password=s3cret", "rediss+sentinel://a/main"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    address = Address(url)
    assert address.text == shown
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3cret",
        "http://user:s3cret@host",
        "redis://user:s3cret@host:port",
        "redis://host/?ssl_cert_reqs=s3cret&db=s3cret",
        "redis+sentinel://:s3cret@host",
        "redis+sentinel://:s3cret@/main",
        "redis+sentinel://:s3cret@host:x/main",
        "x+sentinel://:s3cret@host/main",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(AddressError, match="not the URL of a Redis or Valkey") as refused:
        Address(url)
    if "@" in url:
        assert "s3cret" not in str(refused.value)


# --- TLS, users ---------------------------------------------------------------------------------


def certificate(directory: Path) -> tuple[Path, Path]:
    """One for the loopback, which is its own authority, and its key."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "the tests of TLS need the openssl command"
    made, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


async def test_tls_is_checked(tmp_path: Path, closing: contextlib.ExitStack) -> None:
    made, key = certificate(tmp_path)
    port = free_port()
    server = RedisServer(
        *("--tls-port", str(port), "--tls-cert-file", str(made), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(made), "--tls-auth-clients", "no"),
    )
    closing.callback(server.close)
    async with node(f"rediss://127.0.0.1:{port}?ssl_ca_certs={made}") as shared:
        await run(shared.commit(Put("a", b"1")))
    with pytest.raises(StoreError, match="certificate"):
        await RedisShared(Address(f"rediss://127.0.0.1:{port}"), notation=InMessagePack()).open(seconds=2.0)


async def test_a_user_needs_few_rights(closing: contextlib.ExitStack) -> None:
    """What docs/cluster.md says that it needs."""
    server = RedisServer(port=free_port())
    closing.callback(server.close)
    line = re.search(r"^user signalpost on >PASSWORD (.*)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert line, "the guide says what rights a user needs"
    server.command("ACL", "SETUSER", "signalpost", "on", ">s3/cr:et@", *line[1].split())
    server.command("ACL", "SETUSER", "watcher", "on", ">s3", "~sp:*", "&sp:*", "+@all", "-info")
    server.command("ACL", "SETUSER", "default", "off")
    at = f"127.0.0.1:{server.port}"
    async with node(f"redis://signalpost:s3%2Fcr%3Aet%40@{at}") as shared:
        heard: list[Any] = []
        shared.nodes.listen(heard.append)
        await run(shared.commit(Change("room", (Begin(), AddMember("ada", "s")), event=b"x", keep=KEEP)))
        await run(shared.nodes.send(shared.nodes.me, Mark()))
        await run(shared.load(Past("room", 0, 9, 9), Keys("")))
        await run(shared.sweep())
        await until(lambda: heard)
    for wrong, why in (
        ("redis://signalpost:no@", "[Pp]assword"),
        ("redis://", "[Aa]uthentication"),
        ("redis://watcher:s3@", "info"),
    ):
        with pytest.raises(StoreError, match=why) as refused:
            await RedisShared(Address(f"{wrong}{at}"), notation=InMessagePack()).open(seconds=2.0)
        assert "s3" not in str(refused.value)


async def test_a_replica_is_not_used(closing: contextlib.ExitStack) -> None:
    primary = RedisServer(port=free_port())
    closing.callback(primary.close)
    replica = RedisServer("--replicaof", "127.0.0.1", str(primary.port), port=free_port())
    closing.callback(replica.close)
    with pytest.raises(StoreError, match="replica"):
        await RedisShared(Address(replica.url), notation=InMessagePack()).open(seconds=2.0)


# --- Sentinel -----------------------------------------------------------------------------------


async def test_a_failover_that_loses_its_last_writes_does_not_make_two_truths(
    closing: contextlib.ExitStack,
) -> None:
    """SPEC N2: numbers are never used again. The replica misses what came last, and is promoted."""
    primary = RedisServer(port=free_port())
    closing.callback(primary.close)
    replica = RedisServer("--replicaof", "127.0.0.1", str(primary.port), port=free_port())
    closing.callback(replica.close)
    await until(lambda: "state=online" in primary.command("INFO", "replication"))
    sentinel = Sentinel("main", primary, port=free_port())
    closing.callback(sentinel.close)
    nobody = free_port()
    events: list[tuple[str, Event]] = []

    async def say(shared: RedisShared, body: bytes) -> tuple[str, int]:
        (changed,) = await run(shared.commit(Change("room", event=body, keep=KEEP)))
        return changed.epoch, changed.offset

    url = f"redis+sentinel://127.0.0.1:{nobody},127.0.0.1:{sentinel.port}/main"
    shared = RedisShared(Address(url), notation=InMessagePack())
    await shared.open()
    shared.run(asyncio.get_running_loop())
    shared.listen(lambda topic, epoch, event: events.append((epoch, event)))
    try:
        await run(shared.follow("room"))
        await run(shared.commit(Change("room", (Begin(), AddMember("ada", "s")))))
        (kept,) = await run(shared.commit(Put("kept", b"1")))
        before = [await say(shared, b"%d" % number) for number in range(5)]
        (since,) = await run(shared.load(Since()))
        await until(lambda: replica.command("EXISTS", "sp:{-}:r:kept") == ":1")
        await until(lambda: int(replica.command("LLEN", f"sp:{{-}}:e:{before[0][0]}")[1:]) == 5)
        # From here on the replica learns of nothing: it is not let in any more.
        primary.command("CONFIG", "SET", "requirepass", "x")
        assert primary.command("ACL", "WHOAMI").startswith("-NOAUTH")
        _drop_replicas(primary)
        (lost,) = await run(shared.commit(Put("lost", b"1")))
        before += [await say(shared, b"%d" % number) for number in range(5, 9)]
        await until(lambda: len(events) == 9)
        primary.kill()

        async with asyncio.timeout(SOON):
            while True:
                with contextlib.suppress(Unavailable):
                    await run(shared.load(Since()))
                    break
                await asyncio.sleep(0.1)
        assert await run(shared.load(Since())) == (since,), "what is known has not begun anew"
        found, gone = await run(shared.load(Record("kept"), Record("lost")))
        assert found is not None
        assert found.rev == kept
        assert gone is None
        (room,) = await run(shared.load(Topic("room", 9)))
        assert room.members == ("ada",)
        after = [await say(shared, b"new %d" % number) for number in range(5)]
        assert not {*before} & {*after}
        assert [offset for _, offset in after] == [1, 2, 3, 4, 5], "nobody misses what cannot be read"
        (again,) = await run(shared.commit(Put("lost", b"1")))
        assert again > lost
        await until(lambda: events[-1][1].body == b"new 4")
        assert len({(epoch, event.offset) for epoch, event in events}) == len(events)
    finally:
        await shared.close()


def _drop_replicas(primary: RedisServer) -> None:
    with contextlib.closing(primary.session()) as session:
        session.command("AUTH", "x")
        assert session.command("CLIENT", "KILL", "TYPE", "replica") == ":1"
