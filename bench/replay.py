"""What a large replay costs others: the latency of a channel's message before it and during it, in one run.

A member of a channel comes back to all that is kept of it, again and again, as fast as it can read; in
another channel two others send and hear one message after the other. Who comes back is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CONFIG = """
[apps.app]
allow_no_token = true
[limits]
user_messages = 1_000_000
channel_messages = 1_000_000
requests = 1_000_000
logins = 1_000
logins_burst = 1_000
"""
PAUSE = 0.005  # seconds between two messages that are measured


class Party:
    """One account on one connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.line = ""
        self.number = 0

    @classmethod
    async def come(cls, port: int, account: str, **more: Any) -> Party:
        party = cls(await connect(f"ws://127.0.0.1:{port}/", max_size=None, compression=None))
        fields = {"vid": "app", "account": account, "uid": 0, "token": "_no_need_token", "ip": ""}
        await party.send(["login", {**fields, "device": "signalpost-python", **more}])
        error, body = await party.wait("login_ret")
        assert not error, (error, body)
        party.line = json.loads(body)["line"]
        return party

    async def send(self, frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def ask(self, func: str, **args: Any) -> None:
        self.number += 1
        await self.send(["call2", [func, self.number, {"line": self.line, **args}]])

    async def call(self, func: str, **args: Any) -> dict[str, Any]:
        await self.ask(func, **args)
        body: dict[str, Any] = json.loads((await self.wait("call2-ret"))[2])
        assert body["result"] == "ok", body
        return body

    async def wait(self, name: str) -> Any:
        while True:
            text = await self.socket.recv(decode=False)
            if text.startswith(b'["' + name.encode() + b'"'):
                return json.loads(text)[1]


async def work(port: int, line: str, cursor: str, number: int, seconds: float) -> None:
    """Come back again and again; print how often all of it came."""
    end, times = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        party = await Party.come(port, "away", line=line, channels=json.loads(cursor))
        line = party.line
        for _ in range(number):
            await party.wait("notify")
        times += 1
        party.socket.transport.abort()
    print(times)


async def measure(speaker: Party, hearer: Party, seconds: float) -> list[float]:
    """Milliseconds from a message to the moment in which the other hears it, ascending."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        await speaker.ask("channel_sendmsg", name="other", msg="x", force=True)
        await hearer.wait("notify")
        took.append((time.perf_counter() - begun) * 1000)
        await speaker.wait("call2-ret")
        await asyncio.sleep(PAUSE)
    return sorted(took)


async def ask(port: int, number: int, size: int, seconds: float) -> None:
    loud, away = await Party.come(port, "loud"), await Party.come(port, "away")
    joined = await away.call("channel_join", name="room")
    away.socket.transport.abort()
    for _ in range(number):
        await loud.call("channel_sendmsg", name="room", msg="x" * size, force=True)
    speaker, hearer = await Party.come(port, "speaker"), await Party.come(port, "hearer")
    await hearer.call("channel_join", name="other")
    before = await measure(speaker, hearer, seconds)
    cursor = json.dumps({"room": [joined["epoch"], joined["id"]]})
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--worker", str(port), away.line, cursor, str(number), str(seconds)),
        stdout=subprocess.PIPE,
    )
    during = await measure(speaker, hearer, seconds)
    told = (await worker.communicate())[0].decode().strip()
    for name, took in (("before", before), ("during", during)):
        parts = [took[int(len(took) * part)] for part in (0.5, 0.99)]
        print(f"{name}: p50 {parts[0]:.2f} ms, p99 {parts[1]:.2f} ms, of {len(took)}")
    print(f"replayed {told} times {number} events of {size} bytes")


def main() -> int:
    if sys.argv[1:2] == ["--worker"]:
        port, line, cursor, number, seconds = sys.argv[2:]
        asyncio.run(work(int(port), line, cursor, int(number), float(seconds)))
        return 0
    parser = argparse.ArgumentParser(description="Measure what a large replay costs others.")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--bytes", type=int, default=8_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="signalpost-bench-") as directory:
        file = Path(directory, "signalpost.toml")
        file.write_text(CONFIG)
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "signalpost", "serve", "--config", str(file)),
                *("--data", ":memory:", "--port", "0"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            found = re.search(r":(\d+)$", server.stdout.readline().strip())
            assert found is not None
            asyncio.run(ask(int(found[1]), arguments.events, arguments.bytes, arguments.seconds))
        finally:
            server.terminate()
            server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
