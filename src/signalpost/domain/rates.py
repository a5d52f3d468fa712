"""How often something may happen: at most N in any one second, or so many a second and some at once.

A window is a sliding log, exact at N and N + 1 for every second that one may look at (SPEC M8). A bucket
holds what may come at once and fills again at a rate (SPEC M10, L16). Time is an argument.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

__all__ = ["Bucket", "Rates", "SlidingWindow"]

_ROUNDING = (
    1e-3  # of one happening: what comes back in fractions adds up to a whole one, on a coarse clock too
)
_FEW = 1024  # rates that may be kept though they are idle: to look for those costs more
_STRIDE = 64  # beyond, rates that may come before twice as many are looked at: so idle ones never pile up
_SWEEP = 4096  # rates that one sweep looks at


class SlidingWindow:
    """The instants of the last second, oldest first; empty when nothing happened in it."""

    __slots__ = ("_instants",)

    def __init__(self) -> None:
        self._instants: deque[float] = deque()

    def take(self, now: float, limit: int) -> bool:
        """Count one happening at `now`, unless `limit` lie within the second before: then it counts not."""
        instants = self._instants
        horizon = now - 1.0
        while instants and instants[0] <= horizon:
            instants.popleft()
        if len(instants) >= limit:
            return False
        instants.append(now)
        return True

    def give_back(self, at: float) -> None:
        """Uncount the happening that was counted at `at`: it came to nothing."""
        if at in self._instants:
            self._instants.remove(at)

    def counted(self, now: float) -> tuple[float, ...]:
        """What counts: the instants of the last second."""
        return tuple(instant for instant in self._instants if instant > now - 1.0)

    def join(self, counted: Sequence[float]) -> None:
        """Count what was counted elsewhere, once, though some of it was here as well."""
        self._instants = deque(sorted((Counter(self._instants) | Counter(counted)).elements()))

    def idle(self, now: float) -> bool:
        """Whether nothing counts any more, so that the window may be forgotten."""
        return not self._instants or self._instants[-1] <= now - 1.0


class Bucket:
    """What is spent of what may come at once; it comes back at a rate. Nothing is spent at first."""

    __slots__ = ("_at", "_full_at", "_spent")

    def __init__(self) -> None:
        self._spent = 0.0  # at the time `_at`; at most the burst, unless it was overdrawn
        self._at = 0.0  # when the latest happening counted
        self._full_at = 0.0  # from when on nothing is spent any more

    def take(self, now: float, *, rate: float, burst: int) -> float:
        """Count one happening at `now` and return 0; or, if it is too soon, in how many seconds it could.

        `rate` is how many a second come back, `burst` how many may come at once. What is too soon does not
        count. A clock that stepped back gives nothing back meanwhile.
        """
        spent = self._spent
        passed = now - self._at
        if passed > 0.0:  # no `max`, here and below: this happens once a request
            spent -= passed * rate
            if spent < 0.0:
                spent = 0.0
        spent += 1.0
        if spent > burst + _ROUNDING:
            return (spent - burst) / rate
        self._at = now
        self._spent = spent
        self._full_at = now + spent / rate
        return 0.0

    def overdraw(self, now: float, *, rate: float, burst: int) -> float:
        """Count one happening at `now` whatever was spent before; in how many seconds it is paid for.

        For what cannot be prevented, only waited for: all of it counts, whatever comes at the same time.
        """
        spent = max(0.0, self._spent - max(0.0, now - self._at) * rate) + 1.0
        self._at = now
        self._spent = spent
        self._full_at = now + spent / rate
        return max(0.0, (spent - burst) / rate)

    def give_back(self, *, rate: float) -> None:
        """Uncount the happening that counted last: it was refused for another reason."""
        self._spent = max(0.0, self._spent - 1.0)
        self._full_at = self._at + self._spent / rate

    def spent(self, now: float, *, rate: float) -> float:
        """What is spent and has not come back."""
        return max(0.0, self._spent - max(0.0, now - self._at) * rate)

    def join(self, now: float, spent: float, *, rate: float) -> None:
        """Count what was spent elsewhere; what was spent here before is part of it."""
        self._spent = max(spent, self.spent(now, rate=rate))
        self._at = now
        self._full_at = now + self._spent / rate

    def idle(self, now: float) -> bool:
        """Whether nothing counts any more, so that the bucket may be forgotten."""
        return self._full_at <= now


class _Rate(Protocol):
    def idle(self, now: float) -> bool: ...


R = TypeVar("R", bound=_Rate)


class Rates(Generic[R]):
    """One rate a key, made when it is first asked for and forgotten when nothing counts against it.

    When there are more than a few, two are looked at for each that comes, many at once as that costs less,
    and some now and then: so what is kept is what is not idle, and little besides, however many keys there
    have been, and nothing ever goes through all of them.
    """

    __slots__ = ("_make", "_most", "_rates", "known")

    def __init__(self, make: Callable[[], R]) -> None:
        self._make = make
        self._rates: OrderedDict[str, R] = OrderedDict()  # by key, those looked at longest ago first
        self._most = _FEW  # with so many, some are looked at before another one is made
        #: The rate of the key if it is kept, else None: half of `of` for who asks once a message.
        self.known: Final = self._rates.get

    def of(self, key: str, now: float) -> R:
        """The rate of the key. Ask each time: an idle one may be forgotten, and then another one counts."""
        rate = self._rates.get(key)
        if rate is None:
            if len(self._rates) >= self._most:
                self._look(now, 2 * _STRIDE)
            rate = self._rates[key] = self._make()
        return rate

    def sweep(self, now: float) -> None:
        """Forget the idle ones of some that were looked at longest ago; to be called now and then."""
        self._look(now, _SWEEP)

    def _look(self, now: float, looks: int) -> None:
        rates = self._rates
        for key, rate in list(islice(rates.items(), looks)):
            if rate.idle(now):
                del rates[key]
            else:
                rates.move_to_end(key)
        self._most = max(_FEW, len(rates) + _STRIDE)

    def __len__(self) -> int:
        return len(self._rates)
