"""At most N in any one second (SPEC M8, M10)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signalpost.domain.rates import SlidingWindow


def test_n_fit_into_a_second_and_n_plus_one_do_not() -> None:
    """SPEC M8."""
    window = SlidingWindow()
    assert all(window.take(100.0 + n / 64, 60) for n in range(60))
    assert not window.take(100.99, 60)


def test_what_is_a_second_old_counts_no_more() -> None:
    """SPEC M8: any one second, not a second of the clock."""
    window = SlidingWindow()
    assert window.take(100.75, 2)
    assert window.take(101.5, 2)
    assert not window.take(101.625, 2)
    assert window.take(101.75, 2)
    assert not window.take(102.25, 2)
    assert window.take(102.5, 2)


def test_the_surplus_does_not_count() -> None:
    """SPEC M8."""
    window = SlidingWindow()
    assert window.take(100.0, 1)
    assert not window.take(100.5, 1)
    assert window.take(101.0, 1)


def test_what_is_given_back_is_free_again_and_nothing_else() -> None:
    """SPEC M8: what was refused for another reason does not count."""
    window = SlidingWindow()
    window.take(100.0, 2)
    window.take(100.5, 2)
    window.give_back(100.0)
    assert window.take(100.75, 2)
    assert not window.take(101.25, 2)
    assert window.take(101.5, 2)


def test_what_was_given_back_or_has_left_is_not_given_back_twice() -> None:
    window = SlidingWindow()
    window.take(100.0, 2)
    window.give_back(100.0)
    window.give_back(100.0)
    window.give_back(99.0)
    assert window.take(100.0, 1)
    assert not window.take(100.0, 1)


def test_a_limit_may_change_meanwhile() -> None:
    """SPEC C7: `_sendmsg_limit` may be lowered."""
    window = SlidingWindow()
    assert window.take(100.0, 2)
    assert not window.take(100.0, 1)
    assert window.take(100.0, 2)


def test_a_window_is_idle_when_nothing_counts() -> None:
    window = SlidingWindow()
    assert window.idle(100.0)
    window.take(100.0, 5)
    assert not window.idle(100.75)
    assert window.idle(101.0)


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 5))
def test_no_second_ever_holds_more_than_the_limit(waits: list[int], limit: int) -> None:
    """SPEC M8: and what is refused would have been one too many."""
    window = SlidingWindow()
    now, admitted = 100.0, []
    for wait in waits:
        now += wait / 32
        recent = [at for at in admitted if at > now - 1.0]
        assert window.take(now, limit) == (len(recent) < limit)
        if len(recent) < limit:
            admitted.append(now)
