"""Room on the disk: a reserve that is given up when the disk is full, so that removals go on.

It knows a file that only takes up room, and what SQLite needs for a removal. It refuses to know what is
removed, and who has to be told.

SQLite writes before it frees. A removal is written to the log; the log begins anew only when all of it is
in the database; and for that the database may have to grow. So while all is well a file as large as twice
the log is kept. When a write fails for want of room it is given up: the log goes into the database, and
from then on the database may not grow and the log begins anew with every commit. Removals fit into that,
and so do appends, as far as removals have made room for them within the database. When the disk has
room for a reserve again, everything is as before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from time import monotonic
from typing import Final

__all__ = ["RESERVE", "Room"]

RESERVE: Final = 32 * 1024 * 1024  # bytes
_LEAST: Final = 256 * 1024  # bytes: a smaller reserve is none
_START: Final = 64 * 1024  # bytes without which no log can be begun
_SHARE: Final = 8  # the reserve takes at most this part of a small file system
_CHECKPOINT: Final = 4000  # pages of log after which a commit also moves them into the database
_PAGE: Final = 4096  # bytes
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PATIENCE: Final = 1.0  # seconds between two tries to get the reserve back
_ENDLESS: Final = 1_073_741_823  # pages that SQLite lets a database have


class Room:
    """The reserve. It belongs to whoever writes: who opens the store, then the writer thread."""

    def __init__(self, path: Path, *, most: int = RESERVE) -> None:
        """`path`: of the file, which need not exist. `most`: bytes."""
        self.short = False  # the reserve is given up
        self._path = path
        self._most = most
        self._held = 0  # bytes of the reserve; when it is given up, those that it had and has to have again
        self._tried = 0.0  # when the reserve was last asked for (monotonic)
        self._erases = "OFF"  # how SQLite overwrites what it frees, as it was built or told to

    def set_up(self, connection: sqlite3.Connection) -> None:
        """Take as much of a reserve as there is, and have the log kept small enough for it."""
        (erases,) = connection.execute("PRAGMA secure_delete").fetchone()
        self._erases = ("OFF", "ON", "FAST")[erases]  # by name: a 2 would be taken for ON
        self._take_most(_LEAST)
        self.short = self._held == 0
        self._adjust(connection)

    def free(self) -> None:
        """Give the reserve up, without a connection: there may be no room to open one."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def give_up(self, connection: sqlite3.Connection) -> None:
        """A write failed for want of room: see to it that removals can be written. Raises nothing."""
        if not self.short:
            self.short = True
            self._tried = monotonic()
        self.free()
        # The database may have to grow once more, for what is in the log.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        with contextlib.suppress(sqlite3.Error):
            self._adjust(connection)

    def ask_again(self, connection: sqlite3.Connection) -> None:
        """Before a commit: if the reserve is given up, see now and then whether the disk has room for it."""
        if not self.short:
            return
        now = monotonic()
        if now < self._tried + _PATIENCE:
            return
        self._tried = now
        if self._take_most(self._held or _LEAST):
            self.short = False
            self._adjust(connection)

    def leave(self) -> None:
        """At the end, without a connection: keep of what the log gave back what the next start needs."""
        wanted = _LEAST
        while self.short and wanted >= _START and not self._take(wanted, spare=0):
            wanted //= 2

    def _adjust(self, connection: sqlite3.Connection) -> None:
        if self.short:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {max(pages, 1)}")
            connection.execute("PRAGMA wal_autocheckpoint = 1")
            connection.execute("PRAGMA secure_delete = FAST").fetchall()  # erasing is writing
        else:
            connection.execute(f"PRAGMA max_page_count = {_ENDLESS}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {min(_CHECKPOINT, self._held // (2 * _PAGE))}")
            connection.execute(f"PRAGMA secure_delete = {self._erases}").fetchall()

    def _take_most(self, least: int) -> bool:
        """Take as large a reserve as there is room for."""
        try:
            found = os.statvfs(self._path.parent)
        except OSError:
            return False
        wanted = max(least, min(self._most, found.f_blocks * found.f_frsize // _SHARE))
        while wanted > least:
            if self._take(wanted):
                return True
            wanted //= 2
        return self._take(least)

    def _take(self, wanted: int, *, spare: int = _LEAST) -> bool:
        """Have so many bytes in reserve, if that leaves `spare` to all others."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            return self._do_without(wanted, error)
        try:
            found = os.fstat(file).st_blocks * 512  # a copy may have holes, which are no room
            if found < wanted:
                os.posix_fallocate(file, 0, wanted)
                left = os.fstatvfs(file)
                if left.f_bavail * left.f_frsize < spare:
                    os.ftruncate(file, found)
                    return False
            self._held = max(found, wanted)
            return True
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(file, found)  # a call that fails may have taken some
            return self._do_without(wanted, error)
        finally:
            os.close(file)

    def _do_without(self, wanted: int, error: OSError) -> bool:
        """If it is not for want of room that there can be no reserve, go on as if there were one."""
        if error.errno in _NO_ROOM:
            return False
        self._held = wanted
        return True
