"""A channel's attributes: setting, deleting, clearing (SPEC C10, C11, E6).

They are kept, each with a revision; the shared channel holds a copy, which takes a change only if it is
newer. So a change is told when it is safe, and members end at what is kept, whichever node was faster.
"""

from __future__ import annotations

from typing import Any

from signalpost.domain import channels as rules
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.engine.ports import Arm, Conflict, Entry, Expect, Full, RateExceeded, Record, Step
from signalpost.engine.ports.kept import Attributes, Charge, Kept, Stand
from signalpost.engine.ports.kept import DeleteAttribute as ForgetAttribute
from signalpost.engine.ports.kept import SetAttribute as KeepAttribute
from signalpost.engine.ports.shared import (
    Begin,
    Change,
    Changed,
    DeleteAttribute,
    Edit,
    Rate,
    SetAttribute,
    Shared,
)
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.decide import decide
from signalpost.services.keys import app_attributes_key, channel_key, own_attributes_key, topic_key
from signalpost.services.live import Live
from signalpost.wire.codes import (
    ATTR_AUTO_UPDATE,
    ATTR_AUTO_UPDATE_TOTAL,
    ATTR_CHANNEL_TTL,
    ATTR_SETATTR_LIMIT,
    Code,
)

__all__ = ["ChannelAttributes"]


