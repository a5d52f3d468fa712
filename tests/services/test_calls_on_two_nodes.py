"""Calls whose parties are on two nodes, one of which is slow: whatever arrives when (SPEC §6, N1, N3).

The slow node's asks, and the answers to them, arrive one by one, as the test says; the other node acts in
between. So each use case is cut into at every place where it can be, by each other one.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from services.house import APP, Device, House, refused
from signalpost.domain.apps import App
from signalpost.domain.calls import Input, State
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.services.calls import Answer
from signalpost.services.keys import call_key, calls_key, inbox_key, pair_key

Deed = Callable[[Device, str], Coroutine[Any, Any, Any]]  # by whom, with whom

KEYS = '{"msgtype":"dtmf","msgdata":"1"}'

_DEAD: list[object] = []  # what a dead node was about to do, which is not to be closed in an orderly way


def slow_node(house: House) -> House:
    """Another node on the same engine, far away from it."""
    slow = house.neighbour()
    slow.far = True
    slow._move_in()
    return slow


def trips(slow: House) -> int:
    """How often the node has gone to its engine, and waited for what comes back."""
    return sum(cable.trips[name] for cable in slow.cables for name in ("load", "commit"))


def deliver(slow: House, number: int | None = None) -> None:
    """Let so much of what is under way arrive, and of what follows from it; all if None."""
    for _ in itertools.count() if number is None else range(number):
        way = next((way for way in slow.ways if way), None)
        if way is None:
            return
        way.step()


class Scene:
    """Ada on the slow node, bo on the other; one of them calls."""

    def __init__(self, caller: str, state: State | None, limits: Limits | None = None) -> None:
        self.house = House(far=False, **{APP: App(limits=limits or Limits())})
        self.slow = slow_node(self.house)
        self.ada, self.bo = self.slow.login("ada"), self.house.login("bo")
        one, other = (self.ada, self.bo) if caller == "ada" else (self.bo, self.ada)
        if state is not None:
            one.invite(other.account)
        if state in (State.RINGING, State.ACCEPTED):
            other.confirm(one.account)
        if state is State.ACCEPTED:
            other.accept(one.account)
        self.slow.stepping = True
        self.pressed = {"ada": 0, "bo": 0}  # keys that each was told are pressed

    def settle(self) -> None:
        """Everything arrives."""
        deliver(self.slow)
        self.slow.stepping = False
        self.slow.carry()

    def look(self) -> None:
        """What has to be true once nothing is under way any more."""
        house = self.house
        calls = house.open_calls()
        keys = [call_key(APP, call.channel, call.caller, call.callee) for call in calls]
        assert house.armed("call") == sorted(keys), "each call has a timer, and no other"
        sets = {pair_key(APP, call.caller, call.callee) for call in calls}
        for call in calls:
            sets |= {calls_key(inbox_key(APP, account)) for account in (call.caller, call.callee)}
            if call.state is State.WAITING:
                callee = house.run(house.presence.present(inbox_key(APP, call.callee)))
                assert callee is None or not callee.attached, "who has a connection is rung"
        assert house.sets_of_calls() == sorted(sets)
        told: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key, item in sorted(house.log, key=lambda one: int(one[1].id.removeprefix("id"))):
            told[item.call, key.partition("\x1f")[2]].append(item.kind.removeprefix("voip_invite"))
        pressed = {"ada": 0, "bo": 0}
        for (_, account), kinds in told.items():
            pressed["bo" if account == "ada" else "ada"] += kinds.count("_msg")
            one_story(kinds)
        assert pressed == self.pressed, "no acknowledged key is lost"
        assert house.reported == []

    def leave(self) -> None:
        """Everybody goes, time passes, and nothing is left."""
        for node in (self.slow, self.house):
            for device in list(node.attached.values()):
                device.logout()
        self.house.advance(100.0)
        assert self.house.open_calls() == []
        assert self.house.sets_of_calls() == []
        assert self.house.armed("call") == []
        for account in ("ada", "bo"):
            assert self.house.login(account).inbox() == []


def one_story(kinds: list[str]) -> None:
    """What one party was told of one call makes sense (SPEC K1, the laws of `domain.calls`)."""
    ends = [kind for kind in kinds if kind in ("_refuse", "_failed", "_bye")]
    assert len(ends) <= 1
    assert not ends or kinds[-1] == ends[0]
    if "" in kinds:  # the callee
        assert kinds[0] == ""
        return
    assert kinds.count("_ack") <= 1
    assert "_ack" not in kinds[1:]
    assert kinds.count("_accept") <= 1


def answers(answer: Answer, extra: str = "") -> Deed:
    """What a party does to a call that is there."""
    return lambda who, peer: who.house.calls.answer(who.session, "room", peer, answer, extra)


def fresh(device: Device, _: str) -> Coroutine[Any, Any, Any]:
    """The account logs in once more, on the same node."""
    again = device.house.device(device.account)

    async def come() -> None:
        again.attach(await device.house.sessions.login(again.request()))

    return come()


DEEDS: dict[str, Deed] = {
    "invites": lambda who, peer: who.house.calls.invite(who.session, "room", peer, ""),
    "confirms": answers(Answer(None, Input.CONFIRM)),
    "accepts": answers(Answer(None, Input.ACCEPT)),
    "refuses": answers(Answer(None, Input.REFUSE)),
    "presses": answers(Answer(Input.DTMF_BY_CALLER, Input.DTMF_BY_CALLEE), KEYS),
    "ends": lambda who, peer: who.house.calls.end(who.session, "room", peer, ""),
    "logs out": lambda who, _: who.leaving(),
    "logs in": fresh,
}


@pytest.mark.parametrize("bos", DEEDS)
@pytest.mark.parametrize("adas", DEEDS)
@pytest.mark.parametrize("caller", ["ada", "bo"])
@pytest.mark.parametrize("state", [None, State.PUSHED, State.RINGING, State.ACCEPTED], ids=str)
def test_whatever_the_one_does_while_the_other_is_slow(
    state: State | None, caller: str, adas: str, bos: str
) -> None:
    """SPEC K1-K3, K8, K11, K12, N1: cut into at every place, a call has one story, nothing of it is lost and
    nothing is left."""
    for cut in itertools.count():
        scene = Scene(caller, state)
        slow = scene.slow.start(DEEDS[adas](scene.ada, "bo"))
        deliver(scene.slow, cut)
        cut_into = not slow.finished
        fast = scene.house.begin(DEEDS[bos](scene.bo, "ada"))
        scene.settle()
        for who, deed, done in (("ada", adas, slow), ("bo", bos, fast)):
            try:
                done.result()
            except Refusal:
                continue
            scene.pressed[who] += deed == "presses"
        scene.look()
        scene.leave()
        if not cut_into:
            return


def test_an_acknowledged_key_press_is_never_lost() -> None:
    """SPEC K4, K12: the slow node's key is in force, its answer is under way; the other side presses twice
    meanwhile. Each key arrives once, in order, and the call keeps its timer."""
    scene = Scene("ada", State.ACCEPTED)
    scene.bo.inbox()
    slow = scene.slow.start(DEEDS["presses"](scene.ada, "bo"))
    deliver(scene.slow, 3)  # the load there and back, and the commit there
    assert not slow.finished
    assert [kind for kind, _, _ in scene.bo.inbox()] == ["msg"]
    scene.bo.press("ada", KEYS)
    scene.bo.press("ada", KEYS)
    scene.settle()
    slow.result()
    assert [kind for kind, _, _ in scene.ada.inbox()].count("msg") == 2
    assert scene.bo.inbox() == []
    assert len(scene.house.armed("call")) == 1
    scene.pressed |= {"ada": 1, "bo": 2}
    scene.look()
    scene.leave()


def test_a_key_that_is_pressed_as_the_other_side_ends_is_refused() -> None:
    """SPEC K12: nobody is told anything of a call that he has ended."""
    scene = Scene("ada", State.ACCEPTED)
    scene.bo.inbox()
    slow = scene.slow.start(DEEDS["presses"](scene.ada, "bo"))
    deliver(scene.slow, 2)  # the call is read
    scene.bo.end("ada")
    scene.settle()
    with refused(1001):
        slow.result()
    assert scene.bo.inbox() == []
    scene.look()
    scene.leave()


# --- an invitation and a login at the same time -----------------------------------------------------


@pytest.mark.parametrize("slow_one", ["caller", "callee"])
@pytest.mark.parametrize("logs_in", [True, False], ids=["a login", "a resume"])
def test_who_logs_in_while_he_is_invited_is_rung_once(slow_one: str, logs_in: bool) -> None:
    """SPEC K5: an invitation is on record before its callee is looked for, a session before its calls are."""
    for cut in itertools.count():
        scene = Scene("ada", None)
        scene.slow.stepping = False
        caller, callee = (scene.ada, scene.bo) if slow_one == "caller" else (scene.bo, scene.ada)
        if logs_in:
            callee.logout()
        else:
            callee.breaks()
        inviting = DEEDS["invites"](caller, callee.account)
        coming = fresh(callee, "") if logs_in else back(callee)
        scene.slow.stepping = True
        slow, fast = (inviting, coming) if slow_one == "caller" else (coming, inviting)
        first = scene.slow.start(slow)
        deliver(scene.slow, cut)
        cut_into = not first.finished
        second = scene.house.begin(fast)
        scene.settle()
        assert (first.result(), second.result()) in (("room", None), (None, "room"))
        rung = scene.house.attached.get(callee.key) or scene.slow.attached[callee.key]
        scene.look()
        assert rung.inbox() == [("invite", caller.account, "")]
        rung.confirm(caller.account)
        assert [kind for kind, _, _ in caller.inbox()] == ["ack"]
        scene.leave()
        if not cut_into:
            return


@pytest.mark.parametrize("state", [None, State.RINGING, State.ACCEPTED], ids=str)
@pytest.mark.parametrize("adas", ["logs out", "logs in"])
def test_a_session_that_ends_slowly_takes_no_call_of_the_next_along(adas: str, state: State | None) -> None:
    """SPEC K11: the account is there again on another node, and called, before the first node is done."""
    for cut in itertools.count():
        scene = Scene("ada", state)
        slow = scene.slow.start(DEEDS[adas](scene.ada, "bo"))
        deliver(scene.slow, cut)
        cut_into = not slow.finished
        scene.house.login("ada")
        scene.bo.invite("ada", "hall")
        scene.settle()
        with suppress(Refusal):  # the other login came later
            slow.result()
        there = scene.house.attached.get(scene.ada.key) or scene.slow.attached[scene.ada.key]
        assert there.inbox()[-1] == ("invite", "bo", "")
        there.accept("bo", "hall")
        assert scene.bo.inbox()[-1] == ("accept", "ada", "")
        scene.look()
        scene.leave()
        if not cut_into:
            return


def test_who_takes_over_from_the_session_that_an_invitation_found_is_in_the_call() -> None:
    """SPEC K11, L17: that one has looked at its calls by the time that the invitation is on record."""
    scene = Scene("ada", None)
    slow = scene.slow.start(DEEDS["invites"](scene.ada, "bo"))
    deliver(scene.slow, 4)  # it has read, and has found bo's session
    again = scene.house.login("bo")
    scene.settle()
    slow.result()
    assert again.inbox() == [("invite", "ada", "")]
    again.confirm("ada")
    again.accept("ada")
    assert [kind for kind, _, _ in scene.ada.inbox()] == ["ack", "accept"]
    scene.house.advance(1000.0)
    assert [call.state for call in scene.house.open_calls()] == [State.ACCEPTED]
    again.logout()
    assert [kind for kind, _, _ in scene.ada.inbox()] == ["bye"]
    scene.leave()


def test_who_logs_out_after_an_invitation_has_found_his_session_cannot_be_reached() -> None:
    """SPEC K7: it is as if his SDK did not confirm; his next login hears nothing of it."""
    scene = Scene("ada", None)
    slow = scene.slow.start(DEEDS["invites"](scene.ada, "bo"))
    deliver(scene.slow, 4)
    scene.bo.logout()
    scene.settle()
    slow.result()
    scene.house.advance(20.0)
    assert scene.ada.inbox() == [("failed", "bo", 705)]
    assert scene.house.open_calls() == []
    assert scene.house.login("bo").inbox() == []
    scene.leave()


async def back(device: Device) -> None:
    """The session that broke goes on, on the same node."""
    device.attach(await device.house.sessions.login(device.request(line=device.line)))


# --- a node that dies -------------------------------------------------------------------------------


@pytest.mark.parametrize("adas", DEEDS)
@pytest.mark.parametrize("caller", ["ada", "bo"])
@pytest.mark.parametrize("state", [None, State.PUSHED, State.RINGING, State.ACCEPTED], ids=str)
def test_a_node_that_dies_at_any_place_leaves_nothing_undone(
    state: State | None, caller: str, adas: str
) -> None:
    """SPEC N3, K11: what it was about to do is done or not; a login of its user ends what it left behind."""
    for cut in itertools.count():
        scene = Scene(caller, state)
        dying = DEEDS[adas](scene.ada, "bo")
        slow = scene.slow.start(dying)
        deliver(scene.slow, cut)
        cut_into = not slow.finished
        _DEAD.append(dying)
        for way in scene.slow.ways:
            way._under_way.clear()
        for cable in scene.slow.cables:
            cable.cut = True
        scene.slow.attached.clear()
        scene.pressed["ada"] = [item.kind for _, item in scene.house.log].count("voip_invite_msg")
        again = scene.house.login("ada")
        scene.look()
        assert all(call.callee == "ada" for call in scene.house.open_calls()), "ada's own calls are over"
        assert {kind for kind, _, _ in again.inbox()} <= {"invite"}
        scene.leave()
        if not cut_into:
            return


# --- bounds and round trips -------------------------------------------------------------------------


def test_two_nodes_keep_to_the_bounds_together() -> None:
    """SPEC K12: the last place of an account, and of a pair, is given once."""
    for limits in (Limits(open_calls=1), Limits(open_calls_with_one=1)):
        for cut in itertools.count():
            scene = Scene("ada", None, limits)
            slow = scene.slow.start(DEEDS["invites"](scene.ada, "bo"))
            deliver(scene.slow, cut)
            cut_into = not slow.finished
            fast = scene.house.begin(scene.house.calls.invite(scene.bo.session, "hall", "ada", ""))
            scene.settle()
            codes = []
            for done in (slow, fast):
                try:
                    done.result()
                except Refusal as refusal:
                    codes.append(refusal.code)
            assert codes == [700]
            assert len(scene.house.open_calls()) == 1
            scene.look()
            scene.leave()
            if not cut_into:
                break


@pytest.mark.parametrize(
    ("state", "caller", "deed", "number"),
    [
        (None, "ada", "invites", 3),
        (State.PUSHED, "bo", "confirms", 2),
        (State.RINGING, "bo", "accepts", 2),
        (State.RINGING, "bo", "refuses", 2),
        (State.ACCEPTED, "bo", "presses", 2),
        (State.ACCEPTED, "ada", "ends", 2),
        (State.RINGING, "ada", "ends", 2),
        (None, "ada", "ends", 1),
    ],
)
def test_how_often_a_step_of_a_call_goes_to_the_engine(
    state: State | None, caller: str, deed: str, number: int
) -> None:
    """ENGINE: a load and a commit; an invitation looks for its callee besides."""
    scene = Scene(caller, state)
    before = trips(scene.slow)
    slow = scene.slow.start(DEEDS[deed](scene.ada, "bo"))
    scene.settle()
    slow.result()
    assert trips(scene.slow) - before == number


def test_an_invitation_whose_callee_is_away_looks_for_him_once_more() -> None:
    """SPEC K5: he may have come before it was on record."""
    scene = Scene("ada", None)
    scene.bo.logout()
    before = trips(scene.slow)
    scene.slow.start(DEEDS["invites"](scene.ada, "bo"))
    scene.settle()
    assert trips(scene.slow) - before == 4
