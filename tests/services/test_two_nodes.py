"""Two nodes on one engine, and every order in which what they ask and what they hear can travel (SPEC N1).

Each deed begins at the same instant at its node; then the calls of the ports and their answers arrive in
every order that FIFO cables allow. What the parties were told must be a story that one node could have told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from itertools import product
from typing import Any

import pytest

from services.house import Device, House, Started
from signalpost.domain.calls import Input
from signalpost.domain.refusals import Refusal
from signalpost.services.calls import Answer
from support.orders import Choose, every_order

Deed = Callable[[Device], Coroutine[Any, Any, Any]]

ORDERS = 30 if "FAR_ENGINE" in os.environ else 10  # of each play; chance picks as many again

KEYS = Answer(Input.DTMF_BY_CALLER, Input.DTMF_BY_CALLEE)


class Stage:
    """Ada and Bo, each at a node of their own."""

    def __init__(self) -> None:
        self.here = House(far=True)
        self.there = self.here.neighbour()
        self.ada, self.bo = self.here.login("ada"), self.there.login("bo")
        self.devices = [self.ada, self.bo]

    def peer(self, device: Device) -> str:
        return "bo" if device.account == "ada" else "ada"

    def at_once(self, choose: Choose, *deeds: tuple[Device, Deed]) -> list[Started]:
        """Begin these at the same instant, and let everything arrive in the order that is chosen."""
        nodes = self.here.nodes
        for node in nodes:
            node.stepping = True
        started = [device.house.begin(deed(device)) for device, deed in deeds]
        while ways := [way for node in nodes for way in node.ways if way]:
            ways[choose(len(ways))].step()
        for node in nodes:
            node.stepping = False
        self.here.carry()
        return started


def outcome(started: Started) -> str:
    """ "ok", or the code that it was refused with."""
    try:
        started.result()
    except Refusal as refusal:
        return str(int(refusal.code))
    return "ok"


# --- calls --------------------------------------------------------------------------------------


def _answer(answer: Answer) -> Deed:
    def begin(device: Device) -> Coroutine[Any, Any, Any]:
        peer = "bo" if device.account == "ada" else "ada"
        return device.house.calls.answer(device.session, "room", peer, answer, "")

    return begin


def invite(device: Device) -> Coroutine[Any, Any, Any]:
    peer = "bo" if device.account == "ada" else "ada"
    return device.house.calls.invite(device.session, "room", peer, "")


def end(device: Device) -> Coroutine[Any, Any, Any]:
    peer = "bo" if device.account == "ada" else "ada"
    return device.house.calls.end(device.session, "room", peer, "")


def logout(device: Device) -> Coroutine[Any, Any, Any]:
    return device.leaving()


DEEDS: dict[str, Deed] = {
    "invites": invite,
    "confirms": _answer(Answer(None, Input.CONFIRM)),
    "accepts": _answer(Answer(None, Input.ACCEPT)),
    "refuses": _answer(Answer(None, Input.REFUSE)),
    "presses a key": _answer(KEYS),
    "ends": end,
    "logs out": logout,
}
STATES = ("nothing", "invited", "ringing", "accepted")


def bring(stage: Stage, state: str) -> None:
    """Bring a call of Ada's to this state; the parties have taken what they were told so far."""
    if state == "nothing":
        return
    stage.ada.invite("bo")
    if state != "invited":
        stage.bo.confirm("ada")
    if state == "accepted":
        stage.bo.accept("ada")
    stage.here.carry()
    stage.ada.inbox()
    stage.bo.inbox()


def told(device: Device) -> list[str]:
    return [kind for kind, _, _ in device.inbox()] if device.live is not None else []


