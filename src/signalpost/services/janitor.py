"""What happens because time passes: timers find their use case, and what is over its time is swept.

A timer is only a reminder; the use case reads the record and decides anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Due
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.engine.ports.steps import Half
from signalpost.services.attributes import Attributes
from signalpost.services.bars import Bars
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels
from signalpost.services.driver import start
from signalpost.services.inbox import Inboxes
from signalpost.services.keys import kind_of
from signalpost.services.pauses import Pauses
from signalpost.services.rates import AccountRates
from signalpost.services.sessions import Sessions
from signalpost.services.webhooks import Webhooks

__all__ = ["Janitor"]

_PIECE = 64  # timers that are served at once
_LEASE = 10.0  # seconds that a timer's use case has

Sweep = Callable[[], Awaitable[object]]


class Janitor:
    """Routes timers, and sweeps."""

    __slots__ = (
        "_attributes",
        "_forget",
        "_halves",
        "_handlers",
        "_pauses",
        "_report",
        "_sessions",
        "_sweeping",
        "_sweeps",
    )

    def __init__(
        self,
        *,
        sessions: Sessions,
        channels: Channels,
        calls: Calls,
        attributes: Attributes,
        bars: Bars,
        inboxes: Inboxes,
        webhooks: Webhooks,
        rates: AccountRates,
        sweeps: Sequence[Sweep],
        kept: Kept,
        shared: Shared,
        pauses: Pauses,
        report: Callable[[Exception], None],
    ) -> None:
        self._handlers: dict[str, Callable[[str], Coroutine[Any, Any, Any]]] = {
            "attributes": attributes.due,
            "session": sessions.due,
            "call": calls.due,
            "channel": channels.endings.due,
            "emptied": channels.endings.emptied_due,
            "count": channels.census.due,
            "hook": webhooks.delivery.due,
            "away": webhooks.accounts.away_due,
            "roll": webhooks.accounts.roll_due,
            "barred": bars.due,
        }
        self._attributes = attributes
        self._sessions = sessions
        self._forget = (inboxes.sweep, rates.sweep)  # rates that nothing counts against
        self._halves: tuple[Half, ...] = (kept, shared)
        self._sweeps = sweeps  # the engine's parts that let go of what is over
        self._sweeping = False  # the engine's parts are being swept
        self._pauses = pauses
        self._report = report  # told what went wrong where nobody waits

    def wake(self) -> None:
        """Timers of the engine may be due. One whose use case fails comes again when its lease is over."""
        for half in self._halves:
            start(self._work_off(half), self._done)

    async def _work_off(self, half: Half) -> None:
        for due in await half.due(limit=_PIECE, lease=_LEASE):
            start(self._serve(half, due), self._done)

    async def _serve(self, half: Half, due: Due) -> None:
        again = False  # its use case has armed it anew, perhaps for the same time
        with suppress(Refusal):
            again = await self._handlers[kind_of(due.key)](due.key)
        if not again:
            await half.done(due)

    def sweep(self) -> None:
        """Let go of what is over its time; called every few seconds."""
        for forget in self._forget:
            forget()
        self.wake()
        start(self._attributes.settle(), self._done)
        start(self._sessions.settle(), self._done)
        start(self._sweep_engine(), self._done)

    async def _sweep_engine(self) -> None:
        """All that is over its time, in pieces: what a load has left goes when its time is over."""
        if self._sweeping:
            return
        self._sweeping = True
        try:
            for sweep in self._sweeps:
                while await sweep():
                    await self._pauses.take()
        finally:
            self._sweeping = False

    def _done(self, result: object, error: Exception | None) -> None:
        if error is not None and not isinstance(error, Refusal):
            self._report(error)
