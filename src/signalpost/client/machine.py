"""The session machine: what a client does about everything that can happen to it (SPEC §2, PROTOCOL §12).

    OUT ─login─▶ OPENING ─opened─▶ ENTERING ─login_ret─▶ ONLINE ─logout─▶ LEAVING ──▶ OUT
                  ▲  │                │                    │
                  │  └─────┬──────────┘                    │ connection lost
                  └─ PAUSE_FIRST (first login, status 1)   ▼
                                                         PAUSE ─▶ REOPENING ─▶ REENTERING ─▶ ONLINE
                                                           ▲          │            │
                                                           └──────────┴────────────┘

It knows logging in and out, losing the connection and having it back, and how long each state may last. What
goes over a session (requests, inbox, channels, calls) it hands on to the exchange, and refuses to know.

`step(input, now)` gives back the effects, in order. There is no socket, timer, thread, task, chance or clock
in here; the shell is told by `deadline` when to come back with a `Tick`. Laws:
 1. A `Login` that starts one brings one `LoggedIn` or `LoginFailed`, a `LoggedIn` one `LoggedOut`.
 2. Every `Request` and `Respond` ends in one `Answered` or `Unanswered`.
 3. After `LoginFailed` and `LoggedOut` nothing happens without a new `Login`.
 4. A `Logout` comes last: what was asked before it is answered first, each by its own result (SPEC M11).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

from signalpost.client.events import (
    Level,
    LoggedIn,
    LoggedOut,
    LoginFailed,
    Note,
    Problem,
    Reconnected,
    Reconnecting,
)
from signalpost.client.exchange import Exchange
from signalpost.client.patience import Patience
from signalpost.client.settings import Settings
from signalpost.client.steps import (
    Closed,
    Drop,
    Effect,
    Hurry,
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
)
from signalpost.wire import client_codec as wire
from signalpost.wire.codes import Code
from signalpost.wire.texts import name_fault

__all__ = ["Machine", "State"]

_SDK_VERSION = 1  # of what PROTOCOL §12 adds


class State(Enum):
    """Where a session stands; the value is its name and what `getStatus()` says of it (SPEC L12)."""

    OUT = ("out", 0)
    OPENING = ("opening", 1)
    ENTERING = ("entering", 1)
    PAUSE_FIRST = ("pause before a first login", 1)
    ONLINE = ("online", 2)
    PAUSE = ("pause before a reconnect", 3)
    REOPENING = ("reopening", 3)
    REENTERING = ("reentering", 3)
    LEAVING = ("leaving", 0)

    @property
    def status(self) -> int:
        """0 not logged in, 1 connecting, 2 logged in, 3 reconnecting."""
        return self.value[1]


_FIRST = frozenset({State.OPENING, State.ENTERING, State.PAUSE_FIRST})
_AGAIN = frozenset({State.PAUSE, State.REOPENING, State.REENTERING})
_LOGOUT_CODES = {
    Code.LOGIN_E_TOKENEXPIRED: Code.LOGOUT_E_TOKENEXPIRED,
    Code.LOGIN_E_TOKENWRONG: Code.LOGOUT_E_TOKENWRONG,
    Code.LOGIN_E_TOKEN_KICKED: Code.LOGOUT_E_KICKED,
}


class Machine:
    """One account's sessions, one after the other. `seed` tells its requests from those of other clients of
    the account; `jitter` gives a factor from 0 to 1 for each pause.

    Many fields: all that a session may be in is here, and changes in steps.
    """

    __slots__ = (
        "_asked",
        "_due_end",
        "_due_ping",
        "_due_silence",
        "_due_step",
        "_exchange",
        "_later",
        "_line",
        "_linked",
        "_login",
        "_not_before",
        "_out",
        "_patience",
        "_pings",
        "_refusal",
        "_retries",
        "_settings",
        "state",
    )

    def __init__(self, settings: Settings, *, seed: str, jitter: Callable[[], float]) -> None:
        self._settings = settings
        self._patience = Patience(settings, jitter)  # for the pauses before a try
        self.state = State.OUT  # changes in here only
        self._login: Login | None = None  # the login that goes on; None in OUT
        self._line = ""  # the session's secret; "" if there is no session
        self._linked = False  # there is a connection, or one is being opened
        self._retries = 0  # tries since the connection was lost, or since the login
        self._refusal = ""  # why the server refused the last try, if it did
        self._not_before = 0.0  # the server wants no try before this time
        self._later: list[Input] = []  # what came behind a logout that is not over
        self._pings = 0  # pings sent
        self._asked = False  # a ping was sent since something came; while ONLINE
        self._out: list[Effect] = []  # the effects of the step that is under way, or was the last
        self._exchange = Exchange(settings, seed, self._out)  # what goes over the sessions
        self._due_step: float | None = None  # the state's own end: of a pause, a try, a logout
        self._due_end: float | None = None  # when there is no more time for retries
        self._due_ping: float | None = None  # while ONLINE
        self._due_silence: float | None = None  # while ONLINE

    # --- the machine's surface ------------------------------------------------------------------

    @property
    def status(self) -> int:
        """What `getStatus()` says: 0 to 3 (SPEC L12)."""
        if self.state is State.LEAVING and any(isinstance(step, Login) for step in self._later):
            return int(isinstance(next(s for s in reversed(self._later) if type(s) in _DOORS), Login))
        return self.state.status

    @property
    def deadline(self) -> float | None:
        """When a `Tick` is due; None if only an input can change anything."""
        nearest = self._exchange.deadline
        for due in (self._due_step, self._due_end, self._due_ping, self._due_silence):
            if due is not None and (nearest is None or due < nearest):
                nearest = due
        return nearest

    def step(self, input: Input, now: float) -> list[Effect]:
        """Take one input; `now` in seconds, never less than before."""
        out = self._out
        out.clear()
        self._STEPS[type(input)](self, input, now)
        return out[:]

    # --- login and logout -----------------------------------------------------------------------

    def _take_login(self, login: Login, now: float) -> None:
        if self.state is State.LEAVING:
            self._later.append(login)
            self._exchange.open()
        elif self.state is not State.OUT:
            self._note(Level.INFO, "208: login while logged in, nothing done")
        elif not login.app_id or not _is_sendable(login.app_id):
            self._emit(LoginFailed(Code.LOGIN_E_NET, "the App ID is empty, or holds a lone surrogate"))
        elif fault := name_fault(login.account, "account"):
            self._emit(Problem("login", fault.code, fault.reason))
            self._emit(LoginFailed(Code.LOGIN_E_INVALID_USER, fault.reason))
        elif login.token == "":
            self._emit(LoginFailed(Code.LOGIN_E_NET, "the token is empty"))
        else:
            self._login = login
            self._exchange.serve(login.app_id, login.account)
            self._exchange.open()
            self._patience.begin()
            self._retries = 0
            self._due_end = now + login.retry_seconds
            self._open(State.OPENING, now)

    def _take_logout(self, logout: Logout, now: float) -> None:
        if self.state not in (State.OUT, State.LEAVING):
            self._exchange.withdraw(now)
        if self.state is State.ONLINE:
            self._exchange.say_goodbye(now)
            self._rest()
            self.state = State.LEAVING
            self._due_step = now + self._settings.logout_seconds
        elif self.state is State.LEAVING:
            self._later.append(logout)
            self._exchange.shut()
        elif self.state in _FIRST:
            self._finish(LoginFailed(Code.LOGIN_E_CANCEL, "cancelled by a logout"), now)
        elif self.state in _AGAIN:
            self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)
        else:
            self._note(Level.INFO, "108: logout while not logged in, nothing done")

    def _open(self, state: State, now: float) -> None:
        self.state = state
        self._due_step = now + self._settings.attempt_seconds
        self._refusal = ""
        self._linked = True
        self._emit(Open())

    def _take_opened(self, opened: Opened, now: float) -> None:
        if self.state is State.OPENING:
            self.state = State.ENTERING
        elif self.state is State.REOPENING:
            self.state = State.REENTERING
        else:
            return
        login = self._login
        assert login is not None, "a connection is opened for a login only"
        token = opened.token if login.token is None else login.token
        if token is not None and not _is_sendable(token):
            self._refused(Code.LOGIN_E_TOKENWRONG, "the token is no text, or holds a lone surrogate", now)
            return
        fields: dict[str, Any] = {
            "vid": login.app_id,
            "account": login.account,
            "uid": 0,
            "token": token,
            "device": self._settings.device,
            "ver": _SDK_VERSION,
            "inbox": self._exchange.inbox_cursor,
        }
        if self._line:
            fields |= {"line": self._line, "channels": self._exchange.channel_cursors}
        self._emit(Transmit(wire.login_frame(fields)))

    def _login_returned(self, answer: wire.LoginReturn, now: float) -> None:
        if self.state not in (State.ENTERING, State.REENTERING):
            return
        if answer.error:
            self._turned_away(answer, now)
            return
        again = self.state is State.REENTERING
        resumed = again and answer.body.get("resumed") is True
        self.state = State.ONLINE
        self._line = str(answer.body.get("line", ""))
        self._due_step = self._due_end = None
        self._due_ping = now + self._settings.ping_seconds
        self._hear(now)
        self._patience.connected(now)
        self._exchange.connect(str(answer.body.get("inbox", "")))
        if again and not resumed:
            self._exchange.lose(Code.LEAVECHANNEL_E_DISCONN, "the session was gone")
        self._emit(Reconnected(resumed) if again else LoggedIn())
        if resumed:
            self._exchange.resume(answer.body.get("channels"))
        self._exchange.send()
        if resumed:
            self._exchange.leave_strays(answer.body.get("channels"), now)

    def _turned_away(self, answer: wire.LoginReturn, now: float) -> None:
        after = wire.retry_after(answer)
        if after is None:
            self._refused(wire.login_code(answer), answer.error, now)
        else:  # as if the connection had been lost (SPEC L16)
            self._drop()
            self._refusal = answer.error
            self._failed(f"login refused: {answer.error}", now, after=after)

    def _refused(self, code: Code, reason: str, now: float) -> None:
        if self.state is State.ENTERING:
            self._finish(LoginFailed(code, reason), now)
        elif code in _LOGOUT_CODES:
            self._finish(LoggedOut(_LOGOUT_CODES[code], reason), now)
        else:
            self._drop()
            self._failed(f"login refused: {code}", now)

    # --- losing the connection, and having it back -----------------------------------------------

    def _drop(self) -> None:
        """Nothing more is wanted of the connection, if there is one."""
        if self._linked:
            self._linked = False
            self._emit(Drop())

    def _take_closed(self, closed: Closed, now: float) -> None:
        self._linked = False
        if self.state is State.LEAVING:
            self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)
        elif self.state is State.ONLINE:
            self._lost(closed.reason, now)
        elif self.state in _FIRST or self.state in _AGAIN:
            self._failed(closed.reason, now)

    def _lost(self, reason: str, now: float, *, after: float = 0.0) -> None:
        """The connection of a session that was online is gone: try to have it back (SPEC L10)."""
        login = self._login
        assert login is not None, "who is online has logged in"
        self._note(Level.WARNING, f"connection lost: {reason}")
        self._rest()
        self._patience.lost(now)
        self._exchange.disconnect()
        if login.retries <= 0:
            self._give_up(now)
            return
        self._retries = 0
        self._due_end = now + login.retry_seconds + after
        self._pause(State.PAUSE, now, after=after)

    def _failed(self, reason: str, now: float, *, after: float = 0.0) -> None:
        """A try has failed."""
        login = self._login
        assert login is not None, "nothing is tried without a login"
        self._note(Level.INFO, f"no connection: {reason}")
        if self._retries >= login.retries:
            self._give_up(now)
        elif self.state in _FIRST:
            self._pause(State.PAUSE_FIRST, now, after=after)
        else:
            self._pause(State.PAUSE, now, after=after)

    def _pause(self, state: State, now: float, *, after: float = 0.0) -> None:
        self.state = state
        self._retries += 1
        self._not_before = now + after
        self._due_step = self._not_before + self._patience.pause()
        if state is State.PAUSE:
            self._emit(Reconnecting(self._retries))

    def _give_up(self, now: float) -> None:
        if self.state in _FIRST:
            self._finish(LoginFailed(Code.LOGIN_E_NET, self._refusal or "no connection"), now)
        else:
            reason = self._refusal or "the network stayed away for too long"
            self._finish(LoggedOut(Code.LOGOUT_E_NET, reason), now)

    def _finish(self, last: LoginFailed | LoggedOut, now: float) -> None:
        """Nothing goes on by itself: tell what was open, then the end itself."""
        self.state = State.OUT
        self._login = None
        self._line = ""
        self._rest()
        self._due_end = None
        self._drop()
        if isinstance(last, LoginFailed):
            self._exchange.give_up()
        elif last.code is Code.LOGOUT_E_USER:
            self._exchange.leave()
        elif last.code is Code.LOGOUT_E_KICKED:
            self._exchange.lose(Code.LEAVECHANNEL_E_KICKED, "the account logged in elsewhere")
            self._exchange.give_up()
        else:
            self._exchange.lose(Code.LEAVECHANNEL_E_DISCONN, last.reason)
            self._exchange.give_up()
        self._emit(last)
        later, self._later = self._later, []
        for step in later:
            self._STEPS[type(step)](self, step, now)

    def _rest(self) -> None:
        """No connection is in use."""
        self._due_step = self._due_ping = self._due_silence = None

    # --- time -----------------------------------------------------------------------------------

    def _take_tick(self, tick: Tick, now: float) -> None:
        self._exchange.expire(now)
        if _is_due(self._due_end, now):
            self._give_up(now)
        elif _is_due(self._due_step, now):
            self._step_over(now)
        if self.state is State.ONLINE:
            self._keep_alive(now)

    def _take_hurry(self, hurry: Hurry, now: float) -> None:
        if self.state in (State.PAUSE, State.PAUSE_FIRST) and self._patience.hurry():
            self._due_step = max(now, self._not_before)
            if _is_due(self._due_step, now):
                self._step_over(now)

    def _step_over(self, now: float) -> None:
        match self.state:
            case State.PAUSE:
                self._open(State.REOPENING, now)
            case State.PAUSE_FIRST:
                self._open(State.OPENING, now)
            case State.LEAVING:
                self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out without an answer"), now)
            case _:
                self._drop()
                self._failed("no answer", now)

    def _keep_alive(self, now: float) -> None:
        silent = _is_due(self._due_silence, now)
        if silent and self._asked:
            self._drop()
            self._lost("nothing came from the server for too long", now)
            return
        if silent or _is_due(self._due_ping, now):
            self._pings += 1
            self._due_ping = now + self._settings.ping_seconds
            self._asked = True
            self._emit(Transmit(wire.ping_frame(self._pings)))
            self._exchange.catch_up(now)  # in case the last poll failed
        if silent:  # the ticks come late (the device slept): nobody has asked the server yet
            self._due_silence = now + self._settings.ping_seconds / 2
        self._exchange.keep_up(now)

    def _hear(self, now: float) -> None:
        """The server is there."""
        self._due_silence = now + self._settings.silence_seconds
        self._asked = False

    # --- what the application asks for ------------------------------------------------------------

    def _take_request(self, request: Request, now: float) -> None:
        if self.state is State.LEAVING and self.status:
            self._later.append(request)
        else:
            self._exchange.take_request(request, now)

    def _take_invite(self, invite: Invite, now: float) -> None:
        self._exchange.take_invite(invite, now)

    def _take_respond(self, respond: Respond, now: float) -> None:
        self._exchange.take_respond(respond, now)

    def holds(self, mark: int) -> bool:
        """Whether the application may be told of the message with this mark: a logout withdraws it (M11)."""
        return self._exchange.holds(mark)

    def _take_told(self, told: Told, now: float) -> None:
        self._exchange.take_told(told, now)

    def _take_seen(self, seen: Seen, now: float) -> None:
        self._exchange.take_seen(seen, now)

    # --- what comes from the server ---------------------------------------------------------------

    def _take_received(self, received: Received, now: float) -> None:
        if self.state in (State.OUT, State.PAUSE, State.PAUSE_FIRST):
            return
        frame = wire.decode_server_frame(received.text)
        if self.state is State.ONLINE:
            self._hear(now)
        elif type(frame) not in (_LAST_WORDS if self.state is State.LEAVING else _FIRST_WORDS):
            return  # what comes now waits for the next login
        if frame is None:
            self._note(Level.DEBUG, "a frame of the server means nothing to this client")
        else:
            self._FRAMES[type(frame)](self, frame, now)

    def _pushed(self, push: wire.Push, now: float) -> None:
        self._exchange.take_push(push, now)

    def _announced(self, announcement: wire.Announcement, now: float) -> None:
        self._exchange.take_announcement(announcement, now)

    def _happened(self, event: wire.ChannelEvent, now: float) -> None:
        self._exchange.take_event(event)

    def _call_returned(self, answer: wire.CallReturn, now: float) -> None:
        self._exchange.take_answer(answer, now)
        if self.state is State.LEAVING and self._exchange.is_answered:
            self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)

    def _ponged(self, pong: wire.Pong, now: float) -> None:
        """That something came is all that matters."""

    def _kicked(self, kick: wire.Kick, now: float) -> None:
        if self.state is State.LEAVING:
            self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)
        elif self.state is State.ONLINE:
            self._finish(LoggedOut(Code.LOGOUT_E_KICKED, "the account logged in elsewhere"), now)

    def _server_closes(self, close: wire.Close, now: float) -> None:
        self._drop()
        self._take_closed(Closed("the server closes the connection"), now)

    def _server_complains(self, error: wire.ServerError, now: float) -> None:
        self._emit(Problem("", wire.code_of(error.code), error.reason))

    def _move_on(self, move: wire.MoveOn, now: float) -> None:
        if self.state is State.ONLINE:
            self._drop()
            self._lost("the server goes away", now, after=move.after)

    # --- telling --------------------------------------------------------------------------------

    def _emit(self, effect: Effect) -> None:
        self._out.append(effect)

    def _note(self, level: Level, text: str) -> None:
        self._out.append(Note(level, text))

    _STEPS: ClassVar[dict[type, Callable[[Machine, Any, float], None]]] = {
        Login: _take_login,
        Logout: _take_logout,
        Request: _take_request,
        Invite: _take_invite,
        Respond: _take_respond,
        Told: _take_told,
        Seen: _take_seen,
        Opened: _take_opened,
        Received: _take_received,
        Closed: _take_closed,
        Tick: _take_tick,
        Hurry: _take_hurry,
    }

    _FRAMES: ClassVar[dict[type, Callable[[Machine, Any, float], None]]] = {
        wire.LoginReturn: _login_returned,
        wire.CallReturn: _call_returned,
        wire.Push: _pushed,
        wire.Announcement: _announced,
        wire.ChannelEvent: _happened,
        wire.Pong: _ponged,
        wire.Kick: _kicked,
        wire.Close: _server_closes,
        wire.ServerError: _server_complains,
        wire.MoveOn: _move_on,
    }


_DOORS = (Login, Logout)
_FIRST_WORDS = (wire.LoginReturn, wire.Close, wire.ServerError)  # what may come before a login is answered
_LAST_WORDS = (wire.CallReturn, wire.Kick, wire.Close)  # what matters behind a logout


def _is_due(due: float | None, now: float) -> bool:
    return due is not None and due <= now


def _is_sendable(value: object) -> bool:
    """Whether it is text that can be sent: it holds no lone surrogate (SPEC §1)."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
