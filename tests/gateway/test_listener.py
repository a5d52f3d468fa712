"""The edge over real sockets, on asyncio's loop and on uvloop: how connections begin, live and end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import random
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.utils import apply_mask

from signalpost.gateway import descriptors
from signalpost.gateway.http import Site
from signalpost.gateway.listener import Listener, ListenerSettings, Socket

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATIENCE = 10.0  # seconds after which a condition that does not come true is a failure

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

T = TypeVar("T")


# --- what the tests stand on ------------------------------------------------------------------


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, PATIENCE)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.002)


class Clock:
    """The edge's time, which stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Recorder:
    """A handler that keeps what it gets, and does what the test's `on_text` says."""

    def __init__(self, connection: Socket, on_text: Callable[[Recorder, bytes], None] | None) -> None:
        self.connection = connection
        self.texts: list[bytes] = []
        self.silences: list[float] = []
        self.closings = 0  # how often it was told that nothing goes out any more
        self.unread = 0  # bytes that had not arrived at the end
        self.on_text = on_text
        self.busy = False  # something is under way that never ends

    def text(self, data: bytes) -> None:
        self.texts.append(data)
        if self.on_text is not None:
            self.on_text(self, data)

    def part(self, code: int, reason: str) -> None:
        if not self.busy:
            self.connection.close(code, reason)

    def relieved(self) -> None:
        return

    def lag(self) -> bool:
        return False

    def closing(self) -> None:
        self.closings += 1

    def lost(self, silence: float, unread: int) -> None:
        self.silences.append(silence)
        self.unread = unread

    @property
    def over(self) -> bool:
        return bool(self.silences)


def echo(handler: Recorder, data: bytes) -> None:
    handler.connection.send(data)


class Edge:
    """A running listener and the handlers of its WebSockets, in order of their coming."""

    def __init__(self, on_text: Callable[[Recorder, bytes], None] | None = echo, **settings: Any) -> None:
        self.handlers: list[Recorder] = []
        self.on_text = on_text
        self.clock = Clock()
        bounds: dict[str, Any] = {"port": 0, "sweep_every": 0.01, "login_timeout": 3600.0, **settings}
        metrics = bounds.pop("metrics", b"up 1\n")
        self.listener = Listener(
            ListenerSettings(**bounds), Site(metrics=lambda: metrics), self.accept, clock=self.clock
        )

    def accept(self, connection: Socket) -> Recorder:
        handler = Recorder(connection, self.on_text)
        self.handlers.append(handler)
        return handler

    async def handler(self, index: int = 0) -> Recorder:
        await eventually(lambda: len(self.handlers) > index)
        return self.handlers[index]

    async def pass_time(self, seconds: float) -> None:
        """Move the clock as time passes: in steps that no sweep takes for a pause of the process."""
        for _ in range(round(seconds)):
            self.clock.now += 1.0
            await self.sweeps()

    async def sweeps(self) -> None:
        """Wait for a sweep that begins after now."""
        seen = self.listener.timeouts.coming
        await eventually(lambda: self.listener.timeouts.coming is not seen)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.listener.port}/"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"


