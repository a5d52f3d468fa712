"""The ways of a test, with which faults are made, do what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from support.proxy import Proxy


@asynccontextmanager
async def echo(name: str) -> AsyncIterator[int]:
    """A server that says its name, and then everything that it is told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{name}\n".encode())
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    talking: set[asyncio.Task[None] | None] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        with suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
    for task in talking:
        if task is not None:
            await task


class Link:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), 20)


@asynccontextmanager
async def linked(port: int) -> AsyncIterator[Link]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Link(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_each_connection_goes_to_the_next_target() -> None:
    async with echo("a") as a, echo("b") as b:
        with Proxy([("127.0.0.1", a), ("127.0.0.1", b)]) as proxy:
            names = set()
            for _ in range(2):
                async with linked(proxy.port) as link:
                    names.add(await link.read(2))
            assert names == {b"a\n", b"b\n"}


async def test_a_target_that_is_not_there_is_left_out() -> None:
    async with echo("gone") as gone:
        pass
    async with echo("a") as a:
        with Proxy([("127.0.0.1", gone), ("127.0.0.1", a)]) as proxy:
            for _ in range(2):
                async with linked(proxy.port) as link:
                    assert await link.read(2) == b"a\n"


async def test_what_waits_while_it_is_silent_passes_later() -> None:
    async with echo("a") as a:
        with Proxy([("127.0.0.1", a)]) as proxy:
            async with linked(proxy.port) as link:
                assert await link.read(2) == b"a\n"
                proxy.silence()
                async with linked(proxy.port) as other:
                    link.writer.write(b"x" * 1_000_000)
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(link.reader.readexactly(1), 0.2)
                    proxy.open()
                    assert await link.read(1_000_000) == b"x" * 1_000_000
                    assert await other.read(2) == b"a\n"


async def test_refused_and_open_again() -> None:
    async with echo("a") as a:
        with Proxy([("127.0.0.1", a)]) as proxy:
            async with linked(proxy.port) as link:
                assert await link.read(2) == b"a\n"
                proxy.refuse()
                with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                    await link.read(1)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                async with linked(proxy.port) as link:
                    await link.read(1)
            proxy.open()
            async with linked(proxy.port) as link:
                assert await link.read(2) == b"a\n"
