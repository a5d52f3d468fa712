"""When somebody is to be told that a timer may be due.

A node wakes for the timers that it armed itself and for those that it was told of when it last took some; for
those of a node that is gone all others look now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["Alarm"]

_SLACK: Final = 0.002  # seconds behind a deadline, so that the store's clock has reached it
_PAUSE: Final = (
    0.02  # seconds between two wakings: a clock that goes behind the store's arms anew what is due
)


class Alarm:
    """Wakes at the earliest time that it was given."""

    __slots__ = ("_at", "_handle", "_handler", "_loop", "_now", "_woke")

    def __init__(self, now: Callable[[], float | None]) -> None:
        """`now`: the time that deadlines are of; None: not known."""
        self._now = now
        self._handler: Callable[[], None] = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None  # set while `run` is in force
        self._woke = -_PAUSE  # when it woke last, of the loop's clock
        self._at = 0.0  # when it wakes; meaningful while there is a handle
        self._handle: asyncio.TimerHandle | None = None

    def listen(self, handler: Callable[[], None]) -> None:
        """Whom to wake."""
        self._handler = handler

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake from now on."""
        self._loop = loop

    def stop(self) -> None:
        """Wake nobody any more."""
        self._loop = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def set(self, at: float) -> None:
        """Wake at this time, unless that happens earlier already."""
        now = self._now()
        if self._loop is None or now is None or (self._handle is not None and self._at <= at):
            return
        if self._handle is not None:
            self._handle.cancel()
        self._at = at
        delay = max(at - now, self._woke + _PAUSE - self._loop.time(), 0.0)
        self._handle = self._loop.call_later(delay + _SLACK, self._wake)

    def ring_if(self, at: float) -> None:
        """Wake somebody at once if this time has come and he was not woken for it."""
        now = self._now()
        if self._loop is not None and now is not None and at <= now:
            self._handler()

    def _wake(self) -> None:
        self._handle = None
        if self._loop is not None:
            self._woke = self._loop.time()
            self._handler()


def _nobody() -> None:
    """Stand in for the handler until there is one."""
