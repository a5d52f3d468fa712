"""Processes that are one server: neighbouring releases, and the workers of a machine (SPEC N7, N8).

A crowd does everything at once, also while a worker dies, and its whole story is judged.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from cluster.crowd import CONFIG, Crowd
from support.postgres import Postgres
from support.redis import RedisServer

pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parents[1]
MUCH = ("mail", "say", "call", "wander", "commute", "describe")


@pytest.fixture
def stores() -> Iterator[tuple[str, ...]]:
    """The flags by which nodes find a PostgreSQL and a Redis of the test's own."""
    with ExitStack() as stack:
        postgres, redis = (
            stack.enter_context(closing(Postgres())),
            stack.enter_context(closing(RedisServer())),
        )
        yield ("--store", postgres.url(), "--share", redis.url)


class Node:
    """One process that serves."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        assert process.stdout is not None
        first = process.stdout.readline().decode()
        match = re.fullmatch(r"signalpost: listening on http://127\.0\.0\.1:(\d+)\n", first)
        assert match, (first, log.read_text()[-2000:])
        self.url = f"ws://127.0.0.1:{match[1]}/"

    async def end(self) -> None:
        """In good order."""
        self.process.terminate()
        assert await asyncio.to_thread(self.process.wait, 30) == 0, self.log.read_text()[-2000:]


@contextmanager
def serving(directory: Path, flags: tuple[str, ...], *, release: str = "") -> Iterator[Node]:
    """A node of this release, or of one to come: see `support.release_server`."""
    directory.mkdir()
    config, log = directory / "signalpost.toml", directory / "log"
    config.write_text(CONFIG.format(grace=20))
    program = "support.release_server" if release else "signalpost"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", program, "serve", "--dev", "--port", "0", "--config", str(config), *flags],
            stdout=subprocess.PIPE,
            stderr=out,
            cwd=HERE,
            env={**os.environ, "RELEASE": release},
            start_new_session=True,
        )
    try:
        yield Node(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


async def busy(crowd: Crowd) -> None:
    """Everything that people do is done, and more than once."""
    await crowd.progress(60, "mail", "say", within=100)
    await crowd.progress(3, *MUCH, within=100)


@pytest.mark.parametrize(("old", "new"), [("", "grown"), ("", "reading"), ("reading", "writing")])
async def test_two_neighbouring_releases_run_side_by_side(
    tmp_path: Path, stores: tuple[str, ...], old: str, new: str
) -> None:
    """SPEC N7: on both nodes anybody does everything with anybody."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(serving(tmp_path / f"node{number}", stores, release=release))
            for number, release in enumerate((old, new))
        ]
        turns = itertools.count()
        async with Crowd(lambda: nodes[next(turns) % 2].url) as crowd:
            await busy(crowd)
            await crowd.judged()
        for node in nodes:
            assert not re.search("stored by version|use case failed", node.log.read_text())
            await node.end()


async def test_workers_are_one_server_and_one_of_them_may_die(
    tmp_path: Path, stores: tuple[str, ...]
) -> None:
    """SPEC N8: whatever a crowd does with whoever is at another worker, and while one is killed."""
    with serving(tmp_path / "node", (*stores, "--workers", "3")) as node:
        async with Crowd(lambda: node.url) as crowd:
            await busy(crowd)
            started = re.findall(r'"worker started".*?"pid": (\d+)', node.log.read_text())
            assert len(started) == 3
            os.kill(int(started[1]), signal.SIGKILL)
            await busy(crowd)
            assert len(re.findall('"worker started"', node.log.read_text())) == 4
            await crowd.judged()
        await node.end()
