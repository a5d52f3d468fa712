"""What a call costs the server: CPU of its four steps in process, here and in another tree, by turns.

Invite, confirm, accept and end go through the services and the engine of a whole server, without sockets;
what the parties do to their inboxes between the calls is not counted. The other tree is a checkout, as
`git worktree add` makes one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROUND = 200  # calls that are measured at once
CONFIG = """
[apps.app]
allow_no_token = true
[apps.app.limits]
open_calls = 10000
inbox_call_reserve = 50000
"""
HERE = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the CPU of a call, here and in another tree.")
    parser.add_argument("before", type=Path, nargs="?", help="a checkout to compare with")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--open", type=int, default=0, help="other calls that the caller has open meanwhile")
    parser.add_argument("--memory", action="store_true", help="keep nothing on the disk")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return asyncio.run(work(arguments.open, memory=arguments.memory))
    trees = {"here": HERE} | ({"before": arguments.before} if arguments.before else {})
    costs: dict[str, list[float]] = {name: [] for name in trees}
    options = ["--open", str(arguments.open), *(["--memory"] if arguments.memory else [])]
    with workers(trees, options) as running:
        for number in range(arguments.rounds + 3):
            for name, worker in running.items():
                print("go", file=worker.stdin, flush=True)
                cost = float(worker.stdout.readline())
                if number >= 3:  # the first ones warm up
                    costs[name].append(cost)
    for name, found in costs.items():
        quarters = statistics.quantiles(found, n=4)
        print(f"{name}: {quarters[1]:.1f} us a call (quartiles {quarters[0]:.1f}, {quarters[2]:.1f})")
    if "before" in costs:
        ratio = statistics.median(
            here / before for here, before in zip(costs["here"], costs["before"], strict=True)
        )
        print(f"ratio: {ratio:.3f}")
    return 0


@contextmanager
def workers(trees: dict[str, Path], options: list[str]) -> Iterator[dict[str, Any]]:
    running = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--worker", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tree / "src")},
        )
        for name, tree in trees.items()
    }
    try:
        yield running
    finally:
        for worker in running.values():
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait()


async def work(others: int, *, memory: bool) -> int:
    """Make a round of calls for each line that comes; answer with microseconds of CPU a call."""
    from signalpost.app import Server, _settle_memory
    from signalpost.domain.calls import Input
    from signalpost.services.calls import Answer
    from signalpost.services.sessions import LoginRequest

    with configured(memory=memory) as config:
        server = Server(config)
        services = server.services
        confirm, accept = Answer(None, Input.CONFIRM), Answer(None, Input.ACCEPT)
        app = config.app("app")
        logins = [LoginRequest(app, "app", name, "", True, "", {}) for name in ("ada", "bo")]
        ada, bo = [run(services.sessions.login(login)).live for login in logins]
        for live in (ada, bo):
            server.fanout.attach(live.key, Phone(live))
        for number in range(others):
            run(services.calls.invite(ada, f"other{number}", f"peer{number}", ""))
        _settle_memory()  # as the server does once it has started
        for _ in sys.stdin:
            begun = time.process_time()
            for _ in range(ROUND):
                run(services.calls.invite(ada, "room", "bo", ""))
                run(services.calls.answer(bo, "room", "ada", confirm, ""))
                run(services.calls.answer(bo, "room", "ada", accept, ""))
                run(services.calls.end(ada, "room", "bo", ""))
            spent = time.process_time() - begun
            for live in (ada, bo):
                batch = run(services.inboxes.read(live, after=0, limit=10 * ROUND))
                run(services.inboxes.acknowledge(live, batch.items[-1][0]))
            print(spent / ROUND * 1e6, flush=True)
    return 0


@contextmanager
def configured(*, memory: bool) -> Iterator[Any]:
    """An app with room for many calls, and a place for its data."""
    from signalpost.config import load

    with tempfile.TemporaryDirectory(prefix="signalpost-bench-") as directory:
        file = Path(directory, "signalpost.toml")
        file.write_text(CONFIG)
        data = ":memory:" if memory else str(Path(directory, "data"))
        yield load(str(file), environment={}, flags={"data": data})


class Phone:
    """Who is told at once of what is in an inbox, as a connection is."""

    def __init__(self, live: Any) -> None:
        self.live = live
        self.inbox = self

    def offer(self, version: int, item: object) -> None:
        """It is there."""


def run(use_case: Coroutine[Any, Any, Any]) -> Any:
    """What comes of a use case that has nothing to wait for."""
    try:
        use_case.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


if __name__ == "__main__":
    sys.exit(main())
