"""Several real nodes over a real PostgreSQL and a real Redis, with a way between any two that a test can cut.

Clients come in by one door, which has each connection go to the next node, as a load balancer does.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

from support.postgres import Postgres
from support.proxy import Proxy
from support.redis import RedisServer
from support.server import ServerProcess

__all__ = ["Cluster", "Node"]


class Node(ServerProcess):
    """One `signalpost serve`, and its ways to the stores."""

    def __init__(
        self, directory: Path, config: str, *, postgres: Proxy, redis: Proxy, store: str, share: str
    ) -> None:
        """`store`, `share`: their URLs where it has no ways to them that can be cut."""
        directory.mkdir(exist_ok=True)
        store = store or f"postgresql://signalpost@127.0.0.1:{postgres.port}/postgres"
        share = share or f"redis://127.0.0.1:{redis.port}"
        super().__init__(directory, config=config, flags=("--dev", "--store", store, "--share", share))
        self.to_postgres = postgres
        self.to_redis = redis
        self.deaf = 0  # how many of a hundred notices it does not hear
        self.mortal = False  # it can be doomed
        self._doom = directory / "doom"

    def environment(self) -> dict[str, str]:
        """What its faults are, see `support.faulty_server`."""
        return {"FAULT_DEAF": str(self.deaf), "FAULT_DIES": str(self._doom) if self.mortal else ""}

    @property
    def program(self) -> str:
        """The server, or one with faults."""
        return "support.faulty_server" if self.deaf or self.mortal else "signalpost"

    def doom(self, half: str) -> None:
        """It dies behind its next commit in `kept` or `shared`."""
        self._doom.write_text(half)

    def spare(self) -> None:
        """It does not, from its next start on."""
        self._doom.unlink(missing_ok=True)

    def pause(self) -> None:
        """Stop it where it is, as a machine does that has no time for it."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, which)


class Cluster:
    """The nodes, the stores, and the door."""

    def __init__(
        self, directory: Path, *, nodes: int = 3, config: str = "", store: str = "", share: str = ""
    ) -> None:
        """`store`, `share`: URLs that all nodes use in the place of a store of the cluster's own."""
        self.postgres = Postgres()
        self.redis = RedisServer()
        self.door = Proxy()
        self.nodes = [
            Node(
                directory / f"node{number}",
                config,
                postgres=Proxy([("127.0.0.1", self.postgres.port)]),
                redis=Proxy([str(self.redis.socket)]),
                store=store,
                share=share,
            )
            for number in range(nodes)
        ]

    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.door.port}/"

    async def start(self, *nodes: Node) -> None:
        """Start these nodes, or all, and have clients come to them."""
        for node in nodes or self.nodes:
            if node.process is not None:
                node.kill()  # it may have died by itself
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes or self.nodes))
        self._direct()

    async def stop(self, node: Node) -> None:
        """End a node in good order; the balancer knows."""
        self.door.targets = [("127.0.0.1", each.port) for each in self.nodes if each is not node]
        assert await node.stopped() == 0, node.log.read_text()[-2000:]

    def _direct(self) -> None:
        self.door.targets = [("127.0.0.1", node.port) for node in self.nodes if node.port]

    def close(self) -> None:
        """End everything."""
        for node in self.nodes:
            if node.process is not None:
                node.kill()
            node.to_postgres.close()
            node.to_redis.close()
        self.door.close()
        self.redis.close()
        self.postgres.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
