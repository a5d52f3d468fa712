"""The asyncio shell around the session machine: connection, clock and timer are its own, decisions are not.

Events and results are handed on in the order in which the machine gave them, and never inside the call that
caused them. Everything happens on one event loop; nothing here may be called from another thread.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import secrets
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from signalpost.client.events import Event
from signalpost.client.link import Link, check_url
from signalpost.client.machine import Machine, State
from signalpost.client.settings import Settings
from signalpost.client.steps import (
    Action,
    Answered,
    Closed,
    Drop,
    Effect,
    Input,
    Invite,
    Login,
    Logout,
    Open,
    Opened,
    Received,
    Request,
    Respond,
    Seen,
    Tick,
    Told,
    Transmit,
    Unanswered,
)

__all__ = ["Done", "Engine", "Result", "Token", "find_url"]

_log = logging.getLogger("signalpost.client")

Token = str | Callable[[], str | Awaitable[str]]
Result = Answered | Unanswered
Done = Callable[[Result], None]

_URL_VARIABLE = "SIGNALPOST_URL"


def find_url(url: str | None = None) -> str:
    """The server's address: the argument, else SIGNALPOST_URL. ValueError if there is none."""
    found = url or os.environ.get(_URL_VARIABLE, "")
    if not found:
        raise ValueError(f"where is the server? Give its address (ws://HOST:PORT/), or set {_URL_VARIABLE}")
    return check_url(found)


