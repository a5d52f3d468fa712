"""What is asked of the servers: for each question the load, the figures to read, and the targets.

It knows the load generator's options and results. It refuses to know processes and how a report looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["QUESTIONS", "Figure", "Medians", "Question", "Result", "Target", "shortened"]

Result = dict[str, float]  #: figures of one run by name
Medians = dict[str, Result]  #: the median of each figure, by server


@dataclass(frozen=True)
class Figure:
    """A number that a run yields; `path` leads to it in the load generator's JSON."""

    name: str
    path: tuple[str, ...]
    form: str  #: of format()


@dataclass(frozen=True)
class Target:
    """What Signalpost should reach. `value` is NaN where a server that it needs did not run."""

    text: str
    form: str
    value: Callable[[Medians], float]
    met: Callable[[float], bool]


@dataclass(frozen=True)
class Question:
    """One row of the issue: a load, the servers that get it, what is read and what is wanted."""

    key: str
    title: str
    load: tuple[str, ...]
    unit: tuple[str, ...]  #: path to how many a second the server's CPU time is spent on
    seconds: float
    figures: tuple[Figure, ...]  #: the first one is what ratios are made of
    targets: tuple[Target, ...]
    servers: tuple[str, ...] = ("signalpost", "ws", "socket.io", "ceiling")
    pinned: bool = True  #: the server on core 0, the load generator on core 1, each alone
    idle: bool = False  #: the load stays until it is told to go, and memory is read meanwhile
    note: str = ""


def shortened(question: Question) -> Question:
    """The same question for a first impression."""
    return replace(question, seconds=min(question.seconds, 5.0) if not question.pinned else 1.0)


def of(server: str, figure: str) -> Callable[[Medians], float]:
    return lambda medians: medians.get(server, {}).get(figure, float("nan"))


def ratio(figure: str, peer: str) -> Callable[[Medians], float]:
    return lambda medians: of("signalpost", figure)(medians) / (of(peer, figure)(medians) or float("nan"))


def at_least(wanted: float) -> Callable[[float], bool]:
    return lambda value: value >= wanted


def at_most(wanted: float) -> Callable[[float], bool]:
    return lambda value: value <= wanted


def none_lost(figure: str) -> Target:
    return Target("nothing lost or repeated", ".0f", of("signalpost", figure), at_most(0))


CPU = (
    Figure("server CPU", ("server_cpu",), ".0%"),
    Figure("CPU µs each", ("cpu_us",), ".2f"),
    Figure("load busy", ("load_busy",), ".0%"),
    Figure("others' CPU", ("others_cpu",), ".0%"),
)

