"""The store: a data directory's SQLite file, its schema, and how it fares.

It knows versions, migrations, and what was found when it was opened. It refuses to know what the rows mean,
who else may want the directory (`directory`) and how commits are made (`journal`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from signalpost.engine.directory import DataDirectory
from signalpost.engine.failures import (
    DatabaseDamaged,
    DataDirectoryInUse,
    DataDirectoryUnusable,
    SchemaTooNew,
    StoreError,
    lacks_room,
    opening,
)
from signalpost.engine.journal import Journal
from signalpost.engine.recovery import FoundLog, find_log
from signalpost.engine.room import RESERVE, Room

__all__ = [
    "MIGRATIONS",
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DatabaseDamaged",
    "Migration",
    "Opened",
    "SchemaTooNew",
    "Store",
    "StoreError",
]

Migration = Callable[[sqlite3.Connection], None]

_FILE: Final = "signalpost.db"
_LOG: Final = "signalpost.db-wal"
_INDEX: Final = "signalpost.db-shm"  # of the log; SQLite makes it anew
_RESERVE: Final = "reserve"
_APPLICATION: Final = 0x51677073  # application_id, tells our files from others
_STATEMENTS: Final = 512  # prepared statements that a connection keeps
_LITTLE: Final = 1024 * 1024  # bytes left on the disk below which it is asked whether commits still succeed


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


def _keep_ends(connection: sqlite3.Connection) -> None:
    # The ends of attributes were set anew at each start. Now they are timers that are kept with them; those
    # of what is there are due at once, and whoever is told looks how long it is to stay.
    connection.execute("CREATE TABLE timers (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID")
    connection.execute("CREATE INDEX timers_at ON timers (at)")
    connection.execute("INSERT INTO timers (key, at) SELECT key, 0 FROM records")
    connection.execute(
        "INSERT INTO timers (key, at) SELECT DISTINCT 'channel' || char(31) || topic, 0 FROM topic_attributes"
    )
    connection.execute("UPDATE records SET expires = NULL")
    # Items count for their sender over all queues of an app, so that it is named with the app.
    connection.execute(
        "UPDATE items SET part = substr(queue, 1, instr(queue, char(31))) || part WHERE part <> ''"
    )
    # Revisions, and to whom an attribute is charged. What was stored before counts for nobody.
    for column in ("rev INTEGER NOT NULL DEFAULT 0", "size INTEGER NOT NULL DEFAULT 0"):
        connection.execute(f"ALTER TABLE topic_attributes ADD COLUMN {column}")
    connection.execute("ALTER TABLE topic_attributes ADD COLUMN charged TEXT NOT NULL DEFAULT ''")
    connection.execute(
        "CREATE TABLE names (id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL,"
        " value TEXT NOT NULL, UNIQUE (key, name))"
    )


# Number n leads from version n to n + 1.
MIGRATIONS: Final[tuple[Migration, ...]] = (_begin, _take_apart, _keep_ends)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found when a store was opened, for who operates it."""

    path: Path
    schema: int
    epoch: str
    size: int  #: bytes of the database
    log: int  #: bytes of log that the last server had left and that were recovered
    doubt: str  #: why something acknowledged may be missing, as a sentence; empty for none


