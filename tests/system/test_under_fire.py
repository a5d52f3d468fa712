"""Coming and going while somebody speaks without a pause, the engine here or 1 ms away (SPEC C1, C6, C9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.client import Line, RawClient, parse_line
from support.house import House
from support.server import ServerProcess, serving

CONFIG = """
[server]
connections_per_second = 100000

[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
logins = 100000
logins_burst = 100000
"""
JOINS = 200
RESUMES = 50
OURS = "signalpost-web"


@pytest.fixture(scope="module", params=["", "1"], ids=["here", "1 ms away"])
def dev_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("fire"), CONFIG, far=request.param) as server:
        yield server


def texts(client: RawClient) -> list[tuple[int, int]]:
    """Id and number of the messages that have come, which are forgotten then."""
    frames, client.frames = client.frames, []
    events = [frame[1] for frame in frames if frame[0] == "notify"]
    lines: list[tuple[int, Line]] = [(event[2], parse_line(event[3])) for event in events]
    return [(number, int(line.json["msg"])) for number, line in lines if line.type == "channel_msg"]


@asynccontextmanager
async def fire(house: House, channel: str) -> AsyncIterator[None]:
    """Somebody says 0, 1, 2 … into the channel, one about every half millisecond."""
    speaker = await house.client("speaker", device=OURS)
    await speaker.ok("channel_join", name=channel)

    async def speak() -> None:
        number = 0
        while True:
            for _ in range(4):
                await speaker.ask("channel_sendmsg", name=channel, msg=str(number))
                number += 1
            speaker.frames.clear()
            await asyncio.sleep(0.002)

    speaking = asyncio.create_task(speak())
    try:
        yield
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)


async def some(client: RawClient) -> list[tuple[int, int]]:
    """At least three messages; what came between them counts."""
    heard: list[tuple[int, int]] = []
    while len(heard) < 3:
        frame = await client.wait(lambda frame: frame[0] == "notify", "an event")
        client.frames.insert(0, frame)
        heard += texts(client)
    return heard


def gapless(heard: list[tuple[int, int]]) -> bool:
    first = heard[0][1]
    return [number for _, number in heard] == list(range(first, first + len(heard)))


async def test_who_joins_hears_every_event_behind_the_answers_id(house: House) -> None:
    """SPEC C1, C6: none is lost between the answer and the first event, none while it is in the channel."""
    witness = await house.client("witness", device=OURS)
    await witness.ok("channel_join", name="room")
    joins: list[tuple[int, list[tuple[int, int]]]] = []
    async with fire(house, "room"):
        ada = await house.client("ada", device=OURS)
        for _ in range(JOINS):
            begin = (await ada.ok("channel_join", name="room"))["id"]
            heard = await some(ada)
            await ada.ok("channel_leave", name="room")
            heard += texts(ada)
            joins.append((begin, heard))
    await witness.settle()
    all_of_it = texts(witness)
    assert gapless(all_of_it)
    lost = 0
    for begin, heard in joins:
        assert gapless(heard)
        first = next(event for event in all_of_it if event[0] > begin)
        lost += heard[0] != first
    assert lost == 0, f"{lost} of {JOINS}"


async def test_who_resumes_hears_every_event_once(house: House) -> None:
    """SPEC C9, PROTOCOL §12: with its cursor, wherever it broke."""
    heard: list[tuple[int, int]] = []
    async with fire(house, "room"):
        ada = await house.client("ada", device=OURS)
        epoch = (await ada.ok("channel_join", name="room"))["epoch"]
        for _ in range(RESUMES):
            heard += await some(ada)
            await ada.cut()
            cursor: dict[str, Any] = {"room": [epoch, heard[-1][0]]}
            again = await house.open()
            body = await again.login("ada", app=house.app, device=OURS, line=ada.line, channels=cursor)
            assert body["resumed"] is True
            ada = again
        heard += await some(ada)
    assert gapless(heard)
