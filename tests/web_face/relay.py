"""A TCP relay between client and server that can be cut, closed, and made deaf."""

from __future__ import annotations

import asyncio
from contextlib import suppress

__all__ = ["Relay"]


class Relay:
    """It listens on one port from `open` to `close`; after another `open`, on the same one."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._port = 0  # its own, from the first `open` on
        self._server: asyncio.Server | None = None  # while it accepts
        self._writers: set[asyncio.StreamWriter] = set()  # both ends of all connections
        self._tasks: set[asyncio.Task[None]] = set()
        self.asked = 0  # bytes that clients have sent
        self._answers = asyncio.Event()  # set while what the server says is passed on
        self._answers.set()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self._port}/"

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break all connections; new ones are accepted."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for _ in range(5):  # transports say goodbye in the turns behind their end
            await asyncio.sleep(0)

    def hold(self) -> None:
        """Keep back what the server says from now on."""
        self._answers.clear()

    def release(self) -> None:
        """Pass on what was kept back."""
        self._answers.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        with suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(back)
            pumps = [
                asyncio.ensure_future(self._pump(reader, back)),
                asyncio.ensure_future(self._pump(there, writer, self._answers)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
            back.transport.abort()
            self._writers.discard(back)
        writer.transport.abort()
        self._writers.discard(writer)
        self._tasks.discard(task)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        gate: asyncio.Event | None = None,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if gate is None:
                    self.asked += len(data)
                else:
                    await gate.wait()
                writer.write(data)
                await writer.drain()
