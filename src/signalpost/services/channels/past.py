"""What has happened in a channel: up to where a session was told of it, and what it missed (SPEC C9, L17)."""

from __future__ import annotations

from typing import NamedTuple

from signalpost.domain.sessions import Session
from signalpost.engine.ports import Clock, Event, Topics
from signalpost.services.keys import split, topic_key
from signalpost.services.outlet import Happened, Outlet, Reach
from signalpost.services.stored import EVENT

__all__ = ["Missed", "Past"]


class Missed(NamedTuple):
    """What a member has missed of a channel `after` a number and `upto` another: the kept events, and how
    many more are no longer kept (C9)."""

    channel: str
    epoch: str
    after: int
    upto: int
    events: list[Event]  #: as they are stored, and shared with the engine: `happened` reads one
    lost: int

    def happened(self, app_id: str, event: Event) -> Happened:
        """What one of the events says."""
        topic = topic_key(app_id, self.channel)
        return Happened(topic, self.channel, self.epoch, event.seq, EVENT.decode(event.body))


class Past:
    """The events that the engine keeps of channels."""

    __slots__ = ("_clock", "_outlet", "_topics")

    def __init__(self, topics: Topics, outlet: Outlet, clock: Clock) -> None:
        self._topics = topics
        self._outlet = outlet
        self._clock = clock
        topics.listen(self._hear)

    def _hear(self, topic: str, seq: int, epoch: str, body: bytes) -> None:
        self._outlet.publish(Happened(topic, split(topic)[1], epoch, seq, EVENT.decode(body)))

    async def told(self, session: Session, reach: Reach) -> dict[str, int]:
        """Up to where the session was told of its channels: what comes later, it has missed.

        What may not have arrived counts as missed. A client that keeps ids drops what did (PROTOCOL §6).
        """
        stand = {}
        for place in session.places:
            topic = topic_key(session.app, place.channel)
            seq = reach.behind.get(place.channel)
            if seq is None:
                head = await self._topics.head(topic)
                seq = 0 if head is None else head.seq
            if reach.silence:
                seq = min(seq, self._topics.sequence_at(self._clock() - reach.silence))
            stand[place.channel] = await self._topics.short_of(topic, upto=seq, size=reach.unread)
        return stand

    async def catch_up(
        self, session: Session, cursors: dict[str, tuple[str, int]], before: Session
    ) -> list[Missed]:
        """What a resumed session has missed of each of its channels (C9, PROTOCOL §12).

        `cursors`: the last event that the client saw, by channel, with its epoch; an unknown epoch
        counts from the join. `before`: the session as it was, which knows up to where it was told of the
        channels.
        """
        missed = []
        for place in before.places:
            head = await self._topics.head(topic_key(session.app, place.channel))
            epoch = "" if head is None else head.epoch
            cursor = cursors.get(place.channel)
            if cursor is None:
                after = max(place.seen, place.since)
            else:
                after = max(cursor[1], place.since) if cursor[0] == epoch else place.since
            missed.append(await self.missed(session.app, place.channel, after))
        return missed

    async def missed(self, app_id: str, channel: str, after: int) -> Missed:
        """What has happened in a channel after a number."""
        topic = topic_key(app_id, channel)
        head = await self._topics.head(topic)
        if head is None:
            return Missed(channel, "", after, after, [], 0)
        events, lost = await self._topics.read(topic, after=after)
        return Missed(channel, head.epoch, after, max(head.seq, after), events, lost)

    async def nothing_missed(self, app_id: str, channel: str) -> Missed:
        """That nothing was missed of a channel until now."""
        head = await self._topics.head(topic_key(app_id, channel))
        return (
            Missed(channel, "", 0, 0, [], 0)
            if head is None
            else Missed(channel, head.epoch, head.seq, head.seq, [], 0)
        )
