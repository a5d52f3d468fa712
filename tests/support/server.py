"""A real `signalpost serve` process on a free port, and what one wants to do to it."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.client import RawClient

if TYPE_CHECKING:
    from support.stores import Lent

__all__ = ["CONFIG", "ServerProcess", "serving"]

CONFIG = """
[server]
port = 0

[apps.app]
certificate = "secret"
allow_no_token = true

[apps.other]
certificate = "secret2"
allow_no_token = true
"""

_LISTENING = re.compile(r"signalpost: listening on http://([0-9.]+):([0-9]+)")


class ServerProcess:
    """One server; `restart` keeps the port and the data."""

    def __init__(
        self,
        directory: Path,
        *,
        config: str = CONFIG,
        data: str = "",
        flags: tuple[str, ...] = (),
        limits: str = "",
        far: str = "",
        nodes: int = 0,
    ) -> None:
        """`limits`: what a shell's `ulimit` is told before, such as "-n 256".

        `far`: how far away its engine is, see `support.far.ways`; as the environment's FAR_ENGINE says if "".
        `nodes`: how many nodes it is, see `support.several`; as the environment's NODES says if 0. With its
        CLUSTER it is as many processes, see `support.cluster_server`.
        """
        self.directory = directory
        self.data = data or str(directory / "data")
        self.flags = flags
        self.limits = limits
        self.far = far or os.environ.get("FAR_ENGINE", "")
        self.nodes = nodes or int(os.environ.get("NODES", "1"))
        self.lent: Lent | None = None  # what several processes have in common, once they were started
        self.port = 0
        self.ports: list[int] = []  # of all nodes, `port` the first
        self.process: subprocess.Popen[bytes] | None = None
        self._turns: Iterator[int] = iter(self.ports)  # whose turn it is to get a client
        self.clients: list[RawClient] = []  # that were ever opened
        self.log = directory / "server.log"
        self._config = directory / "signalpost.toml"
        self._config.write_text(config)

    def start(self) -> None:
        """Start, and wait until it listens."""
        file = self.directory / "ports"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(("sh", "-c", f'ulimit {self.limits} && exec "$0" "$@"') if self.limits else ()),
                    *(sys.executable, "-m", self.program, "serve", "--config", str(self._config)),
                    *("--data", self.data, "--port", str(self.port), *self.flags),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                env={
                    **os.environ,
                    **{"PYTHONUNBUFFERED": "1", "PYTHONPATH": _path(), "FAR_ENGINE": self.far},
                    **{"NODES": str(self.nodes), "NODE_PORTS": str(file)},
                    **self.environment(),
                },
            )
        assert self.process.stdout is not None
        first = self.process.stdout.readline().decode()
        match = _LISTENING.match(first)
        assert match, (first, self.log.read_text())
        self.port = int(match[2])
        self.ports = [int(port) for port in file.read_text().split()] if self.nodes > 1 else [self.port]
        self._turns = itertools.cycle(self.ports)

    @property
    def program(self) -> str:
        """What is started."""
        if self.far:
            return "support.far_server"
        if self.nodes > 1:
            return "support.several_server"
        return "support.cluster_server" if "CLUSTER" in os.environ else "signalpost"

    def environment(self) -> dict[str, str]:
        """What its program is told besides, at each start."""
        if self.program != "support.cluster_server":
            return {}
        if self.lent is None:
            from support import stores  # only here: who has one node needs none

            self.lent = stores.lend()
        else:
            self.lent.forget_shared()
        return {"CLUSTER_STORE": self.lent.store, "CLUSTER_SHARE": self.lent.share}

    @property
    def url(self) -> str:
        """Where a client connects: one after the other to each node."""
        return f"ws://127.0.0.1:{next(self._turns)}/"

    @property
    def http(self) -> str:
        """Where browsers look."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
        self._over()

    def stop(self) -> int:
        """End it as an operator does; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._over()

    async def stopped(self) -> int:
        """The same, while the clients of this loop go on: they answer the server's close."""
        return await asyncio.to_thread(self.stop)

    def _over(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        status = self.process.wait(30)
        self.process.stdout.close()
        return status

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    async def open(self) -> RawClient:
        """A connection that is not logged in."""
        client = await RawClient.open(self.url)
        self.clients.append(client)
        return client

    async def forget(self) -> None:
        """Close all clients, of this process and of those before it."""
        for client in self.clients:
            await client.close()

    async def client(self, account: str, *, polled: bool = True, **login: Any) -> RawClient:
        """A client that is logged in; `polled`: its first poll is done, so that pushes come."""
        client = await self.open()
        await client.login(account, **login)
        if polled:
            await client.poll()
        return client


def _path() -> str:
    """Where Python finds what is here, too."""
    given = os.environ.get("PYTHONPATH")
    here = str(Path(__file__).parents[1])
    return f"{here}{os.pathsep}{given}" if given else here


@contextmanager
def serving(directory: Path, config: str = "", *, far: str = "") -> Iterator[ServerProcess]:
    """A `--dev` server for the tests of one module, which has to end in good order."""
    with ServerProcess(directory, config=config, flags=("--dev",), far=far) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()
