"""Several processes of one server on one port (SPEC N8): real ones, that are killed, stopped and replaced."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from support.client import RawClient
from support.waiting import until

CONFIG = '[server]\nport = 0\n\n[apps.app]\ncertificate = "secret"\nallow_no_token = true\n'
COUNT = 3


class Crew:
    """A supervisor with its workers, as `signalpost serve --workers` runs them."""

    def __init__(self, directory: Path, config: str, flags: tuple[str, ...], count: int) -> None:
        self._log = directory / "server.log"
        file = directory / "signalpost.toml"
        file.write_text(config)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "support.workers_server", "serve", "--config", str(file), *flags],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=Path(__file__).parents[1],
                env={**os.environ, "WORKERS": str(count)},
                start_new_session=True,
            )
        self.port = 0

    def listens(self) -> None:
        """Wait until it does."""
        assert self.process.stdout is not None
        first = self.process.stdout.readline().decode()
        match = re.fullmatch(r"signalpost: listening on http://127\.0\.0\.1:(\d+)\n", first)
        assert match, (first, self.log)
        self.port = int(match[1])

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log of one kind."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def pids(self) -> dict[int, int]:
        """By number: the process that each worker is, or was last."""
        return {line["worker"]: line["pid"] for line in self.lines("worker started")}

    def ask(self, path: str, port: int = 0) -> str:
        """What some worker answers."""
        with urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    async def everybody(self) -> set[int]:
        """The numbers of those that answer; all that do have answered."""
        heard: set[int] = set()
        for _ in range(40):
            heard.add(json.loads(await asyncio.to_thread(self.ask, "/healthz"))["worker"])
        return heard

    async def all_serve(self) -> bool:
        """Whether each worker answers."""
        return await self.everybody() == set(range(1, COUNT + 1))

    def tell(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit status, when it has one."""
        return self.process.wait(40)


@contextmanager
def crew(
    directory: Path, config: str = CONFIG, *, flags: tuple[str, ...] = (), count: int = COUNT
) -> Iterator[Crew]:
    """Workers that have to be gone afterwards, however the test ended them."""
    made = Crew(directory, config, flags, count)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            os.killpg(made.process.pid, signal.SIGKILL)
        made.process.communicate()


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and is not asked for any more does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_workers_share_a_port_that_was_picked(tmp_path: Path) -> None:
    """SPEC N8: one line says where, all of them answer there, and logs say which has written."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        await until(server.all_serve, "an answer of each")
        assert {line["worker"] for line in server.lines("started")} == {1, 2, 3}
        assert {line["port"] for line in server.lines("started")} == {server.port}
        server.tell(signal.SIGTERM)
        assert await asyncio.to_thread(server.ended) == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == b""


async def test_a_killed_worker_is_replaced_and_the_others_clients_stay(tmp_path: Path) -> None:
    """SPEC N8: the clients of the one that died are served as soon as they come again."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        clients = [await RawClient.open(f"ws://127.0.0.1:{server.port}/") for _ in range(24)]
        for each, client in enumerate(clients):
            await client.login(f"c{each}")
        killed = server.pids()[2]
        os.kill(killed, signal.SIGKILL)

        async def is_replaced() -> bool:
            return server.pids()[2] != killed and await server.all_serve()

        await until(is_replaced, "another worker 2")
        lost = [client for client in clients if client.closed is not None]
        assert 0 < len(lost) < len(clients)
        for client in clients:
            if client in lost:
                again = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
                await again.login(client.account)
                await again.close()
            else:
                await client.settle()
        [line] = server.lines("a worker ended: another takes its place")
        assert (line["worker"], line["reason"]) == (2, "SIGKILL")
        for client in clients:
            await client.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_all_end_in_order_when_the_supervisor_is_told_to(
    tmp_path: Path, number: signal.Signals
) -> None:
    """SPEC §9, N8: each closes its clients' connections; exit status 0."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        clients = [await RawClient.open(f"ws://127.0.0.1:{server.port}/") for _ in range(8)]
        pids = server.pids().values()
        server.tell(number)
        assert await asyncio.to_thread(server.ended) == 0
        for client in clients:
            assert (await client.gone())[0] == 1012
        assert not any(map(is_alive, pids))
        assert len(server.lines("stopped")) == COUNT
        assert not server.lines("a worker ended: another takes its place")


async def test_a_terminal_that_interrupts_all_of_them_ends_them_once(tmp_path: Path) -> None:
    """SPEC N8: whoever is told together with the supervisor is not replaced."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        os.killpg(server.process.pid, signal.SIGINT)
        assert await asyncio.to_thread(server.ended) == 0
        assert len(server.lines("worker started")) == COUNT