class Store:
    """An opened data directory. One at a time, in one process; `close` it."""

    def __init__(
        self,
        directory: Path | str,
        *,
        loop: asyncio.AbstractEventLoop,
        durability: Literal["power", "process"] = "power",
        reserve: int = RESERVE,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        """Open, make or migrate it; raises StoreError.

        `durability`: what a commit survives: loss of power, or the end of the process only.
        `reserve`: bytes kept for removals on a full disk.
        """
        self.directory = Path(directory)
        self._file = self.directory / _FILE
        with contextlib.ExitStack() as undo:
            self._place = DataDirectory(self.directory)
            undo.callback(self._place.abandon)
            room = Room(self._place.file(_RESERVE), most=reserve)
            with opening(self._file):
                new = not self._file.exists()
                log = self._look()
                self._place.shut(_FILE, _LOG, _INDEX, _RESERVE)
                writer = undo.enter_context(contextlib.closing(self._connect_somehow(durability, room)))
                _migrate(writer, migrations, self._file)
                self.reader = undo.enter_context(contextlib.closing(self._connect(durability)))
                self.reader.execute("PRAGMA query_only = ON")
                room.set_up(writer)
                self._place.shut(_FILE, _LOG, _INDEX, _RESERVE)
                self._place.occupy(_FILE, _LOG)
                self.opened = self._describe(log, _move_in(writer), new=new)
            undo.pop_all()
        self.writer = writer  # the journal's thread writes here; others only before its first batch
        self.journal = Journal(writer, loop=loop, room=room, loss=self._place.loss)
        self._room = room  # the writer thread's until that has ended
        self._loop = loop

    def meta(self, name: str) -> str | int | None:
        """A value of the table `meta`."""
        row = self.reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def note(self, name: str, number: int) -> bool:
        """Commit a value of `meta` before there is any batch; whether that was possible."""
        for _ in range(2):  # the second time with the room of the reserve
            try:
                self.writer.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, number))
            except sqlite3.OperationalError as error:
                self.journal.failed(error)
            else:
                return True
        return False

    def remember(self, name: str, number: int) -> None:
        """Have a value of `meta` committed with the next batch, which may fail. Raises Unavailable."""
        self.journal.batch().meta[name] = number

    def loading(self) -> contextlib.AbstractContextManager[None]:
        """Within it, what SQLite finds wrong with the file is a StoreError."""
        return opening(self._file)

    def trouble(self) -> str:
        """Why nothing can be stored at present, as a clause; empty if all is well."""
        return self._place.loss() or self.journal.trouble()

    def watch(self) -> bool:
        """Call it every second or so: what nobody would notice while nothing is written is found out.

        Returns whether the file `lock` had been removed and was made anew now.
        """
        if self.journal.trouble() or self._is_tight():
            self.journal.probe()
        return self._place.renew_lock()

    async def flush(self) -> None:
        """Wait until all that was appended is committed, or has failed. Await it in a task."""
        await self.journal.flush()

    async def close(self) -> None:
        """Commit all that was appended, tidy the file, let go of the directory. Await it in a task."""
        if self.journal.closed:
            return
        await self.journal.close()
        await self._loop.run_in_executor(None, self._tidy)

    def _tidy(self) -> None:
        self.reader.close()
        # A checkpoint that fails (a full disk) costs nothing: the log holds what it would have moved.
        with contextlib.suppress(sqlite3.Error):
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with contextlib.suppress(sqlite3.Error):
            self.writer.close()
        self._room.leave()
        self._place.release()

    def _look(self) -> FoundLog:
        """See what is there before SQLite does: a log without its database it would delete."""
        log = find_log(self._place.file(_LOG))
        size = self._file.stat().st_size if self._file.exists() else 0
        if log.size and not size:
            lacks = "is empty" if self._file.exists() else "is missing"
            raise DatabaseDamaged(
                f"the database {self._file} {lacks}, but its log is there: restore both from a backup,"
                f" or remove {self._place.file(_LOG)} to begin with nothing"
            )
        if not self._file.exists():
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return log

    def _describe(self, log: FoundLog, used: int | None, *, new: bool) -> Opened:
        doubt = ""
        if self._place.was_open and new:
            doubt = "the last server was killed, and its database is missing: this is a new one"
        elif self._place.was_open and not log.there:
            doubt = (
                "the last server was killed, and the log that it was writing is missing: that costs nothing"
                " only if another program has opened the database since"
            )
        elif used is not None and log.damage(used):
            doubt = f"the log is damaged: {log.damage(used)}"
        epoch = self.meta("epoch")
        if not isinstance(epoch, str):
            raise ValueError("it has no epoch")
        schema: int = self.reader.execute("PRAGMA user_version").fetchone()[0]
        size = self._file.stat().st_size
        recovered = log.length(log.commits if used is None else min(used, log.commits))
        return Opened(self._file, schema, epoch, size, recovered, doubt)

    def _is_tight(self) -> bool:
        try:
            found = os.statvfs(self.directory)
        except OSError:
            return False
        return bool(found.f_flag & os.ST_RDONLY) or found.f_bavail * found.f_frsize < _LITTLE

    def _connect_somehow(self, durability: str, room: Room) -> sqlite3.Connection:
        """Connect, for want of room without the reserve."""
        try:
            return self._connect(durability)
        except sqlite3.OperationalError as error:
            if not lacks_room(error):
                raise
        room.free()
        return self._connect(durability)

    def _connect(self, durability: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # recovers the log
        except BaseException:
            connection.close()
            raise
        return connection


def _move_in(connection: sqlite3.Connection) -> int | None:
    """Move the log into the database, and say how many frames of it could be used; None if it has no room."""
    try:
        _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.OperationalError as error:
        if lacks_room(error):
            return None
        raise
    return int(frames)


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
