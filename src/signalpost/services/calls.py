"""Calls: inviting, answering, ending, and what time does to them (SPEC §6, PROTOCOL §8).

A decision and its effects are stored together in the call's record, then the effects are performed in order,
each under an id that makes performing it twice harmless, and each is struck from the record when it is done.
The call's timer is armed before the record is written and when performing fails, so that it drives again what
was left undone.

What follows from a session's end or beginning goes through the account's `open_calls` in small pieces, one
session of an account after the other: a call is known by its id there, so that none of a later session is
touched, whatever happens in between.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from signalpost.domain import calls as rules
from signalpost.domain.apps import App
from signalpost.domain.calls import Call, Effect, Input, State
from signalpost.domain.inbox import InboxItem
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Clock, Conflict, Full, Pending, Queues, Records, Timers, Unavailable
from signalpost.services.keys import call_key, inbox_key, split
from signalpost.services.live import Live
from signalpost.services.open_calls import OpenCalls
from signalpost.services.outlet import Outlet
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence, Standing
from signalpost.services.stored import CALL, ITEM
from signalpost.wire.codes import EXTRA_BYTES, Code
from signalpost.wire.texts import size_of

__all__ = ["Answer", "Calls"]

_EFFECT_MEMORY = 120.0  # seconds for which an effect is recognised that was done and could not be struck
_RETRY = 1.0  # seconds after which a timer looks again at a call whose effects are under way


class Answer(NamedTuple):
    """What a party does to a call, seen from each side."""

    by_caller: Input | None
    by_callee: Input | None


class Calls:
    """All calls, in the engine's records; their events travel through the inboxes."""

    __slots__ = (
        "_busy",
        "_clock",
        "_find_app",
        "_new_id",
        "_open",
        "_outlet",
        "_pauses",
        "_presence",
        "_queues",
        "_records",
        "_timers",
        "_wall",
    )

    def __init__(
        self,
        *,
        records: Records,
        queues: Queues,
        timers: Timers,
        presence: Presence,
        outlet: Outlet,
        pauses: Pauses,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
    ) -> None:
        self._records = records
        self._queues = queues
        self._timers = timers
        self._presence = presence
        self._outlet = outlet
        self._pauses = pauses
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id
        self._find_app = find_app
        self._busy: dict[str, Pending] = {}  # by call key: effects that are under way; settled at their end
        self._open = OpenCalls(records, queues, self._limits)

    # --- what the parties do ------------------------------------------------------------------

    async def invite(self, live: Live, channel: str, peer: str, extra: str) -> str:
        """Call `peer` into a channel; returns the channel's name, made here if ours left it empty (K1, K10).

        Raises Refusal: 700 (K12, M9), 701, 703 (K5), 705 (K13), 1004, 1005.
        """
        if not channel and live.session.ours:
            channel = f"call-{self._new_id()}"
        check_name(channel, "channel name")
        check_name(peer, "account")
        invitation = rules.parse_invitation(extra, live.app.limits)
        if rules.is_phone(peer, invitation):
            reason = f"{rules.NO_ACK}: no gateway to the telephone network is configured"
            raise Refusal(Code.INVITE_E_CANTRECV, reason)
        caller = live.account
        standing = await self._presence.standing(live.app_id, peer)
        key = call_key(live.app_id, channel, caller, peer)
        call_id = self._new_id()
        while True:
            current, rev = await self._find(key)
            call = rules.invite(
                current,
                call_id=call_id,
                channel=channel,
                caller=caller,
                callee=peer,
                extra=extra,
                timeout=invitation.timeout,
                now=self._clock(),
            )
            if invitation.require_online and standing is Standing.OFFLINE:
                raise Refusal(Code.INVITE_E_PEEROFFLINE, "the peer is offline")
            if standing is Standing.ATTACHED:
                call = rules.advance(call, Input.PUSH, now=self._clock())
            await self._open.check_number(key, call)
            # The invitation takes the room of its end along.
            await self._open.check_room_of(live.app_id, peer, 2, Code.INVITE_E_OTHER)
            await self._open.check_room_of(live.app_id, caller, 1, Code.INVITE_E_OTHER)
            try:
                await self._store(key, call, rev)
            except Conflict:
                continue
            await self._open.add(key, call)
            await self._carry_out(key)
            return channel

    async def answer(self, live: Live, channel: str, peer: str, answer: Answer, extra: str) -> None:
        """Confirm, accept, refuse or send keys (K2, K4, K12). Raises Refusal: 1001, 1004, 1005."""
        check_name(channel, "channel name")
        check_name(peer, "account")
        key = call_key(live.app_id, channel, live.account, peer)
        if await self._decide(key, lambda call: self._side(call, live.account, answer), extra) is None:
            raise Refusal(Code.GENERAL_E_FAILED, "there is no such call: it was answered, ended or timed out")
        await self._carry_out(key)

    async def end(self, live: Live, channel: str, peer: str, extra: str) -> None:
        """End a call, or its invitation; one that is over changes nothing and is no failure (K3, K12).

        Raises Refusal: 1004, 1005.
        """
        check_name(channel, "channel name")
        check_name(peer, "account")
        key = call_key(live.app_id, channel, live.account, peer)
        if await self._decide(key, lambda call: rules.ends(call, live.account), extra) is not None:
            await self._carry_out(key)

    @staticmethod
    def _side(call: Call, account: str, answer: Answer) -> Input | None:
        what = answer.by_caller if call.caller == account else answer.by_callee
        if what is None:
            raise Refusal(Code.GENERAL_E_FAILED, "only the one who was called can do that")
        return what

    # --- what happens to the parties -----------------------------------------------------------

    async def attached(self, app_id: str, account: str) -> None:
        """The account has a connection: what waits for it is pushed (K5)."""
        key = inbox_key(app_id, account)
        if await self._open.at_rest(key):
            return

        def decide(call: Call) -> Input | None:
            waits = call.callee == account and call.state is State.WAITING
            return Input.PUSH if waits else None

        with await self._open.turn(key):
            for call, call_id in (await self._open.of(key)).items():
                await self._pauses.take()
                with suppress(Refusal):  # no room for the invitation: it waits until its time is over
                    if await self._decide_on(call, call_id, decide) is not None:
                        await self._carry_out(call)

    async def renewed(self, app_id: str, account: str) -> None:
        """The account logged in afresh over its session: only live invitations to it remain, and ring anew
        (L17, K11)."""

        def decide(call: Call) -> Input:
            rings = call.callee == account and call.state is not State.ACCEPTED
            return Input.PUSH if rings else self._gone(call, account)

        await self._succeed(inbox_key(app_id, account), decide)

    async def ended(self, app_id: str, account: str) -> None:
        """The account's session ended: so do its calls; an invitation it never got goes on waiting (K11)."""
        await self._succeed(inbox_key(app_id, account), lambda call: self._gone(call, account))

    async def _succeed(self, key: str, decide: Callable[[Call], Input]) -> None:
        """Let the account's calls end or ring anew, and leave no event of an ended one in its inbox."""
        with await self._open.turn(key):
            calls = await self._open.of(key)
            await self._queues.remove_marked(key, None)  # over a fresh login they mean nothing (PROTOCOL §8)
            over = set()
            for call, call_id in calls.items():
                await self._pauses.take()
                try:
                    decided = await self._decide_on(call, call_id, decide)
                except Refusal:  # no room for the invitation: it waits until its time is over
                    continue
                if decided is None or decided.over:
                    over.add(call_id)
                if decided is not None:
                    over |= {effect.call for effect in decided.effects if effect.call != call_id}
                    await self._carry_out(call)
            # What was under way into this inbox has arrived by now; later calls' events are not ours.
            if over:
                await self._queues.remove_marked(key, over)

    @staticmethod
    def _gone(call: Call, account: str) -> Input:
        return Input.CALLER_GONE if call.caller == account else Input.CALLEE_GONE

    async def due(self, key: str) -> None:
        """A call's timer: perform what was left undone, then see what time has done to it (K5-K7)."""
        await self._pauses.take()  # many may be due at once
        call, _ = await self._find(key)
        if call is None:
            return
        if call.effects:
            await self._carry_out(key)
        app_id = split(key)[1]
        limits = self._limits(app_id)
        online = await self._presence.standing(app_id, call.callee) is not Standing.OFFLINE
        now = self._clock()
        decided = await self._decide(
            key, lambda call: rules.overdue(call, peer_online=online, limits=limits, now=now), ""
        )
        if decided is not None:
            await self._carry_out(key)

    async def _decide_on(self, key: str, call_id: str, decide: Callable[[Call], Input | None]) -> Call | None:
        """Let the rule decide on this very call, if it is not over; None if it is gone."""
        decided = await self._decide(
            key, lambda call: decide(call) if call.id == call_id and not call.over else None, ""
        )
        return decided if decided is not None and decided.id == call_id else None

    # --- deciding, committing, performing -------------------------------------------------------

    async def _find(self, key: str) -> tuple[Call | None, int]:
        entry = await self._records.get(key)
        return (None, 0) if entry is None else (CALL.decode(entry.value), entry.rev)

    async def _decide(self, key: str, decide: Callable[[Call], Input | None], extra: str) -> Call | None:
        """Let the rule decide until its decision is stored; the call, None if there is none.

        Raises Refusal (K12), also if a party has no room for what it is to be told (M9).
        """
        while True:
            call, rev = await self._find(key)
            if call is None:
                return None
            what = decide(call)
            if what is None:
                return call
            decided = rules.advance(call, what, extra=extra, now=self._clock())
            await self._open.check_room(key, decided.effects[len(call.effects) :])
            call = decided
            try:
                await self._store(key, call, rev)
            except Conflict:
                continue
            return call

    async def _store(self, key: str, call: Call, rev: int) -> None:
        """Store a decision with its effects. Raises Conflict if another came first."""
        await self._timers.arm(key, self._clock() + _RETRY)
        await self._records.put(key, CALL.encode(call), expect=rev, ttl=None)

    async def _carry_out(self, key: str) -> None:
        """Perform what was decided. One at a time does so for a call, that its events are told in order; who
        comes meanwhile waits for that one, which looks for newer decisions before it ends."""
        busy = self._busy.get(key)
        if busy is not None:
            await busy
            return
        done = self._busy[key] = Pending()
        failure: Unavailable | None = None
        try:
            await self._perform(key)
            await self._arm(key)
        except Unavailable as error:
            failure = error
            await self._timers.arm(key, self._clock() + _RETRY)
            raise
        finally:
            del self._busy[key]
            done.settle(failure)

    async def _perform(self, key: str) -> None:
        """Do the effects in order, those of newer decisions too; a call that is over is put away then."""
        app_id = split(key)[1]
        call, rev = await self._find(key)
        while call is not None:
            if call.effects:
                invite_seq = await self._do(app_id, call, call.effects[0])
                call, rev = await self._strike(key, call, rev, invite_seq)
            elif not call.over:
                return
            else:
                try:
                    await self._records.delete(key, expect=rev)
                except Conflict:
                    call, rev = await self._find(key)
                    continue
                await self._timers.cancel(key)
                await self._open.strike(key, call)
                return

    async def _do(self, app_id: str, call: Call, effect: Effect) -> int:
        """Do one effect; where the invitation lies in the callee's inbox after it."""
        if not effect.kind:
            await self._queues.remove(inbox_key(app_id, effect.to), [call.invite_seq])
            return call.invite_seq
        seq = await self._tell(app_id, call, effect)
        return seq if effect.kind == rules.INVITE else call.invite_seq

    async def _strike(
        self, key: str, found: Call | None, rev: int, invite_seq: int
    ) -> tuple[Call | None, int]:
        """Take the first effect, which is done, off the record; the call and its revision then.

        It is the first whatever was decided meanwhile: that comes behind it, and nobody else takes any off.
        """
        while found is not None:
            call = msgspec.structs.replace(found, effects=found.effects[1:], invite_seq=invite_seq)
            try:
                return call, await self._records.put(key, CALL.encode(call), expect=rev, ttl=None)
            except Conflict:
                found, rev = await self._find(key)
        return None, 0

    async def _tell(self, app_id: str, call: Call, effect: Effect) -> int:
        """Put a call event into a party's inbox, which has room for it (M9)."""
        limits = self._limits(app_id)
        key = inbox_key(app_id, effect.to)
        item = InboxItem(
            self._new_id(),
            effect.kind,
            effect.src,
            int(self._wall()),
            effect.extra,
            call.channel,
            effect.call,
        )
        try:
            appended = await self._queues.append(
                key,
                ITEM.encode(item),
                size=size_of(effect.extra),
                ttl=limits.inbox_seconds,
                max_items=limits.inbox_messages + limits.inbox_call_reserve,
                max_size=limits.inbox_bytes + limits.inbox_call_reserve * EXTRA_BYTES,
                durable=False,
                mark=effect.call,
                dedupe=effect.id,
                dedupe_ttl=_EFFECT_MEMORY,
            )
        except Full:
            return 0
        if not appended.repeated:
            self._outlet.announce(key, appended.seq, item)
        return appended.seq

    async def _arm(self, key: str) -> None:
        call, _ = await self._find(key)
        if call is None:
            return
        app_id = split(key)[1]
        online = await self._presence.standing(app_id, call.callee) is not Standing.OFFLINE
        deadline = rules.next_deadline(call, peer_online=online, limits=self._limits(app_id))
        if deadline is None:
            await self._timers.cancel(key)
        else:
            await self._timers.arm(key, deadline)

    def _limits(self, app_id: str) -> Limits:
        return (self._find_app(app_id) or App()).limits
