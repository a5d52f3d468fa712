"""A server on a full disk: nothing is lost, it starts, lets inboxes be taken, and says what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.client import RawClient
from support.disks import FileLimit, SmallDisk, Tight
from support.server import ServerProcess
from support.waiting import until
from support.web import fetch, metrics

CONFIG = """
[limits]
user_messages = 100000
requests = 100000

[apps.app]
allow_no_token = true
"""
TEXT = "x" * 4000


@pytest.fixture(params=[SmallDisk, FileLimit])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tight]:
    """Each way in which a disk can be full; what may not be done here is left out."""
    try:
        disk = request.param(tmp_path / "disk")
    except PermissionError as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


@pytest.fixture
async def server(disk: Tight, directory: Path) -> AsyncIterator[ServerProcess]:
    server = ServerProcess(directory, config=CONFIG, data=str(disk.data))
    with server:
        yield server
        await server.forget()


def restart(server: ServerProcess, disk: Tight) -> None:
    """A kill, and a start on the disk as it is."""
    server.kill()
    with disk.within():
        server.start()


async def send(client: RawClient, *peers: str) -> list[str]:
    """Send until everything is refused; the texts that were acknowledged, in order."""
    stored: list[str] = []
    number = 0
    for _ in range(1000):
        texts = [f"{number + n} {TEXT}" for n in range(20)]
        number += 20
        asked = [
            await client.ask("user_sendmsg", peer=peer, t="instant", content=text)
            for text in texts
            for peer in peers
        ]
        answers = [await client.answer(call) for call in asked]
        good = [answer["result"] == "ok" for answer in answers]
        stored += [text for text, ok in zip(texts, good[:: len(peers)], strict=True) if ok]
        refused = [answer for answer in answers if answer["result"] != "ok"]
        assert all(answer["code"] == 400 for answer in refused)
        if len(refused) == len(answers):
            return stored
    raise AssertionError("the disk never is full")


async def take(server: ServerProcess, account: str) -> list[str]:
    """Everything in an inbox, acknowledged."""
    client = await server.client(account, polled=False)
    texts = await client.take_all()
    await client.close()
    return texts


async def status(server: ServerProcess) -> tuple[int, Any]:
    answer = await asyncio.to_thread(fetch, f"{server.http}/readyz")
    return answer.status, answer.json


def is_ready(server: ServerProcess, ready: bool) -> Callable[[], Any]:
    async def asked() -> bool:
        return ((await status(server))[0] == 200) is ready

    return asked


async def test_a_killed_server_starts_on_a_full_disk_and_lets_inboxes_be_taken(
    server: ServerProcess, disk: Tight
) -> None:
    """SPEC M3, M5: what was acknowledged is there; what is taken makes room, and stays away after a kill."""
    ada = await server.client("ada")
    await ada.ok("user_set_attr", name="mood", value="fine")
    first = [f"before {TEXT}" for _ in range(20)]
    for text in first:
        await ada.ok("user_sendmsg", peer="bo", t="instant", content=text)
    disk.fill(server)
    stored = first + await send(ada, "bo")
    restart(server, disk)
    ada = await server.client("ada")
    assert await take(server, "bo") == stored

    async def sent() -> bool:
        return bool((await ada.call("user_sendmsg", peer="bo", t="instant", content=TEXT))["result"] == "ok")

    await until(sent, "what was taken has made room")
    restart(server, disk)
    assert await take(server, "bo") == [TEXT]
    assert "Traceback" not in server.log.read_text()


async def test_readiness_tells_of_a_full_disk_and_of_its_recovery(server: ServerProcess, disk: Tight) -> None:
    """SPEC §9: `/readyz` is 503 `store` with a reason while commits fail; it recovers without any traffic."""
    assert await status(server) == (200, {"status": "ok"})
    failed = metrics(server.http)["signalpost_commits_failed_total"]
    ada = await server.client("ada")
    disk.fill(server)
    await send(ada, "bo")
    await until(is_ready(server, False), "it is not ready")
    code, body = await status(server)
    assert (code, body["status"]) == (503, "store")
    assert body["reason"]
    assert fetch(f"{server.http}/healthz").json["status"] == "ok"
    assert metrics(server.http)["signalpost_commits_failed_total"] > failed
    disk.relieve(server)
    await until(is_ready(server, True), "it is ready again")
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="at last")


async def test_refused_messages_are_logged_once_a_second_and_do_not_count(
    disk: Tight, directory: Path
) -> None:
    """SPEC M8: the surplus of a rate is what was stored; the log names the number of those refused."""
    config = CONFIG.replace("user_messages = 100000", "user_messages = 300")
    with ServerProcess(directory, config=config, data=str(disk.data)) as server:
        ada = await server.client("ada")
        disk.fill(server)
        refused = 0
        reasons = set()
        for _ in range(200):
            asked = [
                await ada.ask("user_sendmsg", peer="bo", t="instant", content="x" * 8000) for _ in range(20)
            ]
            answers = [await ada.answer(call) for call in asked]
            bad = [answer for answer in answers if answer["result"] != "ok"]
            refused += len(bad)
            reasons |= {answer["reason"] for answer in bad}
            if refused > 1000:
                break
        assert reasons == {"the server could not store it"}, "never a rate"
        await server.forget()
        assert await server.stopped() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    told = [line for line in lines if line["event"] == "store unavailable"]
    assert 0 < len(told) < refused / 20
    assert all(line["level"] == "error" and line["times"] >= 1 for line in told)
