"""Why a store cannot be opened, and what an error of SQLite's says about a commit.

It knows SQLite's codes. It refuses to know what was written.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = [
    "DataDirectoryInUse",
    "DataDirectoryUnusable",
    "DatabaseDamaged",
    "SchemaTooNew",
    "StoreError",
    "is_uncertain",
    "lacks_room",
    "opening",
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


_PRIMARY: Final = 0xFF  # the bits of an extended code that are the code itself


def lacks_room(error: BaseException | None) -> bool:
    """Whether a write failed for want of room: a full disk, a quota, a limit of the file's size."""
    code = getattr(error, "sqlite_errorcode", None)
    return code in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    )


def is_uncertain(error: BaseException) -> bool:
    """Whether a commit that failed so may be found on the disk after a crash all the same.

    What was not written whole is never found. But a log that was written, and of which the disk then says
    that it could not be synced, is whole until the next commit is written over it.
    """
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & _PRIMARY == sqlite3.SQLITE_IOERR and code != sqlite3.SQLITE_IOERR_WRITE


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """Within it, what is found wrong with the database is a StoreError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        what = "there is no room on the disk" if lacks_room(error) else error
        raise DataDirectoryUnusable(f"cannot use the database {path}: {what}") from error
    except (sqlite3.DatabaseError, TypeError, ValueError, OverflowError) as error:
        raise DatabaseDamaged(f"the database {path} is damaged: {error}; restore it from a backup") from error
    except (sqlite3.Error, OSError) as error:
        raise DataDirectoryUnusable(f"cannot use the database {path}: {error}") from error
