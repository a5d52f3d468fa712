"""A client that speaks the wire by hand: it sends what it is told and keeps all that comes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = ["Line", "RawClient", "parse_line"]

WAIT = 20.0  # seconds after which a missing frame is a failure


@dataclass(frozen=True)
class Line:
    """A message line, taken apart (PROTOCOL §6)."""

    version: str
    id: str
    src: str
    dst: str
    flag: str
    type: str
    time: str
    content: str

    @property
    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)


def parse_line(text: str) -> Line:
    """Take a line apart as the SDKs do: by its first spaces."""
    if text.startswith("msg-v3 "):
        return Line("v3", *text.split(" ", 7)[1:])
    assert text.startswith("msg-v2 "), text
    src, dst, flag, type_, time, content = text.split(" ", 6)[1:]
    return Line("v2", "", src, dst, flag, type_, time, content)


@dataclass
class RawClient:
    """One connection. `frames` holds what came and was not yet looked at, in order."""

    socket: ClientConnection
    line: str = ""
    account: str = ""
    frames: list[Any] = field(default_factory=list)
    closed: tuple[int | None, str] | None = None
    pace: float = 0.0  # seconds that it takes over each byte
    _calls: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, **options: Any) -> RawClient:
        """Connect, without logging in."""
        socket = await connect(url, max_size=None, compression=None, ping_interval=None, **options)
        client = cls(socket)
        client._reader = asyncio.create_task(client._read())
        return client

    @classmethod
    async def open_slow(cls, url: str, *, bytes_a_second: float = 1_000_000.0) -> RawClient:
        """Connect as somebody who reads slowly, and whose kernel does not read ahead either."""
        parts = urlsplit(url)
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, (parts.hostname, parts.port))
        client = await cls.open(url, sock=link, max_queue=1)
        client.pace = 1 / bytes_a_second
        return client

    async def _read(self) -> None:
        early = 0.0  # seconds by which it is ahead of its pace
        try:
            async for text in self.socket:
                early += len(text) * self.pace
                if early > 0.02:
                    await asyncio.sleep(early)
                    early = 0.0
                self.frames.append(json.loads(text) if isinstance(text, str) else text)
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = (self.socket.close_code, self.socket.close_reason or "")
        self._news.set()

    async def close(self) -> None:
        """Close the connection in good order."""
        await self.socket.close()
        assert self._reader is not None
        await self._reader

    async def cut(self) -> None:
        """Lose the connection without a word."""
        self.socket.transport.abort()
        assert self._reader is not None
        await self._reader

    async def send(self, frame: Any) -> None:
        """Send a frame, or a text as it is."""
        await self.socket.send(
            frame if isinstance(frame, str | bytes) else json.dumps(frame, ensure_ascii=False)
        )

    async def wait(self, wanted: Callable[[Any], bool], what: str = "") -> Any:
        """Take the first frame that is wanted out of `frames`, waiting for it if need be."""
        deadline = asyncio.get_running_loop().time() + WAIT
        while True:
            for index, frame in enumerate(self.frames):
                if wanted(frame):
                    return self.frames.pop(index)
            if self.closed is not None:
                raise AssertionError(f"{self.account}: closed {self.closed} before {what}; got {self.frames}")
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise AssertionError(f"{self.account}: no {what} within {WAIT:g} s; got {self.frames}")
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def gone(self) -> tuple[int | None, str]:
        """Wait until the connection is closed; its code and reason."""
        assert self._reader is not None
        await asyncio.wait_for(asyncio.shield(self._reader), WAIT)
        assert self.closed is not None
        return self.closed

    async def quiet(self) -> None:
        """Everything that the server had to say has come, and all of it has been looked at."""
        await self.settle()
        assert self.frames == []

    async def settle(self) -> None:
        """Wait until all that was sent before has been served: a ping's echo comes behind it."""
        self._calls += 1
        number = -self._calls
        await self.send(["ping", number])
        await self.wait(lambda frame: frame == ["pong", number], f"pong {number}")

    # --- the protocol's verbs -------------------------------------------------------------------

    async def login(
        self,
        account: str,
        *,
        app: str = "app",
        token: str = "_no_need_token",
        device: str = "websdk",
        **more: Any,
    ) -> dict[str, Any]:
        """Log in; returns the body of the answer. A refusal is an assertion error."""
        err, body = await self.try_login(account, app=app, token=token, device=device, **more)
        assert err == "", (err, body)
        self.line = body["line"]
        return body

    async def try_login(
        self,
        account: Any,
        *,
        app: Any = "app",
        token: Any = "_no_need_token",
        device: Any = "websdk",
        **more: Any,
    ) -> tuple[str, dict[str, Any]]:
        """Log in; returns the answer's error and body."""
        self.account = str(account)
        fields = {
            "vid": app,
            "account": account,
            "uid": 0,
            "token": token,
            "device": device,
            "ip": "",
            **more,
        }
        await self.send(["login", fields])
        name, (err, body) = await self.wait(lambda frame: frame[0] == "login_ret", "login_ret")
        assert name == "login_ret"
        return err, json.loads(body)

    async def call(self, func: str, **args: Any) -> dict[str, Any]:
        """Call a function; returns the body of the answer, success or failure."""
        return await self.answer(await self.ask(func, **args), func)

    async def ask(self, func: str, **args: Any) -> int:
        """Call a function and do not wait; returns the call's id."""
        self._calls += 1
        await self.send(["call2", [func, self._calls, {"line": self.line, **args}]])
        return self._calls

    async def answer(self, call_id: int, what: str = "") -> dict[str, Any]:
        """The body of the answer to a call."""
        frame = await self.wait(
            lambda frame: frame[0] == "call2-ret" and frame[1][0] == call_id, f"answer to {what}"
        )
        assert frame[1][1] == ""
        return json.loads(frame[1][2])

    async def ok(self, func: str, **args: Any) -> dict[str, Any]:
        """Call a function that has to succeed."""
        body = await self.call(func, **args)
        assert body.get("result") == "ok", (func, args, body)
        return body

    async def refused(self, func: str, code: int, **args: Any) -> dict[str, Any]:
        """Call a function that has to fail with this code, in the form of PROTOCOL §5."""
        body = await self.call(func, **args)
        assert body.get("result") == "failed", (func, body)
        assert body["code"] == code, (func, body)
        assert body["reason"]
        assert body["data"] == {"result": body["reason"]}
        return body

    async def poll(self, cleared: int = 0) -> list[tuple[int, Line]]:
        """Poll the inbox; its next items."""
        body = await self.ok("user_getmsg", ver_clear=cleared, max=30)
        return [(version, parse_line(line)) for version, line in body["msgs"]]

    async def take_all(self) -> list[str]:
        """The texts of everything in the inbox, in order and acknowledged."""
        texts: list[str] = []
        cleared = 0
        while taken := await self.poll(cleared):
            texts += [line.content for _, line in taken]
            cleared = taken[-1][0]
        return texts

    async def pushed(self) -> tuple[int, Line]:
        """The next pushed inbox item."""
        frame = await self.wait(lambda frame: frame[0] == "notify" and frame[1][0] == "recvmsg", "push")
        version, line = json.loads(frame[1][1])
        return version, parse_line(line)

    async def announced(self) -> int:
        """The next announcement of an inbox item."""
        frame = await self.wait(lambda frame: frame[0] == "notify" and frame[1][0] == "msg", "announcement")
        version: int = frame[1][1]
        return version

    async def event(self, channel: str) -> tuple[int, Line]:
        """The next event of a channel."""
        frame = await self.wait(
            lambda frame: frame[0] == "notify" and frame[1][0] == "channel2" and frame[1][1] == channel,
            f"event of {channel}",
        )
        return frame[1][2], parse_line(frame[1][3])
