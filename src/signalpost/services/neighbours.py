"""This node among others: it beats, sees who is silent, and takes care of what those have left (SPEC N3-N5).

A node that is silent for long is taken for dead: its sessions are detached, once, by whoever is first. It may
live all the same. So each counts its own silence, and stops acting before the others stop waiting (`Fence`);
when it is heard of again it first learns what has become of its sessions.

It knows times and nodes. It refuses to know what a session is.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol

from signalpost.engine.ports import Clock, Unavailable
from signalpost.engine.ports.shared import Nodes
from signalpost.services.driver import start, together
from signalpost.services.keys import subject_of
from signalpost.services.live import Live
from signalpost.services.rounds import Rounds
from signalpost.services.sessions import Sessions

__all__ = ["DEAD", "Guard", "Neighbours"]

DEAD: Final = 9.0
"""Seconds of silence after which a node is taken for dead: it acts no longer since one (`Fence`)."""

_CALM: Final = 10.0  # seconds for which all must have gone well before anybody is taken for dead
_LATE: Final = 3.0  # seconds between two beats that are no sign of trouble
_LOOK: Final = 3.0  # seconds between two looks at what nobody may have told
_PIECE: Final = 256  # sessions that are detached at once


class Guard(Protocol):
    """What this node may not do without, as it may have been taken for dead: see `Fence`."""

    @property
    def ignorant(self) -> bool: ...

    def beaten(self, sent: float) -> None: ...

    def learnt(self) -> None: ...


class Neighbours:
    """The nodes that share the engine, as this one sees them.

    Many fields: what is under way, and since when.
    """

    __slots__ = (
        "_beating",
        "_burying",
        "_calm_since",
        "_clock",
        "_guard",
        "_looked",
        "_looking",
        "_nodes",
        "_report",
        "_rounds",
        "_sent",
        "_sessions",
        "alive",
    )

    def __init__(
        self,
        *,
        nodes: Nodes,
        guard: Guard,
        sessions: Sessions,
        rounds: Rounds,
        clock: Clock,
        report: Callable[[Exception], None],
    ) -> None:
        """`report`: told what went wrong."""
        self._nodes = nodes
        self._guard = guard
        self._sessions = sessions
        self._rounds = rounds
        self._clock = clock
        self._report = report
        self.alive = 1  # nodes that are not taken for dead, this one included; as of the latest beat
        self._sent = clock()  # when the latest beat that was confirmed was sent
        self._calm_since: float | None = (
            None  # since when all beats were confirmed in time; None: the last not
        )
        self._beating = False  # a beat is under way
        self._looking = False  # a round is under way
        self._looked = clock()  # when the latest round began
        self._burying: set[str] = set()  # the dead whose sessions are being detached

    def tick(self) -> None:
        """Beat, and do what is due; to be called about once a second."""
        if not self._beating:
            self._beating = True
            start(self._beat(), self._beaten)
        if not self._looking and self._clock() - self._looked >= _LOOK:
            self._look()

    @property
    def busy(self) -> bool:
        """Whether something of that is under way."""
        return self._beating or self._looking or bool(self._burying)

    async def begin(self) -> None:
        """Be known to the others; there is nothing yet that this node has missed. Raises Unavailable."""
        await self._beat()
        self._guard.learnt()

    async def leave(self) -> bool:
        """Be known no longer, if no session is left here; whether that is so. Raises Unavailable."""
        if await self._nodes.records_of(self._nodes.me):
            return False  # the others will find out
        await self._nodes.forget(self._nodes.me)
        return True

    async def _beat(self) -> None:
        sent = self._clock()
        try:
            await self._nodes.beat()
            silent = await self._nodes.silent(0.0)
        except Unavailable:
            self._calm_since = None
            raise
        self._guard.beaten(sent)
        if self._calm_since is None or sent - self._sent > _LATE:
            self._calm_since = sent
        self._sent = sent
        dead = {node: silence for node, silence in silent.items() if silence >= DEAD}
        self.alive = 1 + len(silent) - len(dead)
        if self._guard.ignorant:
            await self._learn()
        if self._clock() - self._calm_since >= _CALM:
            for node in dead.keys() - self._burying:
                self._burying.add(node)
                self._begin(self._bury(node, dead[node]), partial(self._burying.discard, node))

    def _beaten(self, result: None, error: Exception | None) -> None:
        self._beating = False
        if error is not None:
            self._report(error)

    async def _learn(self) -> None:
        """Find out what others have done while this node was not heard of; it acts again then."""
        astray = await self._rounds.sessions()
        self._guard.learnt()
        self._stay(astray)
        self._looked = self._clock() - _LOOK  # what was missed besides is looked for at once

    async def _bury(self, node: str, silence: float) -> None:
        """Detach the sessions of a node that is dead; when none is left, it is forgotten."""
        keys = await self._nodes.records_of(node)
        if not keys:
            await self._nodes.forget(node)
        for begin in range(0, len(keys), _PIECE):
            some = keys[begin : begin + _PIECE]
            await together([self._sessions.lose(subject_of(key), node, silence) for key in some])

    # --- rounds -----------------------------------------------------------------------------------

    def _look(self) -> None:
        self._looking = True
        self._looked = self._clock()
        self._begin(self._look_round(), self._looked_round)

    async def _look_round(self) -> None:
        """Each part for itself: another store may be away."""
        for part in (self._look_at_sessions, self._rounds.channels, self._rounds.inboxes):
            if self._guard.ignorant:
                return  # what it may have missed is looked for when it is heard of again
            try:
                await part()
            except Unavailable as error:
                self._report(error)

    def _looked_round(self) -> None:
        self._looking = False

    async def _look_at_sessions(self) -> None:
        self._stay(await self._rounds.sessions())

    def _stay(self, astray: list[Live]) -> None:
        for live in astray:
            self._begin(self._sessions.stay(live))

    def _begin(self, work: Coroutine[Any, Any, None], then: Callable[[], None] | None = None) -> None:
        def done(result: None, error: Exception | None) -> None:
            if then is not None:
                then()
            if error is not None:
                self._report(error)

        start(work, done)
