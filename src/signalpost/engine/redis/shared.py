"""The shared half of a cluster: the port `Shared` of one node, by a store that all nodes use.

Time is the store's own, unless a clock is injected: then it is told with every call.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Any, Final

from signalpost.engine.failures import StoreError
from signalpost.engine.ports import Clock, Unavailable
from signalpost.engine.ports.shared import Listener
from signalpost.engine.ports.steps import Arm, Due
from signalpost.engine.redis.address import Address
from signalpost.engine.redis.alarm import Alarm
from signalpost.engine.redis.ear import Ear
from signalpost.engine.redis.follows import Follows
from signalpost.engine.redis.lane import Lane, within_task
from signalpost.engine.redis.nodes import Notation, RedisNodes
from signalpost.engine.redis.words import Words, answer_of, event_of, results_of

__all__ = ["RedisShared"]

_OPENING: Final = 5.0  # seconds that the store may take at the start
_LOOK: Final = 1.0  # seconds between two looks for timers that a node which is gone has left
_RENEW: Final = 600.0  # seconds after which the store is told again what is followed: it forgets that
_TOPICS: Final = 256  # of one call, at most


class RedisShared:
    """The port `Shared`. It lives by `open`, `run`, `stop`, `close`."""

    __slots__ = (
        "_address",
        "_alarm",
        "_anew",
        "_clock",
        "_ear",
        "_follows",
        "_lane",
        "_looking",
        "_loop",
        "_words",
        "nodes",
    )

    def __init__(
        self,
        address: Address,
        *,
        notation: Notation,
        tag_of_key: Callable[[str], str] = lambda key: "-",
        tag_of_topic: Callable[[str], str] = lambda topic: "-",
        clock: Clock | None = None,
    ) -> None:
        """`notation`: how nodes write what they tell each other. `tag_of_key`, `tag_of_topic`: the hash tag
        of a record, timer or bucket, and of a topic. `clock`: the time that counts; None: the store's."""
        me = secrets.token_hex(8)
        self._address = address
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._words = Words(tag_of_key, tag_of_topic)
        self._lane = Lane(address, me, self._words.tags, clock=clock, on_change=self._listens_anew)
        self._ear = Ear(address, me, hear=self._hear, on_return=self._listens_anew)
        self._follows = Follows()
        self._alarm = Alarm(self._now)
        self._looking: asyncio.Task[None] | None = None  # while it runs
        self._anew = asyncio.Event()  # what is told may have been lost
        self.nodes = RedisNodes(me, self._lane, self._words, notation)

    # --- its life ---------------------------------------------------------------------------------

    async def open(self, *, seconds: float = _OPENING) -> None:
        """Connect, within so many seconds. It can be opened once. Raises StoreError."""
        self._lane.open()
        self._ear.open()
        trouble = ""
        if not await self._lane.ready(seconds):
            trouble = self._lane.trouble()
        elif not await self._ear.ready(seconds):
            trouble = "it does not let this node listen"
        else:
            try:
                await within_task(self._lane.ask(self._words.call("next")))
            except Unavailable as error:
                trouble = str(error)
        if trouble:
            await self.close()
            raise StoreError(f"cannot use the shared store {self._address.text}: {trouble}")

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell what is due, and look for notices that were lost, until `stop`."""
        self._alarm.run(loop)
        self._looking = loop.create_task(self._look_on())

    def stop(self) -> None:
        """Tell no more."""
        self._alarm.stop()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def close(self) -> None:
        """Let go of the store; whoever waits for it gets Unavailable."""
        self.stop()
        await self._ear.close()
        await self._lane.close()

    def trouble(self) -> str:
        """Why the store cannot be used at present; "" if it can."""
        return self._lane.trouble()

    @property
    def trips(self) -> int:
        """Round trips made so far."""
        return self._lane.flights

    def __len__(self) -> int:
        """How many topics are followed here."""
        return len(self._follows)

    # --- the port ---------------------------------------------------------------------------------

    async def load(self, *asks: Any) -> Any:
        """See `Shared.load`."""
        answers = await self._lane.ask(self._words.load(asks))
        return tuple([answer_of(ask, answer) for ask, answer in zip(asks, answers, strict=True)])

    async def commit(self, *steps: Any) -> Any:
        """See `Shared.commit`. Raises Uncertain if nobody can tell whether it was done."""
        results = results_of(steps, await self._lane.ask(self._words.commit(steps)))
        for step in steps:
            if type(step) is Arm:
                self._alarm.set(step.at)
        return results

    async def follow(self, topic: str) -> None:
        """See `Shared.follow`."""
        new = self._follows.begin(topic)
        try:
            stand = await self._lane.ask(self._words.call("follow", self._words.topic_tag(topic), topic))
        except BaseException:
            if new:
                self._follows.end(topic)
            raise
        self._follows.stands(topic, stand)

    async def unfollow(self, topic: str) -> None:
        """See `Shared.unfollow`."""
        self._follows.end(topic)
        await self._lane.ask(self._words.call("unfollow", self._words.topic_tag(topic), topic))

    def listen(self, listener: Listener) -> None:
        """See `Shared.listen`. When this node has not been listening for a while, the latest event of each
        topic that went on is told: those before it are missing."""
        self._follows.listen(listener)

    def alarm(self, handler: Callable[[], None]) -> None:
        """See `Shared.alarm`."""
        self._alarm.listen(handler)

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """See `Shared.due`."""
        found = self._lane.ask(self._words.call("due", limit, lease))
        upcoming = self._lane.ask(self._words.call("next"))
        due = [Due(key, float(at), turn) for key, at, turn in await found]
        at = await upcoming
        if at is not None:
            self._alarm.set(at)
        return due

    async def done(self, *due: Due) -> None:
        """See `Shared.done`."""
        await self._lane.ask(self._words.done(due))

    async def sweep(self) -> int:
        """See `Shared.sweep`: nearly all ends by itself."""
        await self._lane.ask(self._words.call("sweep"))
        return 0

    # --- what the store tells ---------------------------------------------------------------------

    def _now(self) -> float | None:
        if self._clock is not None:
            return self._clock()
        return None if self._lane.ahead is None else self._loop.time() + self._lane.ahead

    def _hear(self, notice: list[Any]) -> None:
        if len(notice) == 1:
            self.nodes.hear(notice[0])
            return
        topic, epoch, *event = notice
        if not self._follows.hear(topic, epoch, event_of(event)):
            self._lane.ask(self._words.call("unfollow", self._words.topic_tag(topic), topic))

    def _listens_anew(self) -> None:
        self._anew.set()

    # --- what may have been lost ----------------------------------------------------------------

    async def _look_on(self) -> None:
        renewed = self._loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._anew.wait()
            try:
                if self._anew.is_set() or self._loop.time() - renewed > _RENEW:
                    self._anew.clear()
                    await self._refollow()
                    renewed = self._loop.time()
                await self._look()
            except Unavailable:
                self._anew.set()  # something may be lost until it is there again
                await asyncio.sleep(_LOOK)

    async def _refollow(self) -> None:
        """Say again what is followed here, and tell what has happened meanwhile."""
        topics = self._follows.stand()
        for start in range(0, len(topics), _TOPICS):
            some = topics[start : start + _TOPICS]
            said = [(self._words.topic_tag(topic), topic, epoch, offset) for topic, epoch, offset in some]
            found = await within_task(self._lane.ask(self._words.call("refollow", *said)))
            self._follows.catch_up(some, found)

    async def _look(self) -> None:
        """See whether a timer is overdue that another node has armed."""
        at = await within_task(self._lane.ask(self._words.call("next")))
        if at is not None:
            self._alarm.ring_if(at)