class Engine:
    """One account's client, for the face that is told of every event by `deliver`.

    Many fields: all that a client has of the outside world is here, so that the machine has none.
    """

    __slots__ = (
        "_alarm",
        "_calls",
        "_deliver",
        "_done",
        "_draining",
        "_fetch",
        "_fetching",
        "_link",
        "_loop",
        "_machine",
        "_numbers",
        "_outgoing",
        "_rings_at",
        "_scheduled",
        "_settings",
        "_tls",
        "_url",
    )

    def __init__(
        self,
        url: str,
        deliver: Callable[[Event], None],
        *,
        settings: Settings | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = check_url(url)
        self._tls = tls
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._settings = settings or Settings()
        self._machine = self._new_machine()
        self._link: Link | None = None  # the connection in use, or being opened
        self._fetch: Callable[[], str | Awaitable[str]] | None = None  # gives a token for each connection
        self._fetching: asyncio.Task[None] | None = None  # a token is being fetched
        self._alarm: asyncio.Handle | None = None  # the next tick; never later than the deadline
        self._rings_at = 0.0  # when that is; meaningful while there is one
        self._numbers = 0  # requests made
        self._calls = -1  # the last outgoing call: they are odd
        self._done: dict[int, Done] = {}  # by number: who waits for a request's result
        self._outgoing: deque[tuple[Callable[[Any], None], Any]] = deque()  # what is to be handed on
        self._scheduled = False  # it is going to be, in this tick
        self._draining = False  # it is being handed on

    def _new_machine(self) -> Machine:
        return Machine(self._settings, seed=secrets.token_hex(4), jitter=random.random)

    @property
    def status(self) -> int:
        """0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12)."""
        return self._machine.status

    @property
    def is_out(self) -> bool:
        """Whether nothing goes on any more, not even a logout."""
        return self._machine.state is State.OUT

    # --- what a face asks for -------------------------------------------------------------------

    def login(self, app_id: str, account: str, token: Token, *, retries: int, retry_seconds: float) -> None:
        """Log in; `LoggedIn` or `LoginFailed` follows, unless a login goes on (SPEC L8)."""
        text = token if isinstance(token, str) else None
        if self.status == 0:  # else a login goes on, with its own token
            self._fetch = token if callable(token) else None
        self._step(Login(app_id, account, text, retries, retry_seconds))

    def logout(self) -> None:
        """Log out; `LoggedOut` or `LoginFailed` follows (SPEC L9)."""
        self._step(Logout())

    def request(self, func: str, args: Mapping[str, Any], done: Done) -> None:
        """Call a function of PROTOCOL §5; `done` is told the result, once."""
        self._numbers += 1
        self._done[self._numbers] = done
        self._step(Request(self._numbers, func, args))

    def invite(self, channel: str, peer: str, extra: str) -> int:
        """Call somebody; the call's number. `CallNamed` or `CallFailed` follows, then what happens to it."""
        self._calls += 2
        self._step(Invite(self._calls, channel, peer, extra))
        return self._calls

    def respond(self, call: int, action: Action, extra: str, done: Done) -> None:
        """Do something to a call; `done` is told the result, once."""
        self._numbers += 1
        self._done[self._numbers] = done
        self._step(Respond(self._numbers, call, action, extra))

    def holds(self, mark: int) -> bool:
        """Whether the application may be told of the message with this mark: a logout withdraws it (M11)."""
        return self._machine.holds(mark)

    def told(self, mark: int) -> None:
        """The application is being told of the event that had this mark (SPEC S2, M11)."""
        if mark:
            self._step(Told(mark))

    def seen(self, mark: int) -> None:
        """The application has dealt with the event that had this mark (SPEC M6)."""
        if mark:
            self._step(Seen(mark))

    def close(self) -> list[Done]:
        """Let go of everything without a word; no event is told any more, and what is asked later fails.

        Returns those that would have been told a result, and are not.
        """
        untold = [hand_on for hand_on, what in self._outgoing if isinstance(what, Answered | Unanswered)]
        untold += self._done.values()
        self._outgoing.clear()
        self._done.clear()
        self._deliver = _ignore
        self._machine = self._new_machine()
        self._drop()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        return untold

    # --- what a link says -----------------------------------------------------------------------

    def link_opened(self, link: Link) -> None:
        """The connection is there; a token may have to be fetched for it."""
        if link is not self._link:
            return
        if self._fetch is None:
            self._step(Opened())
            self._drain()
        else:
            self._fetching = self._loop.create_task(self._open_with(self._fetch, link))

    async def _open_with(self, fetch: Callable[[], str | Awaitable[str]], link: Link) -> None:
        try:
            found = fetch()
            token = await found if inspect.isawaitable(found) else found
        except Exception as error:  # the application's code: whatever it raises, there is no token
            _log.warning("the token could not be fetched", exc_info=error)
            outcome: Input = Closed(f"the token could not be fetched: {type(error).__name__}")
        else:
            outcome = Opened(token)
        if link is not self._link:
            return
        self._fetching = None
        if isinstance(outcome, Closed):
            self._drop()
        self._step(outcome)
        self._drain()

    def link_received(self, link: Link, texts: list[bytes | bytearray | memoryview]) -> None:
        """Messages of the server."""
        machine, now = self._machine, self._loop.time()
        for text in texts:
            if link is not self._link:
                break
            self._perform(machine.step(Received(text), now))
        self._drain()
        self._set_alarm(machine.deadline)

    def link_lost(self, link: Link, reason: str) -> None:
        """The connection is gone."""
        if link is self._link:
            self._drop()
            self._step(Closed(reason))
            self._drain()

    # --- steps and effects ------------------------------------------------------------------------

    def _step(self, input: Input) -> None:
        machine = self._machine
        self._perform(machine.step(input, self._loop.time()))
        if self._outgoing and not self._scheduled and not self._draining:
            self._scheduled = True
            self._loop.call_soon(self._drain)
        self._set_alarm(machine.deadline)

    def _perform(self, effects: list[Effect]) -> None:
        outgoing = self._outgoing
        for effect in effects:
            if isinstance(effect, Event):
                outgoing.append((self._deliver, effect))
            elif isinstance(effect, Transmit):
                if self._link is not None:
                    self._link.send(effect.text)
            elif isinstance(effect, Answered | Unanswered):
                done = self._done.pop(effect.number, None)
                if done is not None:
                    outgoing.append((done, effect))
            elif isinstance(effect, Open):
                self._link = Link(self)
                self._link.open(self._url, self._tls)
            elif isinstance(effect, Drop):
                self._drop()

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def _set_alarm(self, deadline: float | None) -> None:
        """Wake up at the deadline at the latest; waking up too early costs one look."""
        alarm = self._alarm
        if deadline is None or (alarm is not None and self._rings_at <= deadline):
            return
        if alarm is not None:
            alarm.cancel()
        self._alarm = self._loop.call_at(deadline, self._ring)
        self._rings_at = deadline

    def _ring(self) -> None:
        self._alarm = None
        deadline = self._machine.deadline
        if deadline is not None and deadline <= self._loop.time():
            self._step(Tick())
            self._drain()
        else:
            self._set_alarm(deadline)

    def _drain(self) -> None:
        """Hand on what there is, in order."""
        self._scheduled = False
        if self._draining:
            return
        self._draining = True
        outgoing = self._outgoing
        try:
            while outgoing:
                hand_on, what = outgoing.popleft()
                hand_on(what)
        finally:
            self._draining = False
            if outgoing and not self._scheduled:  # something raised: the rest is not lost
                self._scheduled = True
                self._loop.call_soon(self._drain)


def _ignore(event: Event) -> None:
    """Nobody listens any more."""
