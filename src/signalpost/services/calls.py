"""Calls: inviting, answering, ending, and what time does to them (SPEC §6, PROTOCOL §8).

A decision and its effects are stored together in the call's record, then the effects are performed in order,
each under an id that makes performing it twice harmless, and each is struck from the record when it is done.
The call's timer is armed before the record is written and when performing fails, so that it drives again what
was left undone.
"""

from __future__ import annotations

from collections.abc import Callable
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
from signalpost.services.keys import call_key, calls_key, inbox_key, split
from signalpost.services.live import Live
from signalpost.services.outlet import Outlet
from signalpost.services.presence import Presence, Standing
from signalpost.services.stored import CALL, ITEM, NAMES
from signalpost.wire.codes import Code
from signalpost.wire.texts import size_of

__all__ = ["Answer", "Calls"]

_EFFECT_MEMORY = 120.0  # seconds for which an effect is recognised that was done and could not be struck
_RETRY = 1.0  # seconds after which a timer looks again at a call whose effects are under way
_PAGE = 500  # items of an inbox that are looked through at once


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
        "_outlet",
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
        self._clock = clock
        self._wall = wall  # what events are dated by
        self._new_id = new_id
        self._find_app = find_app
        self._busy: dict[str, Pending] = {}  # by call key: effects that are under way; settled at their end

    # --- what the parties do ------------------------------------------------------------------

    async def invite(self, live: Live, channel: str, peer: str, extra: str) -> str:
        """Call `peer` into a channel; returns the channel's name, made here if ours left it empty (K1, K10).

        Raises Refusal: 701, 703 (K5), 705 (K13), 1004, 1005.
        """
        if not channel and live.session.ours:
            channel = f"call-{self._new_id()}"
        check_name(channel, "channel name")
        check_name(peer, "account")
        invitation = rules.parse_invitation(extra, live.app.limits)
        if rules.check_phone(peer, invitation):
            raise Refusal(Code.INVITE_E_CANTRECV, "no gateway to the telephone network is configured")
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
            await self._index(live.app_id, call, add=True)
            try:
                await self._store(key, call, rev)
            except Conflict:
                continue
            await self._carry_out(key)
            return channel

    async def answer(self, live: Live, channel: str, peer: str, answer: Answer, extra: str) -> None:
        """Confirm, accept, refuse, send keys or end (K2-K4, K12). Raises Refusal: 1001, 1004, 1005."""
        check_name(channel, "channel name")
        check_name(peer, "account")
        key = call_key(live.app_id, channel, live.account, peer)
        if await self._decide(key, lambda call: self._side(call, live.account, answer), extra) is None:
            raise Refusal(Code.GENERAL_E_FAILED, "there is no such call: it was answered, ended or timed out")
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

        def decide(call: Call) -> Input | None:
            waits = call.callee == account and call.state is State.WAITING
            return Input.PUSH if waits else None

        for key, _ in await self._decide_all(app_id, account, decide):
            await self._carry_out(key)

    async def inherited(self, app_id: str, account: str) -> None:
        """An original SDK logged in afresh: only live invitations to it remain, and ring anew (K11)."""

        def decide(call: Call) -> Input:
            rings = call.callee == account and call.state is not State.ACCEPTED
            return Input.PUSH if rings else self._gone(call, account)

        await self._renew(app_id, account, decide)

    async def ended(self, app_id: str, account: str) -> None:
        """The account's session ended: so do its calls; an invitation it never got goes on waiting (K11)."""
        await self._renew(app_id, account, lambda call: self._gone(call, account))

    async def _renew(self, app_id: str, account: str, decide: Callable[[Call], Input]) -> None:
        """Let the account's calls end or ring anew, and leave no event of an ended one in its inbox."""
        inbox = inbox_key(app_id, account)
        decided = await self._decide_all(app_id, account, decide)
        await self._forget_events(inbox)
        for key, _ in decided:
            await self._carry_out(key)
        # What was under way into this inbox has arrived by now; other calls' events are not ours to touch.
        over = {call.id for _, call in decided if call.over}
        over |= {effect.call for _, call in decided for effect in call.effects if effect.call != call.id}
        if over:
            await self._forget_events(inbox, of=over)

    @staticmethod
    def _gone(call: Call, account: str) -> Input:
        return Input.CALLER_GONE if call.caller == account else Input.CALLEE_GONE

    async def due(self, key: str) -> None:
        """A call's timer: perform what was left undone, then see what time has done to it (K5-K7)."""
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

    async def _decide_all(
        self, app_id: str, account: str, decide: Callable[[Call], Input | None]
    ) -> list[tuple[str, Call]]:
        """Let the rule decide on all of the account's calls, and store that.

        Nothing is carried out yet: that may wait, and what comes meanwhile is the account's next session's.
        """
        entry = await self._records.get(calls_key(inbox_key(app_id, account)))
        found = []
        for key in [] if entry is None else NAMES.decode(entry.value):
            decided = await self._decide(key, lambda call: None if call.over else decide(call), "")
            if decided is not None:
                found.append((key, decided))
        return found

    # --- deciding, committing, performing -------------------------------------------------------

    async def _find(self, key: str) -> tuple[Call | None, int]:
        entry = await self._records.get(key)
        return (None, 0) if entry is None else (CALL.decode(entry.value), entry.rev)

    async def _decide(self, key: str, decide: Callable[[Call], Input | None], extra: str) -> Call | None:
        """Let the rule decide until its decision is stored; the call, None if there is none.

        Raises Refusal (K12).
        """
        while True:
            call, rev = await self._find(key)
            if call is None:
                return None
            what = decide(call)
            if what is None:
                return call
            call = rules.advance(call, what, extra=extra, now=self._clock())
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
                await self._index(app_id, call, add=False)
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
        """Put a call event into a party's inbox; a full one loses it, the call's time-outs remain."""
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
                max_size=2 * limits.inbox_bytes,
                durable=False,
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

    async def _index(self, app_id: str, call: Call, *, add: bool) -> None:
        """Put the call on both accounts' lists, or take it off."""
        key = call_key(app_id, call.channel, call.caller, call.callee)
        for account in (call.caller, call.callee):
            await self._list(calls_key(inbox_key(app_id, account)), key, add=add)

    async def _list(self, list_key: str, key: str, *, add: bool) -> None:
        while True:
            entry = await self._records.get(list_key)
            names = [] if entry is None else NAMES.decode(entry.value)
            if add is (key in names):
                return
            names = [*names, key] if add else [name for name in names if name != key]
            rev = 0 if entry is None else entry.rev
            try:
                if names:
                    await self._records.put(list_key, NAMES.encode(names), expect=rev, ttl=None)
                else:
                    await self._records.delete(list_key, expect=rev)
            except Conflict:
                continue
            return

    async def _forget_events(self, key: str, *, of: set[str] | None = None) -> None:
        """Take call events out of an inbox, all or those of some calls: over a fresh login they mean
        nothing (PROTOCOL §8)."""
        head = await self._queues.head(key)
        after = head.cleared
        while after < head.last:
            items = await self._queues.read(key, after=after, limit=_PAGE)
            if not items:
                return
            after = items[-1].seq
            stale = [item.seq for item in items if _concerns(ITEM.decode(item.body).call, of)]
            if stale:
                await self._queues.remove(key, stale)

    def _limits(self, app_id: str) -> Limits:
        return (self._find_app(app_id) or App()).limits


def _concerns(call: str, calls: set[str] | None) -> bool:
    return bool(call) if calls is None else call in calls
