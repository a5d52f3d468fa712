"""The engine that keeps in SQLite what must survive; its rules are those of the memory engine.

It knows no more than its parts; one module holds each.
"""

from __future__ import annotations

from typing import Any

from signalpost.engine.deadlines import Deadlines
from signalpost.engine.kept import EmbeddedKept, Parts
from signalpost.engine.names import MemoryNames
from signalpost.engine.notes import Notes
from signalpost.engine.ports import Clock
from signalpost.engine.records import MemoryRecords
from signalpost.engine.sqlite_deadlines import SqliteDeadlines
from signalpost.engine.sqlite_names import SqliteNames
from signalpost.engine.sqlite_queues import SqliteQueues
from signalpost.engine.sqlite_records import SqliteRecords
from signalpost.engine.sqlite_topic_attributes import SqliteAttributes
from signalpost.engine.store import (
    DatabaseDamaged,
    DataDirectoryInUse,
    DataDirectoryUnusable,
    SchemaTooNew,
    Store,
    StoreError,
)

__all__ = [
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DatabaseDamaged",
    "SchemaTooNew",
    "SqliteQueues",
    "SqliteRecords",
    "Store",
    "StoreError",
    "sqlite_kept",
]


def sqlite_kept(store: Store, *, clock: Clock, cached: int = 10_000, **queues: Any) -> EmbeddedKept:
    """The kept half: what is durable is in the store; raises StoreError."""
    parts = Parts(
        records=SqliteRecords(store, clock=clock, cached=cached),
        passing_records=MemoryRecords(clock=clock),
        names=SqliteNames(store),
        passing_names=MemoryNames(),
        queues=SqliteQueues(store, clock=clock, **queues),
        attributes=SqliteAttributes(store),
        deadlines=SqliteDeadlines(store, clock=clock),
        passing_deadlines=Deadlines(clock=clock),
        notes=Notes(clock=clock),
    )
    return EmbeddedKept(parts, clock=clock)
