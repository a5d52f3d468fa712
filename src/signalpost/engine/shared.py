"""The shared half of the embedded engine: everything in process memory, and nothing over a restart.

One `SharedMemory` holds it; each node has a `MemoryShared` of its own, which is the port. A commit happens
in one call, so that nobody ever sees half of it.
"""

from __future__ import annotations

import secrets
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from signalpost.engine.deadlines import Deadlines
from signalpost.engine.ends import Ends
from signalpost.engine.places import Places
from signalpost.engine.ports import Clock, Conflict, Entry, RateExceeded
from signalpost.engine.ports.shared import (
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
)
from signalpost.engine.ports.steps import Arm, Ask, Cancel, Delete, Due, Expect, Put, Receipt, Record, Step

__all__ = ["MemoryNodes", "MemoryShared", "SharedMemory"]

_SWEEP = 4096  # looks that one sweep takes at each kind of what may be over

Told = tuple[str, str, Event]


class _Held(msgspec.Struct, gc=False):
    """What is kept of a record."""

    value: bytes
    rev: int
    node: str
    expires: float | None
    look: float = 0.0  # of its one valid entry among the ends; 0.0 for none


class SharedMemory:
    """All that is shared, and how a commit changes it."""

    def __init__(self, *, clock: Clock) -> None:
        self.clock = clock
        self.since = clock()
        self.places = Places()
        self.timers = Deadlines(clock=clock)
        self.followers: dict[str, list[Listener]] = {}  # by topic
        self.views: dict[str, MemoryShared] = {}  # by the name of the node
        self.beats: dict[str, float] = {}  # by node: when it beat last
        self._records: dict[str, _Held] = {}  # may hold some whose time is over, for a while
        self._rev = 0  # highest revision given, over all keys: so none is used twice for one
        self._record_ends: Ends[str] = Ends(self._look_at_record)
        self._spent: dict[str, float] = {}  # by bucket: when nothing is spent of it any more
        self._spent_ends: Ends[str] = Ends(self._look_at_bucket)
        self._checks: dict[type, Callable[[Any, float], None]] = {
            Put: self._compare,
            Delete: self._compare,
            Expect: self._expect,
            Change: self.places.check,
            Spend: self._check_spend,
        }
        self._acts: dict[type, Callable[[Any, float], Any]] = {
            Put: self._put,
            Delete: self._delete,
            Expect: _expected,
            Arm: self._arm,
            Cancel: self._cancel,
            Change: self.places.change,
            Drop: self.places.drop,
            Spend: self._spend,
        }
        self._answers: dict[type, Callable[[Any, float], Any]] = {
            Record: self._record,
            Receipt: self.places.receipt,
            Since: self._since,
            Topic: self.places.snapshot,
            Place: self.places.place,
            Past: self.places.past,
            Behind: self.places.behind,
        }

    def load(self, asks: tuple[Ask[Any], ...]) -> tuple[Any, ...]:
        """See `Shared.load`."""
        now, answers = self.clock(), self._answers
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

    def live(self, now: float) -> Iterator[tuple[str, str]]:
        """The keys of the live records, and the node that each names."""
        for key, held in self._records.items():
            if held.expires is None or held.expires > now:
                yield key, held.node

    def sweep(self) -> int:
        """See `Shared.sweep`."""
        now = self.clock()
        looks = self._record_ends.expire(now, _SWEEP) + self._spent_ends.expire(now, _SWEEP)
        return looks + self.places.sweep(now, _SWEEP)

    def size(self) -> int:
        """How many things are held: of every kind, those that are over included."""
        return (
            len(self._records)
            + len(self._record_ends)
            + len(self._spent)
            + len(self._spent_ends)
            + len(self.timers)
            + self.places.size()
        )

    # --- records ----------------------------------------------------------------------------------

    def find(self, key: str, now: float) -> _Held | None:
        """The live record."""
        held = self._records.get(key)
        if held is None or (held.expires is not None and held.expires <= now):
            return None
        return held

    def _record(self, ask: Record, now: float) -> Entry | None:
        held = self.find(ask.key, now)
        return None if held is None else Entry(held.value, held.rev)

    def _compare(self, step: Put | Delete, now: float) -> None:
        if step.expect is None:
            return
        held = self.find(step.key, now)
        if step.expect != (0 if held is None else held.rev):
            raise Conflict(step)

    def _expect(self, step: Expect, now: float) -> None:
        held = self.find(step.key, now)
        if step.rev != (0 if held is None else held.rev):
            raise Conflict(step)

    def _put(self, step: Put, now: float) -> int:
        self._rev = rev = self._rev + 1
        key = step.key
        before = self._records.get(key)
        expires = None if step.ttl is None else now + step.ttl
        held = self._records[key] = _Held(step.value, rev, step.node, expires)
        if expires is not None:
            if before is not None and before.look and before.look <= expires:
                held.look = before.look
            else:
                held.look = expires
                self._record_ends.add(expires, key, now)
        return rev

    def _delete(self, step: Delete, now: float) -> bool:
        there = self.find(step.key, now) is not None
        self._records.pop(step.key, None)
        return there

    def _look_at_record(self, key: str, at: float, now: float) -> float | None:
        held = self._records.get(key)
        if held is None or held.look != at or held.expires is None:
            return None
        if held.expires <= now:
            del self._records[key]
            return None
        held.look = held.expires
        return held.look

    # --- timers, buckets --------------------------------------------------------------------------

    def _arm(self, step: Arm, now: float) -> None:
        self.timers.arm(step.key, step.at)

    def _cancel(self, step: Cancel, now: float) -> None:
        self.timers.cancel(step.key)

    def _check_spend(self, step: Spend, now: float) -> None:
        over = (self._spent.get(step.key, now) - now) - (step.burst - 1) / step.rate
        if over > 1e-9:
            raise RateExceeded(step.key, limit=step.burst, wait=over)

    def _spend(self, step: Spend, now: float) -> None:
        before = self._spent.get(step.key)
        until = self._spent[step.key] = max(now, before or now) + 1.0 / step.rate
        if before is None:
            self._spent_ends.add(until, step.key, now)

    def _look_at_bucket(self, key: str, at: float, now: float) -> float | None:
        until = self._spent.get(key)
        if until is None or until > now:
            return until
        del self._spent[key]
        return None

    def _since(self, ask: Since, now: float) -> float:
        return self.since


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

    async def silent(self, seconds: float) -> list[str]:
        """See `Nodes.silent`."""
        horizon = self._memory.clock() - seconds
        return [name for name, at in self._memory.beats.items() if at <= horizon and name != self._name]

    async def forget(self, node: str) -> None:
        """See `Nodes.forget`."""
        self._memory.beats.pop(node, None)

    async def records_of(self, node: str) -> list[str]:
        """See `Nodes.records_of`. It goes through all records."""
        return [key for key, owner in self._memory.live(self._memory.clock()) if owner == node]

    async def send(self, node: str, note: msgspec.Struct) -> None:
        """See `Nodes.send`. It is handed on in this very call."""
        view = self._memory.views.get(node)
        if view is not None:
            view.nodes.hear(note)

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        """See `Nodes.tell`."""
        held = self._memory.find(key, self._memory.clock())
        if held is not None:
            await self.send(held.node, note)

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
        followers = self._memory.followers.setdefault(topic, [])
        if self._listener not in followers:
            followers.append(self._listener)

    async def unfollow(self, topic: str) -> None:
        """See `Shared.unfollow`."""
        followers = self._memory.followers.get(topic, [])
        if self._listener in followers:
            followers.remove(self._listener)
        if not followers:
            self._memory.followers.pop(topic, None)

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
        return [key for key, _ in self._memory.live(self._memory.clock())]

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


def _expected(step: Expect, now: float) -> None:
    """It was judged before the commit."""


def _unheard(note: msgspec.Struct) -> None:
    """Stand in for the handler until there is one."""


def _unread(topic: str, epoch: str, event: Event) -> None:
    """Stand in for the listener until there is one."""
