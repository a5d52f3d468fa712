"""Channels: joining, speaking, attributes, queries, and what time does to them (SPEC §5, P4, P5).

A channel is a topic; an edit and its event are one step, so that all members see one order (C6). Who is
in it hangs on the session, and so does a place that is kept while its connection is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from signalpost.domain import channels as rules
from signalpost.domain.apps import App
from signalpost.domain.channels import SPECIAL, ChannelEvent, Counted
from signalpost.domain.inbox import too_fast
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name, check_text
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.domain.sessions import Place, Session, enter, leave
from signalpost.engine.ports import (
    AddMember,
    Change,
    Clock,
    DeleteAttribute,
    Edit,
    Event,
    Keep,
    Pending,
    Rate,
    RateExceeded,
    Records,
    RemoveMember,
    SetAttribute,
    Timers,
    Topics,
    Unavailable,
)
from signalpost.services.keys import channel_key, counting_key, request_key, split, subject_of, topic_key
from signalpost.services.live import Live
from signalpost.services.messages import Again, Messages
from signalpost.services.outlet import Reach
from signalpost.services.presence import Presence
from signalpost.services.stored import COUNTED, EVENT, TIME
from signalpost.wire.codes import (
    ATTR_AUTO_UPDATE,
    ATTR_AUTO_UPDATE_TOTAL,
    ATTR_CHANNEL_TTL,
    ATTR_MEMBERS,
    CHANNEL_EVENTS,
    CHANNEL_MESSAGE_BYTES,
    CHANNEL_USER_ONLINE,
    LIST_ALL_MEMBERS,
    LIST_MEMBERS,
    Code,
)

__all__ = ["Channels", "Joined", "Members", "Missed"]

MESSAGE = "channel_msg"
JOIN = "channel_user_join"
LEAVE = "channel_user_leave"
ATTRIBUTE = "channel_attr_update"

Unsee = Callable[[str], None]  # told a channel that the session is out of, before its members are


def _unseen(channel: str) -> None:
    """Stand in for who shows the session its channels."""


class Missed(NamedTuple):
    """What a member has missed of a channel `after` a number and `upto` another: the kept events, and how
    many more are no longer kept (C9)."""

    channel: str
    epoch: str
    after: int
    upto: int
    events: list[Event]
    lost: int


class Joined(NamedTuple):
    """The answer to a join; `missed`: what follows the answer (L17)."""

    members: list[str]
    attributes: dict[str, str]
    epoch: str
    seq: int
    missed: Missed | None


class Members(NamedTuple):
    """A channel's members: how many, and the newest, oldest first."""

    total: int
    names: list[str]


