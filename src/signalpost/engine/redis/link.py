"""One connection to the store: made, recognised, and asked to run the program.

It knows what the library raises, and which of it means that nothing was done. It refuses to know what is
asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from signalpost.engine.patience import PATIENCE
from signalpost.engine.redis.address import Address
from signalpost.engine.redis.program import PROGRAM, PROGRAM_ID

__all__ = ["Link", "LinkError", "Lost", "Refused", "connected", "linked"]

_ATTEMPT: Final = 1.0  # seconds that it may take to connect, and again to see to whom

# LinkError
# ├── Lost       the connection is of no use any more; what it was asked may have been done
# └── Refused    the store has done nothing, and says why


class LinkError(Exception):
    """The store could not be asked; the text says why, and has no secret."""


class Lost(LinkError):
    """There is no connection (any more)."""


class Refused(LinkError):
    """Nothing was done. `elsewhere`: this server is not the one to ask."""

    def __init__(self, reason: str, *, elsewhere: bool = False) -> None:
        super().__init__(reason)
        self.elsewhere = elsewhere


_REFUSALS = ("LATE", "MISCONF", "NOREPLICAS", "MASTERDOWN", "BUSY", "CLUSTERDOWN")
_OTHER_SERVER = ("MASTERDOWN", "CLUSTERDOWN")


@contextlib.asynccontextmanager
async def connected(address: Address) -> AsyncIterator[AbstractConnection]:
    """A connection to the primary, made or given up soon. Raises Lost."""
    connection: AbstractConnection | None = None
    try:
        with _losing():
            async with asyncio.timeout(_ATTEMPT):
                connection = await address.connection(seconds=PATIENCE)
                await connection.connect()  # type: ignore[no-untyped-call]
        yield connection
    finally:
        if connection is not None:
            with contextlib.suppress(RedisError, OSError):
                await connection.disconnect(nowait=True)


@contextlib.asynccontextmanager
async def linked(address: Address) -> AsyncIterator[Link]:
    """A link to a primary that has the program. Raises Lost."""
    async with connected(address) as connection:
        link = Link(connection)
        with _losing():
            async with asyncio.timeout(_ATTEMPT):
                await link.begin()
        yield link


@contextlib.contextmanager
def _losing() -> Iterator[None]:
    """What goes wrong in here is that there is no connection."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Lost(_reason(error)) from error


class Link:
    """A connection that runs the program. `run`: the name of this run of the server."""

    __slots__ = ("_connection", "run")

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self.run = ""

    async def begin(self) -> None:
        """See whom this is connected to. Raises RedisError, Lost."""
        facts = _facts(await self._ask("INFO", "server")) | _facts(await self._ask("INFO", "replication"))
        self.run = facts.get("run_id", "")
        if facts.get("role") != "master":
            raise Lost("this server is a replica")
        await self._ask("SCRIPT LOAD", PROGRAM)

    async def call(self, arguments: Sequence[bytes]) -> bytes:
        """Run the program once; its answer. Raises Lost, Refused, LinkError."""
        try:
            try:
                answer = await self._ask("EVALSHA", PROGRAM_ID, "0", *arguments)
            except NoScriptError:  # somebody has cleared them
                answer = await self._ask("EVAL", PROGRAM, "0", *arguments)
        except (ReadOnlyError, BusyLoadingError) as error:
            raise Refused(_reason(error), elsewhere=True) from error
        except (NoPermissionError, OutOfMemoryError) as error:
            raise Refused(_reason(error)) from error
        except ResponseError as error:
            code = str(error).partition(" ")[0]
            if code in _REFUSALS:
                raise Refused(_reason(error), elsewhere=code in _OTHER_SERVER) from error
            raise LinkError(_reason(error)) from error
        except (RedisError, OSError, TimeoutError) as error:
            raise Lost(_reason(error)) from error
        assert isinstance(answer, bytes)
        return answer

    async def _ask(self, *command: Any) -> Any:
        await self._connection.send_command(*command, check_health=False)
        return await self._connection.read_response()


def _facts(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines())
    return {name: value for name, _, value in lines}


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
