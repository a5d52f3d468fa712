"""The pauses before a client tries to connect again (client/patience.py)."""

from __future__ import annotations

import pytest

from signalpost.client.patience import Patience
from signalpost.client.settings import Settings


def test_pauses_grow_to_five_seconds_by_default() -> None:
    """SPEC L10: 0.2 s, doubling."""
    patience = Patience(Settings(), lambda: 1.0)
    assert [patience.pause() for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_jitter_takes_up_to_half_of_a_pause() -> None:
    """SPEC L10: clients that lost their connections together do not come back together."""
    assert Patience(Settings(), lambda: 0.0).pause() == 0.1
    assert Patience(Settings(), lambda: 0.5).pause() == pytest.approx(0.15)


def test_pauses_have_an_end_however_many_there_were() -> None:
    """No number grows beyond what a language can hold."""
    patience = Patience(Settings(), lambda: 1.0)
    assert {patience.pause() for _ in range(5000)} == {0.2, 0.4, 0.8, 1.6, 3.2, 5.0}


@pytest.mark.parametrize(("lived", "next_pause"), [(0.0, 0.4), (9.5, 0.4), (10.5, 0.2), (1000.0, 0.2)])
def test_only_a_connection_that_lived_for_ten_seconds_lets_them_begin_anew(
    lived: float, next_pause: float
) -> None:
    """SPEC L10: a login that succeeds does not."""
    patience = Patience(Settings(), lambda: 1.0)
    patience.pause()
    patience.connected(100.0)
    patience.lost(100.0 + lived)
    assert patience.pause() == next_pause


def test_one_pause_may_be_cut_short_until_a_connection_has_lasted() -> None:
    """SPEC L10: a device that says again and again that its network is back gets no more tries."""
    patience = Patience(Settings(), lambda: 1.0)
    assert [patience.hurry() for _ in range(3)] == [True, False, False]
    patience.connected(0.0)
    patience.lost(1.0)
    assert not patience.hurry()
    patience.connected(2.0)
    patience.lost(12.5)
    assert patience.hurry()
