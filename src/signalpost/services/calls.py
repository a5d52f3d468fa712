"""Calls: inviting, answering, ending, and what time does to them (SPEC §6, PROTOCOL §8).

A decision on a call, what it puts into both inboxes, the sets of open calls and the call's timer are one
commit. What was committed is announced then; a notice that is lost only delays.

A call names the sessions that it is between, by their generations. So what follows from a session's end or
beginning is decided for each call by itself, in small pieces, on any node, late or twice: who asks for an
older session than the one in the call changes nothing. An invitation is on record before its callee is looked
for, and a session before its calls are: of two that come at once one finds the other.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import msgspec

from signalpost.domain import calls as rules
from signalpost.domain.apps import App
from signalpost.domain.calls import Call, Effect, Input, State
from signalpost.domain.extras import check_answer_extra, is_phone, parse_invitation
from signalpost.domain.inbox import InboxItem
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name
from signalpost.domain.outcomes import Outcome
from signalpost.domain.refusals import Refusal
from signalpost.domain.sessions import Session
from signalpost.domain.webhooks import call_event, ended_by
from signalpost.engine.ports import Clock, Full
from signalpost.engine.ports.kept import (
    Append,
    Bounds,
    Count,
    Exclude,
    Include,
    Kept,
    Marked,
    Marks,
    Names,
    RemoveMarked,
)
from signalpost.engine.ports.steps import Arm, Cancel, Delete, Entry, Expect, Keys, Put, Record, Step
from signalpost.services.bell import Bell
from signalpost.services.decide import decide
from signalpost.services.driver import both
from signalpost.services.keys import (
    call_key,
    call_keys,
    calls_key,
    event_mark,
    inbox_key,
    pair_key,
    session_of_mark,
    split,
)
from signalpost.services.live import Live
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence
from signalpost.services.repeats import UNNAMED, Once, Repeats
from signalpost.services.stored import CALL, ITEM
from signalpost.services.webhooks import Webhooks
from signalpost.wire.codes import EXTRA_BYTES, Code
from signalpost.wire.texts import size_of

__all__ = ["Answer", "Calls"]

_LOOK = 30.0  # seconds between two looks whether the parties of an accepted call have their sessions still

News = tuple[Call, str, dict[str, Any]]  # a call, and what back ends are told of it
Rule = Callable[[Call], Input | None]  # what happens to this call; None if nothing does
Succession = Coroutine[Any, Any, None]  # letting an account's calls follow; no coroutine around another


class Answer(NamedTuple):
    """What a party does to a call, seen from each side."""

    by_caller: Input | None
    by_callee: Input | None


class Calls:
    """All calls, in the engine's kept half; their events travel through the inboxes."""

    __slots__ = (
        "_bell",
        "_clock",
        "_find_app",
        "_kept",
        "_look",
        "_new_id",
        "_pauses",
        "_presence",
        "_repeats",
        "_wall",
        "_webhooks",
    )

    def __init__(
        self,
        *,
        kept: Kept,
        presence: Presence,
        bell: Bell,
        pauses: Pauses,
        repeats: Repeats,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
        look: float = _LOOK,
        webhooks: Webhooks | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._kept = kept
        self._presence = presence
        self._bell = bell
        self._pauses = pauses
        self._repeats = repeats
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id
        self._find_app = find_app
        self._look = look  # seconds, see `_LOOK`

    # --- what the parties do ------------------------------------------------------------------

    async def invite(self, live: Live, channel: str, peer: str, extra: str, *, request: str = "") -> str:
        """Call `peer` into a channel; returns the channel's name, made here if ours left it empty (K1, K10).

        Raises Refusal: 700 (K12, M9), 701, 703 (K5), 705 (K13), 1004, 1005.
        """
        if not channel and live.session.ours:
            channel = f"call-{self._new_id()}"
        check_name(channel, "channel name")
        check_name(peer, "account")
        limits = live.app.limits
        invitation = parse_invitation(extra, limits)
        if is_phone(peer, invitation):
            reason = f"{rules.NO_ACK}: no gateway to the telephone network is configured"
            raise Refusal(Code.INVITE_E_CANTRECV, reason)
        call = Call(
            id=self._new_id(),
            channel=channel,
            caller=live.account,
            callee=peer,
            extra=extra,
            state=State.WAITING,
            invited=self._clock(),
            timeout=invitation.timeout,
            caller_session=live.session.generation,
        )
        waits = True  # what a repeat is of may have come no further

        async def attempt(once: Once) -> str:
            nonlocal waits
            waits = await self._invite(live.app_id, call, invitation.require_online, limits, once)
            return channel

        channel = await self._repeats.once(live, request, attempt)
        if waits:  # whoever came before it was on record has not found it
            session = await self._presence.present(inbox_key(live.app_id, peer))
            if session is not None and session.attached:
                key = call_key(live.app_id, channel, live.account, peer)
                await self._follow(session, (key,), lambda call: rules.at_resume(call, peer))
        return channel

    async def _invite(
        self, app_id: str, call: Call, require_online: bool, limits: Limits, once: Once
    ) -> bool:
        """Put a new call on record; returns whether it waits for its callee."""
        caller, callee = inbox_key(app_id, call.caller), inbox_key(app_id, call.callee)
        key = call_key(app_id, call.channel, call.caller, call.callee)
        of_caller, of_callee = calls_key(caller), calls_key(callee)
        loading = self._kept.load(
            Record(key, durable=False),
            Count(of_caller),
            Count(of_callee),
            Marked(caller),
            Marked(callee),
            *once.asks,
        )
        facts, session = await both(loading, self._presence.present(callee))
        found, with_caller, with_callee, for_caller, for_callee, *noted = facts
        once.recall(noted)
        current, rev = _decoded(found)
        call, effects = rules.invite(current, call)
        news: list[News] = [] if current is None else [_ended_anew(current, call, self._clock())]
        news.append((call, "call.invited", {"extra": call.extra}))
        if require_online and session is None:
            raise Refusal(Code.INVITE_E_PEEROFFLINE, "the peer is offline")
        if session is not None and session.attached:
            call, pushed = rules.push(call, session=session.generation, now=self._clock())
            effects += pushed
        if current is None:  # else one follows the other
            if with_caller >= limits.open_calls:
                raise rules.too_many_calls(call.caller, limits.open_calls)
            if with_callee >= limits.open_calls:
                raise rules.too_many_calls(call.callee, limits.open_calls)
        # The invitation takes the room of its end along.
        reserve = limits.inbox_call_reserve
        _check_room(call.callee, for_callee + with_callee + 2, reserve, Code.INVITE_E_OTHER)
        _check_room(call.caller, for_caller + with_caller + 1, reserve, Code.INVITE_E_OTHER)
        most, most_with = (limits.open_calls, limits.open_calls_with_one) if current is None else (0, 0)
        deadline = rules.next_deadline(call, peer_online=session is not None, limits=limits)
        assert deadline is not None, "a call that rings or waits has an end"
        own = Include(of_caller, key, call.id, most, durable=False)
        of_both = Include(pair_key(app_id, call.caller, call.callee), key, call.id, most_with, durable=False)
        their = Include(of_callee, key, call.id, most, durable=False)
        try:
            await self._commit(
                app_id,
                limits,
                call.channel,
                effects,
                [
                    Put(key, CALL.encode(call), expect=rev, durable=False),
                    own,
                    of_both,
                    their,
                    Arm(key, deadline, durable=False),
                    *once.note(Outcome(call.channel)),
                ],
                news,
            )
        except Full as full:
            if full.step is own:
                raise rules.too_many_calls(call.caller, most) from None
            if full.step is of_both:
                raise rules.too_many_with(call.callee, most_with) from None
            if full.step is their:
                raise rules.too_many_calls(call.callee, most) from None
            raise rules.no_room(call.callee, reserve, Code.INVITE_E_OTHER) from None
        return call.state is State.WAITING

    async def answer(
        self, live: Live, channel: str, peer: str, answer: Answer, extra: str, *, request: str = ""
    ) -> None:
        """Confirm, accept, refuse or send keys (K2, K4, K12). Raises Refusal: 1001, 1004, 1005."""
        check_name(channel, "channel name")
        check_name(peer, "account")
        account = live.account

        def rule(call: Call) -> Input:
            what = answer.by_caller if call.caller == account else answer.by_callee
            if what is None:
                raise Refusal(Code.GENERAL_E_FAILED, "only the one who was called can do that")
            return what

        app_id = live.app_id
        key = call_key(app_id, channel, account, peer)
        by = live.session
        await self._repeats.once(
            live,
            request,
            lambda once: self._advance(app_id, key, peer, rule, extra=extra, by=by, once=once),
        )

    async def end(self, live: Live, channel: str, peer: str, extra: str, *, request: str = "") -> None:
        """End a call, or its invitation; one that is over changes nothing and is no failure (K3, K12).

        Raises Refusal: 1004, 1005.
        """
        check_name(channel, "channel name")
        check_name(peer, "account")
        app_id, account = live.app_id, live.account
        key = call_key(app_id, channel, account, peer)

        def rule(call: Call) -> Input | None:
            return rules.ends(call, account)

        await self._repeats.once(
            live, request, lambda once: self._advance(app_id, key, "", rule, extra=extra, once=once)
        )

    # --- what a back end does -------------------------------------------------------------------

    async def find(self, app_id: str, channel: str, one: str, other: str) -> Call | None:
        """The open call that there may be between two accounts in a channel."""
        (found,) = await self._kept.load(Record(call_key(app_id, channel, one, other), durable=False))
        return _decoded(found)[0]

    async def of(self, app_id: str, account: str) -> list[Call]:
        """The open calls of an account. Raises Refusal: 1004, 1005."""
        check_name(account, "account")
        (names,) = await self._kept.load(Names(calls_key(inbox_key(app_id, account))))
        return await self._read(list(names))

    async def page(self, app_id: str, cursor: str, limit: int) -> tuple[list[Call], str]:
        """Open calls of an app; behind which cursor more follow, "" if none do."""
        (listed,) = await self._kept.load(Keys(call_keys(app_id), cursor, limit))
        return await self._read(listed.names), listed.cursor

    async def _read(self, keys: list[str]) -> list[Call]:
        found = await self._kept.load(*[Record(key, durable=False) for key in keys])
        return [CALL.decode(entry.value) for entry in found if entry is not None]

    async def close(self, app_id: str, call: Call, extra: str) -> bool:
        """End this call, and tell both parties; whether it was open. Raises Refusal: 1004, 1005."""
        check_answer_extra(extra)
        key = call_key(app_id, call.channel, call.caller, call.callee)
        ended = False

        def rule(found: Call) -> Input | None:
            nonlocal ended
            ended = found.id == call.id
            return Input.END_BY_APP if ended else None

        await decide(lambda: self._advance(app_id, key, "", rule, extra=extra))
        return ended

    # --- what happens to the parties -----------------------------------------------------------

    async def resumed(self, session: Session) -> None:
        """The session has a connection again: what waits for it is pushed (K5)."""
        account = session.account
        (calls,) = await self._kept.load(Names(calls_key(inbox_key(session.app, account))))
        if calls:
            await self._follow(session, calls, lambda call: rules.at_resume(call, account))

    def began(self, session: Session) -> Succession:
        """The account, which had no session, has this one (K5, K11)."""
        return self._succeed(session, session.generation, rules.at_login)

    def renewed(self, session: Session) -> Succession:
        """The account logged in afresh over its session: only live invitations to it remain, and ring anew
        (L17, K11)."""
        return self._succeed(session, session.generation, rules.at_takeover)

    def ended(self, session: Session) -> Succession:
        """The session ended: so do its calls; an invitation that it never got goes on waiting (K11)."""
        return self._succeed(session, session.generation + 1, rules.at_end)

    async def _succeed(
        self, session: Session, first: int, rule: Callable[[Call, str, int], Input | None]
    ) -> None:
        """Let the account's calls follow, and leave no event for a session before the generation `first` in
        its inbox: it means nothing to the next one (PROTOCOL §8)."""
        inbox = inbox_key(session.app, session.account)
        calls, marks = await self._kept.load(Names(calls_key(inbox)), Marks(inbox))
        if marks:
            await self._forget(inbox, marks, first)  # which makes room (M9)
        if calls:
            account, number = session.account, session.generation
            await self._follow(session, calls, lambda call: rule(call, account, number))
            (marks,) = await self._kept.load(Marks(inbox))
            await self._forget(inbox, marks, first)  # what came meanwhile; no more will come

    async def _forget(self, inbox: str, marks: Iterable[str], first: int) -> None:
        over = [mark for mark in marks if session_of_mark(mark) < first]
        if over:
            await self._kept.commit(RemoveMarked(inbox, over))

    async def _follow(self, session: Session, calls: Iterable[str], rule: Rule) -> None:
        """Let each of the account's calls follow what has become of its session."""
        for key in tuple(calls):
            await self._pauses.take()
            with suppress(Refusal):  # no room for the invitation: it waits until its time is over
                await decide(partial(self._advance, session.app, key, session.account, rule, follows=session))

    async def due(self, key: str) -> bool:
        """A call's timer: see what time has done to it (K5-K7), or an end that nobody told (K11).

        Returns whether it has armed the timer anew.
        """
        await self._pauses.take()  # many may be due at once
        return await decide(lambda: self._let_time_pass(key))

    async def _let_time_pass(self, key: str) -> bool:
        (found,) = await self._kept.load(Record(key, durable=False))
        call, rev = _decoded(found)
        if call is None:
            return False
        app_id = split(key)[1]
        limits, now = self._limits(app_id), self._clock()
        if call.state is State.ACCEPTED:
            caller = await self._session_of(app_id, call.caller)
            callee = await self._session_of(app_id, call.callee)
            what = rules.at_look(call, caller, callee)
            deadline: float | None = now + self._look
            told = bool(caller or callee)
        else:
            online = call.state is not State.WAITING or bool(await self._session_of(app_id, call.callee))
            what = rules.overdue(call, peer_online=online, limits=limits, now=now)
            deadline = rules.next_deadline(call, peer_online=online, limits=limits)
            told = True
        if what is None:
            assert deadline is not None, "a call that is not over has a timer"
            await self._kept.commit(Expect(key, rev, durable=False), Arm(key, deadline, durable=False))
            return True
        after, effects = rules.advance(call, what)
        # Nobody is told who has no session: over a login an event means nothing (PROTOCOL §8).
        told_of = effects if told else ()
        news = self._news(call, after, what, effects)
        await self._commit(app_id, limits, call.channel, told_of, _end(app_id, key, rev, after), news)
        return False

    async def _session_of(self, app_id: str, account: str) -> int:
        session = await self._presence.present(inbox_key(app_id, account))
        return 0 if session is None else session.generation

    # --- deciding and committing ----------------------------------------------------------------

    async def _advance(
        self,
        app_id: str,
        key: str,
        told: str,
        rule: Rule,
        *,
        extra: str = "",
        by: Session | None = None,
        follows: Session | None = None,
        once: Once = UNNAMED,
    ) -> str:
        """Let the rule decide once on a call; there is nothing to be known of the result. Raises Conflict.

        `told`: whose inbox has to have room for what is told while the call is open (M9); "" if nothing is.
        `by`: the session in which a party acts, if that makes it the one in the call, and if there has to be
        one; `follows`: that of `told`, if the call follows what has become of it. Raises Refusal (K12, M9).
        """
        wanted = 0
        if told:
            inbox = inbox_key(app_id, told)
            found, events, open_calls, *noted = await self._kept.load(
                Record(key, durable=False), Marked(inbox), Count(calls_key(inbox)), *once.asks
            )
            wanted = events + open_calls + 1
        else:
            found, *noted = await self._kept.load(Record(key, durable=False), *once.asks)
        once.recall(noted)
        if found is None:
            if by is None:
                return ""
            reason = "there is no such call: it was answered, ended or timed out"
            raise Refusal(Code.GENERAL_E_FAILED, reason)
        call = before = CALL.decode(found.value)
        what = rule(call)
        if what is None:
            return ""
        if by is not None:
            call = rules.acting(call, by.account, by.generation)
        if what is Input.PUSH:
            assert follows is not None, "it is sent to a session"
            after, effects = rules.push(call, session=follows.generation, now=self._clock())
        else:
            after, effects = rules.advance(call, what, extra)
            if what is Input.ACCEPT:
                after = msgspec.structs.replace(after, accepted=self._clock())
        limits = self._limits(app_id)
        for effect in effects:
            if effect.kind in rules.WHILE_OPEN:
                _check_room(told, wanted, limits.inbox_call_reserve, Code.GENERAL_E_FAILED)
        steps: list[Step[Any]]
        if after.over:
            steps = _end(app_id, key, found.rev, after)
        elif after is not before:
            steps = [Put(key, CALL.encode(after), expect=found.rev, durable=False)]
        elif effects or what is Input.CALLEE_GONE:
            steps = [Expect(key, found.rev, durable=False)]
        else:
            return ""
        # Only then may its time come earlier: a timer that is too early arms itself anew.
        if what is Input.PUSH or (what is Input.CALLEE_GONE and not after.over):
            deadline = rules.next_deadline(after, peer_online=what is Input.PUSH, limits=limits)
            assert deadline is not None, "a call that rings or waits has an end"
            steps.append(Arm(key, deadline, durable=False))
        steps += once.note()
        try:
            news = self._news(before, after, what, effects)
            await self._commit(app_id, limits, call.channel, effects, steps, news)
        except Full:
            raise rules.no_room(effects[-1].to, limits.inbox_call_reserve, Code.GENERAL_E_FAILED) from None
        return ""

    async def _commit(
        self,
        app_id: str,
        limits: Limits,
        channel: str,
        effects: tuple[Effect, ...],
        steps: list[Step[Any]],
        news: Sequence[News],
    ) -> None:
        """Commit a decision's steps and effects, then announce what it told. Raises Conflict, Full.

        `news`: what back ends are told of it, before the parties are.
        """
        told: list[tuple[int, str, InboxItem]] = []  # with the number of its step
        for effect in effects:
            if not effect.session:
                continue  # a caller for which its back end rings: there is nobody to be told
            inbox, mark = inbox_key(app_id, effect.to), event_mark(effect.call, effect.session)
            kind = effect.kind
            if not kind:
                steps.append(RemoveMarked(inbox, (mark,)))
                continue
            now = int(self._wall())
            item = InboxItem(self._new_id(), kind, effect.src, now, effect.extra, channel, effect.call)
            told.append((len(steps), inbox, item))
            steps.append(_append(inbox, item, mark, limits))
        results = await self._kept.commit(*steps)
        if self._webhooks is not None:
            for call, event, more in news:
                await self._webhooks.call(app_id, call, event, more)
        for number, inbox, item in told:
            self._bell.announce(inbox, results[number].seq, item)

    def _news(self, before: Call, after: Call, what: Input, effects: tuple[Effect, ...]) -> Sequence[News]:
        """What back ends are told of it, where there are any."""
        if self._webhooks is None:
            return ()
        found = call_event(before.state, after, what, effects, self._clock())
        return () if found is None else ((after, *found),)

    def _limits(self, app_id: str) -> Limits:
        return (self._find_app(app_id) or App()).limits


def _ended_anew(current: Call, call: Call, now: float) -> News:
    """An accepted call ends because one of the two calls anew (K8)."""
    return current, "call.ended", ended_by(current, call.caller, now)


def _decoded(found: Entry | None) -> tuple[Call | None, int]:
    return (None, 0) if found is None else (CALL.decode(found.value), found.rev)


def _check_room(account: str, wanted: int, reserve: int, code: Code) -> None:
    """Refuse what does not fit into the account's inbox beside the ends of its open calls (M9)."""
    if wanted > reserve:
        raise rules.no_room(account, reserve, code)


def _append(inbox: str, item: InboxItem, mark: str, limits: Limits) -> Append:
    """The step that tells a party; it has room for it (M9)."""
    reserve = limits.inbox_call_reserve
    if item.kind not in rules.WHILE_OPEN:
        reserve *= 2  # an end has its room, even if some that came at once took more than there was
    return Append(
        inbox,
        ITEM.encode(item),
        size_of(item.text),
        _bounds(limits, reserve),
        durable=False,
        mark=mark,
    )


def _bounds(limits: Limits, reserve: int) -> Bounds:
    return Bounds(
        limits.inbox_seconds, limits.inbox_messages + reserve, limits.inbox_bytes + reserve * EXTRA_BYTES
    )


def _end(app_id: str, key: str, rev: int, call: Call) -> list[Step[Any]]:
    """The steps that put away a call that is over."""
    return [
        Delete(key, expect=rev, durable=False),
        Cancel(key, durable=False),
        Exclude(calls_key(inbox_key(app_id, call.caller)), key, call.id, durable=False),
        Exclude(calls_key(inbox_key(app_id, call.callee)), key, call.id, durable=False),
        Exclude(pair_key(app_id, call.caller, call.callee), key, call.id, durable=False),
    ]
