"""An account's open calls: how many there may be, what room their events have, who follows them (K12, M9).

Each account has one list, a record of its own: the id of each open call by the call's key. The two lists of
a call are edited one after the other, each on condition that nobody else has changed it meanwhile. So a list
may for a moment name a call that is over, or not one that has just begun: who uses it looks at the call.
"""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain import calls as rules
from signalpost.domain.calls import Call, Effect
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Conflict, Pending, Queues, Records
from signalpost.services.keys import calls_key, inbox_key, split, with_pair
from signalpost.services.stored import CALLS
from signalpost.wire.codes import Code

__all__ = ["OpenCalls"]


class _Turn:
    """While it lasts, the calls of no other session follow."""

    __slots__ = ("_done", "_key", "_turns")

    def __init__(self, turns: dict[str, Pending], key: str) -> None:
        self._turns = turns
        self._key = key
        self._done = turns[key] = Pending()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        del self._turns[self._key]
        self._done.settle()


class OpenCalls:
    """The open calls of all accounts."""

    __slots__ = ("_limits", "_queues", "_records", "_succession")

    def __init__(self, records: Records, queues: Queues, limits: Callable[[str], Limits]) -> None:
        """`limits`: those of an app."""
        self._records = records
        self._queues = queues
        self._limits = limits
        # By account key: a session's end or beginning that its calls follow; settled when they have.
        self._succession: dict[str, Pending] = {}

    async def of(self, account_key: str) -> dict[str, str]:
        """The account's open calls: the id of each by its key."""
        entry = await self._records.get(calls_key(account_key))
        return {} if entry is None else CALLS.decode(entry.value)

    async def add(self, key: str, call: Call) -> None:
        """Put a new call on both accounts' lists, in the place of one that it follows."""

        def enlist(calls: dict[str, str]) -> bool:
            calls[key] = call.id
            return True

        await self._edit_both(key, call, enlist)

    async def strike(self, key: str, call: Call) -> None:
        """Take a call that is over off both accounts' lists, unless another has followed it there."""

        def strike(calls: dict[str, str]) -> bool:
            if calls.get(key) != call.id:
                return False
            del calls[key]
            return True

        await self._edit_both(key, call, strike)

    async def check_number(self, key: str, call: Call) -> None:
        """Refuse with 700 a new call that is one too many for either of the two (K12)."""
        app_id = split(key)[1]
        limits = self._limits(app_id)
        calls = await self.of(inbox_key(app_id, call.caller))
        if key in calls:
            return  # one follows the other
        if len(calls) >= limits.open_calls:
            raise rules.too_many_calls(call.caller, limits.open_calls)
        if len(with_pair(calls, key)) >= limits.open_calls_with_one:
            raise rules.too_many_with(call.callee, limits.open_calls_with_one)
        if len(await self.of(inbox_key(app_id, call.callee))) >= limits.open_calls:
            raise rules.too_many_calls(call.callee, limits.open_calls)

    async def check_room(self, key: str, effects: tuple[Effect, ...]) -> None:
        """Refuse with 1001 what would tell a party more than its inbox has room for; ends have theirs."""
        app_id = split(key)[1]
        for effect in effects:
            if effect.kind in rules.WHILE_OPEN:
                await self.check_room_of(app_id, effect.to, 1, Code.GENERAL_E_FAILED)

    async def check_room_of(self, app_id: str, account: str, events: int, code: Code) -> None:
        """Refuse `events` that do not fit into the account's inbox beside the ends of its open calls (M9)."""
        key = inbox_key(app_id, account)
        taken = await self._queues.marked(key) + len(await self.of(key))
        reserve = self._limits(app_id).inbox_call_reserve
        if taken + events > reserve:
            raise Refusal(code, f"the inbox of {account} is full: it has room for {reserve} events of calls")

    async def turn(self, account_key: str) -> _Turn:
        """Let the calls of an account follow one session after the other, in their order."""
        while (earlier := self._succession.get(account_key)) is not None:
            await earlier
        return _Turn(self._succession, account_key)

    async def _edit_both(self, key: str, call: Call, edit: Callable[[dict[str, str]], bool]) -> None:
        app_id = split(key)[1]
        for account in (call.caller, call.callee):
            await self._edit(calls_key(inbox_key(app_id, account)), edit)

    async def _edit(self, list_key: str, edit: Callable[[dict[str, str]], bool]) -> None:
        """Edit a list until that is stored; `edit` returns whether there was anything to change."""
        while True:
            entry = await self._records.get(list_key)
            calls, rev = ({}, 0) if entry is None else (CALLS.decode(entry.value), entry.rev)
            if not edit(calls):
                return
            try:
                if calls:
                    await self._records.put(list_key, CALLS.encode(calls), expect=rev, ttl=None)
                else:
                    await self._records.delete(list_key, expect=rev)
            except Conflict:
                continue
            return
