"""The discontinued Python SDK 1.0.2, unmodified, in a process and an environment of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.server import ServerProcess

__all__ = ["Sdk", "make_environment"]

HERE = Path(__file__).parent
DRIVER, LOCK = HERE / "python_sdk_driver.py", HERE / "python_sdk.lock"
WAIT = 20.0


def make_environment(place: Path) -> Path:
    """An environment that holds the SDK; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK], check=True)
    return python


class Sdk:
    """One process with the SDK in it; `log` is what it called back."""

    def __init__(self, python: Path, server: ServerProcess, account: str, *, app: str = "app") -> None:
        self.account = account
        self.app = app
        self.log: list[list[Any]] = []
        self._python = python
        self._server = server
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, token: str) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            *(self._python, DRIVER, self._server.http, self.app, self.account, token),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    @property
    def output(self) -> asyncio.StreamReader:
        """What it called back, as lines of JSON."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    async def do(self, command: str, *args: Any) -> None:
        """Have it do something."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *args]).encode() + b"\n")
        await self._process.stdin.drain()

    async def called(self, event: str, *args: Any) -> list[Any]:
        """The next callback, which has to be this one; returns its arguments."""
        line = await asyncio.wait_for(self.output.readline(), WAIT)
        got = json.loads(line)
        assert got[0] == event, got
        if args:
            assert got[1:] == list(args)
        return got[1:]

    async def end(self) -> None:
        """End the process."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