async def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    """SPEC N8: in good order, as if they had been told to."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        client = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
        pids = list(server.pids().values())
        server.process.kill()
        assert (await client.gone())[0] == 1012

        async def are_gone() -> bool:
            return not any(map(is_alive, pids))

        await until(are_gone, "the end of all workers")


async def test_being_told_again_and_again_makes_no_difference(tmp_path: Path) -> None:
    """SPEC §9."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        while server.process.poll() is None:
            server.tell(signal.SIGTERM)
            await asyncio.sleep(0.001)
        assert (server.process.returncode, "Traceback" in server.log) == (0, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("later", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
async def test_it_ends_with_0_however_early_it_is_told(
    tmp_path: Path, number: signal.Signals, later: float
) -> None:
    """SPEC §9: also while the first worker begins, or the others do."""
    with crew(tmp_path) as server:
        maps = Path(f"/proc/{server.process.pid}/maps")

        async def is_loading() -> bool:
            return "msgspec" in await asyncio.to_thread(maps.read_text)

        await until(is_loading, "a library")
        await asyncio.sleep(later)
        server.tell(number)
        assert await asyncio.to_thread(server.ended) == 0, server.log
        assert "Traceback" not in server.log


async def test_a_worker_that_dies_at_once_is_replaced_later_and_later(tmp_path: Path) -> None:
    """SPEC N8: it does not keep a processor busy; the others serve meanwhile."""
    with crew(tmp_path) as server:
        await asyncio.to_thread(server.listens)
        event = "a worker ended: another takes its place"
        for times in range(1, 5):
            os.kill(server.pids()[3], signal.SIGKILL)

            async def is_replaced(times: int = times) -> bool:
                return len(server.lines("worker started")) == COUNT + times

            await until(is_replaced, "the next one")
        pauses = [line["pause"] for line in server.lines(event)]
        assert pauses == [0.1, 0.2, 0.4, 0.8]
        server.tell(signal.SIGTERM)
        assert await asyncio.to_thread(server.ended) == 0


def test_what_keeps_it_from_starting_is_said_once(tmp_path: Path) -> None:
    """SPEC §9: one line, exit status 1, and nothing is tried again."""
    broken = tmp_path / "cert.pem"
    broken.write_text("nonsense")
    config = CONFIG.replace("port = 0", f'port = 0\ntls_cert = "{broken}"\ntls_key = "{broken}"')
    with crew(tmp_path, config) as server:
        assert server.ended() == 1
        said = [line for line in server.log.splitlines() if line.startswith("signalpost: ")]
        assert len(said) == 1
        assert said[0].startswith(f"signalpost: cannot use the certificate {broken}")
        assert len(server.lines("worker started")) == 1


def test_a_port_that_other_workers_share_is_in_use(tmp_path: Path) -> None:
    """SPEC §9: a second server on it is refused, though the kernel would let it in."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with crew(first) as server:
        server.listens()
        with crew(second, CONFIG.replace("port = 0", f"port = {server.port}")) as other:
            assert other.ended() == 1
            assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use" in other.log


def two_free_ports() -> int:
    """The first of two neighbours, below those that are given to whoever asks for any."""
    while True:
        first = random.randrange(10_000, 32_000, 2)
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", first))
                two.bind(("127.0.0.1", first + 1))
            except OSError:
                continue
            return first


async def test_each_worker_has_a_port_of_its_own_if_asked_to(tmp_path: Path) -> None:
    """SPEC N8: so that each can be watched."""
    free = two_free_ports()
    with crew(tmp_path, CONFIG.replace("port = 0", f"port = 0\nworker_port = {free}"), count=2) as server:
        await asyncio.to_thread(server.listens)
        for number in (1, 2):
            assert json.loads(server.ask("/healthz", free + number - 1))["worker"] == number
            assert f'worker="{number}"' in server.ask("/metrics", free + number - 1)
