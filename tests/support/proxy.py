"""Ways through which everything between clients, nodes and stores goes, and that a test can interrupt.

All ways of a process live on one thread of their own, so that any test can use them, with a loop or without.
A silent way is a broken cable: what is under way waits, and nobody is told. One that refuses is a machine
that is there while its program is not.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Self, cast

import uvloop

__all__ = ["Proxy"]

_PATIENCE = 2.0  # seconds within which a target has to take a connection

Address = tuple[str, int] | str  # host and port, or the path of a socket


class _State(Enum):
    OPEN = "open"
    SILENT = "silent"  # nothing passes, and nothing is lost
    REFUSED = "refused"  # no connection is to be had


class _Pipe(asyncio.Protocol):
    """One end of a connection."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.other: _Pipe | None = None  # the other end, once it is there
        self.transport: asyncio.Transport | None = None  # while it is open
        self.waiting: list[bytes] = []  # what came before the other end was there
        self.full = False  # the other end has more than it can pass on
        self.halted = False  # nothing is read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.proxy.pipes.add(self)
        self.flow()

    def data_received(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.waiting.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.proxy.pipes.discard(self)
        if self.other is not None and self.other.transport is not None:
            if exc is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.full = True
            self.other.flow()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.full = False
            self.other.flow()

    def flow(self) -> None:
        """Read, or not, as things are now."""
        if self.transport is None:
            return
        halted = self.full or self.proxy.state is _State.SILENT
        if halted != self.halted:
            self.halted = halted
            (self.transport.pause_reading if halted else self.transport.resume_reading)()

    def meet(self, other: _Pipe) -> None:
        """The other end is there."""
        self.other, other.other = other, self
        assert other.transport is not None
        for data in self.waiting:
            other.transport.write(data)
        self.waiting.clear()
        if self.transport is None:
            other.transport.close()
            return
        for data in other.waiting:  # who speaks first may have done so already
            self.transport.write(data)
        other.waiting.clear()


class _Front(_Pipe):
    """The end of who has connected."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.proxy.state is _State.REFUSED:
            assert self.transport is not None
            self.transport.abort()
            return
        self.task = asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        await self.proxy.flowing.wait()
        for target in self.proxy.order():
            back = _Pipe(self.proxy)
            try:
                async with asyncio.timeout(_PATIENCE):
                    if isinstance(target, str):
                        await loop.create_unix_connection(lambda: back, target)  # noqa: B023
                    else:
                        await loop.create_connection(lambda: back, *target)  # noqa: B023
            except (OSError, TimeoutError):
                continue
            self.meet(back)
            return
        if self.transport is not None:
            self.transport.abort()


class Proxy:
    """Listens on a port of its own, and passes on to its targets by turns, leaving out who takes nothing."""

    def __init__(self, targets: Iterable[Address] = (), *, port: int = 0) -> None:
        self.targets = list(targets)  # may be changed at any time
        self.made = 0  # connections that ever came
        # What follows belongs to the thread of all proxies.
        self.state = _State.OPEN
        self.pipes: set[_Pipe] = set()  # the ends of all connections
        self.flowing = asyncio.Event()  # new connections are passed on
        self._turn = 0  # whose it is
        self._server: asyncio.Server | None = None  # from the start to the close
        listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.port: int = listener.getsockname()[1]
        _thread().run(self._start(listener))

    # --- what a test does to it -------------------------------------------------------------------

    def reset(self) -> None:
        """All connections are lost; new ones may come."""
        self._do(self._drop)

    def refuse(self) -> None:
        """All connections are lost, and no new one is to be had."""
        self._do(lambda: self._turn_to(_State.REFUSED))

    def silence(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._do(lambda: self._turn_to(_State.SILENT))

    def open(self) -> None:
        """Everything passes; what waited goes on."""
        self._do(lambda: self._turn_to(_State.OPEN))

    def close(self) -> None:
        """The end."""

        async def end() -> None:
            assert self._server is not None
            self._server.close()
            self.flowing.set()
            self._drop()

        _thread().run(end())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- on the thread ----------------------------------------------------------------------------

    def order(self) -> list[Address]:
        """The targets, the one whose turn it is first."""
        targets = list(self.targets)
        if not targets:
            return []
        self.made += 1
        self._turn = (self._turn + 1) % len(targets)
        return targets[self._turn :] + targets[: self._turn]

    def _do(self, deed: Callable[[], None]) -> None:
        async def do() -> None:
            deed()

        _thread().run(do())

    async def _start(self, listener: socket.socket) -> None:
        self.flowing.set()
        self._server = await asyncio.get_running_loop().create_server(lambda: _Front(self), sock=listener)

    def _turn_to(self, state: _State) -> None:
        self.state = state
        if state is _State.SILENT:
            self.flowing.clear()
        else:
            self.flowing.set()
        if state is _State.REFUSED:
            self._drop()
        for pipe in self.pipes:
            pipe.flow()

    def _drop(self) -> None:
        for pipe in list(self.pipes):
            if pipe.transport is not None:
                pipe.transport.abort()


class _Thread:
    """The loop of all proxies of a process."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True).start()

    def run(self, work: object) -> None:
        """Have it done there, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)  # type: ignore[arg-type]


_the: list[_Thread] = []


def _thread() -> _Thread:
    if not _the:
        _the.append(_Thread())
    return _the[0]
