"""`make bench`: asks every server every question in interleaved rounds and reports medians and ratios.

It knows the order of things: build, start, load, read, stop, report. What is asked is in `questions.py`,
how servers run in `servers.py`, how results look in `report.py`. Only the standard library is used.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from questions import QUESTIONS, Question, Result, shortened
from report import Answer, machine, markdown, write
from servers import APP, BENCH, BUILD, PEERS, SERVERS, Failed, Running, Server, running, write_users

USERS = 10_100
LOAD_SECONDS = 120.0  # longer than any run that goes well
SERVER_CORE, LOAD_CORE = 0, 1
DISTURBED = 0.15  # of a core, used by others: such a run is repeated


def main() -> int:
    arguments = read_arguments()
    questions = [question for question in QUESTIONS if not arguments.only or question.key in arguments.only]
    if arguments.quick:
        questions = [shortened(question) for question in questions]
    rounds = 1 if arguments.quick else arguments.rounds
    patience = 0.0 if arguments.quick else arguments.patience
    name = arguments.name
    if not name and not arguments.quick:
        name = "partial" if arguments.only or arguments.servers else "suite"
    raise_open_files()
    build()
    install_peers()
    with tempfile.TemporaryDirectory(prefix="data-", dir=BUILD) as work:
        directory = Path(work)
        write_users(directory / "users", USERS)
        about = machine(directory, PEERS)
        answers: list[Answer] = []
        for question in questions:
            answers.append(ask(question, rounds, patience, arguments.servers, directory))
            if name:
                kept = write(BENCH / "results", name, answers, about, rounds)
    print(markdown(answers, about, rounds))
    if name:
        print(f"kept in {kept.relative_to(BENCH.parent)}")
    failed = any("signalpost" in answer.failures for answer in answers)
    return 1 if failed or (arguments.strict and any(answer.missed() for answer in answers)) else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed and size, beside npm ws and socket.io.")
    keys = [question.key for question in QUESTIONS]
    parser.add_argument(
        "--only",
        action="append",
        choices=keys,
        metavar="QUESTION",
        help=f"one of {', '.join(keys)}; repeatable",
    )
    parser.add_argument(
        "--servers", action="append", choices=list(SERVERS), metavar="SERVER", help="only these; repeatable"
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server a question (default 5)")
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long each run may wait for a quiet machine, and be repeated if disturbed (default 60)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round, nothing kept unless --name is given"
    )
    parser.add_argument("--name", default="", help="the results' name: results/DATE-NAME.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser.parse_args()


def raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < USERS + 100:
        sys.exit(f"bench: {hard} open files are allowed, {USERS + 100} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def build() -> None:
    BUILD.mkdir(exist_ok=True)
    compiler = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o"]
    for program, sources in (("load", ("load.c", "dialects.c")), ("ceiling", ("ceiling.c",))):
        subprocess.run(
            [*compiler, str(BUILD / program), *(str(BENCH / source) for source in sources)], check=True
        )


def install_peers() -> None:
    if shutil.which("npm") is None:
        print("bench: node is not installed: no peers", file=sys.stderr)
        return
    installed, wanted = PEERS / "node_modules" / ".package-lock.json", PEERS / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=False, stdout=sys.stderr)


def ask(question: Question, rounds: int, patience: float, only: list[str] | None, directory: Path) -> Answer:
    """Every server, `rounds` times over; a server that fails once is left out from then on."""
    answer = Answer(question)
    servers = [SERVERS[name] for name in question.servers if not only or name in only]
    for server in servers:
        if reason := server.missing():
            answer.failures[server.name] = reason
    for number in range(rounds):
        for server in servers:
            if server.name in answer.failures:
                continue
            print(
                f"bench: {question.key} {number + 1}/{rounds} {server.name}",
                end="",
                file=sys.stderr,
                flush=True,
            )
            try:
                result = undisturbed(question, server, directory, patience)
            except Failed as problem:
                answer.failures[server.name] = str(problem)
                print(f": {problem}", file=sys.stderr)
                continue
            first = question.figures[0]
            print(f": {result[first.name]:{first.form}} {first.name}", file=sys.stderr)
            answer.runs.setdefault(server.name, []).append(result)
    return answer


def undisturbed(question: Question, server: Server, directory: Path, patience: float) -> Result:
    """The first run in which nobody else took much CPU time; when patience is at its end, any run."""
    end = time.monotonic() + patience
    while True:
        while time.monotonic() < end and others_share() > DISTURBED:
            pass
        result = run(question, server, directory)
        if result["others' CPU"] <= DISTURBED or time.monotonic() >= end:
            return result
        print(" (disturbed, again)", end="", file=sys.stderr, flush=True)


def others_share() -> float:
    """How much of a core is in use while we do nothing, over a second."""
    before = busy_seconds()
    time.sleep(1.0)
    return busy_seconds() - before


def busy_seconds() -> float:
    user, nice, system, _, _, _, _, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + steal) / os.sysconf("SC_CLK_TCK")


def run(question: Question, server: Server, directory: Path) -> Result:
    cores = os.cpu_count() or 1
    pinned = question.pinned and cores > 1
    with running(server, directory / "server", SERVER_CORE if pinned else None) as process:
        said = load(question, server, process, directory, LOAD_CORE if pinned else None)
    return {figure.name: dig(said, figure.path) for figure in question.figures}


def load(
    question: Question, server: Server, process: Running, directory: Path, core: int | None
) -> dict[str, object]:
    time.sleep(0.3)  # the server has said that it listens; let its start-up work end
    before = process.resident_kib()
    with subprocess.Popen(
        load_command(question, server, process, directory, core),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        try:
            said = client.stdout.readline()
            time.sleep(1.0 if question.idle else 0.0)  # what the last logins left to do
            grown = process.resident_kib() - before
            _, errors = client.communicate(timeout=LOAD_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {LOAD_SECONDS:.0f} s") from None
        finally:
            client.kill()
    if not said:
        raise Failed(errors.strip() or "the load generator said nothing")
    result: dict[str, object] = json.loads(said)
    result["cpu_us"] = 1e6 * dig(result, ("server_cpu",)) / dig(result, question.unit)
    if question.idle:
        result["kib_each"] = grown / float(str(result["sessions"]))
    return result


def load_command(
    question: Question, server: Server, process: Running, directory: Path, core: int | None
) -> list[str]:
    command = [str(BUILD / "load"), *question.load, "--dialect", server.dialect, "--app", APP]
    command += ["--port", str(process.port), "--server", str(process.pid)]
    command += ["--users", str(directory / "users"), "--seconds", str(question.seconds)]
    return command if core is None else [*command, "--core", str(core)]


def dig(result: dict[str, object], path: tuple[str, ...]) -> float:
    value: object = result
    for name in path:
        assert isinstance(value, dict), f"the load generator gave no {'.'.join(path)}"
        value = value[name]
    return float(str(value))


if __name__ == "__main__":
    sys.exit(main())