def check_story(kinds: list[str]) -> None:
    """What one party is told of one pair's calls, whoever calls: at most one end of each."""
    ends = [kind for kind in kinds if kind in ("refuse", "failed", "bye")]
    calls = kinds.count("invite") + 1
    assert len(ends) <= calls, kinds
    assert kinds.count("accept") <= calls, kinds
    assert kinds.count("ack") <= calls, kinds


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("hers", "his"), list(product(DEEDS, DEEDS)))
def test_whatever_both_do_at_once_is_one_story(state: str, hers: str, his: str) -> None:
    """SPEC K1-K12, N1: each is answered, what was acknowledged is told once, and nothing is left over."""

    def play(choose: Choose) -> None:
        stage = Stage()
        ada, bo = stage.devices
        bring(stage, state)
        results = [outcome(one) for one in stage.at_once(choose, (ada, DEEDS[hers]), (bo, DEEDS[his]))]
        at_ada, at_bo = told(ada), told(bo)
        check_story(at_ada)
        check_story(at_bo)
        for deed, result, heard in ((hers, results[0], at_bo), (his, results[1], at_ada)):
            if deed == "presses a key":
                gone = "logs out" in (hers, his)
                assert heard.count("msg") == (result == "ok") or gone, (results, at_ada, at_bo)
            if deed in ("ends", "logs out"):
                assert result == "ok"
        if "accepts" in (his,) and results[1] == "ok" and ada.live is not None:
            assert at_ada.count("accept") == 1, (results, at_ada, at_bo)
        for device in stage.devices:
            if device.live is not None:
                device.logout()
        stage.here.advance(200.0)
        assert stage.here.open_calls() == []
        assert stage.here.armed("call") == []
        assert stage.here.reported == []

    every_order(play, most=ORDERS)


def test_a_key_is_not_lost_if_the_answer_that_it_was_pressed_comes_late() -> None:
    """ENGINE §1: one node's key is under way while the other node presses, and is acknowledged."""
    stage = Stage()
    ada, bo, here = stage.ada, stage.bo, stage.here
    bring(stage, "accepted")
    here.stepping = True  # nothing arrives at this node, or from it
    slow = here.begin(DEEDS["presses a key"](ada))
    keeping, answers = here.ways[0], here.ways[2]
    keeping.step()  # it reads the call,
    answers.step()
    keeping.step()  # and its decision is committed, but the answer is on its way
    assert not slow.finished
    for _ in range(3):
        stage.there.run(DEEDS["presses a key"](bo))
    here.stepping = False
    here.carry()
    slow.result()
    assert told(bo) == ["msg"]
    assert told(ada) == ["msg"] * 3
    assert here.armed("call") != [], "its time goes on"
    ada.end("bo")
    assert told(bo) == ["bye"]


@pytest.mark.parametrize("deeds", [(1, 1), (2, 1), (2, 2)])
def test_no_acknowledged_key_is_lost(deeds: tuple[int, int]) -> None:
    """SPEC K12, N1: pressed at both nodes at once, each comes once, those of one side in their order."""

    def press(number: int) -> Deed:
        def begin(device: Device) -> Coroutine[Any, Any, Any]:
            peer = "bo" if device.account == "ada" else "ada"
            return device.house.calls.answer(device.session, "room", peer, KEYS, f"key {number}")

        return begin

    def play(choose: Choose) -> None:
        stage = Stage()
        bring(stage, "accepted")
        hers = [(stage.ada, press(number)) for number in range(deeds[0])]
        his = [(stage.bo, press(number)) for number in range(deeds[1])]
        assert {outcome(one) for one in stage.at_once(choose, *hers, *his)} == {"ok"}
        assert sorted(text for _, _, text in stage.bo.inbox()) == [f"key {n}" for n in range(deeds[0])]
        assert sorted(text for _, _, text in stage.ada.inbox()) == [f"key {n}" for n in range(deeds[1])]

    assert every_order(play, most=ORDERS) > 1


# --- sessions -----------------------------------------------------------------------------------


