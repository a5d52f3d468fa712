"""Where the server's time goes: one question put to Signalpost while py-spy or perf looks at its process.

It knows two profilers' command lines. It refuses to know how to read what they print, and starts neither
unless it is installed (`pip install py-spy`; perf comes with the system).
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from questions import QUESTIONS
from run import LOAD_CORE, SERVER_CORE, USERS, build, load_command, raise_open_files
from servers import BUILD, SERVERS, running, write_users

SETTLE_SECONDS = 3.0  # setting up, the joins' events, the load generator's warm-up
LOOK_SECONDS = 5.0
LINE = re.compile(r":\d+\)$")


def main() -> int:
    parser = argparse.ArgumentParser(description="Profile Signalpost under the load of one question.")
    parser.add_argument("question", choices=[question.key for question in QUESTIONS])
    parser.add_argument("--with", dest="profiler", choices=["py-spy", "perf"], default="py-spy")
    arguments = parser.parse_args()
    found = Path(sys.executable).parent / arguments.profiler
    profiler = str(found) if found.exists() else shutil.which(arguments.profiler)
    if profiler is None:
        sys.exit(f"where: {arguments.profiler} is not installed")
    question = next(question for question in QUESTIONS if question.key == arguments.question)
    question = replace(question, seconds=LOOK_SECONDS + SETTLE_SECONDS)
    raise_open_files()
    build()
    server = SERVERS["signalpost"]
    cores = (SERVER_CORE, LOAD_CORE) if question.pinned else (None, None)
    with tempfile.TemporaryDirectory(prefix="data-", dir=BUILD) as work:
        directory = Path(work)
        write_users(directory / "users", USERS)
        with running(server, directory / "server", cores[0]) as process:
            command = load_command(question, server, process, directory, cores[1])
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
                time.sleep(0.0 if question.idle else SETTLE_SECONDS)
                look(profiler, arguments.profiler, process.pid, BUILD / f"where-{question.key}")
                said, _ = client.communicate()
    print(said.decode())
    return 0


def look(profiler: str, name: str, pid: int, out: Path) -> None:
    if name == "perf":
        data = f"{out}.perf"
        record = [profiler, "record", "-q", "-g", "-F", "499", "-p", str(pid), "-o", data]
        subprocess.run([*record, "--", "sleep", str(LOOK_SECONDS)], check=True, stdout=sys.stderr)
        report = [profiler, "report", "-i", data, "--stdio", "--no-children", "-g", "none"]
        subprocess.run([*report, "--percent-limit", "0.7"], check=True, stderr=subprocess.DEVNULL)
        return
    raw = f"{out}.txt"
    record = [profiler, "record", "--pid", str(pid), "--duration", str(round(LOOK_SECONDS)), "--rate", "250"]
    subprocess.run([*record, "--format", "raw", "--output", raw], check=True, stdout=sys.stderr)
    totals(Path(raw))


def totals(raw: Path) -> None:
    """The functions with most time of their own, and those with most in all (py-spy's collapsed stacks)."""
    own: dict[str, int] = {}
    full: dict[str, int] = {}
    samples = 0
    for line in raw.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [LINE.sub(")", frame) for frame in stack.split(";")]
        samples += int(count)
        own[frames[-1]] = own.get(frames[-1], 0) + int(count)
        for frame in set(frames):
            full[frame] = full.get(frame, 0) + int(count)
    for title, counts in (("own time", own), ("with what it calls", full)):
        print(f"\n{title} ({samples} samples)")
        for frame, seen in sorted(counts.items(), key=lambda item: -item[1])[:25]:
            print(f"{seen / samples:7.1%}  {frame}")


if __name__ == "__main__":
    sys.exit(main())
