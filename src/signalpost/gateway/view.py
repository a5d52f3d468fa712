"""The channels that one session sees on one connection, and up to where it was told of each (SPEC C9, L17).

Who joins sees the channel from the very event behind his join's answer; what was missed is told before. While
a connection is behind in any of its channels it sees none of them live (`backlog`).

It knows names and numbers. It refuses to know sockets and requests, and who is in a channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from signalpost.gateway.backlog import Backlog
from signalpost.gateway.bulk import Pace
from signalpost.gateway.exchanges import Step, start_alone
from signalpost.gateway.fanout import Fanout, Subscriber, event_frame
from signalpost.services.channels import Joined, Missed
from signalpost.services.channels.past import Past
from signalpost.services.keys import topic_key
from signalpost.services.live import Live
from signalpost.services.outlet import Happened

__all__ = ["View"]


class View:
    """One session's channels on one connection, from its login until it ends or goes elsewhere."""

    __slots__ = (
        "_backlog",
        "_entering",
        "_fanout",
        "_live",
        "_names",
        "_over",
        "_pace",
        "_past",
        "_subscriber",
    )

    def __init__(self, live: Live, subscriber: Subscriber, *, past: Past, fanout: Fanout, pace: Pace) -> None:
        self._live: Final = live
        self._subscriber: Final = subscriber
        self._past: Final = past
        self._fanout: Final = fanout
        self._pace: Final = pace
        # The channels that it sees, now or when it has caught up; a dict, as an empty set is thrice as large.
        self._names: dict[str, None] = {}
        # What it is still to be told before it sees any of them; None when that is nothing.
        self._backlog: Backlog | None = None
        # The channel whose join is answered now, and its number then.
        self._entering: tuple[str, int] | None = None
        # The session is not on this connection any more.
        self._over = False

    def told(self) -> dict[str, int]:
        """The channels that it was told of up to a number only, by name; of all others it was told all."""
        told = {} if self._entering is None else dict([self._entering])
        return told if self._backlog is None else told | self._backlog.told()

    def joined(self, channel: str, joined: Joined, after: Callable[[Step], None]) -> int:
        """See a channel, and tell what it has missed of it before, behind the answer that `after` waits for.

        Returns the number behind which the client is told the channel's events.
        """
        missed = joined.missed or self.left(channel)
        if missed is None:
            missed = Missed(channel, joined.epoch, joined.seq, joined.seq, [], 0)
        self._entering = channel, missed.after
        after(lambda: self._enter(missed))
        return missed.after

    def left(self, channel: str) -> Missed | None:
        """See the channel's events no longer; returns what was still to be told of it, None if nothing was.

        So it is while a join is answered, too, which may take some time: no event overtakes it (C1).
        """
        missed = None if self._backlog is None else self._backlog.drop(channel)
        if channel in self._names:
            del self._names[channel]
            self._unsubscribe(channel)
        return missed

    async def fall_behind(self, missed: list[Missed]) -> None:
        """Tell what was missed of channels before any is seen live."""
        backlog = self._backlog
        if backlog is None:
            backlog = self._backlog = self._new_backlog()
            for name in list(self._names):
                self._unsubscribe(name)
                backlog.add(await self._past.nothing_missed(self._live.app_id, name))
        for part in missed:
            self._names[part.channel] = None
            backlog.add(part)
        await backlog.write()

    def lag(self) -> bool:
        """Tell what happens from now on as the client reads; False if no channel is seen live.

        All that has happened was written, or is being written at this very moment.
        """
        if self._backlog is not None or not self._names:
            return False
        start_alone(self.fall_behind([]))
        return True

    def show(self) -> None:
        """See the channels live, in the lines of the client's dialect as it is now; not yet while behind."""
        if self._backlog is not None:
            return
        topics = [topic_key(self._live.app_id, name) for name in self._names]
        if len(topics) == 1:
            self._fanout.subscribe(topics[0], self._subscriber)
        else:
            self._fanout.subscribe_to_several(topics, self._subscriber)

    def stop(self) -> None:
        """The session is no longer on this connection: it sees nothing any more."""
        self._over = True
        if self._backlog is not None:
            self._backlog.stop()
            self._backlog = None
        for name in self._names:
            self._unsubscribe(name)
        self._names.clear()

    async def _enter(self, missed: Missed) -> None:
        self._entering = None
        now = await self._past.nothing_missed(self._live.app_id, missed.channel)
        if self._over:
            return
        if self._backlog is not None or missed.after != now.upto:
            await self.fall_behind([missed])
            return
        self._names[missed.channel] = None
        self.show()

    def _unsubscribe(self, channel: str) -> None:
        self._fanout.unsubscribe(topic_key(self._live.app_id, channel), self._subscriber)

    def _new_backlog(self) -> Backlog:
        app_id = self._live.app_id

        def encode(happened: Happened) -> bytes:
            return event_frame(happened, v3=self._subscriber.v3)

        def caught_up() -> None:
            self._backlog = None
            self.show()

        return Backlog(
            self._pace,
            app_id,
            read=lambda channel, after: self._past.missed(app_id, channel, after),
            encode=encode,
            caught_up=caught_up,
            give_up=self._pace.outbox.give_up,
            now=asyncio.get_running_loop().time,
        )
