"""A small client that speaks the wire by hand, to attack a server of any version that runs with `--dev`.

It reads only when it is asked to, and as slowly as it is told; it sends many frames in one write. It knows
PROTOCOL §2-§7 as far as attacks need it, and checks nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["DEVICES", "MEGABYTE", "Closed", "Watch", "Wire", "fresh", "run"]

DEVICES = ("signalpost-python", "websdk", "javasdk")
MEGABYTE = 1_000_000
WAIT = 30.0  # seconds after which what was to come counts as not coming
_PIECE = 16 * 1024  # bytes read at once

Attack = Callable[[str], Coroutine[Any, Any, tuple[bool, str]]]


class Closed(Exception):
    """The connection is over, or nothing came for too long; the text says how."""


class Wire:
    """One WebSocket. Everything that fails raises `Closed`."""

    def __init__(self, link: socket.socket, pace: float) -> None:
        self._link = link
        self._pace = pace  # bytes a second that are read at most
        self._read_from = 0.0  # when the next piece may be read, by the loop's clock
        self._bytes = bytearray()  # what was read and is no whole frame yet
        self._calls = 0  # the id of the latest call
        self.aside: list[Any] = []  # frames that came while another one was waited for, in order
        self.line = ""  # of the session

    @classmethod
    async def open(cls, url: str, *, pace: float = float("inf"), buffer: int = 0) -> Wire:
        """Connect. `pace`: bytes a second that are read at most; `buffer`: SO_RCVBUF, 0 as it is."""
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        link = socket.socket()
        if buffer:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        link.setblocking(False)
        wire = cls(link, pace)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WAIT):
                await loop.sock_connect(link, (host, port))
                await loop.sock_sendall(link, _HANDSHAKE % f"{host}:{port}".encode())
                while (end := wire._bytes.find(b"\r\n\r\n")) < 0:
                    await wire._fill()
        except (OSError, TimeoutError) as error:
            wire.cut()
            raise Closed(f"no connection: {error!r}") from None
        head = bytes(wire._bytes[:end])
        del wire._bytes[: end + 4]
        if b" 101 " not in head.split(b"\r\n")[0]:
            wire.cut()
            raise Closed(f"no WebSocket: {head[:40]!r}")
        return wire

    async def send(self, *frames: Any) -> None:
        """Send frames, all in one write."""
        await self.send_bytes(b"".join(text(json.dumps(frame, ensure_ascii=False)) for frame in frames))

    async def send_bytes(self, data: bytes) -> None:
        """Send WebSocket frames, or whatever it is."""
        try:
            async with asyncio.timeout(WAIT):
                await asyncio.get_running_loop().sock_sendall(self._link, data)
        except (OSError, TimeoutError) as error:
            raise Closed(f"cannot send: {error!r}") from None

    async def frame(self, within: float = WAIT) -> Any:
        """The next frame, none that was put aside."""
        try:
            async with asyncio.timeout(within):
                while True:
                    while (found := self._whole()) is None:
                        await self._fill()
                    opcode, payload = found
                    if opcode == 1:
                        return json.loads(payload)
                    if opcode == 8:
                        raise Closed(f"closed: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
                    if opcode == 9:
                        await self.send_bytes(_masked(0x8A, payload))
        except OSError as error:
            raise Closed(f"lost: {error!r}") from None
        except TimeoutError:
            raise Closed(f"nothing for {within:g} s") from None

    async def wait(self, wanted: Callable[[Any], bool]) -> Any:
        """The first frame that is wanted; the others before it go aside."""
        for index, frame in enumerate(self.aside):
            if wanted(frame):
                return self.aside.pop(index)
        while not wanted(frame := await self.frame()):
            self.aside.append(frame)
        return frame

    async def login(self, account: str, device: str = "websdk", **more: Any) -> dict[str, Any]:
        """Log in; the body of the answer, success or failure. A session of ours says its cursor."""
        fields = {"vid": "app", "account": account, "uid": 0, "token": "_no_need_token", "device": device}
        if device.startswith("signalpost-"):
            more = {"inbox": ["", 0], **more}
        await self.send(["login", {**fields, "ip": "", **more}])
        answer = await self.wait(lambda frame: frame[0] == "login_ret")
        body: dict[str, Any] = json.loads(answer[1][1])
        self.line = body.get("line", "")
        return body

    def asked(self, func: str, **args: Any) -> tuple[int, list[Any]]:
        """A call's id and frame, for `send`."""
        self._calls += 1
        return self._calls, ["call2", [func, self._calls, {"line": self.line, **args}]]

    async def answer(self, call_id: int) -> dict[str, Any]:
        """The body of the answer to a call."""
        frame = await self.wait(lambda frame: frame[0] == "call2-ret" and frame[1][0] == call_id)
        body: dict[str, Any] = json.loads(frame[1][2])
        return body

    async def call(self, func: str, **args: Any) -> dict[str, Any]:
        """Call and wait; the body of the answer, success or failure."""
        call_id, frame = self.asked(func, **args)
        await self.send(frame)
        return await self.answer(call_id)

    async def message(self, peer: str, content: str) -> None:
        """Send a message at the legal rate: what is refused is sent again."""
        while True:
            answer = await self.call("user_sendmsg", peer=peer, t="instant", content=content)
            if answer["result"] == "ok":
                return
            await asyncio.sleep(0.1)

    async def inbox(self, count: int) -> list[tuple[int, str]]:
        """The next `count` items of the inbox as versions and lines, pushed or polled."""
        items: list[tuple[int, str]] = []
        news = await self._poll(0)
        while True:
            known = items[-1][0] if items else 0
            items += [item for item in news if item[0] > known]
            if len(items) >= count:
                return items
            _, (kind, what) = await self.wait(_is_news)
            if kind == "msg":
                news = await self._poll(items[-1][0] if items else 0)
                continue
            news = [tuple(json.loads(what))]
            if len(items) % 20 == 0:
                await self.send(self.asked("user_ack", ver_clear=news[0][0])[1])

    async def _poll(self, seen: int) -> list[tuple[int, str]]:
        answer = await self.call("user_getmsg", ver_clear=seen, max=30)
        return [(version, line) for version, line in answer["msgs"]]

    def cut(self) -> None:
        """Lose the connection without a word."""
        self._link.close()

    async def _fill(self) -> None:
        loop = asyncio.get_running_loop()
        if (early := self._read_from - loop.time()) > 0:
            await asyncio.sleep(early)
        data = await loop.sock_recv(self._link, _PIECE)
        if not data:
            raise Closed("lost")
        self._read_from = max(self._read_from, loop.time() - 0.1) + len(data) / self._pace
        self._bytes += data

    def _whole(self) -> tuple[int, bytes] | None:
        """The next whole frame; servers neither mask nor, here, fragment."""
        data = self._bytes
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        opcode, payload = data[0] & 0x0F, bytes(data[start : start + size])
        del data[: start + size]
        return opcode, payload


