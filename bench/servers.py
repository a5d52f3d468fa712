"""The servers under test: how each is started on a free loopback port, and ended again.

It knows command lines, configuration files and processes. It refuses to know what is asked of a server.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import shutil
import signal
import site
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["APP", "BUILD", "PEERS", "SERVERS", "Failed", "Running", "Server", "running", "write_users"]

BENCH = Path(__file__).resolve().parent
BUILD = BENCH / "build"
PEERS = BENCH / "peers"

APP = "bench"
CERTIFICATE = "5cfd2fd1755d40ecb72977518be15d3b"  # a published example: it guards nothing
START_SECONDS = 20.0
STOP_SECONDS = 15.0
LISTENING = re.compile(rb"listening on http://[^\s:]+:(\d+)")

# SPEC's rates are raised, everything else is as it is shipped.
CONFIGURATION = """\
[server]
data = "{data}"
durability = "power"
connections_per_second = 1000000
failed_logins_per_minute = 1000000

[limits]
user_messages = 1000000000
channel_messages = 1000000000
requests = 1000000000
logins = 1000000000

[apps.{app}]
certificate = "{certificate}"
"""


class Failed(Exception):
    """A server or the load generator did not do what it should; the text says what."""


@dataclass(frozen=True)
class Server:
    """A server program. `dialect` is what the load generator speaks to it."""

    name: str
    dialect: str
    command: Callable[[Path], list[str]]  #: given a fresh directory of its own
    missing: Callable[[], str]  #: why it cannot run here; "" if it can


@dataclass(frozen=True)
class Running:
    """A server that accepts connections."""

    pid: int
    port: int

    def resident_kib(self) -> int:
        """The resident memory of the process (VmRSS)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise Failed("the server is gone")


def signalpost(directory: Path) -> list[str]:
    config = directory / "bench.toml"
    config.write_text(CONFIGURATION.format(data=directory / "data", app=APP, certificate=CERTIFICATE))
    return [*program(), "serve", "--config", str(config), "--port", "0"]


def program() -> list[str]:
    """`signalpost` beside this Python, or under the interpreter that BENCH_PYTHON names."""
    other = os.environ.get("BENCH_PYTHON")
    if other is None:
        return [str(Path(sys.executable).parent / "signalpost")]
    packages = os.pathsep.join([str(BENCH.parent / "src"), *site.getsitepackages()])
    return ["env", f"PYTHONPATH={os.environ.get('PYTHONPATH', packages)}", other, "-m", "signalpost"]


def signalpost_missing() -> str:
    return "" if shutil.which(program()[0]) else "signalpost is not installed beside this Python"


def node_missing() -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    return (
        ""
        if (PEERS / "node_modules").is_dir()
        else "the peers are not installed (npm ci in bench/peers failed)"
    )


SERVERS = {
    server.name: server
    for server in (
        Server("signalpost", "signalpost", signalpost, signalpost_missing),
        Server("ws", "ws", lambda _: ["node", str(PEERS / "ws" / "server.mjs")], node_missing),
        Server(
            "socket.io", "socketio", lambda _: ["node", str(PEERS / "socketio" / "server.mjs")], node_missing
        ),
        Server("ceiling", "signalpost", lambda _: [str(BUILD / "ceiling")], lambda: ""),
    )
}


def write_users(path: Path, count: int) -> None:
    """One line a user, `ACCOUNT TOKEN`, with tokens that a server has to check (SPEC L3)."""
    expiry = int(time.time()) + 86_400
    with path.open("w") as out:
        for number in range(count):
            account = f"u{number:05d}"
            digest = hashlib.md5(f"{account}{APP}{CERTIFICATE}{expiry}".encode()).hexdigest()
            out.write(f"{account} 1:{APP}:{expiry}:{digest}\n")


@contextmanager
def running(server: Server, directory: Path, core: int | None) -> Iterator[Running]:
    """Start `server` on `core` or on any (None); `directory` is made for its files and removed at the end."""
    directory.mkdir(parents=True)
    errors = directory / "stderr"
    try:
        with errors.open("wb") as log:
            process = subprocess.Popen(
                server.command(directory),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=directory,
                preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
            )
        try:
            yield Running(process.pid, wait_for_port(server, process, errors))
        finally:
            stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def wait_for_port(server: Server, process: subprocess.Popen[bytes], errors: Path) -> int:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    said = b""
    while time.monotonic() < deadline:
        if not select.select([process.stdout], [], [], 0.1)[0]:
            continue
        chunk = os.read(process.stdout.fileno(), 4096)
        said += chunk
        found = LISTENING.search(said)
        if found is not None and b"\n" in said[found.end() :]:
            return int(found[1])
        if not chunk:
            break
    raise Failed(f"{server.name} did not start: {errors.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
