"""What is asked now and then, a statement at a time, apart from the flow of commits and loads."""

from __future__ import annotations

import asyncio
from typing import Any

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
        # Not by a cancel: the driver would ask the server to stop, and wait for its answer.
        late = self._loop.call_later(self._patience, self._overdue, reply)
        reply.when_settled(late.cancel)
        task = self._loop.create_task(self._run(reply, statement, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await reply

    async def _run(self, reply: Reply[list[Any]], statement: str, arguments: tuple[Any, ...]) -> None:
        async with self._turn:
            if reply.settled:
                return
            try:
                connection = self._link.connection
                if connection is None:
                    raise ConnectionError(self._link.trouble)
                self.trips += 1
                rows = await connection.fetch(statement, *arguments)
            except Exception as problem:  # whatever it is, nobody is told that it succeeded
                if not reply.settled:
                    reply.settle(Unavailable(reason(problem)))
            else:
                if not reply.settled:
                    reply.answer(rows)

    def _overdue(self, reply: Reply[list[Any]]) -> None:
        reply.settle(Unavailable(f"the store has not answered within {self._patience:g} s"))
        self._link.drop("no answer")
