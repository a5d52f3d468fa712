"""Letting go of what is over: a small piece at a time, by the steps that all others go by.

What is over is looked for on a connection apart; what is done about it travels with the node's commits, so
that it holds the stripes of what it touches. All nodes do it: what one has done the others do not find.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from signalpost.engine.ports import Clock, Unavailable
from signalpost.engine.postgres.batch import ForgetQueue, ForgetRecord, ForgetTopic, Purge, Settle
from signalpost.engine.postgres.errands import Errands

__all__ = ["Upkeep"]

_PIECE: Final = 200  # queues, records, topics that one piece lets go of

_RECORDS: Final = f"SELECT key FROM records WHERE expires <= instant($1) ORDER BY expires LIMIT {_PIECE}"
_ITEMS: Final = f"""
SELECT DISTINCT queue
FROM (SELECT queue FROM items WHERE expires <= instant($1) ORDER BY expires LIMIT {_PIECE}) i
"""
_QUEUES: Final = f"""
SELECT key, items = 0 AND touched <= instant($1) - $2 FROM queues WHERE key > $3 ORDER BY key LIMIT {_PIECE}
"""
_TOPICS: Final = f"""
SELECT topic, touched <= instant($1) - $2 FROM topics WHERE topic > $3 ORDER BY topic LIMIT {_PIECE}
"""
_SOURCES: Final = f"SELECT key FROM sources WHERE key > $1 ORDER BY key LIMIT {_PIECE}"
_CHARGES: Final = f"SELECT key FROM charges WHERE key > $1 ORDER BY key LIMIT {_PIECE}"
_LEFT: Final = f"""
SELECT DISTINCT queue
FROM (SELECT queue FROM items WHERE slot = $1 AND queue > $2 ORDER BY queue LIMIT {_PIECE}) i
ORDER BY queue
"""


class Upkeep:
    """All that lets go. `sweep` does a piece of it."""

    def __init__(
        self,
        errands: Errands,
        commit: Callable[..., Awaitable[Any]],
        *,
        clock: Clock | None,
        idle_seconds: float,
    ) -> None:
        self._errands = errands
        self._commit = commit
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._reached: dict[str, bytes] = {}  # by statement: how far a walk through a table has come

    async def sweep(self) -> int:
        """See to a piece of all; how much has gone: 0 if nothing is over any more."""
        now = None if self._clock is None else self._clock()
        gone = 0
        for statement, step in ((_RECORDS, ForgetRecord), (_ITEMS, Purge)):
            keys = [row[0].decode() for row in await self._errands.ask(statement, now)]
            gone += len(keys)
            if keys:
                await self._commit(*[step(key) for key in keys])
        [[passing]] = await self._errands.ask("SELECT sweep_passing($1)", now)
        count: int = passing
        gone += count
        for statement, forget in ((_QUEUES, ForgetQueue), (_TOPICS, ForgetTopic)):
            rows = await self._walk(statement, now, self._idle_seconds)
            idle = [row[0].decode() for row in rows if row[1]]
            if idle:
                await self._commit(*[forget(key, self._idle_seconds) for key in idle])
        for table, statement in (("sources", _SOURCES), ("charges", _CHARGES)):
            keys = [row[0] for row in await self._walk(statement)]
            if keys:
                await self._errands.ask(f"SELECT forget_{table}($1)", keys)
        await self._empty_slots(now)
        return gone

    async def _walk(self, statement: str, *arguments: Any) -> list[Any]:
        """The next piece of a table, from its beginning again after its end."""
        rows = await self._errands.ask(statement, *arguments, self._reached.pop(statement, b""))
        if len(rows) == _PIECE:
            self._reached[statement] = rows[-1][0]
        return rows

    async def _empty_slots(self, now: float | None) -> None:
        """Move what is left in the slots whose hour is over, and then empty these whole."""
        for [slot] in await self._errands.ask("SELECT * FROM old_slots($1)", now):
            after = b""
            while rows := await self._errands.ask(_LEFT, slot, after):
                await self._commit(*[Settle(row[0].decode(), slot) for row in rows])
                after = rows[-1][0]
            with suppress(
                Unavailable
            ):  # somebody reads it for longer, as a backup does: the next time will do
                await self._errands.ask("SELECT empty_slot($1)", slot)
