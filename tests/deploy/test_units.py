"""The systemd unit in `deploy/`: systemd understands it, and finds little that it could do to the machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from signalpost.config import load

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = UNITS / "signalpost.service"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd says, without a systemd that runs."""
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8"}
    )


def test_its_exposure_is_at_most_2() -> None:
    """SPEC N1: of 10, as `systemd-analyze security` counts it."""
    said = analyze("security", "--offline=true", "--threshold=20", "--no-pager", UNIT)
    assert said.returncode == 0, said.stdout[-500:] + said.stderr
    found = re.search(r"Overall exposure level for signalpost.service: ([0-9.]+)", said.stdout)
    assert found, said.stdout[-500:]
    assert float(found[1]) <= 2.0


def test_systemd_finds_no_mistake_in_it(tmp_path: Path) -> None:
    """SPEC N1: every setting is known to it. The program is another, as ours is not installed there."""
    text = UNIT.read_text()
    program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE)
    assert program
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(program[1], "/bin/true"))
    said = analyze("verify", "--man=no", "--recursive-errors=no", copy)
    assert (said.returncode, said.stderr) == (0, "")


def test_no_secret_is_on_its_command_line() -> None:
    """SPEC N1: files that only root can read, and what systemd hands over of them."""
    [command] = re.findall(r"^ExecStart=(.*)", UNIT.read_text(), re.MULTILINE)
    assert command.split()[1:] == [
        "serve",
        "--config",
        "${CREDENTIALS_DIRECTORY}/signalpost.toml",
        "--data",
        "${STATE_DIRECTORY}",
    ]


def test_its_examples_are_good_settings() -> None:
    """SPEC N1."""
    lines = (UNITS / "signalpost.env.example").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    config = load(str(UNITS / "signalpost.toml.example"), environment=environment, flags={})
    assert config.workers == 4
    assert config.store
    assert config.share


def test_it_has_time_for_a_drain() -> None:
    """SPEC N7: 10 s for the workers, 20 until the one that looks after them uses force."""
    [seconds] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(seconds) > 20
