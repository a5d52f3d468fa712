"""How results look: the table on the terminal, the dated Markdown and JSON in `results/`.

It knows figures and medians. It refuses to know how they came about, and names no machine.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
import timeit
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from questions import Medians, Question, Result

__all__ = ["Answer", "machine", "markdown", "write"]

HOW = (
    "A fresh server process for each run, loopback. Pinned questions: server on core 0, load generator on "
    "core 1. *load busy* is the share of the measured time in which the load generator had work; what it can "
    "show at most is the row *ceiling*, a server in C that sends the same frames without rules, checks or a "
    "store."
)


@dataclass
class Answer:
    """A question and what each server did with it."""

    question: Question
    runs: dict[str, list[Result]] = field(default_factory=dict)  #: by server, in the order of the rounds
    failures: dict[str, str] = field(default_factory=dict)  #: by server: why there is no result
    ours: str = "signalpost"  #: the server that the others are compared with

    def medians(self) -> Medians:
        return {
            server: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            for server, runs in self.runs.items()
            if runs
        }

    def missed(self) -> bool:
        medians = self.medians()
        values = [(target, target.value(medians)) for target in self.question.targets]
        return any(not math.isnan(value) and not target.met(value) for target, value in values)


def machine(directory: Path, peers: Path) -> dict[str, str]:
    """The machine in general terms; `directory` lies on the disk that the servers write to."""
    about = {
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])} {platform.machine()}",
        "python": f"{platform.python_version()} (a reference call takes {reference_call_ns():.0f} ns)",
        "sqlite": sqlite3.sqlite_version,
        "fdatasync p50": f"{fdatasync_ms(directory):.2f} ms",
        "load average before": f"{os.getloadavg()[0]:.2f}",
    }
    for package in ("uvloop", "msgspec"):
        try:
            about[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    if shutil.which("node") is not None:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
        about["node"] = said.stdout.strip()
    for package in ("ws", "socket.io"):
        described = peers / "node_modules" / package / "package.json"
        if described.exists():
            about[package] = json.loads(described.read_text())["version"]
    return about


def reference_call_ns() -> float:
    """How fast this Python is: one that was built without profile-guided optimisation is much slower."""
    statement = "pair.set(1); [pair, {'one': 1}]"
    setup = "class Pair:\n  def set(self, one): self.one = one\npair = Pair()"
    return min(timeit.repeat(statement, setup, number=50_000, repeat=5)) / 50_000 * 1e9


def fdatasync_ms(directory: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return lines


def figures_of(answer: Answer) -> list[str]:
    question, medians = answer.question, answer.medians()
    first = question.figures[0]
    ours = medians.get(answer.ours, {}).get(first.name)
    rows = [
        [
            "server",
            *(figure.name for figure in question.figures),
            f"least-most {first.name}",
            f"{answer.ours} is",
        ]
    ]
    for server, values in medians.items():
        span = [run[first.name] for run in answer.runs[server]]
        compared = ours is not None and server != answer.ours and values[first.name] > 0
        rows.append(
            [
                server,
                *(format(values[figure.name], figure.form) for figure in question.figures),
                f"{min(span):{first.form}} - {max(span):{first.form}}",
                f"{ours / values[first.name]:.2f} x" if compared and ours is not None else "",
            ]
        )
    return table(rows) if len(rows) > 1 else []


def targets_of(answer: Answer) -> list[list[str]]:
    medians = answer.medians()
    rows = []
    for target in answer.question.targets:
        value = target.value(medians)
        verdict = "not measured" if math.isnan(value) else "met" if target.met(value) else "**missed**"
        rows.append(
            [
                answer.question.key,
                target.text,
                "-" if math.isnan(value) else format(value, target.form),
                verdict,
            ]
        )
    return rows


def markdown(answers: list[Answer], about: dict[str, str], rounds: int, how: str = HOW) -> str:
    """The whole report; `how` it was measured."""
    lines = ["## Targets", ""]
    lines += table(
        [["question", "target", "measured", ""], *(row for answer in answers for row in targets_of(answer))]
    )
    for answer in answers:
        lines += ["", f"## {answer.question.title}", "", *figures_of(answer), ""]
        lines += [f"{server}: {reason}" for server, reason in answer.failures.items()]
        lines.append(answer.question.note)
    lines += ["", "## How", "", f"Medians of {rounds} interleaved rounds. {how}"]
    lines += ["", *(f"* {name}: {value}" for name, value in about.items()), ""]
    return "\n".join(lines)


def write(
    directory: Path, name: str, answers: list[Answer], about: dict[str, str], rounds: int, how: str = HOW
) -> Path:
    """Keep the report and every single run; returns the report's path."""
    directory.mkdir(exist_ok=True)
    stem = f"{time.strftime('%Y-%m-%d')}-{name}"
    runs = {
        "machine": about,
        "rounds": rounds,
        "questions": {
            answer.question.key: {"runs": answer.runs, "failures": answer.failures} for answer in answers
        },
    }
    (directory / f"{stem}.json").write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n")
    report = directory / f"{stem}.md"
    report.write_text(f"# {stem}\n\n{markdown(answers, about, rounds, how)}")
    return report
