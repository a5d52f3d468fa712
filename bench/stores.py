"""What a cluster rests on, for `make bench-cluster`: a PostgreSQL and a Redis of its own, on free ports.

It knows how both are made, asked for a fresh start, and ended. It refuses to know what is kept in them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import Failed

__all__ = ["Stores", "missing", "stores"]

USER = "signalpost"
START_SECONDS = 30.0
# As a careful operator has it: everything is synced before it is acknowledged.
POSTGRES = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
}


@dataclass(frozen=True)
class Stores:
    """Both stores, running."""

    postgres: subprocess.Popen[bytes]
    redis: subprocess.Popen[bytes]
    postgres_port: int
    redis_port: int

    @property
    def store(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.postgres_port}/{USER}"

    @property
    def share(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/0"

    def empty(self) -> None:
        """As if nobody had ever been here."""
        command = [
            "psql",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.postgres_port),
            "-U",
            USER,
            "-d",
            "postgres",
        ]
        for statement in (f"DROP DATABASE IF EXISTS {USER} WITH (FORCE)", f"CREATE DATABASE {USER}"):
            subprocess.run([*command, "-c", statement], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["redis-cli", "-p", str(self.redis_port), "flushall"], check=True, stdout=subprocess.DEVNULL
        )
        subprocess.run([*command, "-c", "CHECKPOINT"], check=True, stdout=subprocess.DEVNULL)


def missing() -> str:
    """Why they cannot run here; "" if they can."""
    if shutil.which("redis-server") is None:
        return "redis-server is not installed"
    if binaries() is None:
        return "postgresql is not installed"
    return ""


def binaries() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


@contextmanager
def stores(directory: Path) -> Iterator[Stores]:
    """Both, with their files in `directory`."""
    bin_ = binaries()
    assert bin_ is not None
    # PostgreSQL does not run as root; what it writes must be its own then.
    user = "postgres" if os.geteuid() == 0 else None
    data, errors = directory / "postgres", directory / "stores.log"
    data.mkdir(parents=True)
    if user is not None:
        made = pwd.getpwnam(user)
        os.chown(data, made.pw_uid, made.pw_gid)
        for above in (directory, directory.parent):
            above.chmod(above.stat().st_mode | 0o011)
    ports = [free_port(), free_port()]
    with errors.open("wb") as log:
        subprocess.run(
            [
                bin_ / "initdb",
                "-D",
                data,
                "-U",
                USER,
                "-A",
                "trust",
                "--data-checksums",
                "--no-locale",
                "-E",
                "UTF8",
            ],
            check=True,
            user=user,
            cwd="/",
            stdout=log,
            stderr=log,
        )
        options = [word for name, value in POSTGRES.items() for word in ("-c", f"{name}={value}")]
        listen = ["-h", "127.0.0.1", "-p", str(ports[0]), "-k", ""]
        postgres = subprocess.Popen(
            [bin_ / "postgres", "-D", data, *listen, *options], user=user, cwd="/", stdout=log, stderr=log
        )
        words = ["--port", str(ports[1]), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        redis = subprocess.Popen(["redis-server", *words], cwd=directory, stdout=log, stderr=log)
    try:
        for port in ports:
            wait_for(port, errors)
        yield Stores(postgres, redis, *ports)
    finally:
        redis.terminate()
        postgres.send_signal(signal.SIGINT)  # fast: whoever is connected is sent away
        for process in (redis, postgres):
            process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, errors: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        if time.monotonic() > deadline:
            raise Failed(f"nothing listens on {port}: {errors.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    time.sleep(0.5)  # PostgreSQL may still be starting up
