"""Use cases side by side."""

from __future__ import annotations

from typing import Any

import pytest

from signalpost.engine.ports import Cancelled, Pending, Reply, Unavailable
from signalpost.services.driver import both, start, together


def test_what_runs_together_waits_together() -> None:
    """ARCHITECTURE, no task per message: all have begun before any is resumed."""
    waiting, order, ended = Pending(), [], []

    async def work(number: int) -> None:
        order.append(number)
        await waiting
        order.append(-number)

    start(together([work(1), work(2), work(3)]), lambda result, error: ended.append(error))
    assert order == [1, 2, 3]
    assert not ended
    waiting.settle()
    assert order == [1, 2, 3, -1, -2, -3]
    assert ended == [None]


@pytest.mark.parametrize("slow", [False, True])
def test_one_that_fails_lets_the_others_end_first(slow: bool) -> None:
    waiting, done, ended = Pending(), [], []

    async def fail() -> None:
        raise Unavailable("full")

    async def work() -> None:
        if slow:
            await waiting
        done.append(True)

    start(together([fail(), work()]), lambda result, error: ended.append(error))
    waiting.settle()
    assert done == [True]
    assert [str(error) for error in ended] == ["full"]


def test_nothing_at_all_is_done_at_once() -> None:
    ended: list[Exception | None] = []
    start(together([]), lambda result, error: ended.append(error))
    assert ended == [None]


@pytest.mark.parametrize("slow", [(), (0,), (1,), (0, 1), (1, 0)])
@pytest.mark.parametrize("failing", [(), (0,), (1,), (0, 1)])
def test_two_that_are_asked_for_together_wait_side_by_side(
    slow: tuple[int, ...], failing: tuple[int, ...]
) -> None:
    """ENGINE: two loads of two halves are one round trip."""
    waiting, begun, done, ended = [Pending(), Pending()], [], [], []

    async def ask(number: int) -> str:
        begun.append(number)
        if number in slow:
            await waiting[number]
        done.append(number)
        if number in failing:
            raise Unavailable(f"{number}")
        return f"answer {number}"

    start(both(ask(0), ask(1)), lambda *end: ended.append(end))
    if 0 in slow or 0 not in failing:
        assert begun == [0, 1]
    for number in slow:
        assert not ended or 0 in failing
        waiting[number].settle()
    ((result, error),) = ended
    if not failing:
        assert result == ("answer 0", "answer 1")
        assert error is None
    else:
        assert str(error) == f"{failing[0]}"
    assert sorted(done) == begun


def test_a_use_case_goes_on_with_what_it_has_waited_for() -> None:
    """ARCHITECTURE, no task per message: an answer from elsewhere has a value."""
    reply: Reply[str] = Reply()
    ended: list[Any] = []

    async def work() -> str:
        return f"got {await reply}"

    start(work(), lambda *outcome: ended.append(outcome))
    assert not ended
    reply.answer("it")
    assert ended == [("got it", None)]


def test_a_use_case_that_is_cancelled_cleans_up_and_ends() -> None:
    """Its wait ends with `Cancelled`; what it waited for is settled later for others, and not for it."""
    waiting, cleaning, steps, ended = Pending(), Pending(), [], []

    async def work() -> None:
        try:
            await waiting
        finally:
            steps.append("cleaning")
            await cleaning
            steps.append("clean")

    async def other() -> None:
        await waiting
        steps.append("other")

    running = start(work(), lambda result, error: ended.append(error))
    start(other(), lambda result, error: None)
    running.cancel()
    assert steps == ["cleaning"]
    waiting.settle()
    assert steps == ["cleaning", "other"]
    cleaning.settle()
    assert steps == ["cleaning", "other", "clean"]
    assert [type(error) for error in ended] == [Cancelled]


def test_a_use_case_may_go_on_though_its_wait_was_cancelled() -> None:
    """It decides itself what follows from that, and may wait for something else."""
    waiting, ended = Pending(), []

    async def work() -> str:
        try:
            await waiting
        except Cancelled:
            return "given up"
        return "done"

    start(work(), lambda *outcome: ended.append(outcome)).cancel()
    assert ended == [("given up", None)]
