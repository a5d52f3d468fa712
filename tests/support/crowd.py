"""Thousands of members of one channel: connections that log in, join, and keep what they are told.

Quick rather than complete: it sends masked by zeros and expects whole frames of a server that it trusts.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

__all__ = ["Crowd"]

_AT_ONCE = 200  # connections that are being made at the same time
_WAIT = 240.0  # seconds for all of them to have what they wait for
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: crowd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class _Member(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd, account: str) -> None:
        self.account = account
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.events: list[bytes] = []  # the channel's, as they came
        self.transport: asyncio.Transport | None = None
        self._crowd = crowd
        self._buffer = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(_UPGRADE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            assert b" 101 " in head, head
            self._open = True
            fields = {"vid": self._crowd.app, "account": self.account, "token": "t", "device": "websdk"}
            self._send(["login", {**fields, "uid": 0, "ip": ""}])
        while (payload := self._next()) is not None:
            self._take(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.joined.done():
            self.joined.set_exception(ConnectionError(f"{self.account}: lost before it joined"))

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
        self._buffer = buffer[start + size :]
        return buffer[start : start + size]

    def _take(self, payload: bytes) -> None:
        if payload.startswith(b'["notify"'):
            self.events.append(payload)
            self._crowd.heard()
        elif payload.startswith(b'["login_ret"'):
            body = json.loads(json.loads(payload)[1][1])
            self._send(["call2", ["channel_join", 1, {"line": body["line"], "name": self._crowd.channel}]])
        elif payload.startswith(b'["call2-ret"'):
            self.joined.set_result(None)

    def _send(self, frame: Any) -> None:
        payload = json.dumps(frame).encode()
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        assert self.transport is not None
        self.transport.write(head + b"\0\0\0\0" + payload)


class Crowd:
    """Many accounts in one channel."""

    def __init__(self, app: str, channel: str) -> None:
        self.app = app
        self.channel = channel
        self.members: list[_Member] = []
        self._told = 0  # events that all of them together got
        self._wanted = 0  # how many are waited for; 0 when nobody waits
        self._enough = asyncio.Event()

    async def come(self, port: int, number: int) -> None:
        """So many more connect, log in and join, a few hundred at once."""
        places = asyncio.Semaphore(_AT_ONCE)
        loop = asyncio.get_running_loop()

        async def one(index: int) -> None:
            async with places:
                member = _Member(self, f"member-{index}")
                self.members.append(member)
                await loop.create_connection(lambda: member, "127.0.0.1", port)
                await member.joined

        begin = len(self.members)
        async with asyncio.timeout(_WAIT):
            await asyncio.gather(*(one(begin + index) for index in range(number)))

    async def each_heard(self, number: int) -> None:
        """Wait until every member has been told so many things."""
        self._wanted = number * len(self.members)
        self._enough.clear()
        self.heard(0)
        async with asyncio.timeout(_WAIT):
            await self._enough.wait()

    def heard(self, number: int = 1) -> None:
        """Somebody was told something."""
        self._told += number
        if self._told >= self._wanted:
            self._enough.set()

    def leave(self) -> None:
        """All connections end without a word."""
        for member in self.members:
            if member.transport is not None:
                member.transport.abort()
