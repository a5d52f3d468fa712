"""Answers that do not come (ARCHITECTURE, the engine): who waits is told in time, by one timer for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signalpost.engine.patience import PATIENCE, Patience
from signalpost.engine.ports import Unavailable
from signalpost.services.driver import start


class Loop:
    """Time that the test lets pass, and what it calls then."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.armed = 0  # how often a timer was armed

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.armed += 1
        self.timers.append((self.now + seconds, call))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timers and min(at for at, _ in self.timers) <= end:
            first = min(self.timers, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def patience(loop: Loop) -> Patience:
    return Patience(lambda: loop.now, loop.later)


def test_what_is_not_answered_in_time_fails_as_unavailable(loop: Loop, patience: Patience) -> None:
    """Two seconds: the client still has most of its ten for a request."""
    ended: list[Exception | None] = []

    async def work() -> None:
        await patience.wait()

    start(work(), lambda result, error: ended.append(error))
    loop.advance(PATIENCE - 0.01)
    assert not ended
    loop.advance(0.01)
    assert isinstance(ended[0], Unavailable)
    assert str(ended[0]) == "the engine has not answered within 2 s"
    assert len(patience) == 0


def test_an_answer_in_time_is_kept_no_longer(loop: Loop, patience: Patience) -> None:
    """What is remembered is what is waited for, and the timer ends with the last of it."""
    replies = [patience.wait() for _ in range(1000)]
    assert len(patience) == 1000
    for reply in replies:
        reply.answer("done")
    assert len(patience) == 0
    loop.advance(10 * PATIENCE)
    assert loop.timers == []


def test_many_waits_have_one_timer(loop: Loop, patience: Patience) -> None:
    """A message costs no timer of its own."""
    late = []
    for _ in range(100):
        late.append(patience.wait())
        patience.wait().answer(None)
        loop.advance(0.001)
    assert loop.armed == 1
    loop.advance(PATIENCE)
    assert all(reply.settled for reply in late)
    assert len(patience) == 0


def test_each_has_the_whole_time(loop: Loop, patience: Patience) -> None:
    """Who asks later is answered later; and asking again from within a failure works."""
    first = patience.wait()
    again = []
    first.when_settled(lambda: again.append(patience.wait()))
    loop.advance(1.5)
    second = patience.wait()
    loop.advance(0.5)
    assert first.settled
    assert not second.settled
    loop.advance(1.5)
    assert second.settled
    assert not again[0].settled
    loop.advance(0.5)
    assert again[0].settled
