"""What a node is told of the topics that it follows, when notices come late or not at all."""

from __future__ import annotations

from signalpost.engine.ports.shared import Event
from signalpost.engine.redis.follows import Follows

Told = list[tuple[str, str, int]]


def event(offset: int) -> Event:
    return Event(offset, 0.0, b"")


def following(*, stand: tuple[str, int] | None = None) -> tuple[Follows, Told]:
    """What follows `room`, and what it is told."""
    told: Told = []
    follows = Follows()
    follows.listen(lambda topic, epoch, event: told.append((topic, epoch, event.offset)))
    assert follows.begin("room")
    follows.stands("room", stand)
    return follows, told


def test_what_came_before_it_was_known_how_the_topic_stood_is_told_once() -> None:
    """The notices and the answer come over two connections."""
    follows, told = following()
    follows.hear("room", "e", event(8))
    follows.stands("room", ("e", 7))
    follows.hear("room", "e", event(8))
    follows.hear("room", "e", event(9))
    assert told == [("room", "e", 8), ("room", "e", 9)]


def test_the_latest_event_is_told_when_others_were_lost_and_its_notice_is_late() -> None:
    """SPEC N4: whoever is told finds the offsets between missing."""
    follows, told = following(stand=("e", 3))
    follows.catch_up(follows.stand(), [[0, "e", 6, [6, 0.0, b""]]])
    for offset in (4, 5, 6, 7):
        follows.hear("room", "e", event(offset))
    assert told == [("room", "e", 6), ("room", "e", 7)]


def test_a_notice_of_a_life_that_is_over_is_told_no_more() -> None:
    follows, told = following(stand=("old", 3))
    follows.catch_up(follows.stand(), [[0, "new", 2, [2, 0.0, b""]]])
    follows.hear("room", "old", event(4))
    follows.hear("room", "new", event(1))
    follows.hear("room", "new", event(3))
    assert told == [("room", "new", 2), ("room", "new", 3)]


def test_what_came_while_the_store_was_asked_is_not_told_again() -> None:
    follows, told = following(stand=("e", 3))
    asked = follows.stand()
    follows.hear("room", "e", event(4))
    follows.catch_up(asked, [[0, "e", 4, [4, 0.0, b""]]])
    assert told == [("room", "e", 4)]


def test_an_event_that_is_kept_no_longer_cannot_be_told() -> None:
    follows, told = following(stand=("e", 3))
    follows.catch_up(follows.stand(), [[0, "e", 6, None]])
    assert told == []
    assert follows.stand() == [("room", "e", 6)]


def test_nothing_is_told_of_what_is_not_followed() -> None:
    follows, told = following(stand=("e", 3))
    asked = follows.stand()
    follows.end("room")
    assert not follows.hear("room", "e", event(4))
    follows.catch_up(asked, [[0, "e", 4, [4, 0.0, b""]]])
    follows.stands("room", ("e", 4))
    assert told == []
    assert follows.begin("room")
    assert not follows.begin("room")
