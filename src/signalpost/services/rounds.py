"""Finding what nobody has told this node: it looks every few seconds at all that is attached to it (SPEC N4).

Notes and events can be dropped on their way, by a store or with it. What they tell is in force, so it is
enough to compare: the records of sessions with what this node knows of them, channels and inboxes with what
was shown.

It knows what is compared, and whom to tell. It refuses to know when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from signalpost.domain.refusals import Superseded
from signalpost.engine.ports import Entry, Record
from signalpost.engine.ports.kept import HeadOf, Kept
from signalpost.engine.ports.queues import Head
from signalpost.engine.ports.shared import Page, Past, Shared
from signalpost.services.keys import session_key
from signalpost.services.live import Live
from signalpost.services.outlet import Attendance, Stand
from signalpost.services.presence import Presence
from signalpost.services.stored import SESSION

__all__ = ["Rounds"]

_PIECE: Final = 256  # that are asked for at once

T = TypeVar("T")


class Rounds:
    """What is attached to this node, compared with what is in force."""

    __slots__ = ("_kept", "_outlet", "_presence", "_shared")

    def __init__(self, kept: Kept, shared: Shared, outlet: Attendance, presence: Presence) -> None:
        self._kept = kept
        self._shared = shared
        self._outlet = outlet
        self._presence = presence

    async def sessions(self) -> list[Live]:
        """Give up the sessions that went on elsewhere or are over; returns those that are here, while others
        take them for detached. Raises Unavailable."""
        astray: list[Live] = []
        for piece in _pieces(self._outlet.attached()):
            asks = [Record(session_key(live.key)) for live in piece]
            found: tuple[Entry | None, ...] = await self._shared.load(*asks)
            for live, entry in zip(piece, found, strict=True):
                if self._outlet.find(live.key, live.session.line) is live and self._compare(live, entry):
                    astray.append(live)
        return astray

    def _compare(self, live: Live, entry: Entry | None) -> bool:
        """See what has become of a session; whether it has to be stored that it is here."""
        line = live.session.line
        if entry is None:
            self._outlet.end(live.key, line)
            return False
        if entry.rev <= live.rev:
            return False
        session = SESSION.decode(entry.value)
        try:
            self._presence.learn(live, session, entry.rev)
        except Superseded:
            if session.line != line:
                self._outlet.kick(live.key, line)
            else:
                self._outlet.replace(live.key, line, before=session.connection)
            return False
        return not session.attached

    async def channels(self) -> None:
        """Find events that were not told. Raises Unavailable."""
        for piece in _pieces(self._outlet.followed()):
            asks = [Past(stand.topic, stand.number, 1, 1) for stand in piece]
            pages: tuple[Page | None, ...] = await self._shared.load(*asks)
            for stand, page in zip(piece, pages, strict=True):
                if page is not None and (page.epoch, page.head) != (stand.epoch, stand.number):
                    self._outlet.stands(Stand(stand.topic, page.epoch, page.head))

    async def inboxes(self) -> None:
        """Find items that were not announced. Raises Unavailable."""
        for piece in _pieces(self._outlet.attached()):
            heads: tuple[Head, ...] = await self._kept.load(*[HeadOf(live.key) for live in piece])
            for live, head in zip(piece, heads, strict=True):
                if head.count:
                    self._outlet.waits(live.key, head.last)


def _pieces(all_: Sequence[T]) -> Iterator[Sequence[T]]:
    return (all_[start : start + _PIECE] for start in range(0, len(all_), _PIECE))
