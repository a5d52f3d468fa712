"""What happens because time passes: timers find their use case, and what is over its time is swept.

A timer is only a reminder; the use case reads the record and decides anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Due
from signalpost.services.attributes import Attributes
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels
from signalpost.services.driver import start
from signalpost.services.keys import kind_of
from signalpost.services.messages import Messages
from signalpost.services.requests import Requests
from signalpost.services.sessions import Sessions

__all__ = ["Janitor"]

Sweep = Callable[[], Awaitable[object]]

_AT_ONCE = 256  # timers that are taken out of the engine together
_LEASE = 30.0  # seconds after which one that came to nothing is given out again


class Half(Protocol):
    """What has timers."""

    async def due(self, *, limit: int, lease: float) -> list[Due]: ...

    async def done(self, *due: Due) -> None: ...


class Janitor:
    """Routes timers, and sweeps."""

    __slots__ = ("_attributes", "_channels", "_forget", "_handlers", "_report", "_sessions", "_sweeps")

    def __init__(
        self,
        *,
        sessions: Sessions,
        channels: Channels,
        calls: Calls,
        attributes: Attributes,
        messages: Messages,
        requests: Requests,
        sweeps: Sequence[Sweep],
        report: Callable[[Exception], None],
    ) -> None:
        self._handlers: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {
            "session": sessions.due,
            "call": calls.due,
            "channel": channels.endings.due,
            "count": channels.census.due,
        }
        self._channels = channels
        self._attributes = attributes
        self._sessions = sessions
        self._forget = (messages.sweep, requests.sweep)  # rates that nothing counts against
        self._sweeps = sweeps  # the engine's parts that let go of what is over
        self._report = report  # told what went wrong where nobody waits

    def due(self, key: str) -> None:
        """A timer's time has come."""
        start(self._handlers[kind_of(key)](key), self._done)

    def look(self, half: Half) -> None:
        """Timers of this half of the engine may be due."""
        start(self._look(half), self._done)

    async def _look(self, half: Half) -> None:
        due = await half.due(limit=_AT_ONCE, lease=_LEASE)
        for one in due:
            start(self._serve(half, one), self._done)
        if len(due) == _AT_ONCE:
            await self._look(half)

    async def _serve(self, half: Half, due: Due) -> None:
        """Do what is due; if that fails, the engine gives it out again."""
        await self._handlers[kind_of(due.key)](due.key)
        await half.done(due)

    def sweep(self) -> None:
        """Let go of what is over its time; called every few seconds."""
        for forget in self._forget:
            forget()
        start(self._attributes.settle(), self._done)
        start(self._sessions.settle(), self._done)
        start(self._sweep_engine(), self._done)

    async def _sweep_engine(self) -> None:
        for sweep in self._sweeps:
            await sweep()

    async def adopt(self) -> None:
        """After a start: nobody is online and nobody is in a channel, so deadlines begin (P3, C8).

        It commits nothing, and so has nothing to wait for; what has to be stored comes with the first sweep.
        """
        await self._attributes.adopt()
        await self._channels.endings.adopt()

    def _done(self, result: object, error: Exception | None) -> None:
        if error is not None and not isinstance(error, Refusal):
            self._report(error)
