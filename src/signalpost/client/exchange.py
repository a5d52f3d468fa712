"""What goes over a session: requests and answers, the inbox, channels, calls (PROTOCOL §5 to §8, §12).

It knows what the application is told of each of them, and what becomes of them when the connection is lost
or back, when the session was gone, and when it is over. It is told when that happens, and refuses to know
why: logins, retries, pings and the states of a session are the machine's. It is as pure as the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from signalpost.client import requests
from signalpost.client.answers import answer_fault
from signalpost.client.calls import Calls
from signalpost.client.channels import Channels
from signalpost.client.events import CallFailed, ChannelLeft, MemberLeft, Message, Problem
from signalpost.client.inbox import Inbox
from signalpost.client.requests import Pending, Requests, failure_code, timeout_code
from signalpost.client.settings import Settings
from signalpost.client.steps import (
    Action,
    Answered,
    Effect,
    Invite,
    Request,
    Respond,
    Seen,
    Told,
    Transmit,
    Unanswered,
)
from signalpost.wire import client_codec as wire
from signalpost.wire.codes import Code
from signalpost.wire.lines import Line, seconds_of

__all__ = ["Exchange"]

_POLL, _ACKNOWLEDGE, _CONFIRM = "user_getmsg", "user_ack", "voip_invite_ack"
_POLL_MOST = 30
_NO_LOGIN = "not logged in: log in first"
_NO_CALL = "there is no such call: it was answered, ended or timed out"


class _Reach(Enum):
    """How far goes what is asked for."""

    NOWHERE = "nobody is logged in: it is refused"
    WAITING = "there is no connection: it waits for one"
    SERVER = "it is sent"


class Exchange:
    """What one client has under way. Effects are appended to `out`, in order; somebody else empties it."""

    __slots__ = (
        "_calls",
        "_channels",
        "_due_acknowledge",
        "_given_up",
        "_inbox",
        "_later",
        "_out",
        "_owner",
        "_polling",
        "_reach",
        "_requests",
        "_settings",
    )

    def __init__(self, settings: Settings, seed: str, out: list[Effect]) -> None:
        self._settings = settings
        self._out = out  # the effects of the step that is under way
        self._reach = _Reach.NOWHERE  # changes when somebody logs in or out, and with the connection
        self._owner = ("", "")  # the app and account whose inbox `_inbox` is
        self._inbox = Inbox(settings.unread_items)  # outlives the sessions, so that nothing comes twice
        self._polling = False  # a poll is under way
        self._due_acknowledge: float | None = None  # while something came that is not acknowledged
        self._channels = Channels()  # those that the session is in
        self._calls = Calls(settings.ringing_calls)  # those that are not over
        self._requests = Requests(seed, settings.request_seconds)  # those without an answer
        self._later: dict[
            int, list[Respond]
        ] = {}  # by call: what waits until the server has taken or refused it
        self._given_up: dict[int, Pending] = {}  # by id: what is undone if this connection still answers it

    # --- what it is told of the session ---------------------------------------------------------

    def serve(self, app_id: str, account: str) -> None:
        """Whose session the next one is; another account has another inbox."""
        if (app_id, account) != self._owner:
            self._owner = (app_id, account)
            self._inbox = self._inbox.of_another()

    def open(self) -> None:
        """Somebody logs in, or is going to: what is asked for waits."""
        self._reach = _Reach.WAITING

    def shut(self) -> None:
        """Somebody logs out, or is going to: what is asked for is refused."""
        self._reach = _Reach.NOWHERE

    @property
    def inbox_cursor(self) -> tuple[str, int]:
        """What a login says of the inbox (PROTOCOL §12)."""
        return self._inbox.epoch, self._inbox.seen

    @property
    def channel_cursors(self) -> dict[str, tuple[str, int]]:
        """What a login that resumes says of the channels (PROTOCOL §12)."""
        return self._channels.cursors

    def connect(self, epoch: str) -> None:
        """A login was answered with this epoch of the inbox; `resume` or `lose` may follow, then `send`."""
        self._reach = _Reach.SERVER
        self._inbox.begin(epoch)
        self._polling = False

    def resume(self, kept: Any) -> None:
        """The session goes on; `kept` is what the login's answer says of its channels."""
        going = [p for p in self._requests if p.func in (requests.JOIN, requests.LEAVE)]
        self._out.extend(self._channels.resume(kept, going))

    def leave_strays(self, kept: Any, now: float) -> None:
        """Leave the channels that the session is in and nobody knows of: joins that were given up."""
        self._leave_unless(kept if isinstance(kept, dict) else (), now)

    def _leave_unless(self, names: Iterable[str], now: float) -> None:
        """Leave these channels, but not where the session is meant to be, or is on its way in or out."""
        known = {p.args["name"] for p in self._requests if p.func in (requests.JOIN, requests.LEAVE)}
        for name in names:
            if name in known or name in self._channels:
                continue
            if self._overloaded():
                return  # no session has been in so many
            self._ask(self._requests.add(0, requests.LEAVE, {"name": name}, now))

    def send(self) -> None:
        """Send what waits, once on each connection; not polls: the login has done what they would."""
        for pending in self._requests:
            if pending.sent:
                continue
            if pending.func == _POLL:
                self._requests.take(pending.id)
            else:
                self._ask(pending)

    def disconnect(self) -> None:
        """The connection is gone: what is unanswered waits for the next."""
        self._reach = _Reach.WAITING
        self._due_acknowledge = None
        self._given_up.clear()
        self._requests.disconnected()

    def lose(self, code: Code, reason: str) -> None:
        """The session is gone, and its channels (`code` says why) and calls with it (SPEC S7)."""
        self._come_true()
        self._out.extend(self._channels.leave_all(code))
        self._out.extend(self._calls.fail_all(Code.INVITE_E_NET, reason))
        for pending in self._requests:
            if pending.func.startswith("voip_"):
                self._requests.take(pending.id)
                self._unanswered(pending, Code.GENERAL_E_FAILED, "the call is over: the session was gone")

    def withdraw(self, now: float) -> None:
        """The user logs out: what the application was not told of comes at the next login (SPEC M11)."""
        seen = self._inbox.seen
        self._inbox.withdraw()
        if self._inbox.seen != seen and self._reach is _Reach.SERVER:
            self._due_acknowledge = now

    def say_goodbye(self, now: float) -> None:
        """The user logs out: acknowledge, tell the server, take nothing more; then `is_answered` ends it."""
        self._acknowledge()
        self._ask(self._requests.add(0, requests.LOGOUT, {}, now))
        self.shut()

    @property
    def is_answered(self) -> bool:
        """Whether all that was sent and somebody waits for is answered, a logout included (SPEC M11)."""
        sent = (each for each in self._requests if each.sent)
        return not any(each.number or each.call or each.func == requests.LOGOUT for each in sent)

    def leave(self) -> None:
        """The user has logged out: first what is unanswered fails, then channels and calls are over (M11)."""
        self.shut()
        self._come_true()
        for pending in self._requests.clear():
            self._unanswered(pending, timeout_code(pending.func), "logged out before the answer")
        self._out.extend(self._channels.leave_all(Code.LEAVECHANNEL_E_LOGOUT))
        self._out.extend(self._calls.end_all())
        self._end()

    def give_up(self) -> None:
        """The session is over: nothing is answered any more, and what is asked for is refused."""
        for pending in self._requests.clear():
            self._unanswered(
                pending, Code.GENERAL_E_NOT_LOGIN, "not logged in: the session ended before the answer"
            )
        self._end()

    def _come_true(self) -> None:
        """Nobody is in a session any more: what wanted out of a channel or a call has what it wanted."""
        for pending in self._requests:
            if pending.func in (requests.LEAVE, Action.END.value):
                self._requests.take(pending.id)
                self._done(pending)

    def _end(self) -> None:
        self.shut()
        self._due_acknowledge = None
        self._later.clear()
        self._given_up.clear()

    # --- time -----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `expire` or `keep_up` has something to do; None if only something new can change anything."""
        due, nearest = self._due_acknowledge, self._requests.deadline
        return due if nearest is None or (due is not None and due < nearest) else nearest

    def expire(self, now: float) -> None:
        """Give up what nobody has answered in time (SPEC E1)."""
        for pending in self._requests.overdue(now):
            seconds = f"{self._settings.request_seconds:g}"
            if pending.func == requests.INVITE and pending.args["channelName"]:
                # The server may have taken it; nobody is to answer it any more.
                channel, peer = pending.args["channelName"], pending.args["peer"]
                self._tell_peer(Action.END.value, channel, peer, now)
                self._out.extend(self._calls.taken_back(channel, peer))
            elif pending.sent and pending.func in (requests.INVITE, requests.JOIN):
                self._given_up[pending.id] = pending
            self._unanswered(pending, timeout_code(pending.func), f"no answer within {seconds} s", now)

    def keep_up(self, now: float) -> None:
        """Acknowledge what is due."""
        if self._due_acknowledge is not None and self._due_acknowledge <= now:
            self._acknowledge()

    # --- requests -------------------------------------------------------------------------------

    def take_request(self, request: Request, now: float) -> None:
        """`Answered` or `Unanswered` follows."""
        if self._reach is _Reach.NOWHERE:
            self._out.append(Unanswered(request.number, Code.GENERAL_E_NOT_LOGIN, _NO_LOGIN))
        elif request.func == requests.LEAVE and self._is_out_of(str(request.args.get("name"))):
            self._answer_leave(request.number, str(request.args.get("name")))
        elif refused := self._overloaded():
            self._out.append(Unanswered(request.number, failure_code(request.func), refused))
        else:
            self._ask(self._requests.add(request.number, request.func, request.args, now))

    def take_answer(self, answer: wire.CallReturn, now: float) -> None:
        """A request was answered."""
        pending = self._requests.take(answer.id)
        if pending is None:
            if not answer.error and (given_up := self._given_up.pop(answer.id, None)) is not None:
                self._undo(given_up, answer.body, now)
        elif reason := answer.error or answer_fault(pending.func, answer.body):
            self._unanswered(pending, _failure_code(answer, pending.func), reason, now)
        elif pending.func in (requests.LEAVE, Action.END.value):
            self._done(pending)
        else:
            if pending.number:
                self._out.append(Answered(pending.number, answer.body))
            self._succeeded(pending, answer.body, now)

    def _done(self, pending: Pending) -> None:
        """A channel is left, or a call ended, as the user wanted; also if that was so before (C3, K12)."""
        if pending.func == requests.LEAVE:
            self._answer_leave(pending.number, str(pending.args["name"]))
            return
        self._calls.ended(pending.call)
        if pending.number:
            self._answer_end(pending.number)

    def _answer_leave(self, number: int, channel: str) -> None:
        code = Code.LEAVECHANNEL_E_BYUSER
        events = self._channels.leave(channel, code)
        if number:
            self._out += [Answered(number, {"result": "ok"}), *(events or [ChannelLeft(channel, code)])]
        else:
            self._out += events

    def _answer_end(self, number: int) -> None:
        self._out.append(Answered(number, {"result": "ok"}))

    def _is_out_of(self, channel: str) -> bool:
        """Whether the session is not in the channel, nor on its way into it."""
        joining = (p.args.get("name") for p in self._requests if p.func == requests.JOIN)
        return channel not in self._channels and channel not in joining

    def _succeeded(self, pending: Pending, body: dict[str, Any], now: float) -> None:
        """What the answer means for channels, calls and inbox; `_done` knows the rest."""
        match pending.func:
            case requests.JOIN:
                self._out.extend(self._channels.join(str(pending.args["name"]), body))
            case requests.INVITE:
                self._out.extend(self._calls.invited(pending.call, wire.text_of(body.get("channelName"))))
                self._take_later(pending.call, now)
            case "voip_invite_accept":
                self._calls.accepted(pending.call)
            case "voip_invite_refuse":
                self._calls.refused(pending.call)
            case "user_getmsg" if self._reach is _Reach.SERVER:
                self._polled(body, now)

    def _undo(self, pending: Pending, body: dict[str, Any], now: float) -> None:
        """Its failure was told, and now the server says that it was done."""
        if pending.func == requests.INVITE:
            channel = wire.text_of(body.get("channelName"))
            self._tell_peer(Action.END.value, channel, pending.args["peer"], now)
            return
        name = str(pending.args["name"])
        self._out.extend(self._channels.leave_for(name))
        self._leave_unless([name], now)

    def _tell_peer(self, func: str, channel: Any, peer: Any, now: float) -> None:
        """Say something of a call to the peer by ourselves."""
        self._ask(self._requests.add(0, func, {"channelName": channel, "peer": peer, "extra": ""}, now))

    def _overloaded(self) -> str:
        settings = self._settings
        online = self._reach is _Reach.SERVER
        most = settings.unanswered_requests if online else settings.waiting_requests
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
        if self._reach is _Reach.SERVER:
            pending.sent = True
            self._out.append(Transmit(frame))

    def _unanswered(self, pending: Pending, code: Code, reason: str, now: float = 0) -> None:
        """A request has failed; its caller is told, whoever that is. `now`: while there is a session."""
        if pending.func == requests.INVITE:
            self._out.extend(self._calls.failed(pending.call, code, reason))
            self._take_later(pending.call, now)
        elif self._has_come_true(pending):
            self._done(pending)
        elif pending.number:
            self._out.append(Unanswered(pending.number, code, reason))
        elif pending.func == _POLL:
            self._polling = False

    def _has_come_true(self, pending: Pending) -> bool:
        """Whether it wanted out of a channel or a call that is over: then it cannot fail (C3, K12)."""
        if pending.func == requests.LEAVE:
            return self._is_out_of(str(pending.args["name"]))
        return pending.func == Action.END.value and bool(pending.call) and not self._calls.find(pending.call)

    # --- calls ----------------------------------------------------------------------------------

    def take_invite(self, invite: Invite, now: float) -> None:
        """`CallNamed` or `CallFailed` follows; no invitation waits for a connection."""
        if self._reach is _Reach.NOWHERE:
            self._fail(invite, Code.GENERAL_E_NOT_LOGIN, _NO_LOGIN)
        elif self._reach is _Reach.WAITING:
            self._fail(invite, Code.INVITE_E_NET, "there is no connection")
        elif refused := self._overloaded():
            self._fail(invite, Code.INVITE_E_OTHER, refused)
        else:
            self._calls.invite(invite.call, invite.channel, invite.peer)
            args = {"channelName": invite.channel, "peer": invite.peer, "extra": invite.extra}
            self._ask(self._requests.add(0, requests.INVITE, args, now, call=invite.call))

    def _fail(self, invite: Invite, code: Code, reason: str) -> None:
        self._out.append(CallFailed(invite.call, invite.channel, invite.peer, code, reason))

    def take_respond(self, respond: Respond, now: float) -> None:
        """`Answered` or `Unanswered` follows, and what happens to the call."""
        call = self._calls.find(respond.call)
        if respond.action is Action.END and (call is None or self._reach is _Reach.NOWHERE):
            self._calls.ended(respond.call)  # a logout is ending it
            self._answer_end(respond.number)
        elif self._reach is _Reach.NOWHERE:
            self._out.append(Unanswered(respond.number, Code.GENERAL_E_NOT_LOGIN, _NO_LOGIN))
        elif call is None:
            self._out.append(Unanswered(respond.number, Code.GENERAL_E_FAILED, _NO_CALL))
        elif refused := self._overloaded():
            self._out.append(Unanswered(respond.number, Code.GENERAL_E_FAILED, refused))
        elif first := self._calls.undecided(call):
            self._later.setdefault(first, []).append(respond)
        else:
            args = {"channelName": call.channel, "peer": call.peer, "extra": respond.extra}
            func = respond.action.value
            self._ask(self._requests.add(respond.number, func, args, now, call=call.number))

    def _take_later(self, number: int, now: float) -> None:
        """The server has taken or refused an invitation: do what has waited for that."""
        for respond in self._later.pop(number, ()):
            self.take_respond(respond, now)

    def _is_crowded(self) -> bool:
        """So much is unanswered that only the user may still ask: what the user asks has to find room."""
        return len(self._requests) * 2 >= self._settings.unanswered_requests

    def _take_call_event(self, line: Line, mark: int) -> None:
        events = self._calls.take(line, mark)
        marked = False
        for event in events:
            marked = marked or getattr(event, "mark", 0) == mark
        self._out.extend(events)
        if not marked:
            self._inbox.see(mark)  # nobody will be told of it

    # --- channels -------------------------------------------------------------------------------

    def take_event(self, event: wire.ChannelEvent) -> None:
        """Something happened in a channel."""
        meaning = self._channels.take(event)
        if isinstance(meaning, MemberLeft) and meaning.account == self._owner[1]:  # it was put out (SPEC C3)
            self._out.extend(self._channels.leave(meaning.channel, Code.LEAVECHANNEL_E_KICKED))
        elif meaning is not None:
            self._out.append(meaning)

    # --- the inbox ------------------------------------------------------------------------------

    def take_push(self, push: wire.Push, now: float) -> None:
        """An inbox item came."""
        self._take_item(push)
        self._plan_acknowledgement(now)

    def take_announcement(self, announcement: wire.Announcement, now: float) -> None:
        """We are pushed to; an announcement of something that was not means that it has to be fetched."""
        if announcement.version > self._inbox.taken:
            self._inbox.behind = True
            self.catch_up(now)

    def holds(self, mark: int) -> bool:
        """Whether the application may be told of the item with this mark (SPEC M11)."""
        return self._inbox.holds(mark)

    def take_told(self, told: Told, now: float) -> None:
        """The application is told of an item; an invitation is confirmed then (SPEC K1, S2)."""
        self._inbox.tell(told.mark)
        call = self._calls.told(told.mark)
        if call is not None and self._reach is not _Reach.NOWHERE and not self._is_crowded():
            self._tell_peer(_CONFIRM, call.channel, call.peer, now)

    def take_seen(self, seen: Seen, now: float) -> None:
        """The application has dealt with an item (SPEC M6)."""
        self._inbox.see(seen.mark)
        if self._reach is _Reach.SERVER:
            self._plan_acknowledgement(now)
            self.catch_up(now)

    def catch_up(self, now: float) -> None:
        """Ask for what was let go, as soon as the application has seen all that it has."""
        if self._inbox.behind and self._inbox.is_seen and not self._polling and self._reach is _Reach.SERVER:
            self._polling = True
            args = {"ver_clear": self._inbox.seen, "max": _POLL_MOST}
            self._ask(self._requests.add(0, _POLL, args, now))

    def _take_item(self, push: wire.Push) -> None:
        mark = self._inbox.take(push.version)
        if not mark:
            return
        line = push.line
        if line is not None and line.type == "instant":
            self._out.append(Message(line.src, line.content, line.id, seconds_of(line), mark))
        elif line is None or push.version <= self._inbox.known:  # a call event counts when it comes first
            self._inbox.see(mark)
        else:
            self._take_call_event(line, mark)

    def _polled(self, body: dict[str, Any], now: float) -> None:
        self._polling = False
        items = wire.decode_items(body.get("msgs"))
        fresh = [item for item in items if item.version > self._inbox.taken]
        self._inbox.behind = False
        for item in fresh:
            self._take_item(item)
        if fresh:
            self._inbox.behind = True
            self.catch_up(now)
        self._plan_acknowledgement(now)

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
            self._out.append(Transmit(self._requests.once(_ACKNOWLEDGE, args)))
            if left_out := self._calls.take_left_out():  # nobody has seen these
                most = self._settings.ringing_calls
                reason = f"missed calls: {left_out}; {most} wait for an answer"
                self._out.append(Problem("invite_received", Code.GENERAL_E, reason))


def _failure_code(answer: wire.CallReturn, func: str) -> Code:
    """The code of a refused request; without one, that of the function's failures (SPEC E1)."""
    return wire.code_of(answer.body["code"]) if "code" in answer.body else failure_code(func)
