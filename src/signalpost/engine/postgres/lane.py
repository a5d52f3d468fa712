"""What a node asks of one connection: gathered for a turn of the loop, sent together, one flight at a time.

What comes while a flight is under way goes with the next one. Nobody waits longer than the patience: what has
not been sent is Unavailable then; what has been is Uncertain, and the connection is given up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import asyncpg

from signalpost.engine.patience import PATIENCE
from signalpost.engine.ports import Clock, EngineError, Pending, Unavailable, Uncertain
from signalpost.engine.postgres.link import Connection, Link, reason

__all__ = ["Cargo", "Lane"]

_AGAIN: Final = 5  # times that a flight is repeated which another transaction has stood in the way of

# The server has refused all of it, because of what one of them says: a value out of range, a limit.
_BAD: Final = (
    asyncpg.DataError,
    asyncpg.exceptions.ProgramLimitExceededError,
    OverflowError,
    TypeError,
    ValueError,
)
_AGAINST_OTHERS: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Cargo(Protocol):
    """What travels together."""

    done: Pending  #: settled when there are results, or with what went wrong
    asked: list[Sequence[Any]]  #: what was added
    results: list[tuple[Any, ...] | EngineError]  #: one for each, once there are

    @property
    def statement(self) -> str:
        """What it is sent by."""
        ...

    @property
    def full(self) -> bool:
        """Whether what comes should go into another."""
        ...

    def add(self, asked: Sequence[Any]) -> int:
        """Take something in; its number, from 0."""
        ...

    def arguments(self, now: float | None) -> tuple[Any, ...]:
        """What the statement is given; `now`: None for the server's time."""
        ...

    def settle(self, rows: Sequence[Any]) -> None:
        """Have results, and tell who waits."""
        ...


C = TypeVar("C", bound=Cargo)


class Lane(Generic[C]):
    """One connection's flights. `ask` from any use case; it suspends on a `Pending`."""

    def __init__(
        self, link: Link, load: Callable[[], C], *, clock: Clock | None = None, patience: float = PATIENCE
    ) -> None:
        """`load`: makes an empty cargo. `clock`: whose time the server is told, None for its own."""
        self._link = link
        self._load = load
        self._clock = clock
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[C] = deque()  # what has not been sent, the oldest first; the last one is loaded
        self._flying: C | None = None  # what is under way
        self._timers: dict[int, asyncio.TimerHandle] = {}  # until when each cargo is waited for, by its id
        self._called = False  # `_fly` will be called in this turn
        self.trips = 0  # made so far
        self._flights: set[asyncio.Task[None]] = set()  # at most one; and one that was given up
        link.when_up.append(self._fly)

    async def ask(self, asked: Sequence[Any]) -> tuple[Any, ...]:
        """Have it travel; what comes of it. Raises what the cargo finds, Unavailable, Uncertain."""
        cargo = self._waiting[-1] if self._waiting else None
        if cargo is None or cargo.full:
            cargo = self._load()
            self._waiting.append(cargo)
            self._timers[id(cargo)] = self._loop.call_later(self._patience, self._overdue, cargo)
        number = cargo.add(asked)
        if not self._called:
            self._called = True
            self._loop.call_soon(self._begin)
        await cargo.done
        result = cargo.results[number]
        if isinstance(result, EngineError):
            raise result
        return result

    def under_way(self) -> list[C]:
        """What was asked and not answered yet, the oldest first."""
        return [*([] if self._flying is None else [self._flying]), *self._waiting]

    def close(self) -> None:
        """Tell whoever still waits."""
        for cargo in self.under_way():
            self._fail(cargo, Unavailable("the server stops"))
        self._waiting.clear()

    def _begin(self) -> None:
        self._called = False
        self._fly()

    def _fly(self) -> None:
        connection = self._link.connection
        if self._flying is not None or not self._waiting or connection is None:
            return
        self._flying = cargo = self._waiting.popleft()
        flight = self._loop.create_task(self._flight(cargo, connection))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _flight(self, cargo: C, connection: Connection) -> None:
        try:
            rows = await self._send(cargo, connection)
        except _BAD as error:
            await self._one_by_one(cargo, connection, error)
        except Exception as error:
            self._fail(cargo, _verdict(error, self._link))
        else:
            if not cargo.done.settled:
                self._land(cargo)
                cargo.settle(rows)
        if self._flying is cargo:
            self._flying = None
            self._fly()

    async def _send(self, cargo: C, connection: Connection) -> Sequence[Any]:
        now = None if self._clock is None else self._clock()
        for left in reversed(range(_AGAIN)):
            self.trips += 1
            try:
                return await connection.fetch(cargo.statement, *cargo.arguments(now))
            except _AGAINST_OTHERS:
                if not left:
                    raise
        raise AssertionError

    async def _one_by_one(self, cargo: C, connection: Connection, error: Exception) -> None:
        """Have each of them travel alone, so that only the one fails that cannot."""
        if len(cargo.asked) == 1 or cargo.done.settled:
            self._fail(cargo, Unavailable(reason(error)))
            return
        results: list[tuple[Any, ...] | EngineError] = []
        for asked in cargo.asked:
            alone = self._load()
            alone.add(asked)
            try:
                alone.settle(await self._send(alone, connection))
                results += alone.results
            except _BAD as bad:
                results.append(Unavailable(reason(bad)))
            except Exception as bad:
                results.append(_verdict(bad, self._link))
        if not cargo.done.settled:
            self._land(cargo)
            cargo.results[:] = results
            cargo.done.settle()

    def _overdue(self, cargo: C) -> None:
        del self._timers[id(cargo)]
        if cargo is self._flying:
            self._flying = None
            cargo.done.settle(Uncertain(f"the store has not answered within {self._patience:g} s"))
            self._link.drop("no answer")
        elif cargo in self._waiting:
            self._waiting.remove(cargo)
            cargo.done.settle(Unavailable(self._link.trouble or "the store is too slow"))

    def _fail(self, cargo: C, error: EngineError) -> None:
        if not cargo.done.settled:
            self._land(cargo)
            cargo.done.settle(error)

    def _land(self, cargo: C) -> None:
        timer = self._timers.pop(id(cargo), None)
        if timer is not None:
            timer.cancel()


def _verdict(error: Exception, link: Link) -> Unavailable:
    """What a failed flight means for those on it."""
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        link.drop("it takes no writes any more")
        return Unavailable(reason(error))
    if isinstance(error, asyncpg.QueryCanceledError) or (
        isinstance(error, asyncpg.PostgresError)
        and not isinstance(
            error, asyncpg.PostgresConnectionError | asyncpg.exceptions.OperatorInterventionError
        )
    ):
        return Unavailable(reason(error))  # it says that it has undone all of it
    return Uncertain(reason(error))