class Crowd:
    """Ada on several devices, each at a node of its own, and somebody who watches her."""

    def __init__(self, devices: int, *, ours: bool = True) -> None:
        self.here = House(far=True)
        self.nodes = [self.here, *(self.here.neighbour() for _ in range(devices - 1))]
        self.devices = [node.device("ada", ours=ours) for node in self.nodes]

    def come(self, choose: Choose, *lines: str) -> None:
        """All of them log in at the same instant; "" is a fresh login."""
        for node in self.nodes:
            node.stepping = True
        for device, line in zip(self.devices, lines, strict=True):
            device.begin_login(line=line)
        while ways := [way for node in self.nodes for way in node.ways if way]:
            ways[choose(len(ways))].step()
        for node in self.nodes:
            node.stepping = False
        self.here.carry()

    def attached(self) -> list[Device]:
        return [device for device in self.devices if device.live is not None]


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("devices", [2, 3])
def test_of_logins_at_several_nodes_one_session_stays(devices: int, ours: bool) -> None:
    """SPEC L7, N1: all succeed, all but one are kicked, and that one has the account's session."""

    def play(choose: Choose) -> None:
        crowd = Crowd(devices, ours=ours)
        crowd.come(choose, *[""] * devices)
        [stays] = crowd.attached()
        assert [device.kicked for device in crowd.devices if device is not stays] == [True] * (devices - 1)
        found = crowd.here.run(crowd.here.presence.find(stays.key))
        assert found == (stays.session.session, stays.session.rev)
        stays.join("room")
        stays.logout()
        assert not crowd.here.online("ada")
        assert crowd.here.members("room") == []

    assert every_order(play, most=ORDERS) > 1


@pytest.mark.parametrize("attached", [True, False])
def test_of_resumes_at_several_nodes_one_connection_stays(attached: bool) -> None:
    """SPEC L17, N1: none is kicked, and the session goes on where the last one is."""

    def play(choose: Choose) -> None:
        crowd = Crowd(3)
        first = crowd.here.login("ada")
        first.join("room")
        if not attached:
            first.breaks()
        crowd.come(choose, *[first.line] * 3)
        [stays] = crowd.attached()
        assert first.live is None
        assert not any(device.kicked for device in [first, *crowd.devices])
        assert [device.replaced for device in crowd.devices if device is not stays] == [True] * 2
        assert crowd.here.members("room") == ["ada"]
        stays.leave("room")
        stays.logout()
        assert not crowd.here.online("ada")
        assert crowd.here.members("room") == []

    assert every_order(play, most=ORDERS) > 1


def test_a_resume_and_a_fresh_login_at_once_leave_one_session() -> None:
    """SPEC L17, L18, N1: if the fresh one comes first, the line is superseded; else it is kicked."""

    def play(choose: Choose) -> None:
        crowd = Crowd(2)
        first = crowd.here.login("ada")
        first.breaks()
        crowd.come(choose, first.line, "")
        assert crowd.attached() == [crowd.devices[1]]
        assert crowd.devices[0].kicked or crowd.devices[0].line == ""
        crowd.devices[1].logout()
        assert not crowd.here.online("ada")

    assert every_order(play, most=ORDERS) > 1


@pytest.mark.parametrize("state", ["offline", "detached"])
def test_an_invitation_and_a_login_at_once_meet(state: str) -> None:
    """SPEC K5, K6, N1: each writes its own half and then reads the other's, so that it rings."""

    def play(choose: Choose) -> None:
        stage = Stage()
        line = stage.bo.line
        if state == "offline":
            stage.bo.logout()
            line = ""
        else:
            stage.bo.breaks()
        for node in stage.here.nodes:
            node.stepping = True
        asked = stage.here.begin(invite(stage.ada))
        stage.bo.begin_login(line=line)
        while ways := [way for node in stage.here.nodes for way in node.ways if way]:
            ways[choose(len(ways))].step()
        for node in stage.here.nodes:
            node.stepping = False
        stage.here.carry()
        assert outcome(asked) == "ok"
        assert told(stage.bo) == ["invite"]
        stage.bo.confirm("ada")
        stage.bo.accept("ada")
        assert told(stage.ada) == ["ack", "accept"]
        stage.here.advance(30.0)
        assert stage.here.run(stage.here.presence.find(stage.bo.key)) is not None
        stage.ada.end("bo")
        assert told(stage.bo) == ["bye"]

    assert every_order(play, most=ORDERS) > 1
