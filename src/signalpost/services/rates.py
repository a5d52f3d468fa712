"""How often an account may ask (SPEC M10), and how often anybody may be refused (E5).

Rates belong to the account and not to the session, so that logging in again is no way around them. Messages
have a window of their own (`inbox`).
"""

from __future__ import annotations

from signalpost.domain.limits import Limits
from signalpost.domain.rates import Bucket, Rates, SlidingWindow
from signalpost.domain.refusals import TooMany
from signalpost.engine.ports import Clock
from signalpost.services.live import Live
from signalpost.wire.codes import Code

__all__ = ["AccountRates"]

_UPKEEP = 10  # how many times as often as others there may be requests that SDKs make by themselves
_IN_VAIN = 50  # how many times as often as a request that is served there may be one that is refused
_IN_VAIN_AT_ONCE = 10  # the same, of those at once
_LEAST_PAUSE = 0.02  # seconds; loops know no shorter times than some milliseconds


class AccountRates:
    """What the accounts have spent of their rates."""

    __slots__ = ("_asked", "_clock", "_confirmed", "_in_vain", "_kept_up", "_listed")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = Rates(Bucket)  # by account key, as the next three
        self._listed = Rates(SlidingWindow)
        self._confirmed = Rates(Bucket)
        self._kept_up = Rates(Bucket)
        self._in_vain = Rates(Bucket)  # by account key, or by address where there is no session

    def ask(self, live: Live) -> float:
        """Count a request (M10); returns 0.0, for how many seconds it has to wait. Raises TooMany."""
        self._take(self._asked, live, "requests")
        return 0.0

    def ask_for_list(self, live: Live) -> float:
        """Count a request for a full list, which has a window besides; as `ask` (M10)."""
        limits = live.app.limits
        self._take(self._asked, live, "requests")
        now = self._clock()
        if not self._listed.of(live.key, now).take(now, limits.list_requests):
            self._asked.of(live.key, now).give_back(rate=limits.requests)
            raise TooMany(
                Code.GENERAL_E_FAILED,
                "full lists",
                f"{limits.list_requests} in any one second are allowed",
            )
        return 0.0

    def confirm(self, live: Live) -> float:
        """Count a confirmation of an invitation: as `ask`, and apart from it.

        SDKs send it by themselves, so that whoever rings an account could use up its requests.
        """
        self._take(self._confirmed, live, "confirmations")
        return 0.0

    def keep_up(self, live: Live) -> float:
        """Count what an SDK does by itself to keep up with its inbox; as `ask`, but it may have to wait.

        It is not refused: an original might never poll again, and how much there is to do others decide.
        Only a flood ever waits. Who has waited counts again.
        """
        limits, now = live.app.limits, self._clock()
        bucket = self._kept_up.of(live.key, now)
        return bucket.take(now, rate=_UPKEEP * limits.requests, burst=limits.requests_burst)

    def refuse(self, who: str, limits: Limits) -> float:
        """Count what is refused, or has no rate; returns for how many seconds nothing more is to be heard.

        So that a flood of such costs little, too. `who`: an account's key, or an address.
        """
        now = self._clock()
        rate, burst = _IN_VAIN * limits.requests, _IN_VAIN_AT_ONCE * limits.requests_burst
        wait = self._in_vain.of(who, now).overdraw(now, rate=rate, burst=burst)
        return max(wait, _LEAST_PAUSE) if wait else 0.0

    def spent(self, key: str, limits: Limits, now: float) -> tuple[tuple[float, ...], float, float]:
        """What an account has spent: full lists, requests, confirmations."""
        listed, asked, confirmed = self._listed.known(key), self._asked.known(key), self._confirmed.known(key)
        rate = limits.requests
        return (
            () if listed is None else listed.counted(now),
            0.0 if asked is None else asked.spent(now, rate=rate),
            0.0 if confirmed is None else confirmed.spent(now, rate=rate),
        )

    def join(
        self,
        key: str,
        limits: Limits,
        now: float,
        *,
        listed: tuple[float, ...],
        asked: float,
        confirmed: float,
    ) -> None:
        """Count what an account has spent elsewhere."""
        if listed:
            self._listed.of(key, now).join(listed)
        self._asked.of(key, now).join(now, asked, rate=limits.requests)
        self._confirmed.of(key, now).join(now, confirmed, rate=limits.requests)

    def _take(self, rates: Rates[Bucket], live: Live, what: str) -> None:
        limits, now = live.app.limits, self._clock()
        rate, burst = limits.requests, limits.requests_burst
        wait = rates.of(live.key, now).take(now, rate=rate, burst=burst)
        if wait:
            allowed = f"{rate} a second are allowed, and {burst} at once"
            raise TooMany(Code.GENERAL_E_FAILED, what, allowed, wait=wait)

    def sweep(self) -> None:
        """Forget some accounts that have not asked for anything lately."""
        now = self._clock()
        for rates in (self._asked, self._confirmed, self._kept_up, self._in_vain):
            rates.sweep(now)
        self._listed.sweep(now)
