"""What is asked now and then, a statement at a time, apart from the flow of commits and loads."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from signalpost.engine.patience import PATIENCE
from signalpost.engine.ports import Reply, Unavailable
from signalpost.engine.postgres.link import Link, reason

__all__ = ["Errands"]


class Errands:
    """Statements on a connection of their own, one after the other.

    `ask` from any use case: it suspends on a `Reply`.
    """

    def __init__(self, link: Link, *, patience: float = PATIENCE) -> None:
        self._link = link
        self._patience = patience
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self.trips = 0  # made so far
        self._tasks: set[asyncio.Task[None]] = set()  # under way

    async def ask(self, statement: str, *arguments: Any) -> list[Any]:
        """The rows. Raises Unavailable."""
        reply: Reply[list[Any]] = Reply()
        task = self._loop.create_task(self._run(reply, statement, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await reply

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._tasks)

    async def _run(self, reply: Reply[list[Any]], statement: str, arguments: tuple[Any, ...]) -> None:
        rows: list[Any] = []
        error: Unavailable | None = None
        try:
            async with asyncio.timeout(self._patience), self._turn:
                connection = self._link.connection
                if connection is None:
                    raise ConnectionError(self._link.trouble)
                self.trips += 1
                rows = await connection.fetch(statement, *arguments)
        except TimeoutError:
            self._link.drop("no answer")
            error = Unavailable(f"the store has not answered within {self._patience:g} s")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            error = Unavailable(reason(problem))
        if error is None:
            reply.answer(rows)
        else:
            reply.settle(error)
