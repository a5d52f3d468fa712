"""The engine that keeps in SQLite what must survive; its rules are those of the memory engine.

It knows no more than its parts; one module holds each.
"""

from __future__ import annotations

from signalpost.engine.sqlite_queues import SqliteQueues
from signalpost.engine.sqlite_records import SqliteRecords
from signalpost.engine.sqlite_topics import SqliteTopics
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
    "SqliteTopics",
    "Store",
    "StoreError",
]
