"""The contract of `Pending`: what a driver may rely on."""

from __future__ import annotations

import pytest

from signalpost.engine.ports import Pending


def test_all_waiters_are_told_though_one_of_them_raises() -> None:
    """SPEC M5: what was committed is acknowledged to everybody who waits for that commit."""
    told = []

    def fails() -> None:
        raise ZeroDivisionError

    pending = Pending()
    pending.when_settled(fails)
    pending.when_settled(lambda: told.append("second"))
    with pytest.raises(ExceptionGroup) as raised:
        pending.settle()
    assert raised.group_contains(ZeroDivisionError)
    assert told == ["second"]


def test_who_asks_after_the_settlement_is_told_at_once() -> None:
    """A driver need not look whether a Pending is settled before it registers."""
    told = []
    pending = Pending()
    pending.settle()
    pending.when_settled(lambda: told.append("late"))
    assert told == ["late"]
