"""An engine that is far away: each call of a port travels there, and its answer comes back.

Nothing else changes: the port at the far end is the embedded one. All calls of a node to one half travel over
one cable, so that they arrive in their order; answers and events come back over it in theirs. What awaits an
answer is driven without a task, as in the product.

It knows coroutine methods, and those that take a handler. What a port does at once (a property, a gauge) it
does here, too.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from signalpost.engine.patience import Patience
from signalpost.engine.ports import Reply
from signalpost.services.driver import start

__all__ = ["AtOnce", "Cable", "Delays", "Far", "Steps", "Ticks", "Way", "ways"]

Deliver = Callable[[], None]


class Way(Protocol):
    """One direction of a cable."""

    def put(self, deliver: Deliver) -> None:
        """Deliver it, at once or later, behind what was put before."""
        ...


class AtOnce:
    """No delay at all."""

    def put(self, deliver: Deliver) -> None:
        """See `Way.put`."""
        deliver()


class Ticks:
    """What is put arrives in the loop's next tick."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def put(self, deliver: Deliver) -> None:
        """See `Way.put`."""
        self._loop.call_soon(deliver)


class Delays:
    """What is put arrives after a time that the seed decides, and never before what was put before it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, longest: float, chance: random.Random) -> None:
        """`longest`: seconds."""
        self._loop = loop
        self._longest = longest
        self._chance = chance
        self._under_way: deque[tuple[float, Deliver]] = deque()  # when it arrives, the first one first
        self._woken = False  # the arrival of the first one is seen to

    def put(self, deliver: Deliver) -> None:
        """See `Way.put`."""
        at = self._loop.time() + self._chance.random() * self._longest
        if self._under_way:
            at = max(at, self._under_way[-1][0])
        self._under_way.append((at, deliver))
        self._wake()

    def _wake(self) -> None:
        if self._under_way and not self._woken:
            self._woken = True
            self._loop.call_at(self._under_way[0][0], self._arrive)

    def _arrive(self) -> None:
        self._woken = False
        now = self._loop.time() + 0.001  # loops round
        try:
            while self._under_way and self._under_way[0][0] <= now:
                self._under_way.popleft()[1]()
        finally:
            self._wake()


class Steps:
    """What is put arrives when the test says so."""

    def __init__(self) -> None:
        self._under_way: deque[Deliver] = deque()

    def __len__(self) -> int:
        return len(self._under_way)

    def put(self, deliver: Deliver) -> None:
        """See `Way.put`."""
        self._under_way.append(deliver)

    def step(self) -> None:
        """Let the next one arrive."""
        self._under_way.popleft()()


class Cable:
    """What lies between a node and its engine."""

    def __init__(self, there: Way, back: Way, patience: Patience | None = None) -> None:
        """`patience`: how long answers are waited for; None: as long as it takes."""
        self._there = there
        self._back = back
        self._patience = patience
        self.cut = False  # what is sent is lost
        self.deaf = False  # what the far end tells by itself is lost
        self.trips: Counter[str] = Counter()  # the calls that ever were made, by method

    def ask(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Reply[Any]:
        """Have something done at the far end; what its answer is waited for with."""
        self.trips[name] += 1
        reply: Reply[Any] = Reply() if self._patience is None else self._patience.wait()

        def done(result: Any, error: Exception | None) -> None:
            self._back.put(partial(arrived, result, error))

        def arrived(result: Any, error: Exception | None) -> None:
            if reply.settled:
                return  # it came too late
            if error is None:
                reply.answer(result)
            else:
                reply.settle(error)

        def arrive() -> None:
            start(work(), done)

        if not self.cut:
            self._there.put(arrive)
        return reply

    def tell(self, handler: Callable[..., None]) -> Callable[..., None]:
        """A handler at the near end for what the far end tells by itself."""

        def told(*what: Any) -> None:
            if not self.cut and not self.deaf:
                self._back.put(partial(handler, *what))

        return told


HANDLERS = ("listen", "alarm")  # the methods of ports that are given whom to tell
PORTS = ("nodes",)  # the properties of ports that are ports


class Far:
    """Any port, at the far end of a cable."""

    def __init__(self, port: Any, cable: Cable) -> None:
        self._port = port
        self._cable = cable

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name in HANDLERS:
            return lambda handler: found(self._cable.tell(handler))
        if name in PORTS:
            port = Far(found, self._cable)
            setattr(self, name, port)
            return port
        if not inspect.iscoroutinefunction(found):
            return found
        cable, port = self._cable, self._port

        async def call(*args: Any, **options: Any) -> Any:
            async def there() -> Any:
                return await getattr(port, name)(*args, **options)

            return await cable.ask(name, there)

        setattr(self, name, call)  # made once; what it stands for is looked up there each time
        return call

    def __len__(self) -> int:
        return len(self._port)


def ways(kind: str, loop: asyncio.AbstractEventLoop, seed: int = 0) -> tuple[Way, Way]:
    """Both directions by a name: `none`, `tick`, or the longest delay in milliseconds."""
    if kind == "none":
        return AtOnce(), AtOnce()
    if kind == "tick":
        return Ticks(loop), Ticks(loop)
    chance = random.Random(seed)
    longest = float(kind) / 1000
    return Delays(loop, longest, chance), Delays(loop, longest, chance)
