"""The composition root: the one file that names every concrete class but the engines; start, drain, stop.

It knows which part gets which. It refuses to know what any of them does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import random
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog
import uvloop

from signalpost import __version__
from signalpost.api.cases import Cases
from signalpost.api.desk import Desk
from signalpost.api.listener import ApiListener, Surroundings
from signalpost.api.types import Info
from signalpost.config import Api, Config
from signalpost.domain.keys import Keyring
from signalpost.domain.webhooks import Endpoint
from signalpost.engine.ports import Clock, Reply, Unavailable
from signalpost.engines import MakeEngine, StoreError, choose
from signalpost.gateway import descriptors
from signalpost.gateway.bulk import Turns
from signalpost.gateway.commands import Services
from signalpost.gateway.connection import Connection
from signalpost.gateway.fanout import Fanout
from signalpost.gateway.gate import Gate
from signalpost.gateway.http import Site, Unready, parse_advertised
from signalpost.gateway.key_sets import KeySet
from signalpost.gateway.listener import Listener, ListenerSettings, Socket
from signalpost.gateway.pages import built_page, built_script, plain_page
from signalpost.gateway.ports import Held, hold
from signalpost.gateway.web_tokens import Judge
from signalpost.services.attempts import Attempts
from signalpost.services.attributes import Attributes
from signalpost.services.bars import Bars
from signalpost.services.bell import Bell
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels
from signalpost.services.deputies import Deputies
from signalpost.services.driver import start
from signalpost.services.inbox import Inboxes
from signalpost.services.janitor import Janitor
from signalpost.services.neighbours import Neighbours
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence
from signalpost.services.rates import AccountRates
from signalpost.services.repeats import Repeats
from signalpost.services.rounds import Rounds
from signalpost.services.sessions import Sessions
from signalpost.services.spending import Travelling
from signalpost.services.webhooks import Answer, Webhooks
from signalpost.settings import without_secrets
from signalpost.telemetry import logs
from signalpost.telemetry.counters import Counters
from signalpost.telemetry.logs import Sparing
from signalpost.telemetry.metrics import LagMeter, Readings, Renderer
from signalpost.workers import Worker, Workers

if TYPE_CHECKING:
    from signalpost.gateway.webhook_post import Poster

__all__ = ["Server", "StartError", "run"]

T = TypeVar("T")

_log = structlog.get_logger("signalpost")

_SWEEP = 5.0  # seconds between two sweeps of what is over its time
_LAG = 0.25  # seconds between two measurements of the loop's lag
_WATCH = 1.0  # seconds between two looks at the stores, and two beats
_SPREAD = 5.0  # seconds over which clients are sent to other nodes at most; SPEC N7 allows 8
_TAKEN = 500  # clients a second that other nodes take without anybody noticing
_LEAVE = 0.5  # seconds that it may take until no session is left here
_PAUSES = 0.01, 0.05, 0.1, 0.1, 0.1  # seconds between two looks at that
_LONGEST = 500  # characters of the line that says why the server cannot start


class StartError(Exception):
    """The server cannot start; the text is for the person who starts it."""


class Server:
    """One node: engine, services, gateway, put together on the running loop.

    Two clocks: what lasts so and so long is measured by `clock`, which never steps; tokens are judged and
    messages are dated by `wall`, which is right.

    Many fields: it is the one place that holds all parts.
    """

    def __init__(
        self,
        config: Config,
        *,
        wall: Clock = time.time,
        clock: Clock | None = None,
        engine: MakeEngine = choose,
        end: asyncio.Event | None = None,
        worker: int = 0,
    ) -> None:
        """`end`: set when an operator wants it to end. `worker`: its number, where there are several.

        Raises StoreError, StartError."""
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._started = False  # connections are accepted
        self._engine = engine(config, wall, clock)
        self._kept, self._shared = self._engine.kept, self._engine.shared
        clock = self._engine.clock
        new_id = _ids()
        self.counters = Counters()
        self.fanout = Fanout(clock)
        self._lag = LagMeter()

        bell = Bell(self.fanout, self._shared.nodes)
        presence = Presence(self._shared, clock)
        pauses = Pauses(time.perf_counter, self._loop.call_soon)
        self._told = {app_id: app for app_id, app in config.apps.items() if app.webhooks}
        self._poster = _poster(wall) if self._told else None
        self.webhooks = Webhooks(
            kept=self._kept,
            shared=self._shared,
            presence=presence,
            pauses=pauses,
            post=self._poster or _nowhere,
            clock=clock,
            wall=wall,
            new_id=new_id,
            find_app=config.app,
            chance=random.random,
        )
        webhooks = self.webhooks if self._told else None  # where nobody has any, nobody asks
        repeats = Repeats(self._kept)
        attributes = Attributes(self._kept, self._shared, presence, repeats, clock, config.app)
        inboxes = Inboxes(self._kept, bell, clock, new_id, wall=wall, webhooks=webhooks)
        channels = Channels(
            kept=self._kept,
            shared=self._shared,
            presence=presence,
            inboxes=inboxes,
            repeats=repeats,
            outlet=self.fanout,
            clock=clock,
            wall=wall,
            new_id=new_id,
            find_app=config.app,
            warn=_warn_watched,
            webhooks=webhooks,
            pauses=pauses,
        )
        calls = Calls(
            kept=self._kept,
            presence=presence,
            bell=bell,
            pauses=pauses,
            repeats=repeats,
            clock=clock,
            wall=wall,
            new_id=new_id,
            find_app=config.app,
            webhooks=webhooks,
        )
        rates = AccountRates(clock)
        several = self._engine.several
        sessions = Sessions(
            shared=self._shared,
            presence=presence,
            attributes=attributes,
            channels=channels,
            calls=calls,
            outlet=self.fanout,
            clock=clock,
            new_secret=lambda: os.urandom(16).hex(),
            find_app=config.app,
            webhooks=webhooks,
            travelling=several and Travelling(self._shared, inboxes, rates, clock, config.app),
        )
        bars = Bars(self._kept, clock, wall=wall)
        self.services = Services(sessions, inboxes, channels, calls, attributes, rates)
        self._janitor = Janitor(
            sessions=sessions,
            channels=channels,
            calls=calls,
            attributes=attributes,
            bars=bars,
            inboxes=inboxes,
            webhooks=self.webhooks,
            rates=rates,
            sweeps=self._engine.sweeps,
            kept=self._kept,
            shared=self._shared,
            pauses=pauses,
            report=self._report,
        )
        self._neighbours: Neighbours | None = None  # None where there is one node
        if several is not None:
            self._neighbours = Neighbours(
                nodes=self._shared.nodes,
                guard=several.guard,
                sessions=sessions,
                rounds=Rounds(several.kept, several.shared, self.fanout, presence),
                clock=clock,
                report=self._report,
            )
        self._kept.listen(self._janitor.wake)
        self._shared.alarm(self._janitor.wake)
        self._started_at = wall()
        self._end = end or asyncio.Event()
        who = {"worker": str(worker)} if worker else {}
        renderer = Renderer(self.counters, self._lag, self._read, version=__version__, **who)
        self.listener = Listener(
            _settings(config, worker),
            Site(
                metrics=renderer.render if config.api is None or config.api.public_metrics else None,
                health=lambda: {"sessions": len(self.fanout)} | ({"worker": worker} if worker else {}),
                unready=self._unready,
                advertised=parse_advertised(config.advertise) if config.advertise else None,
                version=__version__,
                page=built_page() or plain_page(),
                script=built_script(),
                open_doors=config.dev,
                ice_servers=msgspec.json.encode(config.ice_servers).decode(),
            ),
            self._accept,
        )
        self._key_sets = _key_sets(config, clock)
        self.api: ApiListener | None = None
        if config.api is not None:
            cases = self._cases(config.api, presence, bars)
            self.api = self._api_listener(config.api, cases, renderer.render, worker)
        self._unstored = Sparing(partial(_log.error, "store unavailable"))
        self._gate = Gate(
            services=self.services,
            fanout=self.fanout,
            counters=self.counters,
            find_app=config.app,
            judges=_judges(config, self._key_sets),
            wall=wall,
            unstored=self._unstored,
            may_connect=self.listener.may_connect,
            may_login=self.listener.may_login,
            failed_login=self.listener.failed_login,
            turns=Turns(asyncio.get_running_loop()),
        )
        self._chores: list[asyncio.Task[None]] = []  # what is done now and then, while the server runs

    async def start(self) -> None:
        """Accept connections from now on; raises StoreError, StartError."""
        await self._engine.open()
        try:
            if self._neighbours is not None:
                await self._done(self._neighbours.begin())
        except Unavailable as error:
            await self._engine.close()
            raise StartError(str(error)) from error
        self._engine.run(self._loop)
        try:
            await self.listener.start()
        except (OSError, UnicodeError, OverflowError) as error:
            await self._engine.close()
            raise _deaf(f"{self._config.host}:{self._config.port}", error) from error
        if self.api is not None:
            try:
                await self.api.start()
            except (OSError, UnicodeError, OverflowError) as error:
                await self.listener.drain()
                self._engine.stop()
                await self._engine.close()
                raise _deaf(f"{self._where_api()} for the API", error) from error
        chores = [self._sweep(), self._measure(), self._watch()]
        self._chores = [self._loop.create_task(chore) for chore in chores]
        for keys in self._key_sets.values():
            keys.refresh()  # so that the first login has them
        for app_id, app in self._told.items():
            start(self.webhooks.begin(app_id, app), self._begun)
        self._started = True

    async def stop(self) -> None:
        """Stop accepting, commit, close the connections (1012), let go of the data."""
        self.listener.stop()
        await self._engine.flush()  # who waits for a commit gets his answer before he is sent away
        await self.listener.drain(over=self._spread())
        if self.api is not None:
            await self.api.stop()
        for chore in self._chores:
            chore.cancel()
        for keys in self._key_sets.values():
            keys.close()
        if self._poster is not None:
            await self._poster.close()
        if self._neighbours is not None:
            await self._part(self._neighbours)
        self._engine.stop()
        await self._engine.close()

    def _spread(self) -> float:
        """Over how many seconds clients are sent away: to other nodes, if there are any (N7)."""
        if self._neighbours is None or self._neighbours.alive == 1:
            return 0.0
        return min(_SPREAD, self.listener.websockets / _TAKEN)

    async def _part(self, neighbours: Neighbours) -> None:
        """Take leave of the other nodes when no session is left here; who does not is missed in time."""
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(_LEAVE):
                for pause in (*_PAUSES, _LEAVE):
                    if await self._done(neighbours.leave()):
                        return
                    await asyncio.sleep(pause)

    @property
    def port(self) -> int:
        """The plain port, once started."""
        return self.listener.port

    def _cases(self, api: Api, presence: Presence, bars: Bars) -> Cases:
        services = self.services
        return Cases(
            sessions=services.sessions,
            presence=presence,
            inboxes=services.inboxes,
            channels=services.channels,
            calls=services.calls,
            attributes=services.attributes,
            bars=bars,
            webhooks=self.webhooks,
            deputies=Deputies(api.idempotency_seconds),
            find_app=self._config.app,
            apps=lambda: self._config.apps.items(),
            info=self._info,
            drain=self._end.set,
        )

    def _api_listener(self, api: Api, cases: Cases, metrics: Callable[[], bytes], worker: int) -> ApiListener:
        attempts = Attempts(self._kept, self._shared, api.idempotency_seconds)
        desk = Desk(cases, attempts, self._engine.clock, rate=api.requests, burst=api.requests_burst)
        surroundings = Surroundings(
            metrics=metrics,
            health=lambda: {"sessions": len(self.fanout)} | ({"worker": worker} if worker else {}),
            unready=self._unready,
            draining=lambda: self.listener.draining,
            address_of=self.listener.address_of,
            may_try=self.listener.may_login,
            failed=self.listener.failed_login,
        )
        return ApiListener(
            desk,
            Keyring(api.keys),
            surroundings,
            host=api.host,
            port=api.port,
            shared=bool(worker),
            own_port=_own_port(self._config, worker),
        )

    def _where_api(self) -> str:
        api = self._config.api
        return "" if api is None else f"{api.host}:{api.port}"

    def _info(self) -> Info:
        unready = self._unready()
        return Info(
            version=__version__,
            node=self._shared.nodes.me,
            started=self._started_at,
            ready=unready is None,
            status="ok" if unready is None else unready.status,
            connections=self.listener.websockets,
            sessions=len(self.fanout),
        )

    def _accept(self, socket: Socket) -> Connection:
        return Connection(self._gate, socket)

    async def _sweep(self) -> None:
        while True:
            self._janitor.sweep()
            await asyncio.sleep(_SWEEP)

    async def _measure(self) -> None:
        while True:
            due = self._loop.time() + _LAG
            await asyncio.sleep(_LAG)
            self._lag.note(max(0.0, self._loop.time() - due))

    async def _watch(self) -> None:
        while True:
            self._engine.watch()
            if self._neighbours is not None:
                self._neighbours.tick()
            await asyncio.sleep(_WATCH)

    def _begun(self, result: None, error: Exception | None) -> None:
        if error is not None:
            self._report(error)

    async def _done(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of a use case, for a task."""
        result: asyncio.Future[T] = self._loop.create_future()

        def ended(value: T, error: Exception | None) -> None:
            if result.done():
                return  # nobody waits any more
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(error)

        start(work, ended)
        return await result

    def _report(self, error: Exception) -> None:
        """What went wrong where nobody waits."""
        if isinstance(error, Unavailable):
            self._unstored(str(error))
        else:
            _log.error("use case failed", exc_info=error)

    def _unready(self) -> Unready | None:
        if not self._started:
            return Unready("starting", "the server has just begun")
        trouble = self._engine.trouble()
        return Unready("store", trouble) if trouble else None

    def _read(self) -> Readings:
        return Readings(
            connections=self.listener.websockets,
            guests=self.listener.guests,
            guests_dropped=self.listener.guests_dropped,
            exhausted=self.listener.counts.exhausted,
            slow_consumers=self.listener.counts.slow,
            sessions=len(self.fanout),
            channel_deliveries=self.fanout.delivered,
            webhooks=self.webhooks.counts,
            engine=self._engine.readings(),
            nodes=1 if self._neighbours is None else self._neighbours.alive,
        )


