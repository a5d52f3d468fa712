"""The numbers of its members that a channel keeps among its attributes (SPEC C11)."""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain import channels as rules
from signalpost.domain.apps import App
from signalpost.domain.channels import ChannelEvent, Counted
from signalpost.engine.ports import (
    Clock,
    DeleteAttribute,
    Edit,
    Pending,
    Records,
    SetAttribute,
    Timers,
    Topics,
)
from signalpost.services.channels.changes import Changes
from signalpost.services.keys import counting_key, split, subject_of
from signalpost.services.stored import COUNTED
from signalpost.wire.codes import ATTR_MEMBERS

__all__ = ["Census"]


class Census:
    """What is counted in all channels, and when it is told."""

    __slots__ = ("_changes", "_clock", "_find_app", "_publishing", "_records", "_timers", "_topics")

    def __init__(
        self,
        changes: Changes,
        topics: Topics,
        records: Records,
        timers: Timers,
        clock: Clock,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._changes = changes
        self._topics = topics
        self._records = records
        self._timers = timers
        self._clock = clock
        self._find_app = find_app
        # By topic: its numbers are being told; settled when they are.
        self._publishing: dict[str, Pending] = {}

    async def came_or_went(self, topic: str) -> None:
        """Somebody came or went: it is told in its time.

        Not here and now: whoever comes or goes does not wait for the attribute's commit.
        """
        if rules.counting(await self._topics.attributes(topic)).interval:
            await self.count_soon(topic)

    async def count_soon(self, topic: str) -> None:
        """Count without anybody's waiting for it."""
        await self._timers.arm(counting_key(topic), self._clock())

    async def forget(self, topic: str) -> None:
        """The channel is about to end."""
        await self._timers.cancel(counting_key(topic))
        await self._records.delete(counting_key(topic))

    async def due(self, key: str) -> None:
        """Somebody came or went, or the time for another `_member_num` has come (C11)."""
        topic = subject_of(key)
        await self.publish(self._find_app(split(topic)[0]) or App(), topic)

    async def publish(self, app: App, topic: str) -> None:
        """Publish the numbers that the channel keeps, when they are due; withdraw what it keeps no more.

        One at a time does so for a channel, or a number that waits for its commit would be told behind a
        newer one.
        """
        while (earlier := self._publishing.get(topic)) is not None:
            await earlier
        done = self._publishing[topic] = Pending()
        try:
            await self._publish(app, topic)
        finally:
            del self._publishing[topic]
            done.settle()

    async def _publish(self, app: App, topic: str) -> None:
        head = await self._topics.head(topic)
        if head is None:
            return
        key = counting_key(topic)
        entry = await self._records.get(key)
        last = None if entry is None else COUNTED.decode(entry.value)
        attributes = await self._topics.attributes(topic)
        before = rules.joins_before(attributes) if last is None else last.before
        joins = before + head.added
        now = self._clock()
        count = rules.count(attributes, last, members=head.members, joins=joins, now=now)
        if count.again is None:
            await self._timers.cancel(key)
        else:
            await self._timers.arm(key, count.again)
        if ATTR_MEMBERS in count.publish:  # before it is told: that may wait, and somebody may come meanwhile
            counted = Counted(now, head.members, joins, before)
            await self._records.put(key, COUNTED.encode(counted), expect=None, ttl=None)
        for name, value in count.publish.items():
            event = self._changes.attribute_event("", name, value, "update")
            await self._change_if_there(app, topic, head.epoch, SetAttribute(name, value), event)
        for name in count.withdraw:
            event = self._changes.attribute_event("", name, "", "del")
            await self._change_if_there(app, topic, head.epoch, DeleteAttribute(name), event)

    async def _change_if_there(
        self, app: App, topic: str, epoch: str, edit: Edit, event: ChannelEvent
    ) -> None:
        """Make a change of the server's own, which must not bring a channel that has died back to life, nor
        concern one that has its name now."""
        head = await self._topics.head(topic)
        if head is not None and head.epoch == epoch:
            await self._changes.make(app, topic, [edit], event)
