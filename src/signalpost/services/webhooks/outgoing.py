"""What back ends are yet to be told, in the order in which it happened (SPEC W1, W3).

There is a queue for each endpoint and subject, in the kept half, and a timer beside it that says when
somebody is to look at it. What an endpoint has no room for is dropped and counted, and the next event says
how many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from signalpost.domain.apps import App
from signalpost.domain.webhooks import Endpoint, Occurrence
from signalpost.engine.ports import Arm, Clock, Full, Pending, Step, Unavailable
from signalpost.engine.ports.kept import Append, Bounds, Kept
from signalpost.services.keys import hook_key, hooks_key, hooks_of
from signalpost.services.stored import OCCURRENCE

__all__ = ["Happened", "Outgoing", "appending"]

_KEPT: Final = 3 * 86_400.0  # seconds after which even what nobody could try is over


Happened = tuple[str, dict[str, Any]]
"""The type of an event, and its data."""


class Outgoing:
    """Puts events into the queues."""

    __slots__ = ("_clock", "_coming", "_dropped", "_kept", "_new_id", "_off", "_wall", "counts")

    def __init__(self, kept: Kept, clock: Clock, wall: Clock, new_id: Callable[[], str]) -> None:
        self._kept = kept
        self._clock = clock
        self._wall = wall
        self._new_id = new_id
        self._off: set[str] = set()  # the keys of endpoints that want nothing any more
        # By the key of an endpoint: how many were dropped that it has not been told of.
        self._dropped: dict[str, int] = {}
        # Queues whose commit is under way here: a timer of it may come before its item can be seen.
        self._coming: dict[str, list[Pending]] = {}
        self.counts = {"delivered": 0, "retried": 0, "failed": 0, "dropped": 0}  # since the start

    def switch(self, app_id: str, endpoint: Endpoint, *, on: bool) -> None:
        """Whether the endpoint is to be told anything."""
        (self._off.discard if on else self._off.add)(hooks_key(app_id, endpoint.name))

    async def tell(
        self, app: App, app_id: str, kind: str, subject: str, *happened: Happened, hook_id: str = ""
    ) -> None:
        """Keep what happened to a subject, for each endpoint that wants it.

        What cannot be kept is dropped: nobody's use case fails by this. `hook_id`: the id of the event, if it
        could be told twice.
        """
        steps = self._steps(app, app_id, kind, subject, happened, hook_id)
        try:
            await self._commit((), steps)
        except Unavailable:
            self._drop(steps)

    async def tell_with(
        self, app: App, app_id: str, kind: str, subject: str, happened: Happened, *steps: Step[Any]
    ) -> None:
        """The same in one commit with these steps. Raises what they do, and Unavailable."""
        await self._commit(steps, self._steps(app, app_id, kind, subject, (happened,), ""))

    async def _commit(self, others: tuple[Step[Any], ...], steps: list[Append]) -> None:
        while others or steps:
            try:
                await self.keep(others, steps)
            except Full as full:
                self._drop([step for step in steps if step is full.step])
                steps = [step for step in steps if step is not full.step]
                continue
            for step in steps:
                self._dropped.pop(step.source, None)  # it says so
            return

    async def keep(self, others: Sequence[Step[Any]], steps: Sequence[Append]) -> None:
        """Commit these steps, with appends to queues and their timers. Raises what they do."""
        now = self._clock()
        arms = {step.key: Arm(step.key, now) for step in steps}
        done = Pending()
        for key in arms:
            self._coming.setdefault(key, []).append(done)
        try:
            await self._kept.commit(*others, *steps, *arms.values())
        finally:
            for key in arms:
                coming = self._coming[key]
                coming.remove(done)
                if not coming:
                    del self._coming[key]
            done.settle()

    async def arrived(self, key: str) -> None:
        """Wait until what is being put into a queue can be seen."""
        for pending in tuple(self._coming.get(key, ())):
            await pending

    def _drop(self, steps: list[Append]) -> None:
        self.counts["dropped"] += len(steps)
        for step in steps:
            self._dropped[step.source] = self._dropped.get(step.source, 0) + 1

    def _steps(
        self,
        app: App,
        app_id: str,
        kind: str,
        subject: str,
        happened: tuple[Happened, ...],
        hook_id: str,
    ) -> list[Append]:
        now, wall = self._clock(), self._wall()
        steps = []
        for event, data in happened:
            made = hook_id or self._new_id()
            for endpoint in app.webhooks:
                whose = hooks_key(app_id, endpoint.name)
                if event not in endpoint.events or whose in self._off:
                    continue
                said = data
                if "body" in data and not endpoint.bodies:
                    said = {name: value for name, value in data.items() if name != "body"}
                dropped = self._dropped.get(whose, 0)
                occurrence = Occurrence(made, event, wall, now, said, dropped)
                steps.append(appending(app, hook_key(app_id, endpoint.name, kind, subject), occurrence))
        return steps


def appending(app: App, key: str, occurrence: Occurrence) -> Append:
    """The step that puts an event into the queue of an endpoint and subject."""
    body, limits = OCCURRENCE.encode(occurrence), app.limits
    return Append(
        key,
        body,
        size=len(body),
        bounds=Bounds(
            ttl=_KEPT,
            max_items=limits.webhook_events,
            max_size=limits.webhook_bytes,
            all_items=limits.webhook_events,
            all_size=limits.webhook_bytes,
        ),
        source=hooks_of(key),
    )
