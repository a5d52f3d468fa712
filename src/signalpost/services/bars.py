"""Who may not log in for a time, and whose tokens are good no longer (SPEC A2, J5).

What an account is barred from is a name's value in a set of its app, which a login looks up without a trip
of its own. A record beside it is for who changes it, so that two at once do not undo each other; a timer
takes out what is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from signalpost.domain.names import check_name, check_text
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Arm, Cancel, Clock, Delete, Full, Put, Record, Step
from signalpost.engine.ports.kept import Exclude, Holds, Include, Kept, Names
from signalpost.services.decide import decide
from signalpost.services.keys import barred_key, bars_key, inbox_key, split, subject_of
from signalpost.wire.codes import Code

__all__ = ["Bars", "Block", "check_bar", "held_of"]

_MOST: Final = 100_000  # accounts of an app that are barred from something: all are in memory
_REASON_BYTES: Final = 256
_VERSION: Final = "1"  # the first character of what is stored


class _Bar(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an account is barred from; 0.0 where it is not."""

    until: float = 0.0  #: it may not log in until then, by the clock that measures
    reason: str = ""
    issued: float = 0.0  #: tokens that say when they were made: not if by then
    expires: float = 0.0  #: tokens that do not say so: not if they expire by then


_FREE: Final = _Bar()
_decode: Final = msgspec.json.Decoder(_Bar).decode


class Block(NamedTuple):
    """An account may not log in."""

    until: float
    reason: str


def held_of(app_id: str, account: str) -> Holds:
    """What a login asks; `check_bar` reads the answer."""
    return Holds(bars_key(app_id), account)


def check_bar(held: str, *, now: float, issued: float, expires: float) -> None:
    """Refuse a login that is barred by what is held: 201. `issued`, `expires`: of its token; 0.0 where it
    does not say."""
    bar = _decode(held[1:])
    if bar.until > now:
        raise Refusal(Code.LOGIN_E_NET, f"blocked: {bar.reason}" if bar.reason else "blocked")
    if 0.0 < issued <= bar.issued or (not issued and 0.0 < expires <= bar.expires):
        raise Refusal(Code.LOGIN_E_NET, "revoked: the token is good no longer")


class Bars:
    """Who is barred, in the kept half of the engine."""

    __slots__ = ("_clock", "_kept", "_wall")

    def __init__(self, kept: Kept, clock: Clock, *, wall: Clock) -> None:
        """`wall`: what tokens are dated by; `clock` measures."""
        self._kept = kept
        self._clock = clock
        self._wall = wall

    async def block(self, app_id: str, account: str, *, seconds: float, reason: str) -> Block:
        """Refuse the account's logins for so long. Raises Refusal: 1004, 1005, 1001 (too many)."""
        check_text(reason, "reason", _REASON_BYTES)
        until = self._clock() + seconds
        await self._change(
            app_id, account, lambda bar: msgspec.structs.replace(bar, until=until, reason=reason)
        )
        return Block(until, reason)

    async def unblock(self, app_id: str, account: str) -> bool:
        """Let the account log in again; whether it was blocked."""
        before = await self._change(
            app_id, account, lambda bar: msgspec.structs.replace(bar, until=0.0, reason="")
        )
        return before.until > self._clock()

    async def revoke(self, app_id: str, account: str, *, lifetime: float) -> float:
        """Refuse the account's tokens that were made until now; those that do not say when that was, if they
        expire by the time that this returns. `lifetime`: seconds for which such are good at most. Raises
        Refusal as `block`."""
        now = self._wall()
        expires = now + lifetime
        await self._change(
            app_id, account, lambda bar: msgspec.structs.replace(bar, issued=now, expires=expires)
        )
        return expires

    async def of(self, app_id: str, account: str) -> Block | None:
        """Whether an account is blocked now."""
        check_name(account, "account")
        (held,) = await self._kept.load(held_of(app_id, account))
        return None if held is None else self._block(held)

    async def blocked(self, app_id: str) -> dict[str, Block]:
        """All accounts that are blocked."""
        (names,) = await self._kept.load(Names(bars_key(app_id)))
        found = {account: self._block(held) for account, held in names.items()}
        return {account: block for account, block in found.items() if block is not None}

    async def due(self, key: str) -> bool:
        """It is time to see whether an account is barred no longer; whether it is to be seen again."""
        app_id, account = split(subject_of(key))
        await self._change(app_id, account, lambda bar: bar)
        (held,) = await self._kept.load(held_of(app_id, account))
        return held is not None

    def _block(self, held: str) -> Block | None:
        bar = _decode(held[1:])
        return Block(bar.until, bar.reason) if bar.until > self._clock() else None

    async def _change(self, app_id: str, account: str, change: Callable[[_Bar], _Bar]) -> _Bar:
        """Change what an account is barred from, and let go of what is over; returns what it was."""
        check_name(account, "account")
        try:
            return await decide(lambda: self._attempt(app_id, account, change))
        except Full:
            raise Refusal(
                Code.GENERAL_E_FAILED, f"the app has {_MOST} barred accounts: no more are taken"
            ) from None

    async def _attempt(self, app_id: str, account: str, change: Callable[[_Bar], _Bar]) -> _Bar:
        guard = barred_key(inbox_key(app_id, account))
        entry, held = await self._kept.load(Record(guard), held_of(app_id, account))
        before = _FREE if held is None else _decode(held[1:])
        bar, end = self._pruned(change(before))
        rev = 0 if entry is None else entry.rev
        steps: list[Step[Any]]
        if end:
            text = _VERSION + msgspec.json.encode(bar).decode()
            steps = [
                Put(guard, b"", expect=rev),
                Include(bars_key(app_id), account, text, _MOST),
                Arm(guard, end),
            ]
        elif entry is None and held is None:
            return before
        else:
            steps = [Delete(guard, expect=rev), Cancel(guard)]
            if held is not None:
                steps.append(Exclude(bars_key(app_id), account, held))
        await self._kept.commit(*steps)
        return before

    def _pruned(self, bar: _Bar) -> tuple[_Bar, float]:
        """What is not over, and when to look again; 0.0 if nothing is left."""
        now, wall, ends = self._clock(), self._wall(), []
        if bar.until > now:
            ends.append(bar.until)
        else:
            bar = msgspec.structs.replace(bar, until=0.0, reason="")
        if bar.expires > wall:
            ends.append(now + bar.expires - wall)
        else:
            bar = msgspec.structs.replace(bar, issued=0.0, expires=0.0)
        return bar, min(ends, default=0.0)
