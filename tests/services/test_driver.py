"""Use cases side by side."""

from __future__ import annotations

import pytest

from signalpost.engine.ports import Pending, Unavailable
from signalpost.services.driver import start, together


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
