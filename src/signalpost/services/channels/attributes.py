"""A channel's attributes: setting, deleting, clearing (SPEC C10, C11, E6).

They are kept, each with a revision; the shared channel holds a copy, which takes a change only if it is
newer. So a change is told when it is safe, and members end at what is kept, whichever node was faster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from signalpost.domain import channels as rules
from signalpost.domain.channels import ChannelEvent
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
    Topic,
)
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.driver import both
from signalpost.services.keys import app_attributes_key, channel_key, own_attributes_key, topic_key
from signalpost.services.live import Live
from signalpost.services.repeats import Once, Repeats
from signalpost.wire.codes import (
    ATTR_AUTO_UPDATE,
    ATTR_AUTO_UPDATE_TOTAL,
    ATTR_CHANNEL_TTL,
    ATTR_SETATTR_LIMIT,
    Code,
)

__all__ = ["ChannelAttributes"]


class _Found(NamedTuple):
    """What is kept of a channel, and of a request."""

    entry: Entry | None
    stand: Stand
    noted: Sequence[bytes | None]


Keeping = Callable[[Changed | int, _Found, Once], Awaitable[Change | None]]


class ChannelAttributes:
    """The attributes of all channels, as users change them."""

    __slots__ = ("_census", "_changes", "_endings", "_kept", "_repeats", "_shared")

    def __init__(
        self,
        changes: Changes,
        kept: Kept,
        shared: Shared,
        repeats: Repeats,
        census: Census,
        endings: Endings,
    ) -> None:
        self._changes = changes
        self._kept = kept
        self._shared = shared
        self._repeats = repeats
        self._census = census
        self._endings = endings

    async def set(self, live: Live, channel: str, name: str, value: str, *, request: str = "") -> None:
        """Set an attribute; the members are told (C10, C11). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        value = rules.check_attribute(name, value, live.app.limits)
        topic = topic_key(live.app_id, channel)

        async def keep(counted: Changed | int, found: _Found, once: Once) -> Change:
            there = _allowed(counted)
            rev = await self._keep(live, topic, name, value, there, found, once)
            edits: tuple[Edit, ...] = (SetAttribute(name, value, rev),)
            if not there.epoch:
                edits = (Begin(found.stand.attributes), *edits)
            event = self._changes.attribute_event(live.account, name, value, "update")
            rates = () if there.epoch else (_rate(name),)  # of a channel that was not there none was counted
            return self._changes.editing(topic, live.app.limits, edits, event, rates)

        await self._change(live, topic, name, request, keep)

    async def _keep(
        self, live: Live, topic: str, name: str, value: str, there: Changed, found: _Found, once: Once
    ) -> int:
        """Store an attribute; returns its revision. Raises Refusal, Conflict."""
        limits, account = live.app.limits, live.account
        values = _values(found.stand)
        rules.check_room_for(values, name)
        charges = (
            Charge(own_attributes_key(live.app_id, account), max_size=limits.set_attribute_bytes),
            Charge(app_attributes_key(live.app_id), max_size=limits.channel_attribute_bytes),
        )
        size = len(name.encode()) + len(value.encode())
        step = KeepAttribute(topic, name, value, size, charges)
        try:
            with_it = self._with(live, topic, {**values, name: value}, name, found.entry, there)
            rev: int
            rev, *_ = await self._kept.commit(step, *with_it, *once.note())
        except Full as full:
            if not full.charge and await self._endings.weed(live.app_id, account):
                raise Conflict from None
            raise _refusal(full, charges, limits) from None
        return rev

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

    async def delete(self, live: Live, channel: str, name: str, *, request: str = "") -> None:
        """Delete an attribute; a built-in gets its default back (C10). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        rules.check_deletable(name)
        topic = topic_key(live.app_id, channel)

        async def keep(counted: Changed | int, found: _Found, once: Once) -> Change | None:
            values = _values(found.stand)
            if values.pop(name, None) is None:
                return None
            there, limits = _allowed(counted), live.app.limits
            steps = self._ending(topic, limits, values, there) if name == ATTR_CHANNEL_TTL else []
            rev, *_ = await self._kept.commit(ForgetAttribute(topic, name), *steps, *once.note())
            if not rev:
                return None
            event = self._changes.attribute_event(live.account, name, "", "del")
            return self._changes.editing(topic, limits, (DeleteAttribute(name, rev),), event)

        await self._change(live, topic, name, request, keep)

    async def clear(self, live: Live, channel: str, *, request: str = "") -> None:
        """Delete all attributes but those with a leading underscore (C10). Raises Refusal."""
        rules.check_open_channel(channel)
        topic = topic_key(live.app_id, channel)

        async def keep(counted: Changed | int, found: _Found, once: Once) -> Change | None:
            there = _allowed(counted)
            if not there.epoch and not found.stand.attributes:
                return None
            names = rules.clearable(_values(found.stand))
            steps: list[Step[Any]] = [*[ForgetAttribute(topic, name) for name in names], *once.note()]
            revs = await self._kept.commit(*steps) if steps else ()
            edits = tuple([DeleteAttribute(name, rev) for name, rev in zip(names, revs, strict=False) if rev])
            event = self._changes.attribute_event(live.account, "", "", "clear")
            return self._changes.editing(topic, live.app.limits, edits, event)

        await self._change(live, topic, "", request, keep)

    # --- counting, keeping, telling -----------------------------------------------------------------

    async def _change(self, live: Live, topic: str, name: str, request: str, keep: Keeping) -> None:
        """Count a change of an attribute, have it kept, and tell it.

        `keep` is given how the channel is, or how many changes a second are allowed if there were too many,
        and what is kept of it. It returns what is to be told.
        """
        counted: Changed | int | None = None
        change: Change | None = None
        decided = False

        async def attempt(once: Once) -> str:
            nonlocal counted, change, decided
            if counted is None:
                counting = self._count(topic, name)
                counted, found = await both(counting, self._find(topic, once))
            else:
                found = await self._find(topic, once)
            once.recall(found.noted)
            assert counted is not None
            change = await keep(counted, found, once)
            decided = True
            return ""

        await self._repeats.once(live, request, attempt)
        if not decided:
            await self._mend(live, topic)
        elif change is not None:
            await self._tell(change)
            await self._after(topic, name)

    async def _find(self, topic: str, once: Once) -> _Found:
        entry, stand, *noted = await self._kept.load(
            Record(channel_key(topic)), Attributes(topic), *once.asks
        )
        return _Found(entry, stand, noted)

    async def _count(self, topic: str, name: str) -> Changed | int:
        """Count a change of an attribute (C10); how the channel is, or how many are allowed if it is one too
        many."""
        try:
            (changed,) = await self._shared.commit(Change(topic, rates=(_rate(name),), show=0))
        except RateExceeded as exceeded:
            return exceeded.limit
        return changed

    async def _mend(self, live: Live, topic: str) -> None:
        """Tell what is kept and was not told: the node that a repeated request came to first may have ended
        in between."""
        (shot,), (stand,) = await both(self._shared.load(Topic(topic)), self._kept.load(Attributes(topic)))
        if shot is None:
            return
        changes: list[tuple[Edit, ChannelEvent]] = []
        for name, (value, rev) in stand.attributes.items():
            if shot.attributes.get(name) != value:
                event = self._changes.attribute_event(live.account, name, value, "update")
                changes.append((SetAttribute(name, value, rev), event))
        for name in shot.attributes:
            if name not in stand.attributes:
                event = self._changes.attribute_event(live.account, name, "", "del")
                changes.append((DeleteAttribute(name, stand.rev), event))
        for edit, event in changes:
            await self._shared.commit(self._changes.editing(topic, live.app.limits, (edit,), event))

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


def _allowed(counted: Changed | int) -> Changed:
    """How the channel is. Raises TooMany if a change was one too many."""
    if isinstance(counted, Changed):
        return counted
    allowed = f"{counted} of an attribute in any one second are allowed"
    raise TooMany(Code.GENERAL_E_FAILED, "changes", allowed)


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
