"""Sessions: logging in and out, breaking and resuming, and ending when their time is over (SPEC §2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import msgspec

from signalpost.domain import sessions as rules
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name
from signalpost.domain.rates import Bucket, Rates
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.domain.sessions import Arrival, Place, Session
from signalpost.engine.ports import Clock, Conflict, Records, Timers
from signalpost.services.attributes import Attributes
from signalpost.services.calls import Calls
from signalpost.services.channels import Channels, Missed
from signalpost.services.keys import inbox_key, session_key, subject_of, superseded_key
from signalpost.services.live import Gone, Live
from signalpost.services.outlet import ALL, Outlet, Reach
from signalpost.services.presence import Presence, Standing
from signalpost.wire.codes import REASON_KICK, Code

__all__ = ["Login", "Request", "Sessions", "proof_of"]

_SUPERSEDED_MEMORY = 86_400.0  # seconds for which a superseded line is recognised (L18)


class Request(NamedTuple):
    """A login whose token has been checked. `channels`: the client's cursors (PROTOCOL §12)."""

    app: App
    app_id: str
    account: str
    proof: str
    ours: bool
    line: str
    channels: dict[str, tuple[str, int]]


class Login(NamedTuple):
    """A login that succeeded; `missed` is what a resumed session has to be told of its channels."""

    live: Live
    resumed: bool
    missed: list[Missed]


