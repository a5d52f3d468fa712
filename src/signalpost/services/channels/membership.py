"""Being in a channel: joining, leaving, and who is there (SPEC C1-C3, C12, C13)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from signalpost.domain import channels as rules
from signalpost.domain.apps import App
from signalpost.domain.channels import JOIN, LEAVE, SPECIAL, ChannelEvent
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Superseded
from signalpost.domain.sessions import Place, Session, enter, leave
from signalpost.engine.ports import AddMember, Change, RemoveMember, Topics
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings
from signalpost.services.channels.past import Missed, Past
from signalpost.services.channels.watchers import Watchers
from signalpost.services.keys import topic_key
from signalpost.services.live import Live
from signalpost.services.presence import Presence
from signalpost.wire.codes import LIST_ALL_MEMBERS, LIST_MEMBERS

__all__ = ["Joined", "Members", "Membership"]

Unsee = Callable[[str], None]  # told a channel that the session is out of, before its members are


def _unseen(channel: str) -> None:
    """Stand in for who shows the session its channels."""


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


class Membership:
    """Who is in which channel."""

    __slots__ = (
        "_census",
        "_changes",
        "_endings",
        "_find_app",
        "_past",
        "_presence",
        "_topics",
        "_watchers",
    )

    def __init__(
        self,
        *,
        changes: Changes,
        topics: Topics,
        presence: Presence,
        past: Past,
        watchers: Watchers,
        census: Census,
        endings: Endings,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._changes = changes
        self._topics = topics
        self._presence = presence
        self._past = past
        self._watchers = watchers
        self._census = census
        self._endings = endings
        self._find_app = find_app

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
        missed = None if kept is None else await self._past.missed(live.app_id, channel, kept.seen)
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
            event = self._changes.event(JOIN, account)
        await self._take_place(live, channel, event)
        if is_new:
            await self._watchers.tell_member(live.app_id, channel, account, "join")
            await self._census.came_or_went(topic)

    async def _take_place(self, live: Live, channel: str, event: ChannelEvent | None) -> Change:
        """Make the session a member: in the topic, then in its record.

        A session that has been superseded must not touch the place that its successor may have there.
        """
        await self._presence.check(live)
        topic = topic_key(live.app_id, channel)
        edits = [AddMember(live.account, live.session.line)]
        change = await self._changes.make(live.app, topic, edits, event)
        try:
            await self._presence.alter(live, lambda session: enter(session, channel, since=change.seq))
        except Superseded:
            await self.vacate(live.app_id, live.account, Place(channel, live.session.line))
            raise
        return change

    async def _watch(self, live: Live, channel: str) -> Joined:
        """Enter a special channel: no events of its own, no snapshot, oneself alone in the list (P4)."""
        self._watchers.admit(live, channel)
        kept = _place_in(live.session.kept, channel)
        topic = topic_key(live.app_id, channel)
        if _place_in(live.session.places, channel) is None:
            await self._take_place(live, channel, None)
        head = await self._topics.head(topic)
        assert head is not None, "a topic with a member exists"
        missed = None if kept is None else await self._past.missed(live.app_id, channel, kept.seen)
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
        await self._presence.alter(live, lambda session: leave(session, channel))
        unsee(channel)
        await self.vacate(live.app_id, live.account, place)

    async def vacate(self, app_id: str, account: str, place: Place) -> None:
        """Take an account out of a channel, if the place is still the one meant; the others are told."""
        app = self._find_app(app_id) or App()
        topic = topic_key(app_id, place.channel)
        special = place.channel in SPECIAL
        event = None
        if not special and rules.notifies_members(await self._topics.attributes(topic)):
            event = self._changes.event(LEAVE, account)
        change = await self._changes.make(app, topic, [RemoveMember(account, place.tag)], event)
        if special or not change.applied:
            return
        head = await self._topics.head(topic)
        if head is not None and head.members == 0:
            await self._endings.let_die(app, topic)
        await self._watchers.tell_member(app_id, place.channel, account, "leave")
        await self._census.came_or_went(topic)

    # --- queries ----------------------------------------------------------------------------------

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


def _place_in(places: Sequence[Place], channel: str) -> Place | None:
    return next((place for place in places if place.channel == channel), None)


def _channels_of(session: Session) -> list[str]:
    return [place.channel for place in (*session.places, *session.kept)]
