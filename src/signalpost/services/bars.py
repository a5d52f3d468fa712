"""Who may not log in for a time, and whose tokens are good no longer (SPEC A2, J5).

Both are names of sets with an end, which a login looks up without a trip of its own. A timer takes out what
is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from signalpost.domain.names import check_name, check_text
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Arm, Clock, Full
from signalpost.engine.ports.kept import Exclude, Holds, Include, Kept, Names
from signalpost.services.decide import decide
from signalpost.services.keys import barred_key, blocked_key, inbox_key, revoked_key, split, subject_of
from signalpost.wire.codes import Code

__all__ = ["Bars", "Block", "Revocation", "Standing", "bars_of", "check_bars"]

_MOST: Final = 100_000  # accounts of an app of each kind: all are in memory
_REASON_BYTES: Final = 256
_VERSION: Final = "1"  # the first character of what is stored


class Block(msgspec.Struct, frozen=True):
    """An account may not log in."""

    until: float  #: by the clock that measures
    reason: str


class Revocation(msgspec.Struct, frozen=True):
    """Some tokens of an account are good no longer."""

    issued: float  #: those that say when they were made: made before or at that time
    expires: float  #: those that do not: that expire before or at that time


_BLOCK: Final = msgspec.json.Decoder(Block).decode
_REVOCATION: Final = msgspec.json.Decoder(Revocation).decode


def check_bars(
    blocked: str | None, revoked: str | None, *, now: float, issued: float, expires: float
) -> None:
    """Refuse a login that is barred, by what was found of `bars_of`: 201. `issued`, `expires`: of its token;
    0.0 where it does not say."""
    if blocked is not None:
        block = _BLOCK(blocked[1:])
        if block.until > now:
            raise Refusal(Code.LOGIN_E_NET, f"blocked: {block.reason}" if block.reason else "blocked")
    if revoked is not None:
        bar = _REVOCATION(revoked[1:])
        if 0.0 < issued <= bar.issued or (not issued and 0.0 < expires <= bar.expires):
            raise Refusal(Code.LOGIN_E_NET, "revoked: the token is good no longer")


class Standing(NamedTuple):
    """What an account is barred from."""

    block: Block | None
    revocation: Revocation | None


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
        check_name(account, "account")
        check_text(reason, "reason", _REASON_BYTES)
        block = Block(self._clock() + seconds, reason)
        await self._include(blocked_key(app_id), app_id, account, block, block.until)
        return block

    async def unblock(self, app_id: str, account: str) -> bool:
        """Let the account log in again; whether it was blocked."""
        check_name(account, "account")

        async def attempt() -> bool:
            (held,) = await self._kept.load(Holds(blocked_key(app_id), account))
            if held is None:
                return False
            (was,) = await self._kept.commit(Exclude(blocked_key(app_id), account, held))
            return was and _BLOCK(held[1:]).until > self._clock()

        return await decide(attempt)

    async def revoke(self, app_id: str, account: str, *, lifetime: float) -> Revocation:
        """Refuse the account's tokens that were made until now. `lifetime`: seconds for which those are good
        at most that do not say when they were made. Raises Refusal as `block`."""
        check_name(account, "account")
        now = self._wall()
        revocation = Revocation(now, now + lifetime)
        await self._include(revoked_key(app_id), app_id, account, revocation, self._clock() + lifetime + 1.0)
        return revocation

    async def of(self, app_id: str, account: str) -> Standing:
        """What an account is barred from now."""
        check_name(account, "account")
        blocked, revoked = await self._kept.load(*bars_of(app_id, account))
        block = None if blocked is None else _BLOCK(blocked[1:])
        if block is not None and block.until <= self._clock():
            block = None
        return Standing(block, None if revoked is None else _REVOCATION(revoked[1:]))

    async def blocked(self, app_id: str) -> Mapping[str, Block]:
        """All accounts that are blocked."""
        (names,) = await self._kept.load(Names(blocked_key(app_id)))
        now = self._clock()
        found = {account: _BLOCK(held[1:]) for account, held in names.items()}
        return {account: block for account, block in found.items() if block.until > now}

    async def due(self, key: str) -> bool:
        """It is time to see whether an account is barred no longer; whether it is to be seen again."""
        app_id, account = split(subject_of(key))
        blocked, revoked = await self._kept.load(*bars_of(app_id, account))
        now, ends = self._clock(), []
        if blocked is not None:
            ends.append((_BLOCK(blocked[1:]).until, Exclude(blocked_key(app_id), account, blocked)))
        if revoked is not None:  # by the other clock, which may be set: a second more does no harm
            ahead = _REVOCATION(revoked[1:]).expires - self._wall()
            ends.append((now + ahead, Exclude(revoked_key(app_id), account, revoked)))
        over = [step for at, step in ends if at <= now]
        left = [at for at, _ in ends if at > now]
        if over:
            await self._kept.commit(*over, *[Arm(key, min(left))] if left else [])
        elif left:
            await self._kept.commit(Arm(key, min(left)))
        return bool(left)

    async def _include(
        self, key: str, app_id: str, account: str, what: Block | Revocation, end: float
    ) -> None:
        text = _VERSION + msgspec.json.encode(what).decode()
        timer = barred_key(inbox_key(app_id, account))
        try:
            await self._kept.commit(Include(key, account, text, _MOST), Arm(timer, end))
        except Full:
            raise Refusal(
                Code.GENERAL_E_FAILED, f"the app has {_MOST} such accounts: no more are taken"
            ) from None


def bars_of(app_id: str, account: str) -> tuple[Holds, Holds]:
    """What a login asks: whether its account is blocked, and which of its tokens are."""
    return Holds(blocked_key(app_id), account), Holds(revoked_key(app_id), account)
