"""Being in a channel: joining, leaving, and who is there (SPEC C1-C3, C12, C13).

The session's record, the place in the channel and the events that tell of it are one commit: so there is no
member without a session, however it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec

from signalpost.domain import channels as rules
from signalpost.domain.channels import SPECIAL
from signalpost.domain.grants import check_may_join
from signalpost.domain.names import check_name
from signalpost.domain.sessions import Place, Session, enter, leave
from signalpost.engine.ports import Conflict, Receipt, Step
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Begin, Change, Changed, Shared, Snapshot, Topic
from signalpost.engine.ports.shared import Place as PlaceOf
from signalpost.services.channels.census import Census
from signalpost.services.channels.changes import Changes
from signalpost.services.channels.endings import Endings, begin
from signalpost.services.channels.past import Missed, Past
from signalpost.services.channels.watchers import Watchers
from signalpost.services.decide import decide
from signalpost.services.driver import together
from signalpost.services.keys import inbox_key, request_key, topic_key
from signalpost.services.live import Live
from signalpost.services.notes import PutOut
from signalpost.services.pauses import Pauses
from signalpost.services.presence import TRIES, Presence, putting
from signalpost.services.webhooks import Webhooks
from signalpost.wire.codes import LIST_ALL_MEMBERS, LIST_MEMBERS

__all__ = ["Departure", "Joined", "Members", "Membership", "Sight"]

_PIECE: Final = 64  # members that are put out side by side


class Sight(Protocol):
    """Who shows a session its channels."""

    async def follow(self, channel: str) -> None:
        """The session is about to be in a channel: nothing of it may be missed from now on."""
        ...

    def unsee(self, channel: str) -> None:
        """The session is about to leave a channel: show nothing more of it."""
        ...

    def stay(self, channel: str) -> None:
        """It has not left it: show what it has not been shown of it."""
        ...

    async def part(self, channel: str, upto: int) -> None:
        """It has left it, when this was its latest event: show the few that it has not been shown of it yet,
        its own words among them (C4)."""
        ...


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


class Departure(NamedTuple):
    """How an account goes out of a channel."""

    app_id: str
    account: str
    channel: str
    steps: tuple[Step[Any], ...]


class Membership:
    """Who is in which channel."""

    __slots__ = (
        "_census",
        "_changes",
        "_endings",
        "_kept",
        "_past",
        "_pauses",
        "_presence",
        "_shared",
        "_watchers",
        "_webhooks",
    )

    def __init__(
        self,
        *,
        changes: Changes,
        kept: Kept,
        shared: Shared,
        presence: Presence,
        past: Past,
        watchers: Watchers,
        census: Census,
        endings: Endings,
        webhooks: Webhooks | None,
        pauses: Pauses,
    ) -> None:
        self._changes = changes
        self._kept = kept
        self._shared = shared
        self._presence = presence
        self._past = past
        self._watchers = watchers
        self._census = census
        self._endings = endings
        self._webhooks = webhooks
        self._pauses = pauses

    async def join(self, live: Live, channel: str, sight: Sight) -> Joined:
        """Enter a channel, leaving the ordinary one that the session is in (C1, C2). Raises Refusal."""
        rules.check_channel(channel)
        if live.channels is not None:
            check_may_join(live.channels, channel)
        if channel in SPECIAL:
            self._watchers.admit(live, channel)
        await sight.follow(channel)
        try:
            return await self._join(live, channel, sight)
        except BaseException:
            if not live.place_in(channel):
                sight.unsee(channel)
            raise

    async def _join(self, live: Live, channel: str, sight: Sight) -> Joined:
        kept = _place_in(live.session.kept, channel)
        snapshot: Snapshot | None = None
        if _place_in(live.session.places, channel) is not None:
            (snapshot,) = await self._shared.load(Topic(topic_key(live.app_id, channel), LIST_MEMBERS))
            if snapshot is None:  # a topic with a member exists: the session has gone meanwhile
                await self._presence.check(live)
        if snapshot is None:
            snapshot = await self._enter(live, channel, sight)
        missed = None if kept is None else await self._past.missed(live.app_id, channel, kept.seen)
        if channel in SPECIAL:
            return Joined([live.account], {}, snapshot.epoch, snapshot.offset, missed)
        members = [name for name in snapshot.members if name != live.account]
        return Joined(
            [*members[-(LIST_MEMBERS - 1) :], live.account],
            dict(snapshot.attributes),
            snapshot.epoch,
            snapshot.offset,
            missed,
        )

    async def _enter(self, live: Live, channel: str, sight: Sight) -> Snapshot:
        """Make the session a member, and no longer one of the ordinary channel that it was in."""
        left = [] if channel in SPECIAL else _ordinary(live.session, but=channel)
        for place in left:
            sight.unsee(place.channel)
        try:
            entered, gone = await self._move(live, channel, left)
        except BaseException:
            for place in left:
                sight.stay(place.channel)
            raise
        topic = topic_key(live.app_id, channel)
        for place, changed in zip(left, gone, strict=True):
            await self._gone(live.app_id, live.account, place.channel, changed)
        assert entered.shown is not None, "a topic with a member exists"
        if entered.shown.attributes and channel not in SPECIAL and entered.news:
            await self._census.came_or_went(topic, entered.shown.attributes)
        if self._webhooks is not None and entered.news:
            await self._webhooks.entered(live.app_id, live.account, channel, entered)
        live.session = _since(live.session, channel, entered.offset)
        return entered.shown

    async def _move(self, live: Live, channel: str, left: list[Place]) -> tuple[Changed, list[Changed]]:
        """Leave these places and take one, in one commit; the results of the channels' changes."""
        topic, account = topic_key(live.app_id, channel), live.account
        making: Begin | None = None

        async def attempt() -> tuple[Changed, list[Changed]]:
            nonlocal making
            session = live.session
            steps: list[Step[Any]] = []
            marks = []
            for place in left:
                session = leave(session, place.channel)
                marks.append(len(steps))
                steps += self._changes.leaving(live.app_id, account, place)
            mark = len(steps)
            steps += self._changes.entering(live.app_id, account, channel, session.line, making)
            try:
                results = await self._presence.commit(live, enter(session, channel, since=0), *steps)
            except Conflict as conflict:
                if isinstance(conflict.step, Change) and conflict.step.topic == topic:
                    making = await begin(self._kept, topic)  # it is not there: it begins with what is kept
                raise
            return results[mark], [results[each] for each in marks]

        return await decide(attempt, tries=TRIES, heed=self._changes.heed)

    async def leave(self, live: Live, channel: str, sight: Sight, *, request: str = "") -> None:
        """Leave a channel; one that the session is not in is left already (C3). Raises Refusal.

        `request`: its id, "" for none; a repeat of it leaves nothing that was joined since (PROTOCOL §12).
        """
        check_name(channel, "channel name")
        place = _place_in(live.session.places, channel) or _place_in(live.session.kept, channel)
        topic = topic_key(live.app_id, channel)
        dedupe = request_key(live.key, request) if request else ""
        if place is None:
            if dedupe:
                await self._shared.commit(
                    Change(topic, dedupe=dedupe, dedupe_ttl=live.app.limits.request_memory)
                )
            return
        if dedupe:
            (left,) = await self._shared.load(Receipt(topic, dedupe))
            if left is not None:
                return

        async def attempt() -> Changed:
            steps = self._changes.leaving(live.app_id, live.account, place, request=dedupe)
            changed, *_ = await self._presence.commit(live, leave(live.session, channel), *steps)
            return cast(Changed, changed)

        sight.unsee(channel)
        try:
            changed = await decide(attempt, tries=TRIES, heed=self._changes.heed)
        except BaseException:
            sight.stay(channel)
            raise
        if changed.applied:
            await sight.part(channel, changed.offset - changed.told)
        await self._gone(live.app_id, live.account, channel, changed)

    async def put_out(self, app_id: str, account: str, channel: str) -> bool:
        """Put an account out of a channel (601); whether it was in it. Raises Refusal: 1004, 1005."""
        rules.check_open_channel(channel)
        check_name(account, "account")
        key = inbox_key(app_id, account)

        async def attempt() -> tuple[Session, Changed] | None:
            found = await self._presence.find(key)
            if found is None:
                return None
            session, rev = found
            place = _place_in(session.places, channel) or _place_in(session.kept, channel)
            if place is None:
                return None
            steps = self._changes.leaving(app_id, account, place)
            put = putting(key, leave(session, channel), expect=rev)
            _, changed, *_ = await self._shared.commit(put, *steps)
            return session, changed

        done = await decide(attempt, tries=TRIES, heed=self._changes.heed)
        if done is None:
            return False
        session, changed = done
        if session.attached:
            event = self._changes.leave_event(account)
            # A number that it has not seen, too, where the channel tells its members of no leaves.
            number = changed.offset + (not changed.told)
            note = PutOut(key, session.line, channel, changed.epoch, number, event.time, event)
            await self._shared.nodes.send(session.node, note)
        await self._gone(app_id, account, channel, changed)
        return changed.news

    async def close(self, app_id: str, channel: str) -> int:
        """Put everybody out of a channel, and end it with its attributes; how many they were.

        Raises Refusal.
        """
        rules.check_open_channel(channel)
        topic = topic_key(app_id, channel)
        (snapshot,) = await self._shared.load(Topic(topic, LIST_ALL_MEMBERS))
        members = () if snapshot is None else snapshot.members
        out = 0

        async def one(account: str) -> None:
            nonlocal out
            out += await self.put_out(app_id, account, channel)

        for first in range(0, len(members), _PIECE):
            await together([one(account) for account in members[first : first + _PIECE]])
            await self._pauses.take()
        await self._endings.close(topic)
        return out

    def departing(self, app_id: str, account: str, places: Sequence[Place]) -> list[Departure]:
        """The steps that take an account out of channels, each if the place is still the one meant; they are
        for a commit with others, and `departed` is for what follows."""
        return [
            Departure(app_id, account, place.channel, self._changes.leaving(app_id, account, place))
            for place in places
        ]

    async def departed(self, departing: Sequence[Departure], results: Sequence[Any]) -> None:
        """What follows from these steps, which had these results."""
        mark = 0
        for app_id, account, channel, steps in departing:
            await self._gone(app_id, account, channel, results[mark])
            mark += len(steps)

    async def _gone(self, app_id: str, account: str, channel: str, changed: Changed) -> None:
        """What follows when somebody has left."""
        topic, shown = topic_key(app_id, channel), changed.shown
        if not changed.news or shown is None:
            return
        if not changed.count:
            await self._endings.emptied(topic, shown)
        if shown.attributes:
            await self._census.came_or_went(topic, shown.attributes)
        if self._webhooks is not None:
            await self._webhooks.left(app_id, account, channel, changed)

    # --- queries ----------------------------------------------------------------------------------

    async def count(self, live: Live, channel: str) -> int:
        """How many members a channel has; 0 for an unknown one (C13)."""
        return (await self.newest(live, channel, 0)).total

    async def is_in(self, live: Live, channel: str, account: str) -> bool:
        """Whether an account is a member of a channel."""
        rules.check_channel(channel)
        check_name(account, "account")
        if channel in SPECIAL and account != live.account:
            return False
        (tag,) = await self._shared.load(PlaceOf(topic_key(live.app_id, channel), account))
        return tag is not None

    async def newest(self, live: Live, channel: str, limit: int) -> Members:
        """The newest members of a channel, oldest first (C12); of a special one oneself alone (P4)."""
        rules.check_channel(channel)
        if channel in SPECIAL:
            inside = await self.is_in(live, channel, live.account)
            return Members(1, [live.account]) if inside else Members(0, [])
        ask = Topic(topic_key(live.app_id, channel), max(0, min(limit, LIST_ALL_MEMBERS)))
        (snapshot,) = await self._shared.load(ask)
        return Members(0, []) if snapshot is None else Members(snapshot.count, list(snapshot.members))


def _place_in(places: Sequence[Place], channel: str) -> Place | None:
    for place in places:
        if place.channel == channel:
            return place
    return None


def _ordinary(session: Session, *, but: str) -> list[Place]:
    """The places in ordinary channels, without one in this."""
    places = (*session.places, *session.kept)
    return [place for place in places if place.channel != but and place.channel not in SPECIAL]


def _since(session: Session, channel: str, offset: int) -> Session:
    """The session that knows when it came into the channel; its record learns it with its next change."""
    places = [
        msgspec.structs.replace(place, since=offset)
        if place.channel == channel and not place.since and not place.seen
        else place
        for place in session.places
    ]
    return msgspec.structs.replace(session, places=tuple(places))