def _ids() -> Callable[[], str]:
    """Ids that are unique over all messages and calls, also over restarts (PROTOCOL §6)."""
    boot = secrets.token_hex(5)
    return map(f"{boot}%x".__mod__, itertools.count(1)).__next__  # no function: this happens once a message


def _warn_watched(app_id: str) -> None:
    _log.warning("any account of the app may watch all logins and joins", app=app_id)


def _own_port(config: Config, worker: int) -> int:
    """Where a worker alone is asked how it is: at the API, if there is one; 0: nowhere."""
    return config.worker_port + worker - 1 if worker and config.worker_port else 0


def _settings(config: Config, worker: int) -> ListenerSettings:
    return ListenerSettings(
        host=config.host,
        port=config.port,
        shared=bool(worker),
        own_port=0 if config.api else _own_port(config, worker),
        tls=_tls(config),
        trusted_proxies=config.trusted_proxies,
        exempt=config.exempt_networks,
        connections_per_second=config.connections_per_second,
        failed_logins_per_minute=config.failed_logins_per_minute,
        guests=config.guests,
        guests_per_address=config.guests_per_address,
        descriptors=descriptors.allowed(),
        ping_after=config.ping_after,
        dead_after=config.dead_after,
        handshake_timeout=config.handshake_timeout,
        login_timeout=config.login_timeout,
        outbox_cap=config.outbox_bytes,
        send_buffer=config.send_buffer,
    )


