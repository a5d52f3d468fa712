"""The shared half in Redis when something goes wrong, against a real server of each test's own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from contract.notes import InMessagePack, Note
from engine.driving import ManualClock, begin, run, together
from engine.test_shared_memory import LOADS
from signalpost.engine.failures import StoreError
from signalpost.engine.ports import Conflict, Unavailable
from signalpost.engine.ports.shared import (
    AddMember,
    Begin,
    Change,
    Drop,
    Event,
    Keep,
    Past,
    Since,
    Topic,
)
from signalpost.engine.ports.steps import Arm, Delete, Expect, Keys, Put, Record
from signalpost.engine.redis import Address, RedisShared
from support.redis import RedisServer

KEEP = Keep(seconds=120.0, events=1000, size=1_000_000)
SOON = 20.0  # seconds within which what shall happen happens, on a busy machine, too


@pytest.fixture
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@contextlib.asynccontextmanager
async def node(server: RedisServer, clock: ManualClock | None = None) -> AsyncIterator[RedisShared]:
    """A node that runs."""
    shared = RedisShared(Address(server.url), notation=InMessagePack(), clock=clock)
    await shared.open()
    shared.run(asyncio.get_running_loop())
    try:
        yield shared
    finally:
        await shared.close()


@pytest.fixture
async def shared(server: RedisServer) -> AsyncIterator[RedisShared]:
    async with node(server) as shared:
        yield shared


@pytest.fixture
async def neighbour(server: RedisServer, shared: RedisShared) -> AsyncIterator[RedisShared]:
    async with node(server) as neighbour:
        yield neighbour


class Ear:
    """What a node was told of topics."""

    def __init__(self, shared: RedisShared) -> None:
        self.events: list[tuple[str, str, Event]] = []
        shared.listen(lambda *event: self.events.append(event))

    @property
    def bodies(self) -> list[bytes]:
        return [event.body for _, _, event in self.events]


async def until(happened: Callable[[], Any]) -> None:
    """Wait for something that shall happen."""
    async with asyncio.timeout(SOON):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def served(shared: RedisShared) -> None:
    """Wait until calls are answered again."""
    async with asyncio.timeout(SOON):
        while True:
            with contextlib.suppress(Unavailable):
                await run(shared.load(Since()))
                return
            await asyncio.sleep(0.02)


async def enter(shared: RedisShared, topic: str = "room") -> None:
    await run(shared.commit(Change(topic, (Begin(), AddMember("ada", "s")))))


async def say(shared: RedisShared, body: bytes, topic: str = "room") -> int:
    (changed,) = await run(shared.commit(Change(topic, event=body, keep=KEEP)))
    offset: int = changed.offset
    return offset


# --- notices that are lost ----------------------------------------------------------------------


async def test_what_was_published_while_nobody_listened_is_found_at_once(
    server: RedisServer, shared: RedisShared, neighbour: RedisShared
) -> None:
    """SPEC N4: the connection for notices is lost, and made anew."""
    ear = Ear(shared)
    await enter(shared)
    await run(shared.follow("room"))
    for number in range(20):
        assert server.command("CLIENT", "KILL", "TYPE", "pubsub") == ":2"
        await say(neighbour, b"%d" % number)
        await until(lambda body=b"%d" % number: ear.bodies[-1:] == [body])
        await until(lambda: server.command("PUBSUB", "NUMPAT") == ":0" and _ears(server) == 2)
    offsets = [event.offset for _, _, event in ear.events]
    assert offsets == sorted(set(offsets)), "each once, in order"


def _ears(server: RedisServer) -> int:
    return int(server.command("PUBSUB", "CHANNELS").removeprefix("*"))


async def test_a_topic_that_nobody_says_he_follows_is_no_longer_told_to_him(
    server: RedisServer, shared: RedisShared
) -> None:
    """A node that is gone is told nothing more, and leaves nothing behind."""
    await enter(shared)
    async with node(server) as gone:
        await run(gone.follow("room"))
        assert server.command("SCARD", "sp:{-}:f:room") == ":1"
    await until(lambda: _ears(server) == 1)
    await say(shared, b"1")
    assert server.command("SCARD", "sp:{-}:f:room") == ":0"


# --- the store is lost, away, stopped -----------------------------------------------------------


async def test_a_store_that_lost_everything_goes_on_with_new_numbers(
    server: RedisServer, shared: RedisShared, neighbour: RedisShared
) -> None:
    """SPEC N5, N2: who was there before nobody can say, and no number is used again."""
    ear = Ear(neighbour)
    (rev,) = await run(shared.commit(Put("a", b"1")))
    await enter(shared)
    await run(neighbour.follow("room"))
    before, since = await run(shared.load(Topic("room"), Since()))
    server.kill()
    server.start()
    await served(shared)
    found, later = await run(shared.load(Record("a"), Since()))
    assert found is None
    assert later > since
    (again,) = await run(shared.commit(Put("a", b"1")))
    assert again > rev
    await enter(shared)
    (after,) = await run(shared.load(Topic("room")))
    assert after.epoch != before.epoch
    await until(lambda: server.command("SCARD", "sp:{-}:f:room") == ":1")
    await say(shared, b"1")
    await until(lambda: ear.bodies == [b"1"])


async def test_a_store_that_was_emptied_goes_on_as_well(
    server: RedisServer, shared: RedisShared, neighbour: RedisShared
) -> None:
    """SPEC N5: without any connection being lost."""
    ear = Ear(neighbour)
    await enter(shared)
    await run(neighbour.follow("room"))
    (since,) = await run(shared.load(Since()))
    server.command("FLUSHALL")
    server.command("SCRIPT", "FLUSH")
    room, later = await run(shared.load(Topic("room"), Since()))
    assert room is None
    assert later > since
    await enter(shared)
    await until(lambda: server.command("SCARD", "sp:{-}:f:room") == ":1")
    await say(shared, b"1")
    await until(lambda: ear.bodies == [b"1"])


async def test_while_the_store_is_away_calls_fail_and_then_all_goes_on(
    server: RedisServer, shared: RedisShared
) -> None:
    """SPEC N6: within 2 s, with an error, and by itself."""
    loop = asyncio.get_running_loop()
    server.kill()
    for _ in range(3):
        begun = loop.time()
        with pytest.raises(Unavailable):
            await run(shared.commit(Put("a", b"1")))
        assert loop.time() - begun < 10.0, "2 s, and what a busy machine needs"
        assert shared.trouble()
    done = await together(*[shared.load(Since()) for _ in range(1000)])
    assert all(isinstance(one, Unavailable) for one in done)
    server.start()
    await served(shared)
    assert shared.trouble() == ""


async def test_a_store_that_is_stopped_does_not_later_what_was_given_up(
    server: RedisServer, shared: RedisShared
) -> None:
    """SPEC N6: no false success, and no late surprise."""
    await run(shared.commit(Put("before", b"1")))
    server.signal(signal.SIGSTOP)
    given_up = [begin(shared.commit(Put(key, b"1"))) for key in ("one", "two")]
    await asyncio.sleep(0)
    done = await asyncio.gather(*given_up, begin(shared.load(Since())), return_exceptions=True)
    assert [isinstance(one, Unavailable) for one in done] == [True, True, True]
    server.signal(signal.SIGCONT)
    await served(shared)
    assert await run(shared.load(Record("one"), Record("two"))) == (None, None)
    assert (await run(shared.load(Record("before"))))[0] is not None


async def test_a_server_cannot_begin_without_the_store(server: RedisServer) -> None:
    server.kill()
    shared = RedisShared(Address(server.url), notation=InMessagePack())
    with pytest.raises(StoreError, match="cannot use the shared store unix:"):
        await shared.open(seconds=2.0)


# --- many, big, odd -----------------------------------------------------------------------------


async def test_one_bad_commit_of_a_tick_does_not_spoil_the_others(shared: RedisShared) -> None:
    shared.stop()  # nothing else travels
    await run(shared.load(Since()))
    before = shared._lane.flights
    done = await together(
        shared.commit(Put("a", b"1", expect=0)),
        shared.commit(Put("a", b"2", expect=0)),
        shared.load(Record("a")),
        shared.commit(Expect("b", 7)),
        shared.commit(Put("b", b"3")),
    )
    assert [type(one) for one in done] == [tuple, Conflict, tuple, Conflict, tuple]
    assert shared._lane.flights == before + 1, "all of one tick is one call"


async def test_thousands_of_commits_at_once_keep_their_order(shared: RedisShared) -> None:
    await enter(shared)
    done = await together(
        *[
            shared.commit(Change("room", event=b"%d" % number, keep=Keep(120.0, 5000, 1_000_000)))
            for number in range(3000)
        ]
    )
    assert [changed.offset for (changed,) in done] == list(range(1, 3001))  # type: ignore[union-attr]
    (page,) = await run(shared.load(Past("room", 0, 5000, 1_000_000)))
    assert [event.body for event in page.events] == [b"%d" % number for number in range(3000)]


async def test_of_two_nodes_that_count_together_no_step_is_lost(
    shared: RedisShared, neighbour: RedisShared
) -> None:
    """SPEC N1: whoever was not first finds out, and does it anew."""

    async def count(node: RedisShared) -> None:
        for _ in range(50):
            while True:
                (entry,) = await run(node.load(Record("n")))
                value, rev = (b"0", 0) if entry is None else entry
                with contextlib.suppress(Conflict):
                    await run(node.commit(Put("n", b"%d" % (int(value) + 1), expect=rev)))
                    break

    await asyncio.gather(*[count(node) for node in (shared, neighbour) for _ in range(3)])
    (entry,) = await run(shared.load(Record("n")))
    assert entry.value == b"300"


async def test_big_values_and_odd_texts_come_back_as_they_were(shared: RedisShared) -> None:
    """Whatever a name has in it, no two are the same key."""
    names = [
        "a",
        "a\0",
        "\0",
        "",
        " ",
        "{a}",
        "}",
        "{",
        "a}:r:b",
        "*",
        "[a]",
        "é",
        "🙂",
        "\x1f",
        "\r\n",
        "x" * 5000,
    ]
    big = bytes(range(256)) * 20_000
    for number, name in enumerate(names):
        await run(shared.commit(Put(name, b"%d" % number)))
        await run(
            shared.commit(Change(name, (Begin(), AddMember(name, name)), event=name.encode(), keep=KEEP))
        )
    await run(shared.commit(Put("big", big)))
    for number, name in enumerate(names):
        entry, topic, page = await run(shared.load(Record(name), Topic(name, 9), Past(name, 0, 9, 99_999)))
        assert entry.value == b"%d" % number
        assert (topic.count, topic.members) == (1, (name,))
        assert [event.body for event in page.events] == [name.encode()]
    (entry,) = await run(shared.load(Record("big")))
    assert entry.value == big
    (listed,) = await run(shared.load(Keys("", limit=10_000)))
    assert sorted(listed.names) == sorted([*names, "big"])


async def test_a_text_that_cannot_be_said_hurts_only_who_says_it(shared: RedisShared) -> None:
    """Lone surrogates are refused before they come here."""
    done = await together(
        shared.commit(Put("a", b"1")), shared.commit(Put("\ud800", b"1")), shared.commit(Put("b", b"1"))
    )
    assert [type(one) for one in done] == [tuple, UnicodeEncodeError, tuple]


async def test_a_note_of_another_release_is_passed_over(shared: RedisShared, neighbour: RedisShared) -> None:
    """SPEC N7: it is only a hint."""
    heard: list[Any] = []
    neighbour.nodes.listen(heard.append)
    shared.nodes._notation = _Newer()
    await run(shared.nodes.send(neighbour.nodes.me, Note("new")))
    shared.nodes._notation = InMessagePack()
    await run(shared.nodes.send(neighbour.nodes.me, Note("known")))
    await until(lambda: heard == [Note("known")])


class _Newer(InMessagePack):
    """Writes what this release does not know."""

    def encode(self, value: object) -> bytes:
        return b"\xc1"


# --- timers -------------------------------------------------------------------------------------


async def test_a_node_wakes_for_its_timers_and_for_those_of_a_node_that_is_gone(
    server: RedisServer, shared: RedisShared
) -> None:
    """SPEC N3: a lost one only delays."""
    due: list[str] = []

    async def take() -> None:
        due.extend([one.key for one in await shared.due(limit=9, lease=60.0)])

    shared.alarm(lambda: begin(take()))
    (now,) = await run(shared.load(Since()))
    await run(shared.commit(Arm("own", now + 0.1), Arm("later", now + 0.3)))
    async with node(server) as gone:
        await run(gone.commit(Arm("orphan", now + 0.2)))
    await until(lambda: sorted(due) == ["later", "orphan", "own"])


# --- memory ends --------------------------------------------------------------------------------


LIVE = {"sp:life", "sp:number", "sp:tags", "sp:beats"}


async def test_all_that_is_over_goes_by_itself(server: RedisServer, shared: RedisShared) -> None:
    """ENGINE B2: what is not alive has an end that the store knows."""
    await run(shared.nodes.beat())
    for load in LOADS:
        for number in range(60):
            for step in load(number):
                with contextlib.suppress(Exception):
                    await run(shared.commit(step))
    await run(shared.commit(Change("hall", (Begin(), AddMember("ada", "s")), event=b"x", keep=KEEP)))
    for number in range(60):
        for load in LOADS:
            for step in load(number):
                with contextlib.suppress(Exception):
                    await run(shared.commit(step))
    for topic in ("hall", *[f"room {number}" for number in range(500)]):
        (found,) = await run(shared.load(Topic(topic, 99)))
        if found is not None:
            await run(shared.commit(Drop(topic, if_empty=False)))
    for key in (await run(shared.load(Keys("", limit=100_000))))[0].names:
        await run(shared.commit(Delete(key)))
    keys = await _all_keys(server)
    endless = {key for key in keys if server.command("PTTL", key) == ":-1"}
    assert endless - LIVE <= {"sp:{-}:t", "sp:{-}:u"}
    assert server.command("ZCARD", "sp:{-}:t") == server.command("HLEN", "sp:{-}:u")
    for key in keys - endless:
        assert int(server.command("PTTL", key).removeprefix(":")) < 24 * 3600 * 1000


async def _all_keys(server: RedisServer) -> set[str]:
    client = Redis.from_url(server.url)
    try:
        return {key.decode() for key in await client.keys("*")}
    finally:
        await client.aclose()
