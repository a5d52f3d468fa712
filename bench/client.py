"""`make bench-client`: what one process with the Python client sends, receives and keeps.

The server has core 0, the client under test core 1. Beside it: the asyncio client of `websockets`, which
reads the same frames and does nothing with them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import uvloop
from servers import APP, BUILD, CERTIFICATE, SERVERS, running
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as bare_connect

from signalpost.client import Channel, ChannelMessage, Client, connect
from signalpost.tokens import make_token

RESULTS = Path(__file__).resolve().parent / "results"
BODY = "x" * 128
WINDOW = 64
TARGETS = {"send": 15_000.0, "receive": 60_000.0, "inbox": 60_000.0, "idle": 60.0}
UNITS = {
    "send": "acknowledged messages/s, window 64",
    "receive": "channel events/s, 50 members in one process",
    "bare": "the same events/s, read by a bare socket",
    "inbox": "stored messages/s, 50 inboxes drained",
    "idle": "MiB for 2000 clients that are logged in",
}
LONGEST = 120.0  # seconds that any process may take
AHEAD = 32
MEMBERS, INBOXES, STORED, IDLE = 50, 50, 2_000, 2_000


@dataclass
class Figure:
    """One question's answers, a round each."""

    question: str
    rounds: list[float]
    cpu: list[float]  # µs of this process for each message or event; 0 where it means nothing

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.rounds)

    @property
    def cpu_median(self) -> float:
        """The middle one."""
        return statistics.median(self.cpu)


class Answer(NamedTuple):
    """What a role prints: its figure, and CPU µs each."""

    figure: float
    cpu: float


class Watch:
    """Time and CPU time from now on."""

    def __init__(self) -> None:
        self._begin, self._cpu = time.perf_counter(), time.process_time()

    def read(self, count: int) -> Answer:
        """So many a second, and µs of CPU each."""
        cpu = time.process_time() - self._cpu
        return Answer(count / (time.perf_counter() - self._begin), cpu / count * 1e6)


@dataclass
class Count:
    """What all members together have taken."""

    taken: int = 0

    async def rate(self, seconds: float) -> Answer:
        """How many a second, once they come."""
        await asyncio.sleep(0.5)
        watch, before = Watch(), self.taken
        await asyncio.sleep(seconds)
        return watch.read(self.taken - before)


def account(url: str, name: str) -> contextlib.AbstractAsyncContextManager[Client]:
    """One account, logged in with a real token."""
    return connect(url, app_id=APP, account=name, token=make_token(APP, CERTIFICATE, name))


@contextlib.asynccontextmanager
async def accounts(url: str, prefix: str, number: int) -> AsyncIterator[list[Client]]:
    """Many accounts, logged in one after the other."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(account(url, f"{prefix}{index}")) for index in range(number)]


# --- what runs in a process of its own: prints one number ---------------------------------------


async def send(url: str, seconds: float) -> Answer:
    """Messages to accounts that are not there, 64 unanswered at any time."""
    sent = 0
    async with account(url, "sender") as me:
        end = time.perf_counter() + seconds

        async def lane(number: int) -> None:
            nonlocal sent
            while time.perf_counter() < end:
                await me.send(f"sink{(sent + number) % 200}", BODY)
                sent += 1

        watch = Watch()
        await asyncio.gather(*(lane(number) for number in range(WINDOW)))
        return watch.read(sent)


async def receive(url: str, seconds: float) -> Answer:
    """Members of one channel that take each event; the first keeps 32 messages on their way."""
    count, room_for_more = Count(), asyncio.Semaphore(AHEAD)
    async with accounts(url, "member", MEMBERS) as members:
        rooms = [await member.join("hall") for member in members]

        async def listen(room: Channel) -> None:
            async for event in room:
                if isinstance(event, ChannelMessage):
                    count.taken += 1

        async def echo(room: Channel) -> None:
            async for event in room:
                if isinstance(event, ChannelMessage):
                    count.taken += 1
                    room_for_more.release()

        async def speak(room: Channel) -> None:
            while True:
                await room_for_more.acquire()
                await room.send(BODY)

        tasks = [asyncio.create_task(listen(room)) for room in rooms[1:]]
        tasks.append(asyncio.create_task(echo(rooms[0])))
        tasks += [asyncio.create_task(speak(rooms[0])) for _ in range(AHEAD)]
        rate = await count.rate(seconds)
        for task in tasks:
            task.cancel()
    return rate


async def bare(url: str, seconds: float) -> Answer:
    """The same with sockets that only read."""
    count = Count()
    message = json.dumps(["call2", ["channel_sendmsg", 2, {"name": "hall", "msg": BODY}]])
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(bare_connect(url, compression=None)) for _ in range(MEMBERS)
        ]
        for number, socket in enumerate(sockets):
            token = make_token(APP, CERTIFICATE, f"bare{number}")
            fields = {"vid": APP, "account": f"bare{number}", "token": token, "device": "signalpost-python"}
            await socket.send(json.dumps(["login", fields]))
            await socket.recv()
            await socket.send(json.dumps(["call2", ["channel_join", 1, {"name": "hall"}]]))
            await socket.recv()

        async def listen(socket: ClientConnection) -> None:
            async for text in socket:
                if "channel_msg" in text:
                    count.taken += 1

        async def echo(socket: ClientConnection) -> None:
            for _ in range(AHEAD):
                await socket.send(message)
            async for text in socket:
                if "channel_msg" in text:
                    count.taken += 1
                    await socket.send(message)

        tasks = [asyncio.create_task(listen(socket)) for socket in sockets[1:]]
        tasks.append(asyncio.create_task(echo(sockets[0])))
        rate = await count.rate(seconds)
        for task in tasks:
            task.cancel()
        for socket in sockets:
            socket.transport.abort()  # with so much unread, closing in good order takes seconds each
    return rate


async def fill(url: str, seconds: float) -> Answer:
    """Load for `inbox`: stores messages for accounts that are not there."""
    async with accounts(url, "filler", 8) as fillers:

        async def lane(number: int) -> None:
            for index in range(number, INBOXES * STORED, WINDOW):
                await fillers[number % 8].send(f"box{index % INBOXES}", BODY)

        await asyncio.gather(*(lane(number) for number in range(WINDOW)))
    return Answer(0.0, 0.0)


async def inbox(url: str, seconds: float) -> Answer:
    """Inboxes with stored messages, drained at once and acknowledged."""
    watch = Watch()
    async with accounts(url, "box", INBOXES) as owners:

        async def drain(owner: Client) -> None:
            left = STORED
            async for _ in owner.messages():
                left -= 1
                if not left:
                    return

        await asyncio.gather(*(drain(owner) for owner in owners))
        return watch.read(INBOXES * STORED)


async def idle(url: str, seconds: float) -> Answer:
    """The resident memory that clients add to a process which has the library loaded."""
    async with account(url, "first"):
        gc.collect()
        before = resident_mib()
        async with accounts(url, "idle", IDLE) as clients:
            gc.collect()
            used = resident_mib() - before
            for client in clients:
                client.close()
    return Answer(used, 0.0)


def resident_mib() -> float:
    """VmRSS of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


