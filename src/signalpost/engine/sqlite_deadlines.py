"""Deadlines in SQLite; in memory are those that come up within a minute, and what is under way.

It knows rows, and up to when they are at hand. It refuses to know how a batch is committed (`journal`) and
how leases go (`deadlines`).
"""

from __future__ import annotations

import contextlib
import sqlite3
from math import inf
from typing import Any, Final

from signalpost.engine.deadlines import Deadlines
from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import Clock, Due, Pending, Unavailable
from signalpost.engine.store import Store

__all__ = ["SqliteDeadlines"]

_AHEAD: Final = 60.0  # seconds for which deadlines are at hand before they come
_PIECE: Final = 4096  # of them that are fetched at once


class SqliteDeadlines(Deadlines):
    """One deadline a key, on disk. One a store."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._store = store
        self._journal: Journal = store.journal
        # All on disk up to this one are at hand, in the order of their times and keys.
        self._fetched: tuple[float, str] = (-inf, "")
        self._under_way: dict[str, Batch] = {}  # by key: the last batch that changes it, not committed yet
        self._journal.join(self)

    def arm(self, key: str, at: float) -> Pending:
        """See `Deadlines.arm`."""
        batch = self._change(key, at)
        self._take(key, at)
        return batch

    def cancel(self, key: str) -> Pending:
        """See `Deadlines.cancel`."""
        batch = self._change(key, None)
        super().cancel(key)
        return batch

    def done(self, due: Due) -> Pending | None:
        """See `Deadlines.done`."""
        armed = self._armed.get(due.key)
        if armed is None or armed[1] != due.turn:
            return None
        batch = self._change(due.key, None)
        super().done(due)
        return batch

    def due(self, limit: int, lease: float) -> list[Due]:
        """See `Deadlines.due`."""
        if self._fetched[0] <= self._clock():
            self._fetch()
        return super().due(limit, lease)

    def next_at(self) -> float | None:
        """See `Deadlines.next_at`; the next to be fetched count."""
        found = super().next_at()
        return self._fetched[0] if found is None else min(found, self._fetched[0])

    def _change(self, key: str, at: float | None) -> Batch:
        batch = self._journal.batch()
        batch.timers[key] = at
        self._under_way[key] = batch
        return batch

    def _take(self, key: str, at: float | None) -> None:
        """Have the deadline at hand, if it is among those that are."""
        if at is not None and (at, key) <= self._fetched:
            super().arm(key, at)
        else:
            super().cancel(key)

    def _fetch(self) -> None:
        upto = self._clock() + _AHEAD
        rows = self._query(
            "SELECT key, at FROM timers WHERE (at, key) > (?, ?) AND at <= ? ORDER BY at, key LIMIT ?",
            (*self._fetched, upto, _PIECE),
        )
        self._fetched = (rows[-1][1], rows[-1][0]) if len(rows) == _PIECE else (upto, "")
        for key, at in rows:
            if key not in self._under_way:
                super().arm(key, at)

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        try:
            return self._store.reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"the timers cannot be read: {error}") from error

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        for key, at in batch.timers.items():
            if self._under_way.get(key) is not batch:
                continue
            del self._under_way[key]
            if failure is None:
                if key not in self._armed:  # its time may have come at hand meanwhile
                    self._take(key, at)
            else:
                with contextlib.suppress(Unavailable):  # one too many is only looked at in vain
                    rows = self._query("SELECT at FROM timers WHERE key = ?", (key,))
                    self._take(key, rows[0][0] if rows else None)

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""
