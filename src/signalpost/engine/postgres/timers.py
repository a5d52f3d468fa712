"""Timers that all nodes share: whoever asks first is given what is due, and the others pass it over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from signalpost.engine.ports import Clock, Due
from signalpost.engine.postgres.errands import Errands

__all__ = ["Timers"]

_DUE: Final = "SELECT * FROM due($1, $2, $3)"
_DONE: Final = "SELECT done($1, $2)"
_SOONEST: Final = 0.005  # seconds between two alarms
_LATEST: Final = 5.0  # seconds after which it is asked all the same: another node may have armed something


def _nobody() -> None:
    """Stand in for the listener until there is one."""


class Timers:
    """What is due, and when to ask for it."""

    def __init__(self, errands: Errands, *, clock: Clock | None) -> None:
        self._errands = errands
        self._clock = clock
        self._wake: Callable[[], None] = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None  # set while `run` is in force
        self._alarm: asyncio.TimerHandle | None = None  # the next call of whoever listens

    def listen(self, wake: Callable[[], None]) -> None:
        """See `Kept.listen`."""
        self._wake = wake

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop` wake whoever listens, until `stop`."""
        self._loop = loop
        self.expect(0.0)

    def stop(self) -> None:
        """Wake nobody any more."""
        self._loop = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def expect(self, seconds: float) -> None:
        """Something may be due in so many seconds."""
        if self._loop is None:
            return
        when = self._loop.time() + min(max(seconds, _SOONEST), _LATEST)
        if self._alarm is None or when < self._alarm.when():
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(when, self._ring)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Kept.due`."""
        now = None if self._clock is None else self._clock()
        *rows, (_, _, _, wait) = await self._errands.ask(_DUE, limit, lease, now)
        self.expect(_LATEST if wait is None else wait)
        return [Due(key.decode(), at, turn) for key, at, turn, _ in rows]

    async def done(self, *due: Due) -> None:
        """See `Kept.done`."""
        if due:
            await self._errands.ask(_DONE, [each.key.encode() for each in due], [each.turn for each in due])

    def _ring(self) -> None:
        self._alarm = None
        self.expect(_LATEST)
        self._wake()
