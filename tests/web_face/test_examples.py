"""The examples of this face do what they say, on a real server."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from web_face.people import House

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "channel_chat.py"
WAIT = 20.0  # seconds for a process to start and to end


async def test_channel_chat(web: House) -> None:
    """SPEC S1, C4: lines go to all members and come back; the end of the input leaves and logs out."""
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 60
    bo = await web.user("bo")
    room = await bo.join("room")
    chat = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE, web.url, web.app, "ada", "room"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert chat.stdin is not None
    assert chat.stdout is not None
    chat.stdin.write("hello\nwörld\n".encode())
    told = await asyncio.wait_for(bo.told.get(), WAIT)
    assert told == ("onChannelUserJoined", "ada", 0)
    for text in ("hello", "wörld"):
        await bo.expect("onMessageChannelReceive", "ada", 0, text)
    room.messageChannelSend("welcome")
    await bo.expect("onMessageChannelReceive", "bo", 0, "welcome")
    got = [(await asyncio.wait_for(chat.stdout.readline(), WAIT)).decode() for _ in range(4)]
    assert got == ["* here: bo ada\n", "ada: hello\n", "ada: wörld\n", "bo: welcome\n"]
    chat.stdin.write_eof()
    rest, errors = await asyncio.wait_for(chat.communicate(), WAIT)
    assert (rest, errors, chat.returncode) == (b"", b"", 0)
    await bo.expect("onChannelUserLeaved", "ada", 0)


async def test_the_example_of_the_reference(web: House) -> None:
    """SPEC S1: what docs/web-face.md begins with runs, and ends by itself."""
    document = (ROOT / "docs" / "web-face.md").read_text(encoding="utf-8")
    [script] = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script.replace("ws://127.0.0.1:8080/", web.url).replace("demo", web.app)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, errors = await asyncio.wait_for(program.communicate(), WAIT)
    assert (told, errors, program.returncode) == (b"ada hello\n", b"", 0)
