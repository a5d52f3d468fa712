"""A real PostgreSQL of one's own, in a directory that is made for it and deleted with it.

It refuses to run as root: root runs it as the user `postgres`. When the process that started it ends, however
that may be, the kernel ends it too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import asyncpg

from signalpost.engine.postgres import PostgresKept

__all__ = ["Postgres"]

_PATIENCE = 30.0  # seconds that it may take to start, or to end
_SET_PARENT_DEATH_SIGNAL = 1  # of prctl(2)


@cache
def _program(name: str) -> str:
    found = shutil.which(name) or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)), None
    )
    if found is None:
        raise RuntimeError("The tests need postgresql: on Debian, apt-get install postgresql")
    return found


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGQUIT)


class Postgres:
    """One server; `start` after `stop` or `kill` keeps its port and data."""

    def __init__(self, *, durable: bool = True, source: Postgres | None = None) -> None:
        """`durable`: it waits for the disk. `source`: it is the standby of this one."""
        self.directory = Path(tempfile.mkdtemp(prefix="signalpost-pg-"))
        self.data = self.directory / "data"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False  # there is a database like that of each test
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "postgres"
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        if source is None:
            self._call(
                "initdb", "-D", str(self.data), "-U", "signalpost", "-A", "trust", "-E", "UTF8", "--no-sync"
            )
        else:
            primary = f"{source.url()}?application_name=standby"
            self._call("pg_basebackup", "-D", str(self.data), "-R", "-N", "-c", "fast", "-d", primary)
        self.settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
            "max_connections": "60",
            "shared_buffers": "32MB",
            "fsync": "on" if durable else "off",
        }
        self.start()

    def url(self, database: str = "postgres") -> str:
        """How a client reaches a database of it."""
        return f"postgresql://signalpost@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """Its first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it can be used."""
        settings = [f"-c{name}={value}" for name, value in self.settings.items()]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", str(self.data), "-p", str(self.port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
                preexec_fn=_end_with_parent,
            )
        end = time.monotonic() + _PATIENCE
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.directory / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in an orderly way."""
        self._end(signal.SIGINT)

    def processes(self) -> list[int]:
        """All of its processes, the first one first."""
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True
        )
        return [self.pid, *map(int, children.stdout.split())]

    def kill(self) -> None:
        """End it as the loss of its machine would: all of its processes, at once."""
        os.kill(self.pid, signal.SIGSTOP)
        for process in self.processes()[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def promote(self) -> None:
        """Make this standby the primary; returns when it is."""
        self._call("pg_ctl", "promote", "-w", "-D", str(self.data))

    def close(self) -> None:
        """End it, and delete what it has kept."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def followed(self) -> bool:
        """Whether a synchronous standby has all of it: until then, no commit is acknowledged."""
        connection = await asyncpg.connect(self.url())
        try:
            return bool(
                await connection.fetchval(
                    "SELECT EXISTS (SELECT FROM pg_stat_replication"
                    " WHERE state = 'streaming' AND sync_state = 'sync')"
                )
            )
        finally:
            await connection.close()

    async def make(self, database: str, *, like: str = "template1") -> str:
        """Have a new database of that name, empty or `like` another; its URL."""
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}" STRATEGY file_copy')
        finally:
            await connection.close()
        return self.url(database)

    async def fresh(self) -> str:
        """The database of a test, empty but for its tables; its URL."""
        if not self._prepared:
            kept = PostgresKept(await self.make("prepared"), power=False)
            await kept.open()
            await kept.close()
            self._prepared = True
        return await self.make("fresh", like="prepared")

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_PATIENCE)
        self._process = None

    def _ready(self) -> bool:
        asked = ["-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "signalpost"]
        return subprocess.run([_program("pg_isready"), *asked]).returncode == 0

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(program), *arguments],
            cwd=self.directory,
            user=self._user,
            group=self._user,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
