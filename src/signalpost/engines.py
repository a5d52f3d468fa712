"""Which engine a server has, and how that lives: the one file that names every engine.

It knows what each half is kept in, and in which order that is opened and closed. It refuses to know what is
in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from signalpost.config import Config
from signalpost.engine.failures import StoreError
from signalpost.engine.journal import BUCKETS
from signalpost.engine.kept import EmbeddedKept
from signalpost.engine.memory import memory_kept
from signalpost.engine.ports import Clock, Unavailable
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.engine.shared import MemoryShared, SharedMemory
from signalpost.engine.sqlite import sqlite_kept
from signalpost.engine.store import Opened, Store
from signalpost.telemetry.metrics import EngineReadings, Latencies

__all__ = ["Embedded", "Engine", "MakeEngine", "StoreError", "choose", "steady_clock"]

_log = structlog.get_logger("signalpost")

_STEP: Final = 1.0  # seconds by which the wall clock must be off to count as set
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


class Engine(Protocol):
    """Both halves, and how they live: `open`, `run`, `stop`, `close`, in this order."""

    @property
    def kept(self) -> RunningKept:
        """What was promised."""
        ...

    @property
    def shared(self) -> RunningShared:
        """What may vanish."""
        ...

    @property
    def clock(self) -> Clock:
        """Never steps."""
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


MakeEngine = Callable[[Config, Clock, "Clock | None"], Engine]
"""An engine for this configuration, on this wall clock and the clock that it measures by: one of its own if
None. Called on the loop that it runs on. Raises StoreError."""


def choose(config: Config, wall: Clock, clock: Clock | None) -> Engine:
    """The engine that the configuration asks for; see `MakeEngine`."""
    return Embedded(config, wall, clock)


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
