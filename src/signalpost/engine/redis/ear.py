"""What a node is told: one channel of the store's, over a connection of its own that is made again and again.

What is published while there is none is lost: whoever is told that the node listens anew looks what that was.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from signalpost.engine.redis.address import Address
from signalpost.engine.redis.link import Lost, connected

__all__ = ["Ear"]

_log = structlog.get_logger("signalpost")

_PAUSE: Final = 0.3  # seconds between two attempts, about
_ALIVE: Final = 1.5  # seconds between two signs of life that the store is asked for
_DEAF: Final = 4.0  # seconds without any after which the connection is made anew

_decode: Final = msgspec.msgpack.Decoder().decode


class Ear:
    """Listens to the channel of a node."""

    __slots__ = ("_address", "_channel", "_hear", "_listens", "_on_return", "_task")

    def __init__(
        self, address: Address, me: str, *, hear: Callable[[list[Any]], None], on_return: Callable[[], None]
    ) -> None:
        """`hear` is given each notice; `on_return` is called whenever it listens anew."""
        self._address = address
        self._channel = f"sp:node:{me}"
        self._hear = hear
        self._on_return = on_return
        self._listens = asyncio.Event()
        self._task: asyncio.Task[None] | None = None  # while it is open

    def open(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def ready(self, seconds: float) -> bool:
        """Wait until it listens; whether it does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._listens.wait()
        return self._listens.is_set()

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                async with connected(self._address) as connection:
                    await self._listen(connection)
            except (Lost, RedisError, OSError, TimeoutError) as error:
                self._parted(str(error))
            except Exception as error:  # whatever it is, a node must not stay deaf
                _log.error("listening to the shared store failed", exc_info=error)
                self._parted(str(error))
            await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))

    async def _listen(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        await connection.send_command("SUBSCRIBE", self._channel, check_health=False)
        alive = loop.create_task(_ask_for_life(connection))
        try:
            while True:
                async with asyncio.timeout(_DEAF):
                    message = await connection.read_response(timeout=float("inf"))
                match message:
                    case [b"message", _, notices]:
                        self._take(notices)
                    case [b"subscribe", *_]:
                        self._listens.set()
                        self._on_return()
        finally:
            alive.cancel()

    def _parted(self, reason: str) -> None:
        if self._listens.is_set():
            _log.warning("notices of the shared store are away", reason=reason)
        self._listens.clear()

    def _take(self, notices: bytes) -> None:
        for notice in _decode(notices):
            try:
                self._hear(notice)
            except Exception as error:  # one that is not understood must not lose the others
                handler = asyncio.get_running_loop().call_exception_handler
                handler({"message": "a notice failed", "exception": error})


async def _ask_for_life(connection: AbstractConnection) -> None:
    with contextlib.suppress(RedisError, OSError):  # then its reader fails, too
        while True:
            await asyncio.sleep(_ALIVE)
            await connection.send_command("PING", check_health=False)
