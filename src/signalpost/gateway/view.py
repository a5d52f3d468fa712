"""The channels that one session sees on one connection, and up to where it was told of each (SPEC C9, L17).

A channel is followed before the session is in it. Who joins sees it from the very event behind his join's
answer; what was missed is told before. While a connection is behind in any of its channels it sees none of
them live (`backlog`).

It knows names and numbers. It refuses to know sockets and requests, and who is in a channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from signalpost.domain.refusals import Superseded
from signalpost.engine.ports import Unavailable
from signalpost.gateway.backlog import Backlog
from signalpost.gateway.bulk import Pace
from signalpost.gateway.exchanges import Step, start_alone
from signalpost.gateway.fanout import Fanout, Seat, Subscriber
from signalpost.gateway.stage import Lines, event_frame
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
        "_closed",
        "_entering",
        "_fanout",
        "_live",
        "_over",
        "_pace",
        "_parted",
        "_past",
        "_seats",
        "_subscriber",
    )

    def __init__(self, live: Live, subscriber: Subscriber, *, past: Past, fanout: Fanout, pace: Pace) -> None:
        self._live: Final = live
        self._subscriber: Final = subscriber
        self._past: Final = past
        self._fanout: Final = fanout
        self._pace: Final = pace
        # The channels that it sees, will see when it has caught up, or is about to join, by name.
        self._seats: dict[str, Seat] = {}
        # What it is still to be told before it sees any of them; None when that is nothing.
        self._backlog: Backlog | None = None
        # The channel whose join is answered now, and its number then.
        self._entering: tuple[str, int] | None = None
        # The channel that it saw last and sees no more, and up to where it was told of it.
        self._parted: tuple[str, int] | None = None
        # Up to where it was told of each channel when its connection began to close; None before.
        self._closed: dict[str, int] | None = None
        # The session is not on this connection any more.
        self._over = False

    def told(self) -> dict[str, int]:
        """Up to where it was told of each channel, by name."""
        if self._closed is not None:
            return self._closed
        told = {name: seat.reached for name, seat in self._seats.items() if seat.told is not None}
        if self._entering is not None:
            told |= [self._entering]
        return told if self._backlog is None else told | self._backlog.told()

    def close(self) -> None:
        """The connection begins to close: whatever comes from now on is not told on it."""
        self._closed = self.told()

    # --- what the services tell -------------------------------------------------------------------

    async def follow(self, channel: str) -> None:
        """See `Sight.follow`."""
        if self._over:
            raise Superseded
        seat = self._take_seat(channel)
        try:
            await seat.ready()
        except Exception:
            if self._seats.get(channel) is seat and seat.told is None:
                del self._seats[channel]
            seat.give_back()
            raise

    def unsee(self, channel: str) -> None:
        """See `Sight.unsee`."""
        told = self._leave(channel)
        self._parted = None if told is None else (channel, told)
        seat = self._seats.pop(channel, None)
        if seat is not None:
            seat.give_back()

    def put_out(self, happened: Happened) -> None:
        """See a channel no longer that the session was put out of, and tell so, unless that was shown."""
        told = self._leave(happened.channel)
        seat = self._seats.pop(happened.channel, None)
        if seat is not None:
            seat.give_back()
        if told is not None and told < happened.number:
            self._pace.put(self._frame(happened))

    def stay(self, channel: str) -> None:
        """See `Sight.stay`."""
        parted, self._parted = self._parted, None
        if parted is not None and parted[0] == channel and not self._over:
            start_alone(self.fall_behind([Missed(channel, "", parted[1], (), 0)]))

    async def part(self, channel: str, upto: int) -> None:
        """See `Sight.part`. Who reads too slowly to see it live is not kept waiting with more."""
        parted, self._parted = self._parted, None
        if parted is None or parted[0] != channel or parted[1] >= upto or self._backlog is not None:
            return
        with suppress(Unavailable):  # it has left all the same
            missed = await self._past.missed(self._live.app_id, channel, parted[1])
            if not self._over:
                for event in missed.events:
                    if event.offset <= upto:
                        self._pace.put(self._frame(missed.happened(self._live.app_id, event)))

    # --- what the connection tells ----------------------------------------------------------------

    def joined(self, channel: str, joined: Joined, after: Callable[[Step], None]) -> int:
        """See a channel, and tell what it has missed of it before, behind the answer that `after` waits for.

        Returns the number behind which the client is told the channel's events. Until the answer is written
        it sees nothing of the channel, though that may take some time: no event overtakes it (C1).
        """
        told = self._leave(channel)
        missed = joined.missed
        if missed is None:
            missed = Missed(channel, joined.epoch, joined.seq if told is None else told, (), 0)
        self._entering = channel, missed.after
        after(lambda: self._enter(missed))
        return missed.after

    async def fall_behind(self, missed: list[Missed]) -> None:
        """Tell what was missed of channels before any is seen live."""
        if self._over:
            return
        backlog = self._backlog
        if backlog is None:
            backlog = self._new_backlog()
            for name, seat in self._seats.items():
                if seat.told is not None:
                    seat.stage.unsee(self._subscriber)
                    backlog.add(Missed(name, seat.epoch, seat.reached, (), 0))
            self._backlog = backlog
        for part in missed:
            seat = self._take_seat(part.channel)
            seat.told, seat.epoch = part.after, part.epoch or seat.epoch
            backlog.add(part)
        try:
            for seat in list(self._seats.values()):
                await seat.ready()
        except Exception:
            self._pace.outbox.give_up()  # it would hear nothing of a channel that it is in
            raise
        await backlog.write()

    def lag(self) -> bool:
        """Tell what happens from now on as the client reads; False if no channel is seen live.

        All that has happened was written, or is being written at this very moment.
        """
        if self._backlog is not None or not any(seat.told is not None for seat in self._seats.values()):
            return False
        start_alone(self.fall_behind([]))
        return True

    def show(self) -> None:
        """See the channels live, in the lines of the client's dialect as it is now; not yet while behind."""
        if self._backlog is not None:
            return
        seen = [seat for seat in self._seats.values() if seat.told is not None]
        apart = len(seen) > 1 and self._subscriber.lines is not Lines.NUMBERED
        for seat in seen:
            seat.told = told = seat.reached
            if apart:
                seat.stage.see_apart(self._subscriber, seat.epoch, told)
            else:
                seat.stage.see(self._subscriber, seat.epoch, told)

    def stop(self) -> None:
        """The session is no longer on this connection: it sees nothing any more."""
        self._over = True
        if self._backlog is not None:
            self._backlog.stop()
            self._backlog = None
        for seat in self._seats.values():
            seat.stage.unsee(self._subscriber)
            seat.give_back()
        self._seats.clear()

    async def _enter(self, missed: Missed) -> None:
        self._entering = None
        seat = self._seats.get(missed.channel)
        if self._over or seat is None:
            return
        if self._backlog is not None or missed.events or seat.stage.reached(missed.epoch) > missed.upto:
            await self.fall_behind([missed])
            return
        seat.told, seat.epoch = missed.upto, missed.epoch
        self.show()

    def _leave(self, channel: str) -> int | None:
        """See the channel no longer; up to where it was told of it, None if it did not see it."""
        seat = self._seats.get(channel)
        if seat is None or seat.told is None:
            return None
        told = seat.reached if self._backlog is None else self._backlog.drop(channel)
        seat.stage.unsee(self._subscriber)
        seat.told = None
        return told

    def _take_seat(self, channel: str) -> Seat:
        seat = self._seats.get(channel)
        if seat is None:
            seat = self._fanout.take_seat(topic_key(self._live.app_id, channel), self._past)
            self._seats[channel] = seat
        return seat

    def _new_backlog(self) -> Backlog:
        app_id = self._live.app_id
        return Backlog(
            self._pace,
            app_id,
            read=lambda channel, after: self._past.missed(app_id, channel, after),
            encode=self._frame,
            catch_up=self._catch_up,
            give_up=self._pace.outbox.give_up,
            now=asyncio.get_running_loop().time,
        )

    def _frame(self, happened: Happened) -> bytes:
        """An event for this client alone."""
        lines = self._subscriber.lines
        stamp = 0 if lines is Lines.NUMBERED else self._fanout.stamps.next()
        return event_frame(happened, lines, stamp)

    def _catch_up(self, told: dict[str, int]) -> bool:
        """See the channels live, unless there is one in which this node knows of more than was told."""
        seats = [(self._seats[name], number) for name, number in told.items()]
        if any(seat.stage.reached(seat.epoch) > number for seat, number in seats):
            return False
        self._backlog = None
        for seat, number in seats:
            seat.told = number
        self.show()
        return True
