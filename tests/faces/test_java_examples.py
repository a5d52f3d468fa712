"""The examples in Java run as they are, each as a process, against a server (SPEC S5)."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faces.parties import NativeParty
from support.house import House
from support.party_process import JAVA, class_path

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
WAIT = 60.0  # seconds: the JVM compiles the example first


@asynccontextmanager
async def running(example: str, *args: str) -> AsyncIterator[Process]:
    """A JVM that runs the example's source."""
    parts = ":".join(class_path())
    process = await asyncio.create_subprocess_exec(
        *(*JAVA, "-cp", parts, str(EXAMPLES / example), *args), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: Process) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), WAIT)).decode().rstrip("\n")


async def rest(process: Process, typed: str = "") -> list[str]:
    """What it prints until it ends, which it does in good order after this was typed."""
    said, complaints = await asyncio.wait_for(process.communicate(typed.encode()), WAIT)
    assert (process.returncode, complaints.decode()) == (0, "")
    return said.decode().splitlines()


async def test_first_call(house: House) -> None:
    """SPEC K1, K2: it prints what the README's first call prints."""
    async with running("FirstCall.java", house.server.url, house.app) as process:
        assert await rest(process) == ["bo: ada calls me into room", "ada: coming"]


async def test_chat(house: House) -> None:
    """SPEC C1, C4, M1, L9: it speaks to all and to one, hears both, and leaves at the end of its input."""
    bo = NativeParty(house.server, house.app, "bo")
    await bo.enter()
    await bo.join("lobby")
    async with running("AgoraChat.java", house.server.url, house.app, "ada", "lobby") as process:
        assert await line(process) == "* here: bo ada"
        await bo.say("hello all")
        await bo.send("ada", "hello ada")
        assert sorted([await line(process), await line(process)]) == [
            "bo, to you: hello ada",
            "bo: hello all",
        ]
        assert (await rest(process, "@bo hello bo\nhello from here\n"))[-1] == "* logged out: 101"
    assert await bo.hear("message") == ("ada", "hello bo")
    assert await bo.hear("said") == ("bo", "hello all")
    assert await bo.hear("said") == ("ada", "hello from here")
    await bo.leave()


async def test_chat_refuses_a_bad_name(house: House) -> None:
    """SPEC L2: who cannot log in is told so, and it ends."""
    async with running("AgoraChat.java", house.server.url, house.app, "no name", "lobby") as process:
        _, complaints = await asyncio.wait_for(process.communicate(b""), WAIT)
        assert (process.returncode, complaints.decode()) == (1, "cannot log in: 209\n")


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.java")), ids=lambda path: path.name)
def test_examples_are_short(example: Path) -> None:
    """An example is read in one go, and a test above runs it."""
    assert len(example.read_text().splitlines()) <= 60
    assert f'"{example.name}"' in Path(__file__).read_text()
