"""The composition root: the one file that names every concrete class; start, drain, stop.

It knows which part gets which. It refuses to know what any of them does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import structlog
import uvloop

from signalpost import __version__
from signalpost.config import Config
from signalpost.engine.journal import BUCKETS
from signalpost.engine.memory import HeapTimers, MemoryQueues, MemoryRecords, MemoryTopics
from signalpost.engine.ports import Clock
from signalpost.engine.sqlite import SqliteQueues, SqliteRecords, SqliteTopics
from signalpost.engine.store import Store, StoreError
from signalpost.gateway.commands import Services
from signalpost.gateway.connection import Connection, Gate
from signalpost.gateway.fanout import Fanout
from signalpost.gateway.http import Site, parse_advertised
from signalpost.gateway.listener import Listener, ListenerSettings, Socket
from signalpost.gateway.pages import built_page, built_script, plain_page
from signalpost.services.attributes import Attributes
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels
from signalpost.services.driver import start as drive
from signalpost.services.janitor import Janitor
from signalpost.services.messages import Messages
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence
from signalpost.services.requests import Requests
from signalpost.services.sessions import Sessions
from signalpost.telemetry import logs
from signalpost.telemetry.counters import Counters
from signalpost.telemetry.metrics import LagMeter, Latencies, Readings, Renderer

__all__ = ["Server", "run", "steady_clock"]

_log = structlog.get_logger("signalpost")

_SWEEP = 5.0  # seconds between two sweeps of what is over its time
_LAG = 0.25  # seconds between two measurements of the loop's lag


def steady_clock() -> Clock:
    """Unix time that never steps: the wall clock at the start, and what has passed since, suspends too."""
    start = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return lambda: start + time.clock_gettime(time.CLOCK_BOOTTIME)


class Server:
    """One node: engine, services, gateway, put together on the running loop."""

    def __init__(self, config: Config, *, clock: Clock | None = None) -> None:
        """Raises StoreError, OSError, ssl.SSLError with a text for who starts the server."""
        self._config = config
        self._loop = asyncio.get_running_loop()
        clock = clock or steady_clock()
        new_id = _ids()
        self.counters = Counters()
        self.fanout = Fanout()
        self._lag = LagMeter()
        self._store: Store | None = None
        self.timers = HeapTimers(clock=clock)
        records = MemoryRecords(clock=clock)
        self._queues: MemoryQueues
        self._topics: MemoryTopics
        kept: MemoryRecords
        if config.data == ":memory:":
            kept = MemoryRecords(clock=clock)
            self._queues = MemoryQueues(clock=clock)
            self._topics = MemoryTopics(clock=clock)
        else:
            store = self._store = Store(config.data, loop=self._loop, durability=config.durability)
            kept = SqliteRecords(store, clock=clock)
            self._queues = SqliteQueues(store, clock=clock)
            self._topics = SqliteTopics(store, clock=clock)
        self._topics.listen(self.fanout.publish)

        presence = Presence(records, clock)
        attributes = Attributes(kept, presence, config.app)
        messages = Messages(self._queues, self.fanout, clock, new_id)
        channels = Channels(
            topics=self._topics,
            records=records,
            timers=self.timers,
            presence=presence,
            messages=messages,
            clock=clock,
            new_id=new_id,
            find_app=config.app,
            warn=_warn_watched,
        )
        calls = Calls(
            records=records,
            queues=self._queues,
            timers=self.timers,
            presence=presence,
            outlet=self.fanout,
            pauses=Pauses(time.perf_counter, self._loop.call_soon),
            clock=clock,
            new_id=new_id,
            find_app=config.app,
        )
        sessions = Sessions(
            records=records,
            timers=self.timers,
            presence=presence,
            attributes=attributes,
            channels=channels,
            calls=calls,
            outlet=self.fanout,
            clock=clock,
            new_line=lambda: secrets.token_hex(16),
            find_app=config.app,
        )
        self.services = Services(sessions, messages, channels, calls, attributes, Requests(records))
        self._janitor = Janitor(
            sessions=sessions,
            channels=channels,
            calls=calls,
            attributes=attributes,
            messages=messages,
            sweeps=(records.sweep, kept.sweep, self._queues.sweep, self._topics.sweep),
            report=lambda error: _log.error("use case failed", exc_info=error),
        )
        self.timers.listen(self._janitor.due)
        renderer = Renderer(self.counters, self._lag, self._read, __version__)
        self.listener = Listener(
            _settings(config),
            Site(
                metrics=renderer.render,
                health=lambda: {"sessions": len(self.fanout)},
                advertised=parse_advertised(config.advertise) if config.advertise else None,
                version=__version__,
                page=built_page() or plain_page(),
                script=built_script(),
                open_doors=config.dev,
                ice_servers=msgspec.json.encode(config.ice_servers).decode(),
            ),
            self._accept,
        )
        self._gate = Gate(
            services=self.services,
            fanout=self.fanout,
            counters=self.counters,
            find_app=config.app,
            clock=clock,
            may_login=self.listener.may_login,
            failed_login=self.listener.failed_login,
            login_timeout=config.login_timeout,
        )
        self._chores: list[asyncio.Task[None]] = []  # sweeping and measuring, while the server runs

    async def start(self) -> None:
        """Accept connections from now on."""
        await self._finish(self._janitor.adopt())
        self.timers.run(self._loop)
        self._chores = [self._loop.create_task(self._sweep()), self._loop.create_task(self._measure())]
        await self.listener.start()

    async def stop(self) -> None:
        """Stop accepting, commit, close the connections (1012), let go of the data."""
        self.listener.stop()
        if self._store is not None:
            await self._store.flush()  # who waits for a commit gets his answer before he is sent away
        await self.listener.drain()
        for chore in self._chores:
            chore.cancel()
        self.timers.stop()
        if self._store is not None:
            await self._store.close()

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Await a use case from a task: what it waits for itself only its driver understands."""
        finished: asyncio.Future[None] = self._loop.create_future()

        def tell(result: None, error: Exception | None) -> None:
            if error is None:
                finished.set_result(result)
            else:
                finished.set_exception(error)

        drive(work, tell)
        await finished

    @property
    def port(self) -> int:
        """The plain port, once started."""
        return self.listener.port

    def _accept(self, socket: Socket) -> Connection:
        return Connection(self._gate, socket)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self._janitor.sweep()

    async def _measure(self) -> None:
        while True:
            due = self._loop.time() + _LAG
            await asyncio.sleep(_LAG)
            self._lag.note(max(0.0, self._loop.time() - due))

    def _read(self) -> Readings:
        meter = None if self._store is None else self._store.journal.meter
        return Readings(
            connections=self.listener.websockets,
            slow_consumers=self.listener.counts.slow,
            sessions=len(self.fanout),
            channels=len(self._topics),
            inbox_items=self._queues.items,
            channel_deliveries=self.fanout.delivered,
            commits=None if meter is None else Latencies(BUCKETS, meter.buckets, meter.seconds),
        )


