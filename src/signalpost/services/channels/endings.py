"""When channels die: some time after nobody is in them any more, with their attributes (SPEC C8)."""

from __future__ import annotations

from collections.abc import Callable

from signalpost.domain import channels as rules
from signalpost.domain.apps import App
from signalpost.engine.ports import Clock, Records, Timers, Topics
from signalpost.services.channels.census import Census
from signalpost.services.keys import channel_key, split, subject_of
from signalpost.services.stored import TIME

__all__ = ["Endings"]


class Endings:
    """The ends of channels that nobody is in."""

    __slots__ = ("_census", "_clock", "_find_app", "_records", "_timers", "_topics")

    def __init__(
        self,
        topics: Topics,
        records: Records,
        timers: Timers,
        census: Census,
        clock: Clock,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._topics = topics
        self._records = records
        self._timers = timers
        self._census = census
        self._clock = clock
        self._find_app = find_app

    async def let_die(self, app: App, topic: str) -> None:
        """Nobody is in the channel any more: arm its end; it comes to nothing if somebody is in it then."""
        now = self._clock()
        await self._records.put(channel_key(topic), TIME.encode(now), expect=None, ttl=None)
        await self._arm(app, topic, now)

    async def arm_anew(self, app: App, topic: str) -> None:
        """Its `_channel_ttl` has changed."""
        entry = await self._records.get(channel_key(topic))
        if entry is not None:
            await self._arm(app, topic, TIME.decode(entry.value))

    async def due(self, key: str) -> None:
        """The end of an empty channel (C8)."""
        topic = subject_of(key)
        entry = await self._records.get(key)
        if entry is not None:
            app = self._find_app(split(topic)[0]) or App()
            seconds = rules.channel_seconds(await self._topics.attributes(topic), app.limits)
            if self._clock() < TIME.decode(entry.value) + seconds:
                return  # a timer that was kept with its attributes, and comes at a start
        await self._records.delete(key)
        head = await self._topics.head(topic)
        if head is None or head.members > 0:
            return
        await self._census.forget(topic)
        await self._topics.drop(topic, if_empty=True)

    async def adopt(self) -> None:
        """After a restart all channels are empty: from now on they live for their ttl (C8)."""
        for topic in await self._topics.names():
            await self.let_die(self._find_app(split(topic)[0]) or App(), topic)
            await self._census.count_soon(topic)

    async def _arm(self, app: App, topic: str, empty_since: float) -> None:
        seconds = rules.channel_seconds(await self._topics.attributes(topic), app.limits)
        await self._timers.arm(channel_key(topic), empty_since + seconds)