def proof_of(token: str) -> str:
    """What is kept of the token that opened a session (L6): enough to recognise it, not to use it."""
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Sessions:
    """The sessions of all accounts."""

    __slots__ = (
        "_attributes",
        "_calls",
        "_channels",
        "_clock",
        "_coming",
        "_find_app",
        "_logins",
        "_new_line",
        "_outlet",
        "_presence",
        "_records",
        "_timers",
    )

    def __init__(
        self,
        *,
        records: Records,
        timers: Timers,
        presence: Presence,
        attributes: Attributes,
        channels: Channels,
        calls: Calls,
        outlet: Outlet,
        clock: Clock,
        new_line: Callable[[], str],
        find_app: Callable[[str], App | None],
    ) -> None:
        self._records = records
        self._timers = timers
        self._presence = presence
        self._attributes = attributes
        self._channels = channels
        self._calls = calls
        self._outlet = outlet
        self._clock = clock
        self._new_line = new_line
        self._find_app = find_app
        self._logins = Rates(Bucket)  # by account key (L16)
        # By account key: logins under way whose session may be the account's already.
        self._coming: dict[str, list[Live]] = {}

    async def opened_with(self, app_id: str, account: str, token: str) -> bool:
        """Whether the account's session was opened with this very token (L6)."""
        found = await self._presence.find(inbox_key(app_id, account))
        if found is None or rules.is_over(found[0], self._clock()):
            return False
        return found[0].proof == proof_of(token)

    async def login(self, request: Request) -> Login:
        """Open a session, or go on with the one that is there (L7, L17, L18).

        One that yet another login takes over from while it waits has succeeded all the same: `gone` says so.
        Raises Refusal 207 with the reason `kick` for a superseded line; TooMany above the account's rate of
        logins (L16).
        """
        key = inbox_key(request.app_id, request.account)
        self._count_login(key, request.app.limits)
        while True:
            found = await self._presence.find(key)
            old, rev = (None, 0) if found is None else found
            if old is not None and rules.is_over(old, self._clock()):
                await self._end_unless_changed(key, old, rev)
                continue
            superseded = bool(request.line) and await self._is_superseded(key, request.line)
            arrival = rules.decide_login(
                old, line=request.line, superseded=superseded, ours=request.ours, now=self._clock()
            )
            if arrival is Arrival.REFUSE:
                raise Refusal(Code.LOGIN_E_TOKEN_KICKED, REASON_KICK)
            live = Live(request.app, key, await self._prepare(key, request, arrival, old), 0)
            with self._under_way(live):
                try:
                    live.rev = await self._presence.put(key, live.session, expect=rev)
                except Conflict:
                    continue
                try:
                    missed = await self._settle_in(live, request, arrival, old)
                except Exception:
                    # Nobody will be told that it is there, and who it replaces may still be in channels.
                    await self.abandon(live, old if arrival is Arrival.REPLACE else None)
                    raise
            return Login(live, arrival is Arrival.RESUME, missed)

    @contextmanager
    def _under_way(self, live: Live) -> Iterator[None]:
        """While it lasts, whoever takes over from the session says so here, as it is on no connection yet."""
        coming = self._coming.setdefault(live.key, [])
        coming.append(live)
        try:
            yield
        finally:
            coming.remove(live)
            if not coming:
                self._coming.pop(live.key, None)

    def _count_login(self, key: str, limits: Limits) -> None:
        """Refuse one above the rate (L16): each may move all of the account's inbox, channels and calls."""
        now, rate, burst = self._clock(), limits.logins, limits.logins_burst
        wait = self._logins.of(key, now).take(now, rate=rate, burst=burst)
        if wait:
            allowed = f"{rate} a second of one account are allowed, and {burst} at once"
            raise TooMany(Code.LOGIN_E_NET, "logins", allowed, wait=wait)

    def sweep(self) -> None:
        """Forget some accounts that have not logged in lately."""
        self._logins.sweep(self._clock())

    async def _prepare(self, key: str, request: Request, arrival: Arrival, old: Session | None) -> Session:
        """The login's session, which is not the account's yet."""
        if arrival is Arrival.RESUME:
            assert old is not None
            grace = await self._attributes.grace(request.app, key)  # it may have been set as the break came
            session = msgspec.structs.replace(rules.attach(old), grace=grace)
        else:
            session = Session(
                app=request.app_id,
                account=request.account,
                line=self._new_line(),
                proof=request.proof,
                ours=request.ours,
                grace=await self._attributes.grace(request.app, key),
            )
        if arrival is Arrival.INHERIT:
            assert old is not None
            session = rules.inherit(session, old)
        return session

    async def _settle_in(
        self, live: Live, request: Request, arrival: Arrival, old: Session | None
    ) -> list[Missed]:
        """What follows from a new session, or a new connection of one; returns what it has missed."""
        key, session = live.key, live.session
        await self._rearm(key, session)
        if old is None:
            await self._channels.watchers.tell_online(session.app, session.account, "online")
        elif arrival is not Arrival.RESUME:
            await self._supersede(key, old, arrival, request)
        elif old.attached:
            reach = self._outlet.reach(key, old.line)
            if reach is not None:
                old = rules.stood(old, await self._channels.past.told(old, reach))
            self._replace(key, session)
        await self._calls.attached(session.app, session.account)
        await self._look_after(live)
        if old is not None and arrival is Arrival.RESUME:
            # Last, as nothing may wait between this and the connection's seeing the channels (C9).
            return await self._channels.past.catch_up(session, request.channels, old)
        if live.gone is None:
            await self._attributes.came_online(key)
            await self._look_after(live)
        return []

    async def _look_after(self, live: Live) -> None:
        """Learn what has become of a session while its login waited."""
        if live.gone is not None:
            return
        try:
            await self._presence.check(live)
        except Superseded:
            found = await self._presence.find(live.key)
            same = found is not None and found[0].line == live.session.line
            live.gone = Gone.REPLACED if same else Gone.KICKED

    def _kick(self, key: str, line: str) -> None:
        """End a session that another login has taken over from, on whatever connection it is or will be."""
        for live in self._coming.get(key, ()):
            if live.session.line == line:
                live.gone = Gone.KICKED
        self._outlet.kick(key, line)

    def _replace(self, key: str, session: Session) -> None:
        """End the earlier connections of a session that goes on on a new one."""
        for live in self._coming.get(key, ()):
            earlier = live.session.line == session.line and live.session.connection < session.connection
            if earlier and live.gone is None:
                live.gone = Gone.REPLACED
        self._outlet.replace(key, session.line, before=session.connection)

    async def _supersede(self, key: str, old: Session, arrival: Arrival, request: Request) -> None:
        """What becomes of the session that another login took over from (L7, L17, K11)."""
        if old.ours:
            await self._records.put(superseded_key(key, old.line), b"", expect=None, ttl=_SUPERSEDED_MEMORY)
        if old.attached:
            self._kick(key, old.line)
        if arrival is Arrival.REPLACE:
            await self._vacate(old)
        await self._calls.renewed(request.app_id, request.account)

    async def logout(self, live: Live) -> None:
        """End the session at its user's wish: offline at once (L9)."""
        await self._end_unless_changed(live.key, live.session, live.rev)

    async def detach(self, live: Live, reach: Reach = ALL) -> None:
        """The session's connection is gone: its grace time begins (L11)."""
        told = await self._channels.past.told(live.session, reach)
        session = rules.detach(live.session, seen=told, now=self._clock())
        try:
            live.rev = await self._presence.put(live.key, session, expect=live.rev)
        except Conflict:
            return  # it goes on elsewhere, or is over
        live.session = session
        await self._rearm(live.key, session)

    async def abandon(self, live: Live, replaced: Session | None = None) -> None:
        """Detach a session whose login came to nothing, unless it goes on elsewhere: it ends in its time.

        Nobody was told of it, nor of what it has missed. `replaced`: a session whose places it must give up.
        """
        found = await self._presence.find(live.key)
        if found is None:
            return
        session, rev = found
        if (session.line, session.connection) != (live.session.line, live.session.connection):
            return
        session = rules.detach(session, seen={}, now=self._clock())
        if replaced is not None:
            session = rules.inherit(session, rules.broken_with(replaced, session))
        with suppress(Conflict):
            await self._presence.put(live.key, session, expect=rev)
            await self._rearm(live.key, session)

    async def due(self, key: str) -> None:
        """The deadline of a detached session, or of places kept for a fresh one (L11, L17)."""
        account_key = subject_of(key)
        found = await self._presence.find(account_key)
        if found is None:
            return
        session, rev = found
        now = self._clock()
        try:
            if rules.is_over(session, now):
                await self._end(account_key, session, rev)
                return
            session, over = rules.drop_kept(session, now)
            if over:
                await self._drop_kept(account_key, session, rev, over)
        except Conflict:
            await self._timers.arm(key, now)
            return
        await self._rearm(account_key, session)

    async def _drop_kept(self, key: str, session: Session, rev: int, over: tuple[Place, ...]) -> None:
        rev = await self._presence.put(key, session, expect=rev)
        live = self._outlet.find(key, session.line)
        if live is not None:
            live.session, live.rev = session, rev
        for place in over:
            await self._channels.membership.vacate(session.app, session.account, place)

    async def _end_unless_changed(self, key: str, session: Session, rev: int) -> None:
        """End a session, unless somebody else has ended or taken it over already."""
        try:
            await self._end(key, session, rev)
        except Conflict:
            return

    async def _end(self, key: str, session: Session, rev: int) -> None:
        """A session is over for good. Raises Conflict if it has changed meanwhile.

        What may wait comes last, as the account may log in again meanwhile.
        """
        await self._presence.remove(key, expect=rev)
        await self._timers.cancel(session_key(key))
        await self._vacate(session)
        await self._channels.watchers.tell_online(session.app, session.account, "offline")
        try:
            await self._calls.ended(session.app, session.account)
        finally:
            if await self._presence.find(key) is None:
                await self._attributes.went_offline(self._find_app(session.app) or App(), key)

    async def _vacate(self, session: Session) -> None:
        for place in (*session.places, *session.kept):
            await self._channels.membership.vacate(session.app, session.account, place)

    async def _rearm(self, key: str, session: Session) -> None:
        deadline = rules.next_deadline(session)
        if deadline is None:
            await self._timers.cancel(session_key(key))
        else:
            await self._timers.arm(session_key(key), deadline)

    async def _is_superseded(self, key: str, line: str) -> bool:
        return await self._records.get(superseded_key(key, line)) is not None

    async def is_online(self, app_id: str, account: str) -> bool:
        """Whether an account has a session, attached or within its grace time (P1). Raises Refusal."""
        check_name(account, "account")
        return await self._presence.standing(app_id, account) is not Standing.OFFLINE
