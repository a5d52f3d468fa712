"""The port `Timers`."""

from __future__ import annotations

import asyncio

import pytest

from engine.driving import NOW, ManualClock, run
from signalpost.engine.memory import HeapTimers


@pytest.fixture
def timers(clock: ManualClock) -> HeapTimers:
    return HeapTimers(clock=clock)


@pytest.fixture
def fired(timers: HeapTimers) -> list[str]:
    keys: list[str] = []
    timers.listen(keys.append)
    return keys


async def test_a_key_fires_once_when_its_time_has_come_and_never_early(
    timers: HeapTimers, clock: ManualClock, fired: list[str]
) -> None:
    """SPEC K6: not answered in that time."""
    await run(timers.arm("ring", NOW + 30))
    clock.advance(29.999)
    timers.due()
    assert fired == []
    clock.advance(0.001)
    timers.due()
    timers.due()
    assert fired == ["ring"]
    assert timers.next_at() is None


async def test_keys_fire_in_the_order_of_their_times(
    timers: HeapTimers, clock: ManualClock, fired: list[str]
) -> None:
    for key, at in (("c", 3), ("a", 1), ("b", 2), ("d", 4)):
        await run(timers.arm(key, NOW + at))
    clock.advance(3)
    timers.due()
    assert fired == ["a", "b", "c"]
    assert timers.next_at() == NOW + 4


async def test_arming_again_replaces_the_time(
    timers: HeapTimers, clock: ManualClock, fired: list[str]
) -> None:
    """SPEC L11: a session that resumes and breaks again has a new deadline."""
    await run(timers.arm("k", NOW + 10))
    await run(timers.arm("k", NOW + 20))
    clock.advance(10)
    timers.due()
    assert fired == []
    await run(timers.arm("k", NOW + 12))
    clock.advance(2)
    timers.due()
    assert fired == ["k"]
    clock.advance(100)
    timers.due()
    assert fired == ["k"]


async def test_a_cancelled_key_does_not_fire(
    timers: HeapTimers, clock: ManualClock, fired: list[str]
) -> None:
    await run(timers.arm("k", NOW + 1))
    await run(timers.cancel("k"))
    await run(timers.cancel("unknown"))
    assert timers.next_at() is None
    clock.advance(2)
    timers.due()
    assert fired == []


async def test_a_handler_may_arm_and_cancel(timers: HeapTimers, clock: ManualClock) -> None:
    """What is armed in the past by a handler fires with the next call, so that it cannot spin."""
    fired: list[str] = []

    def handler(key: str) -> None:
        fired.append(key)
        with pytest.raises(StopIteration):
            timers.arm(key, NOW).send(None)
        with pytest.raises(StopIteration):
            timers.cancel("b").send(None)

    timers.listen(handler)
    await run(timers.arm("a", NOW + 1))
    await run(timers.arm("b", NOW + 1))
    clock.advance(1)
    timers.due()
    assert fired == ["a"]
    assert timers.next_at() == NOW
    timers.due()
    assert fired == ["a", "a"]


async def test_a_handler_that_fails_loses_no_other_timer(timers: HeapTimers, clock: ManualClock) -> None:
    fired: list[str] = []

    def handler(key: str) -> None:
        fired.append(key)
        if key == "a":
            raise ValueError(key)

    timers.listen(handler)
    await run(timers.arm("a", NOW))
    await run(timers.arm("b", NOW + 1))
    clock.advance(1)
    with pytest.raises(ValueError, match="a"):
        timers.due()
    timers.due()
    assert fired == ["a", "b"]


async def test_keys_that_are_armed_over_and_over_do_not_pile_up(
    timers: HeapTimers, clock: ManualClock, fired: list[str]
) -> None:
    for n in range(10_000):
        await run(timers.arm("k", NOW + 100 + n))
    assert len(timers) == 1
    assert len(timers._heap) < 100
    clock.advance(100 + 9_999)
    timers.due()
    assert fired == ["k"]


async def test_a_loop_fires_in_time_also_what_is_armed_later_for_earlier() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    timers = HeapTimers(clock=lambda: NOW + loop.time() - start)
    fired: asyncio.Queue[str] = asyncio.Queue()
    timers.listen(fired.put_nowait)
    timers.run(loop)
    await run(timers.arm("late", NOW + 3600))
    await run(timers.arm("soon", NOW + 0.02))
    await run(timers.arm("past", NOW - 1))
    assert await asyncio.wait_for(fired.get(), 10) == "past"
    assert await asyncio.wait_for(fired.get(), 10) == "soon"
    timers.stop()
    assert fired.empty()
    assert timers.next_at() == NOW + 3600
