"""Invitations, answers, ends, breaks, logins and time in any order keep the laws of calls (SPEC §6).

The model below is SPEC's text once more; after every step the house has to agree with it in every call that
is on record, every timer, and every event in every inbox.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.house import APP, Device, House
from signalpost.domain.apps import App
from signalpost.domain.calls import State
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.services.keys import calls_key, inbox_key, pair_key

ACCOUNTS = ["ada", "bo", "cy"]
CHANNELS = ["room", "hall"]
GRACE = 25.0
KEYS = '{"msgtype":"dtmf","msgdata":"1"}'
UNCONFIRMED = (State.PUSHED, State.RENEWED)
RINGS = (*UNCONFIRMED, State.RINGING)
OUTCOMES = {"accept", "refuse", "failed", "bye"}

WHO = st.sampled_from(ACCOUNTS)
WHERE = st.sampled_from(CHANNELS)

Key = tuple[str, frozenset[str]]


@dataclass
class Expected:
    """One call, and all that its parties were ever told of it."""

    caller: str
    callee: str
    channel: str
    timeout: float
    invited: float
    state: State = State.WAITING
    pushed: float = 0.0
    to_caller: list[str] = field(default_factory=list)
    to_callee: list[str] = field(default_factory=list)
    ended_by_caller: bool = False

    def other(self, account: str) -> str:
        return self.callee if account == self.caller else self.caller

    def deadline(self, online: bool) -> tuple[float, int]:
        """When it fails, and with which code."""
        ring = (self.invited + self.timeout, 704)
        if self.state is State.WAITING and not online:
            return min(ring, (self.invited + 20.0, 703))
        if self.state in UNCONFIRMED:
            return min(ring, (self.pushed + 20.0, 705))
        return (math.inf, 0) if self.state is State.ACCEPTED else ring


@dataclass
class Person:
    """An account's session."""

    device: Device
    attached: bool = True
    until: float = math.inf


@dataclass
class Waiting:
    """An event in an inbox that nobody has taken."""

    event: tuple[str, str, object]
    call: Expected