def _poster(wall: Clock) -> Poster:
    from signalpost.gateway.webhook_post import Poster  # late, as below

    return Poster(wall)


def _nowhere(endpoint: Endpoint, hook_id: str, body: bytes) -> Reply[Answer]:
    raise AssertionError("no app has a webhook")


def _key_sets(config: Config, clock: Clock) -> dict[str, KeySet]:
    """The keys of providers, by URL: apps that name the same one share them."""
    urls = {app.jwt.jwks_url for app in config.apps.values() if app.jwt is not None and app.jwt.jwks_url}
    if not urls:
        return {}
    from signalpost.gateway.provider import fetch  # late: it takes time to load, and most have no provider

    return {url: KeySet(url, fetch, clock) for url in urls}


def _judges(config: Config, key_sets: Mapping[str, KeySet]) -> dict[str, Judge]:
    return {
        app_id: Judge(app.jwt, app.limits, key_sets.get(app.jwt.jwks_url))
        for app_id, app in config.apps.items()
        if app.jwt is not None
    }


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # A key with a passphrase is refused: nobody is there to be asked for it.
        context.load_cert_chain(config.tls_cert, config.tls_key, password="")
    except (OSError, ValueError) as error:
        raise StartError(
            f"cannot use the certificate {config.tls_cert} with the key {config.tls_key}: {_reason(error)}"
        ) from error
    return context


