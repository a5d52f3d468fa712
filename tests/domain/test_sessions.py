"""Who may log in and what becomes of the session that was there (SPEC L7, L11, L17, L18)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from signalpost.domain import sessions as rules
from signalpost.domain.sessions import Arrival, Place, Session

NOW = 1000.0
LINE = "f0-L1"
LINES = {
    "none": "",
    "current": LINE,
    "older": "ef-L0",
    "of its time": "f0-L0",
    "newer": "f1-L2",
    "of an earlier server": "0123456789abcdef0123456789abcdef",
    "none of ours": "nonsense",
}


@dataclass(frozen=True)
class Facts:
    """What a login meets: `current` is the state of the account's session."""

    current: str
    line: str = "none"
    ours: bool = True


def session(**fields: object) -> Session:
    start = {"app": "app", "account": "ada", "line": LINE, "proof": "p", "ours": True, "grace": 120.0}
    start["generation"] = 0xF0
    return Session(**(start | fields))


def decide(facts: Facts) -> Arrival:
    current = {
        "none": None,
        "attached": session(),
        "detached": session(attached=False, until=NOW + 1),
        "over": session(attached=False, until=NOW),
    }[facts.current]
    return rules.decide_login(current, line=LINES[facts.line], ours=facts.ours, now=NOW)


MATRIX = {
    Facts("none"): Arrival.FRESH,
    Facts("none", ours=False): Arrival.FRESH,
    Facts("none", "none of ours"): Arrival.FRESH,
    Facts("none", "older"): Arrival.FRESH,
    Facts("none", "of an earlier server"): Arrival.FRESH,
    Facts("over"): Arrival.FRESH,
    Facts("over", ours=False): Arrival.FRESH,
    Facts("over", "current"): Arrival.FRESH,
    Facts("over", "older"): Arrival.FRESH,
    Facts("attached"): Arrival.REPLACE,
    Facts("attached", ours=False): Arrival.REPLACE,
    Facts("attached", "current"): Arrival.RESUME,
    Facts("attached", "none of ours"): Arrival.REPLACE,
    Facts("attached", "newer"): Arrival.REPLACE,
    Facts("attached", "older"): Arrival.REFUSE,
    Facts("attached", "of its time"): Arrival.REFUSE,
    Facts("attached", "of an earlier server"): Arrival.REFUSE,
    Facts("detached"): Arrival.REPLACE,
    Facts("detached", ours=False): Arrival.INHERIT,
    Facts("detached", "current"): Arrival.RESUME,
    Facts("detached", "none of ours"): Arrival.REPLACE,
    Facts("detached", "older"): Arrival.REFUSE,
}


@pytest.mark.parametrize("facts", MATRIX, ids=str)
def test_a_login_over_whatever_is_there(facts: Facts) -> None:
    """SPEC L7, L17, L18: the whole matrix. By L18 as it is now, an old line is no reason where no session
    is."""
    assert decide(facts) is MATRIX[facts]


def test_a_broken_session_has_a_deadline_and_one_that_is_back_has_none() -> None:
    """SPEC L11."""
    broken = rules.detach(session(grace=20.0), seen={}, now=NOW)
    assert (broken.attached, broken.until) == (False, 1020.0)
    assert not rules.is_over(broken, 1019.9)
    assert rules.is_over(broken, 1020.0)
    assert rules.next_deadline(broken) == 1020.0
    back = rules.attach(broken, "node")
    assert (back.attached, back.until, back.node) == (True, 0.0, "node")
    assert not rules.is_over(back, 10_000.0)
    assert rules.next_deadline(back) is None


def test_a_broken_session_knows_where_its_channels_stood() -> None:
    """SPEC C9, L17: with a connection again, too, which may break before it was told what it missed."""
    here = rules.enter(rules.enter(session(), "room", since=5), "hall", since=6)
    broken = rules.detach(here, seen={"room": 50}, now=NOW)
    assert broken.places == (Place("room", LINE, 5, 50), Place("hall", LINE, 6, 6))
    assert rules.attach(broken, "node").places == broken.places


def test_nothing_is_missed_from_before_a_place_was_taken() -> None:
    """SPEC C9, L17: whatever may not have arrived of what was written before."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 3}, now=NOW)
    assert broken.places == (Place("room", LINE, 5, 5),)


def test_a_kept_place_that_is_entered_and_broken_is_told_what_it_missed_before() -> None:
    """SPEC L17: it broke before that had been told."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    again = rules.enter(rules.inherit(session(line="L2"), broken), "room", since=60)
    assert rules.detach(again, seen={"room": 55}, now=NOW + 1).places == (Place("room", "L2", 5, 55),)


