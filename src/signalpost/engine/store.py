"""The store: one data directory, its lock, its SQLite file and the schema of it.

It knows who may open the directory, versions and migrations. It refuses to know what the rows mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Literal

from signalpost.engine.journal import Journal

__all__ = [
    "MIGRATIONS",
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DatabaseDamaged",
    "Migration",
    "SchemaTooNew",
    "Store",
    "StoreError",
]

# StoreError                    the text of each is for the person who starts the server
# ├── DataDirectoryInUse        another server has it
# ├── DataDirectoryUnusable     it cannot be made, read or written
# ├── DatabaseDamaged           its file is not a database of ours, or no longer a sound one
# └── SchemaTooNew              a later version of this program wrote it


class StoreError(Exception):
    """The data directory cannot be opened."""


class DataDirectoryInUse(StoreError):
    """Another process holds the directory's lock."""


class DataDirectoryUnusable(StoreError):
    """The directory cannot be made, read or written."""


class DatabaseDamaged(StoreError):
    """The file is not a database of ours, or not a sound one."""


class SchemaTooNew(StoreError):
    """The file's schema is newer than any that this program knows."""


Migration = Callable[[sqlite3.Connection], None]

_FILE: Final = "signalpost.db"
_LOCK: Final = "lock"
_APPLICATION: Final = 0x51677073  # application_id, tells our files from others
_STATEMENTS: Final = 512  # prepared statements that a connection keeps
_CHECKPOINT: Final = 4000  # pages of log after which a commit also moves them into the database


def _begin(connection: sqlite3.Connection) -> None:
    # `items` and `receipts` are journals: rows are appended with ascending ids that we choose, found
    # again by id, and never sought by anything else; an index would cost more than all of the rest.
    connection.execute(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, seq INTEGER NOT NULL,"
        " size INTEGER NOT NULL, expires REAL NOT NULL, body BLOB NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE receipts (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, dedupe TEXT NOT NULL,"
        " seq INTEGER NOT NULL, note TEXT NOT NULL, expires REAL NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB NOT NULL, rev INTEGER NOT NULL, expires REAL)"
    )
    connection.execute("CREATE INDEX records_expires ON records (expires) WHERE expires IS NOT NULL")
    connection.execute(
        "CREATE TABLE topic_attributes (topic TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
        " PRIMARY KEY (topic, name)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID")
    connection.execute("INSERT INTO meta (name, value) VALUES ('epoch', ?)", (secrets.token_hex(8),))


def _take_apart(connection: sqlite3.Connection) -> None:
    # Of which part of its queue an item is. What was stored before counts for none.
    connection.execute("ALTER TABLE items ADD COLUMN part TEXT NOT NULL DEFAULT ''")
    # What changes on its own lies apart from its record; rows, as a value may be larger than a page.
    connection.execute(
        "CREATE TABLE record_fields (key TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
        " PRIMARY KEY (key, name))"
    )


MIGRATIONS: Final[tuple[Migration, ...]] = (_begin, _take_apart)  # number n leads from version n to n + 1


class Store:
    """An opened data directory. One at a time, in one process; `close` it."""

    def __init__(
        self,
        directory: Path | str,
        *,
        loop: asyncio.AbstractEventLoop,
        durability: Literal["power", "process"] = "power",
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        """Open, make or migrate it; raises StoreError.

        `durability`: what a commit survives: loss of power, or the end of the process only.
        """
        self.directory = Path(directory)
        with contextlib.ExitStack() as undo:
            self._lock = undo.enter_context(_claim(self.directory))
            with _told(self.directory / _FILE):
                writer = undo.enter_context(contextlib.closing(self._connect(durability)))
                _migrate(writer, migrations, self.directory / _FILE)
                self.reader = undo.enter_context(contextlib.closing(self._connect(durability)))
                self.reader.execute("PRAGMA query_only = ON")
            undo.pop_all()
        self.writer = writer  # the journal's thread writes here; others only before its first batch
        self.journal = Journal(writer, loop=loop)
        self._loop = loop

    def meta(self, name: str) -> str | int | None:
        """A value of the table `meta`."""
        row = self.reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def loading(self) -> contextlib.AbstractContextManager[None]:
        """Within it, what SQLite finds wrong with the file is a StoreError."""
        return _told(self.directory / _FILE)

    async def flush(self) -> None:
        """Wait until all that was appended is committed, or has failed. Await it in a task."""
        await self.journal.flush()

    async def close(self) -> None:
        """Commit all that was appended, tidy the file, let go of the directory. Await it in a task."""
        await self.journal.close()
        await self._loop.run_in_executor(None, self._tidy)

    def _tidy(self) -> None:
        self.reader.close()
        # A checkpoint that fails (a full disk) costs nothing: the log holds what it would have moved.
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()
        self._lock.close()

    def _connect(self, durability: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.directory / _FILE,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection


def _claim(directory: Path) -> IO[bytes]:
    """Make the directory if need be, and hold its lock as long as the returned file is open."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        lock = (directory / _LOCK).open("a+b")
    except FileNotFoundError as error:
        raise DataDirectoryUnusable(
            f"cannot make the data directory {directory}: {directory.parent} does not exist"
        ) from error
    except FileExistsError as error:
        raise DataDirectoryUnusable(f"cannot use {directory} as data directory: it is a file") from error
    except OSError as error:
        raise DataDirectoryUnusable(f"cannot use {directory} as data directory: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        with lock:
            lock.seek(0)
            holder = lock.read(20).decode(errors="replace").strip()
        by = f"process {holder}" if holder.isdigit() else "another process"
        raise DataDirectoryInUse(f"the data directory {directory} is in use by {by}") from error
    lock.truncate(0)
    lock.write(b"%d\n" % os.getpid())
    lock.flush()
    return lock


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise DataDirectoryUnusable(f"cannot use the database {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DatabaseDamaged(f"the database {path} is damaged: {error}; restore it from a backup") from error


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], path: Path) -> None:
    """Bring the schema to the latest version, one transaction a step."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != _APPLICATION and (application or tables):
        raise DatabaseDamaged(f"{path} is a database of another program")
    if version > len(migrations):
        raise SchemaTooNew(
            f"the database {path} has schema version {version}, this program knows versions up to"
            f" {len(migrations)}: it was written by a newer Signalpost"
        )
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](connection)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