# --- running --------------------------------------------------------------------------------------


def run(config: Config, *, engine: MakeEngine = choose) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status (SPEC §9)."""
    logs.configure(config.log_level, config.log_format)
    descriptors.raise_allowed()
    if config.workers > 1:
        return _told(lambda: _run_workers(config, engine))
    return _told(lambda: _run(config, engine, None))


def _told(act: Callable[[], int]) -> int:
    """What `act` returns; if it raises, 1, and a line says why, whatever it was."""
    try:
        return act()
    except Exception as error:
        print(f"signalpost: {_line(error)}", file=sys.stderr)
        _log.debug("ended by an error", exc_info=error)
        return 1


def _run_workers(config: Config, engine: MakeEngine) -> int:
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(_hold(config.host, config.port, tls=bool(config.tls_cert)))
        each = msgspec.structs.replace(config, port=held.port)
        if config.api is not None:
            api = stack.enter_context(_hold(config.api.host, config.api.port))
            each = msgspec.structs.replace(each, api=msgspec.structs.replace(config.api, port=api.port))

        def work(worker: Worker) -> int:
            logs.configure(config.log_level, config.log_format, worker=worker.number)
            return _told(lambda: _run(each, engine, worker))

        return Workers(config.workers, work).run(partial(_announce, config.host, held.port))


def _hold(host: str, port: int, *, tls: bool = False) -> contextlib.closing[Held]:
    try:
        return contextlib.closing(hold(host, port, tls=tls))
    except (OSError, UnicodeError, OverflowError) as error:
        raise _deaf(f"{host}:{port}", error) from error


def _run(config: Config, engine: MakeEngine, worker: Worker | None) -> int:
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(config, engine, worker))
    return 0


def _announce(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"signalpost: listening on http://{shown}:{port}", flush=True)


def _deaf(where: str, error: Exception) -> StartError:
    return StartError(f"cannot listen on {where}: {_reason(error)}")


def _reason(error: Exception) -> str:
    """What the system says, without its numbers and Python's names."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is no PEM file, or the wrong one").replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "no reason is known"


