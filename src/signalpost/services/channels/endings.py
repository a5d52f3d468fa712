"""When channels die, with their attributes: some time after nobody is in them any more (SPEC C8, E6).

A channel that has attributes has a record of who brought it into being, and a timer with them, so that
neither a restart nor a crash forgets it: when the timer is due, it is looked whether somebody is in the
channel. Of one without attributes nothing is left when it is empty.
"""

from __future__ import annotations

from typing import Any, Final

from signalpost.domain import channels as rules
from signalpost.domain.limits import Limits
from signalpost.engine.ports import (
    Arm,
    Cancel,
    Clock,
    Conflict,
    Delete,
    Entry,
    Expect,
    Full,
    Put,
    Record,
    Step,
)
from signalpost.engine.ports.kept import Attributes, DeleteAttributes, Exclude, Include, Kept, Names
from signalpost.engine.ports.shared import Begin, DeleteAttribute, Drop, Shared, Since, Snapshot, Topic
from signalpost.services.channels.changes import Changes
from signalpost.services.decide import decide
from signalpost.services.keys import (
    channel_key,
    counting_key,
    deserted_key,
    emptied_key,
    split,
    subject_of,
)
from signalpost.services.stored import TEXT
from signalpost.wire.codes import ATTR_MEMBERS

__all__ = ["Endings", "begin"]

_SOON: Final = 60.0  # seconds; of timers that cost less when they are looked at each time their lease is over


async def begin(kept: Kept, topic: str) -> Begin:
    """What makes a channel where it is not known, with what is kept of it; nobody is in it."""
    (stand,) = await kept.load(Attributes(topic))
    counted = stand.attributes.get(ATTR_MEMBERS)
    if counted is None:
        return Begin(stand.attributes)
    return Begin({**stand.attributes, ATTR_MEMBERS: counted._replace(value="0")})


