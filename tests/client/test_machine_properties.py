"""The laws of the session machine hold whatever happens to it, junk included (client/machine.py).

A model of the shell: a connection is opened, is there, and is lost; what comes over one that was dropped is
not handed on. Everything else is arbitrary, and time passes with a tick at each deadline.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalpost.client.events import (
    AttributeChanged,
    CallEnded,
    CallEvent,
    CallFailed,
    CallIncoming,
    CallRefused,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    LoggedIn,
    LoggedOut,
    LoginFailed,
    MemberJoined,
    MemberLeft,
    Note,
)
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
from signalpost.wire.codes import FRAME_BYTES

CHANNELS = ["room", "hall", "__agora_user_online", ""]
FUNCS = ["user_sendmsg", "channel_join", "channel_leave", "channel_query_num"]
KINDS = [
    "instant",
    "voip_invite",
    "voip_invite_ack",
    "voip_invite_accept",
    "voip_invite_refuse",
    "voip_invite_bye",
    "voip_invite_msg",
    "voip_invite_failed",
    "unknown",
]
EVENTS = ["channel_msg", "channel_user_join", "channel_user_leave", "channel_attr_update", "unknown"]
SMALL = Settings(waiting_requests=3, unanswered_requests=6, unread_items=3, acknowledge_items=2)

any_text = st.text(max_size=8)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=2),
    max_leaves=5,
)
names = ["login_ret", "call2-ret", "notify", "pong", "error", "reconnect", "multi", "close"]
junk_frames = st.tuples(st.sampled_from(names), any_json | st.lists(any_json | any_text, max_size=4))
junk_notices = st.tuples(
    st.just("notify"),
    st.tuples(
        st.sampled_from(["msg", "recvmsg", "channel2"]), any_json | st.sampled_from(CHANNELS), any_json
    ),
)
junk = st.one_of(
    st.binary(max_size=12),
    st.text(st.characters(), max_size=12),
    junk_frames.map(json.dumps),
    junk_notices.map(json.dumps),
)
small = st.integers(0, 7)
steps = st.one_of(
    st.tuples(
        st.just("login"), st.sampled_from(["ada", "cy", ""]), st.integers(0, 3), st.sampled_from([1, 30])
    ),
    st.tuples(st.just("logout")),
    st.tuples(st.just("opened")),
    st.tuples(st.just("opened")),
    st.tuples(st.just("let_in"), st.booleans(), st.booleans(), any_json),
    st.tuples(st.just("let_in"), st.booleans(), st.booleans(), any_json),
    st.tuples(st.just("turn_away"), st.sampled_from([201, 204, 206, 207, 209, None])),
    st.tuples(st.just("closed")),
    st.tuples(st.just("request"), st.sampled_from(FUNCS), st.sampled_from(CHANNELS), any_text),
    st.tuples(st.just("invite"), st.sampled_from(CHANNELS), any_text),
    st.tuples(st.just("respond"), small, st.sampled_from(list(Action)), any_text),
    st.tuples(st.just("told"), st.integers(-1, 12)),
    st.tuples(st.just("seen"), st.integers(-1, 12)),
    st.tuples(st.just("answer"), small, st.sampled_from([0, 0, 300, 1001, 77]), any_json),
    st.tuples(st.just("answer"), small, st.sampled_from([0, 0, 300, 1001, 77]), any_json),
    st.tuples(st.just("push"), small, st.sampled_from(KINDS), st.sampled_from(CHANNELS), any_text),
    st.tuples(st.just("event"), st.sampled_from(CHANNELS), small, st.sampled_from(EVENTS), any_text),
    st.tuples(st.just("frame"), st.sampled_from(["kick", "close", "pong", "error", "reconnect"]), any_json),
    st.tuples(st.just("announce"), small),
    st.tuples(st.just("junk"), junk),
    st.tuples(st.just("wait"), st.sampled_from([0.01, 0.2, 1, 3, 11, 40])),
)


class Shell:
    """What stands around a machine: connection, clock, and what the laws need to know."""

    def __init__(self) -> None:
        self.machine = Machine(SMALL, seed="s", jitter=lambda: 0.5)
        self.now = 0.0
        self.link = "none"  # or "opening", "open"
        self.asked: list[int] = []  # ids of requests on the wire
        self.waiting: set[int] = set()  # requests of the application without a result
        self.before_logout: set[int] = set()  # those of them that were asked before the last logout
        self.numbers = 0
        self.calls: list[int] = []  # calls that there have been
        self.over: set[int] = set()  # those of them that are over
        self.outgoing = -1
        self.last_mark = 0
        self.channels: set[str] = set()
        self.in_session = False
        self.logins = 0  # minus what became of them

    # --- inputs ---

    def do(self, name: str, *given: Any) -> None:
        getattr(self, f"_{name}")(*given)

    def step(self, input: Input) -> None:
        out_before = self.machine.state is State.OUT
        for effect in self.machine.step(input, self.now):
            assert not (out_before and isinstance(input, Tick)), "nothing happens without a login"
            self.take(effect)
        if self.machine.state is State.OUT:
            assert self.machine.deadline is None
            assert self.link == "none"
            assert not self.in_session
            assert not self.waiting
            assert not self.channels

    def receive(self, frame: Any) -> None:
        self.receive_text(json.dumps(frame))

    def receive_text(self, text: str | bytes) -> None:
        if self.link == "open":
            self.step(Received(text))

    def _login(self, account: str, retries: int, seconds: float) -> None:
        self.logins += 1
        self.step(Login("app", account, "token", retries, seconds))

    def _logout(self) -> None:
        self.before_logout = set(self.waiting)
        self.step(Logout())

    def _opened(self) -> None:
        if self.link == "opening":
            self.link = "open"
            self.asked.clear()
            self.step(Opened())

    def _closed(self) -> None:
        if self.link != "none":
            self.link = "none"
            self.step(Closed("cut"))

    def _let_in(self, resumed: bool, same: bool, channels: Any) -> None:
        kept = {name: {"epoch": "e1" if same else "e2", "lost": 1} for name in sorted(self.channels)[:1]}
        body = {
            "result": "ok",
            "line": "line",
            "inbox": "i1" if same else "i2",
            "resumed": resumed,
            "channels": kept if same else channels,
        }
        self.receive(["login_ret", ["", json.dumps(body)]])

    def _turn_away(self, code: int | None) -> None:
        body = {"result": "failed", "reason": "no"} | ({} if code is None else {"code": code})
        self.receive(["login_ret", ["no", json.dumps(body)]])

    def _request(self, func: str, channel: str, text: str) -> None:
        self.numbers += 1
        self.waiting.add(self.numbers)
        self.step(Request(self.numbers, func, {"name": channel, "content": text}))

    def _invite(self, channel: str, extra: str) -> None:
        self.outgoing += 2
        self.calls.append(self.outgoing)
        self.step(Invite(self.outgoing, channel, "bo", extra))

    def _respond(self, which: int, action: Action, extra: str) -> None:
        self.numbers += 1
        self.waiting.add(self.numbers)
        call = self.calls[which % len(self.calls)] if self.calls else 1
        self.step(Respond(self.numbers, call, action, extra))

    def _told(self, back: int) -> None:
        self.step(Told(self.last_mark - back))

    def _seen(self, back: int) -> None:
        self.step(Seen(self.last_mark - back))

    def _answer(self, which: int, code: int, value: Any) -> None:
        if not self.asked:
            return
        if code:
            body = {"result": "failed", "reason": "no", "code": code}
        else:
            msgs = [[self.numbers + 1, "msg-v3 m bo ada f instant 1 x"], value]
            body = {"result": "ok", "list": value, "attrs": value, "id": 2, "epoch": "e1", "msgs": msgs}
            if isinstance(value, str):
                body["channelName"] = value
        self.receive(["call2-ret", [self.asked[-1 - which % len(self.asked)], "", json.dumps(body)]])

    def _push(self, ahead: int, kind: str, channel: str, extra: str) -> None:
        content = json.dumps({"channel": channel, "peer": "bo", "extra": extra})
        line = f"msg-v3 m bo ada f {kind} 1 {content}"
        self.receive(["notify", ["recvmsg", json.dumps([self.last_mark + ahead, line])]])

    def _event(self, channel: str, id: int, kind: str, text: str) -> None:
        content = {"account": "bo", "msg": text, "name": "n", "value": "v", "type": text or "update"}
        line = f"msg-v3 m bo {channel} f {kind} 1 {json.dumps(content)}"
        self.receive(["notify", ["channel2", channel, id, line]])

    def _frame(self, name: str, value: Any) -> None:
        argument = {"after_ms": 20, "reason": "x", "code": 1004} if name in ("error", "reconnect") else value
        self.receive([name, argument])

    def _announce(self, version: int) -> None:
        self.receive(["notify", ["msg", version]])

    def _junk(self, text: str | bytes) -> None:
        self.receive_text(text)

    def _wait(self, seconds: float) -> None:
        to = self.now + seconds
        for _ in range(1000):
            due = self.machine.deadline
            if due is None or due > to:
                break
            self.now = max(self.now, due)
            for _ in range(4):
                self.step(Tick())
                due = self.machine.deadline
                if due is None or due > self.now:
                    break
            else:
                raise AssertionError(f"after a tick at {self.now} the deadline is {due}")
        self.now = to

    # --- effects ---

    def take(self, effect: Effect) -> None:
        match effect:
            case Open():
                assert self.link == "none"
                self.link = "opening"
            case Drop():
                assert self.link != "none"
                self.link = "none"
            case Transmit(text=text):
                assert self.link == "open"
                assert len(text) <= FRAME_BYTES
                frame = json.loads(text)
                if frame[0] == "call2":
                    assert frame[1][1] not in self.asked, "an id is used once on a connection"
                    self.asked.append(frame[1][1])
            case Answered(number=number) | Unanswered(number=number):
                assert number in self.waiting, "one result for each request"
                self.waiting.remove(number)
            case LoggedIn():
                assert not self.in_session
                self.in_session = True
                self.logins -= 1
            case LoginFailed():
                assert not self.in_session
                self.logins -= 1
            case LoggedOut():
                assert self.in_session
                assert not self.waiting & self.before_logout, "a logout comes last"
                self.in_session = False
            case Note(text=text) if text.startswith("208"):
                self.logins -= 1
            case ChannelJoined(channel=channel):
                self.channels.add(channel)
            case ChannelLeft(channel=channel):
                assert channel in self.channels or effect.code == 602, "only one's own leave says so again"
                self.channels.discard(channel)
            case MemberJoined() | MemberLeft() | ChannelMessage() | AttributeChanged():
                assert effect.channel in self.channels
            case CallEvent():
                self.take_call(effect)
        mark = getattr(effect, "mark", 0)
        if mark:
            assert mark > self.last_mark, "a mark is given once"
            self.last_mark = mark

    def take_call(self, event: CallEvent) -> None:
        if isinstance(event, CallIncoming):
            assert event.call not in self.calls
            self.calls.append(event.call)
        assert event.call in self.calls
        assert event.call not in self.over, "nothing happens to a call that is over"
        if isinstance(event, CallEnded | CallFailed | CallRefused):
            self.over.add(event.call)


@settings(max_examples=200, derandomize=True)
@given(st.lists(steps, max_size=60))
def test_the_laws_hold_whatever_happens(script: list[tuple[Any, ...]]) -> None:
    """SPEC L1, M11, E3, E5: one outcome a login, one result a request, nothing raised, and an end."""
    shell = Shell()
    shell.do("login", "ada", 3, 30)
    shell.do("opened")
    shell.do("let_in", False, True, {})
    for step in script:
        shell.do(*step)
    shell.do("logout")
    shell.do("wait", 100)
    if shell.machine.state is not State.OUT:  # a login that was queued behind a logout was let in
        shell.do("logout")
        shell.do("wait", 3)
    assert shell.machine.state is State.OUT
    assert shell.logins == 0
    assert shell.machine.step(Tick(), shell.now + 1000) == []


@settings(max_examples=200, derandomize=True)
@given(st.lists(junk | st.binary(max_size=40), max_size=20))
def test_junk_never_raises(texts: list[str | bytes]) -> None:
    """SPEC E5: whatever a server says, while logging in and while logged in."""
    for beginning in (["opened"], ["opened", "let_in"]):
        shell = Shell()
        shell.do("login", "ada", 3, 30)
        for name in beginning:
            shell.do(name, *((False, True, {}) if name == "let_in" else ()))
        for text in texts:
            shell.receive_text(text)
        shell.do("wait", 1)


@pytest.mark.parametrize("token", [7, b"token", "\ud800", ["token"]], ids=repr)
def test_a_fetched_token_that_is_none_fails_the_login(token: Any) -> None:
    """SPEC L3: what an application's function gives back is not known before."""
    machine = Machine(SMALL, seed="s", jitter=lambda: 0.5)
    machine.step(Login("app", "ada", None, 3, 30), 0)
    dropped, failed = machine.step(Opened(token), 0)
    assert isinstance(dropped, Drop)
    assert isinstance(failed, LoginFailed)
    assert failed.code == 206
