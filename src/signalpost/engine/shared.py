"""The shared half of the embedded engine: everything in process memory, and nothing over a restart.

One `SharedMemory` holds it; each node has a `MemoryShared` of its own, which is the port. A commit happens
in one call, so that nobody ever sees half of it.
"""

from __future__ import annotations

import secrets
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

import msgspec

from signalpost.engine.buckets import Buckets
from signalpost.engine.deadlines import Deadlines
from signalpost.engine.entries import Entries
from signalpost.engine.places import Places
from signalpost.engine.ports import Clock
from signalpost.engine.ports.shared import (
    Absent,
    Behind,
    Change,
    Drop,
    Event,
    Listener,
    Past,
    Place,
    Since,
    Spend,
    Topic,
    Topics,
)
from signalpost.engine.ports.steps import (
    Arm,
    Ask,
    Cancel,
    Delete,
    Due,
    Expect,
    Keys,
    Put,
    Receipt,
    Record,
    Step,
)

__all__ = ["MemoryNodes", "MemoryShared", "SharedMemory"]

_SWEEP = 4096  # looks that one sweep takes at each kind of what may be over


class SharedMemory:
    """All that is shared, by its parts, and how a commit changes it."""

    __slots__ = (
        "_acts",
        "_answers",
        "_checks",
        "beats",
        "buckets",
        "clock",
        "entries",
        "followers",
        "places",
        "since",
        "timers",
        "views",
    )

    def __init__(self, *, clock: Clock) -> None:
        self.clock = clock
        self.since = clock()
        self.entries = entries = Entries()
        self.places = places = Places()
        self.buckets = buckets = Buckets()
        self.timers = timers = Deadlines(clock=clock)
        self.followers: dict[str, tuple[Listener, ...]] = {}  # by topic
        self.views: dict[str, MemoryShared] = {}  # by the name of the node
        self.beats: dict[str, float] = {}  # by node: when it beat last
        # What judges a step before anything is done, what does it, and what answers an ask, by type.
        self._checks: dict[type, Callable[[Any, float], None]] = {
            Put: entries.compare,
            Delete: entries.compare,
            Expect: entries.expect,
            Change: places.check,
            Absent: places.absent,
            Spend: buckets.check,
        }
        self._acts: dict[type, Callable[[Any, float], Any]] = {
            Put: entries.put,
            Delete: entries.delete,
            Expect: _nothing,
            Absent: _nothing,
            Arm: lambda step, now: timers.arm(step.key, step.at),
            Cancel: lambda step, now: timers.cancel(step.key),
            Change: places.change,
            Drop: places.drop,
            Spend: buckets.spend,
        }
        self._answers: dict[type, Callable[[Any, float], Any]] = {
            Record: entries.record,
            Keys: entries.keys,
            Receipt: places.receipt,
            Since: lambda ask, now: self.since,
            Topic: places.snapshot,
            Topics: lambda ask, now: places.names(ask),
            Place: places.place,
            Past: places.past,
            Behind: places.behind,
        }

    def load(self, asks: tuple[Ask[Any], ...]) -> tuple[Any, ...]:
        """See `Shared.load`."""
        now, answers = self.clock(), self._answers
        if len(asks) == 1:  # as nearly always
            (ask,) = asks
            return (answers[type(ask)](ask, now),)
        return tuple([answers[type(ask)](ask, now) for ask in asks])

    def commit(self, steps: tuple[Step[Any], ...]) -> tuple[Any, ...]:
        """See `Shared.commit`."""
        now, checks, acts, places = self.clock(), self._checks, self._acts, self.places
        for step in steps:
            check = checks.get(type(step))
            if check is not None:
                check(step, now)
        places.news = False
        results = tuple([acts[type(step)](step, now) for step in steps])
        if places.told:
            told, places.told = places.told, []
            for topic, epoch, event in told:
                for listener in self.followers.get(topic, ()):
                    listener(topic, epoch, event)
        return results

    def sweep(self) -> int:
        """See `Shared.sweep`."""
        now = self.clock()
        parts = (self.entries, self.buckets, self.places)
        return sum(part.sweep(now, _SWEEP) for part in parts)

    def size(self) -> int:
        """How many things are held: of every kind, those that are over included."""
        return len(self.entries) + len(self.buckets) + len(self.timers) + self.places.size()


