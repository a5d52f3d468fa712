"""One connection to the database that takes writes, made anew whenever it is gone.

It knows hosts, sessions and their settings. It refuses to know what is asked.
"""

from __future__ import annotations

import asyncio
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
_CLOSING: Final = 0.5  # seconds that its end may take

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
        self._connection: Connection | None = None  # if there is one that can be used
        self._guest: Connection | None = None  # one that is being greeted
        self.trouble = ""  # why there is none
        self.when_up: list[Callable[[], None]] = []  # whom to call whenever there is a new one

    @property
    def connection(self) -> Connection | None:
        """What can be used at present."""
        if self._connection is not None and self._connection.is_closed():  # which nobody was told
            self._lose()
        return self._connection

    async def open(self) -> None:
        """Connect; raises StoreError if that fails."""
        self._connection = await self._connect()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Let go of it."""
        if self._keeping is not None:
            if self._guest is not None:
                self._guest.terminate()
            self._keeping.cancel()
            await asyncio.wait([self._keeping], timeout=_CLOSING)
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def drop(self, why: str) -> None:
        """Have another one made, as this one does not answer or may not be asked."""
        if self._connection is not None:
            self.trouble = why
            self._connection.terminate()
            self._lose()

    def _lose(self) -> None:
        self._connection = None
        self.trouble = self.trouble or "the connection was lost"
        self._lost.set()

    async def _keep(self) -> None:
        while True:
            await self._lost.wait()
            self._connection = await self._persist()
            self.trouble = ""
            for call in self.when_up:
                call()

    async def _persist(self) -> Connection:
        """Connect, however often it takes."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._connect()
            except StoreError as error:
                self.trouble = str(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _connect(self) -> Connection:
        """Of its hosts the first that takes writes. Raises StoreError."""
        self._lost.clear()
        failures = []
        for url in self._address.urls:
            try:
                async with asyncio.timeout(self._patience):
                    connection = await asyncpg.connect(
                        url, server_settings=_SETTINGS, target_session_attrs=SessionAttribute.read_write
                    )
                await self._welcome(connection)
            except StoreError:
                raise
            except Exception as error:  # whatever it is, another host may do, or the same one later
                failures.append(reason(error))
            else:
                return connection
        raise StoreError(f"cannot use {self._address.shown}: {'; '.join(dict.fromkeys(failures))}")

    async def _welcome(self, connection: Connection) -> None:
        """Greet it, for no longer than the patience; then it is watched."""
        # Not by a cancel: the driver would ask the server to stop, and wait for its answer.
        late = asyncio.get_running_loop().call_later(self._patience, connection.terminate)
        self._guest = connection
        try:
            await self._greet(connection)
            connection.add_termination_listener(self._lose_if(connection))
            if connection.is_closed():
                raise ConnectionError("the connection was lost")
        except BaseException:
            connection.terminate()
            raise
        finally:
            late.cancel()
            self._guest = None

    def _lose_if(self, connection: Connection) -> Callable[[object], None]:
        def lost(_: object) -> None:
            if self._connection is connection:
                self._lose()

        return lost