QUESTIONS = (
    Question(
        key="fanout",
        title="Fan-out of 128 bytes to 1000 members, 16 messages in flight",
        load=("fanout", "--people", "1000", "--window", "16"),
        unit=("deliveries_per_s",),
        seconds=3.0,
        figures=(
            Figure("deliveries/s", ("deliveries_per_s",), ",.0f"),
            Figure("messages/s", ("messages_per_s",), ",.0f"),
            Figure("echo p50 ms", ("echo_ms", "p50"), ".2f"),
            Figure("MiB/s", ("mib_per_s",), ",.0f"),
            Figure("missing", ("missing",), ".0f"),
            *CPU,
        ),
        targets=(
            Target("≥ 2.5 M deliveries/s", ",.0f", of("signalpost", "deliveries/s"), at_least(2.5e6)),
            Target("≥ 12 x ws", ".1f", ratio("deliveries/s", "ws"), at_least(12)),
            Target("≥ 14 x socket.io", ".1f", ratio("deliveries/s", "socket.io"), at_least(14)),
            none_lost("missing"),
        ),
        note=(
            "A message is done when its sender, the member that joined last, has its own echo. "
            "Deliveries are counted at the 1000 others."
        ),
    ),
    Question(
        key="channel",
        title="A channel at 200 messages/s with 1000 members",
        load=("fanout", "--people", "1000", "--rate", "200"),
        unit=("deliveries_per_s",),
        seconds=3.0,
        figures=(
            Figure("p99 ms", ("delivery_ms", "p99"), ".2f"),
            Figure("p50 ms", ("delivery_ms", "p50"), ".2f"),
            Figure("max ms", ("delivery_ms", "max"), ".1f"),
            Figure("deliveries/s", ("deliveries_per_s",), ",.0f"),
            Figure("missing", ("missing",), ".0f"),
            *CPU,
        ),
        targets=(
            Target(
                "held: ≥ 198 k deliveries/s",
                ",.0f",
                of("signalpost", "deliveries/s"),
                at_least(198_000),
            ),
            Target("p99 ≤ 8 ms", ".2f", of("signalpost", "p99 ms"), at_most(8)),
            none_lost("missing"),
        ),
        note="Latency counts from the moment at which a message was due, at every one of the 1000 members.",
    ),
    *(
        Question(
            key=f"pairs{window}",
            title=f"Point to point, delivered and acknowledged, 100 connections, window {window}",
            load=("pairs", "--people", "100", "--window", str(window)),
            unit=("messages_per_s",),
            seconds=3.0,
            figures=(
                Figure("messages/s", ("messages_per_s",), ",.0f"),
                Figure("answer p50 ms", ("answer_ms", "p50"), ".2f"),
                Figure("answer p99 ms", ("answer_ms", "p99"), ".2f"),
                Figure("lost", ("lost",), ".0f"),
                Figure("repeated", ("repeated",), ".0f"),
                *CPU,
            ),
            targets=(
                Target(
                    f"≥ {wanted // 1000} k messages/s",
                    ",.0f",
                    of("signalpost", "messages/s"),
                    at_least(wanted),
                ),
                Target("above socket.io", ".2f", ratio("messages/s", "socket.io"), at_least(1)),
                none_lost("lost"),
            ),
            note=(
                "Each of the 100 writes to a partner. Signalpost stores before it answers (SQLite, "
                "synchronous=FULL) and the receivers acknowledge every 64 messages or every second; the "
                "peers and the ceiling store nothing."
            ),
        )
        for window, wanted in ((1, 40_000), (16, 80_000))
    ),
    Question(
        key="probe",
        title="A probe message while fan-out saturates the loop, nothing pinned",
        load=("fanout", "--people", "1000", "--window", "16", "--probes", "10", "--sleep"),
        unit=("deliveries_per_s",),
        seconds=20.0,
        figures=(
            Figure("probe p99 ms", ("probe_ms", "p99"), ".2f"),
            Figure("probe p50 ms", ("probe_ms", "p50"), ".2f"),
            Figure("probe max ms", ("probe_ms", "max"), ".1f"),
            Figure("probes", ("probe_ms", "count"), ".0f"),
            Figure("deliveries/s", ("deliveries_per_s",), ",.0f"),
            *CPU,
        ),
        targets=(Target("p99 ≤ 30 ms", ".2f", of("signalpost", "probe p99 ms"), at_most(30)),),
        servers=("signalpost",),
        pinned=False,
        note=(
            "From sending a point-to-point message to its answer, which follows the commit. Ten probes a "
            "second in place of one, so that a p99 has samples; ten in thousands of messages disturb nothing."
        ),
    ),
    Question(
        key="idle",
        title="10 000 logged-in idle sessions",
        load=("idle", "--people", "10000", "--at-once", "64"),
        unit=("logins_per_s",),
        seconds=0.0,
        figures=(
            Figure("KiB each", ("kib_each",), ".2f"),
            Figure("logins/s", ("logins_per_s",), ",.0f"),
            Figure("login p50 ms", ("login_ms", "p50"), ".2f"),
            Figure("login p99 ms", ("login_ms", "p99"), ".2f"),
            *CPU,
        ),
        targets=(
            Target("≤ 6 KiB each", ".2f", of("signalpost", "KiB each"), at_most(6)),
            Target("≥ 10 000 logins/s", ",.0f", of("signalpost", "logins/s"), at_least(10_000)),
        ),
        idle=True,
        note=(
            "A login is TCP, handshake, token check and first poll, 64 at a time (the peers check no token). "
            "KiB: growth of the process's VmRSS since it began to listen, by session; the kernel's socket "
            "buffers are not in it."
        ),
    ),
)
