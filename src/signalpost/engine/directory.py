"""The data directory: who may use it, who may read its files, and whether they are still there.

It knows paths, locks and inodes. It refuses to know what is in the files.

Two locks keep others out. The one on the directory itself cannot be deleted from under a server that runs;
the one on the file `lock` is what earlier versions look at, and says who holds it. The file also tells how
the last server ended: `PID open` stays behind when it was killed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from signalpost.engine.failures import DataDirectoryInUse, DataDirectoryUnusable

__all__ = ["DataDirectory"]

_LOCK: Final = "lock"
_NO_LOCKS: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
_READ_WRITE: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

Inode = tuple[int, int]


class DataDirectory:
    """A data directory that is ours until `release`."""

    def __init__(self, path: Path) -> None:
        """Make it if need be, and lock it; raises DataDirectoryInUse, DataDirectoryUnusable."""
        self.path = path
        self._known: dict[Path, Inode] = {}  # the files that must stay where they are
        self._usurped = ""  # why it is not ours any more; empty while it is
        with contextlib.ExitStack() as undo:
            try:
                path.mkdir(mode=0o700, exist_ok=True)
                self._itself = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                undo.callback(os.close, self._itself)
                self._lock = os.open(path / _LOCK, _READ_WRITE, 0o600)
                undo.callback(os.close, self._lock)
            except FileNotFoundError as error:
                raise DataDirectoryUnusable(
                    f"cannot make the data directory {path}: {path.parent} does not exist"
                ) from error
            except FileExistsError as error:
                it = "a file" if path.is_file() else "no directory"
                raise DataDirectoryUnusable(f"cannot use {path} as data directory: it is {it}") from error
            except OSError as error:
                raise DataDirectoryUnusable(
                    f"cannot use {path} as data directory: {error.strerror}"
                ) from error
            except ValueError as error:  # a path with NUL
                raise DataDirectoryUnusable(f"cannot use {path} as data directory: {error}") from error
            holder = os.pread(self._lock, 64, 0).decode(errors="replace").split()
            if not (_locked(self._itself) and _locked(self._lock)):
                by = f"process {holder[0]}" if holder and holder[0].isdigit() else "another process"
                raise DataDirectoryInUse(f"the data directory {path} is in use by {by}")
            undo.pop_all()
        self.was_open = holder[1:] == ["open"]  # the last server that had it was killed

    def file(self, name: str) -> Path:
        """Where a file of this name is, or is to be."""
        return self.path / name

    def shut(self, *names: str) -> None:
        """Let nobody but our user at these files, as far as they exist and are ours."""
        for name in (_LOCK, *names):
            with contextlib.suppress(OSError):
                file = self.file(name)
                file.chmod(stat.S_IMODE(file.stat().st_mode) & 0o700)

    def occupy(self, *names: str) -> None:
        """Say in the file `lock` that it is in use, and by whom; from now on `loss` minds these files."""
        self._write_mark()
        for name in names:
            found = self.file(name).stat()
            self._known[self.file(name)] = (found.st_dev, found.st_ino)

    def loss(self) -> str:
        """Why what is written into the minded files is lost, as a clause; empty if it is not."""
        return self._missing() or self._usurped

    def renew_lock(self) -> bool:
        """Make the file `lock` anew if it has been removed; whether that was done now.

        The lock on the directory has kept others out meanwhile, but for those of an earlier version.
        """
        if self._missing():
            return False  # the directory may be somebody else's by now
        held = os.fstat(self._lock)
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self.file(_LOCK))
            if (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino):
                self._usurped = ""
                return False
        try:
            anew = os.open(self.file(_LOCK), _READ_WRITE, 0o600)
        except OSError:
            return False  # no room for it, perhaps; the next time will tell
        if not _locked(anew):
            os.close(anew)
            self._usurped = f"another process has locked the data directory {self.path}"
            return False
        os.close(self._lock)
        self._lock, self._usurped = anew, ""
        self._write_mark()
        return True

    def release(self) -> None:
        """Let go of it, after an orderly end."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
        os.close(self._lock)
        os.close(self._itself)

    def abandon(self) -> None:
        """Let go of it, and leave it as one that was not closed if it was found so."""
        if self.was_open:
            os.close(self._lock)
            os.close(self._itself)
        else:
            self.release()

    def _missing(self) -> str:
        for path, known in self._known.items():
            try:
                found = os.stat(path)
            except OSError as error:
                return f"{path} is gone ({error.strerror})"
            if (found.st_dev, found.st_ino) != known:
                return f"{path} is another file now"
        return ""

    def _write_mark(self) -> None:
        # A full disk may have no room for it: then nobody learns our number, and that is all.
        mark = b"%d open\n" % os.getpid()
        with contextlib.suppress(OSError):
            os.pwrite(self._lock, mark, 0)
            os.ftruncate(self._lock, len(mark))


def _locked(descriptor: int) -> bool:
    """Take the lock of an open file; where the file system has none for it, everybody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True
