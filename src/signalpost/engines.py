"""Which engine a server has, and how that lives: the one file that names every engine.

It knows what each half is kept in, and in which order that is opened and closed. It refuses to know what is
in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import structlog

from signalpost.config import Config
from signalpost.engine.failures import StoreError
from signalpost.engine.fence import Fence, FencedKept, FencedShared
from signalpost.engine.journal import BUCKETS
from signalpost.engine.kept import EmbeddedKept
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports import Clock, Entry, Put, Record, Unavailable
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.engine.sqlite import sqlite_kept
from signalpost.engine.store import Opened, Store
from signalpost.services.driver import start
from signalpost.services.keys import app_of, app_of_topic
from signalpost.services.notes import NOTE
from signalpost.telemetry.metrics import EngineReadings, Latencies, StoreReadings

if TYPE_CHECKING:
    from signalpost.engine.postgres import PostgresKept
    from signalpost.engine.redis import RedisShared

__all__ = [
    "Embedded",
    "Engine",
    "MakeEngine",
    "Networked",
    "Several",
    "StoreError",
    "choose",
    "renew",
    "steady_clock",
]

_log = structlog.get_logger("signalpost")

_CLOSING: Final = 1.0  # seconds that a store may take to be let go of
_STEP: Final = 1.0  # seconds by which the wall clock must be off to count as set
_REMEMBERED: Final = 30 * 86_400.0  # seconds for which it is known when a database was last used
_OLDER: Final = 1.0  # seconds by which what it says itself must be older
_AHEAD: Final = "ahead"  # the store's name for what `steady_clock` calls so, in milliseconds


def steady_clock(wall: Clock = time.time, *, ahead: float = 0.0) -> Clock:
    """Time that never steps: the wall clock at the start, and what has passed since, suspends too.

    `ahead`: seconds by which the wall clock was set forward under earlier servers on the same data. Without
    them it is the time that those have stored as ends, so that a step neither ends nor prolongs anything.
    """
    passed, which = time.clock_gettime, time.CLOCK_BOOTTIME
    start = wall() - ahead - passed(which)
    return lambda: start + passed(which)


# --- what a server asks of it -----------------------------------------------------------------


class Several(NamedTuple):
    """What one of several nodes has besides."""

    guard: Fence  #: shuts both halves while the node must not act
    kept: Kept  #: as it is behind that
    shared: Shared  #: likewise


class Engine(Protocol):
    """Both halves, and how they live: `open`, `run`, `stop`, `close`, in this order."""

    @property
    def kept(self) -> Kept:
        """What was promised."""
        ...

    @property
    def shared(self) -> Shared:
        """What may vanish."""
        ...

    @property
    def clock(self) -> Clock:
        """Never steps."""
        ...

    @property
    def several(self) -> Several | None:
        """What is needed where there are other nodes; None where there are none."""
        ...

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """What lets go of some of what is over its time."""
        ...

    async def open(self) -> None:
        """What can wait until the server begins. Raises StoreError."""
        ...

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have both halves tell of what is due."""
        ...

    def watch(self) -> None:
        """Look after the stores; called about once a second while it runs."""
        ...

    async def flush(self) -> None:
        """Whoever waits for a commit has it when this returns, or will never."""
        ...

    def stop(self) -> None:
        """Tell of nothing more."""
        ...

    async def close(self) -> None:
        """Let go of the stores."""
        ...

    def trouble(self) -> str:
        """Which store cannot be used at present, and why; "" if all can."""
        ...

    def readings(self) -> EngineReadings:
        """What metrics tell of it."""
        ...


Sweep = Callable[[], Awaitable[int]]
"""Says how much was over."""

MakeEngine = Callable[[Config, Clock, "Clock | None"], Engine]
"""An engine for this configuration, on this wall clock and the clock that it measures by: one of its own if
None. Called on the loop that it runs on. Raises StoreError."""


def choose(config: Config, wall: Clock, clock: Clock | None) -> Engine:
    """The engine that the configuration asks for; see `MakeEngine`."""
    if not config.store:
        return Embedded(config, wall, clock)
    kept = _postgres(config)
    clock = clock or kept.now
    if not config.share:
        alone = MemoryShared(SharedMemory(clock=clock))
        return Networked(kept, alone, clock, {"postgresql": kept})
    shared = _redis(config)
    several = Several(Fence(clock), kept, shared)
    stores: dict[str, Keeper] = {"postgresql": kept, "redis": shared}
    return Networked(kept, shared, clock, stores, several, Pulse(kept, shared))


async def renew(store: str) -> int:
    """Have a database that was restored use no number again (N2); the number that it goes on above.

    Raises StoreError.
    """
    from signalpost.engine.postgres import renew

    return await renew(store)


