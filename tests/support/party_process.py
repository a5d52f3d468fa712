"""A process of another language that holds parties of conversations: commands go in, events come out.

Both are lines of JSON, `[party, what, arguments…]`. One process serves the tests of a session, so it knows no
event loop: a thread reads, and listeners are called there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any

__all__ = ["CLASSES", "JAVA", "PartyProcess", "class_path", "java", "node"]

ROOT = Path(__file__).resolve().parent.parent.parent
CLASSES = ROOT / "sdk" / "android" / "target"
SCRIPT = ROOT / "sdk" / "web" / "dist" / "umd" / "signal.js"
JAVA = ("java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # starts fast, and stays small
WAIT = 30.0  # seconds that it may take to end

Listener = Callable[..., None]  #: is given what the party was told, and what comes with it


def class_path() -> list[str]:
    """What the tests of the Java SDK run with, the SDK included; `make` has written it down."""
    written = CLASSES / "test-classpath.txt"
    if not written.is_file():
        raise AssertionError(f"{written} is missing: `make sdk/android/target/.classes` makes it")
    return [str(CLASSES / "test-classes"), str(CLASSES / "classes"), *written.read_text().strip().split(":")]


def java(log: Path) -> PartyProcess:
    """Applications on `io.agora`, on a JVM that has no Android (SPEC S5)."""
    parts = [part for part in class_path() if "/com/google/android/" not in part]
    return PartyProcess([*JAVA, "-cp", ":".join(parts), "io.agora.Driver"], log)


def node(log: Path) -> PartyProcess:
    """Pages on the built drop-in, in Node."""
    if not SCRIPT.is_file():
        raise AssertionError(f"{SCRIPT} is missing: `make sdk/web/dist/.built` makes it")
    return PartyProcess(["node", str(Path(__file__).parent / "node_party.cjs")], log)


class PartyProcess:
    """The process; `log` is what it writes to standard error."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )
        self._lock = Lock()  # guards `_listeners`
        self._listeners: list[Listener] = []  # by the party's number; they are never removed
        self._reader = Thread(target=self._read, name="party process", daemon=True)
        self._reader.start()

    def open(self, listener: Listener) -> Callable[..., None]:
        """A new party: how to have it do something; `listener` gets what it is told, on another thread."""
        with self._lock:
            number = len(self._listeners)
            self._listeners.append(listener)

        def do(what: str, *args: Any) -> None:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps([number, what, *args]) + "\n")
            self._process.stdin.flush()

        return do

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            number, what, *args = json.loads(line)
            with self._lock:
                listener = self._listeners[number]
            listener(what, *args)

    def stop(self) -> int:
        """No more commands come: it ends, if nothing of the SDK keeps it; its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended already, and its status says why
            self._process.stdin.close()
        try:
            return self._process.wait(WAIT)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
