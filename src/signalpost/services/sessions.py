"""Sessions: logging in and out, breaking and resuming, and ending when their time is over (SPEC §2).

A session's record, its timer and the rate of logins are changed in one commit. What follows from it (places
in channels, calls, attributes) comes behind, and is harmless when it is done twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from signalpost.domain import sessions as rules
from signalpost.domain.apps import App
from signalpost.domain.grants import NOTHING, Grants
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.domain.sessions import Arrival, Place, Session
from signalpost.engine.ports import Arm, Cancel, Clock, Conflict, Expect, RateExceeded, Step, Unavailable
from signalpost.engine.ports.shared import Shared, Spend
from signalpost.services.attributes import Attributes
from signalpost.services.bars import check_bar, held_of
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels, Missed
from signalpost.services.channels.membership import Departure
from signalpost.services.decide import decide
from signalpost.services.driver import both, start
from signalpost.services.keys import inbox_key, logins_key, session_key, subject_of
from signalpost.services.live import Live
from signalpost.services.notes import Altered, Kicked, Moved, Notes
from signalpost.services.outlet import ALL, Outlet, Reach
from signalpost.services.presence import TRIES, Presence, Standing, putting, removing
from signalpost.services.spending import Travelling
from signalpost.services.webhooks import Webhooks
from signalpost.wire.codes import REASON_KICK, Code

__all__ = ["Login", "LoginRequest", "Sessions", "proof_of"]

_UNTOLD = 15.0  # seconds before the last sign of life of a node of which nobody knows what it told
_HANDOVER = 10.0  # seconds in which a login has given up the places of the session that it has ended


class LoginRequest(msgspec.Struct, frozen=True, gc=False):
    """A login whose token has been checked. `channels`: the client's cursors (PROTOCOL §12); `grants`: what
    the token brings along (J5)."""

    app: App
    app_id: str
    account: str
    proof: str
    ours: bool
    line: str
    channels: dict[str, tuple[str, int]]
    grants: Grants = NOTHING
    issued: float = 0.0  #: when the token was made; 0.0 where it does not say
    expires: Callable[[], float] = float  #: when it expires, likewise; asked of an account that is barred


class Login(msgspec.Struct, frozen=True):
    """A login that succeeded; `missed` is what a resumed session has to be told of its channels."""

    live: Live
    resumed: bool
    missed: list[Missed]


def proof_of(token: str) -> str:
    """What is kept of the token that opened a session (L6): enough to recognise it, not to use it."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Sessions:
    """The sessions of all accounts.

    Many fields: a session's beginning and end reach into every other part.
    """

    __slots__ = (
        "_attributes",
        "_calls",
        "_channels",
        "_clock",
        "_find_app",
        "_generation",
        "_new_secret",
        "_notes",
        "_outlet",
        "_owed",
        "_presence",
        "_shared",
        "_travelling",
        "_webhooks",
    )

    def __init__(
        self,
        *,
        shared: Shared,
        presence: Presence,
        attributes: Attributes,
        channels: Channels,
        calls: Calls,
        outlet: Outlet,
        clock: Clock,
        new_secret: Callable[[], str],
        find_app: Callable[[str], App | None],
        webhooks: Webhooks | None = None,
        travelling: Travelling | None = None,
    ) -> None:
        """`new_secret`: makes a text that nobody can guess. `travelling`: None where there is one node."""
        self._shared = shared
        self._presence = presence
        self._attributes = attributes
        self._channels = channels
        self._calls = calls
        self._outlet = outlet
        self._clock = clock
        self._new_secret = new_secret
        self._find_app = find_app
        self._webhooks = webhooks
        self._generation = 0  # of the latest session that this node opened
        self._travelling = travelling
        self._notes = Notes(outlet, self._look, travelling)
        # By account key: sessions without a connection whose records could not be told so, with their reach.
        self._owed: dict[str, tuple[Live, Reach]] = {}
        shared.nodes.listen(self._notes.hear)

    async def opened_with(self, app_id: str, account: str, token: str) -> bool:
        """Whether the account's session was opened with this very token (L6)."""
        found = await self._presence.find(inbox_key(app_id, account))
        if found is None or rules.is_over(found[0], self._clock()):
            return False
        return found[0].proof == proof_of(token)

    async def login(self, request: LoginRequest) -> Login:
        """Open a session, or go on with the one that is there (L7, L17, L18).

        One that yet another login takes over from while it waits has succeeded all the same: `gone` says so.
        Raises Refusal 207 with the reason `kick` for a line that is older than the session that is there;
        TooMany above the account's rate of logins (L16): each may move all of an inbox, channels and calls.
        """
        try:
            return await decide(lambda: self._log_in(request), tries=TRIES, heed=self._channels.watchers.heed)
        except RateExceeded as exceeded:
            limits = request.app.limits
            allowed = (
                f"{limits.logins} a second of one account are allowed, and {limits.logins_burst} at once"
            )
            raise TooMany(Code.LOGIN_E_NET, "logins", allowed, wait=exceeded.wait) from None

    async def _log_in(self, request: LoginRequest) -> Login:
        key, now = inbox_key(request.app_id, request.account), self._clock()
        if self._travelling is not None:
            self._travelling.come(key)
        (entry,), (own, barred) = await both(
            self._presence.look_up(key),
            self._attributes.look_up(key, held_of(request.app_id, request.account)),
        )
        old, rev = self._presence.read(entry) or (None, 0)
        attributes = self._attributes.at_login(request.app, own)
        if old is not None and rules.is_over(old, now):
            await self._end(key, old, rev, "timeout")
            old, rev = None, 0
        if old is not None:
            present = self._outlet.find(key, old.line)
            if present is not None:
                old = rules.recall(old, present.session)
        arrival = rules.decide_login(old, line=request.line, ours=request.ours, now=now)
        if barred is not None:
            check_bar(barred, now=now, issued=request.issued, expires=request.expires())
        limits = request.app.limits
        spend = Spend(logins_key(key), limits.logins, limits.logins_burst)
        if arrival is Arrival.REFUSE:
            await self._shared.commit(spend)
            raise Refusal(Code.LOGIN_E_TOKEN_KICKED, REASON_KICK)
        live = Live(request.app, key, self._session(request, arrival, old, attributes.grace, now), 0)
        grants = request.grants
        if grants is not NOTHING:
            live.channels = grants.channels
        self._notes.begin(live)
        try:
            if old is None:  # so there is no timer either
                step = self._channels.watchers.telling(request.app_id, request.account, "online")
            else:
                step = self._rearm(key, live.session)
            rev, _, _ = await self._shared.commit(putting(key, live.session, expect=rev), step, spend)
            if rev > live.rev:
                live.rev = rev
            try:
                missed: list[Missed] = []
                if old is None:
                    await self._calls.began(live.session)
                else:
                    missed = await self._come_in(live, request, arrival, old)
                if arrival is not Arrival.RESUME:
                    if attributes.any:
                        await self._attributes.came_online(key)
                    if grants.attributes:
                        await self._attributes.grant(live, grants.attributes)
                if self._webhooks is not None:
                    await self._webhooks.came(live.session)
            except Exception:
                await self.abandon(live)  # nobody will be told that it is there
                raise
            return Login(live, arrival is Arrival.RESUME, missed)
        finally:
            self._notes.end(live)

    def _session(
        self, request: LoginRequest, arrival: Arrival, old: Session | None, grace: float, now: float
    ) -> Session:
        """The account's session as the login makes it."""
        node = self._shared.nodes.me
        if arrival is Arrival.RESUME:
            assert old is not None
            session = rules.attach(old, node)
            if session.grace == grace:
                return session
            return msgspec.structs.replace(session, grace=grace)  # it was set as the break came
        generation = self._generation + 1
        by_clock = rules.next_generation(old, now)
        if by_clock > generation:  # so that it is higher than any before, whoever gave that one
            generation = by_clock
        self._generation = generation
        session = Session(
            app=request.app_id,
            account=request.account,
            line=rules.line_of(generation, self._new_secret()),
            proof=request.proof,
            ours=request.ours,
            grace=grace,
            generation=generation,
            node=node,
        )
        if old is None:
            return session
        if arrival is Arrival.INHERIT:
            return rules.inherit(session, old)
        return rules.replace(session, old, until=now + _HANDOVER)

    async def _come_in(
        self, live: Live, request: LoginRequest, arrival: Arrival, old: Session
    ) -> list[Missed]:
        """What follows when a login goes on with a session, or takes over from it; returns what it has
        missed."""
        key, session = live.key, live.session
        if arrival is not Arrival.RESUME:
            if old.attached:
                await self._shared.nodes.send(old.node, Kicked(key, old.line))
            if arrival is Arrival.REPLACE and session.kept:
                await self._give_up(live)
            await self._calls.renewed(session)
        else:
            if old.attached:
                reach = self._outlet.reach(key, old.line)
                if reach is not None:
                    old = rules.stood(old, await self._channels.past.told(old, reach))
                await self._shared.nodes.send(old.node, Moved(key, old.line, session.connection))
            if not old.places:
                await self._calls.resumed(session)
                return []
            catching_up = self._channels.past.catch_up(session, request.channels, old)
            return (await both(catching_up, self._calls.resumed(session)))[0]
        return []

    async def _give_up(self, live: Live) -> None:
        """Leave the channels that the session was in which this one has ended (L17).

        Not before its client was told, which sees them still. If this fails, the timer does it.
        """

        async def attempt() -> tuple[list[Departure], tuple[Any, ...]]:
            session = msgspec.structs.replace(live.session, kept=())
            departing = self._departing(session, live.session.kept)
            rearm = self._rearm(live.key, session)
            return departing, await self._presence.commit(live, session, rearm, *_steps(departing))

        try:
            departing, (_, *results) = await decide(attempt, tries=TRIES, heed=self._channels.watchers.heed)
        except Superseded:
            return  # who has taken over gives them up
        await self._channels.membership.departed(departing, results)

    async def kick(self, app_id: str, account: str, *, reason: str = "kicked") -> Session | None:
        """End the account's session; its client is told as if another login had ended it (L7).

        `reason`: what other back ends are told, `kicked` or `revoked`.

        Returns the session, None if there was none. Raises Refusal: 1004, 1005.
        """
        check_name(account, "account")
        key = inbox_key(app_id, account)

        async def attempt() -> Session | None:
            found = await self._presence.find(key)
            if found is None:
                return None
            session, rev = found
            await self._end(key, session, rev, reason)
            return None if rules.is_over(session, self._clock()) else session

        session = await decide(attempt, tries=TRIES, heed=self._channels.watchers.heed)
        if session is not None and session.attached:
            await self._shared.nodes.send(session.node, Kicked(key, session.line))
        return session

    async def set_attribute(self, app: App, app_id: str, account: str, name: str, value: str) -> None:
        """Set an attribute of an account, which need not be online (P2). Raises Refusal: 1001, 1004, 1005."""
        check_name(account, "account")
        key = inbox_key(app_id, account)
        grace = await self._attributes.assign(app, key, name, value)
        if grace is None:
            return

        async def attempt() -> None:
            found = await self._presence.find(key)
            if found is None:
                return
            session = msgspec.structs.replace(found[0], grace=grace)
            await self._shared.commit(putting(key, session, expect=found[1]))
            if session.attached:
                await self._shared.nodes.send(session.node, Altered(key, session.line))

        await decide(attempt, tries=TRIES)

    async def logout(self, live: Live) -> None:
        """End the session at its user's wish: offline at once (L9); nothing if it is no longer this one."""

        if self._travelling is not None:
            self._travelling.leave(live.key)

        async def attempt() -> None:
            try:
                await self._end(live.key, live.session, live.rev, "logout")
            except Conflict:
                await self._presence.check(live)
                raise

        try:
            await decide(attempt, tries=TRIES, heed=self._channels.watchers.heed)
        except Superseded:
            return
        except Unavailable:
            self._owed[live.key] = live, ALL  # it has no connection any more
            raise

    async def detach(self, live: Live, reach: Reach = ALL) -> None:
        """The session's connection is gone: its grace time begins (L11), unless it goes on elsewhere."""
        try:
            await self._detach(live, reach)
        except Unavailable:
            self._owed[live.key] = live, reach
            raise

    async def _detach(self, live: Live, reach: Reach) -> None:
        if self._travelling is not None:
            self._travelling.leave(live.key)
        told = await self._channels.past.told(live.session, reach) if live.session.places else {}

        async def attempt() -> None:
            session = rules.detach(live.session, seen=told, now=self._clock())
            await self._presence.commit(live, session, self._rearm(live.key, session))

        try:
            await decide(attempt, tries=TRIES)
        except Superseded:
            return
        if self._webhooks is not None:
            await self._webhooks.detached(live.session)

    async def abandon(self, live: Live) -> None:
        """Detach a session whose login came to nothing, unless it goes on elsewhere: it ends in its time.

        Nobody was told of it, nor of what it has missed.
        """
        await self.detach(live, Reach(behind={place.channel: place.seen for place in live.session.places}))

    async def lose(self, key: str, node: str, silence: float) -> None:
        """The node that has the account's session is gone, and was not heard of for so many seconds: its
        grace time begins (L11, N3)."""
        await decide(lambda: self._lose(key, node, silence), tries=TRIES)

    async def _lose(self, key: str, node: str, silence: float) -> None:
        found = await self._presence.find(key)
        if found is None or not found[0].attached or found[0].node != node:
            return
        session, rev = found
        # How far it was told of its channels only that node knew.
        told = await self._channels.past.told(session, Reach(silence + _UNTOLD))
        session = rules.detach(session, seen=told, now=self._clock())
        await self._shared.commit(putting(key, session, expect=rev), self._rearm(key, session))

    async def stay(self, live: Live) -> None:
        """An attached session is still here, whatever others have made of it while this node was silent."""
        rearm = self._rearm(live.key, live.session)
        with suppress(Superseded):  # that is told to it
            await decide(lambda: self._presence.commit(live, live.session, rearm), tries=TRIES)

    async def settle(self) -> None:
        """Begin the grace time of sessions whose records could not be told that it does."""
        for key, (live, reach) in list(self._owed.items()):
            await self._detach(live, reach)
            if self._owed.get(key) == (live, reach):
                del self._owed[key]

    async def due(self, key: str) -> None:
        """The deadline of a detached session, or of places kept for a fresh one (L11, L17)."""
        heed = self._channels.watchers.heed
        await decide(lambda: self._look_after(subject_of(key)), tries=TRIES, heed=heed)

    async def _look_after(self, key: str) -> None:
        """Do what is due of an account's session. Raises Conflict."""
        found = await self._presence.find(key)
        if found is None:
            return
        session, rev = found
        now = self._clock()
        if rules.is_over(session, now):
            await self._end(key, session, rev, "timeout")
            return
        session, over = rules.drop_kept(session, now)
        rearm = self._rearm(key, session)
        if not over:
            await self._shared.commit(Expect(session_key(key), rev), rearm)
            return
        departing = self._departing(session, over)
        put = putting(key, session, expect=rev)
        _, _, *results = await self._shared.commit(put, rearm, *_steps(departing))
        if session.attached:
            await self._shared.nodes.send(session.node, Altered(key, session.line))
        await self._channels.membership.departed(departing, results)

    async def _end(self, key: str, session: Session, rev: int, reason: str) -> None:
        """A session is over for good, back ends are told why. Raises Conflict if it has changed meanwhile.

        What may wait comes last, as the account may log in again meanwhile.
        """
        steps: list[Step[Any]] = [removing(key, expect=rev)]
        departing: list[Departure] = []
        if session.places or session.kept:
            departing = self._departing(session, (*session.places, *session.kept))
            steps += _steps(departing)
        steps.append(self._channels.watchers.telling(session.app, session.account, "offline"))
        if rules.next_deadline(session) is not None:
            steps.append(Cancel(session_key(key)))
        (_, *results), entry = await both(self._shared.commit(*steps), self._attributes.at_end(key))
        try:
            if entry is None:  # as nearly always: it has no attributes
                await self._calls.ended(session)
            else:
                app = self._find_app(session.app) or App()
                await both(self._attributes.went_offline(app, key, entry), self._calls.ended(session))
        finally:
            if departing:
                await self._channels.membership.departed(departing, results)
            if self._webhooks is not None:
                await self._webhooks.went(session, reason)

    def _departing(self, session: Session, places: Sequence[Place]) -> list[Departure]:
        """The steps that take the session out of channels."""
        return self._channels.membership.departing(session.app, session.account, places)

    @staticmethod
    def _rearm(key: str, session: Session) -> Step[None]:
        """The step that has the session's timer tell when something becomes due of it."""
        deadline = rules.next_deadline(session)
        return Cancel(session_key(key)) if deadline is None else Arm(session_key(key), deadline)

    def _look(self, live: Live) -> None:
        """Learn what others have made of an attached session; if that fails, its next change does."""
        start(self._presence.check(live), _looked)

    async def is_online(self, app_id: str, account: str) -> bool:
        """Whether an account has a session, attached or within its grace time (P1). Raises Refusal."""
        check_name(account, "account")
        return await self._presence.standing(app_id, account) is not Standing.OFFLINE


def _steps(departing: Sequence[Departure]) -> Iterator[Step[Any]]:
    return (step for departure in departing for step in departure.steps)


def _looked(result: None, error: Exception | None) -> None:
    """Whoever is superseded has a note of its own."""
