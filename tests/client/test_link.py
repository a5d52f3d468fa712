"""One WebSocket of a client, and a server that means harm (client/link.py)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from websockets.utils import accept_key

from signalpost.client.link import Link

MOST = 8 * 1024 * 1024
TEXT, MORE, LAST, PING = b"\x01", b"\x00", b"\x80", b"\x89\x00"


class Listener:
    """Keeps what a link tells."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()

    def link_opened(self, link: Link) -> None:
        self.told.put_nowait("opened")

    def link_received(self, link: Link, texts: list[bytes | bytearray | memoryview]) -> None:
        for text in texts:
            self.told.put_nowait(bytes(text).decode() if len(text) < 100 else f"{len(text)} bytes")

    def link_lost(self, link: Link, reason: str) -> None:
        self.told.put_nowait(f"lost: {reason}")

    async def next(self) -> str:
        async with asyncio.timeout(10):
            return await self.told.get()


@contextlib.asynccontextmanager
async def linked(
    say: Callable[[asyncio.StreamWriter], None], header: str = ""
) -> AsyncIterator[tuple[Link, Listener, asyncio.Event]]:
    """A link to a server that answers the handshake, with one more header, and then says that; the event is
    set when it has an answer."""
    answered, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "extensions" not in request.lower()
        key = next(line[19:] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{header}"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
        )
        say(writer)
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
            answered.set()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        gone.set()

    listener = Listener()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        link = Link(listener)
        link.open(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", None)
        try:
            yield link, listener, answered
        finally:
            link.close()
            async with asyncio.timeout(10):
                await gone.wait()


def frame(head: bytes, size: int) -> bytes:
    """A frame's beginning, and so many bytes."""
    return head + b"\x7f" + size.to_bytes(8) + b"x" * size


async def test_a_message_of_8_mib_comes() -> None:
    """PROTOCOL §14, turned round."""
    async with linked(lambda writer: writer.write(frame(b"\x81", MOST))) as (_, listener, _):
        assert await listener.next() == "opened"
        assert await listener.next() == f"{MOST} bytes"


async def test_a_message_that_is_announced_to_be_longer_costs_the_connection() -> None:
    """SPEC E5, turned round: before any of it came."""
    huge = b"\x81\x7f" + (MOST + 1).to_bytes(8)
    async with linked(lambda writer: writer.write(huge)) as (_, listener, _):
        assert await listener.next() == "opened"
        assert f"exceeds limit of {MOST} bytes" in await listener.next()


async def test_fragments_that_are_longer_together_cost_the_connection() -> None:
    """SPEC E5, turned round."""
    half = MOST // 2
    parts = frame(TEXT, half) + frame(MORE, half) + frame(MORE, 1)
    async with linked(lambda writer: writer.write(parts)) as (_, listener, _):
        assert await listener.next() == "opened"
        assert f"exceeds limit of {MOST} bytes" in await listener.next()


async def test_fragments_of_nothing_take_no_memory() -> None:
    """SPEC E5, turned round: however many there are."""
    parts = TEXT + b"\x02he" + (MORE + b"\x00") * 100_000 + PING
    async with linked(lambda writer: writer.write(parts)) as (link, listener, answered):
        assert await listener.next() == "opened"
        async with asyncio.timeout(30):
            await answered.wait()  # the pong: all was read
        assert len(link._fragments) == 2


async def test_fragments_become_one_message() -> None:
    """RFC 6455 §5.4: with a ping between them; and the next message is another."""
    parts = TEXT + b"\x02he" + PING + MORE + b"\x00" + LAST + b"\x03llo" + b"\x81\x02ho"
    async with linked(lambda writer: writer.write(parts)) as (_, listener, _):
        assert [await listener.next() for _ in range(3)] == ["opened", "hello", "ho"]


async def test_compression_is_not_accepted() -> None:
    """SPEC E5, turned round: nothing is inflated; a server that begins it all the same is none."""
    header = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    async with linked(lambda writer: None, header) as (_, listener, _):
        assert (await listener.next()).startswith("lost: refused: ")