class Calls(RuleBasedStateMachine):
    """Three people who call each other."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(**{APP: App(limits=Limits(grace_min=GRACE, grace_max=GRACE))})
        self.people: dict[str, Person] = {}
        self.calls: dict[Key, Expected] = {}
        self.inboxes: dict[str, list[Waiting]] = {account: [] for account in ACCOUNTS}
        self.last: dict[str, Device] = {}
        for account in ACCOUNTS:
            self.people[account] = Person(self.house.login(account))
            self.last[account] = self.people[account].device

    # --- what SPEC says -----------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.house.clock()

    def tell(self, call: Expected, account: str, kind: str, text: object = "") -> None:
        told = call.to_caller if account == call.caller else call.to_callee
        told.append(kind)
        self.inboxes[account].append(Waiting((kind, call.other(account), text), call))

    def push(self, call: Expected) -> None:
        self.take_back(call)
        call.pushed = self.now
        confirmed = call.state in (State.RINGING, State.RENEWED)
        call.state = State.RENEWED if confirmed else State.PUSHED
        self.tell(call, call.callee, "invite")

    def take_back(self, call: Expected) -> None:
        inbox = self.inboxes[call.callee]
        inbox[:] = [one for one in inbox if not (one.call is call and one.event[0] == "invite")]

    def over(self, key: Key) -> None:
        call = self.calls.pop(key)
        self.judge(call)

    def judge(self, call: Expected) -> None:
        """The laws, on what the parties of a call that is over were told."""
        said = [kind for kind in call.to_caller if kind in OUTCOMES]
        if said[:1] == ["accept"]:
            assert call.ended_by_caller or said == ["accept", "bye"]
            assert said.count("accept") == 1
        else:
            assert len(said) == (0 if call.ended_by_caller else 1)
        assert call.to_caller.count("ack") <= 1
        assert "ack" not in call.to_caller[1:]
        assert not call.to_callee or call.to_callee[0] == "invite"
        assert call.to_callee.count("bye") <= 1

    def gone(self, key: Key, account: str) -> None:
        call = self.calls[key]
        ringing = call.state in RINGS
        if call.state is State.ACCEPTED:
            call.ended_by_caller |= account == call.caller
            self.tell(call, call.other(account), "bye")
        elif account == call.caller:
            call.ended_by_caller = True
            if ringing:
                self.take_back(call)
                self.tell(call, call.callee, "bye")
        elif ringing:
            self.take_back(call)
            self.tell(call, call.caller, "failed", 703)
        else:
            return  # it goes on waiting
        self.over(key)

    def calls_of(self, account: str) -> list[Key]:
        return [key for key in self.calls if account in key[1]]

    def ends(self, account: str) -> None:
        for key in self.calls_of(account):
            self.gone(key, account)
        self.inboxes[account].clear()

    def arrives(self, account: str, device: Device) -> None:
        self.people[account] = Person(device)
        self.last[account] = device
        for key in self.calls_of(account):
            call = self.calls[key]
            if call.callee == account and call.state is State.WAITING:
                self.push(call)

    def fails(self, key: Key, code: int) -> None:
        call = self.calls[key]
        if call.state is not State.WAITING:
            self.take_back(call)
            self.tell(call, call.callee, "bye")
        self.tell(call, call.caller, "failed", code)
        self.over(key)

    def pass_time(self, seconds: float) -> None:
        """Let the house and the model go through the same deadlines."""
        end = self.now + seconds
        while True:
            sessions = [(person.until, account) for account, person in self.people.items()]
            calls = [(*call.deadline(call.callee in self.people), key) for key, call in self.calls.items()]
            next_session = min(sessions, default=(math.inf, ""))
            next_call = min(calls, key=lambda one: one[0], default=(math.inf, 0, ("", frozenset())))
            at = min(next_session[0], next_call[0])
            if at > end:
                break
            self.house.advance(max(at - self.now, 0.0))
            if next_session[0] == at:
                del self.people[next_session[1]]
                self.ends(next_session[1])
            else:
                self.fails(next_call[2], next_call[1])
        self.house.advance(end - self.now)

    def step(self) -> None:
        # So no two deadlines ever coincide: whole seconds and up to 40 steps of a 64th apart.
        self.pass_time(1 / 64)

    def attached(self, account: str) -> Device | None:
        person = self.people.get(account)
        return person.device if person is not None and person.attached else None

    # --- what happens -------------------------------------------------------------------------

    @rule(
        caller=WHO, callee=WHO, channel=WHERE, timeout=st.sampled_from([0, 5, 15, 30]), strict=st.booleans()
    )
    def somebody_invites(self, caller: str, callee: str, channel: str, timeout: int, strict: bool) -> None:
        self.step()
        device = self.attached(caller)
        if device is None or caller == callee:
            return
        key = (channel, frozenset((caller, callee)))
        old = self.calls.get(key)
        extra = f'{{"_timeout":{timeout},"_require_peer_online":{int(strict)}}}'
        code = 0
        if old is not None and old.state is not State.ACCEPTED:
            code = 701
        elif strict and callee not in self.people:
            code = 703
        if code:
            with pytest.raises(Refusal) as caught:
                device.invite(callee, channel, extra)
            assert caught.value.code == code
            return
        device.invite(callee, channel, extra)
        if old is not None:
            old.ended_by_caller |= caller == old.caller
            self.tell(old, callee, "bye")
            self.judge(old)
        call = Expected(caller, callee, channel, float(timeout or 30), self.now)
        self.calls[key] = call
        if self.attached(callee):
            self.push(call)
            self.inboxes[callee][-1].event = ("invite", caller, extra)

    @rule(
        who=WHO,
        peer=WHO,
        channel=WHERE,
        deed=st.sampled_from(["confirm", "accept", "accept", "refuse", "end", "press"]),
    )
    def somebody_answers(self, who: str, peer: str, channel: str, deed: str) -> None:
        self.step()
        device = self.attached(who)
        if device is None or who == peer:
            return
        key = (channel, frozenset((who, peer)))
        call = self.calls.get(key)
        by_callee = call is not None and call.callee == who
        state = State.OVER if call is None else call.state
        rings = state in RINGS
        allowed = {
            "confirm": by_callee and (rings or state is State.ACCEPTED),
            "accept": by_callee and rings,
            "refuse": by_callee and rings,
            "press": state is State.ACCEPTED,
            "end": rings or state is State.ACCEPTED or (state is State.WAITING and not by_callee),
        }[deed]
        act = {
            "confirm": lambda: device.confirm(peer, channel),
            "accept": lambda: device.accept(peer, channel, "said"),
            "refuse": lambda: device.refuse(peer, channel, "said"),
            "press": lambda: device.press(peer, KEYS, channel),
            "end": lambda: device.end(peer, channel, "said"),
        }[deed]
        if deed == "end" and (not allowed or call is None):
            act()  # which is no failure, and nothing more
            return
        if not allowed or call is None:
            with pytest.raises(Refusal) as caught:
                act()
            assert caught.value.code == 1001
            return
        act()
        match deed:
            case "confirm" if state in UNCONFIRMED:
                call.state = State.RINGING
                if state is State.PUSHED:
                    self.tell(call, peer, "ack")
            case "accept":
                call.state = State.ACCEPTED
                self.tell(call, peer, "accept", "said")
            case "refuse":
                self.tell(call, peer, "refuse", "said")
                self.over(key)
            case "press":
                self.tell(call, peer, "msg", KEYS)
            case "end":
                call.ended_by_caller |= not by_callee
                if not by_callee and rings:
                    self.take_back(call)
                if state is not State.WAITING:
                    self.tell(call, peer, "bye", "said")
                self.over(key)

    @rule(who=WHO)
    def somebody_logs_out(self, who: str) -> None:
        self.step()
        if device := self.attached(who):
            device.logout()
            del self.people[who]
            self.ends(who)

    @rule(who=WHO)
    def a_connection_breaks(self, who: str) -> None:
        self.step()
        if device := self.attached(who):
            device.breaks()
            self.people[who].attached, self.people[who].until = False, self.now + GRACE

    @rule(who=WHO)
    def somebody_comes_back(self, who: str) -> None:
        self.step()
        device = self.last[who]
        if device.live is not None or not device.ours:
            return
        broken = self.people.get(who)
        assert device.resume().resumed is (broken is not None)
        self.arrives(who, device)
        self.fill_in()

    @rule(who=WHO, ours=st.booleans())
    def somebody_logs_in_afresh(self, who: str, ours: bool) -> None:
        self.step()
        device = self.house.device(who, ours=ours)
        device.seen = self.last[who].seen
        old = self.people.get(who)
        device.login()
        if old is not None:
            live = [
                key
                for key in self.calls_of(who)
                if self.calls[key].callee == who and self.calls[key].state is not State.ACCEPTED
            ]
            for key in self.calls_of(who):
                if key not in live:
                    self.gone(key, who)
            self.inboxes[who].clear()
            for key in live:
                self.push(self.calls[key])
        self.arrives(who, device)
        self.fill_in()

    @rule(who=WHO)
    def somebody_takes_what_is_in_the_inbox(self, who: str) -> None:
        self.step()
        if device := self.attached(who):
            assert device.inbox() == [one.event for one in self.inboxes[who]]
            self.inboxes[who].clear()

    @rule(seconds=st.sampled_from([1, 4, 9, 14, 19, 24, 29, 60]))
    def time_passes(self, seconds: int) -> None:
        self.pass_time(seconds + 1 / 64)

    def fill_in(self) -> None:
        """An invitation's extra is what its call is on record with: it reaches the peer untouched."""
        extras = {(one.channel, one.caller, one.callee): one.extra for one in self.house.open_calls()}
        for inbox in self.inboxes.values():
            for one in inbox:
                if one.event == ("invite", one.call.caller, ""):
                    extra = extras[one.call.channel, one.call.caller, one.call.callee]
                    one.event = ("invite", one.call.caller, extra)

    # --- what has to be true ------------------------------------------------------------------

    @invariant()
    def the_calls_on_record_are_those_that_live(self) -> None:
        found = {(one.channel, one.caller, one.callee, one.state) for one in self.house.open_calls()}
        live = {(one.channel, one.caller, one.callee, one.state) for one in self.calls.values()}
        assert found == live

    @invariant()
    def every_call_has_a_timer(self) -> None:
        """Accepted ones, too, which see whether their sessions are there still."""
        assert len(self.house.armed("call")) == len(self.calls)

    @invariant()
    def only_who_is_in_a_call_has_a_set_of_calls(self) -> None:
        busy = {calls_key(inbox_key(APP, account)) for _, pair in self.calls for account in pair}
        assert set(self.house.sets_of_calls()) == busy | {pair_key(APP, *pair) for _, pair in self.calls}

    def teardown(self) -> None:
        for account in ACCOUNTS:
            if device := self.attached(account):
                device.logout()
                del self.people[account]
                self.ends(account)
        self.pass_time(200.0)
        assert self.calls == {}
        assert self.house.open_calls() == []
        assert self.house.armed() == []
        assert self.house.sets_of_calls() == []
        assert self.house.reported == []
        for account in ACCOUNTS:
            assert self.house.login(account).inbox() == []


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
