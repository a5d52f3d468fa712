"""A server that is told to end before it serves (SPEC §9)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.waiting import until


@contextmanager
def starting(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "signalpost", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def imports(process: subprocess.Popen[str]) -> None:
    """The program has begun: before that a signal meets the interpreter alone."""
    maps = Path(f"/proc/{process.pid}/maps")

    async def is_loading() -> bool:
        return "msgspec" in await asyncio.to_thread(maps.read_text)

    await until(is_loading, "a library")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("later", [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0])
async def test_a_server_ends_with_0_however_early_it_is_told(
    tmp_path: Path, number: signal.Signals, later: float
) -> None:
    """SPEC §9: without a traceback; at some of these times it imports, opens its data, or serves."""
    with starting(tmp_path, "serve", "--dev", "--port", "0") as process:
        await imports(process)
        await asyncio.sleep(later)
        process.send_signal(number)
        _, error = await asyncio.to_thread(process.communicate, timeout=30)
        assert process.returncode == 0, error
        assert "Traceback" not in error


async def test_being_told_again_and_again_makes_no_difference(tmp_path: Path) -> None:
    """SPEC §9."""
    with starting(tmp_path, "serve", "--dev", "--port", "0") as process:
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.001)
        assert process.stderr is not None
        assert (process.returncode, "Traceback" in process.stderr.read()) == (0, False)