class MemoryNodes:
    """The port `Nodes` of one node."""

    __slots__ = ("_handler", "_memory", "_name")

    def __init__(self, memory: SharedMemory, name: str) -> None:
        self._memory = memory
        self._name = name
        self._handler: Callable[[msgspec.Struct], None] = _unheard

    @property
    def me(self) -> str:
        """See `Nodes.me`."""
        return self._name

    async def beat(self) -> None:
        """See `Nodes.beat`."""
        self._memory.beats[self._name] = self._memory.clock()

    async def silent(self, seconds: float) -> dict[str, float]:
        """See `Nodes.silent`."""
        now = self._memory.clock()
        return {
            name: now - at
            for name, at in self._memory.beats.items()
            if now - at >= seconds and name != self._name
        }

    async def forget(self, node: str) -> None:
        """See `Nodes.forget`."""
        self._memory.beats.pop(node, None)

    async def records_of(self, node: str) -> list[str]:
        """See `Nodes.records_of`. It goes through all records."""
        return [key for key, owner in self._memory.entries.live(self._memory.clock()) if owner == node]

    async def send(self, node: str, note: msgspec.Struct) -> None:
        """See `Nodes.send`. It is handed on in this very call."""
        view = self._memory.views.get(node)
        if view is not None:
            view.nodes.hear(note)

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        """See `Nodes.tell`."""
        await self.send(self._memory.entries.node_of(key, self._memory.clock()), note)

    def listen(self, handler: Callable[[msgspec.Struct], None]) -> None:
        """See `Nodes.listen`."""
        self._handler = handler

    def hear(self, note: msgspec.Struct) -> None:
        """This node is told something."""
        self._handler(note)


class MemoryShared:
    """The port `Shared` of one node."""

    __slots__ = ("_commit", "_listener", "_load", "_memory", "nodes")

    def __init__(self, memory: SharedMemory, node: str = "") -> None:
        """`node`: its name, if it shall not be a new one."""
        self._memory = memory
        self._load = memory.load
        self._commit = memory.commit
        self._listener: Listener = _unread
        self.nodes = MemoryNodes(memory, node or secrets.token_hex(8))
        memory.views[self.nodes.me] = self

    def __len__(self) -> int:
        """How many topics there are."""
        return len(self._memory.places)

    async def load(self, *asks: Any) -> Any:
        """See `Shared.load`."""
        return self._load(asks)

    async def commit(self, *steps: Any) -> Any:
        """See `Shared.commit`."""
        return self._commit(steps)

    def listen(self, listener: Listener) -> None:
        """See `Shared.listen`. To be called before anything is followed."""
        self._listener = listener

    async def follow(self, topic: str) -> None:
        """See `Shared.follow`."""
        followers = self._memory.followers
        others = followers.get(topic, ())
        if self._listener not in others:
            followers[topic] = (*others, self._listener)  # replaced, as somebody may be telling the others

    async def unfollow(self, topic: str) -> None:
        """See `Shared.unfollow`."""
        followers = self._memory.followers
        others = tuple(other for other in followers.get(topic, ()) if other != self._listener)
        if others:
            followers[topic] = others
        else:
            followers.pop(topic, None)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Shared.due`."""
        return self._memory.timers.due(limit, lease)

    async def done(self, *due: Due) -> None:
        """See `Shared.done`."""
        for one in due:
            self._memory.timers.done(one)

    def alarm(self, handler: Callable[[], None]) -> None:
        """See `Shared.alarm`. Of several nodes the last that calls this is told."""
        self._memory.timers.alarm(handler)

    def next_at(self) -> float | None:
        """When the next timer is due, or None."""
        return self._memory.timers.next_at()

    def size(self) -> int:
        """How many things are held: of every kind, those that are over included."""
        return self._memory.size()

    def records(self) -> list[str]:
        """The keys of the live records."""
        return [key for key, _ in self._memory.entries.live(self._memory.clock())]

    def armed(self) -> list[str]:
        """The keys that have a timer."""
        return self._memory.timers.keys()

    def run(self, loop: AbstractEventLoop) -> None:
        """Have `loop` tell when something is due, until `stop`."""
        self._memory.timers.run(loop)

    def stop(self) -> None:
        """Tell no more."""
        self._memory.timers.stop()

    async def sweep(self) -> int:
        """See `Shared.sweep`."""
        return self._memory.sweep()


def _nothing(step: Expect | Absent, now: float) -> None:
    """It was judged, and changes nothing."""


def _unheard(note: msgspec.Struct) -> None:
    """Stand in for the handler until there is one."""


def _unread(topic: str, epoch: str, event: Event) -> None:
    """Stand in for the listener until there is one."""
