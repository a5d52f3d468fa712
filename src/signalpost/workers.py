"""Several processes of one server: started, watched, replaced when one dies, ended together (SPEC N8).

It knows processes, signals, and how long to wait before the next try. It refuses to know what a worker does:
that is a function which it is given, and which each process calls.

A worker holds two pipes of its supervisor. By one it says that it serves. By the other nothing ever comes: it
ends with the supervisor, whatever that died of, and then the worker ends, too.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

import structlog

__all__ = ["Worker", "Workers"]

_TOLD: Final = (signal.SIGTERM, signal.SIGINT)  # by which it is told to end
_SIGNALS: Final = (*_TOLD, signal.SIGCHLD)
_SHORTEST: Final = 0.1  # seconds before one that died is replaced; twice as long if that dies at once, too,
_LONGEST: Final = 10.0  # and so on up to this
_SOUND: Final = 10.0  # seconds of life after which a death is no sign that the next one dies as well
_PATIENCE: Final = 20.0  # seconds that workers have to end; a drain takes 10 (N7)

_log = structlog.get_logger("signalpost.workers")


class Worker:
    """What a worker has of its supervisor."""

    __slots__ = ("_lifeline", "_ready", "number")

    def __init__(self, number: int, *, ready: int, lifeline: int) -> None:
        """`ready`, `lifeline`: descriptors, to write to and to read from."""
        self.number: Final = number  # from 1; whoever replaces it has it, too
        self._ready: Final = ready
        self._lifeline: Final = lifeline

    def serves(self) -> None:
        """Say that connections are accepted now."""
        os.write(self._ready, b"1")

    def watch(self, loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
        """Have `end` called when there is no supervisor any more."""

        def over() -> None:
            loop.remove_reader(self._lifeline)
            end()

        loop.add_reader(self._lifeline, over)


@dataclass(slots=True)
class _Process:
    """A worker that runs."""

    number: int
    since: float
    ready: int  #: by which it says that it serves


class Workers:
    """As many processes as there shall be, from `run` to its end."""

    def __init__(self, count: int, work: Callable[[Worker], int]) -> None:
        """`work` is called in each process, and returns its exit status."""
        self._count: Final = count
        self._work: Final = work
        self._ear: Final = _Ear()
        self._lifeline, self._held = os.pipe()
        # By process id.
        self._running: dict[int, _Process] = {}
        # By number: when those that died are replaced, and how long they waited for that the last time.
        self._due: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        # Those of which it is open what comes of their first try. As long as the first is among them there
        # is no other, so that what keeps a server from starting is said once.
        self._awaited: set[int] = set(range(1, count + 1))
        self._announced = False
        # When those are killed that have not ended; None before all are told to.
        self._killing: float | None = None
        self._status = 0  # what `run` returns

    def run(self, announce: Callable[[], None]) -> int:
        """Work until SIGTERM or SIGINT; the exit status. `announce` is called once, when all have begun."""
        with self._ear:
            self._start(1)
            while self._running or self._due:
                told, readable = self._ear.listen(self._idle())
                for ready in readable:
                    self._hear(ready)
                if told:
                    self._end()
                self._bury()
                self._start_due()
                self._kill_late()
                if not (self._announced or self._awaited or self._ending):
                    self._announced = True
                    announce()
        os.close(self._held)
        os.close(self._lifeline)
        return self._status

    @property
    def _ending(self) -> bool:
        return self._killing is not None

    def _idle(self) -> float | None:
        """For how many seconds there is nothing to do, if nothing happens; None for ever."""
        times = list(self._due.values())
        if self._killing is not None:
            times.append(self._killing)
        return max(0.0, min(times) - time.monotonic()) if times else None

    # beginning

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, at in self._due.items() if at <= now]:
            del self._due[number]
            self._start(number)

    def _start(self, number: int) -> None:
        ready, says = os.pipe()
        # A signal between the two would be taken for one to the supervisor.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(ready)
                self._become(Worker(number, ready=says, lifeline=self._lifeline), before)
        except OSError as error:
            os.close(ready)
            if number in self._awaited:
                raise
            self._replace(number, lived=0.0, reason=error.strerror or str(error))
        else:
            self._running[pid] = _Process(number, time.monotonic(), ready)
            self._ear.attend(ready)
            _log.info("worker started", worker=number, pid=pid)
        finally:
            os.close(says)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _become(self, worker: Worker, mask: Iterable[int]) -> NoReturn:
        """Be a worker, in its process: let go of what is the supervisor's, work, and end."""
        status = 1
        try:
            self._ear.close()
            os.close(self._held)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in _TOLD:  # until the loop listens there is nothing to end in order
                signal.signal(number, lambda *_: os._exit(0))
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            status = self._work(worker)
            for number in _TOLD:
                signal.signal(number, signal.SIG_IGN)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    # what they do

    def _hear(self, ready: int) -> None:
        """A worker says that it serves, or will never again."""
        said = os.read(ready, 1)
        if not said:  # it is about to be buried
            self._ear.ignore(ready)
            return
        [number] = [each.number for each in self._running.values() if each.ready == ready]
        first = 1 in self._awaited
        self._awaited.discard(number)
        if first and not self._ending:
            for other in range(2, self._count + 1):
                self._start(other)

    def _bury(self) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            process = self._running.pop(pid)
            self._ear.ignore(process.ready)
            os.close(process.ready)
            self._ended(process, os.waitstatus_to_exitcode(status))

    def _ended(self, process: _Process, status: int) -> None:
        number, lived = process.number, time.monotonic() - process.since
        reason = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        if self._ending:
            if status:
                self._status = 1
                _log.warning("a worker did not end in good order", worker=number, reason=reason)
            return
        if number == 1 and 1 in self._awaited:  # it could not start, and has said why
            self._status = status if status > 0 else 1
            if status < 0:
                _log.error("the first worker died before it served", reason=reason)
            self._end()
            return
        self._awaited.discard(number)
        self._replace(number, lived=lived, reason=reason)

    def _replace(self, number: int, *, lived: float, reason: str) -> None:
        """Have a worker that is gone replaced: soon, or later and later if it dies as soon as it lives."""
        longer = min(2 * self._pauses.get(number, _SHORTEST / 2), _LONGEST)
        pause = self._pauses[number] = _SHORTEST if lived >= _SOUND else longer
        self._due[number] = time.monotonic() + pause
        _log.error(
            "a worker ended: another takes its place",
            worker=number,
            reason=reason,
            lived=round(lived, 3),
            pause=round(pause, 3),
        )

    # the end

    def _end(self) -> None:
        """Have all end; being told again makes no difference."""
        if self._ending:
            return
        self._killing = time.monotonic() + _PATIENCE
        self._due.clear()
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)

    def _kill_late(self) -> None:
        if self._killing is None or time.monotonic() < self._killing:
            return
        for pid, process in self._running.items():
            _log.error("a worker does not end: it is killed", worker=process.number)
            os.kill(pid, signal.SIGKILL)
        self._killing = time.monotonic() + _PATIENCE


