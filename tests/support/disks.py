"""Disks that can be filled while a server runs on them, in the ways that a test may use where it runs."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from support.server import ServerProcess

__all__ = ["FileLimit", "SmallDisk", "Tight"]


class Tight(Protocol):
    """A place for a server's data that can be full."""

    data: Path  #: the data directory to be

    def fill(self, server: ServerProcess | None) -> None:
        """Leave no room: for a server that runs, or that is started `within` it."""
        ...

    def relieve(self, server: ServerProcess) -> None:
        """Let there be room again."""
        ...

    @contextmanager
    def within(self) -> Iterator[None]:
        """A server that is started within it finds the disk as full as it is."""
        ...


class SmallDisk:
    """A file system of its own in memory, which something else fills to the last byte: needs root."""

    def __init__(self, place: Path, size: int = 12 * 1024 * 1024) -> None:
        """Raises PermissionError."""
        place.mkdir()
        asked = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise PermissionError("file systems cannot be mounted here")
        self._place = place
        self.data = place / "data"

    def fill(self, server: ServerProcess | None) -> None:
        junk = os.open(self._place / f"junk {len(self._junk())}", os.O_WRONLY | os.O_CREAT)
        for piece in (1 << 20, 4096, 1):
            with suppress(OSError):
                while os.write(junk, bytes(piece)):
                    pass
        os.close(junk)

    def relieve(self, server: ServerProcess) -> None:
        for junk in self._junk():
            junk.unlink()

    @contextmanager
    def within(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self._place)], check=False)

    def _junk(self) -> list[Path]:
        return [*self._place.glob("junk *")]


class FileLimit:
    """No file may grow beyond a bound: what anybody may impose on his own processes, anywhere."""

    BOUND = 300_000  # bytes: more than the log of a server's start and the tests' output

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.data = place / "data"
        self._full = False

    def fill(self, server: ServerProcess | None) -> None:
        self._full = True
        if server is not None:
            self._bound(server, self.BOUND)

    def relieve(self, server: ServerProcess) -> None:
        self._full = False
        self._bound(server, resource.RLIM_INFINITY)

    @contextmanager
    def within(self) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        if self._full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.BOUND, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def close(self) -> None:
        """Nothing is left behind."""

    @staticmethod
    def _bound(server: ServerProcess, size: int) -> None:
        assert server.process is not None
        pid = server.process.pid
        _, hardest = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hardest))
