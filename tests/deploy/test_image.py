"""The Containerfile in `deploy/`: what it copies is there, and its steps make a server that runs.

No container is needed for that: the steps that install are done in a directory, by this Python.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Step(NamedTuple):
    """An instruction."""

    name: str
    text: str


class Stage(NamedTuple):
    """What is made from one image."""

    image: str
    name: str
    steps: list[Step]

    def texts(self, name: str) -> list[str]:
        """What its instructions of this name say."""
        return [step.text for step in self.steps if step.name == name]


def stages() -> list[Stage]:
    """The Containerfile, taken apart."""
    found: list[Stage] = []
    for line in (ROOT / "deploy" / "Containerfile").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, text = line.split(" ", 1)
        if name == "FROM":
            image, _, stage = text.partition(" AS ")
            found.append(Stage(image, stage, []))
        else:
            found[-1].steps.append(Step(name, text))
    return found


WEB, BUILD, LAST = stages()


def copies(stage: Stage) -> list[tuple[str, list[str], str]]:
    """From which stage, or "" for the source tree; what; where to."""
    made = []
    for text in stage.texts("COPY"):
        words = text.split()
        origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        made.append((origin, words[:-1], words[-1]))
    return made


def test_it_copies_what_is_in_the_repository() -> None:
    """SPEC N1: the tree of a clean clone has all of it."""
    for stage in (WEB, BUILD, LAST):
        for origin, sources, _ in copies(stage):
            if origin:
                assert origin in {"web", "build"}
                continue
            for source in sources:
                listed = subprocess.run(
                    ["git", "ls-files", "--", source], cwd=ROOT, capture_output=True, check=True, timeout=30
                )
                assert listed.stdout, source


def test_what_it_takes_of_the_web_stage_is_where_that_builds_it() -> None:
    """SPEC N1: the page goes where the console's builder puts it, the drop-in where the SDK's does."""
    taken = {source for origin, sources, _ in copies(BUILD) if origin == "web" for source in sources}
    assert taken == {"/source/src/signalpost/gateway/console", "/source/sdk/web/dist/umd"}
    assert (
        'outDir: here("../src/signalpost/gateway/console")' in (ROOT / "console/vite.config.ts").read_text()
    )
    assert "$(WEB)/dist/umd/signal.js" in (ROOT / "Makefile").read_text()
    for directory in re.findall(r"--prefix (\S+)", " ".join(WEB.texts("RUN"))):
        scripts = json.loads((ROOT / directory / "package.json").read_text())["scripts"]
        assert "build" in scripts


def test_it_runs_without_root_and_is_told_to_end() -> None:
    """SPEC N1: by a number, so that whoever runs it can see that it is none of root's."""
    names = [step.name for step in LAST.steps]
    assert LAST.texts("USER") == ["990:990"]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    assert LAST.texts("STOPSIGNAL") == ["SIGTERM"]
    assert LAST.texts("EXPOSE") == ["8080"]
    assert BUILD.image == LAST.image  # the interpreter that the environment was made with


@pytest.mark.timeout(600)
def test_its_steps_make_a_server_that_is_healthy(tmp_path: Path) -> None:
    """SPEC N1: installed by hash, started as the image starts it, asked as its health check asks."""
    source, installed = tmp_path / "source", tmp_path / "opt/signalpost"
    installed.parent.mkdir()

    def here(text: str) -> str:
        return text.replace("/opt/signalpost", str(installed)).replace("/source/", f"{source}/")

    for step in BUILD.steps:
        if step.name == "RUN":
            words = here(step.text).replace("python -m venv", f"{shlex.quote(sys.executable)} -m venv")
            subprocess.run(["sh", "-ec", words], cwd=source, check=True, timeout=500)
        elif step.name == "COPY" and not step.text.startswith("--from="):
            *sources, target = step.text.split()
            for each in sources:
                there = source / each if target == "./" else source / target
                there.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / each).is_dir():
                    shutil.copytree(
                        ROOT / each, there, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
                    )
                else:
                    shutil.copy(ROOT / each, there)
    shutil.rmtree(source)  # the last stage has the environment alone
    stores = "import signalpost.engine.postgres.kept, signalpost.engine.redis.shared"  # and their programs
    subprocess.run([installed / "bin/python", "-c", stores], cwd=tmp_path, check=True, timeout=60)

    data = tmp_path / "data"
    data.mkdir()
    environment = dict(pair.split("=", 1) for text in LAST.texts("ENV") for pair in text.split())
    environment |= {"SIGNALPOST_HOST": "127.0.0.1", "SIGNALPOST_PORT": "0", "SIGNALPOST_DATA": str(data)}
    environment |= {"SIGNALPOST_APPS": "app:certificate", "PATH": os.environ["PATH"]}
    [entry], [command] = LAST.texts("ENTRYPOINT"), LAST.texts("CMD")
    arguments = json.loads(here(entry)) + json.loads(command)
    server = subprocess.Popen(arguments, env=environment, cwd=data, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().rstrip().rpartition(":")[2]
        [check] = LAST.texts("HEALTHCHECK")
        asked = json.loads(here(check.partition(" CMD ")[2]))
        for at, status in ((port, 0), ("1", 1)):
            done = subprocess.run(
                asked, env=environment | {"SIGNALPOST_PORT": at}, capture_output=True, timeout=30
            )
            assert done.returncode == status, done.stderr
        server.terminate()
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.communicate()