def _is_news(frame: Any) -> bool:
    return frame[0] == "notify" and frame[1][0] in ("recvmsg", "msg")


_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lnbmFscG9zdC1ob3N0aQ==\r\n\r\n"
)


def text(payload: str) -> bytes:
    """A text frame of a client."""
    return _masked(0x81, payload.encode("utf-8", "surrogatepass"))


def _masked(head: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros, which leave it as it is."""
    size = len(payload)
    if size < 126:
        length = b"%c" % (0x80 | size)
    elif size < 65536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes((head,)) + length + bytes(4) + payload


class Watch:
    """A bystander in a process of its own: a client whose pings tell how long everybody else waits.

    `async with Watch(url) as watch: …`; then `watch.p99` and `watch.worst` are milliseconds. With `inf` it
    was thrown out.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._process: asyncio.subprocess.Process | None = None
        self.p99 = self.worst = float("inf")

    async def __aenter__(self) -> Watch:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__)),
            self._url,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        told = (await self._process.communicate(b"enough\n"))[0]
        if told:
            self.p99, self.worst = json.loads(told)

    def __str__(self) -> str:
        return f"bystander p99 {self.p99:.1f} ms, worst {self.worst:.1f} ms"


async def _stand_by(url: str) -> None:
    """What `Watch` runs: 100 pings a second until a line comes in."""
    wire = await Wire.open(url)
    await wire.login(fresh("bystander"))
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    times: list[float] = []
    print("ready", flush=True)
    while not over.done():
        begun = time.perf_counter()
        await wire.send(["ping", len(times)])
        await wire.wait(lambda frame: frame[0] == "pong")
        times.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(0.01)
    print(json.dumps([statistics.quantiles([*times, *times], n=100)[98], max(times)]))


def fresh(name: str) -> str:
    """A name that no earlier attack has used."""
    return f"{name}-{os.urandom(4).hex()}"


def run(attack: Attack) -> None:
    """Run an attack on the server that the command line names; says how it went, and exits 0 or 1.

    An attack returns whether the server withstood it, and the numbers. What it does not catch harmed it.
    """
    name = Path(sys.argv[0]).stem
    if len(sys.argv) != 2:
        raise SystemExit(
            f"usage: python bench/hostile/{name}.py ws://127.0.0.1:8080/    (a server with --dev)"
        )
    try:
        withstood, numbers = asyncio.run(attack(sys.argv[1]))
    except Closed as error:
        withstood, numbers = False, str(error)
    print(f"{name}: {'withstood' if withstood else 'HARMED'}: {numbers}")
    raise SystemExit(0 if withstood else 1)


if __name__ == "__main__":
    asyncio.run(_stand_by(sys.argv[1]))
