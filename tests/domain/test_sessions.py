"""Who may log in and what becomes of the session that was there (SPEC L7, L11, L17, L18)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from signalpost.domain import sessions as rules
from signalpost.domain.sessions import Arrival, Place, Session

NOW = 1000.0


@dataclass(frozen=True)
class Facts:
    """What a login meets: `current` is the state of the account's session."""

    current: str
    line: str = "none"
    ours: bool = True


def session(**fields: object) -> Session:
    start = {"app": "app", "account": "ada", "line": "L1", "proof": "p", "ours": True, "grace": 120.0}
    return Session(**(start | fields))


def decide(facts: Facts) -> Arrival:
    current = {
        "none": None,
        "attached": session(),
        "detached": session(attached=False, until=NOW + 1),
        "over": session(attached=False, until=NOW),
    }[facts.current]
    line = {"none": "", "current": "L1", "superseded": "L0", "unknown": "L9"}[facts.line]
    return rules.decide_login(
        current, line=line, superseded=facts.line == "superseded", ours=facts.ours, now=NOW
    )


MATRIX = {
    Facts("none"): Arrival.FRESH,
    Facts("none", ours=False): Arrival.FRESH,
    Facts("none", "unknown"): Arrival.FRESH,
    Facts("none", "superseded"): Arrival.REFUSE,
    Facts("over"): Arrival.FRESH,
    Facts("over", ours=False): Arrival.FRESH,
    Facts("over", "current"): Arrival.FRESH,
    Facts("over", "superseded"): Arrival.REFUSE,
    Facts("attached"): Arrival.REPLACE,
    Facts("attached", ours=False): Arrival.REPLACE,
    Facts("attached", "current"): Arrival.RESUME,
    Facts("attached", "unknown"): Arrival.REPLACE,
    Facts("attached", "superseded"): Arrival.REFUSE,
    Facts("detached"): Arrival.REPLACE,
    Facts("detached", ours=False): Arrival.INHERIT,
    Facts("detached", "current"): Arrival.RESUME,
    Facts("detached", "unknown"): Arrival.REPLACE,
    Facts("detached", "superseded"): Arrival.REFUSE,
}


@pytest.mark.parametrize("facts", MATRIX, ids=str)
def test_a_login_over_whatever_is_there(facts: Facts) -> None:
    """SPEC L7, L17, L18: the whole matrix."""
    assert decide(facts) is MATRIX[facts]


def test_a_broken_session_has_a_deadline_and_one_that_is_back_has_none() -> None:
    """SPEC L11."""
    broken = rules.detach(session(grace=20.0), seen={}, now=NOW)
    assert (broken.attached, broken.until) == (False, 1020.0)
    assert not rules.is_over(broken, 1019.9)
    assert rules.is_over(broken, 1020.0)
    assert rules.next_deadline(broken) == 1020.0
    back = rules.attach(broken)
    assert (back.attached, back.until) == (True, 0.0)
    assert not rules.is_over(back, 10_000.0)
    assert rules.next_deadline(back) is None


def test_a_broken_session_knows_where_its_channels_stood() -> None:
    """SPEC C9, L17: with a connection again, too, which may break before it was told what it missed."""
    here = rules.enter(rules.enter(session(), "room", since=5), "hall", since=6)
    broken = rules.detach(here, seen={"room": 50}, now=NOW)
    assert broken.places == (Place("room", "L1", 5, 50), Place("hall", "L1", 6, 6))
    assert rules.attach(broken).places == broken.places


def test_nothing_is_missed_from_before_a_place_was_taken() -> None:
    """SPEC C9, L17: whatever may not have arrived of what was written before."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 3}, now=NOW)
    assert broken.places == (Place("room", "L1", 5, 5),)


def test_a_kept_place_that_is_entered_and_broken_is_told_what_it_missed_before() -> None:
    """SPEC L17: it broke before that had been told."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    again = rules.enter(rules.inherit(session(line="L2"), broken), "room", since=60)
    assert rules.detach(again, seen={"room": 55}, now=NOW + 1).places == (Place("room", "L2", 5, 55),)


def test_entering_again_takes_the_place_anew() -> None:
    """SPEC C2."""
    twice = rules.enter(rules.enter(session(), "room", since=5), "room", since=9)
    assert twice.places == (Place("room", "L1", 9),)
    assert rules.leave(twice, "room").places == ()
    assert rules.leave(twice, "elsewhere") == twice


def test_a_fresh_session_keeps_the_broken_ones_places_until_its_deadline() -> None:
    """SPEC L17."""
    broken = rules.detach(rules.enter(session(), "room", since=5), seen={"room": 50}, now=NOW)
    fresh = rules.inherit(session(line="L2"), broken)
    assert fresh.places == ()
    assert fresh.kept == (Place("room", "L1", 5, 50, until=1120.0),)
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
    assert third.kept == (Place("room", "L1", 5, 50, 1120.0), Place("watch", "L2", 6, 70, 1220.0))
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