ROLES = {role.__name__: role for role in (send, receive, bare, fill, inbox, idle)}

# --- the parent -----------------------------------------------------------------------------------


def start(role: str, url: str, seconds: float, core: int) -> subprocess.Popen[str]:
    """This file again, in a process of its own on one core."""
    command = [sys.executable, __file__, "--role", role, "--url", url, "--seconds", str(seconds)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core})
    )


def answer(question: str, seconds: float, directory: Path) -> Answer:
    """Ask one question of a fresh server."""
    with running(SERVERS["signalpost"], directory, 0) as server:
        url = f"ws://127.0.0.1:{server.port}/"
        if question == "inbox":
            start("fill", url, seconds, 1).communicate(timeout=LONGEST)
        out, _ = start(question, url, seconds, 1).communicate(timeout=LONGEST)
        figure, cpu = out.split()[-2:]
        return Answer(float(figure), float(cpu))


def main() -> int:
    parser = argparse.ArgumentParser(description="Speed and size of the Python client.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured time of a round")
    parser.add_argument("--only", action="append", choices=list(UNITS), help="repeatable")
    parser.add_argument("--name", default="", help="keep the results under this name")
    parser.add_argument("--role", choices=list(ROLES), help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(*runner.run(ROLES[arguments.role](arguments.url, arguments.seconds)), flush=True)
        return 0
    BUILD.mkdir(exist_ok=True)
    questions = arguments.only or list(UNITS)
    figures = {question: Figure(question, [], []) for question in questions}
    with tempfile.TemporaryDirectory(prefix="client-", dir=BUILD) as work:
        for number in range(arguments.rounds):
            for question in questions:  # interleaved: what disturbs one, disturbs all
                found = answer(question, arguments.seconds, Path(work) / f"{question}{number}")
                figures[question].rounds.append(found.figure)
                figures[question].cpu.append(found.cpu)
    report = table(list(figures.values()))
    print(report)
    if arguments.name:
        stem = RESULTS / f"{date.today()}-{arguments.name}"
        stem.with_suffix(".md").write_text(f"# The Python client, {arguments.rounds} rounds\n\n{report}\n")
        stem.with_suffix(".json").write_text(
            json.dumps([asdict(figure) for figure in figures.values()], indent=1) + "\n"
        )
    return 0


def table(figures: list[Figure]) -> str:
    """Medians, spread and targets."""
    lines = ["| question | median | range | CPU µs each | target |", "| --- | ---: | --- | ---: | --- |"]
    for figure in figures:
        target = TARGETS.get(figure.question)
        met = ""
        if target is not None:
            good = figure.median <= target if figure.question == "idle" else figure.median >= target
            met = f"{target:,.0f}: {'met' if good else 'missed'}"
        spread = f"{min(figure.rounds):,.1f} to {max(figure.rounds):,.1f}"
        cells = UNITS[figure.question], f"{figure.median:,.1f}", spread, f"{figure.cpu_median:.1f}", met
        lines.append(f"| {' | '.join(cells)} |")
    found = {figure.question: figure.cpu_median for figure in figures}
    if "receive" in found and "bare" in found:
        lines.append(f"\nCPU of an event, beside the bare socket's: {found['receive'] / found['bare']:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
