"""Who is told that something came into his inbox (SPEC M5, N1)."""

from __future__ import annotations

from services.house import House


def test_a_message_is_announced_on_the_node_where_its_account_is(house: House) -> None:
    """SPEC M5, N1: once, wherever that is."""
    there = house.neighbour()
    ada, bo = house.login("ada"), there.login("bo")
    ada.send("bo", "hi")
    house.carry()
    assert len(bo.announced) == 1
    bo.send("ada", "hello")
    house.carry()
    assert len(ada.announced) == 1
    assert (len(house.log), ada.inbox(), bo.inbox()) == (
        2,
        [("instant", "bo", "hello")],
        [("instant", "ada", "hi")],
    )


def test_who_has_moved_is_told_where_he_is_now(house: House) -> None:
    """SPEC L17, N1: and nobody who is not attached is told."""
    there = house.neighbour()
    ada, bo = house.login("ada"), house.login("bo")
    moved = there.device("bo")
    moved.login(line=bo.line)
    ada.send("bo", "hi")
    house.carry()
    assert (bo.announced, len(moved.announced)) == ([], 1)
    moved.breaks()
    ada.send("bo", "are you there?")
    house.carry()
    assert (bo.announced, len(moved.announced)) == ([], 1)
    assert moved.resume().resumed
    assert len(moved.inbox()) == 2


def test_a_call_is_announced_to_both_wherever_they_are(house: House) -> None:
    """SPEC K2-K4, N1."""
    there = house.neighbour()
    ada, bo = house.login("ada"), there.login("bo")
    ada.invite("bo")
    house.carry()
    assert len(bo.announced) == 1
    bo.confirm("ada")
    bo.accept("ada")
    house.carry()
    assert len(ada.announced) == 2
    assert [kind for kind, _, _ in bo.inbox()] == ["invite"]
    assert [kind for kind, _, _ in ada.inbox()] == ["ack", "accept"]
