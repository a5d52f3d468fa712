"""Channels, presence and attributes with the members on different nodes (SPEC §5, P1-P5, N1)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from services.house import Device, Heard, House
from signalpost.wire.codes import CHANNEL_USER_ONLINE
from support.orders import Choose, every_order


@pytest.fixture
def there(house: House) -> House:
    """Another node."""
    return house.neighbour()


def heard(device: Device, kind: str = "") -> list[Heard]:
    device.house.carry()
    return device.heard(kind)


def test_members_on_two_nodes_hear_each_other_in_one_order(house: House, there: House) -> None:
    """SPEC C4, C6: with the same numbers."""
    ada, bo = house.login("ada"), there.login("bo")
    ada.join("room")
    assert bo.join("room").members == ["ada", "bo"]
    assert [one.account for one in heard(ada, "user_join")][-1:] == ["bo"]
    for number in range(3):
        ada.say("room", f"a{number}")
        bo.say("room", f"b{number}")
    said = ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert [one.what for one in heard(ada, "msg")] == said
    assert [one.what for one in heard(bo, "msg")] == said
    assert ada.cursors["room"] == bo.cursors["room"]
    bo.leave("room")
    assert [one.account for one in heard(ada, "user_leave")] == ["bo"]
    assert house.members("room") == there.members("room") == ["ada"]


def test_queries_answer_alike_on_both_nodes(house: House, there: House) -> None:
    """SPEC P1, P2, C12, C13."""
    ada, bo = house.login("ada"), there.login("bo")
    ada.join("room")
    ada.describe("mood", "fine")
    for node, device in ((house, ada), (there, bo)):
        channels = node.channels.membership
        assert node.run(node.sessions.is_online("app", "ada"))
        assert node.run(node.sessions.is_online("app", "bo"))
        assert not node.run(node.sessions.is_online("app", "cy"))
        assert node.run(channels.count(device.session, "room")) == 1
        assert node.run(channels.is_in(device.session, "room", "ada"))
        assert not node.run(channels.is_in(device.session, "room", "bo"))
        assert device.attributes_of("ada") == {"mood": "fine"}
    ada.logout()
    assert not there.run(there.sessions.is_online("app", "ada"))
    assert there.members("room") == []


def test_attributes_of_a_channel_are_the_same_on_both_nodes(house: House, there: House) -> None:
    """SPEC C10, C11: told there, and found by who comes there."""
    ada, bo = house.login("ada"), there.login("bo")
    ada.join("room")
    bo.join("room")
    ada.set("room", "topic", "tea")
    assert [one.what for one in heard(bo, "attr_update")] == [("topic", "tea", "update")]
    bo.set("room", "topic", "cake")
    assert [one.what[1] for one in heard(ada, "attr_update")] == ["tea", "cake"]
    cy = there.login("cy")
    assert cy.join("room").attributes == {"topic": "cake"}
    cy.unset("room", "topic")
    assert house.kept_of("room") == there.kept_of("room") == {}


def test_watchers_see_who_comes_and_goes_on_another_node(house: House, there: House) -> None:
    """SPEC P4."""
    eye = house.login("eye")
    eye.join(CHANNEL_USER_ONLINE)
    bo = there.login("bo")
    bo.logout()
    assert [(one.what["account"], one.what["event"]) for one in heard(eye)] == [
        ("bo", "online"),
        ("bo", "offline"),
    ]


def test_a_member_that_moves_to_another_node_misses_nothing(house: House, there: House) -> None:
    """SPEC C9, L17: its place goes along, and what was said meanwhile comes there, once."""
    ada, bo = house.login("ada"), there.login("bo")
    ada.join("room")
    bo.join("room")
    ada.say("room", "heard")
    assert [one.what for one in heard(bo, "msg")] == ["heard"]
    bo.breaks()
    ada.say("room", "missed")
    moved = house.device("bo")
    moved.cursors = dict(bo.cursors)
    moved.login(line=bo.line)
    assert [one.what for one in heard(moved, "msg")] == ["missed"]
    ada.say("room", "live")
    assert [one.what for one in heard(moved, "msg")] == ["live"]
    assert there.members("room") == ["ada", "bo"]


def test_whatever_two_nodes_do_to_an_attribute_members_end_at_what_is_kept() -> None:
    """SPEC C10, N1: it is committed in one half and told in the other, and revisions keep the order."""

    def play(choose: Choose) -> None:
        here = House(far=True)
        there = here.neighbour()
        ada, bo = here.login("ada"), there.login("bo")
        for device in (ada, bo):
            device.join("room")
        at_once(here, choose, (ada, "tea"), (bo, "cake"), (bo, "ale"))
        kept = here.kept_of("room")["topic"]
        assert [one.what[1] for one in heard(ada, "attr_update")][-1] == kept
        assert [one.what[1] for one in heard(bo, "attr_update")][-1] == kept
        assert here.login("cy").join("room").attributes == {"topic": kept}

    assert every_order(play, most=20) > 1


def at_once(here: House, choose: Choose, *values: tuple[Device, str]) -> None:
    for node in here.nodes:
        node.stepping = True
    works: list[tuple[House, Coroutine[Any, Any, Any]]] = [
        (device.house, device.house.channels.attributes.set(device.session, "room", "topic", value))
        for device, value in values
    ]
    started = [node.begin(work) for node, work in works]
    while ways := [way for node in here.nodes for way in node.ways if way]:
        ways[choose(len(ways))].step()
    for node in here.nodes:
        node.stepping = False
    here.carry()
    for one in started:
        one.result()
