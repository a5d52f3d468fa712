"""The kept half in PostgreSQL: what a node asks and commits, for the whole cluster.

It knows which connection each thing goes by. It refuses to know what its parts know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from signalpost.engine.patience import PATIENCE
from signalpost.engine.ports import Arm, Clock, Due, Receipt
from signalpost.engine.ports.kept import Append, HeadOf, Note, Noted
from signalpost.engine.postgres.address import Address
from signalpost.engine.postgres.asks import Questions
from signalpost.engine.postgres.batch import Batch, BeginQueue
from signalpost.engine.postgres.errands import Errands
from signalpost.engine.postgres.greeting import Greeting, passed
from signalpost.engine.postgres.lane import Lane
from signalpost.engine.postgres.link import Link
from signalpost.engine.postgres.timers import Timers
from signalpost.engine.postgres.upkeep import Upkeep

__all__ = ["PostgresKept"]

_SWEEPING: Final = 60.0  # seconds that a statement of the upkeep may take

# What those asks mean that wait for a commit under way, as `Batch.once` says it.
_ONCE: Final[dict[type, Callable[[Any], tuple[type, str, str]]]] = {
    Receipt: lambda ask: (Append, ask.key, ask.dedupe),
    Noted: lambda ask: (Note, ask.key, ask.name),
}


class PostgresKept:
    """The port `Kept`. Between `open` and `close`; `run` has a loop wake whoever listens."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        power: bool = True,
        idle_seconds: float = 3600.0,
        patience: float = PATIENCE,
    ) -> None:
        """`clock`: whose time counts, None for the server's.

        `power`: what is confirmed must outlive a loss of power. `idle_seconds`: after so long it forgets
        where an empty queue stood. Raises StoreError.
        """
        self._address = Address.parse(url)
        self._clock: Clock = clock or self.now
        self._greeting = greeting = Greeting(clock=clock, power=power)
        self._writing = Link(self._address, greeting.writer, patience=patience)
        self._reading = Link(self._address, greeting.reader, patience=patience)
        self._timing = Link(self._address, greeting.reader, patience=patience)
        self._sweeping = Link(self._address, greeting.sweeper, patience=patience)
        self._commits = Lane(self._writing, Batch, clock=clock, patience=patience)
        self._loads = Lane(self._reading, Questions, clock=clock, patience=patience)
        self._errands = Errands(self._timing, patience=patience)
        self._timers = Timers(self._errands, clock=clock)
        self._upkeep = Upkeep(
            Errands(self._sweeping, patience=_SWEEPING), self.commit, clock=clock, idle_seconds=idle_seconds
        )

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._greeting.epoch

    def now(self) -> float:
        """The store's time, by which all nodes arm their timers; it never steps."""
        return self._greeting.ahead + passed()

    async def open(self) -> None:
        """Connect, and make what is not there. Raises StoreError."""
        try:
            for link in self._links:
                await link.open()
        except BaseException:
            await self.close()
            raise
        # Whoever wrote elsewhere from now on must not read, or take timers, where it wrote before.
        self._writing.when_up.append(self._follow)

    @property
    def pulse(self) -> float:
        """When some node has last called `beat` before this one came: 0.0 never. An older one than that was
        seen means that the database was restored."""
        return self._greeting.pulse

    async def beat(self) -> float:
        """Say that the database is used; returns when that was. Raises Unavailable."""
        [[pulse]] = await self._errands.ask(
            "UPDATE meta SET pulse = greatest(pulse, instant(NULL)) RETURNING pulse"
        )
        beaten: float = pulse
        return beaten

    @property
    def trips(self) -> int:
        """Round trips made so far."""
        return self._commits.trips + self._loads.trips + self._errands.trips

    async def close(self) -> None:
        """Let go of the connections."""
        self._commits.close()
        self._loads.close()
        await asyncio.gather(*[link.close() for link in self._links])

    def trouble(self) -> str:
        """Why nothing can be stored or read at present, or ""."""
        for link in (self._writing, self._reading):
            if link.connection is None:
                return link.trouble
        return ""

    # --- asks and steps ---------------------------------------------------------------------------

    async def load(self, *asks: Any) -> Any:
        """See `Kept.load`."""
        if not asks:
            return ()
        for ask in asks:
            once = _ONCE.get(type(ask))
            if once is not None:
                await self._settled(once(ask))
        while True:
            answers = await self._loads.ask(asks)
            unknown = [
                ask.key
                for ask, answer in zip(asks, answers, strict=True)
                if answer is None and type(ask) is HeadOf
            ]
            if not unknown:
                return answers
            # Whoever is told where a queue begins is told the truth: it is there from then on.
            await self._commits.ask([BeginQueue(key) for key in dict.fromkeys(unknown)])

    async def _settled(self, once: tuple[type, str, str]) -> None:
        """Wait for a commit of this node that is under way and does this; raises what it raises for want of
        the store."""
        for batch in self._commits.under_way():
            if once in batch.once:
                await batch.done

    async def commit(self, *steps: Any) -> Any:
        """See `Kept.commit`."""
        if not steps:
            return ()
        results = await self._commits.ask(steps)
        if len(steps) > 1 or type(steps[0]) is Arm:
            for step in steps:
                if type(step) is Arm:
                    self._timers.expect(step.at - self._clock())
        return results

    # --- timers and upkeep --------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """See `Kept.listen`."""
        self._timers.listen(wake)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Kept.due`."""
        return await self._timers.due(limit=limit, lease=lease)

    async def done(self, *due: Due) -> None:
        """See `Kept.done`."""
        await self._timers.done(*due)

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop` wake whoever listens when something is due, until `stop`."""
        self._timers.run(loop)

    def stop(self) -> None:
        """Wake nobody any more; what is armed stays."""
        self._timers.stop()

    async def sweep(self) -> int:
        """Let go of some of what is over its time; 0 if nothing is left."""
        return await self._upkeep.sweep()

    @property
    def _links(self) -> tuple[Link, ...]:
        return self._writing, self._reading, self._timing, self._sweeping

    def _follow(self) -> None:
        for link in self._links[1:]:
            link.drop("the store was lost")
