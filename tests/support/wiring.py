"""A WebSocket without a network: what the gateway sends is kept, what it asks of the socket is noted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from signalpost.gateway.outbox import Batch
from signalpost.gateway.websocket import frame_text

__all__ = ["Wire", "payloads"]


def payloads(data: bytes) -> list[bytes]:
    """The payloads of unmasked text frames that stand one behind the other."""
    found = []
    while data:
        assert data[0] == 0x81, "one whole text frame"
        size, head = data[1], 2
        if size == 126:
            size, head = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10]), 10
        found.append(data[head : head + size])
        data = data[head + size :]
    return found


class Wire:
    """Stands in for a Socket and for its Outbox."""

    def __init__(self) -> None:
        self.peer = "192.0.2.1"
        self.secure = False
        self.closed: tuple[int, str] | None = None
        self.over = asyncio.Event()  # set when it is closed
        self.held = 0  # how often it was told to read no more
        self.went_on = 0  # and to read again
        self.congested = False  # as the test says: the peer does not read
        self.relieved = True  # a page more may be put
        self.page = 64 * 1024
        self.given_up = False
        self.is_guest = True  # it has no login
        self._parts: list[bytes | Batch] = []

    # as a Socket

    @property
    def outbox(self) -> Wire:
        return self

    def send(self, payload: bytes) -> None:
        self.put(frame_text(payload))

    def close(self, code: int, reason: str = "") -> None:
        if self.closed is None:
            self.closed = code, reason
            self.over.set()

    def hold(self) -> None:
        self.held += 1

    def go_on(self) -> None:
        self.went_on += 1

    def be_known(self) -> None:
        self.is_guest = False

    def be_guest(self) -> None:
        self.is_guest = True

    def undelivered(self) -> tuple[float, int]:
        return 0.0, 0

    # as an Outbox

    def seal(self) -> None:
        for part in self._parts:
            if isinstance(part, Batch):
                part.bytes()

    def put(self, frame: bytes) -> None:
        if self.closed is None:
            self._parts.append(frame)

    def put_any(self, frame: bytes) -> None:
        self.put(frame)

    def give_up(self) -> None:
        self.given_up = True

    def put_batch(self, batch: Batch) -> None:
        if self.closed is None:
            self._parts.append(batch)

    # for tests

    def tick(self) -> list[Any]:
        """The frames of this tick, as the client would read them; the next one begins."""
        parts, self._parts = self._parts, []
        return [
            json.loads(payload)
            for part in parts
            for payload in payloads(part.bytes() if isinstance(part, Batch) else part)
        ]
