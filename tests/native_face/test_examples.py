"""The examples of the asyncio API run: each as a process, against a server."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from native_face.people import House, soon, take
from signalpost.client import ChannelMessage

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
WAIT = 20.0  # seconds that a process may take to say something


@asynccontextmanager
async def running(native: House, *command: str) -> AsyncIterator[Process]:
    """A process with the settings of the test's app, which ends in good order when it is interrupted."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        stdout=PIPE,
        stderr=STDOUT,
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "SIGNALPOST_URL": native.url,
            "SIGNALPOST_APP": native.app,
        },
    )
    try:
        yield process
        if process.returncode is None:
            process.send_signal(2)
        rest, _ = await asyncio.wait_for(process.communicate(), WAIT)
        assert (process.returncode, b"Traceback" in rest) == (0, False), rest.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: Process) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), WAIT)).decode().rstrip()


async def test_presence_bot(native: House) -> None:
    """SPEC P1, P4: who is there, who comes, who goes."""
    await native.client("bo")
    async with running(native, str(EXAMPLES / "presence_bot.py"), "bo", "cy") as bot:
        assert [await line(bot) for _ in range(3)] == ["bo is online", "cy is offline", "watching"]
        cy = await native.client("cy")
        assert await line(bot) == "cy came"
        await cy.logout()
        assert await line(bot) == "cy went"


async def test_echo_bot(native: House) -> None:
    """SPEC M1, C4: messages and channel messages come back."""
    async with running(native, str(EXAMPLES / "echo_bot.py"), "parrot", "cage") as bot:
        assert await line(bot) == "parrot listens, also in cage"
        ada = await native.client("ada")
        await ada.send("parrot", "hello")
        message = await take(ada.messages())
        assert (message.sender, message.text) == ("parrot", "hello")
        cage = await soon(ada.join("cage"))
        await cage.send("hello, all")
        texts = []
        while len(texts) < 2:
            event = await take(aiter(cage))
            assert isinstance(event, ChannelMessage)
            texts.append((event.sender, event.text))
        assert texts == [("ada", "hello, all"), ("parrot", "ada: hello, all")]


async def test_call(native: House) -> None:
    """SPEC K1 to K4: both sides, to the end."""
    async with running(native, str(EXAMPLES / "call.py")) as process:
        assert process.stdout is not None
        said = (await asyncio.wait_for(process.stdout.read(), WAIT)).decode().splitlines()
        await asyncio.wait_for(process.wait(), WAIT)
    assert re.fullmatch(r'bo is called by ada with \{"video":false,.*\}', said[0])
    assert sorted(said[1:]) == [
        "ada is in the call's channel with 1 other",
        "ada sees that the call is over",
        "ada was answered: hello",
        "bo hears the keys 1#",
    ]


async def test_fastapi_send(native: House) -> None:
    """SPEC S3: fastapi_send.py: a POST sends to a user; what is wrong is said with a status."""
    bo = await native.client("bo")
    command = ["-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "0", "--ws", "none", "fastapi_send:app"]
    async with running(native, *command) as service:
        while not (found := re.search(r"running on (http://\S+)", await line(service))):
            assert service.returncode is None
        async with httpx.AsyncClient(base_url=found[1]) as browser:
            answer = await browser.post("/send", json={"to": "bo", "text": "hello"})
            assert answer.status_code == 200, answer.text
            message = await take(bo.messages())
            assert (message.sender, message.text, message.id) == ("web-service", "hello", answer.json()["id"])
            wrong = await browser.post("/send", json={"to": "no name", "text": "hello"})
            assert wrong.status_code == 422
            assert "no spaces" in wrong.json()["detail"]