def test_entering_again_takes_the_place_anew() -> None:
    """SPEC C2."""
    twice = rules.enter(rules.enter(session(), "room", since=5), "room", since=9)
    assert twice.places == (Place("room", LINE, 9),)
    assert rules.leave(twice, "room").places == ()
    assert rules.leave(twice, "elsewhere") == twice


def test_a_fresh_session_keeps_the_broken_ones_places_until_its_deadline() -> None:
    """SPEC L17."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    fresh = rules.inherit(session(line="L2"), broken)
    assert fresh.places == ()
    assert fresh.kept == (Place("room", LINE, 5, 50, until=1120.0),)
    assert rules.next_deadline(fresh) == 1120.0
    assert rules.drop_kept(fresh, 1119.9) == (fresh, ())
    assert rules.drop_kept(fresh, 1120.0) == (session(line="L2"), fresh.kept)


def test_a_kept_place_that_is_entered_or_left_is_kept_no_more() -> None:
    """SPEC L17."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    fresh = rules.inherit(session(line="L2"), broken)
    entered = rules.enter(fresh, "room", since=60)
    assert (entered.places, entered.kept) == ((Place("room", "L2", 5, 50),), ())
    assert rules.leave(fresh, "room").kept == ()


def test_a_place_keeps_the_deadline_of_the_break_that_it_was_left_in() -> None:
    """SPEC L17: not that of a later break, of a session that only kept it."""
    first = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    second = rules.enter(rules.inherit(session(line="L2"), first), "watch", since=6)
    second = rules.detach(second, seen={"watch": 70}, now=NOW + 100)
    assert rules.next_deadline(second) == 1120.0
    third = rules.inherit(session(line="L3"), second)
    assert third.kept == (Place("room", LINE, 5, 50, 1120.0), Place("watch", "L2", 6, 70, 1220.0))
    left, over = rules.drop_kept(third, 1120.0)
    assert [place.channel for place in over] == ["room"]
    assert [place.channel for place in left.kept] == ["watch"]
    assert rules.next_deadline(left) == 1220.0


def test_a_broken_session_that_keeps_places_has_the_earlier_deadline() -> None:
    """SPEC L11, L17."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={}, now=NOW)
    fresh = rules.inherit(session(line="L2", grace=20.0), broken)
    assert rules.next_deadline(rules.detach(fresh, seen={}, now=NOW + 10)) == 1030.0
    assert rules.next_deadline(rules.detach(fresh, seen={}, now=NOW + 110)) == 1120.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, 120.0), ("20", 20.0), ("64", 64.0), ("19", 20.0), ("121", 120.0), ("0.5", 20.0)],
)
def test_the_grace_time_is_clamped(value: str | None, seconds: float) -> None:
    """SPEC L11: whatever an earlier configuration has let in."""
    assert rules.conn_timeout(value, least=20.0, most=120.0) == seconds


def test_generations_ascend_whatever_the_clock_does() -> None:
    """SPEC L18: over restarts, too, as they come from the clock."""
    first = rules.next_generation(None, NOW)
    assert first == NOW * 1_000_000
    assert rules.next_generation(None, NOW + 0.001) > first
    for now in (NOW + 1.0, NOW, NOW - 1000.0):
        assert rules.next_generation(session(generation=first), now) > first


@pytest.mark.parametrize(
    ("line", "generation"),
    [
        (rules.line_of(0xABC, "secret"), 0xABC),
        ("0123456789abcdef0123456789abcdef", 0),
        ("abc", None),
        ("", None),
        ("-secret", None),
        ("abc-", None),
        ("xyz-secret", None),
        ("+1-secret", None),
        (" 1-secret", None),
        ("1_0-secret", None),
        ("\u0661-secret", None),
        ("f" * 33 + "-secret", None),
    ],
)
def test_a_line_names_its_generation(line: str, generation: int | None) -> None:
    """SPEC L18: and what is none of ours names none."""
    assert rules.generation_of(line) == generation


def test_what_was_known_of_a_session_is_not_forgotten_when_it_is_read_again() -> None:
    """SPEC C9: others change its record and do not know how far it was told."""
    known = rules.stood(rules.enter(rules.enter(session(), "room", since=5), "hall", since=6), {"room": 9})
    stored = rules.enter(rules.enter(session(), "room", since=0), "den", since=3)
    assert rules.recall(stored, known).places == (Place("room", LINE, 5, 9), Place("den", LINE, 3))
