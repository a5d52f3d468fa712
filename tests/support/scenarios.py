"""Plays the shared scenarios of protocol/scenarios against the pure session machine.

It knows the format (protocol/scenarios/README.md): a clock of its own, inputs at their times, and the exact
list of effects that each must have. Whatever a scenario does not expect is a failure.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from signalpost.client.events import Event, Note
from signalpost.client.machine import Machine
from signalpost.client.settings import Settings
from signalpost.client.steps import (
    Action,
    Answered,
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
    Unanswered,
)
from support.conversation import Mismatch, match, substitute

__all__ = ["SCENARIOS", "SETTING", "Player", "Scenario", "scenarios"]

SCENARIOS = Path(__file__).parents[2] / "protocol" / "scenarios"
SETTING = json.loads((SCENARIOS / "setting.json").read_text())

CHANGES = frozenset(  # requests that carry a request id (PROTOCOL §12)
    {
        "user_sendmsg",
        "user_set_attr",
        "channel_leave",
        "channel_sendmsg",
        "channel_set_attr",
        "channel_del_attr",
        "channel_clear_attr",
        "voip_invite",
        "voip_invite_ack",
        "voip_invite_accept",
        "voip_invite_refuse",
        "voip_invite_bye",
        "voip_invite_msg",
    }
)
_MILLISECOND = 0.001  # times are equal if they differ by less


@dataclass(frozen=True)
class Scenario:
    """One scenario."""

    file: str
    name: str
    shows: tuple[str, ...]
    settings: dict[str, Any]
    jitter: float
    steps: list[dict[str, Any]]

    @property
    def id(self) -> str:
        """How a test of it is called."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{self.file}-{self.name}")


def scenarios() -> Iterator[Scenario]:
    """All scenarios there are."""
    for path in sorted(SCENARIOS.glob("*.json")):
        if path.name != "setting.json":
            for script in json.loads(path.read_text()):
                unknown = script.keys() - {"name", "shows", "settings", "jitter", "steps"}
                assert not unknown, (path.name, script["name"], unknown)
                yield Scenario(
                    path.stem,
                    script["name"],
                    tuple(script["shows"]),
                    script.get("settings", {}),
                    script.get("jitter", SETTING["jitter"]),
                    script["steps"],
                )


# --- what is built for a machine -----------------------------------------------------------------


def build(value: Any, saved: dict[str, Any]) -> Any:
    """A value with its `${names}` replaced and its builders `$json`, `$line`, `$repeat` carried out."""
    if isinstance(value, list):
        return [build(part, saved) for part in value]
    if not isinstance(value, dict):
        return substitute(value, saved)
    match value:
        case {"$json": inner, **rest} if not rest:
            return json.dumps(build(inner, saved))
        case {"$line": fields, **rest} if not rest:
            return _line(build(fields, saved))
        case {"$repeat": [text, times], **rest} if not rest:
            return text * times
    return {name: build(part, saved) for name, part in value.items()}


def _line(fields: dict[str, Any]) -> str:
    given = {"id": "m1", "src": "bo", "dst": "ada", "flag": "v1:E:86400", "time": "1763700000", **fields}
    if "call" in given:
        channel, peer, extra = given["call"]
        content = json.dumps({"channel": channel, "peer": peer, "peeruid": 0, "extra": extra})
    else:
        content = given.get("content", "")
    names = ("id", "src", "dst", "flag", "type", "time")
    return " ".join(["msg-v3", *(given[name] for name in names), content])


# --- playing -------------------------------------------------------------------------------------


class _Seen(NamedTuple):
    """An effect that a machine had, and when."""

    time: float
    effect: Effect


class _Sent(NamedTuple):
    """A request that a machine transmitted."""

    id: int
    rid: str | None


