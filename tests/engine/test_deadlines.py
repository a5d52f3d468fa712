"""Deadlines in memory: that the loop tells of them in time, and that nothing piles up."""

from __future__ import annotations

import asyncio

import pytest

from engine.driving import NOW, ManualClock
from signalpost.engine.deadlines import Deadlines


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Alarm:
    """Takes what is due when it is told that something may be."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.calls = 0
        self.deaf = 0  # so many calls are not heeded
        self.taken: asyncio.Queue[str] = asyncio.Queue()
        deadlines.alarm(self)

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.deaf:
            return
        for due in self._deadlines.due(9, 60.0):
            self.taken.put_nowait(due.key)
            self._deadlines.done(due)

    async def next(self) -> str:
        return await asyncio.wait_for(self.taken.get(), 20)


@pytest.fixture
async def running() -> Deadlines:
    """On the loop's own clock."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    return Deadlines(clock=lambda: NOW + loop.time() - start)


async def test_a_loop_tells_in_time_also_of_what_is_armed_later_for_earlier(running: Deadlines) -> None:
    alarm = Alarm(running)
    running.run(asyncio.get_running_loop())
    running.arm("late", NOW + 3600.0)
    running.arm("soon", NOW + 0.02)
    running.arm("past", NOW - 1.0)
    assert await alarm.next() == "past"
    assert await alarm.next() == "soon"
    running.stop()
    assert alarm.taken.empty()
    assert running.next_at() == NOW + 3600.0
    running.arm("unheard", NOW)
    await asyncio.sleep(0.01)
    assert alarm.taken.empty()


async def test_a_loop_tells_again_of_what_nobody_took(running: Deadlines) -> None:
    """ENGINE: a crash between the two loses nothing."""
    alarm = Alarm(running)
    alarm.deaf = 3
    running.run(asyncio.get_running_loop())
    running.arm("a", NOW)
    assert await alarm.next() == "a"
    assert alarm.calls == 4
    running.arm("b", NOW)
    assert [due.key for due in running.due(9, 0.05)] == ["b"]
    assert await alarm.next() == "b", "its lease is over"
    running.stop()


async def test_an_alarm_that_fails_is_not_the_last(running: Deadlines) -> None:
    loop, calls = asyncio.get_running_loop(), asyncio.Queue[int]()
    loop.set_exception_handler(lambda loop, context: None)

    def fail() -> None:
        calls.put_nowait(1)
        raise ValueError("a defect")

    running.alarm(fail)
    running.run(loop)
    running.arm("a", NOW)
    for _ in range(2):
        await asyncio.wait_for(calls.get(), 20)
    running.stop()


def test_what_is_armed_or_cancelled_over_and_over_does_not_pile_up(clock: ManualClock) -> None:
    """ENGINE B2."""
    deadlines = Deadlines(clock=clock)
    for n in range(10_000):
        deadlines.arm("k", NOW + 100.0 + n)
        deadlines.arm(f"cancelled {n}", NOW + 1e9)
        deadlines.cancel(f"cancelled {n}")
    assert len(deadlines) == 1
    assert len(deadlines._heap) < 100
    for _ in range(10_000):
        deadlines.arm("k", NOW)
        (due,) = deadlines.due(9, 1.0)
        deadlines.done(due)
    assert deadlines.next_at() is None
    assert len(deadlines._heap) < 100
