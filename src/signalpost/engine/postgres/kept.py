"""The kept half in PostgreSQL: what a node asks and commits, for the whole cluster.

It knows which connection each thing goes by. It refuses to know what its parts know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from signalpost.engine.patience import PATIENCE
from signalpost.engine.ports import Arm, Clock, Due, Pending, Receipt
from signalpost.engine.ports.kept import Claim, HeadOf, Note, Release
from signalpost.engine.postgres.address import Address
from signalpost.engine.postgres.asks import Questions
from signalpost.engine.postgres.batch import HELD, Batch, BeginQueue
from signalpost.engine.postgres.errands import Errands
from signalpost.engine.postgres.greeting import Greeting
from signalpost.engine.postgres.lane import Lane
from signalpost.engine.postgres.link import Link
from signalpost.engine.postgres.timers import Timers
from signalpost.engine.postgres.upkeep import Upkeep

__all__ = ["PostgresKept"]

_LOOK: Final = 0.1  # seconds between two looks at a claim that another node holds
_SWEEPING: Final = 60.0  # seconds that a statement of the upkeep may take

_TOLD: Final = frozenset([Arm, Note, Release])
"""What somebody in this process may wait for."""


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
        self._greeting = greeting = Greeting(clock=clock, power=power)
        self._writing = Link(self._address, greeting.writer, patience=patience)
        self._reading = Link(self._address, greeting.reader, patience=patience)
        self._timing = Link(self._address, greeting.reader, patience=patience)
        self._sweeping = Link(self._address, greeting.sweeper, patience=patience)
        self._commits = Lane(self._writing, Batch, clock=clock, patience=patience)
        self._loads = Lane(self._reading, Questions, clock=clock, patience=patience)
        self._timers = Timers(Errands(self._timing, patience=patience), clock=clock)
        self._upkeep = Upkeep(
            Errands(self._sweeping, patience=_SWEEPING), self.commit, clock=clock, idle_seconds=idle_seconds
        )
        self._loop = asyncio.get_running_loop()
        # By key: settled when the claim that somebody here waits for may be free.
        self._freed: dict[str, Pending] = {}

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self._greeting.epoch

    async def open(self) -> None:
        """Connect, and make what is not there. Raises StoreError."""
        for link in self._links:
            await link.open()
        # Whoever wrote elsewhere from now on must not read, or take timers, where it wrote before.
        self._writing.when_up.append(self._follow)

    async def close(self) -> None:
        """Let go of the connections."""
        self._commits.close()
        self._loads.close()
        for link in self._links:
            await link.close()

    def trouble(self) -> str:
        """Why nothing can be stored or read at present, or ""."""
        return self._writing.trouble or self._reading.trouble

    # --- asks and steps ---------------------------------------------------------------------------

    async def load(self, *asks: Any) -> Any:
        """See `Kept.load`."""
        if not asks:
            return ()
        if Receipt in map(type, asks):
            latest = self._commits.latest
            if latest is not None:
                await latest
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

    async def commit(self, *steps: Any) -> Any:
        """See `Kept.commit`."""
        if len(steps) == 1:
            kind = type(steps[0])
            if kind is Claim:
                return (await self._claim(steps[0]),)
            if kind not in _TOLD:  # once a message: the short way
                return await self._commits.ask(steps)
        if not steps:
            return ()
        results = await self._commits.ask(steps)
        self._tell(steps)
        return results

    def _tell(self, steps: Sequence[Any]) -> None:
        """Have those in this process know who wait for such a step."""
        for step in steps:
            kind = type(step)
            if kind is Arm:
                self._timers.armed(step.at)
            elif kind in _TOLD and (freed := self._freed.pop(step.key, None)) is not None:
                freed.settle()

    async def _claim(self, step: Claim) -> bytes | None:
        while True:
            [found] = await self._commits.ask((step,))
            if found is not HELD:
                noted: bytes | None = found
                return noted
            freed = self._freed.get(step.key)
            if freed is None:
                freed = self._freed[step.key] = Pending()
                self._loop.call_later(_LOOK, self._look, step.key, freed)
            await freed

    def _look(self, key: str, freed: Pending) -> None:
        if self._freed.get(key) is freed:
            del self._freed[key]
            freed.settle()

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