class Channels:
    """All channels, in the engine's topics."""

    __slots__ = (
        "_clock",
        "_find_app",
        "_messages",
        "_new_id",
        "_presence",
        "_publishing",
        "_records",
        "_timers",
        "_topics",
        "_wall",
        "_warn",
        "_warned",
    )

    def __init__(
        self,
        *,
        topics: Topics,
        records: Records,
        timers: Timers,
        presence: Presence,
        messages: Messages,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
        warn: Callable[[str], None],
    ) -> None:
        self._topics = topics
        self._records = records
        self._timers = timers
        self._presence = presence
        self._messages = messages
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id
        self._find_app = find_app
        self._warn = warn  # told once an app that anybody may watch it
        self._warned: set[str] = set()  # the apps that it was told of
        self._publishing: dict[
            str, Pending
        ] = {}  # by topic: its numbers are being told; settled when they are

    # --- being in a channel ---------------------------------------------------------------------

    async def join(self, live: Live, channel: str, unsee: Unsee = _unseen) -> Joined:
        """Enter a channel, leaving the ordinary one that the session is in (C1, C2). Raises Refusal.

        `unsee`: as with `leave`, for the one that it leaves.
        """
        rules.check_channel(channel)
        if channel in SPECIAL:
            return await self._watch(live, channel)
        for name in _channels_of(live.session):
            if name != channel and name not in SPECIAL:
                await self.leave(live, name, unsee)
        topic = topic_key(live.app_id, channel)
        kept = _place_in(live.session.kept, channel)
        if _place_in(live.session.places, channel) is None:
            await self._enter(live, channel)
        snapshot = await self._topics.snapshot(topic, limit=LIST_MEMBERS)
        assert snapshot is not None, "a topic with a member exists"
        members = [member.name for member in snapshot.members if member.name != live.account]
        missed = None if kept is None else await self.missed(live.app_id, channel, kept.seen)
        return Joined(
            [*members[-(LIST_MEMBERS - 1) :], live.account],
            dict(snapshot.attributes),
            snapshot.epoch,
            snapshot.seq,
            missed,
        )

    async def _enter(self, live: Live, channel: str) -> None:
        account = live.account
        topic = topic_key(live.app_id, channel)
        is_new = await self._topics.member(topic, account) is None
        event = None
        if is_new and rules.notifies_members(await self._topics.attributes(topic)):
            event = self._event(JOIN, account)
        await self._take_place(live, channel, event)
        if is_new:
            await self._came_or_went(live.app_id, topic, channel, account, "join")

    async def _take_place(self, live: Live, channel: str, event: ChannelEvent | None) -> Change:
        """Make the session a member: in the topic, then in its record.

        A session that has been superseded must not touch the place that its successor may have there.
        """
        await self._presence.check(live)
        topic = topic_key(live.app_id, channel)
        change = await self._change(live.app, topic, [AddMember(live.account, live.session.line)], event)
        try:
            await self._presence.save(live, enter(live.session, channel, since=change.seq))
        except Superseded:
            await self.vacate(live.app_id, live.account, Place(channel, live.session.line))
            raise
        return change

    async def _watch(self, live: Live, channel: str) -> Joined:
        """Enter a special channel: no events of its own, no snapshot, oneself alone in the list (P4)."""
        watchers = live.app.watchers
        if watchers is None and live.app_id not in self._warned:
            self._warned.add(live.app_id)
            self._warn(live.app_id)
        if watchers is not None and live.account not in watchers:
            raise Refusal(Code.JOINCHANNEL_E_OTHER, f"this account may not join {channel}")
        kept = _place_in(live.session.kept, channel)
        topic = topic_key(live.app_id, channel)
        if _place_in(live.session.places, channel) is None:
            await self._take_place(live, channel, None)
        head = await self._topics.head(topic)
        assert head is not None, "a topic with a member exists"
        missed = None if kept is None else await self.missed(live.app_id, channel, kept.seen)
        return Joined([live.account], {}, head.epoch, head.seq, missed)

    async def leave(self, live: Live, channel: str, unsee: Unsee = _unseen) -> None:
        """Leave a channel; one that the session is not in is left already (C3). Raises Refusal: 1004, 1005.

        `unsee`: called when the session is out for certain, and before the others are told of it. If the
        leave fails before that, the session is in the channel still and has missed nothing of it.
        """
        check_name(channel, "channel name")
        session = live.session
        place = _place_in(session.places, channel) or _place_in(session.kept, channel)
        if place is None:
            return
        await self._presence.save(live, leave(session, channel))
        unsee(channel)
        await self.vacate(live.app_id, live.account, place)

    async def vacate(self, app_id: str, account: str, place: Place) -> None:
        """Take an account out of a channel, if the place is still the one meant; the others are told."""
        app = self._find_app(app_id) or App()
        topic = topic_key(app_id, place.channel)
        special = place.channel in SPECIAL
        event = None
        if not special and rules.notifies_members(await self._topics.attributes(topic)):
            event = self._event(LEAVE, account)
        change = await self._change(app, topic, [RemoveMember(account, place.tag)], event)
        if special or not change.applied:
            return
        head = await self._topics.head(topic)
        if head is not None and head.members == 0:
            await self._let_die(app, topic)
        await self._came_or_went(app_id, topic, place.channel, account, "leave")

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

    # --- speaking -------------------------------------------------------------------------------

    async def send(self, live: Live, channel: str, text: str, *, request: str = "") -> str:
        """Say something to all members, oneself included, as a member (C4); returns the message's id, `Again`
        if this request has said it before.

        Raises Refusal: 400 (not a member, rate), 1004, 1005.
        """
        rules.check_open_channel(channel)
        if not live.place_in(channel):
            if sent := await self._sent_before(live, channel, request):
                return sent
            raise Refusal(Code.SENDMESSAGE_E_OTHER, "not in channel")
        return await self.send_force(live, channel, text, request=request)

    async def send_force(self, live: Live, channel: str, text: str, *, request: str = "") -> str:
        """Say something to all members, being one or not (C5); into nowhere it succeeds as well."""
        rules.check_open_channel(channel)
        check_text(text, "message", CHANNEL_MESSAGE_BYTES)
        limits = live.app.limits
        topic = topic_key(live.app_id, channel)
        now = self._clock()
        window = self._messages.window(live, now)
        if not window.take(now, limits.user_messages):
            if sent := await self._sent_before(live, channel, request):
                return sent
            raise too_fast(limits.user_messages)
        limit = rules.message_limit(await self._topics.attributes(topic), limits)
        try:
            change = await self._topics.change(
                topic,
                event=EVENT.encode(ChannelEvent(MESSAGE, live.account, int(self._wall()), text)),
                keep=_keep(limits),
                rates=(Rate(f"messages {topic}", limit),),
                dedupe=request_key(live.key, request) if request else "",
                dedupe_ttl=limits.request_memory,
            )
        except Unavailable:
            window.give_back(now)
            raise
        except RateExceeded:
            window.give_back(now)
            raise TooMany(
                Code.SENDMESSAGE_E_OTHER, "messages", f"the channel takes {limit} in any one second"
            ) from None
        if change.repeated:
            window.give_back(now)
            return Again(_message_id(change))
        return _message_id(change) if change.seq else self._new_id()

    async def _sent_before(self, live: Live, channel: str, request: str) -> str:
        """The id of what this very request sent before (PROTOCOL §12), "" if it is new."""
        if not request:
            return ""
        change = await self._topics.changed(topic_key(live.app_id, channel), request_key(live.key, request))
        return "" if change is None else Again(_message_id(change))

    # --- attributes -----------------------------------------------------------------------------

    async def set_attribute(self, live: Live, channel: str, name: str, value: str) -> None:
        """Set an attribute; the members are told (C10, C11). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        value = rules.check_attribute(name, value, live.app.limits)
        topic = topic_key(live.app_id, channel)
        rules.check_room_for(await self._topics.attributes(topic), name)
        if await self._topics.head(topic) is None:
            await self._let_die(live.app, topic)
        event = self._attribute_event(live.account, name, value, "update")
        await self._edit(live, topic, name, [SetAttribute(name, value)], event)
        await self._after_edit(live, topic, name)

    async def delete_attribute(self, live: Live, channel: str, name: str) -> None:
        """Delete an attribute; a built-in gets its default back (C10). Raises Refusal: 1001, 1004, 1005."""
        rules.check_open_channel(channel)
        rules.check_deletable(name)
        topic = topic_key(live.app_id, channel)
        if name not in await self._topics.attributes(topic):
            return
        event = self._attribute_event(live.account, name, "", "del")
        await self._edit(live, topic, name, [DeleteAttribute(name)], event)
        await self._after_edit(live, topic, name)

    async def clear_attributes(self, live: Live, channel: str) -> None:
        """Delete all attributes but those with a leading underscore (C10). Raises Refusal."""
        rules.check_open_channel(channel)
        topic = topic_key(live.app_id, channel)
        if await self._topics.head(topic) is None:
            return
        names = rules.clearable(await self._topics.attributes(topic))
        event = self._attribute_event(live.account, "", "", "clear")
        await self._edit(live, topic, "", [DeleteAttribute(name) for name in names], event)

    async def _edit(
        self, live: Live, topic: str, name: str, edits: Sequence[Edit], event: ChannelEvent
    ) -> None:
        limit = rules.setattr_limit(await self._topics.attributes(topic))
        try:
            await self._topics.change(
                topic,
                edits=edits,
                event=EVENT.encode(event),
                keep=_keep(live.app.limits),
                rates=(Rate(f"attribute {name} of {topic}", limit),),
            )
        except RateExceeded:
            raise TooMany(
                Code.GENERAL_E_FAILED, "changes", f"{limit} of an attribute in any one second are allowed"
            ) from None

    async def _after_edit(self, live: Live, topic: str, name: str) -> None:
        if name == ATTR_CHANNEL_TTL:
            entry = await self._records.get(channel_key(topic))
            if entry is not None:
                await self._arm_end(live.app, topic, TIME.decode(entry.value))
        if name in (ATTR_AUTO_UPDATE, ATTR_AUTO_UPDATE_TOTAL):
            await self._publish_count(live.app, topic)

    # --- queries --------------------------------------------------------------------------------

    async def count(self, live: Live, channel: str) -> int:
        """How many members a channel has; 0 for an unknown one (C13)."""
        return (await self.newest(live, channel, LIST_MEMBERS)).total

    async def is_in(self, live: Live, channel: str, account: str) -> bool:
        """Whether an account is a member of a channel."""
        rules.check_channel(channel)
        check_name(account, "account")
        if channel in SPECIAL and account != live.account:
            return False
        return await self._topics.member(topic_key(live.app_id, channel), account) is not None

    async def newest(self, live: Live, channel: str, limit: int) -> Members:
        """The newest members of a channel, oldest first (C12); of a special one oneself alone (P4)."""
        rules.check_channel(channel)
        topic = topic_key(live.app_id, channel)
        if channel in SPECIAL:
            inside = await self._topics.member(topic, live.account) is not None
            return Members(1, [live.account]) if inside else Members(0, [])
        snapshot = await self._topics.snapshot(topic, limit=max(0, min(limit, LIST_ALL_MEMBERS)))
        if snapshot is None:
            return Members(0, [])
        return Members(snapshot.count, [member.name for member in snapshot.members])

    # --- what nobody asked for ------------------------------------------------------------------

    async def tell_online(self, app_id: str, account: str, event: str) -> None:
        """Tell the watchers that an account came `online` or went `offline` (P4)."""
        await self._tell_watchers(app_id, CHANNEL_USER_ONLINE, account, {"event": event, "account": account})

    async def channel_due(self, key: str) -> None:
        """The end of an empty channel (C8)."""
        topic = subject_of(key)
        await self._records.delete(key)
        head = await self._topics.head(topic)
        if head is None or head.members > 0:
            return
        await self._timers.cancel(counting_key(topic))
        await self._records.delete(counting_key(topic))
        await self._topics.drop(topic, if_empty=True)

    async def counting_due(self, key: str) -> None:
        """Somebody came or went, or the time for another `_member_num` has come (C11)."""
        topic = subject_of(key)
        await self._publish_count(self._find_app(split(topic)[0]) or App(), topic)

    async def adopt(self) -> None:
        """After a restart all channels are empty: from now on they live for their ttl (C8)."""
        for topic in await self._topics.names():
            app = self._find_app(split(topic)[0]) or App()
            await self._let_die(app, topic)
            await self._timers.arm(counting_key(topic), self._clock())

    async def _let_die(self, app: App, topic: str) -> None:
        """Nobody is in the channel any more: arm its end; it comes to nothing if somebody is in it then."""
        now = self._clock()
        await self._records.put(channel_key(topic), TIME.encode(now), expect=None, ttl=None)
        await self._arm_end(app, topic, now)

    async def _arm_end(self, app: App, topic: str, empty_since: float) -> None:
        seconds = rules.channel_seconds(await self._topics.attributes(topic), app.limits)
        await self._timers.arm(channel_key(topic), empty_since + seconds)

    async def _came_or_went(self, app_id: str, topic: str, channel: str, account: str, event: str) -> None:
        await self._tell_watchers(
            app_id, CHANNEL_EVENTS, account, {"event": event, "account": account, "channel": channel}
        )
        if rules.counting(await self._topics.attributes(topic)).interval:
            # Not here and now: whoever comes or goes does not wait for the attribute's commit.
            await self._timers.arm(counting_key(topic), self._clock())

    async def _publish_count(self, app: App, topic: str) -> None:
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
            event = self._attribute_event("", name, value, "update")
            await self._change_if_there(app, topic, head.epoch, SetAttribute(name, value), event)
        for name in count.withdraw:
            event = self._attribute_event("", name, "", "del")
            await self._change_if_there(app, topic, head.epoch, DeleteAttribute(name), event)

    async def _change_if_there(
        self, app: App, topic: str, epoch: str, edit: Edit, event: ChannelEvent
    ) -> None:
        """Make a change of the server's own, which must not bring a channel that has died back to life, nor
        concern one that has its name now."""
        head = await self._topics.head(topic)
        if head is not None and head.epoch == epoch:
            await self._change(app, topic, [edit], event)

    async def _tell_watchers(self, app_id: str, channel: str, account: str, what: dict[str, object]) -> None:
        topic = topic_key(app_id, channel)
        head = await self._topics.head(topic)
        if head is None or head.members == 0:
            return
        now = int(self._wall())
        text = msgspec.json.encode({**what, "ts": now}).decode()
        await self._change(
            self._find_app(app_id) or App(), topic, [], ChannelEvent(MESSAGE, account, now, text)
        )

    async def _change(
        self, app: App, topic: str, edits: Sequence[Edit], event: ChannelEvent | None
    ) -> Change:
        body = None if event is None else EVENT.encode(event)
        return await self._topics.change(topic, edits=edits, event=body, keep=_keep(app.limits))

    def _event(self, kind: str, account: str) -> ChannelEvent:
        return ChannelEvent(kind, account, int(self._wall()))

    def _attribute_event(self, account: str, name: str, value: str, change: str) -> ChannelEvent:
        return ChannelEvent(ATTRIBUTE, account, int(self._wall()), name=name, value=value, change=change)


def _keep(limits: Limits) -> Keep:
    return Keep(limits.history_seconds, limits.history_events, limits.history_bytes)


def _message_id(change: Change) -> str:
    return f"{change.epoch}-{change.seq}"


def _place_in(places: Sequence[Place], channel: str) -> Place | None:
    return next((place for place in places if place.channel == channel), None)


def _channels_of(session: Session) -> list[str]:
    return [place.channel for place in (*session.places, *session.kept)]
