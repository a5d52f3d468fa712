"""`make bench-cluster`: one, two and three nodes on PostgreSQL and Redis, beside a node with everything in
itself and two peers on Redis; all of it on the cores that there are.

It knows which processes make a cluster, and what is asked of it. Stores are in `stores.py`, single servers in
`servers.py`, how results look in `report.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from questions import Figure, Medians, Question, Result, Target
from report import Answer, machine, write
from run import build, dig, install_peers, raise_open_files
from servers import (
    APP,
    BENCH,
    BUILD,
    CERTIFICATE,
    CONFIGURATION,
    PEERS,
    SERVERS,
    Failed,
    Running,
    Server,
    node_missing,
    program,
    running,
    write_users,
)
from stores import Stores, free_port, missing, stores, wait_for

LOAD_SECONDS = 120.0
CENTRIFUGO = "github.com/centrifugal/centrifugo/v6@v6.9.1"
HOW = (
    "A fresh cluster with empty stores for each run; nodes, PostgreSQL, Redis and the load generator share "
    "all cores of the machine, so that a second node takes from the first what it adds: read CPU µs each, "
    "and ratios. Connections are spread over the nodes, and partners are never on the same. PostgreSQL syncs "
    "each commit. *trips* are the nodes' own count of round trips to a store, by message. socket.io (two "
    "processes, its Redis adapter) and Centrifugo (two, its Redis engine) store nothing and check no token."
)


@dataclass(frozen=True)
class Setup:
    """Some processes that are one server together."""

    server: Callable[[Stores], Server]
    count: int = 1
    missing: Callable[[], str] = lambda: ""


def main() -> int:
    arguments = read_arguments()
    if reason := missing():
        sys.exit(f"bench: {reason}")
    raise_open_files()
    build()
    install_peers()
    questions = [each for each in QUESTIONS if not arguments.only or each.key in arguments.only]
    setups = [each for each in SETUPS if not arguments.setups or each in arguments.setups]
    with (
        tempfile.TemporaryDirectory(prefix="cluster-", dir=BUILD) as work,
        stores(Path(work) / "stores") as both,
    ):
        directory = Path(work)
        write_users(directory / "users", 2_000)
        about = machine(directory, PEERS) | versions()
        answers = []
        for question in questions:
            answer = Answer(question, ours="embedded")
            answers.append(answer)
            for number in range(arguments.rounds):
                for name in setups:
                    ask(answer, name, f"{number + 1}/{arguments.rounds}", directory, both, arguments.seconds)
            if arguments.name:
                kept = write(BENCH / "results", arguments.name, answers, about, arguments.rounds, HOW)
                print(f"kept in {kept.relative_to(BENCH.parent)}", file=sys.stderr)
    return 1 if any(name.endswith(("node", "nodes")) for answer in answers for name in answer.failures) else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Nodes on PostgreSQL and Redis, beside an embedded one.")
    parser.add_argument(
        "--only", action="append", choices=[each.key for each in QUESTIONS], metavar="QUESTION"
    )
    parser.add_argument("--setups", action="append", choices=list(SETUPS), metavar="SETUP")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each setup a question (default 3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured in each run (default 3)")
    parser.add_argument(
        "--name", default="cluster", help='the results\' name: results/DATE-NAME.md; "": none'
    )
    return parser.parse_args()


def versions() -> dict[str, str]:
    """Of the stores."""
    told = {}
    for command in (["redis-server", "--version"], ["psql", "--version"]):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"v=([\d.]+)|(\d+\.\d+)", said)
        told[command[0]] = found[0] if found else said.strip()
    return told


# --- setups -----------------------------------------------------------------------------------


def node(stores: Stores) -> Server:
    """One that keeps in PostgreSQL, and shares by Redis."""

    def command(directory: Path) -> list[str]:
        config = directory / "bench.toml"
        text = CONFIGURATION.format(data=directory / "data", app=APP, certificate=CERTIFICATE)
        ends = f'[server]\nstore = "{stores.store}"\nshare = "{stores.share}"\n'
        config.write_text(text.replace("[server]\n", ends, 1))
        return [*program(), "serve", "--config", str(config), "--port", "0"]

    return Server("node", "signalpost", command, lambda: "")


def socketio(stores: Stores) -> Server:
    """One that reaches those with the others by Redis."""
    words = ["env", f"REDIS=redis://127.0.0.1:{stores.redis_port}", "node"]
    return Server("socket.io", "socketio", lambda _: [*words, str(PEERS / "socketio/server.mjs")], lambda: "")


def centrifugo(stores: Stores) -> Server:
    """The same; it is told its port, and says nothing that could be waited for."""
    redis = f"redis://127.0.0.1:{stores.redis_port}/0"
    names = [
        {"name": name, "allow_subscribe_for_client": True, "allow_publish_for_client": True}
        for name in ("uu", "rr")
    ]

    def command(directory: Path) -> list[str]:
        port = free_port()
        config = {
            "http_server": {"address": "127.0.0.1", "port": port},
            "client": {"allowed_origins": ["*"], "insecure": True},
            "channel": {"namespaces": names},
            "engine": {"type": "redis", "redis": {"address": redis}},
            "log": {"level": "error"},
        }
        (directory / "config.json").write_text(json.dumps(config))
        said = f'echo "listening on http://127.0.0.1:{port}"; exec "$0" --config "$1"'
        return ["sh", "-c", said, str(_CENTRIFUGO), str(directory / "config.json")]

    return Server("centrifugo", "centrifugo", command, lambda: "")


def build_centrifugo() -> str:
    """Why it is not there; "" if it is, made by Go if need be."""
    if _CENTRIFUGO.exists():
        return ""
    if shutil.which("go") is None:
        return "go is not installed"
    print("bench: building Centrifugo, which takes minutes", file=sys.stderr)
    environment = {**os.environ, "GOBIN": str(_CENTRIFUGO.parent), "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(["go", "install", CENTRIFUGO], env=environment, capture_output=True, text=True)
    return done.stderr[-300:] if done.returncode else ""


_CENTRIFUGO = BUILD / "bin" / "centrifugo"

SETUPS = {
    "embedded": Setup(lambda _: SERVERS["signalpost"]),
    "1 node": Setup(node, 1),
    "2 nodes": Setup(node, 2),
    "3 nodes": Setup(node, 3),
    "socket.io": Setup(socketio, 2, node_missing),
    "centrifugo": Setup(centrifugo, 2, build_centrifugo),
}


@contextmanager
def begin(setup: Setup, directory: Path, both: Stores) -> Iterator[list[Running]]:
    """Start all its processes, on empty stores."""
    both.empty()
    with ExitStack() as stack:
        server, found = setup.server(both), []
        for number in range(setup.count):
            found.append(stack.enter_context(running(server, directory / f"server{number}", None)))
            wait_for(found[-1].port, directory / f"server{number}" / "stderr")
        time.sleep(1.0)  # what starting has left to do
        yield found


# --- asking -----------------------------------------------------------------------------------


def ask(answer: Answer, name: str, number: str, directory: Path, both: Stores, seconds: float) -> None:
    """One run; a setup that fails once is left out from then on."""
    setup = SETUPS[name]
    if name not in answer.failures and (reason := setup.missing()):
        answer.failures[name] = reason
    if name in answer.failures:
        return
    print(f"bench: {answer.question.key} {number} {name}", end="", file=sys.stderr, flush=True)
    try:
        with begin(setup, directory, both) as servers:
            result = measure(answer.question, setup, servers, directory, both, seconds)
    except (Failed, subprocess.CalledProcessError) as problem:
        answer.failures[name] = str(problem)
        print(f": {problem}", file=sys.stderr)
        return
    first = answer.question.figures[0]
    print(f": {result[first.name]:{first.form}} {first.name}", file=sys.stderr)
    answer.runs.setdefault(name, []).append(result)


def measure(
    question: Question, setup: Setup, servers: list[Running], directory: Path, both: Stores, seconds: float
) -> Result:
    ours = setup.server(both).dialect == "signalpost"
    command = [str(BUILD / "load"), *question.load, "--dialect", setup.server(both).dialect, "--app", APP]
    command += ["--users", str(directory / "users"), "--seconds", str(seconds), "--sleep"]
    pids = [*(server.pid for server in servers), both.redis.pid, both.postgres.pid]
    for option, numbers in (("--port", [server.port for server in servers]), ("--server", pids)):
        command += [word for number in numbers for word in (option, str(number))]
    before = Counted.of(servers) if ours else Counted()
    done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS)
    if done.returncode or not done.stdout:
        raise Failed(done.stderr.strip() or "the load generator said nothing")
    after = Counted.of(servers) if ours else Counted()
    said = json.loads(done.stdout)
    per_message = 1e6 / (dig(said, question.unit) or float("nan"))
    shares = said["cpu_of"]
    said["node_us"] = per_message * sum(shares[str(number)] for number in range(len(servers)))
    said["redis_us"] = per_message * shares[str(len(servers))]
    said["postgres_us"] = per_message * shares[str(len(servers) + 1)]
    messages = after.messages - before.messages
    said["kept_trips"] = (after.kept - before.kept) / messages if messages else 0.0
    said["shared_trips"] = (after.shared - before.shared) / messages if messages else 0.0
    return {figure.name: dig(said, figure.path) for figure in question.figures}


@dataclass
class Counted:
    """What nodes have counted so far."""

    messages: float = 0.0
    kept: float = 0.0  #: round trips to PostgreSQL
    shared: float = 0.0  #: and to Redis

    @staticmethod
    def of(servers: list[Running]) -> Counted:
        """Of all of them together."""
        counted = Counted()
        for server in servers:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as answer:
                text = answer.read().decode()
            counted.messages += value_of("signalpost_messages_in_total", text)
            counted.kept += value_of('signalpost_store_round_trips_total{store="postgresql"}', text)
            counted.shared += value_of('signalpost_store_round_trips_total{store="redis"}', text)
        return counted


def value_of(name: str, text: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


# --- questions --------------------------------------------------------------------------------

COSTS = (
    Figure("node µs", ("node_us",), ".1f"),
    Figure("Redis µs", ("redis_us",), ".1f"),
    Figure("PostgreSQL µs", ("postgres_us",), ".1f"),
    Figure("PostgreSQL trips", ("kept_trips",), ".3f"),
    Figure("Redis trips", ("shared_trips",), ".3f"),
    Figure("load CPU", ("load_cpu",), ".0%"),
    Figure("others' CPU", ("others_cpu",), ".0%"),
)


def ratio(figure: str, setup: str, to: str) -> Callable[[Medians], float]:
    def value(medians: Medians) -> float:
        one, other = (medians.get(name, {}).get(figure, float("nan")) for name in (setup, to))
        return one / other if other else float("nan")

    return value


def of(setup: str, figure: str) -> Callable[[Medians], float]:
    return lambda medians: medians.get(setup, {}).get(figure, float("nan"))


def pairs(window: int, targets: tuple[Target, ...]) -> Question:
    return Question(
        key=f"pairs{window}",
        title=f"Point to point between nodes, delivered and acknowledged, 100 connections, window {window}",
        load=("pairs", "--people", "100", "--window", str(window)),
        unit=("messages_per_s",),
        seconds=3.0,
        figures=(
            Figure("messages/s", ("messages_per_s",), ",.0f"),
            Figure("answer p50 ms", ("answer_ms", "p50"), ".2f"),
            Figure("answer p99 ms", ("answer_ms", "p99"), ".2f"),
            Figure("lost", ("lost",), ".0f"),
            Figure("repeated", ("repeated",), ".0f"),
            *COSTS,
        ),
        targets=(Target("nothing lost", ".0f", of("2 nodes", "lost"), lambda value: value == 0), *targets),
        note="Each of the 100 writes to a partner on another node; costs are by message.",
    )


QUESTIONS = (
    pairs(1, ()),
    pairs(
        16,
        (
            Target(
                "≥ 10 k stored messages/s", ",.0f", of("2 nodes", "messages/s"), lambda value: value >= 1e4
            ),
            Target(
                "node CPU ≤ 2 x embedded, by message",
                ".2f",
                ratio("node µs", "2 nodes", "embedded"),
                lambda value: value <= 2,
            ),
            Target("Redis ≤ 15 µs", ".1f", of("2 nodes", "Redis µs"), lambda value: value <= 15),
            Target("PostgreSQL ≤ 60 µs", ".1f", of("2 nodes", "PostgreSQL µs"), lambda value: value <= 60),
        ),
    ),
    Question(
        key="rate1000",
        title="Point to point between nodes at 1,000 messages/s",
        load=("pairs", "--people", "100", "--rate", "1000"),
        unit=("messages_per_s",),
        seconds=3.0,
        figures=(
            Figure("p99 ms", ("delivery_ms", "p99"), ".2f"),
            Figure("p50 ms", ("delivery_ms", "p50"), ".2f"),
            Figure("max ms", ("delivery_ms", "max"), ".1f"),
            Figure("messages/s", ("messages_per_s",), ",.0f"),
            Figure("lost", ("lost",), ".0f"),
            *COSTS,
        ),
        targets=(
            Target(
                "p99 of two nodes ≤ 3 x that of one",
                ".2f",
                ratio("p99 ms", "2 nodes", "1 node"),
                lambda value: value <= 3,
            ),
            Target("p99 of two nodes ≤ 8 ms", ".2f", of("2 nodes", "p99 ms"), lambda value: value <= 8),
        ),
        note="From the moment at which a message was due to its receiver, on another node.",
    ),
    Question(
        key="fanout",
        title="A channel of 300 members, spread over the nodes, 16 messages in flight",
        load=("fanout", "--people", "300", "--window", "16"),
        unit=("messages_per_s",),
        seconds=3.0,
        figures=(
            Figure("deliveries/s", ("deliveries_per_s",), ",.0f"),
            Figure("messages/s", ("messages_per_s",), ",.0f"),
            Figure("echo p50 ms", ("echo_ms", "p50"), ".2f"),
            Figure("missing", ("missing",), ".0f"),
            *COSTS,
        ),
        targets=(Target("nothing missing", ".0f", of("2 nodes", "missing"), lambda value: value == 0),),
        note="Costs are by message, of which each is delivered 300 times.",
    ),
    Question(
        key="channels",
        title="A channel of 300 members at 200 messages/s",
        load=("fanout", "--people", "300", "--rate", "200"),
        unit=("messages_per_s",),
        seconds=3.0,
        figures=(
            Figure("p99 ms", ("delivery_ms", "p99"), ".2f"),
            Figure("p50 ms", ("delivery_ms", "p50"), ".2f"),
            Figure("messages/s", ("messages_per_s",), ",.1f"),
            Figure("missing", ("missing",), ".0f"),
            *COSTS,
        ),
        targets=(),
        note="From the moment at which a message was due, at every member.",
    ),
)


if __name__ == "__main__":
    sys.exit(main())
