"""What accounts have spent of their rates goes with their sessions, from node to node (SPEC M8, M10).

Rates are counted where the session is. When it leaves a node, what counts is put down for some seconds, or
told to the node that has taken it over; a node that is killed forgets it. What comes is joined with what is
known here, as some of it may have been spent here before: so it is harmless twice.

It knows which rates there are, and how they travel. It refuses to know what they allow.
"""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain.apps import App
from signalpost.engine.ports import Clock, Put, Record
from signalpost.engine.ports.shared import Shared
from signalpost.services.driver import start
from signalpost.services.inbox import Inboxes
from signalpost.services.keys import app_of_topic, session_key, spent_key
from signalpost.services.notes import Spent
from signalpost.services.rates import AccountRates
from signalpost.services.stored import Form, Stored

__all__ = ["Travelling"]

_LEAST, _MOST = 2.0, 60.0  # seconds for which it is put down; a bucket of another size fills meanwhile

_SPENT = Stored(Form(1, Spent), what="what was spent of rates")


class Travelling:
    """The rates of accounts whose sessions come and go; see `Spending`."""

    __slots__ = ("_clock", "_find_app", "_inboxes", "_rates", "_shared")

    def __init__(
        self,
        shared: Shared,
        inboxes: Inboxes,
        rates: AccountRates,
        clock: Clock,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._shared = shared
        self._inboxes = inboxes
        self._rates = rates
        self._clock = clock
        self._find_app = find_app

    def leave(self, key: str) -> None:
        """The account's session is about to leave this node, for one that nobody knows yet."""
        spent = self._spent(key)
        if spent is not None:
            limits = self._app(key).limits
            ttl = min(_MOST, max(_LEAST, limits.requests_burst / limits.requests))
            start(self._shared.commit(Put(spent_key(key), _SPENT.encode(spent), ttl=ttl)), _unheard)

    def come(self, key: str) -> None:
        """The account logs in here: it is joined when it has come, which is before the login is over."""
        start(self._shared.load(Record(spent_key(key))), self._found)

    def tell(self, key: str) -> None:
        """See `Spending.tell`."""
        spent = self._spent(key)
        if spent is not None:
            start(self._shared.nodes.tell(session_key(key), spent), _unheard)

    def hear(self, spent: Spent) -> None:
        """See `Spending.hear`."""
        now, limits = self._clock(), self._app(spent.key).limits
        if spent.sent:
            self._inboxes.join(spent.key, spent.sent, now)
        back = max(0.0, now - spent.at) * limits.requests
        asked, confirmed = max(0.0, spent.asked - back), max(0.0, spent.confirmed - back)
        self._rates.join(spent.key, limits, now, listed=spent.listed, asked=asked, confirmed=confirmed)

    def _found(self, result: tuple[object, ...], error: Exception | None) -> None:
        if error is None and result[0] is not None:
            self.hear(_SPENT.decode(result[0].value))  # type: ignore[attr-defined]

    def _spent(self, key: str) -> Spent | None:
        """What counts now; None if nothing does."""
        now = self._clock()
        sent = self._inboxes.sent(key, now)
        listed, asked, confirmed = self._rates.spent(key, self._app(key).limits, now)
        if not (sent or listed or asked or confirmed):
            return None
        return Spent(key, now, sent, listed, asked, confirmed)

    def _app(self, key: str) -> App:
        return self._find_app(app_of_topic(key)) or App()


def _unheard(result: object, error: Exception | None) -> None:
    """A rate that is forgotten is not worth an error."""
