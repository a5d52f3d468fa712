"""What a database's write-ahead log holds when it is found, and how much of it SQLite could use.

It knows the log's format (sqlite.org/fileformat2.html#walformat). It refuses to repair anything.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["FoundLog", "find_log"]

_HEADER: Final = struct.Struct(">IIII8s8s")  # magic, version, page size, checkpoints, salts, checksum
_FRAME: Final = struct.Struct(">II8s8s")  # page, pages of the database after a commit, salts, checksum
_MAGIC: Final = 0x377F0682  # its lowest bit says how the checksums count


@dataclass(frozen=True, slots=True)
class FoundLog:
    """A log as it lies there before the database is opened."""

    there: bool = False  #: a log exists, if perhaps an empty one
    size: int = 0  #: bytes of the file
    readable: bool = True  #: it has the head of a log, or nothing
    frame: int = 0  #: bytes of one frame
    commits: int = 0  #: the last frame that ends a commit, counted from 1; 0 for none

    def length(self, frames: int) -> int:
        """How many bytes of log so many frames are."""
        return _HEADER.size + frames * self.frame if frames else 0

    def damage(self, used: int) -> str:
        """What is wrong with it, if SQLite could use so many frames, as a clause; empty for nothing."""
        if not self.readable:
            return "it does not begin as a log does"
        if used < self.commits:
            return f"only {self.length(used)} of {self.length(self.commits)} bytes are sound"
        return ""


def find_log(path: Path) -> FoundLog:
    """Look at a log, which need not exist. Raises OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return FoundLog()
    try:
        size = os.fstat(file).st_size
        if size == 0:
            return FoundLog(there=True)
        head = os.pread(file, _HEADER.size, 0)
        if len(head) < _HEADER.size:
            return FoundLog(there=True, size=size)  # a crash came before its head was written whole
        magic, _, page, _, salts, _ = _HEADER.unpack(head)
        if magic & ~1 != _MAGIC or not 512 <= page <= 65536:
            return FoundLog(there=True, size=size, readable=not any(head))
        frame = _FRAME.size + page
        commits = 0
        # Frames of an earlier round of the log have other salts.
        for number in range(1, (size - _HEADER.size) // frame + 1):
            _, pages, own, _ = _FRAME.unpack(os.pread(file, _FRAME.size, _HEADER.size + (number - 1) * frame))
            if own == salts and pages:
                commits = number
        return FoundLog(there=True, size=size, frame=frame, commits=commits)
    finally:
        os.close(file)
