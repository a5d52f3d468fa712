"""Requests that an account repeats: acted upon once, on whatever node (PROTOCOL §12)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import pytest

from services.house import APP, Device, House, Started, refused
from signalpost.domain.apps import App
from signalpost.domain.calls import Input
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Unavailable
from signalpost.services.calls import Answer

KEYS = '{"msgtype":"dtmf","msgdata":"1"}'

Deed = Callable[[Device, str], Coroutine[Any, Any, Any]]  # by whom, with which id

_DEAD: list[object] = []  # what a dead node was about to do, which is not to be closed in an orderly way


def answers(answer: Answer, extra: str = "") -> Deed:
    return lambda ada, rid: ada.house.calls.answer(ada.session, "room", "bo", answer, extra, request=rid)


def invites(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.calls.invite(ada.session, "room", "bo", "", request=rid)


def ends(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.calls.end(ada.session, "room", "bo", "", request=rid)


def describes(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.attributes.set(ada.session, "mood", "fine", request=rid)


def sets(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.channels.attributes.set(ada.session, "hall", "topic", "tea", request=rid)


def deletes(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.channels.attributes.delete(ada.session, "hall", "topic", request=rid)


def clears(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.channels.attributes.clear(ada.session, "hall", request=rid)


def leaves(ada: Device, rid: str) -> Coroutine[Any, Any, Any]:
    return ada.house.channels.membership.leave(ada.session, "hall", ada, request=rid)


class Play(NamedTuple):
    """A request of Ada's, and what led to it."""

    deed: Deed
    before: Callable[[Device, Device], None] = lambda ada, bo: None  # ada, bo


def rings(ada: Device, bo: Device) -> None:
    bo.invite("ada")
    ada.confirm("bo")


def rings_unheard(ada: Device, bo: Device) -> None:
    bo.invite("ada")


def talk(ada: Device, bo: Device) -> None:
    rings(ada, bo)
    ada.accept("bo")


def has_a_topic(ada: Device, bo: Device) -> None:
    bo.set("hall", "topic", "none")


PLAYS = {
    "invites": Play(invites),
    "confirms": Play(answers(Answer(None, Input.CONFIRM)), rings_unheard),
    "accepts": Play(answers(Answer(None, Input.ACCEPT)), rings),
    "refuses": Play(answers(Answer(None, Input.REFUSE)), rings),
    "presses": Play(answers(Answer(Input.DTMF_BY_CALLER, Input.DTMF_BY_CALLEE), KEYS), talk),
    "ends": Play(ends, talk),
    "accepts what is not there": Play(answers(Answer(None, Input.ACCEPT))),
    "ends what is not there": Play(ends),
    "describes": Play(describes),
    "sets": Play(sets),
    "sets again": Play(sets, has_a_topic),
    "deletes": Play(deletes, has_a_topic),
    "deletes what is not there": Play(deletes),
    "clears": Play(clears, has_a_topic),
    "clears what is not there": Play(clears),
    "leaves": Play(leaves),
}


class Scene:
    """Ada on one node, Bo on another; both are in the hall, and Bo tells what he is told."""

    def __init__(self, play: str, limits: Limits | None = None) -> None:
        self.deed, before = PLAYS[play]
        self.house = House(far=False, **{APP: App(limits=limits or Limits())})
        self.slow = self.house.neighbour()
        self.slow.far = True
        self.slow._move_in()
        self.ada, self.bo = self.slow.login("ada"), self.house.login("bo")
        self.ada.join("hall")
        self.bo.join("hall")
        before(self.ada, self.bo)
        self.heard()

    def heard(self) -> list[Any]:
        """What Bo was told since the last look, by whom."""
        self.slow.carry()
        told = [(one.kind, one.account, one.what) for one in self.bo.heard()]
        return [(kind, by) for kind, by, _ in self.bo.inbox()] + told

    def die(self) -> None:
        """Ada's node is no more; she goes on at the other."""
        for way in self.slow.ways:
            way._under_way.clear()
        for cable in self.slow.cables:
            cable.cut = True
        self.slow.attached.clear()
        again = self.house.device("ada")
        again.line, again.cursors = self.ada.line, self.ada.cursors
        again.resume()
        self.ada = again

    def ask(self, rid: str = "r1") -> str:
        """Ada asks; what she is answered."""
        return answered(self.ada.house.begin(self.deed(self.ada, rid)))


