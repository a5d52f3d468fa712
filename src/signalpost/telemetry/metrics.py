"""What `/metrics` says, in Prometheus' words: read from the running parts when somebody asks.

The parts count plain integers; nothing here is on a hot path. No label names an account, an app or a channel.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from signalpost.telemetry.counters import Counters

__all__ = ["EngineReadings", "LagMeter", "Latencies", "Readings", "Renderer", "StoreReadings"]

_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Latencies(NamedTuple):
    """A histogram that some part keeps: how many were at most bounds[i] seconds, the last above all."""

    bounds: Sequence[float]
    buckets: Sequence[int]
    seconds: float


class LagMeter:
    """How late the event loop runs what it was told to run at a time."""

    __slots__ = ("_buckets", "_seconds")

    def __init__(self) -> None:
        self._seconds = 0.0  # sum of all lags
        self._buckets = [0] * (len(_BOUNDS) + 1)  # how many were at most _BOUNDS[i]; the last: above all

    def note(self, lag: float) -> None:
        """One measurement, in seconds."""
        self._seconds += lag
        self._buckets[bisect_left(_BOUNDS, lag)] += 1

    def read(self) -> Latencies:
        """All measurements."""
        return Latencies(_BOUNDS, self._buckets, self._seconds)


class StoreReadings(NamedTuple):
    """One reading of a store that is elsewhere: whether it can be used, and the round trips so far."""

    up: bool
    trips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReadings:
    """One reading of the engine; None is what it does not know, or has not."""

    channels: int | None = None
    inbox_items: int | None = None
    commits: Latencies | None = None
    commits_failed: int | None = None
    stores: Mapping[str, StoreReadings] = field(default_factory=dict)  #: by name


@dataclass(frozen=True, slots=True)
class Readings:
    """One reading of the parts that do not count in `Counters`."""

    connections: int
    guests: int
    guests_dropped: int
    exhausted: int
    slow_consumers: int
    sessions: int
    channel_deliveries: int
    webhooks: Mapping[str, int]
    engine: EngineReadings
    nodes: int  #: that are alive, this one included


class Renderer:
    """Makes the text; `read` is asked for the readings of the moment."""

    __slots__ = ("_counters", "_lag", "_read", "_registry", "_who")

    def __init__(self, counters: Counters, lag: LagMeter, read: Callable[[], Readings], **who: str) -> None:
        """`who`: what is said of the process itself."""
        self._counters = counters
        self._lag = lag
        self._read = read
        self._who = who
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing is known before it is read."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics of the moment (called by the registry)."""
        counters, now = self._counters, self._read()
        engine = now.engine
        yield InfoMetricFamily("signalpost", "what runs here", value=self._who)
        yield GaugeMetricFamily("signalpost_connections", "open WebSocket connections", now.connections)
        yield GaugeMetricFamily("signalpost_sessions", "sessions attached to this node", now.sessions)
        if engine.channels is not None:
            yield GaugeMetricFamily("signalpost_channels", "channels that exist", engine.channels)
        if engine.inbox_items is not None:
            depth = engine.inbox_items
            yield GaugeMetricFamily("signalpost_inbox_depth", "items that wait in all inboxes", depth)
        yield CounterMetricFamily("signalpost_requests", "calls that came in", counters.requests)
        yield CounterMetricFamily(
            "signalpost_messages_in", "messages taken, instant and channel", counters.messages_in
        )
        out = CounterMetricFamily("signalpost_messages_out", "messages and events sent", labels=["kind"])
        out.add_metric(["inbox"], counters.messages_out)
        out.add_metric(["channel"], now.channel_deliveries)
        yield out
        logins = CounterMetricFamily("signalpost_logins", "logins by outcome", labels=["outcome"])
        logins.add_metric(["opened"], counters.logins - counters.resumes)
        logins.add_metric(["resumed"], counters.resumes)
        logins.add_metric(["refused"], counters.logins_failed)
        yield logins
        webhooks = CounterMetricFamily("signalpost_webhooks", "events for webhooks", labels=["outcome"])
        for outcome, count in now.webhooks.items():
            webhooks.add_metric([outcome], count)
        yield webhooks
        yield CounterMetricFamily("signalpost_kicks", "sessions that another login ended", counters.kicks)
        yield CounterMetricFamily(
            "signalpost_slow_consumers", "connections closed as too slow", now.slow_consumers
        )
        yield GaugeMetricFamily("signalpost_guests", "open connections without a login", now.guests)
        yield CounterMetricFamily(
            "signalpost_guests_dropped", "connections without a login that gave way", now.guests_dropped
        )
        yield CounterMetricFamily(
            "signalpost_descriptors_exhausted", "connections that found no free descriptor", now.exhausted
        )
        refusals = CounterMetricFamily("signalpost_refusals", "failures answered, by code", labels=["code"])
        for code, count in sorted(counters.refusals.items()):
            refusals.add_metric([str(code)], count)
        yield refusals
        yield _histogram("signalpost_loop_lag_seconds", "how late the event loop is", self._lag.read())
        if engine.commits is not None:
            yield _histogram("signalpost_commit_latency_seconds", "from append to commit", engine.commits)
        if engine.commits_failed is not None:
            yield CounterMetricFamily(
                "signalpost_commits_failed", "commits that did not succeed", engine.commits_failed
            )
        yield GaugeMetricFamily("signalpost_nodes", "nodes that are alive, this one included", now.nodes)
        yield from _stores(engine.stores)


def _stores(stores: Mapping[str, StoreReadings]) -> Iterator[Metric]:
    up = GaugeMetricFamily("signalpost_store_up", "whether a store can be used", labels=["store"])
    trips = CounterMetricFamily("signalpost_store_round_trips", "round trips to a store", labels=["store"])
    for name, store in stores.items():
        up.add_metric([name], float(store.up))
        trips.add_metric([name], store.trips)
    yield up
    yield trips


def _histogram(name: str, text: str, latencies: Latencies) -> HistogramMetricFamily:
    totals: Iterable[int] = accumulate(latencies.buckets)
    bounds = [*(str(bound) for bound in latencies.bounds), "+Inf"]
    family = HistogramMetricFamily(name, text)
    family.add_metric([], list(zip(bounds, map(float, totals), strict=True)), latencies.seconds)
    return family