class Endings:
    """The ends of channels that nobody is in."""

    __slots__ = ("_changes", "_clock", "_kept", "_shared")

    def __init__(self, changes: Changes, kept: Kept, shared: Shared, clock: Clock) -> None:
        self._changes = changes
        self._kept = kept
        self._shared = shared
        self._clock = clock

    async def emptied(self, topic: str, last: Snapshot) -> None:
        """Nobody is in the channel any more; `last`: how it was then. Whoever left does not wait for more."""
        if last.attributes:
            await self._shared.commit(Arm(emptied_key(topic), self._clock()))

    def bearing(
        self, topic: str, account: str, attributes: dict[str, str], *, empty: bool
    ) -> list[Step[Any]]:
        """The steps that bring a channel into being, with its first attribute. `empty`: nobody is in it.

        Their commit raises Conflict if it is there, and Full if the account has too many of those that
        nobody is in.
        """
        limits = self._changes.limits(split(topic)[0])
        at = self._clock() + rules.channel_seconds(attributes, limits)
        steps: list[Step[Any]] = [
            Put(channel_key(topic), TEXT.encode(account), expect=0),
            Arm(channel_key(topic), at),
        ]
        if empty:
            deserted = deserted_key(split(topic)[0], account)
            steps.append(Include(deserted, topic, most=_most(limits, account)))
        return steps

    def end_of(self, attributes: dict[str, str], limits: Limits, shown: Snapshot | None) -> float:
        """When a channel with these attributes dies, if nobody comes."""
        empty_since = self._clock() if shown is None or shown.count else shown.emptied
        return empty_since + rules.channel_seconds(attributes, limits)

    async def weed(self, app_id: str, account: str) -> bool:
        """Look who is in the channels that count as deserted; whether one of them does no more."""
        key = deserted_key(app_id, account)
        (names,) = await self._kept.load(Names(key))
        topics = list(names)
        found = await self._shared.load(*[Topic(topic) for topic in topics])
        alive = [topic for topic, shot in zip(topics, found, strict=True) if shot is not None and shot.count]
        if alive:
            await self._kept.commit(*[Exclude(key, topic) for topic in alive])
        return bool(alive)

    async def emptied_due(self, key: str) -> None:
        """A channel has just been left by its last member."""
        await self._look(subject_of(key))

    async def due(self, key: str) -> bool:
        """It is time to look after a channel that has attributes; whether it is to be looked after again."""
        return await self._look(subject_of(key))

    async def _look(self, topic: str) -> bool:
        return await decide(lambda: self._look_after(topic))

    async def _look_after(self, topic: str) -> bool:
        snapshot, since = await self._shared.load(Topic(topic), Since())
        entry, stand = await self._kept.load(Record(channel_key(topic)), Attributes(topic))
        if entry is None and not stand.attributes:
            if snapshot is not None and not snapshot.count:
                await self._drop(topic, snapshot)
            return False
        values = {name: attribute.value for name, attribute in stand.attributes.items()}
        limits = self._changes.limits(split(topic)[0])
        seconds, now = rules.channel_seconds(values, limits), self._clock()
        if snapshot is not None and snapshot.count:
            if seconds > _SOON:  # else it comes again by itself, without being stored each time
                await self._kept.commit(*_expecting(topic, entry), Arm(channel_key(topic), now + seconds))
            return True
        empty_since = since if snapshot is None else snapshot.emptied
        if empty_since + seconds <= now:
            await self._end(topic, entry, snapshot)
            return False
        steps: list[Step[Any]] = [*_expecting(topic, entry), Arm(channel_key(topic), empty_since + seconds)]
        account = _founder(entry)
        if account is not None:
            deserted = deserted_key(split(topic)[0], account)
            most = _most(limits, account)
            if snapshot is None:
                most = 0  # a restart ends nothing
            steps.append(Include(deserted, topic, most=most))
        try:
            await self._kept.commit(*steps)
        except Full:
            if account is not None and await self.weed(split(topic)[0], account):
                raise Conflict from None
            await self._end(topic, entry, snapshot)
            return False
        return True

    async def close(self, topic: str) -> None:
        """End a channel now, with its attributes; who came in meanwhile is in an empty one."""
        await decide(lambda: self._close(topic))

    async def _close(self, topic: str) -> None:
        (snapshot,) = await self._shared.load(Topic(topic))
        (entry,) = await self._kept.load(Record(channel_key(topic)))
        await self._end(topic, entry, snapshot)

    async def _end(self, topic: str, entry: Entry | None, snapshot: Snapshot | None) -> None:
        """What is kept goes first: if that is all that happens, the timer comes again, and finds the rest."""
        steps: list[Step[Any]] = [DeleteAttributes(topic)]
        if entry is not None:
            steps.append(Delete(channel_key(topic), expect=entry.rev))
        account = _founder(entry)
        if account is not None:
            steps.append(Exclude(deserted_key(split(topic)[0], account), topic))
        await self._kept.commit(*steps)
        if snapshot is not None:
            await self._drop(topic, snapshot)

    async def _drop(self, topic: str, snapshot: Snapshot) -> None:
        (dropped,) = await self._shared.commit(Drop(topic))
        if dropped:
            await self._shared.commit(Delete(counting_key(topic)), Cancel(counting_key(topic)))
            return
        # Somebody came in with the attributes as they were: they are no more.
        (stand,) = await self._kept.load(Attributes(topic))
        gone = [name for name in snapshot.attributes if name not in stand.attributes]
        limits = self._changes.limits(split(topic)[0])
        for name in gone:
            event = self._changes.attribute_event("", name, "", "del")
            edit = DeleteAttribute(name, stand.rev)
            await self._shared.commit(self._changes.editing(topic, limits, (edit,), event))


def _founder(entry: Entry | None) -> str | None:
    """Who brought the channel into being: an account, "" for the app itself; None: nobody knows."""
    return None if entry is None else TEXT.decode(entry.value)


def _most(limits: Limits, account: str) -> int:
    """How many channels somebody may have brought into being in which nobody is (E6)."""
    return limits.deserted_channels if account else limits.api_deserted_channels


def _expecting(topic: str, entry: Entry | None) -> list[Step[Any]]:
    return [Expect(channel_key(topic), 0 if entry is None else entry.rev)]