def answered(started: Started) -> str:
    """ "ok" with what was returned, or the code of the refusal."""
    try:
        result = started.result()
    except Refusal as refusal:
        return f"{refusal.code}: {refusal.reason}"
    return f"ok {result or ''}"


class Usual(NamedTuple):
    """What she is answered, and what is kept then; what Bo is told, or what comes to the same."""

    answer: str
    told: list[list[Any]]
    kept: dict[str, str]


def as_usual(play: str) -> Usual:
    """What comes of it when nothing goes wrong."""
    scene = Scene(play)
    answer, told = scene.ask(), [scene.heard()]
    if play == "clears":
        told.append([("attr_update", "ada", ("topic", "", "del"))])
    elif play == "clears what is not there":
        told.append([])
    return Usual(answer, told, scene.house.kept_of("hall"))


@pytest.mark.parametrize("play", PLAYS)
def test_a_repeat_is_answered_again_and_not_done_again(play: str) -> None:
    """PROTOCOL §12: failures, and what there was nothing to do for, included."""
    scene = Scene(play)
    first = scene.ask()
    told = scene.heard()
    scene.ada.breaks()
    scene.ada.resume()
    assert [scene.ask() for _ in range(3)] == [first] * 3
    assert scene.heard() == []
    assert (first, [told]) == (as_usual(play).answer, as_usual(play).told[:1])


@pytest.mark.parametrize("play", PLAYS)
def test_a_node_that_dies_at_any_place_lets_no_repeat_fail_or_act_again(play: str) -> None:
    """PROTOCOL §12, SPEC N3: the account repeats on another node what this one has done, or has not."""
    usual = as_usual(play)
    for cut in itertools.count():
        scene = Scene(play)
        scene.slow.stepping = True
        dying = scene.deed(scene.ada, "r1")
        first = scene.slow.start(dying)
        for _ in range(cut):
            if way := next((way for way in scene.slow.ways if way), None):
                way.step()
        cut_into = not first.finished
        _DEAD.append(dying)
        scene.die()
        assert scene.ask() == usual.answer
        assert scene.heard() in usual.told
        assert scene.house.kept_of("hall") == usual.kept
        if not cut_into:
            return


@pytest.mark.parametrize("play", PLAYS)
def test_of_a_request_and_its_repeat_at_once_one_acts(play: str) -> None:
    """PROTOCOL §12: on two nodes, cut into at every place; both are answered alike."""
    usual = as_usual(play)
    for cut in itertools.count():
        scene = Scene(play)
        scene.slow.stepping = True
        first = scene.slow.start(scene.deed(scene.ada, "r1"))
        for _ in range(cut):
            if way := next((way for way in scene.slow.ways if way), None):
                way.step()
        cut_into = not first.finished
        there = scene.house.device("ada")
        there.live, there.line, there.cursors = scene.ada.live, scene.ada.line, scene.ada.cursors
        repeated = answered(scene.house.begin(scene.deed(there, "r1")))
        scene.slow.stepping = False
        assert scene.heard() in usual.told
        assert answered(first) == repeated
        assert scene.house.kept_of("hall") == usual.kept
        if not cut_into:
            return


def test_of_repeats_that_wait_for_one_commit_one_acts(house: House) -> None:
    """PROTOCOL §12: the others find what that one has noted, when it is in force and not before."""
    ada = house.login("ada")
    house.disk.slow = True
    started = [house.begin(describes(ada, "r1")) for _ in range(3)]
    assert [one.finished for one in started] == [False] * 3
    house.disk.commit()
    assert [one.result() for one in started] == [None] * 3
    assert not house.disk.waiting