def _line(error: Exception) -> str:
    """An error as one line for a terminal, of a bounded length."""
    if isinstance(error, StoreError | StartError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = "there is not enough memory"
    else:
        text = f"cannot go on: {_reason(error)}"
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in " ".join(text.split()))
    return (
        shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST // 2 - 2]} ... {shown[3 - _LONGEST // 2 :]}"
    )


def _settle_memory() -> None:
    """Spare the garbage collector what lives as long as the process, and let it come less often.

    Messages leave no cycles behind, so that looking for them after every 700 objects only costs time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


async def _serve(config: Config, engine: MakeEngine, worker: Worker | None) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if worker is not None:
        worker.watch(loop, end.set)
    server = Server(config, engine=engine, end=end, worker=worker.number if worker else 0)
    await server.start()
    _settle_memory()
    if worker is None:
        _announce(config.host, server.port)
    else:
        worker.serves()
    if server.api is not None:
        _log.info("the API listens", host=config.api.host if config.api else "", port=server.api.port)
    kept = without_secrets(config.store) or config.data
    _log.info("started", port=server.port, data=kept, version=__version__)
    if config.durability == "process":
        _log.warning("durability is 'process': a loss of power may lose acknowledged messages")
    await end.wait()
    _log.info("stopping")
    await server.stop()
    _log.info("stopped")
