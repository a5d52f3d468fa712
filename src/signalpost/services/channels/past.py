"""What has happened in a channel: up to where a session was told of it, and what it missed (SPEC C9, L17)."""

from __future__ import annotations

from typing import Final, NamedTuple

from signalpost.domain.sessions import Session
from signalpost.engine.ports import Clock
from signalpost.engine.ports.shared import Behind, Event, Page, Shared
from signalpost.engine.ports.shared import Past as PastOf
from signalpost.services.keys import split, topic_key
from signalpost.services.outlet import Happened, Outlet, Reach
from signalpost.services.stored import EVENT

__all__ = ["Missed", "Past"]

_PAGE_EVENTS: Final = 1000  # events that are read at once
_PAGE_BYTES: Final = 1024 * 1024  # bytes of events that are read at once


class Missed(NamedTuple):
    """What a member has missed of a channel behind a number: a page of the events that are kept, and how many
    before these are kept no longer (C9). More may follow, if there are any."""

    channel: str
    epoch: str
    after: int
    events: tuple[Event, ...]  #: as they are stored, and shared with the engine: `happened` reads one
    lost: int

    @property
    def upto(self) -> int:
        """The number of the last event."""
        return self.events[-1].offset if self.events else self.after + self.lost

    def happened(self, app_id: str, event: Event) -> Happened:
        """What one of the events says."""
        return _happened(topic_key(app_id, self.channel), self.channel, self.epoch, event)


class Past:
    """The events that the engine keeps of channels."""

    __slots__ = ("_clock", "_outlet", "_shared")

    def __init__(self, shared: Shared, outlet: Outlet, clock: Clock) -> None:
        self._shared = shared
        self._outlet = outlet
        self._clock = clock
        shared.listen(self._hear)

    def _hear(self, topic: str, epoch: str, event: Event) -> None:
        self._outlet.publish(_happened(topic, split(topic)[1], epoch, event))

    async def follow(self, app_id: str, channel: str) -> None:
        """Have all that happens in a channel published on this node from now on. Raises Unavailable."""
        await self._shared.follow(topic_key(app_id, channel))

    async def unfollow(self, app_id: str, channel: str) -> None:
        """Have it published no longer."""
        await self._shared.unfollow(topic_key(app_id, channel))

    async def told(self, session: Session, reach: Reach) -> dict[str, int]:
        """Up to where the session was told of its channels: what comes later, it has missed.

        What may not have arrived counts as missed. A client that keeps ids drops what did (PROTOCOL §6).
        """
        if not session.places:
            return {}
        at = self._clock() - reach.silence if reach.silence else None
        asks = [
            Behind(topic_key(session.app, place.channel), reach.behind.get(place.channel), reach.unread, at)
            for place in session.places
        ]
        stand = await self._shared.load(*asks)
        return {place.channel: upto for place, upto in zip(session.places, stand, strict=True)}

    async def catch_up(
        self, session: Session, cursors: dict[str, tuple[str, int]], before: Session
    ) -> list[Missed]:
        """What a resumed session has missed of each of its channels (C9, PROTOCOL §12).

        `cursors`: the last event that the client saw, by channel, with its epoch; an unknown epoch
        counts from the join. `before`: the session as it was, which knows up to where it was told of the
        channels.
        """
        places = before.places
        if not places:
            return []
        starts = {}
        for place in places:
            _, number = cursors.get(place.channel, ("", place.seen))
            starts[place.channel] = max(number, place.since)
        found = await self._read(session.app, starts, session.account)
        joins = {
            place.channel: place.since
            for place in places
            if place.channel in cursors and cursors[place.channel][0] != found[place.channel].epoch
        }
        if joins:
            found |= await self._read(session.app, joins, session.account)
        return list(found.values())

    async def missed(self, app_id: str, channel: str, after: int) -> Missed:
        """The first that has happened in a channel behind a number. Raises Unavailable."""
        return (await self._read(app_id, {channel: after}))[channel]

    async def _read(self, app_id: str, starts: dict[str, int], member: str = "") -> dict[str, Missed]:
        asks = [
            PastOf(topic_key(app_id, channel), after, _PAGE_EVENTS, _PAGE_BYTES, member)
            for channel, after in starts.items()
        ]
        pages: tuple[Page | None, ...] = await self._shared.load(*asks)
        return {
            channel: Missed(channel, "", after, (), 0)
            if page is None
            else Missed(channel, page.epoch, min(page.after, page.head), page.events, page.lost)
            for (channel, after), page in zip(starts.items(), pages, strict=True)
        }


def _happened(topic: str, channel: str, epoch: str, event: Event) -> Happened:
    return Happened(topic, channel, epoch, event.offset, event.time, EVENT.decode(event.body))
