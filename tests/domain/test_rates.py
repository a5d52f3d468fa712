"""At most N in any one second, or so many a second and some at once (SPEC M8, M10, L16)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.domain.rates import Bucket, Rates, SlidingWindow


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


# --- buckets ----------------------------------------------------------------------------------------


def test_a_burst_fits_at_once_and_one_more_does_not() -> None:
    """SPEC M10: 1000 for one second at most; at the defaults."""
    bucket = Bucket()
    assert [bucket.take(1.8e9, rate=100, burst=1000) for _ in range(1000)] == [0.0] * 1000
    assert bucket.take(1.8e9, rate=100, burst=1000) == pytest.approx(0.01)


def test_what_is_spent_comes_back_at_the_rate_and_never_more_than_the_burst() -> None:
    """SPEC L16: 60 logins at once, two a second sustained."""
    bucket = Bucket()
    for _ in range(60):
        assert bucket.take(100.0, rate=2, burst=60) == 0.0
    assert bucket.take(100.0, rate=2, burst=60) == 0.5
    assert bucket.take(100.25, rate=2, burst=60) == 0.25
    assert bucket.take(100.5, rate=2, burst=60) == 0.0
    assert bucket.take(100.5, rate=2, burst=60) == 0.5
    assert [bucket.take(9000.0, rate=2, burst=60) for _ in range(61)] == [0.0] * 60 + [0.5]


def test_who_is_told_how_long_to_wait_is_let_in_then() -> None:
    """SPEC L16: `retry_ms`; at rates that no binary fraction holds."""
    for rate, burst in ((3, 1), (7, 5), (100, 1000)):
        bucket, now = Bucket(), 1.8e9
        for _ in range(4 * burst):
            wait = bucket.take(now, rate=rate, burst=burst)
            now += wait
            assert not wait or bucket.take(now, rate=rate, burst=burst) == 0.0


def test_what_came_too_soon_does_not_count() -> None:
    """SPEC M10: who goes on trying is served as soon as who waits."""
    bucket = Bucket()
    bucket.take(100.0, rate=1, burst=1)
    for n in range(1, 64):
        assert bucket.take(100.0 + n / 64, rate=1, burst=1) > 0.0
    assert bucket.take(101.0, rate=1, burst=1) == 0.0


def test_what_is_overdrawn_all_counts_and_is_waited_for() -> None:
    """SPEC E5: however many come at once, in the long run no more are heard than the rate says."""
    bucket = Bucket()
    waits = [bucket.overdraw(100.0, rate=2, burst=3) for _ in range(5)]
    assert waits == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert bucket.overdraw(101.0, rate=2, burst=3) == 0.5
    assert not bucket.idle(102.9)
    assert bucket.idle(103.0)


def test_what_is_given_back_may_be_spent_again_once() -> None:
    """SPEC M10: what was refused for another reason does not count."""
    bucket = Bucket()
    bucket.take(100.0, rate=1, burst=2)
    bucket.take(100.0, rate=1, burst=2)
    bucket.give_back(rate=1)
    assert bucket.take(100.0, rate=1, burst=2) == 0.0
    assert bucket.take(100.0, rate=1, burst=2) == 1.0
    for _ in range(5):
        bucket.give_back(rate=1)
    assert [bucket.take(100.0, rate=1, burst=2) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_a_clock_that_steps_back_gives_nothing_back() -> None:
    bucket = Bucket()
    bucket.take(100.0, rate=1, burst=1)
    assert bucket.take(50.0, rate=1, burst=1) == 1.0
    assert bucket.take(101.0, rate=1, burst=1) == 0.0


def test_a_bucket_is_idle_when_nothing_is_spent_any_more() -> None:
    bucket = Bucket()
    assert bucket.idle(100.0)
    bucket.take(100.0, rate=2, burst=60)
    bucket.take(100.0, rate=2, burst=60)
    assert not bucket.idle(100.75)
    assert bucket.idle(101.0)


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 4), st.integers(1, 8))
def test_no_stretch_of_time_ever_holds_more_than_the_burst_and_what_came_back(
    waits: list[int], rate: int, burst: int
) -> None:
    """SPEC M10, L16: whoever looks from when to when."""
    bucket, now, admitted = Bucket(), 100.0, []
    for wait in waits:
        now += wait / 32
        if bucket.take(now, rate=rate, burst=burst) == 0.0:
            admitted.append(now)
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + rate * (admitted[last] - admitted[first]) + 1e-3


# --- by key -----------------------------------------------------------------------------------------


def test_a_rate_is_kept_while_something_counts_against_it() -> None:
    """SPEC M10: whatever else comes and goes meanwhile."""
    rates = Rates(Bucket)
    for _ in range(5):
        assert rates.of("ada", 100.0).take(100.0, rate=1, burst=5) == 0.0
    for number in range(1000):
        rates.of(f"n{number}", 100.5).take(100.5, rate=1000, burst=5)
        rates.sweep(100.5)
    assert rates.of("ada", 100.5).take(100.5, rate=1, burst=5) > 0.0


def test_a_million_keys_leave_nothing_behind() -> None:
    """SPEC E5: what is kept is what is not idle; it is forgotten by who comes next, without a sweep."""
    rates, most = Rates(Bucket), 0
    for number in range(1_000_000):
        now = 100.0 + number / 3000  # logins a second
        rates.of(f"account {number}", now).take(now, rate=2, burst=60)
        most = max(most, len(rates))
    assert most < 2 * 3000 * 0.5 + 10, "as many as came within the half second that one counts, about"
    rates.sweep(now + 1.0)
    assert len(rates) == 0


def test_a_sweep_looks_at_a_few_thousand_however_many_there_are() -> None:
    """SPEC E5: nothing goes through all of them at once."""
    rates = Rates(SlidingWindow)
    for number in range(10_000):
        rates.of(f"{number}", 100.0).take(100.0, 1)
    assert len(rates) == 10_000
    rates.sweep(102.0)
    assert 5000 < len(rates) < 10_000
    rates.sweep(102.0)
    rates.sweep(102.0)
    assert len(rates) == 0


def test_those_that_come_after_a_flood_do_not_pile_up() -> None:
    """SPEC E5: however many there were once, idle ones are looked for when there are more than a few."""
    rates = Rates(Bucket)
    for number in range(10_000):
        rates.of(f"{number}", 100.0).take(100.0, rate=1, burst=1)
    for _ in range(3):
        rates.sweep(102.0)
    for number in range(10_000):
        now = 200.0 + number
        rates.of(f"late {number}", now).take(now, rate=1, burst=1)
    assert len(rates) < 1200, "a few, and those that came since some were looked at last"


def test_what_was_counted_elsewhere_is_joined_once() -> None:
    """SPEC M8: some of it may have been counted here; instants may be equal."""
    here, there = SlidingWindow(), SlidingWindow()
    for at in (10.0, 10.0, 10.2):
        here.take(at, 60)
    there.join(here.counted(10.3))
    there.take(10.4, 60)
    here.join(there.counted(10.5))
    here.join(there.counted(10.5))
    assert here.counted(10.5) == (10.0, 10.0, 10.2, 10.4)
    assert here.counted(11.1) == (10.2, 10.4)
    assert not here.take(10.6, 4)


def test_what_was_spent_elsewhere_is_joined_once() -> None:
    """SPEC M10: the bucket that was used last knows most."""
    here, there = Bucket(), Bucket()
    for _ in range(5):
        here.take(10.0, rate=1.0, burst=10)
    there.join(11.0, here.spent(11.0, rate=1.0), rate=1.0)
    there.take(11.0, rate=1.0, burst=10)
    for _ in range(2):
        here.join(12.0, there.spent(12.0, rate=1.0), rate=1.0)
    assert here.spent(12.0, rate=1.0) == pytest.approx(4.0)
    assert not here.idle(15.9)
    assert here.idle(16.1)