def _postgres(config: Config) -> PostgresKept:
    from signalpost.engine.postgres import PostgresKept  # late: most servers need no driver

    return PostgresKept(config.store, power=config.durability == "power")


def _redis(config: Config) -> RedisShared:
    from signalpost.engine.redis import Address, AddressError, RedisShared  # late, likewise

    try:
        address = Address(config.share)
    except AddressError as error:
        raise StoreError(str(error)) from error
    return RedisShared(address, notation=NOTE, tag_of_key=app_of, tag_of_topic=app_of_topic)


# --- in this process --------------------------------------------------------------------------


class Embedded:
    """Memory, or a data directory; see `Engine`."""

    def __init__(self, config: Config, wall: Clock, clock: Clock | None = None) -> None:
        """Raises StoreError."""
        self._wall = wall
        self._trouble = ""  # what the latest look at the store has found
        self._store: Store | None = None
        if config.data != ":memory:":
            loop = asyncio.get_running_loop()
            self._store = Store(config.data, loop=loop, durability=config.durability)
        # By how many seconds the wall clock was set forward, here and under earlier servers on the same data.
        self._ahead = 0.0 if self._store is None else _stored_ahead(self._store)
        self.clock: Clock = clock or steady_clock(wall, ahead=self._ahead)
        self.kept: EmbeddedKept = (
            memory_kept(clock=self.clock)
            if self._store is None
            else sqlite_kept(self._store, clock=self.clock)
        )
        self.shared = MemoryShared(SharedMemory(clock=self.clock))

    @property
    def several(self) -> None:
        """There are no others."""
        return None

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """See `Engine.sweeps`."""
        return self.kept.sweep, self.shared.sweep

    async def open(self) -> None:
        """See `Engine.open`; it was opened when it was made."""
        if self._store is not None:
            _tell_opened(self._store.opened, self.kept.parts.queues.items)

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """See `Engine.run`."""
        self.shared.run(loop)
        self.kept.run(loop)

    def watch(self) -> None:
        """See whether commits succeed, and whether the wall clock was set."""
        store = self._store
        if store is None:
            return
        if store.watch():
            _log.warning("the lock file was removed: it is made anew", data=str(store.directory))
        before, self._trouble = self._trouble, store.trouble()
        if self._trouble and not before:
            _log.error("nothing can be stored", reason=self._trouble)
        elif before and not self._trouble:
            _log.info("everything is stored again")
        with contextlib.suppress(StoreError, Unavailable):  # the next time will do
            self._follow_wall(store)

    def _follow_wall(self, store: Store) -> None:
        ahead = self._wall() - self.clock()
        step = ahead - self._ahead
        if abs(step) >= _STEP:
            _log.warning("the wall clock was set", seconds=round(step, 3))
            self._ahead = ahead
        if abs(self._ahead - _stored_ahead(store)) >= _STEP:
            store.remember(_AHEAD, int(self._ahead * 1000))

    async def flush(self) -> None:
        """See `Engine.flush`."""
        if self._store is not None:
            await self._store.flush()

    def stop(self) -> None:
        """See `Engine.stop`."""
        self.shared.stop()
        self.kept.stop()

    async def close(self) -> None:
        """See `Engine.close`."""
        if self._store is not None:
            await self._store.close()

    def trouble(self) -> str:
        """See `Engine.trouble`."""
        return "" if self._store is None else self._store.trouble()

    def readings(self) -> EngineReadings:
        """See `Engine.readings`."""
        meter = None if self._store is None else self._store.journal.meter
        return EngineReadings(
            channels=len(self.shared),
            inbox_items=self.kept.parts.queues.items,
            commits=None if meter is None else Latencies(BUCKETS, meter.buckets, meter.seconds),
            commits_failed=None if meter is None else meter.failures,
        )


def _stored_ahead(store: Store) -> float:
    with store.loading():
        return int(store.meta(_AHEAD) or 0) / 1000


def _tell_opened(opened: Opened, waiting: int) -> None:
    _log.info(
        "data opened",
        database=str(opened.path),
        schema=opened.schema,
        epoch=opened.epoch,
        waiting=waiting,
        bytes=opened.size,
        recovered_log_bytes=opened.log,
    )
    if opened.doubt:
        _log.warning("messages that were acknowledged may be missing", reason=opened.doubt)


# --- elsewhere --------------------------------------------------------------------------------