Serve = Callable[..., Awaitable[Edge]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    edges: list[Edge] = []

    async def start(*arguments: Any, **settings: Any) -> Edge:
        edge = Edge(*arguments, **settings)
        await edge.listener.start()
        edges.append(edge)
        return edge

    yield start
    for edge in edges:
        await edge.listener.drain()


class Frame(NamedTuple):
    """A frame of the server: its opcode and payload."""

    opcode: int
    payload: bytes


class Peer:
    """A client that says exactly the bytes that it is told to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True) -> None:
        self.send(client_frame(opcode, payload, fin=fin))

    async def head(self) -> tuple[int, dict[str, str]]:
        """The next HTTP answer's status and headers."""
        lines = (await soon(self.reader.readuntil(b"\r\n\r\n"))).decode().split("\r\n")
        fields = (line.split(": ", 1) for line in lines[1:-2])
        return int(lines[0].split()[1]), {name.lower(): value for name, value in fields}

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next whole HTTP answer."""
        status, headers = await self.head()
        return status, headers, await soon(self.reader.readexactly(int(headers["content-length"])))

    async def received(self) -> Frame:
        """The next frame."""
        first, size = await soon(self.reader.readexactly(2))
        assert first & 0xF0 == 0x80, "the server sends whole frames without extensions"
        assert size < 128, "the server masks nothing"
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(await soon(self.reader.readexactly(width)), "big")
        return Frame(first & 0x0F, await soon(self.reader.readexactly(size)))

    async def closing_code(self) -> int:
        """The code of the next frame, which is a close."""
        opcode, payload = await self.received()
        assert opcode == CLOSE
        return int.from_bytes(payload[:2], "big")

    async def end(self) -> bytes:
        """Everything until the server ends the connection."""
        return await soon(self.reader.read())

    async def gone(self) -> None:
        """The server has ended the connection, with whatever violence."""
        with contextlib.suppress(ConnectionError):
            await self.end()


Dial = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Opens raw connections."""
    peers: list[Peer] = []

    async def open_(edge: Edge, *, tls: ssl.SSLContext | None = None, **options: Any) -> Peer:
        port = edge.listener.port if tls is None else edge.listener.tls_port
        peer = Peer(*await soon(asyncio.open_connection("127.0.0.1", port, ssl=tls, **options)))
        peers.append(peer)
        return peer

    yield open_
    for peer in peers:
        peer.writer.transport.abort()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await peer.writer.wait_closed()


@pytest.fixture
async def meet(dial: Dial) -> Dial:
    """Opens raw connections that have their handshake behind them."""

    async def open_(edge: Edge, **options: Any) -> Peer:
        peer = await dial(edge, **options)
        peer.send(upgrade())
        assert (await peer.head())[0] == 101
        return peer

    return open_


def client_frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    first = (0x80 if fin else 0) | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    return head + b"\x01\x02\x03\x04" + apply_mask(payload, b"\x01\x02\x03\x04")


def upgrade(
    *, method: str = "GET", path: str = "/", extra: str = "", without: str = "", **changed: str
) -> bytes:
    """A handshake's head; keywords replace headers, `without` names one that is missing."""
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    headers.pop(without, None)
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{fields}{extra}\r\n".encode()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def closing(code: int) -> bytes:
    return code.to_bytes(2, "big")


# --- the handshake ----------------------------------------------------------------------------

FIREFOX = (
    "GET / HTTP/1.1\r\nHost: localhost:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Sec-WebSocket-Version: 13\r\nOrigin: null\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nConnection: keep-alive, Upgrade\r\nSec-Fetch-Dest: empty\r\n"
    "Sec-Fetch-Mode: websocket\r\nSec-Fetch-Site: cross-site\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUpgrade: websocket\r\n\r\n"
).encode()

CHROMIUM = (
    "GET / HTTP/1.1\r\nHost: localhost:8080\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0\r\n"
    "Upgrade: websocket\r\nOrigin: http://app.example.org\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
).encode()


class TestHandshake:
    @pytest.mark.parametrize("head", [FIREFOX, CHROMIUM], ids=["firefox", "chromium"])
    async def test_browsers_are_welcome(self, serve: Serve, dial: Dial, head: bytes) -> None:
        """RFC 6455 §4; no extension is negotiated, whatever is offered."""
        peer = await dial(await serve())
        peer.send(head)
        status, headers = await peer.head()
        assert status == 101
        assert headers == {
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        }
        peer.frame(TEXT, b"hello")
        assert await peer.received() == (TEXT, b"hello")

    @pytest.mark.parametrize("path", ["/", "/any/where?x=1", "*", "http://elsewhere/"])
    async def test_any_path_will_do(self, serve: Serve, dial: Dial, path: str) -> None:
        """SPEC §9: WebSocket on any path."""
        peer = await dial(await serve())
        peer.send(upgrade(path=path))
        assert (await peer.head())[0] == 101

    async def test_a_head_may_come_byte_by_byte_with_frames_behind_it(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        peer = await dial(edge)
        for byte in upgrade() + client_frame(TEXT, b"at once"):
            peer.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await peer.head())[0] == 101
        assert await peer.received() == (TEXT, b"at once")

    @pytest.mark.parametrize("cut", [1, 20, len(upgrade()) - 3, len(upgrade()) - 1, len(upgrade()) + 3])
    async def test_a_head_may_be_cut_anywhere(self, serve: Serve, dial: Dial, cut: int) -> None:
        edge = await serve()
        peer = await dial(edge)
        stream = upgrade() + client_frame(TEXT, b"a") + client_frame(TEXT, b"b")
        peer.send(stream[:cut])
        await eventually(lambda: edge.listener.counts.accepted)
        await edge.sweeps()
        peer.send(stream[cut:])
        assert (await peer.head())[0] == 101
        assert [await peer.received(), await peer.received()] == [(TEXT, b"a"), (TEXT, b"b")]

    @pytest.mark.parametrize(
        ("head", "status"),
        [
            (upgrade(method="POST"), 405),
            (upgrade(Sec_WebSocket_Version="8"), 426),
            (upgrade(without="Sec-WebSocket-Version"), 426),
            (upgrade(Sec_WebSocket_Key="short"), 400),
            (upgrade(without="Sec-WebSocket-Key"), 400),
            (upgrade(extra=f"sec-websocket-key: {KEY}\r\n"), 400),
            (upgrade(without="Connection"), 400),
            (upgrade(without="Upgrade"), 426),
            (upgrade(extra="Content-Length: 3\r\n"), 400),
            (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        ],
    )
    async def test_a_wrong_handshake_is_answered_over_http(
        self, serve: Serve, dial: Dial, head: bytes, status: int
    ) -> None:
        """RFC 6455 §4.2.1, §4.4."""
        edge = await serve()
        peer = await dial(edge)
        peer.send(head)
        answered, headers, body = await peer.answer()
        assert (answered, headers["connection"]) == (status, "close")
        assert body
        assert headers.get("sec-websocket-version", "13") == "13"
        assert await peer.end() == b""
        assert (edge.handlers, edge.listener.counts.bad_handshakes) == ([], 1)

    async def test_a_head_of_the_limit_is_read_and_a_longer_one_is_refused(
        self, serve: Serve, dial: Dial
    ) -> None:
        edge = await serve()
        spare = 16 * 1024 - len(upgrade(extra="X: \r\n")) + 4
        for more, status in ((0, 101), (1, 431)):
            peer = await dial(edge)
            peer.send(upgrade(extra=f"X: {'x' * (spare + more)}\r\n"))
            assert (await peer.head())[0] == status

    async def test_an_endless_head_is_refused(self, serve: Serve, dial: Dial) -> None:
        peer = await dial(await serve())
        peer.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert (await peer.answer())[0] == 431
        assert await peer.end() == b""

    async def test_a_head_that_does_not_come_in_time_is_given_up(self, serve: Serve, dial: Dial) -> None:
        edge = await serve(handshake_timeout=10.0)
        peers = [await dial(edge), await dial(edge)]
        peers[1].send(upgrade()[:50])
        await eventually(lambda: edge.listener.connections == 2)
        await edge.pass_time(9)
        assert edge.listener.connections == 2
        await edge.pass_time(1)
        for peer in peers:
            await peer.gone()
        assert (edge.listener.connections, edge.listener.counts.handshake_timeouts) == (0, 2)

    async def test_who_does_not_log_in_is_sent_away(self, serve: Serve, meet: Dial) -> None:
        """PROTOCOL §2, §5: in time, and with a reason, after a logout, too; who has logged in stays."""
        edge = await serve(login_timeout=5.0)
        late, punctual, left = await meet(edge), await meet(edge), await meet(edge)
        await edge.handler(2)
        for handler in edge.handlers[1:]:
            handler.connection.be_known()
        await edge.pass_time(4)
        edge.handlers[2].connection.be_guest()
        await edge.pass_time(1)
        assert (await late.received()).payload == b"\x03\xf0no login within 5 s"
        await edge.pass_time(3)
        left.frame(TEXT, b"still here")
        assert (await left.received()).payload == b"still here"
        await edge.pass_time(1)
        assert await left.closing_code() == 1008
        punctual.frame(TEXT, b"and I stay")
        assert (await punctual.received()).payload == b"and I stay"

    async def test_a_connection_that_never_says_anything_is_normal(self, serve: Serve, dial: Dial) -> None:
        """PROTOCOL §1: the web SDKs open two and close one without a frame."""
        edge = await serve()
        peer = await dial(edge)
        peer.writer.close()
        await eventually(lambda: edge.listener.counts.accepted == 1 and edge.listener.connections == 0)

    async def test_a_fault_in_the_handler_ends_that_connection_alone(self, serve: Serve, meet: Dial) -> None:
        """SPEC E5: nothing that a client sends harms another."""

        def trip(handler: Recorder, data: bytes) -> None:
            if data == b"trip":
                raise RuntimeError("a bug of ours")
            echo(handler, data)

        edge = await serve(trip)
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        bad, good = await meet(edge), await meet(edge)
        bad.frame(TEXT, b"trip")
        await bad.gone()
        good.frame(TEXT, b"still here")
        assert await good.received() == (TEXT, b"still here")
        assert len(edge.handlers[0].silences) == 1
        assert len(faults) == 1


# --- messages ---------------------------------------------------------------------------------


class TestMessages:
    @pytest.mark.parametrize("message", ["", "a", "x" * 125, "x" * 126, "ä" * 200, "x" * 65536, "𝄞"])
    async def test_a_text_goes_there_and_back(self, serve: Serve, message: str) -> None:
        edge = await serve()
        async with connect(edge.url, compression=None) as client:
            await client.send(message)
            assert await soon(client.recv()) == message

    async def test_fragments_become_one_message(self, serve: Serve) -> None:
        """RFC 6455 §5.4."""
        edge = await serve()
        async with connect(edge.url) as client:
            await client.send(["ä", "", "b" * 300, "𝄞"])
            assert await soon(client.recv()) == "ä" + "b" * 300 + "𝄞"

    async def test_a_ping_between_fragments_is_answered_at_once(self, serve: Serve, meet: Dial) -> None:
        """RFC 6455 §5.4, §5.5.2."""
        edge = await serve()
        peer = await meet(edge)
        peer.frame(TEXT, b"\xc3", fin=False)
        peer.frame(PING, b"there?")
        assert await peer.received() == (PONG, b"there?")
        peer.frame(CONTINUATION, b"\xa4")
        assert await peer.received() == (TEXT, "ä".encode())

    async def test_messages_arrive_in_order_however_they_are_cut(self, serve: Serve, meet: Dial) -> None:
        """SPEC M4."""
        edge = await serve(None)
        peer = await meet(edge)
        texts = [b"%d " % number + b"x" * (number % 400) for number in range(1000)]
        stream = b"".join(client_frame(TEXT, text) for text in texts)
        for start in range(0, len(stream), 7001):
            peer.send(stream[start : start + 7001])
            await peer.writer.drain()
        handler = await edge.handler()
        await eventually(lambda: len(handler.texts) == len(texts))
        assert handler.texts == texts

    async def test_answers_of_one_tick_keep_their_order(self, serve: Serve, meet: Dial) -> None:
        edge = await serve()
        peer = await meet(edge)
        peer.send(b"".join(client_frame(TEXT, b"%d" % number) for number in range(500)))
        assert [(await peer.received()).payload for _ in range(500)] == [b"%d" % n for n in range(500)]

    async def test_a_handler_may_send_before_it_hears_anything(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        accept = edge.accept

        def greet(connection: Socket) -> Recorder:
            connection.send(b"welcome")
            return accept(connection)

        edge.listener._accept = greet  # type: ignore[misc]
        peer = await dial(edge)
        peer.send(upgrade())
        assert (await peer.head())[0] == 101
        assert await peer.received() == (TEXT, b"welcome")

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (client_frame(BINARY, b"zip"), 1003),
            (client_frame(TEXT, b"\xff"), 1007),
            (client_frame(TEXT, b"x" * 65537), 1009),
            (client_frame(3), 1002),
            (b"\x81\x05hello", 1002),
        ],
    )
    async def test_a_breach_is_answered_with_its_code_behind_what_came_before(
        self, serve: Serve, meet: Dial, data: bytes, code: int
    ) -> None:
        """SPEC E5, RFC 6455 §7.4.1."""
        edge = await serve()
        peer = await meet(edge)
        peer.send(client_frame(TEXT, b"good") + data + client_frame(TEXT, b"late"))
        assert await peer.received() == (TEXT, b"good")
        assert await peer.closing_code() == code
        assert await peer.end() == b""
        handler = await edge.handler()
        peer.writer.close()
        await eventually(lambda: handler.over)
        assert (handler.texts, len(handler.silences)) == ([b"good"], 1)

    async def test_a_peer_in_the_middle_of_too_much_still_gets_the_reason(
        self, serve: Serve, meet: Dial
    ) -> None:
        """SPEC E5: 1009 and no reset, though the message goes on coming."""
        peer = await meet(await serve())
        peer.frame(TEXT, b"x" * 8_000_000)
        assert await peer.closing_code() == 1009
        assert await peer.end() == b""
        await soon(peer.writer.drain())

    async def test_a_peer_that_goes_on_after_a_breach_is_dropped_in_the_end(
        self, serve: Serve, meet: Dial
    ) -> None:
        edge = await serve(close_timeout=3.0)
        peer = await meet(edge)
        peer.send(client_frame(3))
        assert await peer.closing_code() == 1002
        for _ in range(3):
            peer.send(client_frame(TEXT, b"and another thing"))
            await edge.pass_time(1)
        handler = await edge.handler()
        await eventually(lambda: handler.over)


# --- closing ----------------------------------------------------------------------------------


class TestClosing:
    async def test_the_peers_close_is_echoed_and_tcp_ended(self, serve: Serve, meet: Dial) -> None:
        """RFC 6455 §5.5.1, §7.1.1: the server ends TCP first."""
        edge = await serve()
        peer = await meet(edge)
        peer.send(client_frame(TEXT, b"last") + client_frame(CLOSE, closing(4000)) + client_frame(TEXT, b"x"))
        assert await peer.received() == (TEXT, b"last")
        assert await peer.closing_code() == 4000
        assert await peer.end() == b""
        handler = await edge.handler()
        await eventually(lambda: handler.over)
        assert (handler.texts, len(handler.silences)) == ([b"last"], 1)

    async def test_a_close_without_a_code_is_answered_without_one(self, serve: Serve, meet: Dial) -> None:
        peer = await meet(await serve())
        peer.frame(CLOSE)
        assert await peer.received() == (CLOSE, b"")
        assert await peer.end() == b""

    async def test_a_library_closes_cleanly(self, serve: Serve) -> None:
        edge = await serve()
        async with connect(edge.url) as client:
            await client.close(3999, "done")
        assert (client.close_code, client.close_reason) == (3999, "")
        await eventually(lambda: edge.handlers[0].over)

    async def test_our_close_follows_what_is_queued_and_nothing_follows_it(
        self, serve: Serve, meet: Dial
    ) -> None:
        edge = await serve(None)
        peer = await meet(edge)
        connection = (await edge.handler()).connection
        connection.send(b"a")
        connection.close(4001, "enough")
        connection.send(b"b")
        connection.close(4002)
        assert not connection.is_open
        assert await peer.received() == (TEXT, b"a")
        assert await peer.received() == (CLOSE, closing(4001) + b"enough")
        peer.send(client_frame(TEXT, b"on its way") + client_frame(CLOSE, closing(4001)))
        assert await peer.end() == b""
        await eventually(lambda: edge.handlers[0].over)
        assert edge.handlers[0].texts == []

    async def test_a_library_hears_our_code(self, serve: Serve) -> None:
        edge = await serve(lambda handler, _: handler.connection.close(4005, "grüße"))
        async with connect(edge.url) as client:
            await client.send("x")
            with pytest.raises(ConnectionClosed) as caught:
                await soon(client.recv())
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4005, "grüße")
        await eventually(lambda: edge.handlers[0].over)

    async def test_a_close_that_crosses_ours_in_one_chunk_ends_the_handshake(
        self, serve: Serve, meet: Dial
    ) -> None:
        edge = await serve(lambda handler, _: handler.connection.close(4001))
        peer = await meet(edge)
        peer.send(client_frame(TEXT, b"x") + client_frame(CLOSE, closing(1000)))
        assert await peer.closing_code() == 4001
        assert await peer.end() == b""
        await eventually(lambda: edge.handlers[0].over)

    async def test_a_breach_instead_of_the_answer_ends_the_handshake_too(
        self, serve: Serve, meet: Dial
    ) -> None:
        edge = await serve(None)
        peer = await meet(edge)
        (await edge.handler()).connection.close(1000)
        assert await peer.closing_code() == 1000
        peer.send(client_frame(3))
        assert await peer.end() == b""

    async def test_a_close_that_is_not_answered_is_given_up(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(None, close_timeout=3.0)
        peer = await meet(edge)
        handler = await edge.handler()
        handler.connection.close(1000)
        assert await peer.closing_code() == 1000
        await edge.pass_time(2)
        assert not handler.over
        await edge.pass_time(1)
        await eventually(lambda: handler.over)
        await peer.gone()

    async def test_a_connection_that_breaks_is_told_once(self, serve: Serve, meet: Dial) -> None:
        edge = await serve()
        peer = await meet(edge)
        peer.frame(TEXT, b"x")
        await peer.received()
        peer.writer.transport.abort()
        await eventually(lambda: edge.handlers[0].over)
        assert edge.handlers[0].silences == [0.0]
        assert edge.listener.connections == 0

    async def test_a_peer_that_ends_tcp_without_a_close_is_lost(self, serve: Serve, meet: Dial) -> None:
        edge = await serve()
        peer = await meet(edge)
        peer.writer.write_eof()
        assert await peer.end() == b""
        await eventually(lambda: edge.handlers[0].over)

    async def test_an_abort_needs_nobody(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(None)
        peer = await meet(edge)
        handler = await edge.handler()
        handler.connection.abort()
        await eventually(lambda: handler.over)
        await peer.gone()
        handler.connection.abort()
        handler.connection.send(b"nobody is there")
        handler.connection.close(1000)
        await edge.sweeps()
        assert len(handler.silences) == 1


# --- peers that do not read -------------------------------------------------------------------


class TestFlowControl:
    async def test_accepted_sockets_are_set_up_for_small_fast_writes(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(None, send_buffer=32 * 1024)
        await meet(edge)
        accepted = (await edge.handler()).connection._transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        # Linux doubles what one asks for, for its own bookkeeping.
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 64 * 1024

    async def test_a_peer_that_does_not_read_is_dropped_and_others_notice_nothing(
        self, serve: Serve, meet: Dial
    ) -> None:
        """ARCHITECTURE: slow consumers are closed."""
        edge = await serve(None, outbox_cap=1_000_000, send_buffer=16 * 1024)
        slow, good = await meet(edge, limit=1024), await meet(edge)
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        first, second = await edge.handler(0), await edge.handler(1)
        sent = 0
        async with asyncio.timeout(PATIENCE):
            while not first.over:
                for handler in (first, second):
                    handler.connection.send(b"x" * 50_000)
                sent += 1
                assert await good.received() == (TEXT, b"x" * 50_000)
        assert edge.listener.counts.slow == 1
        assert sent * 50_000 < 16_000_000
        assert not second.over

    async def test_what_never_reached_the_peer_is_known_at_the_end(self, serve: Serve, meet: Dial) -> None:
        """SPEC C9: by the transport or by the kernel; whether we gave the peer up or it has gone."""
        for ending in ("cut by the peer", "aborted", "too slow"):
            edge = await serve(None, outbox_cap=1_000_000, send_buffer=16 * 1024)
            peer = await meet(edge, limit=1024)
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            handler = await edge.handler()
            handler.connection.send(b"x" * 8_000_000)
            await edge.sweeps()
            if ending == "cut by the peer":
                peer.writer.transport.abort()
            elif ending == "aborted":
                handler.connection.abort()
            else:
                handler.connection.outbox.give_up()
            await eventually(lambda handler=handler: handler.over)
            assert handler.unread > 1_000_000, ending

    async def test_nothing_is_unread_by_a_peer_that_has_read_all(self, serve: Serve, meet: Dial) -> None:
        """SPEC C9: so that nothing comes twice, whether it closes or just ends TCP."""
        for closes in (True, False):
            edge = await serve(None)
            peer = await meet(edge)
            handler = await edge.handler()
            handler.connection.send(b"x" * 100_000)
            assert await peer.received() == (TEXT, b"x" * 100_000)
            if closes:
                peer.send(client_frame(CLOSE, b"\x03\xe8"))
                await peer.received()
            peer.writer.close()
            await eventually(lambda handler=handler: handler.over)
            assert handler.unread == 0

    async def test_a_reset_says_that_something_was_left_unread(self, serve: Serve, meet: Dial) -> None:
        """SPEC C9: though the peer's kernel has confirmed all of it."""
        edge = await serve(None)
        peer = await meet(edge, limit=1024)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        handler = await edge.handler()
        handler.connection.send(b"x" * 1000)
        await edge.sweeps()
        peer.writer.transport.abort()
        await eventually(lambda: handler.over)
        assert handler.unread >= 1000

    async def test_a_single_large_message_passes_whatever_the_cap(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(None, outbox_cap=1000)
        peer = await meet(edge)
        (await edge.handler()).connection.send(b"x" * 3_000_000)
        assert await peer.received() == (TEXT, b"x" * 3_000_000)
        assert edge.listener.counts.slow == 0

    async def test_a_peer_that_asks_but_does_not_read_is_heard_no_more_until_it_does(
        self, serve: Serve, meet: Dial
    ) -> None:
        """10 000 calls without reading an answer: nothing is lost, and nothing grows without bound."""
        answer = b"y" * 10_000
        edge = await serve(
            lambda handler, data: handler.connection.send(data + answer),
            outbox_cap=16 * 1024 * 1024,
            send_buffer=16 * 1024,
            high_water=64 * 1024,
            low_water=16 * 1024,
        )
        peer = await meet(edge, limit=16 * 1024)
        handler = await edge.handler()
        numbers = [b"%5d" % number + b"." * 1000 for number in range(800)]
        peer.send(b"".join(client_frame(TEXT, number) for number in numbers))
        await eventually(lambda: not handler.connection._transport.is_reading())
        heard = -1
        async with asyncio.timeout(PATIENCE):
            while heard != len(handler.texts):
                heard = len(handler.texts)
                for _ in range(5):
                    await edge.sweeps()
        assert heard < len(numbers)
        for number in numbers:
            assert (await peer.received()).payload == number + answer
        assert (handler.texts, handler.over) == (numbers, False)

    async def test_a_burst_of_requests_does_not_pile_up_answers_within_one_tick(
        self, serve: Serve, meet: Dial
    ) -> None:
        """A loop may read megabytes before it flushes once; a peer that reads must not be dropped for it."""
        edge = await serve(lambda handler, data: handler.connection.send(data * 20))
        peer = await meet(edge)
        peer.send(b"".join(client_frame(TEXT, b"%4d" % number + b"." * 996) for number in range(2000)))
        for number in range(2000):
            assert (await peer.received()).payload[:4] == b"%4d" % number
        assert edge.listener.counts.slow == 0

    @pytest.mark.parametrize("kind", ["messages", "pings"])
    async def test_who_sends_without_end_lets_the_others_have_their_turn(
        self, serve: Serve, meet: Dial, kind: str
    ) -> None:
        """SPEC E5: of what was read at once the loop takes some, and then sees to everybody else."""
        turns: list[int] = []

        def first(handler: Recorder, data: bytes) -> None:
            loop = asyncio.get_running_loop()
            if data == b"first":
                loop.call_soon(lambda: turns.append(len(handler.connection._waiting or ())))

        edge = await serve(first)
        peer = await meet(edge)
        flood = [client_frame(TEXT, b"%d" % number) for number in range(500)]
        if kind == "pings":
            flood = [client_frame(PING, b"") for _ in flood]
        peer.send(client_frame(TEXT, b"first") + b"".join(flood) + client_frame(TEXT, b"last"))
        handler = await edge.handler()
        await eventually(lambda: handler.texts[-1:] == [b"last"])
        numbers = [b"%d" % number for number in range(500)] if kind == "messages" else []
        assert handler.texts == [b"first", *numbers, b"last"]
        assert turns == [438]
        peer.frame(TEXT, b"and on")
        await eventually(lambda: handler.texts[-1:] == [b"and on"])

    async def test_a_held_peer_that_sent_much_is_heard_to_the_end_of_its_turn(
        self, serve: Serve, meet: Dial
    ) -> None:
        """What waits behind a request is bounded, whatever was read at once."""
        edge = await serve(lambda handler, _: handler.connection.hold())
        peer = await meet(edge)
        texts = [b"%d" % number for number in range(100)]
        peer.send(b"".join(client_frame(TEXT, text) for text in texts))
        handler = await edge.handler()
        await eventually(lambda: handler.texts)
        for _ in range(3):
            await edge.sweeps()
        assert handler.texts == texts[:64]
        handler.connection.go_on()
        await eventually(lambda: handler.texts == texts)

    async def test_a_held_peer_is_not_read_until_it_may_go_on(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(lambda handler, _: handler.connection.hold())
        peer = await meet(edge)
        peer.frame(TEXT, b"first")
        handler = await edge.handler()
        await eventually(lambda: handler.texts)
        peer.frame(TEXT, b"second")
        handler.connection.pause_writing()
        handler.connection.resume_writing()
        for _ in range(3):
            await edge.sweeps()
        assert handler.texts == [b"first"]
        handler.connection.go_on()
        await eventually(lambda: handler.texts == [b"first", b"second"])

    async def test_a_peer_that_does_not_read_cannot_hold_up_its_end(self, serve: Serve, meet: Dial) -> None:
        edge = await serve(None, send_buffer=16 * 1024, close_timeout=3.0)
        await meet(edge, limit=1024)
        handler = await edge.handler()
        for _ in range(30):
            handler.connection.send(b"x" * 50_000)
        await edge.sweeps()
        handler.connection.close(1000)
        await edge.pass_time(3)
        await eventually(lambda: handler.over)


# --- liveness ---------------------------------------------------------------------------------


class TestLiveness:
    """SPEC L13."""

    async def test_a_silent_peer_is_pinged_after_10_s_and_dead_after_30(
        self, serve: Serve, meet: Dial
    ) -> None:
        """SPEC L13: once in ten seconds, and then it is detached."""
        edge = await serve()
        peer = await meet(edge)
        handler = await edge.handler()
        heard = handler.connection.heard
        await edge.pass_time(9)
        peer.frame(PING, b"not silent")
        assert await peer.received() == (PONG, b"not silent")
        assert handler.connection.heard == heard + 9
        await edge.pass_time(29)
        assert not handler.over
        assert [await peer.received(), await peer.received()] == [(PING, b""), (PING, b"")]
        await edge.pass_time(1)
        await eventually(lambda: handler.over)
        assert handler.silences == [30.0]
        assert edge.listener.counts.silent == 1
        await peer.gone()

    async def test_pongs_keep_a_peer_alive(self, serve: Serve) -> None:
        """SPEC L13: browsers answer by themselves while a hidden tab's timers sleep."""
        edge = await serve()
        async with connect(edge.url, ping_interval=None) as client:
            handler = await edge.handler()
            for _ in range(100):
                await edge.pass_time(1)
                heard = edge.clock.now - handler.connection.heard
                if heard >= 10:
                    await eventually(lambda: handler.connection.heard == edge.clock.now)
            await client.send("alive")
            assert await soon(client.recv()) == "alive"

    async def test_any_byte_is_a_sign_of_life(self, serve: Serve, meet: Dial) -> None:
        """SPEC L13: nothing at all comes."""
        edge = await serve()
        peer = await meet(edge)
        handler = await edge.handler()
        await edge.pass_time(25)
        peer.send(client_frame(TEXT, b"slow")[:3])
        await eventually(lambda: handler.connection.heard == edge.clock.now)
        await edge.pass_time(25)
        assert not handler.over

    async def test_a_pause_of_the_whole_process_kills_nobody(self, serve: Serve, meet: Dial) -> None:
        """SPEC L13: after it, what the peers sent has yet to be read."""
        edge = await serve()
        peer = await meet(edge)
        handler = await edge.handler()
        peer.frame(TEXT, b"x")
        await peer.received()
        sweep = edge.listener.timeouts.sweep
        assert edge.listener.timeouts.coming is not None
        edge.listener.timeouts.coming.cancel()
        edge.clock.now += 100.0
        peer.frame(TEXT, b"sent in the pause")
        sweep()
        await peer.received()
        assert handler.connection.heard == edge.clock.now
        await edge.pass_time(5)
        assert not handler.over


# --- limits per address -----------------------------------------------------------------------


class TestLimits:
    """SPEC L16."""

    async def test_n_connections_a_second_are_taken_and_one_more_is_429(
        self, serve: Serve, dial: Dial
    ) -> None:
        """SPEC L16: and after the second there is room again."""
        edge = await serve(connections_per_second=3)
        for wanted in (101, 101, 101, 429):
            peer = await dial(edge)
            peer.send(upgrade())
            status, headers = await peer.head()
            assert status == wanted
        assert headers["retry-after"] == "1"
        assert edge.listener.counts.refused == 1
        edge.clock.now += 1.0
        peer = await dial(edge)
        peer.send(get("/healthz"))
        assert (await peer.answer())[0] == 200

    async def test_the_429_is_an_end(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16: HTTP is refused as WebSocket is, and what follows is not looked at."""
        edge = await serve(connections_per_second=0)
        peer = await dial(edge)
        peer.send(get("/") + upgrade())
        assert (await peer.answer())[0] == 429
        peer.send(upgrade())
        assert await peer.end() == b""
        assert edge.handlers == []

    async def test_exempt_networks_know_no_limit(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16."""
        edge = await serve(connections_per_second=0, exempt=(ip_network("127.0.0.0/8"),))
        peer = await dial(edge)
        peer.send(upgrade())
        assert (await peer.head())[0] == 101

    async def test_behind_a_trusted_proxy_clients_are_counted_apart(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16: by the rightmost hop that is no trusted proxy."""
        edge = await serve(connections_per_second=1, trusted_proxies=(ip_network("127.0.0.1/32"),))
        for forwarded, wanted in (("9.9.9.9", 101), ("8.8.8.8", 101), ("6.6.6.6, 9.9.9.9", 429)):
            peer = await dial(edge)
            peer.send(upgrade(X_Forwarded_For=forwarded))
            assert (await peer.head())[0] == wanted
        assert [handler.connection.peer for handler in edge.handlers] == ["9.9.9.9", "8.8.8.8"]

    async def test_without_a_trusted_proxy_nobody_chooses_an_address(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16."""
        edge = await serve()
        peer = await dial(edge)
        peer.send(upgrade(X_Forwarded_For="9.9.9.9"))
        assert (await peer.head())[0] == 101
        assert (await edge.handler()).connection.peer == "127.0.0.1"

    async def test_upgrades_on_a_proxys_kept_alive_connection_are_counted_too(
        self, serve: Serve, dial: Dial
    ) -> None:
        """SPEC L16."""
        edge = await serve(connections_per_second=1, trusted_proxies=(ip_network("127.0.0.1/32"),))
        for forwarded, wanted in (("9.9.9.9", 101), ("9.9.9.9", 429), ("8.8.8.8", 101)):
            peer = await dial(edge)
            # The proxy has carried somebody else before: a new address each time.
            first = f"X-Forwarded-For: 7.7.7.{len(edge.handlers)}{edge.listener.counts.refused}\r\n"
            peer.send(get("/healthz").replace(b"\r\n\r\n", b"\r\n" + first.encode() + b"\r\n"))
            assert (await peer.answer())[0] == 200
            peer.send(upgrade(X_Forwarded_For=forwarded))
            assert (await peer.head())[0] == wanted

    async def test_failed_logins_are_counted_by_the_minute(self, serve: Serve) -> None:
        """SPEC L16: 600 in a minute; above, login is refused."""
        edge = await serve(failed_logins_per_minute=2)
        assert edge.listener.may_login("9.9.9.9")
        edge.listener.failed_login("9.9.9.9")
        assert edge.listener.may_login("9.9.9.9")
        edge.listener.failed_login("9.9.9.9")
        assert not edge.listener.may_login("9.9.9.9")
        assert edge.listener.may_login("8.8.8.8")
        await edge.pass_time(60)
        assert edge.listener.may_login("9.9.9.9")


# --- connections without a login --------------------------------------------------------------


class TestGuests:
    """SPEC L16: connections without a login."""

    KINDS: ClassVar[dict[str, bytes]] = {
        "silent": b"",
        "half a head": upgrade()[:40],
        "asked over HTTP": get("/healthz"),
        "refused": upgrade(Sec_WebSocket_Version="8"),
        "a WebSocket": upgrade(),
        "a busy WebSocket": upgrade() + 100 * client_frame(TEXT, b"x"),
    }

    @pytest.mark.parametrize("kind", KINDS)
    async def test_the_oldest_of_the_address_gives_way_whatever_it_sent(
        self, serve: Serve, dial: Dial, kind: str
    ) -> None:
        """SPEC L16: and nobody from elsewhere."""
        edge = await serve(guests_per_address=3)
        peers = [await dial(edge, local_addr=("127.0.0.2", 0))]
        peers += [await dial(edge) for _ in range(3)]
        for peer in peers:
            peer.send(self.KINDS[kind])
            if kind != "silent" and kind != "half a head":
                await peer.head()
        await eventually(lambda: edge.listener.guests == 4)
        newcomer = await dial(edge)
        await peers[1].gone()
        newcomer.send(upgrade())
        assert (await newcomer.head())[0] == 101
        assert (edge.listener.guests, edge.listener.guests_dropped) == (4, 1)
        assert [peer.reader.at_eof() for peer in peers if kind != "refused"] in (
            [],
            [False, True, False, False],
        )

    async def test_who_has_logged_in_stays_and_counts_no_longer(self, serve: Serve, meet: Dial) -> None:
        """SPEC L16: until it logs out."""
        edge = await serve(guests_per_address=2)
        first, second = await meet(edge), await meet(edge)
        edge.handlers[0].connection.be_known()
        third = await meet(edge)
        for peer in (first, second, third):
            peer.frame(TEXT, b"here")
            assert await peer.received() == (TEXT, b"here")
        edge.handlers[0].connection.be_guest()
        await second.gone()
        assert edge.listener.guests == 2
        first.frame(TEXT, b"here")
        assert await first.received() == (TEXT, b"here")

    async def test_who_has_gone_is_no_guest(self, serve: Serve, meet: Dial, dial: Dial) -> None:
        edge = await serve()
        peers = [await dial(edge), await meet(edge), await meet(edge)]
        await eventually(lambda: edge.listener.guests == 3)
        edge.handlers[1].connection.be_known()
        for peer in peers:
            peer.writer.transport.abort()
        await eventually(lambda: edge.listener.connections == 0)
        edge.handlers[1].connection.be_guest()  # a logout that was under way
        assert edge.listener.guests == 0

    async def test_behind_a_trusted_proxy_the_client_counts(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16: as soon as the head names it; before, the proxy's connections are bounded in all only."""
        edge = await serve(guests_per_address=2, trusted_proxies=(ip_network("127.0.0.1/32"),))
        silent = [await dial(edge) for _ in range(4)]
        peers = []
        for forwarded in ("9.9.9.9", "8.8.8.8", "9.9.9.9", "9.9.9.9"):
            peer = await dial(edge)
            peer.send(upgrade(X_Forwarded_For=forwarded))
            assert (await peer.head())[0] == 101
            peers.append(peer)
        await peers[0].gone()
        assert [peer.reader.at_eof() for peer in silent + peers] == 4 * [False] + [True] + 3 * [False]

    async def test_an_exempt_address_is_bounded_in_all(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16."""
        edge = await serve(guests_per_address=1, guests=3, exempt=(ip_network("127.0.0.0/8"),))
        peers = [await dial(edge) for _ in range(3)]
        await eventually(lambda: edge.listener.guests == 3)
        peers.append(await dial(edge))
        await peers[0].gone()
        assert edge.listener.guests == 3

    async def test_they_get_a_quarter_and_half_of_the_descriptors_at_most(
        self, serve: Serve, dial: Dial
    ) -> None:
        """SPEC L16: of those that the process may have."""
        edge = await serve(descriptors=12)
        edge.listener.registry.room = 12
        peers = [await dial(edge, local_addr=(f"127.0.0.{2 + number // 4}", 0)) for number in range(4)]
        await peers[0].gone()
        await eventually(lambda: edge.listener.guests == 3)
        peers += [await dial(edge, local_addr=("127.0.0.9", 0)) for _ in range(3)]
        await eventually(lambda: edge.listener.guests == 6)
        peers.append(await dial(edge, local_addr=("127.0.0.8", 0)))
        await peers[1].gone()
        assert edge.listener.guests == 6

    async def test_without_a_free_descriptor_a_guest_gives_way_and_a_session_does_not(
        self, serve: Serve, meet: Dial, dial: Dial, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """SPEC L16: it is counted, and logged once a minute."""
        edge = await serve(ping_after=1e6, dead_after=1e6, handshake_timeout=1e6)
        peers = [await meet(edge) for _ in range(3)]
        for handler in edge.handlers:
            handler.connection.be_known()
        edge.listener.registry.room = 4
        guests = [await dial(edge) for _ in range(5)]
        for guest in guests[:4]:
            await guest.gone()
        assert not guests[4].reader.at_eof()
        for peer in peers:
            peer.frame(TEXT, b"here")
            assert await peer.received() == (TEXT, b"here")
        assert edge.listener.counts.exhausted == 4
        await edge.pass_time(59)
        assert capsys.readouterr().out.count("out of descriptors") == 1
        await dial(edge)
        await eventually(lambda: edge.listener.counts.exhausted == 5)
        await edge.pass_time(3)
        assert capsys.readouterr().out.count("out of descriptors") == 1

    async def test_a_logged_in_crowd_leaves_no_room_for_a_guest_and_the_door_opens_again(
        self, serve: Serve, meet: Dial, dial: Dial
    ) -> None:
        """SPEC L16: as soon as somebody goes."""
        edge = await serve()
        peer = await meet(edge)
        edge.handlers[0].connection.be_known()
        edge.listener.registry.room = 1
        await (await dial(edge)).gone()
        peer.writer.transport.abort()
        await eventually(lambda: edge.listener.connections == 0)
        newcomer = await dial(edge)
        newcomer.send(upgrade())
        assert (await newcomer.head())[0] == 101


# --- ordinary HTTP on the same port -----------------------------------------------------------


class TestHttp:
    """SPEC §9: one port."""

    async def test_a_client_library_is_served(self, serve: Serve) -> None:
        edge = await serve()
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{edge.http}/getaddr?vid=A") as got:
                assert await got.json(content_type=None) == {
                    "web": [["127.0.0.1", edge.listener.port]],
                    "web2": [["127.0.0.1", edge.listener.port]],
                    "wx_web": [f"127.0.0.1:{edge.listener.port}/"],
                }
            async with session.get(f"{edge.http}/metrics") as got:
                assert await got.read() == b"up 1\n"

    async def test_pipelined_requests_are_answered_in_order(self, serve: Serve, dial: Dial) -> None:
        peer = await dial(await serve())
        peer.send(b"".join(get(f"/nowhere/{number}") for number in range(20)))
        for number in range(20):
            status, _, body = await peer.answer()
            assert status == 404
            assert f"/nowhere/{number}:" in json.loads(body)["error"]

    async def test_a_request_may_come_byte_by_byte(self, serve: Serve, dial: Dial) -> None:
        peer = await dial(await serve())
        for byte in get("/healthz"):
            peer.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await peer.answer())[0] == 200

    @pytest.mark.parametrize(
        "fields",
        [
            "Content-Length: 300000",
            "Content-Length: 300000\r\nContent-Encoding: gzip",
            "Content-Length: 300000\r\nContent-Encoding: br\r\nContent-Type: multipart/form-data; boundary=x",
            "Content-Length: 99999999999999999999999999",
            "Content-Length: -1",
            "Content-Length: many",
            "Content-Length: 5, 5",
            "Content-Length: 0\r\nContent-Length: 300000",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked\r\nContent-Length: 3",
            "Transfer-Encoding: unheard-of",
            "Content-Length: 300000\r\nExpect: 100-continue",
            "Content-Length: 300000\r\nExpect: the unexpected",
        ],
    )
    @pytest.mark.parametrize(
        ("method", "path", "status"), [("POST", "/healthz", 405), ("GET", "/getaddr", 200)]
    )
    async def test_a_body_is_neither_waited_for_nor_read_nor_unpacked(
        self, serve: Serve, dial: Dial, method: str, path: str, status: int, fields: str
    ) -> None:
        """SPEC E5: the answer comes at once, and ends the connection: nobody looks where the body ends."""
        edge = await serve()
        peer = await dial(edge)
        peer.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n".encode())
        got, headers, _ = await peer.answer()
        assert (got, headers["connection"]) == (status, "close")
        peer.send(b"\x1f\x8b\x08junk" * 30_000 + get("/metrics"))
        assert await peer.end() == b""
        peer.writer.close()
        await eventually(lambda: edge.listener.connections == 0)

    @pytest.mark.parametrize("line", [b"\r\n", b"\n", b"\r"])
    async def test_empty_lines_without_end_are_no_request(
        self, serve: Serve, dial: Dial, line: bytes
    ) -> None:
        """SPEC E5: a few in front of a request mean nothing (RFC 9112 §2.2), as many as can be sent do."""
        peer = await dial(await serve())
        peer.send(b"\r\n" * 10 + get("/metrics"))
        assert (await peer.answer())[2] == b"up 1\n"
        peer.send(line * 1000)
        assert (await peer.answer())[0] == 400
        assert await peer.end() == b""

    async def test_an_endless_body_is_not_read_for_ever(self, serve: Serve, dial: Dial) -> None:
        """SPEC E5: throwing it away costs as much as reading it, and stops soon; the answer is there."""
        edge = await serve()
        peer = await dial(edge)
        peer.send(b"POST /getaddr HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await peer.answer())[0] == 200
        (doorway,) = edge.listener.registry.doorways
        peer.send(bytes(32 * 1024 * 1024))
        await eventually(lambda: not doorway._transport.is_reading())
        assert doorway._thrown < 1024 * 1024

    @pytest.mark.parametrize("method", ["POST", "PUT", "get", "BREW"])
    async def test_getaddr_is_answered_whatever_the_method(
        self, serve: Serve, dial: Dial, method: str
    ) -> None:
        """SPEC §9, PROTOCOL §1: always 200; on a connection that can go on, if there is no body."""
        peer = await dial(await serve())
        for _ in range(2):
            peer.send(f"{method} /getaddr?vid=A HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
            status, headers, body = await peer.answer()
            assert (status, headers["access-control-allow-origin"]) == (200, "*")
            assert json.loads(body)["web"]

    @pytest.mark.parametrize(
        ("head", "kept"),
        [
            ("GET /healthz HTTP/1.1\r\nHost: a", True),
            ("GET http://localhost:1/healthz?x HTTP/1.1\r\nHost: a", True),
            ("GET /%68ealthz HTTP/1.1\r\nHost: a", True),
            ("\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a", True),
            ("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: x, Close", False),
            ("GET /healthz HTTP/1.0", False),
            ("GET /healthz HTTP/1.0\r\nConnection: keep-alive", False),
        ],
    )
    async def test_the_connection_goes_on_if_the_client_wants_it(
        self, serve: Serve, dial: Dial, head: str, kept: bool
    ) -> None:
        """RFC 9112 §9.3."""
        peer = await dial(await serve())
        peer.send(f"{head}\r\n\r\n".encode())
        status, headers, _ = await peer.answer()
        assert (status, headers.get("connection")) == (200, None if kept else "close")
        if not kept:
            assert await peer.end() == b""
            return
        peer.send(get("/metrics"))
        assert (await peer.answer())[2] == b"up 1\n"

    async def test_a_head_is_answered_and_nothing_behind_it(self, serve: Serve, dial: Dial) -> None:
        """RFC 9110 §9.3.2: HEAD has the length of GET, and no content."""
        peer = await dial(await serve())
        peer.send(b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nowhere"))
        assert (await peer.head())[1]["content-length"] == "5"
        assert (await peer.answer())[0] == 404

    async def test_an_idle_connection_ends_as_soon_as_a_slow_head(self, serve: Serve, dial: Dial) -> None:
        """SPEC E5: 10 s behind an answer, whatever comes of the next head meanwhile."""
        edge = await serve(handshake_timeout=10.0)
        idle, slow, busy = await dial(edge), await dial(edge), await dial(edge)
        for peer in (idle, slow, busy):
            peer.send(get("/healthz"))
            assert (await peer.answer())[0] == 200
        for _ in range(9):
            slow.send(b"G")
            await edge.pass_time(1)
        assert edge.listener.connections == 3
        busy.send(get("/healthz"))
        assert (await busy.answer())[0] == 200
        await edge.pass_time(1)
        for peer in (idle, slow):
            await peer.gone()
        assert edge.listener.connections == 1

    async def test_a_peer_that_reads_an_answer_slowly_has_time_for_it_and_not_for_ever(
        self, serve: Serve, dial: Dial
    ) -> None:
        """SPEC E5: it is dropped when it stops reading, and after a minute in any case."""
        edge = await serve(send_buffer=4096, metrics=b"x" * 30_000_000)
        still, slow = await dial(edge, limit=1024), await dial(edge, limit=1024)
        for peer in (still, slow):
            peer.send(get("/metrics"))
            assert (await peer.head())[0] == 200
        seconds = 0
        while edge.listener.connections == 2:
            await slow.reader.readexactly(200_000)
            await edge.pass_time(1)
            seconds += 1
        assert 10 <= seconds <= 21  # what the network took is progress, too
        while edge.listener.connections == 1:
            await slow.reader.readexactly(200_000)
            await edge.pass_time(1)
            seconds += 1
        assert 60 <= seconds <= 71

    async def test_who_asks_without_reading_is_answered_no_more(self, serve: Serve, dial: Dial) -> None:
        """SPEC E5: nor do the answers to a thousand requests in one chunk pile up."""
        edge = await serve(send_buffer=4096, metrics=b"x" * 300_000)
        peer = await dial(edge, limit=1024)
        peer.send(get("/metrics") * 1000)
        await peer.head()
        (doorway,) = edge.listener.registry.doorways
        for _ in range(20):
            await edge.sweeps()
            assert doorway._transport.get_write_buffer_size() < 1_000_000
        for _ in range(20):
            await peer.reader.readexactly(300_000)
            assert (await peer.head())[0] == 200

    async def test_every_request_counts_like_a_connection(self, serve: Serve, dial: Dial) -> None:
        """SPEC L16, E5: one connection cannot ask more of us than many."""
        edge = await serve(connections_per_second=3)
        peer = await dial(edge)
        for wanted in (200, 200, 200, 429):
            peer.send(get("/healthz"))
            assert (await peer.answer())[0] == wanted
        assert await peer.end() == b""

    @pytest.mark.parametrize(
        "junk",
        [
            b"\x16\x03\x01\x02\x00\x01",
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"\x00" * 50,
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n : x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            b"GET  /  HTTP/1.1\r\n\r\n",
            b"GET / HTTP/11\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
            b"HELO there\n",
            b"*1\r\n$4\r\nPING\r\n",
        ],
    )
    async def test_what_is_no_http_is_answered_400(
        self, serve: Serve, dial: Dial, junk: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        edge = await serve()
        peer = await dial(edge)
        peer.send(junk)
        assert (await peer.end()).startswith(b"HTTP/1.1 400 Bad Request")
        peer.writer.close()
        assert "Traceback" not in caplog.text
        await eventually(lambda: edge.listener.connections == 0)

    @pytest.mark.parametrize("seed", range(4))
    async def test_no_junk_is_an_event(
        self, serve: Serve, dial: Dial, seed: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SPEC E5: neither the log nor the loop has anything to say, and the others are served."""
        edge = await serve(connections_per_second=10_000)
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        chance = random.Random(seed)
        for _ in range(150):
            junk = bytearray(b"".join(chance.choices(self.HEADS, k=chance.randint(1, 4))))
            for _ in range(chance.choice((0, 1, 3, 20))):
                at = chance.randrange(len(junk) + 1)
                junk[at : at + chance.choice((0, 1, 30))] = chance.choice((*self.SCRAPS, chance.randbytes(5)))
            peer = await dial(edge)
            cut = chance.randrange(len(junk) + 1)
            peer.send(bytes(junk[:cut]))
            await asyncio.sleep(0)
            peer.send(bytes(junk[cut:]))
            await asyncio.sleep(0)
            chance.choice((peer.writer.close, peer.writer.transport.abort, lambda: None))()
        peer = await dial(edge)
        peer.send(get("/healthz"))
        assert (await peer.answer())[0] == 200
        assert (complaints, caplog.text) == ([], "")

    HEADS = (
        get("/"),
        upgrade() + client_frame(TEXT, b"hello"),
        b"POST /getaddr HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b\x08junk\0\0",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n",
        b'GET /%ff%00%zz/../assets/\xff?\xff HTTP/1.1\r\nIf-None-Match: "\xff"\r\nHost: [::1\r\n\r\n',
        b"HEAD http://[::1/metrics HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        b"GET /signal.js.map HTTP/1.0\r\nConnection: ,,\t,\r\n\r\n",
    )
    SCRAPS = (b"", b"\r\n", b"\n", b"\0", b":", b"\r\n\r\n", b"\xff", b" " * 20_000)

    async def test_another_version_is_told_which_is_spoken(self, serve: Serve, dial: Dial) -> None:
        peer = await dial(await serve())
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert (await peer.answer())[0] == 505
        assert await peer.end() == b""

    async def test_another_upgrade_is_ordinary_http(self, serve: Serve, dial: Dial) -> None:
        peer = await dial(await serve())
        peer.send(
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        )
        assert (await peer.answer())[0] == 200

    async def test_open_connections_are_counted_whatever_they_are(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        peers = [await dial(edge) for _ in range(3)]
        peers[0].send(upgrade())
        peers[1].send(get("/healthz"))
        await peers[0].head()
        await peers[1].answer()
        await eventually(lambda: edge.listener.connections == 3)
        assert edge.listener.websockets == 1


class TestKeptAlive:
    """RFC 9110 §7.8: an upgrade on a kept-alive HTTP connection must work too (proxies do that)."""

    async def test_an_upgrade_after_a_request_becomes_a_websocket(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        peer = await dial(edge)
        for _ in range(3):
            peer.send(get("/healthz"))
            assert (await peer.answer())[0] == 200
        peer.send(FIREFOX)
        status, headers = await peer.head()
        assert (status, headers["sec-websocket-accept"]) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        for size in (1, 200, 60_000):
            peer.frame(TEXT, b"x" * size)
            assert await peer.received() == (TEXT, b"x" * size)
        assert (edge.listener.websockets, edge.listener.connections) == (1, 1)
        peer.frame(CLOSE, closing(1000))
        assert await peer.closing_code() == 1000
        assert await peer.end() == b""
        await eventually(lambda: edge.handlers[0].over)
        assert edge.listener.connections == 0

    async def test_requests_upgrade_and_frames_may_come_in_one_chunk(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        peer = await dial(edge)
        frames = [client_frame(TEXT, b"a"), client_frame(TEXT, b"b" * 70_000, fin=False)]
        peer.send(get("/healthz") + get("/nowhere") + upgrade(path="/x") + frames[0] + frames[1][:5])
        assert [(await peer.answer())[0], (await peer.answer())[0]] == [200, 404]
        assert (await peer.head())[0] == 101
        assert await peer.received() == (TEXT, b"a")

    @pytest.mark.parametrize(
        ("head", "status"),
        [
            (upgrade(Sec_WebSocket_Version="8"), 426),
            (upgrade(Sec_WebSocket_Key="short"), 400),
            (upgrade(without="Connection"), 400),
            (upgrade(method="POST"), 405),
        ],
    )
    async def test_a_wrong_upgrade_is_refused_and_ends_the_connection(
        self, serve: Serve, dial: Dial, head: bytes, status: int
    ) -> None:
        edge = await serve()
        peer = await dial(edge)
        peer.send(get("/healthz"))
        assert (await peer.answer())[0] == 200
        peer.send(head)
        assert (await peer.answer())[0] == status
        assert await peer.end() == b""
        assert edge.handlers == []

    async def test_a_library_upgrades_its_pooled_connection(self, serve: Serve) -> None:
        edge = await serve()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            async with session.get(f"{edge.http}/healthz") as got:
                assert got.status == 200
            async with session.ws_connect(edge.url) as client:
                assert edge.listener.counts.accepted == 1
                await client.send_str("ä" * 100)
                assert await soon(client.receive_str()) == "ä" * 100


# --- TLS --------------------------------------------------------------------------------------


class Certificate(NamedTuple):
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate for 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("certificate")
    openssl = shutil.which("openssl")
    assert openssl is not None, "the tests of TLS need the openssl command"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([openssl, "req", "-x509", *curve, *files, *name], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Certificate(server, ssl.create_default_context(cafile=str(folder / "cert.pem")))


@contextlib.contextmanager
def free_pair() -> Iterator[tuple[int, socket.socket]]:
    """A free port, and a socket bound to the one above it."""
    for _ in range(1000):
        with socket.socket() as below, socket.socket() as above:
            below.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            below.bind(("127.0.0.1", 0))
            port = below.getsockname()[1]
            try:
                above.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            below.close()
            yield port, above
            return
    raise AssertionError("no two neighbouring ports are free")


class TestTls:
    """PROTOCOL §1: plain on P, TLS on P + 1, both the same service."""

    async def test_both_ports_serve_websockets_and_http(self, serve: Serve, certificate: Certificate) -> None:
        edge = await serve(tls=certificate.server)
        assert edge.listener.tls_port == edge.listener.port + 1
        secure = f"wss://127.0.0.1:{edge.listener.tls_port}/"
        for url, tls in ((edge.url, None), (secure, certificate.client)):
            async with connect(url, ssl=tls) as client:
                await client.send("x" * 60_000)
                assert await soon(client.recv()) == "x" * 60_000
        assert [handler.connection.secure for handler in edge.handlers] == [False, True]
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"https://127.0.0.1:{edge.listener.tls_port}/getaddr?vid=A", ssl=certificate.client
            ) as got,
        ):
            found = await got.json(content_type=None)
        assert found["web"] == [["127.0.0.1", edge.listener.port]]
        assert found["wx_web"] == [f"127.0.0.1:{edge.listener.tls_port}/"]

    async def test_a_kept_alive_connection_upgrades_over_tls_too(
        self, serve: Serve, dial: Dial, certificate: Certificate
    ) -> None:
        edge = await serve(tls=certificate.server)
        peer = await dial(edge, tls=certificate.client)
        peer.send(get("/healthz") + get("/healthz") + upgrade() + client_frame(TEXT, b"behind"))
        assert [(await peer.answer())[0], (await peer.answer())[0]] == [200, 200]
        assert (await peer.head())[0] == 101
        assert await peer.received() == (TEXT, b"behind")
        assert (await edge.handler()).connection.secure

    async def test_codes_arrive_over_tls(
        self, serve: Serve, meet: Dial, dial: Dial, certificate: Certificate
    ) -> None:
        edge = await serve(tls=certificate.server)
        for data, code in ((client_frame(CLOSE, closing(4000)), 4000), (client_frame(BINARY), 1003)):
            peer = await meet(edge, tls=certificate.client)
            peer.send(data)
            assert await peer.closing_code() == code
            assert await peer.end() == b""
        peer = await dial(edge, tls=certificate.client)
        peer.send(upgrade(Sec_WebSocket_Version="7"))
        assert (await peer.answer())[0] == 426
        await eventually(lambda: edge.listener.connections == 0)

    async def test_a_slow_consumer_is_dropped_over_tls(
        self, serve: Serve, meet: Dial, certificate: Certificate
    ) -> None:
        edge = await serve(None, tls=certificate.server, outbox_cap=1_000_000, send_buffer=16 * 1024)
        peer = await meet(edge, tls=certificate.client, limit=1024)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        handler = await edge.handler()
        async with asyncio.timeout(PATIENCE):
            while not handler.over:
                handler.connection.send(b"x" * 50_000)
                await edge.sweeps()
        assert edge.listener.counts.slow == 1

    async def test_a_handshake_counts_before_it_is_over(
        self, serve: Serve, dial: Dial, certificate: Certificate
    ) -> None:
        """SPEC L16: for the connections of a second, and for those without a login; the oldest gives way."""
        edge = await serve(tls=certificate.server, guests_per_address=3, connections_per_second=4)
        port = edge.listener.tls_port
        silent = [Peer(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(3)]
        silent[1].send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        await eventually(lambda: edge.listener.guests == 3)
        peer = await dial(edge, tls=certificate.client)
        await silent[0].gone()
        peer.send(upgrade())
        assert (await peer.head())[0] == 101
        refused = await dial(edge)
        refused.send(upgrade())
        assert (await refused.head())[0] == 429
        for other in (*silent, peer):
            other.writer.transport.abort()
        refused.writer.transport.abort()
        await eventually(lambda: edge.listener.connections == 0)
        assert edge.listener.guests == 0

    async def test_who_comes_too_often_is_told_so_over_tls_as_often_and_then_no_more(
        self, serve: Serve, dial: Dial, certificate: Certificate
    ) -> None:
        """SPEC L16, E5: shaking hands only to say no is work, too."""
        edge = await serve(tls=certificate.server, connections_per_second=2)
        for wanted in (200, 200, 429, 429):
            peer = await dial(edge, tls=certificate.client)
            peer.send(get("/healthz"))
            assert (await peer.answer())[0] == wanted
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await dial(edge, tls=certificate.client)
        assert edge.listener.counts.refused == 3
        edge.clock.now += 1.0
        peer = await dial(edge, tls=certificate.client)
        peer.send(get("/healthz"))
        assert (await peer.answer())[0] == 200

    @pytest.mark.parametrize(
        "junk", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x00" * 300]
    )
    async def test_what_is_no_tls_ends_without_a_word_in_the_log(
        self, serve: Serve, certificate: Certificate, junk: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SPEC E5; the loop has nothing to complain about either, and no descriptor is lost."""
        edge = await serve(tls=certificate.server, handshake_timeout=0.2)
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        before = descriptors.in_use()
        peer = Peer(*await asyncio.open_connection("127.0.0.1", edge.listener.tls_port))
        peer.send(junk)
        await peer.gone()
        peer.writer.transport.abort()
        await eventually(lambda: edge.listener.connections == 0 and descriptors.in_use() <= before)
        assert (complaints, caplog.text, edge.listener.guests) == ([], "", 0)

    async def test_without_a_descriptor_it_accepts_again_as_soon_as_there_is_one(
        self, serve: Serve, dial: Dial, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SPEC L16: `accept` fails with EMFILE; that is counted, and the oldest without a login gives way."""
        edge = await serve(tls=certificate.server)
        old = await dial(edge, tls=certificate.client)
        await eventually(lambda: edge.listener.guests == 1)
        accept = socket.socket.accept
        failures = [OSError(errno.EMFILE, "too many"), OSError(errno.ENFILE, "too many")]

        def fail(bound: socket.socket) -> Any:
            if failures:
                raise failures.pop()
            return accept(bound)

        monkeypatch.setattr(socket.socket, "accept", fail)
        peer = await dial(edge, tls=certificate.client)
        peer.send(get("/healthz"))
        assert (await peer.answer())[0] == 200
        await old.gone()
        assert edge.listener.counts.exhausted == 2

    async def test_a_taken_port_above_is_an_error_and_leaves_nothing_bound(
        self, certificate: Certificate
    ) -> None:
        with free_pair() as (port, above):
            above.listen()
            edge = Edge(port=port, tls=certificate.server)
            with pytest.raises(OSError, match=r"."):
                await edge.listener.start()
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            await edge.listener.drain()


# --- the end ----------------------------------------------------------------------------------


class TestDrain:
    """SPEC §9: SIGTERM."""

    async def test_websockets_are_closed_with_1012_behind_what_is_queued(
        self, serve: Serve, meet: Dial
    ) -> None:
        """SPEC §9: and never with a `close` frame of the protocol, which logs originals out."""
        edge = await serve(None)
        async with connect(edge.url) as client:
            handler = await edge.handler()
            handler.connection.send(b"last words")
            draining = asyncio.ensure_future(edge.listener.drain())
            assert await soon(client.recv()) == "last words"
            with pytest.raises(ConnectionClosed) as caught:
                await soon(client.recv())
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012
            await soon(draining)
        assert handler.over
        assert edge.listener.connections == 0

    async def test_who_never_gets_all_his_answers_is_told_all_the_same(
        self, serve: Serve, meet: Dial
    ) -> None:
        """SPEC §9: nothing more is read of him meanwhile; the others do not wait for that."""
        edge = await serve(close_timeout=4.0)
        async with connect(edge.url) as busy, connect(edge.url) as idle:
            first, second = await edge.handler(0), await edge.handler(1)
            first.busy = True
            draining = asyncio.ensure_future(edge.listener.drain())
            await asyncio.sleep(0)
            with contextlib.suppress(ConnectionClosed):
                await busy.send("too late")
            for client in (idle, busy):
                with pytest.raises(ConnectionClosed) as caught:
                    await soon(client.recv())
                assert caught.value.rcvd is not None
                assert caught.value.rcvd.code == 1012
            await soon(draining)
        assert first.texts == second.texts == []

    async def test_nobody_is_accepted_once_it_has_stopped_while_others_go_on(
        self, serve: Serve, dial: Dial, meet: Dial
    ) -> None:
        """SPEC §9: stops accepting first."""
        edge = await serve()
        peer, web = await meet(edge), await dial(edge)
        web.send(get("/healthz"))
        assert (await web.answer())[0] == 200
        edge.listener.stop()
        with pytest.raises(OSError, match=r"."):
            await dial(edge)
        peer.frame(TEXT, b"still served")
        assert await peer.received() == (TEXT, b"still served")
        web.send(get("/readyz"))
        assert (await web.answer())[0] == 503
        web.send(upgrade())
        assert (await web.answer())[0] == 503

    async def test_idle_http_and_unfinished_heads_are_closed_too(self, serve: Serve, dial: Dial) -> None:
        edge = await serve()
        idle, silent, half = await dial(edge), await dial(edge), await dial(edge)
        idle.send(get("/healthz"))
        assert (await idle.answer())[0] == 200
        half.send(upgrade()[:40])
        await eventually(lambda: edge.listener.counts.accepted == 3)
        await soon(edge.listener.drain())
        for peer in (idle, silent, half):
            await peer.gone()
        assert edge.listener.connections == 0

    async def test_whoever_does_not_answer_is_dropped_in_bounded_time(self, serve: Serve, meet: Dial) -> None:
        """SPEC §9: exits within 10 s."""
        edge = await serve(None, close_timeout=0.1, send_buffer=16 * 1024)
        peers = [await meet(edge, limit=1024) for _ in range(5)]
        for handler in edge.handlers:
            handler.connection.send(b"x" * 3_000_000)
        async with asyncio.timeout(PATIENCE):
            await edge.listener.drain()
        assert all(handler.over for handler in edge.handlers)
        for peer in peers:
            await peer.gone()

    async def test_draining_twice_and_draining_what_never_started_are_harmless(self, serve: Serve) -> None:
        edge = await serve()
        await edge.listener.drain()
        await edge.listener.drain()
        await Edge().listener.drain()
