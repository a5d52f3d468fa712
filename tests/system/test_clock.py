"""The wall clock is set while a server runs: by a time service, or when a machine wakes up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signalpost.tokens import make_token
from signalpost.wire.tokens import make_token as signed
from support.client import RawClient
from support.server import CONFIG, ServerProcess
from support.waiting import until

HOUR = 3600.0
DAY = 86_400.0

# Python runs a module of this name at its start, if it finds one.
SITE = """
import time

_true = time.time


def _set() -> float:
    with open({file!r}) as file:
        return _true() + float(file.read() or 0)


time.time = _set
"""


class WallClock:
    """The wall clock of the servers that a test starts."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.path = directory
        self._file = directory / "seconds"
        self._file.write_text("0")
        (directory / "sitecustomize.py").write_text(SITE.format(file=str(self._file)))
        self._off = 0.0

    def step(self, seconds: float) -> None:
        """Set it forward, or back."""
        self._off += seconds
        aside = self._file.with_suffix(".new")
        aside.write_text(str(self._off))
        aside.rename(self._file)

    def now(self) -> float:
        return time.time() + self._off


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WallClock:
    wall = WallClock(tmp_path / "wall")
    monkeypatch.setenv("PYTHONPATH", str(wall.path))
    return wall


@pytest.fixture
async def server(wall: WallClock, directory: Path) -> AsyncIterator[ServerProcess]:
    with ServerProcess(directory, config=CONFIG) as server:
        yield server
        await server.forget()


async def outcome(server: ServerProcess, token: str) -> int:
    """The code that a login with the token ends with."""
    client = await server.open()
    return int((await client.try_login("ada", token=token))[1].get("code", 0))


async def noticed(server: ServerProcess, times: int) -> None:
    """Wait until the log has told of so many steps."""

    async def told() -> bool:
        return server.log.read_text().count("the wall clock was set") == times

    await until(told, "the step is logged")


async def content(client: RawClient) -> tuple[int, str]:
    _, line = await client.pushed()
    return int(line.time), line.content


@pytest.mark.parametrize("step", [2 * HOUR, -2 * HOUR, 30 * 365 * DAY])
async def test_tokens_are_judged_by_the_clock_as_it_is_now(
    server: ServerProcess, wall: WallClock, step: float
) -> None:
    """SPEC L3: before a step, behind it, and without a restart."""
    old = make_token("app", "secret", "ada", ttl=3600)
    assert await outcome(server, old) == 0
    wall.step(step)
    new = signed("app", "secret", "ada", int(wall.now()) + 3600)
    assert await outcome(server, new) == 0
    over = signed("app", "secret", "bo", int(wall.now()) - 10)
    client = await server.open()
    assert (await client.try_login("bo", token=over))[1]["code"] == 204
    await client.close()


async def test_messages_are_dated_by_the_clock_as_it_is_now(server: ServerProcess, wall: WallClock) -> None:
    """SPEC M2: and so are the events of channels."""
    ada, bo = await server.client("ada"), await server.client("bo")
    for client in (ada, bo):
        await client.ok("channel_join", name="room")
    await ada.event("room")
    wall.step(2 * HOUR)
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="later")
    dated, _ = await content(bo)
    assert abs(dated - wall.now()) < 60
    await ada.ok("channel_sendmsg", name="room", msg="later")
    while (event := await bo.event("room"))[1].type != "channel_msg":
        pass
    assert abs(int(event[1].time) - wall.now()) < 60


@pytest.mark.parametrize("step", [2 * DAY, -2 * DAY])
async def test_nothing_ends_or_lives_longer_because_the_clock_is_set(
    server: ServerProcess, wall: WallClock, step: float
) -> None:
    """SPEC L11, M3, P3, M6: sessions, waiting messages, attributes and numbers, also over restarts."""
    ada = await server.client("ada")
    await ada.ok("user_set_attr", name="mood", value="fine")
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="before")
    gone = await server.client("gone")
    await gone.cut()
    wall.step(step)
    await noticed(server, 1)
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="behind")
    assert (await ada.ok("user_query_user_status", account="gone"))["status"] == 1
    highest = 0
    for times in range(2):
        await asyncio.sleep(0.1 * times)
        server.kill()
        server.start()
        bo = await server.client("bo", polled=False)
        taken = await bo.poll()
        assert [line.content for _, line in taken][:2] == ["before", "behind"]
        assert min(version for version, _ in taken[2:] or [(highest + 1, None)]) > highest
        ada = await server.client("ada")
        assert json.loads((await ada.ok("user_get_attr_all", account="ada"))["json"]) == {"mood": "fine"}
        await ada.ok("user_sendmsg", peer="bo", t="instant", content=f"again {times}")
        highest = max(version for version, _ in taken)
        await bo.close()
    assert server.log.read_text().count("the wall clock was set") == 1, "the restarts know of it"
