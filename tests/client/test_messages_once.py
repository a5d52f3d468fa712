"""Each message is told once and in order, whatever the application and the network do (SPEC M6, M11).

A model of a server's inbox, of a face that tells in order, and of an application whose callbacks may end in
any order. It logs out and in, also inside callbacks, and is cut off, kicked and resumed.
"""

from __future__ import annotations

import json
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from signalpost.client.events import Message
from signalpost.client.machine import Machine, State
from signalpost.client.settings import Settings
from signalpost.client.steps import (
    Closed,
    Drop,
    Input,
    Login,
    Logout,
    Open,
    Opened,
    Received,
    Seen,
    Tick,
    Told,
    Transmit,
)

SMALL = Settings(unread_items=4, acknowledge_items=2)
ACTIONS = [
    "send",
    "send",
    "tell",
    "tell",
    "see",
    "see last",
    "logout",
    "login",
    "cut",
    "kick",
    "wait",
    "answer",
]


class World:
    """A server with one inbox, a face, and what the application was told."""

    def __init__(self) -> None:
        self.machine = Machine(SMALL, seed="s", jitter=lambda: 0.5)
        self.now = 0.0
        self.sent = 0  # versions that there have been
        self.acknowledged = 0
        self.is_attached = False  # the server has let the client in on the connection that there is
        self.has_session = False
        self.answers: deque[str] = deque()  # frames that the server has not sent yet
        self.queue: deque[Message] = deque()  # the face's
        self.running: list[int] = []  # marks of callbacks that have not ended
        self.told: list[str] = []

    def step(self, input: Input) -> None:
        for effect in self.machine.step(input, self.now):
            match effect:
                case Open():
                    self.step(Opened())
                case Drop():
                    self.lose()
                case Transmit(text=text):
                    self.serve(*json.loads(text))
                case Message():
                    self.queue.append(effect)

    def lose(self) -> None:
        self.is_attached = False
        self.answers.clear()

    # --- the server ---

    def serve(self, name: str, argument: list[object]) -> None:
        if name == "login":
            fields = dict(argument)  # type: ignore[call-overload]
            self.acknowledge(fields["inbox"][1])
            resumed, self.has_session, self.is_attached = self.has_session and "line" in fields, True, True
            body = {"result": "ok", "line": "x", "inbox": "e", "resumed": resumed, "channels": {}}
            self.say(["login_ret", ["", json.dumps(body)]])
            for version in range(self.acknowledged + 1, self.sent + 1):
                self.push(version)
        elif name == "call2":
            func, id, args = argument
            assert isinstance(args, dict)
            body = {"result": "ok"}
            if func in ("user_ack", "user_getmsg"):
                self.acknowledge(args["ver_clear"])
            if func == "user_getmsg":
                body["msgs"] = [[v, line(v)] for v in range(self.acknowledged + 1, self.sent + 1)][:30]
            if func == "user_logout":
                self.has_session = False
            if func != "user_ack":
                self.say(["call2-ret", [id, "", json.dumps(body)]])

    def acknowledge(self, version: int) -> None:
        assert version <= len(self.told), "what was not told is not acknowledged"
        self.acknowledged = max(self.acknowledged, version)

    def push(self, version: int) -> None:
        self.say(["notify", ["recvmsg", json.dumps([version, line(version)])]])

    def say(self, frame: object) -> None:
        self.answers.append(json.dumps(frame))

    # --- what happens ---

    def do(self, action: str) -> None:
        match action:
            case "send":
                self.sent += 1
                if self.is_attached and self.has_session:
                    self.push(self.sent)
            case "tell" if self.queue:
                message = self.queue.popleft()
                if self.machine.holds(message.mark):
                    self.step(Told(message.mark))
                    self.told.append(message.text)
                    self.running.append(message.mark)
            case "see" if self.running:
                self.step(Seen(self.running.pop(0)))
            case "see last" if self.running:
                self.step(Seen(self.running.pop()))
            case "logout":
                self.step(Logout())
            case "login":
                self.step(Login("app", "ada", "token", 1000, 1000))
            case "cut" if self.machine.state not in (State.OUT, State.PAUSE, State.PAUSE_FIRST):
                self.lose()
                self.step(Closed("cut"))
            case "kick" if self.is_attached:
                self.has_session = False
                self.say(["kick", ""])
            case "wait":
                self.wait(0.3)
            case "answer":
                self.hear()

    def hear(self) -> None:
        while self.answers:
            self.step(Received(self.answers.popleft().encode()))

    def wait(self, seconds: float) -> None:
        to = self.now + seconds
        while (due := self.machine.deadline) is not None and due <= to:
            self.now = max(self.now, due)
            self.step(Tick())
        self.now = to


def line(version: int) -> str:
    return f"msg-v3 m{version} bo ada v1:E:86400 instant 1763700000 {version}"


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), min_size=40, max_size=120))
def test_each_message_is_told_once_and_in_order(script: list[str]) -> None:
    """SPEC M6, M11: over logouts, kicks and breaks of one process, with callbacks that end in any order."""
    world = World()
    for action in ["login", "answer", *script]:
        world.do(action)
        assert world.told == [str(number) for number in range(1, len(world.told) + 1)]
    for _ in range(40):
        for action in ("login", "answer", "tell", "tell", "see", "see", "wait", "wait"):
            world.do(action)
    world.wait(10)
    assert world.told == [str(number) for number in range(1, world.sent + 1)]
