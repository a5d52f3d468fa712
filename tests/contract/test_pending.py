"""The contract of `Pending`: what a driver may rely on."""

from __future__ import annotations

import pytest

from signalpost.engine.ports import Pending, Reply


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


def test_who_waits_no_longer_is_not_told() -> None:
    """A use case that has been cancelled is not resumed by what it waited for; others are."""
    told: list[str] = []
    pending = Pending()

    def first() -> None:
        told.append("first")

    pending.when_settled(first)
    pending.when_settled(lambda: told.append("second"))
    pending.forget(first)
    pending.forget(first)
    pending.settle()
    assert told == ["second"]


def test_to_await_a_reply_gives_its_value() -> None:
    """What is asked for elsewhere comes with an answer; one that is there already is not waited for."""

    async def ask(reply: Reply[int]) -> int:
        return await reply

    reply: Reply[int] = Reply()
    asking = ask(reply)
    assert asking.send(None) is reply
    reply.answer(7)
    with pytest.raises(StopIteration) as stop:
        asking.send(None)
    assert stop.value.value == 7
    with pytest.raises(StopIteration) as stop:
        ask(reply).send(None)
    assert stop.value.value == 7
