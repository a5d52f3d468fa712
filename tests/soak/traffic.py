"""The same mixed load over real connections: people who stay, and those who come, go, are cut and kicked.

Quick rather than complete, as `support.crowd`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

__all__ = ["APP", "Traffic"]

APP = "app"

_STEP = 0.02  # seconds of which the requests come together
_UNDER_WAY = 2_000  # requests; then it is the server's turn
_TALKERS = 24  # connections that stay and ask
_VISITORS = 8  # that come and go
_FURNISHED = 630  # requests after which attributes are set in another channel
_WAIT = 60.0  # seconds for anything
_CLOSE = 0x88  # how a close frame begins
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Visit(asyncio.Protocol):
    """One connection: how many of its requests are answered, and its session's line."""

    def __init__(self, account: str, answered: Callable[[Visit, int, str], None]) -> None:
        self.account = account
        self.line = ""  # once it is logged in
        self.came = asyncio.get_running_loop().create_future()  # the answer to its login
        self.over = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self._answered = answered
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(_UPGRADE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                self.came.set_exception(ConnectionError(head.decode()))
                self.cut()
                return
            self._open, self._buffer = True, rest
            fields = {"vid": APP, "account": self.account, "token": "t", "device": "websdk"}
            self._send(["login", {**fields, "uid": 0, "ip": ""}])
        while (payload := self._next()) is not None:
            self._take(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        for waited in (self.came, self.over):
            if not waited.done():
                waited.set_result(None)

    def ask(self, func: str, **args: Any) -> int:
        """Send a request; its number."""
        number = next(self._numbers)
        self._send(["call2", [func, number, {"line": self.line, **args}]])
        return number

    def cut(self) -> None:
        """Lose the connection without a word."""
        assert self.transport is not None
        self.transport.abort()

    def _take(self, payload: bytes) -> None:
        if payload.startswith(b'["call2-ret"'):
            number, _, body = json.loads(payload)[1]
            told = json.loads(body)
            self._answered(self, number, "" if told["result"] == "ok" else told["reason"])
        elif payload.startswith(b'["login_ret"'):
            error, text = json.loads(payload)[1]
            self.line = "" if error else json.loads(text)["line"]
            if not self.came.done():
                self.came.set_result(error)

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return None
        if buffer[0] == _CLOSE:
            self.cut()
        self._buffer = buffer[start + size :]
        return buffer[start : start + size]

    def _send(self, frame: Any) -> None:
        payload = json.dumps(frame).encode()
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        assert self.transport is not None
        if not self.transport.is_closing():
            self.transport.write(head + b"\0\0\0\0" + payload)


class Traffic:
    """The load on one server."""

    def __init__(self, port: int) -> None:
        self.done: Counter[str] = Counter()  # what was asked for and answered
        self.refused: Counter[str] = Counter()  # of these what was refused, as the server says why
        self._port = port
        self._names = itertools.count(1)  # used once, and never again
        self.talkers: list[Visit] = []  # those who stay
        self._under_way: dict[tuple[str, int], str] = {}  # by account and number: what was asked for
        self._answer = asyncio.Event()
        self._flowing = False

    async def open(self) -> None:
        """Those who stay come."""
        for number in range(_TALKERS):
            self.talkers.append(await self._come(f"talker{number}"))

    async def flow(self, seconds: float, *, rate: int) -> None:
        """`rate` requests a second of those who stay, while others come and go; fewer if it is slow."""
        self._flowing = True
        visits = [asyncio.create_task(self._visit(number)) for number in range(_VISITORS)]
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(round(seconds / _STEP)):
            for _ in range(round(rate * _STEP)):
                self._ask()
            await self._answers(most=_UNDER_WAY)
            due += _STEP
            await asyncio.sleep(max(0.0, due - loop.time()))
        self._flowing = False
        await self._answers(most=0)
        for visit in visits:
            await visit

    def close(self) -> None:
        """All go."""
        for talker in self.talkers:
            talker.cut()

    async def _answers(self, *, most: int) -> None:
        """Wait until no more than so many requests are under way."""
        async with asyncio.timeout(_WAIT):
            while len(self._under_way) > most:
                self._answer.clear()
                await self._answer.wait()

    async def _come(self, account: str) -> Visit:
        visit = Visit(account, self._answered)
        await asyncio.get_running_loop().create_connection(lambda: visit, "127.0.0.1", self._port)
        error = await asyncio.wait_for(visit.came, _WAIT)
        self.done["login"] += 1
        if error:
            self.refused[f"login: {error}"] += 1
        return visit

    async def _visit(self, number: int) -> None:
        """Come, be kicked by oneself, then log out or be cut, until the others are done."""
        while self._flowing:
            account = f"visitor{next(self._names)}"
            first = await self._come(account)
            first.ask("user_set_attr", name="colour", value="x" * 100, rid="r")
            first.ask("channel_join", name=f"hall{next(self._names)}")
            second = await self._come(account)
            await asyncio.wait_for(first.over, _WAIT)
            self.done["kick"] += 1
            if number % 2:
                second.ask("user_logout")
            second.cut()
            await asyncio.wait_for(second.over, _WAIT)

    def _answered(self, visit: Visit, number: int, error: str) -> None:
        what = self._under_way.pop((visit.account, number), "")
        if what:
            self.done[what] += 1
            self._answer.set()
        if what and error:
            self.refused[f"{what}: {error}"] += 1

    def _ask(self) -> None:
        """The next request of those who stay."""
        fresh = next(self._names)
        talker, peer = self.talkers[fresh % _TALKERS], self.talkers[(fresh + 1) % _TALKERS].account
        asked: dict[str, Any]
        match fresh % 7:
            case 0 | 1:
                what, asked = "channel_sendmsg", {"name": f"nowhere{fresh}", "msg": "x" * 100, "force": True}
            case 2 | 3:
                what, asked = "user_sendmsg", {"peer": peer, "t": "instant", "content": "x" * 100}
            case 4:
                what, asked = "voip_invite", {"channelName": f"call{fresh}", "peer": peer, "extra": ""}
            case 5:
                what, asked = "voip_invite_bye", {"channelName": "none", "peer": peer, "extra": ""}
            case _:
                hall = f"hall-{fresh // _FURNISHED}"
                what, asked = "channel_set_attr", {"channel": hall, "name": f"name{fresh}", "value": "x"}
        number = talker.ask(what, **asked, rid=f"r{fresh}")
        self._under_way[talker.account, number] = what
