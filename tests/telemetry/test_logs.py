"""Logs: one form for all of them, on standard error, without secrets (SPEC S8)."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from signalpost.telemetry import logs


class Terminal(io.StringIO):
    """A standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Errors:
    """All that was written to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Errors]:
    """What is written to standard error; the loggers of the process are as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Errors(capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def entries(stream: Errors | Terminal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_a_log_is_one_json_object_a_line(stderr: Errors) -> None:
    """Issue "The command line": JSON elsewhere."""
    logs.configure("info", "auto")
    structlog.get_logger("signalpost").info("started", port=8080, data=":memory:")
    (entry,) = entries(stderr)
    assert list(entry)[:3] == ["timestamp", "level", "event"]
    stamp = datetime.fromisoformat(entry.pop("timestamp"))
    assert stamp.utcoffset() == timedelta(0)
    assert entry == {
        "event": "started",
        "level": "info",
        "logger": "signalpost",
        "port": 8080,
        "data": ":memory:",
    }


def test_on_a_terminal_a_log_is_for_people(stderr: Errors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue "The command line": human on a terminal."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("info", "auto")
    structlog.get_logger("signalpost").info("started", port=8080)
    assert "started" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


def test_the_form_can_be_chosen(stderr: Errors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue "The command line": `log_format` says otherwise."""
    logs.configure("info", "console")
    structlog.get_logger("signalpost").info("started", port=8080)
    assert "port=8080" in stderr.getvalue()
    assert "\x1b[" not in stderr.getvalue()

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    logs.configure("info", "json")
    structlog.get_logger("signalpost").info("started", port=8080)
    assert entries(terminal)[0]["port"] == 8080


def test_the_standard_library_logs_in_the_same_form(stderr: Errors) -> None:
    """Issue "The command line": asyncio too."""
    logs.configure("warning", "json")
    logging.getLogger("asyncio").error("task %s failed", "x")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)
    failed, warned = entries(stderr)
    assert (failed["event"], failed["level"], failed["logger"]) == ("task x failed", "error", "asyncio")
    assert warned["logger"] == "py.warnings"


def test_what_is_below_the_level_is_not_logged(stderr: Errors) -> None:
    """Issue "The command line": `log_level`."""
    logs.configure("warning", "json")
    log = structlog.get_logger("signalpost")
    log.debug("one")
    log.info("two")
    log.warning("three")
    logging.getLogger("asyncio").info("four")
    assert [entry["event"] for entry in entries(stderr)] == ["three"]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("field", ["token", "certificate", "msg", "content", "extra", "value"])
def test_a_field_that_could_be_secret_is_hidden_wherever_it_is(stderr: Errors, form: Any, field: str) -> None:
    """SPEC S8: never a token or a body."""
    logs.configure("info", form)
    log = structlog.get_logger("signalpost")
    secret = "hunter2"
    log.info("one", **{field: secret})
    log.bind(**{field: secret}).info("two")
    log.info("three", frame={"name": "ada", "args": [{field: secret}]}, both=({field: {"x": secret}},))
    assert secret not in stderr.getvalue()
    assert stderr.getvalue().count(logs.HIDDEN) == 4
    assert "ada" in stderr.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_variables(stderr: Errors, form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC S8: local variables hold tokens and bodies."""
    logs.configure("info", form)

    def fail(password: str) -> None:
        raise RuntimeError("it broke")

    try:
        fail("".join(["hun", "ter2"]))
    except RuntimeError as error:
        structlog.get_logger("signalpost").error("use case failed", exc_info=error)
        logging.getLogger("asyncio").exception("unhandled")
    assert stderr.getvalue().count("RuntimeError: it broke") == 2
    assert "hunter2" not in stderr.getvalue()


def test_what_json_cannot_say_is_logged_all_the_same(stderr: Errors) -> None:
    """Issue "The command line": a log line never raises."""
    logs.configure("info", "json")
    structlog.get_logger("signalpost").info(
        "odd", thing=object, surrogate="\ud800", number=2**70, many={1, 2}
    )
    (entry,) = entries(stderr)
    assert entry["event"] == "odd"


def test_setting_up_twice_logs_once(stderr: Errors) -> None:
    """Issue "The command line": a second set-up replaces the first."""
    logs.configure("info", "json")
    logs.configure("info", "json")
    structlog.get_logger("signalpost").info("started")
    assert len(entries(stderr)) == 1


async def test_what_comes_fast_is_told_once_a_second_with_how_often_it_came() -> None:
    """SPEC O1: the first at once, the others by their number; none is left out."""
    told: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()

    def say(*, reason: str, times: int) -> None:
        told.append((reason, times))

    sparing = logs.Sparing(say)
    sparing("full 0")
    assert told == [("full 0", 1)]
    for number in range(1, 500):
        sparing(f"full {number}")
    assert len(told) == 1
    deadline = loop.time() + 20
    while sum(times for _, times in told) < 500:
        assert loop.time() < deadline
        await asyncio.sleep(0.01)
    assert told == [("full 0", 1), ("full 499", 499)]
    sparing("again")
    while len(told) < 3:
        assert loop.time() < deadline
        await asyncio.sleep(0.01)
    assert told[2] == ("again", 1)