def test_repeats_of_one_that_cannot_be_stored_act_themselves(house: House) -> None:
    """PROTOCOL §12: the failure is the first one's alone."""
    ada = house.login("ada")
    house.disk.slow = True
    first, second = house.begin(describes(ada, "r1")), house.begin(describes(ada, "r1"))
    house.disk.fail()
    with pytest.raises(Unavailable):
        first.result()
    house.disk.commit()
    assert second.result() is None
    assert ada.attributes_of("ada") == {"mood": "fine"}


def test_an_id_is_one_account_s(house: House) -> None:
    """PROTOCOL §12."""
    ada, bo = house.login("ada"), house.login("bo")
    house.run(describes(ada, "r1"))
    house.run(house.attributes.set(ada.session, "mood", "bad", request="r2"))
    house.run(house.attributes.set(bo.session, "mood", "bad", request="r1"))
    assert ada.attributes_of("ada") == ada.attributes_of("bo") == {"mood": "bad"}


def test_an_answer_is_remembered_for_two_minutes(house: House) -> None:
    """PROTOCOL §12."""
    ada = house.login("ada")
    house.run(describes(ada, "r1"))
    ada.describe("mood", "bad")
    house.advance(119.0)
    house.run(describes(ada, "r1"))
    assert ada.attributes_of("ada") == {"mood": "bad"}
    house.advance(2.0)
    house.run(describes(ada, "r1"))
    assert ada.attributes_of("ada") == {"mood": "fine"}


def test_one_that_a_rate_refused_is_not_remembered() -> None:
    """PROTOCOL §12, C10: the repeat is judged anew."""
    scene = Scene("sets")
    codes = {scene.ask(f"r{n}")[:5] for n in range(100)}
    assert codes == {"ok ", "1001:"}
    scene.house.advance(2.0)
    assert scene.ask("r99") == "ok "


def test_a_repeat_above_a_rate_is_answered_all_the_same() -> None:
    """PROTOCOL §12, C10."""
    scene = Scene("sets")
    assert {scene.ask(f"r{n}")[:5] for n in range(100)} == {"ok ", "1001:"}
    assert scene.ask("r0") == "ok "


def test_what_there_was_nothing_to_do_for_is_not_done_later() -> None:
    """PROTOCOL §12: a call that is over is ended (K12); the repeat ends no later one of the same pair."""
    scene = Scene("ends what is not there")
    assert scene.ask() == "ok "
    talk(scene.ada, scene.bo)
    assert scene.ask() == "ok "
    assert len(scene.house.open_calls()) == 1


def test_a_repeated_leave_leaves_nothing_that_was_joined_since(house: House) -> None:
    """PROTOCOL §12, SPEC C3."""
    ada, bo = house.login("ada"), house.login("bo")
    for one in (ada, bo):
        one.join("hall")
    house.run(leaves(ada, "r1"))
    ada.join("hall")
    house.run(leaves(ada, "r1"))
    assert house.members("hall") == ["bo", "ada"]


def test_as_many_ids_are_remembered_as_can_be_repeated() -> None:
    """SPEC E6, M10: what an account can have asked within the 10 s in which it waits for answers."""
    house = House(**{APP: App(limits=Limits(requests=2, requests_burst=5))})
    ada = house.login("ada")
    for n in range(100):
        house.run(ends(ada, f"r{n}"))
    assert len(house.kept.parts.notes) == 25
    accept = answers(Answer(None, Input.ACCEPT))
    house.run(accept(ada, "r75"))
    with refused(1001):
        house.run(accept(ada, "r74"))


def test_a_repeated_invitation_is_to_the_channel_that_the_first_one_made(house: House) -> None:
    """PROTOCOL §12: the answer to `voip_invite` carries its name."""
    ada, bo = house.login("ada"), house.login("bo")

    def invite() -> str:
        return house.run(house.calls.invite(ada.session, "", "bo", "", request="r1"))

    assert invite() == invite()
    assert bo.inbox() == [("invite", "ada", "")]
