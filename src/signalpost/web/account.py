"""One account of a `Signal`: its engine, its sessions one after the other, and to whom an event goes.

It knows the order of sessions and calls. What an event means to the application it leaves to them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from signalpost.client.arguments import Ask
from signalpost.client.engine import Done, Engine, Result
from signalpost.client.errors import ArgumentError, RequestError
from signalpost.client.events import (
    CallEvent,
    CallIncoming,
    Event,
    Level,
    LoggedOut,
    LoginFailed,
    Note,
)
from signalpost.client.settings import Settings
from signalpost.client.steps import Action, Unanswered
from signalpost.web.delivery import Delivery
from signalpost.web.journal import Journal
from signalpost.wire.codes import Code

__all__ = ["Account", "Failure", "Listener", "Owner", "failure_of"]

_NOT_LOGGED_IN = Unanswered(0, Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")

Failure = dict[str, int | str]


class Listener(Protocol):
    """Whom an account tells of its events: a session or a call."""

    def _take(self, event: Event) -> None:
        """The next event."""
        ...


class Owner(Listener, Protocol):
    """Whose calls and channels they are: a session, as those see it."""

    account: str
    _home: Account

    def _report(self, name: str, result: Result) -> None:
        """A failure that has no callback of its own."""
        ...


def failure_of(result: Unanswered) -> Failure:
    """What a callback is told of a failure (SPEC E4)."""
    return {"code": int(result.code), "reason": result.reason}


class Account:
    """One account, on the loop that runs."""

    def __init__(self, url: str, name: str, journal: Journal, settings: Settings) -> None:
        self.loop = asyncio.get_running_loop()
        self.name = name
        self.engine = Engine(url, self._hand_on, settings=settings)
        self.delivery = Delivery(self.engine)
        self._journal = journal
        self._open: deque[Listener] = deque()  # sessions that are not over, oldest first
        self._newest: Listener | None = None  # the session that may ask for something
        self._calls: dict[int, Listener] = {}  # by number: calls that are not over

    # --- sessions -------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a login goes on or has succeeded, so that another would be ignored (SPEC L8)."""
        return self.engine.status > 0

    def is_newest(self, session: Listener) -> bool:
        """Whether this session is the one that the engine speaks of now."""
        return self._newest is session

    def begin(self, session: Listener) -> None:
        """From its first event on to its last, and behind those of the session before it."""
        self._open.append(session)
        self._newest = session

    def write(self, level: Level, text: str) -> None:
        """A line of the log."""
        self._journal.write(level, f"{self.name}: {text}")

    # --- what is asked for ----------------------------------------------------------------------

    def ask(self, session: Listener, make: Callable[[], Ask], done: Done) -> None:
        """Send a request if its arguments are good; `done` is told the result once, maybe at once."""
        try:
            ask = make()
        except (ArgumentError, RequestError) as error:
            done(Unanswered(0, error.code, error.reason))
            return
        if self.is_newest(session):
            self.engine.request(ask.func, ask.args, done)
        else:
            done(_NOT_LOGGED_IN)

    def invite(self, session: Listener, call: Listener, channel: str, peer: str, extra: str) -> int:
        """Call somebody; the call's number, 0 if the session is over."""
        if not self.is_newest(session):
            return 0
        number = self.engine.invite(channel, peer, extra)
        self._calls[number] = call
        return number

    def respond(self, session: Listener, number: int, action: Action, extra: str, done: Done) -> None:
        """Do something to a call; `done` is told the result once, maybe at once.

        An end succeeds whatever has become of the session: its calls are over (SPEC K12).
        """
        if self.is_newest(session) or action is Action.END:
            self.engine.respond(number, action, extra, done)
        else:
            done(_NOT_LOGGED_IN)

    def follow(self, number: int, call: Listener) -> None:
        """An incoming call: what happens to it goes there."""
        self._calls[number] = call

    def forget(self, number: int) -> None:
        """The call is over."""
        self._calls.pop(number, None)

    def note_failure(self, what: str, result: Result) -> None:
        """A line about it, if it is a failure."""
        if isinstance(result, Unanswered):
            self.write(Level.WARNING, f"{what} failed: {result.code:d} {result.reason}")

    # --- what the engine tells ------------------------------------------------------------------

    def _hand_on(self, event: Event) -> None:
        if isinstance(event, Note):
            self.write(event.level, event.text)
            return
        self.write(Level.DEBUG, type(event).__name__)
        listener = self._listener(event)
        if listener is not None:
            listener._take(event)

    def _listener(self, event: Event) -> Listener | None:
        if isinstance(event, CallEvent) and not isinstance(event, CallIncoming):
            return self._calls.get(event.call)
        if isinstance(event, LoginFailed | LoggedOut):
            return self._open.popleft() if self._open else None
        return self._open[0] if self._open else None