@dataclass
class Player:
    """A machine, its clock, and what the scenario has named."""

    scenario: Scenario
    now: float = 0.0
    saved: dict[str, Any] = field(default_factory=dict)  # by name: what patterns saved
    numbers: dict[str, int] = field(default_factory=dict)  # by name: requests made
    calls: dict[str, int] = field(default_factory=dict)  # by name: calls
    marks: dict[str, int] = field(default_factory=dict)  # by name: marks of events
    sent: dict[str, _Sent] = field(default_factory=dict)  # by name: requests transmitted
    login: dict[str, Any] = field(default_factory=dict)  # the last login

    def __post_init__(self) -> None:
        settings = {**SETTING["settings"], **self.scenario.settings}
        known = {each.name for each in dataclasses.fields(Settings)}
        assert settings.keys() <= known, settings.keys() - known
        values = Settings(**settings)
        self.saved["device"] = values.device
        self.machine = Machine(values, seed="seed", jitter=lambda: self.scenario.jitter)

    def play(self) -> None:
        """Do all steps, then see that nothing is left that would keep a client busy."""
        self._play(self.scenario.steps, "")

    def _play(self, steps: list[dict[str, Any]], path: str) -> None:
        for index, step in enumerate(steps):
            where = f"{path}step {index}"
            if "begin" in step:
                assert step.keys() == {"begin"}, step
                self._play(SETTING["beginnings"][step["begin"]], f"{where} ({step['begin']}), ")
            elif "times" in step:
                for n in range(1, step["times"] + 1):
                    self.saved["n"] = n
                    self._play(step["steps"], f"{where}, time {n}, ")
            else:
                try:
                    self._do(step)
                except Mismatch as error:
                    raise Mismatch(f"{where}: {json.dumps(step)[:200]}\n{error}") from None

    def _do(self, step: dict[str, Any]) -> None:
        verbs = [name for name in step if name in self._INPUTS]
        assert len(verbs) <= 1, f"one verb a step: {verbs}"
        effects = self._advance(step["at"]) if "at" in step else []
        for verb in verbs:
            given = self._INPUTS[verb](self, step)
            effects += [_Seen(self.now, effect) for effect in self.machine.step(given, self.now)]
        allowed = {"at", "effects", "status", "held", *verbs, *(_BESIDES.get(verbs[0], ()) if verbs else ())}
        assert step.keys() <= allowed, f"unknown members: {step.keys() - allowed}"
        self._compare(step.get("effects", []), effects)
        if "status" in step and self.machine.status != step["status"]:
            raise Mismatch(f"status is {self.machine.status}, expected {step['status']}")
        if "held" in step:
            held = [name for name, mark in self.marks.items() if self.machine.holds(mark)]
            if held != step["held"]:
                raise Mismatch(f"marks held are {held}, expected {step['held']}")

    def _advance(self, to: float) -> list[_Seen]:
        """Go on to a time, with a tick at every deadline on the way."""
        assert to >= self.now - _MILLISECOND, f"time goes forward only: {to} after {self.now}"
        effects: list[_Seen] = []
        for _ in range(10_000):
            due = self.machine.deadline
            if due is None or due > to + _MILLISECOND:
                self.now = max(self.now, to)
                return effects
            self.now = max(self.now, due)
            effects += [_Seen(self.now, effect) for effect in self.machine.step(Tick(), self.now)]
        raise Mismatch(f"the machine wants to be ticked for ever at {self.now}")

    # --- inputs ---

    def _login(self, step: dict[str, Any]) -> Input:
        self.login = {**SETTING["login"], **build(step["login"], self.saved)}
        fields = self.login
        return Login(
            fields["app"], fields["account"], fields["token"], fields["retries"], fields["retry_seconds"]
        )

    def _logout(self, step: dict[str, Any]) -> Input:
        return Logout()

    def _request(self, step: dict[str, Any]) -> Input:
        func, args = build(step["request"], self.saved)
        return Request(self._number(step["as"]), func, args)

    def _number(self, name: str) -> int:
        number = max(self.numbers.values(), default=0) + 1
        name = substitute(name, self.saved)
        assert name not in self.numbers, f"{name} has been asked already"
        self.numbers[name] = number
        return number

    def _invite(self, step: dict[str, Any]) -> Input:
        fields = build(step["invite"], self.saved)
        name = step["as"]
        assert name not in self.calls, f"{name} is a call already"
        odd = [number for number in self.calls.values() if number % 2]
        self.calls[name] = max(odd, default=-1) + 2
        return Invite(self.calls[name], fields["channel"], fields["peer"], fields["extra"])

    def _respond(self, step: dict[str, Any]) -> Input:
        action = Action[step["respond"].upper()]
        extra = build(step.get("extra", ""), self.saved)
        return Respond(self._number(step["as"]), self.calls[step["call"]], action, extra)

    def _tell(self, step: dict[str, Any]) -> Input:
        return Told(self.marks[substitute(step["told"], self.saved)])

    def _see(self, step: dict[str, Any]) -> Input:
        return Seen(self.marks[substitute(step["seen"], self.saved)])

    def _opened(self, step: dict[str, Any]) -> Input:
        return Opened() if step["opened"] is True else Opened(step["opened"]["token"])

    def _closed(self, step: dict[str, Any]) -> Input:
        return Closed(step["closed"])

    def _hurry(self, step: dict[str, Any]) -> Input:
        return Hurry()

    def _sleep(self, step: dict[str, Any]) -> Input:
        self.now = step["asleep_until"]
        return Tick()

    def _receive(self, step: dict[str, Any]) -> Input:
        return self._text(build(step["receive"], self.saved))

    def _receive_text(self, step: dict[str, Any]) -> Input:
        return Received(build(step["receive_text"], self.saved).encode())

    @staticmethod
    def _text(frame: Any) -> Input:
        return Received(json.dumps(frame, ensure_ascii=False).encode())

    def _let_in(self, step: dict[str, Any]) -> Input:
        body = {
            "result": "ok",
            "uid": 0,
            "resumed": False,
            "channels": {},
            **build(step["let_in"], self.saved),
        }
        return self._text(["login_ret", ["", json.dumps(body)]])

    def _turn_away(self, step: dict[str, Any]) -> Input:
        body = {"result": "failed", **build(step["turn_away"], self.saved)}
        return self._text(["login_ret", [body["reason"], json.dumps(body)]])

    def _answer(self, step: dict[str, Any]) -> Input:
        if "body" in step:
            body = {"result": "ok", **build(step["body"], self.saved)}
        else:
            reason = step.get("reason", "refused")
            body = {"result": "failed", "reason": reason, "code": step["refused"], "data": {"result": reason}}
        sent = self.sent[substitute(step["answer"], self.saved)]
        return self._text(["call2-ret", [sent.id, "", json.dumps(body)]])

    def _push(self, step: dict[str, Any]) -> Input:
        version, fields = build(step["push"], self.saved)
        line = _line(fields) if isinstance(fields, dict) else fields
        return self._text(["notify", ["recvmsg", json.dumps([version, line])]])

    def _event(self, step: dict[str, Any]) -> Input:
        channel, id, type, content = build(step["channel_event"], self.saved)
        content = json.dumps({"channel": channel, "account": "bo", "uid": 0, **content})
        line = _line({"id": f"e1-{id}", "dst": channel, "type": type, "content": content})
        return self._text(["notify", ["channel2", channel, id, line]])

    _INPUTS: ClassVar[dict[str, Callable[[Player, dict[str, Any]], Input]]] = {
        "login": _login,
        "logout": _logout,
        "request": _request,
        "invite": _invite,
        "respond": _respond,
        "told": _tell,
        "seen": _see,
        "opened": _opened,
        "closed": _closed,
        "hurry": _hurry,
        "asleep_until": _sleep,
        "receive": _receive,
        "receive_text": _receive_text,
        "let_in": _let_in,
        "turn_away": _turn_away,
        "answer": _answer,
        "push": _push,
        "channel_event": _event,
    }

    # --- effects ---

    def _compare(self, expected: list[dict[str, Any]], seen: list[_Seen]) -> None:
        """Every effect in order; notes that are not expected are passed over."""
        left = list(seen)
        try:
            for pattern in expected:
                while left and isinstance(left[0].effect, Note) and "note" not in pattern:
                    left.pop(0)
                if not left:
                    raise Mismatch(f"missing: {json.dumps(pattern)}")
                self._hold(pattern, left.pop(0))
            surplus = [each.effect for each in left if not isinstance(each.effect, Note)]
            if surplus:
                raise Mismatch(f"not expected: {surplus[0]}")
        except Mismatch as error:
            all_ = "".join(f"\n  {time:g}: {effect}" for time, effect in seen)
            raise Mismatch(f"{error}\nwhat came:{all_ or ' nothing'}") from None

    def _hold(self, pattern: dict[str, Any], seen: _Seen) -> None:
        pattern = dict(pattern)
        at = pattern.pop("at", None)
        if at is not None and abs(at - seen.time) >= _MILLISECOND:
            raise Mismatch(f"at {seen.time}, expected at {at}: {seen.effect}")
        verb = next(iter(pattern))
        held = self._EFFECTS.get(verb)
        if held is not None:
            held(self, pattern, seen.effect)
        else:
            self._hold_event(verb, pattern[verb], seen.effect)

    def _is(self, type_: type, effect: Effect) -> None:
        if not isinstance(effect, type_):
            raise Mismatch(f"expected {type_.__name__}, got {effect}")

    def _hold_open(self, pattern: dict[str, Any], effect: Effect) -> None:
        self._is(Open, effect)

    def _hold_drop(self, pattern: dict[str, Any], effect: Effect) -> None:
        self._is(Drop, effect)

    def _frame(self, effect: Effect) -> Any:
        if not isinstance(effect, Transmit):
            raise Mismatch(f"expected a frame, got {effect}")
        return json.loads(effect.text)

    def _hold_transmit(self, pattern: dict[str, Any], effect: Effect) -> None:
        match(pattern["transmit"], self._frame(effect), self.saved)

    def _hold_enter(self, pattern: dict[str, Any], effect: Effect) -> None:
        """A login frame: what the scenario says, what follows from the login, no other line or channels."""
        frame = self._frame(effect)
        wanted = {
            "vid": self.login["app"],
            "account": self.login["account"],
            "token": self.login["token"],
            "device": "${device}",
            "ver": 1,
            **pattern["enter"],
            "$more": True,
        }
        match(["login", wanted], frame, self.saved)
        for name in ("line", "channels"):
            if name not in wanted and frame[1].get(name):
                raise Mismatch(f"{name} is not expected: {frame}")

    def _hold_call(self, pattern: dict[str, Any], effect: Effect) -> None:
        func, args = pattern["call"]
        frame = self._frame(effect)
        match(["call2", [func, {"$int": True}, {"$more": True}]], frame, self.saved)
        _, (_, id, fields) = frame
        rid = fields.pop("rid", None)
        fields.pop("line", None)
        match(args, fields, self.saved)
        if func in CHANGES and (not isinstance(rid, str) or not 1 <= len(rid) <= 128):
            raise Mismatch(f"{func} needs a request id, got {rid!r}")
        if "again" in pattern:
            former = self.sent[pattern["again"]]
            if rid != former.rid:
                raise Mismatch(f"repeated with the request id {rid!r}, not {former.rid!r}")
            self.sent[pattern["again"]] = _Sent(id, rid)
            return
        if rid is not None and rid in {sent.rid for sent in self.sent.values()}:
            raise Mismatch(f"the request id {rid!r} has been used")
        self.sent[substitute(pattern.get("as", f"call {len(self.sent)}"), self.saved)] = _Sent(id, rid)

    def _hold_answered(self, pattern: dict[str, Any], effect: Effect) -> None:
        if not isinstance(effect, Answered) or effect.number != self._asked(pattern["answered"]):
            raise Mismatch(f"expected an answer to {pattern['answered']}, got {effect}")
        if "body" in pattern:
            match({"result": "ok", **pattern["body"]}, effect.body, self.saved)

    def _hold_unanswered(self, pattern: dict[str, Any], effect: Effect) -> None:
        if not isinstance(effect, Unanswered) or effect.number != self._asked(pattern["unanswered"]):
            raise Mismatch(f"expected a failure of {pattern['unanswered']}, got {effect}")
        if effect.code != pattern["code"]:
            raise Mismatch(f"expected the code {pattern['code']}, got {effect}")
        match(pattern.get("reason", {"$text": True}), effect.reason, self.saved)

    def _asked(self, name: str) -> int:
        return self.numbers[substitute(name, self.saved)]

    def _hold_note(self, pattern: dict[str, Any], effect: Effect) -> None:
        if not isinstance(effect, Note) or not effect.text.startswith(pattern["note"]):
            raise Mismatch(f"expected a note that begins {pattern['note']}, got {effect}")

    def _hold_event(self, name: str, wanted: dict[str, Any], effect: Effect) -> None:
        if not isinstance(effect, Event) or _snake(type(effect).__name__) != name:
            raise Mismatch(f"expected {name}, got {effect}")
        fields = json.loads(msgspec.json.encode(effect))
        wanted = dict(wanted)
        if "reason" in fields:
            wanted.setdefault("reason", {"$text": True})
        if "call" in fields:
            self._name(self.calls, wanted.pop("call"), fields.pop("call"), "call")
        mark = fields.pop("mark", 0)
        if mark or "mark" in wanted:
            self._name(self.marks, wanted.pop("mark", ""), mark, "mark")
        match(wanted, fields, self.saved)

    def _name(self, names: dict[str, int], name: str, value: int, what: str) -> None:
        """A name stands for the same number always, and for one that no other name has."""
        name = substitute(name, self.saved)
        if not name or not value or (name not in names and value in names.values()):
            raise Mismatch(f"expected the {what} {name!r}, got {value}, which is not new, or not expected")
        if names.setdefault(name, value) != value:
            raise Mismatch(f"expected the {what} {name!r}, which is {names[name]}, got {value}")

    _EFFECTS: ClassVar[dict[str, Callable[[Player, dict[str, Any], Effect], None]]] = {
        "open": _hold_open,
        "drop": _hold_drop,
        "transmit": _hold_transmit,
        "enter": _hold_enter,
        "call": _hold_call,
        "answered": _hold_answered,
        "unanswered": _hold_unanswered,
        "note": _hold_note,
    }


_BESIDES = {
    "request": ("as",),
    "invite": ("as",),
    "respond": ("as", "call", "extra"),
    "answer": ("body", "refused", "reason"),
}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
