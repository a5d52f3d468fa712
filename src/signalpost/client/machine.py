"""The session machine: what a client does about everything that can happen to it (SPEC §2, PROTOCOL §12).

    OUT ─login─▶ OPENING ─opened─▶ ENTERING ─login_ret─▶ ONLINE ─logout─▶ LEAVING ──▶ OUT
                  ▲  │                │                    │
                  │  └─────┬──────────┘                    │ connection lost
                  └─ PAUSE_FIRST (first login, status 1)   ▼
                                                         PAUSE ─▶ REOPENING ─▶ REENTERING ─▶ ONLINE
                                                           ▲          │            │
                                                           └──────────┴────────────┘

`step(input, now)` gives back the effects, in order. There is no socket, timer, thread, task, chance or clock
in here; the shell is told by `deadline` when to come back with a `Tick`. Laws:
 1. A `Login` that starts one brings one `LoggedIn` or `LoginFailed`, a `LoggedIn` one `LoggedOut`.
 2. Every `Request` and `Respond` ends in one `Answered` or `Unanswered`.
 3. After `LoginFailed` and `LoggedOut` nothing happens without a new `Login`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

from signalpost.client import requests
from signalpost.client.calls import Calls, Stage
from signalpost.client.channels import Channels
from signalpost.client.events import (
    CallIncoming,
    Event,
    Level,
    LoggedIn,
    LoggedOut,
    LoginFailed,
    Message,
    Note,
    Problem,
    Reconnected,
    Reconnecting,
)
from signalpost.client.inbox import Inbox
from signalpost.client.requests import (
    INVITE,
    JOIN,
    LEAVE,
    LOGOUT,
    Pending,
    Requests,
    failure_code,
    timeout_code,
)
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
    Transmit,
    Unanswered,
)
from signalpost.wire import client_codec as wire
from signalpost.wire.codes import (
    REASON_KICK,
    REASON_TOKEN_EXPIRED,
    REASON_WRONG_ACCOUNT,
    Code,
)
from signalpost.wire.lines import Line, seconds_of
from signalpost.wire.texts import name_fault

__all__ = ["Machine", "State"]

_SDK_VERSION = 1  # of what PROTOCOL §12 adds
_POLL, _ACKNOWLEDGE, _CONFIRM = "user_getmsg", "user_ack", "voip_invite_ack"
_POLL_MOST = 30


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
    the account; `jitter` gives a factor from 0 to 1 for each pause."""

    __slots__ = (
        "_calls",
        "_channels",
        "_due_acknowledge",
        "_due_end",
        "_due_ping",
        "_due_silence",
        "_due_step",
        "_ending",
        "_inbox",
        "_jitter",
        "_later",
        "_line",
        "_linked",
        "_login",
        "_out",
        "_owner",
        "_pings",
        "_polling",
        "_requests",
        "_retries",
        "_settings",
        "state",
    )

    def __init__(self, settings: Settings, *, seed: str, jitter: Callable[[], float]) -> None:
        self._settings = settings
        self._jitter = jitter
        self.state = State.OUT  # changes in here only
        self._login: Login | None = None  # the login that goes on; None in OUT
        self._line = ""  # the session's secret; "" if there is no session
        self._linked = False  # there is a connection, or one is being opened
        self._owner = ("", "")  # the app and account whose inbox `_inbox` is
        self._retries = 0  # tries since the connection was lost, or since the login
        self._inbox = Inbox(settings.unread_items)
        self._channels = Channels()
        self._calls = Calls()
        self._requests = Requests(seed, settings.request_seconds)
        self._ending: dict[int, Respond] = {}  # by call: ends that wait for the call's name
        self._later: list[Input] = []  # what came behind a logout that is not over
        self._polling = False  # a poll is under way
        self._pings = 0  # pings sent
        self._out: list[Effect] = []  # the effects of the step that is under way
        self._due_step: float | None = None  # the state's own end: of a pause, a try, a logout
        self._due_end: float | None = None  # when there is no more time for retries
        self._due_ping: float | None = None  # while ONLINE
        self._due_silence: float | None = None  # while ONLINE
        self._due_acknowledge: float | None = None  # while something came that is not acknowledged

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
        nearest = self._requests.deadline
        for due in (
            self._due_step,
            self._due_end,
            self._due_ping,
            self._due_silence,
            self._due_acknowledge,
        ):
            if due is not None and (nearest is None or due < nearest):
                nearest = due
        return nearest

    def step(self, input: Input, now: float) -> list[Effect]:
        """Take one input; `now` in seconds, never less than before."""
        out: list[Effect] = []
        self._out = out
        self._STEPS[type(input)](self, input, now)
        return out

    # --- login and logout -----------------------------------------------------------------------

    def _take_login(self, login: Login, now: float) -> None:
        if self.state is State.LEAVING:
            self._later.append(login)
        elif self.state is not State.OUT:
            self._note(Level.INFO, "208: login while logged in, nothing done")
        elif not login.app_id or not _is_sendable(login.app_id):
            self._tell(LoginFailed(Code.LOGIN_E_NET, "the App ID is empty, or holds a lone surrogate"))
        elif fault := name_fault(login.account, "account"):
            self._tell(Problem("login", fault.code, fault.reason))
            self._tell(LoginFailed(Code.LOGIN_E_INVALID_USER, fault.reason))
        elif login.token == "":
            self._tell(LoginFailed(Code.LOGIN_E_NET, "the token is empty"))
        else:
            self._login = login
            owner = (login.app_id, login.account)
            if owner != self._owner:
                self._owner = owner
                self._inbox = self._inbox.of_another()
            self._retries = 0
            self._due_end = now + login.retry_seconds
            self._open(State.OPENING, now)

    def _take_logout(self, logout: Logout, now: float) -> None:
        if self.state is State.ONLINE:
            self._acknowledge()
            self._ask(self._requests.add(0, LOGOUT, {}, now))
            self._rest()
            self.state = State.LEAVING
            self._due_step = now + self._settings.logout_seconds
        elif self.state is State.LEAVING:
            self._later.append(logout)
        elif self.state in _FIRST:
            self._finish(LoginFailed(Code.LOGIN_E_CANCEL, "cancelled by a logout"), now)
        elif self.state in _AGAIN:
            self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)
        else:
            self._note(Level.INFO, "108: logout while not logged in, nothing done")

    def _open(self, state: State, now: float) -> None:
        self.state = state
        self._due_step = now + self._settings.attempt_seconds
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
            "inbox": (self._inbox.epoch, self._inbox.seen),
        }
        if self._line:
            fields |= {"line": self._line, "channels": self._channels.cursors}
        self._emit(Transmit(wire.login_frame(fields)))

    def _login_returned(self, answer: wire.LoginReturn, now: float) -> None:
        if self.state not in (State.ENTERING, State.REENTERING):
            return
        if answer.error:
            self._refused(_login_code(answer), answer.error, now)
            return
        again = self.state is State.REENTERING
        resumed = again and answer.body.get("resumed") is True
        self.state = State.ONLINE
        self._line = str(answer.body.get("line", ""))
        self._due_step = self._due_end = None
        self._due_ping = now + self._settings.ping_seconds
        self._due_silence = now + self._settings.silence_seconds
        self._inbox.begin(str(answer.body.get("inbox", "")))
        self._polling = False
        if again and not resumed:
            self._lose_session(Code.LEAVECHANNEL_E_DISCONN, "the session was gone")
        self._tell(Reconnected(resumed) if again else LoggedIn())
        if resumed:
            going = [p for p in self._requests if p.func in (JOIN, LEAVE)]
            self._tell(*self._channels.resume(answer.body.get("channels"), going))
        for pending in self._requests:
            self._transmit(pending)

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
        self._requests.disconnected()
        if login.retries <= 0:
            self._give_up(now)
            return
        self._retries = 0
        self._due_end = now + login.retry_seconds + after
        self._pause(State.PAUSE, now, after=after)

    def _failed(self, reason: str, now: float) -> None:
        """A try has failed."""
        login = self._login
        assert login is not None, "nothing is tried without a login"
        self._note(Level.INFO, f"no connection: {reason}")
        if self._retries >= login.retries:
            self._give_up(now)
        elif self.state in _FIRST:
            self._pause(State.PAUSE_FIRST, now)
        else:
            self._pause(State.PAUSE, now)

    def _pause(self, state: State, now: float, *, after: float = 0.0) -> None:
        self.state = state
        self._retries += 1
        settings = self._settings
        most = min(settings.retry_first * 2 ** min(self._retries - 1, 30), settings.retry_most)
        self._due_step = now + after + most * (0.5 + 0.5 * self._jitter())
        if state is State.PAUSE:
            self._tell(Reconnecting(self._retries))

    def _give_up(self, now: float) -> None:
        if self.state in _FIRST:
            self._finish(LoginFailed(Code.LOGIN_E_NET, "no connection"), now)
        else:
            self._finish(LoggedOut(Code.LOGOUT_E_NET, "the network stayed away for too long"), now)

    def _finish(self, last: LoginFailed | LoggedOut, now: float) -> None:
        """Nothing goes on by itself: tell what was open, then the end itself."""
        self.state = State.OUT
        self._login = None
        self._line = ""
        self._rest()
        self._due_end = None
        self._drop()
        if isinstance(last, LoginFailed) or last.code is Code.LOGOUT_E_USER:
            self._tell(*self._channels.leave_all(Code.LEAVECHANNEL_E_LOGOUT))
            self._tell(*self._calls.end_all())
        elif last.code is Code.LOGOUT_E_KICKED:
            self._lose_session(Code.LEAVECHANNEL_E_KICKED, "the account logged in elsewhere")
        else:
            self._lose_session(Code.LEAVECHANNEL_E_DISCONN, last.reason)
        for pending in self._requests.clear():
            self._unanswered(
                pending, Code.GENERAL_E_NOT_LOGIN, "not logged in: the session ended before the answer"
            )
        self._ending.clear()
        self._tell(last)
        later, self._later = self._later, []
        for step in later:
            self._STEPS[type(step)](self, step, now)

    def _lose_session(self, code: Code, reason: str) -> None:
        """The session is gone, and its channels and calls with it (SPEC S7)."""
        self._tell(*self._channels.leave_all(code))
        self._tell(*self._calls.fail_all(Code.INVITE_E_NET, reason))
        for pending in self._requests:
            if pending.func.startswith("voip_"):
                self._requests.take(pending.id)
                self._unanswered(pending, Code.GENERAL_E_FAILED, "the call is over: the session was gone")

    def _rest(self) -> None:
        """No connection is in use."""
        self._due_step = self._due_ping = self._due_silence = self._due_acknowledge = None

    # --- time -----------------------------------------------------------------------------------

    def _take_tick(self, tick: Tick, now: float) -> None:
        for pending in self._requests.overdue(now):
            self._too_late(pending, now)
        if _is_due(self._due_end, now):
            self._give_up(now)
        elif _is_due(self._due_step, now):
            self._step_over(now)
        if self.state is State.ONLINE:
            self._keep_alive(now)

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
        if _is_due(self._due_silence, now):
            self._drop()
            self._lost("nothing came from the server for too long", now)
            return
        if _is_due(self._due_ping, now):
            self._pings += 1
            self._due_ping = now + self._settings.ping_seconds
            self._emit(Transmit(wire.ping_frame(self._pings)))
            self._catch_up(now)  # in case the last poll failed
        if _is_due(self._due_acknowledge, now):
            self._acknowledge()

    # --- requests -------------------------------------------------------------------------------

    def _take_request(self, request: Request, now: float) -> None:
        if self.state is State.LEAVING and self.status:
            self._later.append(request)
        elif self.status == 0:
            reason = "not logged in: log in first"
            self._emit(Unanswered(request.number, Code.GENERAL_E_NOT_LOGIN, reason))
        elif refused := self._overloaded():
            self._emit(Unanswered(request.number, failure_code(request.func), refused))
        else:
            self._ask(self._requests.add(request.number, request.func, request.args, now))

    def _overloaded(self) -> str:
        settings = self._settings
        most = settings.unanswered_requests if self.state is State.ONLINE else settings.waiting_requests
        return (
            f"{most} requests wait for an answer: no more are allowed" if len(self._requests) >= most else ""
        )

    def _ask(self, pending: Pending) -> None:
        try:
            frame = self._requests.frame(pending)
        except ValueError as error:
            wrong = isinstance(error, UnicodeError)
            code = Code.GENERAL_E_WRONG_PARAM if wrong else Code.GENERAL_E_LARGE_PARAM
            self._requests.take(pending.id)
            self._unanswered(pending, code, str(error))
            return
        if self.state is State.ONLINE:
            pending.sent = True
            self._emit(Transmit(frame))

    def _transmit(self, pending: Pending) -> None:
        """Send what waits, once on each connection."""
        if not pending.sent and pending.func == _POLL:
            self._requests.take(pending.id)
        elif not pending.sent:
            self._ask(pending)

    def _call_returned(self, answer: wire.CallReturn, now: float) -> None:
        pending = self._requests.take(answer.id)
        if pending is None:
            return
        if answer.error:
            self._unanswered(pending, _failure_code(answer, pending.func), answer.error)
            if pending.func == LOGOUT:
                self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)
            return
        if pending.number:
            self._emit(Answered(pending.number, answer.body))
        match pending.func:
            case requests.JOIN:
                self._tell(*self._channels.join(str(pending.args["name"]), answer.body))
            case requests.LEAVE:
                self._tell(*self._channels.leave(str(pending.args["name"]), Code.LEAVECHANNEL_E_BYUSER))
            case requests.INVITE:
                self._tell(*self._calls.invited(pending.call, str(answer.body.get("channelName", ""))))
                self._end_named(pending.call, now)
            case "voip_invite_accept":
                self._calls.accepted(pending.call)
            case "voip_invite_refuse":
                self._calls.refused(pending.call)
            case "voip_invite_bye":
                self._tell(*self._calls.ended(pending.call))
            case "user_getmsg" if self.state is State.ONLINE:
                self._polled(answer.body, now)
            case requests.LOGOUT:
                self._finish(LoggedOut(Code.LOGOUT_E_USER, "logged out"), now)

    def _too_late(self, pending: Pending, now: float) -> None:
        """Nobody answered in time (SPEC E1)."""
        seconds = f"{self._settings.request_seconds:g}"
        if pending.func == INVITE and pending.args["channelName"]:
            bye = {**pending.args, "extra": ""}  # the server may have taken it: nobody is to answer it now
            del bye["rid"]
            self._ask(self._requests.add(0, Action.END.value, bye, now))
        self._unanswered(pending, timeout_code(pending.func), f"no answer within {seconds} s")

    def _unanswered(self, pending: Pending, code: Code, reason: str) -> None:
        """A request has failed; its caller is told, whoever that is."""
        if pending.func == INVITE:
            given_up = self._calls.failed(pending.call, code, reason)
            self._tell(*given_up)
            ending = self._ending.pop(pending.call, None)
            if ending is not None:
                self._emit(Unanswered(ending.number, Code.GENERAL_E_FAILED, _NO_CALL))
        elif pending.number:
            self._emit(Unanswered(pending.number, code, reason))
        elif pending.func == _POLL:
            self._polling = False

    # --- calls ----------------------------------------------------------------------------------

    def _take_invite(self, invite: Invite, now: float) -> None:
        self._calls.invite(invite.call, invite.channel, invite.peer)
        if self.state is State.ONLINE:
            refused = self._overloaded()
            if refused:
                self._tell(*self._calls.failed(invite.call, Code.INVITE_E_OTHER, refused))
                return
            args = {"channelName": invite.channel, "peer": invite.peer, "extra": invite.extra}
            self._ask(self._requests.add(0, INVITE, args, now, call=invite.call))
        elif self.status == 0:
            reason = "not logged in: log in first"
            self._tell(*self._calls.failed(invite.call, Code.GENERAL_E_NOT_LOGIN, reason))
        else:
            self._tell(*self._calls.failed(invite.call, Code.INVITE_E_NET, "there is no connection"))

    def _take_respond(self, respond: Respond, now: float) -> None:
        call = self._calls.find(respond.call)
        if self.status == 0:
            reason = "not logged in: log in first"
            self._emit(Unanswered(respond.number, Code.GENERAL_E_NOT_LOGIN, reason))
        elif call is None:
            self._emit(Unanswered(respond.number, Code.GENERAL_E_FAILED, _NO_CALL))
        elif call.stage is Stage.INVITED and not call.channel:
            self._wait_for_name(respond)
        elif refused := self._overloaded():
            self._emit(Unanswered(respond.number, Code.GENERAL_E_FAILED, refused))
        else:
            args = {"channelName": call.channel, "peer": call.peer, "extra": respond.extra}
            func = respond.action.value
            self._ask(self._requests.add(respond.number, func, args, now, call=call.number))

    def _wait_for_name(self, respond: Respond) -> None:
        """The server has not said yet what the call's channel is called (K10)."""
        if respond.action is Action.END and respond.call not in self._ending:
            self._ending[respond.call] = respond
        else:
            self._emit(
                Unanswered(respond.number, Code.GENERAL_E_FAILED, "the server has not taken the call yet")
            )

    def _end_named(self, number: int, now: float) -> None:
        ending = self._ending.pop(number, None)
        if ending is not None:
            self._take_respond(ending, now)

    # --- what comes from the server ---------------------------------------------------------------

    def _take_received(self, received: Received, now: float) -> None:
        if self.state in (State.OUT, State.PAUSE, State.PAUSE_FIRST):
            return
        frame = wire.decode_server_frame(received.text)
        if self.state is State.ONLINE:
            self._due_silence = now + self._settings.silence_seconds
        elif type(frame) not in (_LAST_WORDS if self.state is State.LEAVING else _FIRST_WORDS):
            return  # what comes now waits for the next login
        if frame is None:
            self._note(Level.DEBUG, "a frame of the server means nothing to this client")
        else:
            self._FRAMES[type(frame)](self, frame, now)

    def _pushed(self, push: wire.Push, now: float) -> None:
        self._take_item(push, now)
        self._plan_acknowledgement(now)

    def _take_item(self, push: wire.Push, now: float) -> None:
        mark = self._inbox.take(push.version)
        if not mark:
            return
        line = push.line
        if line is None:
            self._inbox.see(mark)
        elif line.type == "instant":
            self._emit(Message(line.src, line.content, line.id, seconds_of(line), mark))
        else:
            self._take_call_event(line, mark, now)

    def _take_call_event(self, line: Line, mark: int, now: float) -> None:
        events = self._calls.take(line, mark)
        marked = False
        for event in events:
            marked = marked or getattr(event, "mark", 0) == mark
            if isinstance(event, CallIncoming):
                args = {"channelName": event.channel, "peer": event.peer, "extra": ""}
                self._ask(self._requests.add(0, _CONFIRM, args, now, call=event.call))
        self._tell(*events)
        if not marked:
            self._inbox.see(mark)  # nobody will be told of it

    def _announced(self, announcement: wire.Announcement, now: float) -> None:
        """We are pushed to; an announcement of something that was not means that it has to be fetched."""
        if announcement.version > self._inbox.taken:
            self._inbox.behind = True
            self._catch_up(now)

    def _polled(self, body: dict[str, Any], now: float) -> None:
        self._polling = False
        items = wire.decode_items(body.get("msgs"))
        fresh = [item for item in items if item.version > self._inbox.taken]
        self._inbox.behind = False
        for item in fresh:
            self._take_item(item, now)
        if fresh:
            self._inbox.behind = True
            self._catch_up(now)
        self._plan_acknowledgement(now)

    def _catch_up(self, now: float) -> None:
        """Ask for what was let go, as soon as the application has seen all that it has."""
        if self._inbox.behind and self._inbox.is_seen and not self._polling and self.state is State.ONLINE:
            self._polling = True
            args = {"ver_clear": self._inbox.seen, "max": _POLL_MOST}
            self._ask(self._requests.add(0, _POLL, args, now))

    def _take_seen(self, seen: Seen, now: float) -> None:
        self._inbox.see(seen.mark)
        if self.state is State.ONLINE:
            self._plan_acknowledgement(now)
            self._catch_up(now)

    def _plan_acknowledgement(self, now: float) -> None:
        if self._due_acknowledge is None:
            self._due_acknowledge = now + self._settings.acknowledge_seconds
        if self._inbox.news >= self._settings.acknowledge_items:
            self._acknowledge()

    def _acknowledge(self) -> None:
        """Tell the server what has been seen; it may also make it go on (PROTOCOL §6)."""
        if self._due_acknowledge is not None:
            self._due_acknowledge = None
            args = {"ver_clear": self._inbox.acknowledge()}
            self._emit(Transmit(self._requests.once(_ACKNOWLEDGE, args)))

    def _happened(self, event: wire.ChannelEvent, now: float) -> None:
        meaning = self._channels.take(event)
        if meaning is not None:
            self._emit(meaning)

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
        self._tell(Problem("", wire.code_of(error.code), error.reason))

    def _move_on(self, move: wire.MoveOn, now: float) -> None:
        if self.state is State.ONLINE:
            self._drop()
            self._lost("the server goes away", now, after=move.after)

    # --- telling --------------------------------------------------------------------------------

    def _emit(self, effect: Effect) -> None:
        self._out.append(effect)

    def _tell(self, *events: Event) -> None:
        self._out.extend(events)

    def _note(self, level: Level, text: str) -> None:
        self._out.append(Note(level, text))

    _STEPS: ClassVar[dict[type, Callable[[Machine, Any, float], None]]] = {
        Login: _take_login,
        Logout: _take_logout,
        Request: _take_request,
        Invite: _take_invite,
        Respond: _take_respond,
        Seen: _take_seen,
        Opened: _take_opened,
        Received: _take_received,
        Closed: _take_closed,
        Tick: _take_tick,
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
_NO_CALL = "there is no such call: it was answered, ended or timed out"


def _is_due(due: float | None, now: float) -> bool:
    return due is not None and due <= now


def _login_code(answer: wire.LoginReturn) -> Code:
    """The code of a refused login; a server that gives none says it in the reason (PROTOCOL §4)."""
    if "code" in answer.body:
        return wire.code_of(answer.body["code"])
    if answer.error == REASON_KICK:
        return Code.LOGIN_E_TOKEN_KICKED
    if answer.error == REASON_TOKEN_EXPIRED:
        return Code.LOGIN_E_TOKENEXPIRED
    if answer.error.startswith("TokenError"):
        return Code.LOGIN_E_TOKENWRONG
    if answer.error.startswith(REASON_WRONG_ACCOUNT):
        return Code.LOGIN_E_INVALID_USER
    return Code.LOGIN_E_NET


def _failure_code(answer: wire.CallReturn, func: str) -> Code:
    """The code of a refused request; without one, that of the function's failures (SPEC E1)."""
    return wire.code_of(answer.body["code"]) if "code" in answer.body else failure_code(func)


def _is_sendable(value: object) -> bool:
    """Whether it is text that can be sent: it holds no lone surrogate (SPEC §1)."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
