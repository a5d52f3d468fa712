"""A node dies with two thousand sessions on it: all log in elsewhere and go on."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest

from support.cluster import Cluster

_SESSIONS = 2_000
_AT_ONCE = 200  # that come together at first
_WAIT = 60.0  # seconds for all of them
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: many\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Device:
    """One of our SDKs, as far as logging in goes: it comes back when its connection is lost."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.port = 0  # where it connects
        self.line = ""
        self.resumed = 0  # how often it went on with its session
        self.fresh = 0  # how often it got a new one
        self.there = asyncio.Event()  # it is logged in
        self.link: Link | None = None
        self._coming: asyncio.Task[None] | None = None

    def come(self) -> None:
        """Log in, as soon as that can be."""
        self._coming = asyncio.get_running_loop().create_task(self._come())

    async def _come(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.create_connection(lambda: Link(self), "127.0.0.1", self.port)
                return
            except OSError:
                await asyncio.sleep(random.uniform(0.1, 0.2))

    def answered(self, error: str, body: dict[str, Any]) -> None:
        """A login is answered; one that is refused is tried again when its connection is closed."""
        if error:
            return
        self.resumed += body["resumed"]
        self.fresh += not body["resumed"]
        self.line = body["line"]
        self.there.set()

    def lost(self) -> None:
        """The connection is lost."""
        self.link = None
        self.there.clear()
        asyncio.get_running_loop().call_later(random.uniform(0.1, 0.2), self.come)

    def leave(self) -> None:
        """Come no more."""
        self.lost = lambda: None  # type: ignore[method-assign]
        if self._coming is not None:
            self._coming.cancel()
        if self.link is not None and self.link.transport is not None:
            self.link.transport.abort()


class Link(asyncio.Protocol):
    """One connection of a device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._open = False  # the head is behind us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.device.link = transport, self
        transport.write(_UPGRADE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            _, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._buffer, self._open = rest, True
            fields = {"vid": "many", "account": self.device.account, "uid": 0, "token": "t", "ip": ""}
            fields |= {"device": "signalpost-python", "ver": 1, "inbox": ["", 0]}
            self._send(["login", fields | ({"line": self.device.line} if self.device.line else {})])
        if len(self._buffer) > 4 and self._buffer[4:].startswith(b'["login_ret"'):
            size = int.from_bytes(self._buffer[2:4], "big")
            if self._buffer[1] == 126 and len(self._buffer) >= 4 + size:
                _, (error, body) = json.loads(self._buffer[4 : 4 + size])
                self._buffer = b""
                self.device.answered(error, json.loads(body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.device.lost()

    def _send(self, frame: Any) -> None:
        payload = json.dumps(frame).encode()
        assert self.transport is not None
        head = b"\x81\xfe" + len(payload).to_bytes(2, "big")
        self.transport.write(head + b"\0\0\0\0" + payload)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_all_sessions_of_a_node_that_dies_go_on_elsewhere(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC N2, N3: none is lost; says how long it took, from the death to the last of them."""
    await cluster.start()
    dying = cluster.nodes[0]
    devices = [Device(f"device{number}") for number in range(_SESSIONS)]
    try:
        async with asyncio.timeout(_WAIT):
            for begin in range(0, _SESSIONS, _AT_ONCE):
                for device in devices[begin : begin + _AT_ONCE]:
                    device.port = dying.port
                    device.come()
                for device in devices[begin : begin + _AT_ONCE]:
                    await device.there.wait()
        for device in devices:
            device.port = cluster.door.port
        begun = time.perf_counter()
        dying.kill()
        for device in devices:
            device.there.clear()
        async with asyncio.timeout(_WAIT):
            for device in devices:
                await device.there.wait()
        took = time.perf_counter() - begun
    finally:
        for device in devices:
            device.leave()
    assert [device.account for device in devices if (device.resumed, device.fresh) != (1, 1)] == []
    with capsys.disabled():
        print(f"\n{_SESSIONS} sessions of a node that died went on elsewhere within {took:.2f} s")