class _Ear:
    """What the supervisor waits for: signals, and what workers say."""

    def __init__(self) -> None:
        self._selector: Final = selectors.PollSelector()  # without a descriptor that a child would share
        self._woken, self._wake = socket.socketpair()
        for each in (self._woken, self._wake):
            each.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def __enter__(self) -> None:
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, _nothing_more)

    def __exit__(self, *_: object) -> None:
        for number in _TOLD:  # it is over: being told to end once more changes nothing
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.close()

    def close(self) -> None:
        """Hear nothing more, in this process."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._woken.close()
        self._wake.close()

    def attend(self, descriptor: int) -> None:
        """Hear what comes by it."""
        self._selector.register(descriptor, selectors.EVENT_READ)

    def ignore(self, descriptor: int) -> None:
        """Hear no more of it, if it was heard."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def listen(self, patience: float | None) -> tuple[bool, list[int]]:
        """Whether it was told to end, and by which descriptors something came; `patience`: seconds."""
        found = [key.fd for key, _ in self._selector.select(patience)]
        if self._woken.fileno() not in found:
            return False, found
        found.remove(self._woken.fileno())
        numbers = self._woken.recv(4096)
        return any(number in numbers for number in _TOLD), found


def _nothing_more(number: int, frame: object) -> None:
    """A signal has woken it."""
