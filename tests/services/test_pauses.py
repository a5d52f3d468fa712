"""Long work in small pieces: who may go on, and when (SPEC E5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signalpost.services.driver import start
from signalpost.services.pauses import Pauses


class Loop:
    """A loop whose turns the test takes, and a clock that goes on with the work."""

    def __init__(self) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], None]] = []
        self.pauses = Pauses(lambda: self.now, self.soon.append)
        self.done: list[str] = []  # pieces, in their order

    def begin(self, name: str, pieces: int, *, seconds: float = 0.0004) -> None:
        """Work of so many pieces, each of which takes so long."""

        async def work() -> None:
            for number in range(pieces):
                await self.pauses.take()
                self.now += seconds
                self.done.append(f"{name}{number}")

        def finished(result: object, error: Exception | None) -> None:
            assert error is None

        start(work(), finished)

    def turn(self) -> list[str]:
        """One turn of the loop; the pieces that were done in it."""
        soon, self.soon[:] = list(self.soon), []
        before = len(self.done)
        for call in soon:
            call()
        return self.done[before:]


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_little_work_never_waits(loop: Loop) -> None:
    """SPEC E5: nor in any later turn."""
    for _ in range(3):
        loop.begin("a", 2)
        assert loop.done == ["a0", "a1"]
        assert loop.turn() == []
        loop.done.clear()
    assert loop.soon == []


def test_long_work_goes_on_a_millisecond_a_turn(loop: Loop) -> None:
    """SPEC E5: others have their turn in between; at the end nothing is scheduled any more."""
    loop.begin("a", 10)
    assert loop.done == ["a0", "a1", "a2"]
    assert loop.turn() == ["a3", "a4", "a5"]
    assert loop.turn() == ["a6", "a7", "a8"]
    assert loop.turn() == ["a9"]
    assert loop.turn() == []
    assert loop.soon == []


def test_however_long_a_piece_is_one_is_done_in_a_turn(loop: Loop) -> None:
    """SPEC E5: slowly, but it ends."""
    loop.begin("a", 3, seconds=5.0)
    assert loop.done == ["a0"]
    assert [loop.turn(), loop.turn(), loop.turn()] == [["a1"], ["a2"], []]


def test_all_work_shares_the_time_of_a_turn_and_takes_it_in_its_order(loop: Loop) -> None:
    """SPEC E5: a thousand clients with long work are no more to others than one."""
    for name in "abc":
        loop.begin(name, 3)
    assert loop.done == ["a0", "a1", "a2"]
    assert loop.turn() == ["b0", "c0", "b1"]
    assert loop.turn() == ["c1", "b2", "c2"]
    loop.begin("d", 1)
    assert loop.turn() == ["d0"]
    assert loop.turn() == []
    loop.begin("e", 1)
    assert loop.done[-1] == "e0"
