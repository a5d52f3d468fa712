"""The data directory of a running server, and what a start after a crash has to do in it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from support.client import RawClient
from support.server import CONFIG, ServerProcess
from support.waiting import until
from support.web import fetch, metrics


@pytest.fixture
async def server(directory: Path) -> AsyncIterator[ServerProcess]:
    config = CONFIG.replace("[server]", "[server]\nconnections_per_second = 100000")
    with ServerProcess(directory, config=config) as server:
        yield server
        await server.forget()


def events(server: ServerProcess, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


async def test_a_data_directory_that_is_removed_is_noticed(server: ServerProcess) -> None:
    """SPEC M5, §9: nothing is acknowledged that will not be kept; log and `/readyz` say so."""
    ada = await server.client("ada")
    await ada.ok("user_sendmsg", peer="bo", t="instant", content="kept")
    shutil.rmtree(server.data)

    async def refused() -> bool:
        body = await ada.call("user_sendmsg", peer="bo", t="instant", content="lost")
        return bool(body["result"] != "ok" and "may have been stored" in body["reason"])

    await until(refused, "what is lost is refused", within=5)

    async def unready() -> bool:
        return fetch(f"{server.http}/readyz").status == 503

    await until(unready, "it is not ready", within=5)
    body = fetch(f"{server.http}/readyz").json
    assert body["status"] == "store"
    assert server.data in body["reason"]
    assert fetch(f"{server.http}/healthz").status == 200

    async def told() -> bool:
        return bool(events(server, "nothing can be stored"))

    await until(told, "the log says so")
    assert server.data in str(events(server, "nothing can be stored")[0]["reason"])
    await ada.close()
    assert await server.stopped() == 0


async def test_without_its_lock_file_a_directory_still_lets_no_second_server_in(
    server: ServerProcess,
) -> None:
    """SPEC §9: and the first one says that it was removed."""
    (Path(server.data) / "lock").unlink()
    second = [*(sys.executable, "-m", "signalpost", "serve", "--dev", "--port", "0"), "--data", server.data]
    ended = await asyncio.to_thread(
        subprocess.run, second, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "is in use" in ended.stderr

    async def told() -> bool:
        return bool(events(server, "the lock file was removed: it is made anew"))

    async def is_back() -> bool:
        return (Path(server.data) / "lock").read_text().split()[1:] == ["open"]

    await until(told, "the log says so")
    await until(is_back, "it is made anew")
    assert fetch(f"{server.http}/readyz").status == 200


async def test_files_in_a_directory_that_others_may_enter_are_closed_to_them(directory: Path) -> None:
    """SPEC §9: whatever the umask."""
    data = directory / "data"
    data.mkdir()
    data.chmod(0o755)
    before = os.umask(0)
    try:
        with ServerProcess(directory, config=CONFIG) as server:
            ada = await server.client("ada")
            await ada.ok("user_sendmsg", peer="bo", t="instant", content="x")
            found = {file.name: file.stat().st_mode & 0o777 for file in data.iterdir()}
            await ada.close()
            assert await server.stopped() == 0
    finally:
        os.umask(before)
    assert found.keys() >= {"lock", "signalpost.db", "signalpost.db-wal", "signalpost.db-shm"}
    assert set(found.values()) == {0o600}


async def test_a_start_after_a_crash_commits_nothing_for_the_accounts_that_were_there(
    server: ServerProcess,
) -> None:
    """SPEC P3: it listens at once, and the attributes of each account get their end: by a timer that was
    stored with them. A start used to look for those without an end."""
    accounts = 600
    clients: list[RawClient] = []
    for number in range(accounts):
        client = await server.client(f"u{number}", polled=False)
        await client.ok("user_set_attr", name="mood", value=f"fine {number}")
        clients.append(client)
    server.kill()
    server.start()
    with closing(sqlite3.connect(f"file:{server.data}/signalpost.db?mode=ro", uri=True)) as database:
        (ends,) = database.execute("SELECT count(*) FROM timers WHERE key LIKE 'attributes%'").fetchone()
    assert ends == accounts
    assert metrics(server.http)["signalpost_commit_latency_seconds_count"] < 10
    ada = await server.client("ada")
    body = await ada.ok("user_get_attr_all", account=f"u{accounts - 1}")
    assert json.loads(body["json"]) == {"mood": f"fine {accounts - 1}"}
