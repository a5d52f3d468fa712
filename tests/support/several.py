"""Several nodes in one process, over one pair of embedded halves: each a whole server with its own gateway.

To its nodes the pair is what stores elsewhere are to those of a cluster: each has a name, its own way there,
and hears only what it is told.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.engine.fence import Fence
from signalpost.engine.patience import Patience
from signalpost.engine.ports import Clock
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.engines import Embedded, Networked, Several
from signalpost.telemetry.metrics import EngineReadings
from support.client import RawClient
from support.far import Cable, Far, ways
from support.waiting import until

__all__ = ["Common", "Node", "Town"]


class Common:
    """The pair that all nodes have in common."""

    def __init__(
        self,
        config: Config,
        wall: Clock,
        *,
        clock: Clock | None = None,
        far: str = "none",
        patience: float = 20.0,
    ) -> None:
        """`far`: how far away it is from its nodes, see `support.far.ways`. `patience`: seconds for which
        they wait for its answers."""
        self.loop = asyncio.get_running_loop()
        self.inner = Embedded(config, wall, clock)
        self.wakes: list[Callable[[], None]] = []  # of the nodes: whom to tell that something is due
        self.nodes: list[Node] = []
        self.memory = SharedMemory(clock=self.inner.clock)
        self._run()
        self.inner.kept.listen(self.wake)
        self.inner.kept.run(self.loop)
        self._far = far
        self._patience = patience

    def _run(self) -> None:
        self.memory.timers.alarm(self.wake)
        self.memory.timers.run(self.loop)

    def wake(self) -> None:
        """Something may be due."""
        for wake in self.wakes:
            wake()

    def lose_shared(self) -> None:
        """Lose all that is shared, but for who is there and follows what."""
        before = self.memory
        before.timers.stop()
        after = SharedMemory(clock=before.clock)
        after.followers, after.views = before.followers, before.views
        self.memory = after
        self._run()
        for node in self.nodes:
            node.shared.move_to(after)

    def node(self, config: Config) -> Node:
        """A further node; not started yet."""
        node = Node(self, config)
        self.nodes.append(node)
        return node

    def cables(self) -> tuple[Cable, Cable]:
        """A node's ways to the two halves."""
        patience = Patience(self.loop.time, self.loop.call_later, seconds=self._patience)
        seed = len(self.nodes)
        kept, shared = (Cable(*ways(self._far, self.loop, 2 * seed + half), patience) for half in (0, 1))
        return kept, shared

    async def close(self) -> None:
        """Let go of the pair; its nodes have ended."""
        self.memory.timers.stop()
        self.inner.kept.stop()
        await self.inner.close()


class _Kept:
    """The kept half, as one of several nodes has it."""

    def __init__(self, common: Common) -> None:
        self._common = common

    def __getattr__(self, name: str) -> Any:
        return getattr(self._common.inner.kept, name)

    def listen(self, wake: Callable[[], None]) -> None:
        self._common.wakes.append(wake)

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """The pair runs as long as any node."""

    def stop(self) -> None:
        """Likewise."""


class _Shared(MemoryShared):
    """The shared half, likewise."""

    __slots__ = ()

    def move_to(self, memory: SharedMemory) -> None:
        """The store was lost: this is the new one."""
        self._memory = self.nodes._memory = memory
        self._load, self._commit = memory.load, memory.commit

    def alarm(self, handler: Callable[[], None]) -> None:
        """All that is due `_Kept.listen` is told of, too."""

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """See `_Kept.run`."""

    def stop(self) -> None:
        """Likewise."""


