"""The numbers of its members that a channel keeps among its attributes (SPEC C11).

What is to be published is decided by what stands in the channel and what was published last, which is a
record: whoever writes that publishes. So it does not matter how many nodes count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signalpost.domain import channels as rules
from signalpost.domain.channels import Counted
from signalpost.engine.ports import Arm, Cancel, Clock, Conflict, Expect, Put, Record, Step
from signalpost.engine.ports.kept import DeleteAttribute as ForgetAttribute
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.kept import SetAttribute as KeepAttribute
from signalpost.engine.ports.shared import DeleteAttribute, Edit, SetAttribute, Shared, Topic
from signalpost.services.channels.changes import Changes
from signalpost.services.decide import decide
from signalpost.services.keys import channel_key, counting_key, split, subject_of
from signalpost.services.stored import COUNTED

__all__ = ["Census"]


class Census:
    """What is counted in all channels, and when it is told."""

    __slots__ = ("_changes", "_clock", "_kept", "_shared")

    def __init__(self, changes: Changes, kept: Kept, shared: Shared, clock: Clock) -> None:
        self._changes = changes
        self._kept = kept
        self._shared = shared
        self._clock = clock

    async def came_or_went(self, topic: str, attributes: Mapping[str, str]) -> None:
        """Somebody came or went: it is told in its time.

        Not here and now: whoever comes or goes does not wait for the attribute's commit.
        """
        if rules.counting(attributes).interval:
            await self._shared.commit(Arm(counting_key(topic), self._clock()))

    async def due(self, key: str) -> bool:
        """Somebody came or went, or the time for another `_member_num` has come; whether one is to come."""
        return await self.publish(subject_of(key))

    async def publish(self, topic: str) -> bool:
        """Publish the numbers that the channel keeps, when they are due; withdraw what it keeps no more.

        Returns whether it has to be looked again.
        """
        return await decide(lambda: self._publish(topic))

    async def _publish(self, topic: str) -> bool:
        key = counting_key(topic)
        snapshot, entry = await self._shared.load(Topic(topic), Record(key))
        if snapshot is None:
            return False
        attributes = snapshot.attributes
        last = None if entry is None else COUNTED.decode(entry.value)
        if last is None or last.epoch != snapshot.epoch:
            last = Counted(0.0, 0, 0, rules.joins_before(attributes), snapshot.epoch)
        joins = last.before + snapshot.added
        count = rules.count(attributes, last, members=snapshot.count, joins=joins, now=self._clock())
        armed: Step[Any] = Cancel(key) if count.again is None else Arm(key, count.again)
        if not count.publish and not count.withdraw:
            await self._shared.commit(armed)
            return count.again is not None
        rev = 0 if entry is None else entry.rev
        if count.last == last:  # only what is news is put, or two that withdraw would drive each other on
            await self._shared.commit(armed)
        else:
            rev, _ = await self._shared.commit(Put(key, COUNTED.encode(count.last), expect=rev), armed)
        await self._tell(topic, count.publish, count.withdraw)
        (entry,) = await self._shared.load(Record(key))
        if entry is None or entry.rev == rev:
            return count.again is not None
        # Somebody else has published meanwhile, and what stands there may be ours. His may still be stored.
        await self._shared.commit(Arm(key, self._clock() + max(rules.counting(attributes).interval, 1)))
        return True

    async def _tell(self, topic: str, publish: dict[str, str], withdraw: list[str]) -> None:
        if not publish and not withdraw:
            return
        (entry,) = await self._kept.load(Record(channel_key(topic)))
        if entry is None:
            return  # it has died: what nobody has set must not bring it back
        steps: list[Step[Any]] = [KeepAttribute(topic, name, value) for name, value in publish.items()]
        steps += [ForgetAttribute(topic, name) for name in withdraw]
        try:
            _, *revs = await self._kept.commit(Expect(channel_key(topic), entry.rev), *steps)
        except Conflict:
            return
        told = [(name, value, "update") for name, value in publish.items()]
        told += [(name, "", "del") for name in withdraw]
        limits = self._changes.limits(split(topic)[0])
        changes = []
        for (name, value, change), rev in zip(told, revs, strict=True):
            event = self._changes.attribute_event("", name, value, change)
            edit: Edit = DeleteAttribute(name, rev) if change == "del" else SetAttribute(name, value, rev)
            changes.append(self._changes.editing(topic, limits, (edit,), event))
        await self._shared.commit(*changes)
