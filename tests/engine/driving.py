"""What tests of an engine need: a clock that they set, and a driver of coroutines that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from engine.over_kept import QueuesOf
from signalpost.engine.ports import Appended, Pending

__all__ = ["NOW", "ManualClock", "append", "begin", "run", "together"]

T = TypeVar("T")

NOW = 1_800_000_000.0


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def begin(coroutine: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Run the coroutine up to its first wait now, and the rest when what it waits for is settled."""
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def go_on() -> None:
        try:
            pending = coroutine.send(None)
        except StopIteration as stop:
            done.set_result(stop.value)
        except Exception as error:
            done.set_exception(error)
        else:
            assert isinstance(pending, Pending)
            pending.when_settled(go_on)

    go_on()
    return done


async def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine that may wait on a `Pending`."""
    return await begin(coroutine)


async def together(*coroutines: Coroutine[Any, Any, T]) -> list[T | BaseException]:
    """Begin all in one tick; their results or errors, in order."""
    return await asyncio.gather(*[begin(coroutine) for coroutine in coroutines], return_exceptions=True)


def append(queues: QueuesOf, key: str, body: bytes, **options: Any) -> Coroutine[Any, Any, Appended]:
    """An append with everyday options."""
    everyday: dict[str, Any] = {
        "size": len(body),
        "ttl": 86_400.0,
        "max_items": 10_000,
        "max_size": 16 * 1024 * 1024,
        "durable": True,
    }
    return queues.append(key, body, **{**everyday, **options})
