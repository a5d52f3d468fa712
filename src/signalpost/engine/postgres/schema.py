"""The tables and functions in the database: made, brought up to date, refused if they are too new.

The tables have a version, and a file for each step to it. The functions belong to the program: each text of
them has a schema of its own, so that two neighbouring programs find theirs side by side.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from importlib import resources
from typing import Any, Final

import asyncpg

from signalpost.engine.failures import SchemaTooNew

__all__ = ["FUNCTIONS", "SCHEMA", "TABLES", "prepare"]

SCHEMA: Final = 1
"""The version of the tables that this program knows."""

TABLES: Final = "signalpost"
"""The schema that the tables are in."""

_FILES = resources.files(__package__)
_TEXT: Final = (_FILES / "functions.sql").read_text()

FUNCTIONS: Final = f"{TABLES}_{sha256(_TEXT.encode()).hexdigest()[:12]}"
"""The schema that this program's functions are in."""

_LOCK: Final = 7373  # the advisory lock of whoever changes this


async def prepare(connection: asyncpg.Connection[Any]) -> None:
    """See that the tables and functions are there, one node after the other. Raises StoreError."""
    if await _version(connection) == SCHEMA and await _exists(connection, FUNCTIONS):
        return
    # Before the transaction: one that began while it waited would not see what whoever had the lock has made.
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        async with connection.transaction():
            await _make(connection)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _make(connection: asyncpg.Connection[Any]) -> None:
    """Make what is not there, as whoever had the lock before has left it."""
    version = await _version(connection)
    if not version:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {TABLES}")
    for number in range(version + 1, SCHEMA + 1):
        await connection.execute((_FILES / f"tables_{number}.sql").read_text())
    if not version:
        await connection.execute(
            "INSERT INTO meta (version, epoch) VALUES ($1, $2)", SCHEMA, secrets.token_hex(8)
        )
    await connection.execute("UPDATE meta SET version = $1", SCHEMA)
    if not await _exists(connection, FUNCTIONS):
        await connection.execute(f"CREATE SCHEMA {FUNCTIONS}")
        await connection.execute(_TEXT)


async def _version(connection: asyncpg.Connection[Any]) -> int:
    """The version of the tables, 0 if there are none."""
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{TABLES}.meta"):
        return 0
    found: int = await connection.fetchval("SELECT version FROM meta")
    if found > SCHEMA:
        raise SchemaTooNew(
            f"a later version of this program has used the database: its tables are of version {found}, "
            f"and this one knows {SCHEMA}"
        )
    return found


async def _exists(connection: asyncpg.Connection[Any], schema: str) -> bool:
    return bool(await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema))