class ChannelAttributes:
    """The attributes of all channels, as users change them."""

    __slots__ = ("_census", "_changes", "_endings", "_kept", "_shared")

    def __init__(
        self, changes: Changes, kept: Kept, shared: Shared, census: Census, endings: Endings
    ) -> None:
        self._changes = changes
        self._kept = kept
        self._shared = shared
        self._census = census
        self._endings = endings

    async def set(self, live: Live, channel: str, name: str, value: str) -> None:
        """Set an attribute; the members are told (C10, C11). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        value = rules.check_attribute(name, value, live.app.limits)
        topic = topic_key(live.app_id, channel)
        there = await self._count(topic, name)
        rev, before = await decide(lambda: self._keep(live, topic, name, value, there))
        edits: tuple[Edit, ...] = (SetAttribute(name, value, rev),)
        if not there.epoch:
            edits = (Begin(before.attributes), *edits)
        event = self._changes.attribute_event(live.account, name, value, "update")
        rates = () if there.epoch else (_rate(name),)  # of a channel that was not there nothing was counted
        await self._tell(self._changes.editing(topic, live.app.limits, edits, event, rates))
        await self._after(topic, name)

    async def _keep(self, live: Live, topic: str, name: str, value: str, there: Changed) -> tuple[int, Stand]:
        """Store an attribute; returns its revision, and what was there before. Raises Refusal, Conflict."""
        limits, account = live.app.limits, live.account
        entry, stand = await self._kept.load(Record(channel_key(topic)), Attributes(topic))
        values = _values(stand)
        rules.check_room_for(values, name)
        charges = (
            Charge(own_attributes_key(live.app_id, account), max_size=limits.set_attribute_bytes),
            Charge(app_attributes_key(live.app_id), max_size=limits.channel_attribute_bytes),
        )
        size = len(name.encode()) + len(value.encode())
        step = KeepAttribute(topic, name, value, size, charges)
        try:
            with_it = self._with(live, topic, {**values, name: value}, name, entry, there)
            rev, *_ = await self._kept.commit(step, *with_it)
        except Full as full:
            if not full.charge and await self._endings.weed(live.app_id, account):
                raise Conflict from None
            raise _refusal(full, charges, limits) from None
        return rev, stand

    def _with(
        self,
        live: Live,
        topic: str,
        values: dict[str, str],
        name: str,
        entry: Entry | None,
        there: Changed,
    ) -> list[Step[Any]]:
        """What is stored with an attribute, with which these are all: that the channel is there, and when it
        dies."""
        if entry is None:
            empty = not there.count and len(values) == 1
            return self._endings.bearing(topic, live.account, values, empty=empty)
        steps: list[Step[Any]] = [Expect(channel_key(topic), entry.rev)]
        if name == ATTR_CHANNEL_TTL:
            steps += self._ending(topic, live.app.limits, values, there)
        return steps

    def _ending(self, topic: str, limits: Limits, values: dict[str, str], there: Changed) -> list[Step[Any]]:
        at = self._endings.end_of(values, limits, there.shown)
        return [Arm(channel_key(topic), at)]

    async def delete(self, live: Live, channel: str, name: str) -> None:
        """Delete an attribute; a built-in gets its default back (C10). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        rules.check_deletable(name)
        topic = topic_key(live.app_id, channel)
        (stand,) = await self._kept.load(Attributes(topic))
        if name not in stand.attributes:
            return
        there = await self._count(topic, name)
        values = _values(stand)
        del values[name]
        steps = self._ending(topic, live.app.limits, values, there) if name == ATTR_CHANNEL_TTL else []
        rev, *_ = await self._kept.commit(ForgetAttribute(topic, name), *steps)
        if not rev:
            return
        event = self._changes.attribute_event(live.account, name, "", "del")
        edits = (DeleteAttribute(name, rev),)
        await self._tell(self._changes.editing(topic, live.app.limits, edits, event))
        await self._after(topic, name)

    async def clear(self, live: Live, channel: str) -> None:
        """Delete all attributes but those with a leading underscore (C10). Raises Refusal."""
        rules.check_open_channel(channel)
        topic = topic_key(live.app_id, channel)
        there = await self._count(topic, "")
        (stand,) = await self._kept.load(Attributes(topic))
        if not there.epoch and not stand.attributes:
            return
        names = rules.clearable(_values(stand))
        revs = await self._kept.commit(*[ForgetAttribute(topic, name) for name in names]) if names else ()
        edits = tuple([DeleteAttribute(name, rev) for name, rev in zip(names, revs, strict=True) if rev])
        event = self._changes.attribute_event(live.account, "", "", "clear")
        await self._tell(self._changes.editing(topic, live.app.limits, edits, event))

    async def _count(self, topic: str, name: str) -> Changed:
        """Count a change of an attribute (C10); returns how the channel is. Raises Refusal."""
        try:
            (changed,) = await self._shared.commit(Change(topic, rates=(_rate(name),), show=0))
        except RateExceeded as exceeded:
            allowed = f"{exceeded.limit} of an attribute in any one second are allowed"
            raise TooMany(Code.GENERAL_E_FAILED, "changes", allowed) from None
        return changed

    async def _tell(self, change: Change) -> None:
        """What is kept is told; one that was made with others in the same moment may have used up a rate."""
        try:
            await self._shared.commit(change)
        except RateExceeded:
            await self._shared.commit(Change(change.topic, change.edits, change.event, change.keep))

    async def _after(self, topic: str, name: str) -> None:
        if name in (ATTR_AUTO_UPDATE, ATTR_AUTO_UPDATE_TOTAL):
            await self._census.publish(topic)


def _rate(name: str) -> Rate:
    least, most = rules.SETATTR_LIMITS
    return Rate(f"attribute {name}", least, attribute=ATTR_SETATTR_LIMIT, most=most)


def _values(stand: Stand) -> dict[str, str]:
    return {name: attribute.value for name, attribute in stand.attributes.items()}


def _refusal(full: Full, charges: tuple[Charge, Charge], limits: Limits) -> Refusal:
    own, all_of_app = charges
    if full.charge == own.key:
        reason = f"an account may set {own.max_size} bytes of attributes in channels: no more are taken"
    elif full.charge == all_of_app.key:
        reason = (
            f"the channels of the app may have {all_of_app.max_size} bytes of attributes: no more are taken"
        )
    else:
        reason = (
            f"an account may have brought {limits.deserted_channels} channels into being in which nobody is: "
            "no more are made"
        )
    return Refusal(Code.GENERAL_E_FAILED, reason)
