"""Attributes of topics in SQLite; in memory is only to whom how much is charged, and what is under way.

It knows rows. It refuses to know how a batch is committed (`journal`) and when there is room for an attribute
(`topic_attributes`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from signalpost.engine.journal import Batch, Journal
from signalpost.engine.ports import Pending, Unavailable
from signalpost.engine.ports.kept import Attribute
from signalpost.engine.store import Store
from signalpost.engine.topic_attributes import Kept, MemoryAttributes

__all__ = ["SqliteAttributes"]

_REV = "attribute_rev"  # the store's name for the highest revision given
_COLUMNS = "name, value, rev, size, charged"


class _UnderWay(NamedTuple):
    kept: Kept | None  # what is in force
    batch: Batch  # the last one that changes it
    stored: Kept | None  # what is on disk


class SqliteAttributes(MemoryAttributes):
    """The attributes of all topics, on disk. One a store."""

    def __init__(self, store: Store) -> None:
        """Add up what is charged; raises StoreError."""
        super().__init__()
        self._store = store
        self._journal: Journal = store.journal
        self._under_way: dict[str, dict[str, _UnderWay]] = {}  # by topic and name
        with store.loading():
            self._rev = int(store.meta(_REV) or 0)
            rows = store.reader.execute(
                "SELECT charged, count(*), sum(size) FROM topic_attributes"
                " WHERE charged <> '' GROUP BY charged"
            )
            for charged, items, size in rows:
                self._charges.add(json.loads(charged), items, size)
        self._journal.join(self)

    def _all(self, topic: str) -> Mapping[str, Kept]:
        rows = self._query(f"SELECT {_COLUMNS} FROM topic_attributes WHERE topic = ? ORDER BY rev", (topic,))
        found = {name: _kept(*columns) for name, *columns in rows}
        for name, (kept, _, _) in self._under_way.get(topic, {}).items():
            found.pop(name, None)
            if kept is not None:
                found[name] = kept
        return found

    def _one(self, topic: str, name: str) -> Kept | None:
        under_way = self._under_way.get(topic, {}).get(name)
        if under_way is not None:
            return under_way.kept
        rows = self._query(
            f"SELECT {_COLUMNS} FROM topic_attributes WHERE topic = ? AND name = ?", (topic, name)
        )
        return _kept(*rows[0][1:]) if rows else None

    def _set(self, topic: str, name: str, before: Kept | None, kept: Kept | None) -> Pending:
        batch = self._journal.batch()
        names = self._under_way.setdefault(topic, {})
        stored = names[name].stored if name in names else before
        names[name] = _UnderWay(kept, batch, stored)
        if kept is None:
            batch.attributes[topic, name] = None
        else:
            charged = json.dumps(kept.charged) if kept.charged else ""
            batch.attributes[topic, name] = (*kept.attribute, kept.size, charged)
        batch.meta[_REV] = self._rev
        return batch

    def _query(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        try:
            return self._store.reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(f"the attributes cannot be read: {error}") from error

    # --- as a party of the journal ----------------------------------------------------------------

    def leaving(self, batch: Batch) -> None:
        """See `Party.leaving`."""

    def settled(self, batch: Batch, failure: Unavailable | None) -> None:
        """See `Party.settled`."""
        for (topic, name), row in batch.attributes.items():
            names = self._under_way[topic]
            kept, latest, stored = names[name]
            if latest is not batch:
                if failure is None:
                    names[name] = _UnderWay(kept, latest, None if row is None else _kept(*row))
                continue
            del names[name]
            if not names:
                del self._under_way[topic]
            if failure is not None:
                self._charge(kept, stored)

    def closing(self, batch: Batch) -> None:
        """See `Party.closing`."""


def _kept(value: str, rev: int, size: int, charged: str) -> Kept:
    return Kept(Attribute(value, rev), size, tuple(json.loads(charged)) if charged else ())