def _ids() -> Callable[[], str]:
    """Ids that are unique over all messages and calls, also over restarts (PROTOCOL §6)."""
    boot = secrets.token_hex(5)
    numbers = itertools.count(1)
    return lambda: f"{boot}{next(numbers):x}"


def _warn_watched(app_id: str) -> None:
    _log.warning("any account of the app may watch all logins and joins", app=app_id)


def _settings(config: Config) -> ListenerSettings:
    return ListenerSettings(
        host=config.host,
        port=config.port,
        tls=_tls(config),
        trusted_proxies=config.trusted_proxies,
        exempt=config.exempt_networks,
        connections_per_second=config.connections_per_second,
        failed_logins_per_minute=config.failed_logins_per_minute,
        ping_after=config.ping_after,
        dead_after=config.dead_after,
        handshake_timeout=config.handshake_timeout,
        outbox_cap=config.outbox_bytes,
        send_buffer=config.send_buffer,
    )


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.tls_cert, config.tls_key)
    return context


def run(config: Config) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status (SPEC §9)."""
    logs.configure(config.log_level, config.log_format)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(_serve(config))
    except (StoreError, OSError, ssl.SSLError) as error:
        print(f"signalpost: {error}", file=sys.stderr)
        return 1
    return 0


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the process, and let it come less often.

    Messages leave no cycles behind, so that looking for them after every 700 objects only costs time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


async def _serve(config: Config) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    server = Server(config)
    await server.start()
    _settle_memory()
    host = f"[{config.host}]" if ":" in config.host else config.host
    print(f"signalpost: listening on http://{host}:{server.port}", flush=True)
    _log.info("started", port=server.port, data=config.data, version=__version__)
    if config.durability == "process":
        _log.warning("durability is 'process': a loss of power may lose acknowledged messages")
    await end.wait()
    _log.info("stopping")
    await server.stop()
    _log.info("stopped")
