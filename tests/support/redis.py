"""A Redis of the tests' own: a real server on a socket in its own directory, without persistence.

One a worker, which ends with it, also when that is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

__all__ = ["RedisServer", "Sentinel", "free_port", "shared_server"]

_STARTS = 10.0  # seconds that a server may take to start
_PARENT_DIES = 1  # PR_SET_PDEATHSIG


class RedisServer:
    """One server process. `port` 0: it listens at its socket only."""

    def __init__(self, *options: str, port: int = 0, program: str = "redis-server") -> None:
        found = shutil.which(program)
        assert found, f"{program} is missing: install the Debian package redis-server"
        self.directory = Path(tempfile.mkdtemp(prefix="signalpost-redis-"))
        self.socket = self.directory / "socket"
        self.port = port
        self._command = [
            found,
            *("--port", str(port), "--bind", "127.0.0.1"),
            *("--unixsocket", str(self.socket), "--dir", str(self.directory)),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}" if self.port else f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, empty; returns when it answers."""
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )
        deadline = time.monotonic() + _STARTS
        while not self._answers():
            assert self._process.poll() is None, "the Redis of the tests has ended at once"
            assert time.monotonic() < deadline, "the Redis of the tests does not start"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            self.command("PING")
        except (OSError, AssertionError):
            return False
        return True

    def command(self, *words: str) -> str:
        """Have it do one simple command; the first line of its answer, or its text."""
        with contextlib.closing(self.session()) as session:
            return session.command(*words)

    def session(self) -> Session:
        """A connection for several commands."""
        return Session(self.socket)

    def signal(self, which: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(which)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and remove what it has left."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Session:
    """A connection to a server that does simple commands."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(5.0)
        try:
            self._connection.connect(str(path))
        except OSError:
            self._connection.close()
            raise
        self._lines = self._connection.makefile("rb")

    def command(self, *words: str) -> str:
        """See `RedisServer.command`."""
        parts = [f"*{len(words)}\r\n", *[f"${len(word.encode())}\r\n{word}\r\n" for word in words]]
        self._connection.sendall("".join(parts).encode())
        answer = self._lines.readline().decode().strip()
        if answer.startswith("$") and answer != "$-1":
            answer = self._lines.read(int(answer[1:]) + 2)[:-2].decode()
        assert answer, "no answer"
        return answer

    def close(self) -> None:
        """End it."""
        self._lines.close()
        self._connection.close()


class Sentinel:
    """A Sentinel process that watches one primary, and decides alone."""

    def __init__(self, name: str, primary: RedisServer, *, port: int) -> None:
        """`primary` has a port."""
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: install the Debian package redis-server"
        self.port = port
        self._directory = Path(tempfile.mkdtemp(prefix="signalpost-sentinel-"))
        settings = self._directory / "sentinel.conf"
        settings.write_text(
            f"port {port}\n"
            "bind 127.0.0.1\n"
            f"dir {self._directory}\n"
            f"sentinel monitor {name} 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds {name} 500\n"
            f"sentinel failover-timeout {name} 3000\n"
        )
        self._process = subprocess.Popen(
            [program, str(settings), "--sentinel"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )

    def close(self) -> None:
        """End it, and remove what it has left."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


_server: RedisServer | None = None  # the one of this worker, once it was asked for


def shared_server() -> RedisServer:
    """The one that all tests of this worker use, emptied."""
    global _server
    if _server is None:
        _server = RedisServer()
        atexit.register(_server.close)
    _server.command("FLUSHALL")
    return _server


_libc: Any = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(_PARENT_DIES, signal.SIGKILL)
