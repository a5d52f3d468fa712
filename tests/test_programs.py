"""What the tests run besides is installed, or named in one line by who may not install (`make programs`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run_make(tmp_path: Path, *, user: int, programs: str) -> subprocess.CompletedProcess[str]:
    """`make programs` by a user of that number; what would be installed is written down instead."""
    for name, does in {"id": f"echo {user}", "apt-get": f'echo "$@" >> {tmp_path}/asked'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    return subprocess.run(
        ["make", "--no-print-directory", "programs", f"PROGRAMS={programs}"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_what_is_there_is_not_asked_for(tmp_path: Path) -> None:
    done = run_make(tmp_path, user=0, programs="sh:dash cat:coreutils")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "asked").exists()


def test_root_gets_the_missing_packages_in_one_go(tmp_path: Path) -> None:
    done = run_make(tmp_path, user=0, programs="sh:dash no-such-a:a-package no-such-b:b-package")
    assert done.returncode == 0
    assert "installing a-package b-package" in done.stderr
    assert (tmp_path / "asked").read_text().splitlines() == [
        "update -qq",
        "install -y -qq a-package b-package",
    ]


@pytest.mark.parametrize("packages", ["postgresql", "postgresql redis-server"])
def test_others_are_told_the_packages_in_one_line(tmp_path: Path, packages: str) -> None:
    done = run_make(
        tmp_path, user=1000, programs=" ".join(f"no-such-{each}:{each}" for each in packages.split())
    )
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert lines == [f"The tests need {packages}: on Debian, apt-get install {packages}"]
    assert not (tmp_path / "asked").exists()
