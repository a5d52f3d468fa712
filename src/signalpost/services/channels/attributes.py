"""A channel's attributes: setting, deleting, clearing (SPEC C10, C11)."""

from __future__ import annotations

from collections.abc import Sequence

from signalpost.domain import channels as rules
from signalpost.domain.channels import ChannelEvent
from signalpost.domain.refusals import TooMany
from signalpost.engine.ports import DeleteAttribute, Edit, Rate, RateExceeded, SetAttribute, Topics
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.keys import topic_key
from signalpost.services.live import Live
from signalpost.wire.codes import ATTR_AUTO_UPDATE, ATTR_AUTO_UPDATE_TOTAL, ATTR_CHANNEL_TTL, Code

__all__ = ["ChannelAttributes"]


class ChannelAttributes:
    """The attributes of all channels, as users change them."""

    __slots__ = ("_census", "_changes", "_endings", "_topics")

    def __init__(self, changes: Changes, topics: Topics, census: Census, endings: Endings) -> None:
        self._changes = changes
        self._topics = topics
        self._census = census
        self._endings = endings

    async def set(self, live: Live, channel: str, name: str, value: str) -> None:
        """Set an attribute; the members are told (C10, C11). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        value = rules.check_attribute(name, value, live.app.limits)
        topic = topic_key(live.app_id, channel)
        rules.check_room_for(await self._topics.attributes(topic), name)
        if await self._topics.head(topic) is None:
            await self._endings.let_die(live.app, topic)
        event = self._changes.attribute_event(live.account, name, value, "update")
        await self._edit(live, topic, name, [SetAttribute(name, value)], event)
        await self._after_edit(live, topic, name)

    async def delete(self, live: Live, channel: str, name: str) -> None:
        """Delete an attribute; a built-in gets its default back (C10). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        rules.check_deletable(name)
        topic = topic_key(live.app_id, channel)
        if name not in await self._topics.attributes(topic):
            return
        event = self._changes.attribute_event(live.account, name, "", "del")
        await self._edit(live, topic, name, [DeleteAttribute(name)], event)
        await self._after_edit(live, topic, name)

    async def clear(self, live: Live, channel: str) -> None:
        """Delete all attributes but those with a leading underscore (C10). Raises Refusal."""
        rules.check_open_channel(channel)
        topic = topic_key(live.app_id, channel)
        if await self._topics.head(topic) is None:
            return
        names = rules.clearable(await self._topics.attributes(topic))
        event = self._changes.attribute_event(live.account, "", "", "clear")
        await self._edit(live, topic, "", [DeleteAttribute(name) for name in names], event)

    async def _edit(
        self, live: Live, topic: str, name: str, edits: Sequence[Edit], event: ChannelEvent
    ) -> None:
        limit = rules.setattr_limit(await self._topics.attributes(topic))
        rates = (Rate(f"attribute {name} of {topic}", limit),)
        try:
            await self._changes.make(live.app, topic, edits, event, rates)
        except RateExceeded:
            raise TooMany(
                Code.GENERAL_E_FAILED, "changes", f"{limit} of an attribute in any one second are allowed"
            ) from None

    async def _after_edit(self, live: Live, topic: str, name: str) -> None:
        if name == ATTR_CHANNEL_TTL:
            await self._endings.arm_anew(live.app, topic)
        if name in (ATTR_AUTO_UPDATE, ATTR_AUTO_UPDATE_TOTAL):
            await self._census.publish(live.app, topic)