class _Way:
    """Stands for a store that is elsewhere: away while the cable to it is cut."""

    def __init__(self, cable: Cable, common: Common) -> None:
        self._cable = cable
        self._common = common

    @property
    def trips(self) -> int:
        """What has gone there."""
        return self._cable.trips.total()

    async def open(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """It stays there."""

    def trouble(self) -> str:
        """Whether it is there."""
        return "it does not answer" if self._cable.cut else self._common.inner.trouble()


class _Engine(Networked):
    """What several nodes have in common tells how much there is of it."""

    def __init__(self, common: Common, *parts: Any) -> None:
        super().__init__(*parts)
        self._common = common

    async def flush(self) -> None:
        await self._common.inner.flush()

    def readings(self) -> EngineReadings:
        found = self._common.inner.readings()
        stores = super().readings().stores
        return dataclasses.replace(found, channels=len(self._common.memory.places), stores=stores)


class Node:
    """One server, and its ways to what it shares with the others."""

    def __init__(self, common: Common, config: Config) -> None:
        self.dead = False
        self.to_kept, self.to_shared = common.cables()
        self.shared = _Shared(common.memory)
        kept: Any = Far(_Kept(common), self.to_kept)
        shared: Any = Far(self.shared, self.to_shared)
        clock = common.inner.clock
        keepers = {"kept": _Way(self.to_kept, common), "shared": _Way(self.to_shared, common)}
        several = Several(Fence(clock), kept, shared)
        engine = _Engine(common, kept, shared, clock, keepers, several)
        self.server = Server(config, engine=lambda config, wall, clock: engine)
        assert self.server._neighbours is not None
        self.neighbours = self.server._neighbours

    @property
    def name(self) -> str:
        """What the others call it."""
        return self.shared.nodes.me

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.server.port}/"

    def cut_off(self, *, kept: bool = True, shared: bool = True) -> None:
        """Lose the stores; what they tell does not come, either."""
        self.to_kept.cut, self.to_shared.cut = kept, shared

    def come_back(self) -> None:
        """Find both again."""
        self.cut_off(kept=False, shared=False)

    def be_deaf(self, *, deaf: bool = True) -> None:
        """Lose what is told to it, and nothing else."""
        self.to_kept.deaf = self.to_shared.deaf = deaf

    def die(self) -> None:
        """End as a crash does: nobody is told, and nothing is stored."""
        self.dead = True
        self.cut_off()
        for chore in self.server._chores:
            chore.cancel()
        listener = self.server.listener
        listener.timeouts.stop()
        listener.stop()
        for socket in tuple(listener.registry.sockets):
            socket.abort()


class Town:
    """Nodes on one pair whose time a test moves, and their clients."""

    def __init__(self, nodes: int, **limits: Any) -> None:
        self.now = 1_750_000_000.0
        apps = {"app": App(any_token=True, limits=Limits(**limits))}
        config = Config(data=":memory:", port=0, apps=apps)
        self.common = Common(config, self.clock, clock=self.clock, patience=0.02)
        self.nodes = [self.common.node(config) for _ in range(nodes)]
        self.clients: list[RawClient] = []

    def clock(self) -> float:
        """The time."""
        return self.now

    async def __aenter__(self) -> Town:
        for node in self.nodes:
            await node.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            await client.close()
        for node in self.nodes:
            node.come_back()
            if not node.dead:
                await node.server.stop()
        await self.common.close()

    async def client(self, node: Node, account: str, **login: Any) -> RawClient:
        """One of our SDKs, logged in at this node."""
        client = await self.open(node)
        await client.login(account, **{"device": "signalpost-web", "inbox": ["", 0], **login})
        return client

    async def original(self, node: Node, account: str) -> RawClient:
        """Web 1.4.0, logged in at this node."""
        client = await self.open(node)
        await client.login(account)
        await client.poll()
        return client

    async def open(self, node: Node) -> RawClient:
        """A connection to this node, not logged in."""
        client = await RawClient.open(node.url)
        self.clients.append(client)
        return client

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, second by second, and all who live do what is due.

        Whoever asks a store that is away gives up in between.
        """
        while seconds > 0.0:
            self.now += min(1.0, seconds)
            seconds -= 1.0
            living = [node for node in self.nodes if not node.dead]
            for node in living:
                node.neighbours.tick()
            self.common.wake()
            await self.settle()
            if any(node.neighbours.busy for node in living):
                await until(self._is_calm, "what is due was done")

    async def _is_calm(self) -> bool:
        return not any(node.neighbours.busy for node in self.nodes if not node.dead)

    async def settle(self) -> None:
        """Let all that is under way come to its end."""
        for _ in range(20):
            await asyncio.sleep(0)
