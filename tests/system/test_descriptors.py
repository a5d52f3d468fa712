"""A server that runs out of descriptors: for connections without a login, and for sessions (SPEC L16)."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.exceptions import InvalidHandshake

from support.client import RawClient
from support.server import CONFIG, ServerProcess
from support.waiting import until

NO_ROOM = (OSError, EOFError, InvalidHandshake, AssertionError)
FREE = CONFIG.replace("port = 0", "port = 0\nconnections_per_second = 100000")


@contextmanager
def crowd(server: ServerProcess, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """Connections of one address that say this and stay."""
    links = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(count)]
    try:
        for link in links:
            try:
                link.sendall(said)
            except ConnectionError:
                continue  # it has given way already
        yield links
    finally:
        for link in links:
            link.close()


def reading(server: ServerProcess, name: str) -> int:
    """A number of the metrics, for which there has to be room."""
    with urlopen(f"{server.http}/metrics", timeout=10) as got:
        found = re.search(rf"^{name} (\S+)$", got.read().decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def logged(server: ServerProcess, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


async def told(server: ServerProcess, event: str) -> None:
    """It stands in the log once."""

    async def is_there() -> bool:
        return bool(logged(server, event))

    await until(is_there, event)
    assert len(logged(server, event)) == 1


def test_it_takes_as_many_as_it_may_have(tmp_path: Path) -> None:
    """SPEC L16: what a shell gives by default is raised to what may be asked for; the log says so."""
    with ServerProcess(tmp_path, limits="-S -n 256") as server:
        assert server.process is not None
        soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        assert (soft, soft > 256) == (hard, True)
        (line,) = logged(server, "descriptors")
        assert line["before"] == 256


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHo", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"])
async def test_a_crowd_of_one_address_leaves_room_for_the_rest(tmp_path: Path, said: bytes) -> None:
    """SPEC L16: a quarter is one address's, and those who are logged in stay."""
    with ServerProcess(tmp_path, config=FREE, limits="-n 256") as server:
        bo = await server.client("bo")
        with crowd(server, 1000, said):
            ada = await server.client("ada")
            assert reading(server, "signalpost_guests") <= 64
            assert reading(server, "signalpost_guests_dropped_total") >= 1000 - 64
            await ada.call("user_sendmsg", peer="bo", t="instant", content="still here")
            assert await bo.pushed()
        await bo.close()
        await ada.close()
        await told(server, "connections without a login gave way")
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


async def test_who_logs_in_is_no_guest_and_who_logs_out_is_one_again(tmp_path: Path) -> None:
    """SPEC L16; whoever asks for the number is one, too."""
    with ServerProcess(tmp_path, config=FREE) as server:

        async def are(count: int) -> None:
            async def is_so() -> bool:
                return reading(server, "signalpost_guests") == count

            await until(is_so, f"{count} without a login")

        ada = await server.client("ada")
        await are(1)
        await ada.ok("user_logout")
        await are(2)
        await ada.login("ada")
        await are(1)
        await ada.close()


async def test_when_sessions_have_taken_all_the_door_opens_again_behind_the_first_that_goes(
    tmp_path: Path,
) -> None:
    """SPEC L16: logged once and counted; nobody is thrown out, and the store still works."""
    with ServerProcess(tmp_path, config=FREE, limits="-n 128") as server:
        inside: list[RawClient] = []
        for number in range(128):
            try:
                inside.append(await server.client(f"user-{number}"))
            except NO_ROOM:
                break
        assert 40 < len(inside) < 128
        with crowd(server, 300):
            await told(server, "out of descriptors")
            await inside[0].call("user_sendmsg", peer="user-1", t="instant", content="still here")
            await inside[0].close()
        async with asyncio.timeout(30):
            while True:
                try:
                    inside[0] = await server.client("newcomer")
                    break
                except NO_ROOM:
                    await asyncio.sleep(0.1)
        for client in inside:
            await client.close()
        assert reading(server, "signalpost_descriptors_exhausted_total") > 0
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()
