"""One connection to the database that takes writes, made anew whenever it is gone.

It knows hosts, sessions and their settings. It refuses to know what is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from signalpost.engine.failures import StoreError
from signalpost.engine.patience import PATIENCE
from signalpost.engine.postgres.address import Address
from signalpost.engine.postgres.schema import FUNCTIONS, TABLES

__all__ = ["Connection", "Link", "reason"]

Connection: TypeAlias = "asyncpg.Connection[Any]"

Greet = Callable[[Connection], Awaitable[None]]
"""What is done on a new connection before it is used. Raises StoreError if it may not be used."""

_FIRST_PAUSE: Final = 0.05  # seconds between two attempts, doubling
_LONGEST_PAUSE: Final = 1.0

# Small tables that nobody has analyzed yet would be read through, and a plan that is kept would stay so:
# every statement here is to go by an index. For what takes longer than the time-out nobody waits any more.
_SETTINGS: Final = {
    "application_name": "signalpost",
    "search_path": f"{FUNCTIONS},{TABLES}",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "statement_timeout": "5s",
    "client_min_messages": "error",
    "timezone": "UTC",
}


def reason(error: BaseException) -> str:
    """An error as a few words, which tell no password."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


class Link:
    """The connection. `open` makes it for the first time, and then it is kept until `close`."""

    def __init__(self, address: Address, greet: Greet, *, patience: float = PATIENCE) -> None:
        self._address = address
        self._greet = greet
        self._patience = patience  # seconds that an attempt may take, per host
        self._keeping: asyncio.Task[None] | None = None  # set from `open` to `close`
        self._lost = asyncio.Event()  # the connection is of no use any more
        self.connection: Connection | None = None  # if there is one that can be used
        self.trouble = ""  # why there is none
        self.when_up: list[Callable[[], None]] = []  # whom to call whenever there is a new one

    async def open(self) -> None:
        """Connect; raises StoreError if that fails."""
        self.connection = await self._connect()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Let go of it."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self.connection is not None:
            self.connection.terminate()
            self.connection = None

    def drop(self, why: str) -> None:
        """Have another one made, as this one does not answer or may not be asked."""
        if self.connection is not None:
            self.trouble = why
            self.connection.terminate()
            self._lose()

    def _lose(self) -> None:
        self.connection = None
        self.trouble = self.trouble or "the connection was lost"
        self._lost.set()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._lost.wait()
            try:
                self.connection = await self._connect()
            except StoreError as error:
                self.trouble = str(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            self.trouble = ""
            for call in self.when_up:
                call()

    async def _connect(self) -> Connection:
        """Of its hosts the first that takes writes. Raises StoreError."""
        self._lost.clear()
        failures = []
        for url in self._address.urls:
            connection: Connection | None = None
            try:
                async with asyncio.timeout(self._patience):
                    connection = await asyncpg.connect(
                        url, server_settings=_SETTINGS, target_session_attrs=SessionAttribute.read_write
                    )
                    await self._greet(connection)
            except StoreError:
                if connection is not None:
                    connection.terminate()
                raise
            except (
                OSError,
                TimeoutError,
                ValueError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
            ) as error:
                if connection is not None:
                    connection.terminate()
                failures.append(reason(error))
                continue
            connection.add_termination_listener(self._lose_if(connection))
            if not connection.is_closed():
                return connection
            failures.append("the connection was lost")
        raise StoreError(f"cannot use {self._address.shown}: {'; '.join(dict.fromkeys(failures))}")

    def _lose_if(self, connection: Connection) -> Callable[[object], None]:
        def lost(_: object) -> None:
            if self.connection is connection:
                self._lose()

        return lost