class Running(Protocol):
    """What a half has besides its port while it runs."""

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake whoever listens when something is due, until `stop`."""
        ...

    def stop(self) -> None:
        """Wake nobody any more."""
        ...

    async def sweep(self) -> int:
        """Let go of some of what is over its time; 0 if nothing is left."""
        ...


class RunningKept(Running, Kept, Protocol):
    """The kept half."""


class RunningShared(Running, Shared, Protocol):
    """The shared half."""

    async def sweep(self) -> int:
        """As both say."""
        ...


class Keeper(Protocol):
    """A half's store that is elsewhere."""

    @property
    def trips(self) -> int:
        """Round trips made so far."""
        ...

    async def open(self) -> None:
        """Find it, and make sure that it can be used; raises StoreError."""
        ...

    async def close(self) -> None:
        """Let go of it, whatever it does, within a second."""
        ...

    def trouble(self) -> str:
        """Why it cannot be used at present; "" while it can."""
        ...


class Pulse:
    """When the kept half was last used, as the shared one remembers: a restored database is older (N2)."""

    def __init__(self, kept: PostgresKept, shared: Shared) -> None:
        self._kept = kept
        self._shared = shared

    @property
    def _key(self) -> str:
        """The record in the shared half; a restored database has the epoch that it had."""
        return f"pulse\x1f{self._kept.epoch}"

    async def remember(self) -> int:
        """Done now and then; it is no sweep of anything, so 0. Raises Unavailable."""
        pulse = repr(await self._kept.beat()).encode()
        await self._shared.commit(Put(self._key, pulse, ttl=_REMEMBERED))
        return 0

    async def compare(self) -> None:
        """Warn if the database is older than what is remembered."""
        found: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()

        def loaded(answers: tuple[Entry | None], error: Exception | None) -> None:
            if not found.done():
                found.set_result(None if error is not None else answers[0])

        start(self._shared.load(Record(self._key)), loaded)
        entry = await found
        if entry is not None and float(entry.value) > self._kept.pulse + _OLDER:
            _log.warning(
                "the database is older than what other nodes have seen of it: if a dump was restored, run "
                "`signalpost store renew`",
                seconds=round(float(entry.value) - self._kept.pulse),
            )


class Networked:
    """What is kept lies in a store that is elsewhere, and so may what is shared; see `Engine`."""

    def __init__(
        self,
        kept: RunningKept,
        shared: RunningShared,
        clock: Clock,
        keepers: Mapping[str, Keeper],
        several: Several | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        """`keepers`: those of the halves that are elsewhere, by the names of their stores. `several`: None
        where there are no other nodes. `pulse`: how a restored database is found; None where nobody
        remembers."""
        self.clock = clock
        self._halves: tuple[Running, ...] = shared, kept
        self.kept: Kept = kept
        self.shared: Shared = shared
        self.several = several
        if several is not None:
            self.kept, self.shared = FencedKept(kept, several.guard), FencedShared(shared, several.guard)
        self._pulse = pulse
        self._keepers = MappingProxyType(dict(keepers))
        self._troubles: dict[str, str] = {}  # by store: what the latest look has found; "" for nothing

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """See `Engine.sweeps`."""
        halves = tuple(half.sweep for half in self._halves)
        return halves if self._pulse is None else (*halves, self._pulse.remember)

    async def open(self) -> None:
        """See `Engine.open`. What was opened before one that cannot be is closed again."""
        opened: list[Keeper] = []
        try:
            for name, keeper in self._keepers.items():
                await keeper.open()
                opened.append(keeper)
                _log.info("store opened", store=name)
            if self._pulse is not None:
                await self._pulse.compare()
        except BaseException:
            for keeper in opened:
                await keeper.close()
            raise

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """See `Engine.run`."""
        for half in self._halves:
            half.run(loop)

    def watch(self) -> None:
        """Tell when a store goes away, and when it is back."""
        for name, keeper in self._keepers.items():
            before, now = self._troubles.get(name, ""), keeper.trouble()
            if now and not before:
                _log.error("a store is away", store=name, reason=now)
            elif before and not now:
                _log.info("a store is back", store=name)
            self._troubles[name] = now

    async def flush(self) -> None:
        """Nothing is gathered for longer than a tick."""

    def stop(self) -> None:
        """See `Engine.stop`."""
        for half in self._halves:
            half.stop()

    async def close(self) -> None:
        """See `Engine.close`."""
        closing = [asyncio.wait_for(keeper.close(), _CLOSING) for keeper in self._keepers.values()]
        await asyncio.gather(*closing, return_exceptions=True)

    def trouble(self) -> str:
        """See `Engine.trouble`."""
        found = {name: keeper.trouble() for name, keeper in self._keepers.items()}
        return "; ".join(f"{name}: {trouble}" for name, trouble in found.items() if trouble)

    def readings(self) -> EngineReadings:
        """See `Engine.readings`. How much is in the stores they tell themselves."""
        return EngineReadings(
            stores={
                name: StoreReadings(not keeper.trouble(), keeper.trips)
                for name, keeper in self._keepers.items()
            }
        )
