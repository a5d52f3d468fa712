"""What a connection is still to be told of its channels before it sees them live (SPEC C9, L17).

Missed events go out by pages, in the order of their times over all channels, as the filter of originals
spans them all (PROTOCOL §7). Meanwhile none of its channels is seen live: what happens in them is read
behind what was read before, a page at a time, until nothing is left; from that very step on they are seen.

What was read is held as the engine keeps it, shared with it and with other connections, and is no more than
a page. Only who cannot keep up with what the engine lets go of, or takes longer over it than anybody should,
can miss something: such a client has to come back, and is told how much.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from signalpost.engine.ports.shared import Event
from signalpost.gateway.bulk import Pace
from signalpost.services.channels import Missed
from signalpost.services.outlet import Happened

__all__ = ["PATIENCE", "Backlog"]

PATIENCE: Final = 600.0
"""Seconds for which missed events are held for a client; 16 MiB that grow sevenfold take 117 s at 1 MB/s."""


class _Channel:
    """A channel that the connection is behind in."""

    __slots__ = ("_missed", "_next", "told")

    def __init__(self, missed: Missed) -> None:
        self.told = missed.after  # up to where the client was told
        self.take(missed)

    def take(self, missed: Missed) -> None:
        """This is to be told next."""
        self._missed = missed
        self._next = 0  # which of its events comes next

    @property
    def upto(self) -> int:
        """Up to where the channel was read."""
        return self._missed.upto

    @property
    def next(self) -> Event | None:
        """The next event, if there is one."""
        events = self._missed.events
        return events[self._next] if self._next < len(events) else None

    def read(self, app_id: str, event: Event) -> Happened:
        """What the next event says."""
        return self._missed.happened(app_id, event)

    def went_out(self, event: Event) -> None:
        """The next event was written."""
        self._next += 1
        self.told = event.offset


class Backlog:
    """The channels that one session is behind in, on one connection."""

    __slots__ = (
        "_app_id",
        "_catch_up",
        "_channels",
        "_deadline",
        "_encode",
        "_give_up",
        "_now",
        "_over",
        "_pace",
        "_read",
        "_writing",
    )

    def __init__(
        self,
        pace: Pace,
        app_id: str,
        *,
        read: Callable[[str, int], Coroutine[Any, Any, Missed]],
        encode: Callable[[Happened], bytes],
        catch_up: Callable[[dict[str, int]], bool],
        give_up: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """`read`: a page of what has happened in a channel after a number. `encode`: an event as a frame.
        `catch_up`: see the channels from now on, behind these numbers; False if there is more to be read.
        `give_up`: events cannot be kept for the client any longer; its connection has to end."""
        self._pace = pace
        self._app_id = app_id
        self._read = read
        self._encode = encode
        self._catch_up = catch_up
        self._give_up = give_up
        self._now = now
        self._deadline = now() + PATIENCE
        self._channels: dict[str, _Channel] = {}  # by name; empty when all are seen live
        self._writing = False  # it is being written; whatever is added comes along
        self._over = False  # the session is not on this connection any more

    def add(self, missed: Missed) -> None:
        """The connection is behind in one more channel."""
        self._channels[missed.channel] = _Channel(missed)

    def drop(self, channel: str) -> int | None:
        """Nothing more of this channel; returns up to where it was told, None if it is not behind."""
        dropped = self._channels.pop(channel, None)
        return None if dropped is None else dropped.told

    def stop(self) -> None:
        """The session is no longer on this connection: nothing more of any channel."""
        self._over = True
        self._channels.clear()

    def told(self) -> dict[str, int]:
        """Up to where each of the channels was told."""
        return {name: channel.told for name, channel in self._channels.items()}

    async def write(self) -> None:
        """Write all of it, as the peer reads it. One at a time does so."""
        if self._writing:
            return
        self._writing = True
        try:
            while not self._over:
                if not await self._pace.turn() or not await self._read_on():
                    return
                if self._now() > self._deadline:
                    self._give_up()
                    return
                self._write_page()
        except Exception:
            self._give_up()  # or it would wait for ever for what nobody tells it
            raise
        finally:
            self._writing = False

    def _write_page(self) -> None:
        """Write until a page is full, or a channel has to be read on."""
        size = 0
        while not self._over and self._pace.free and size < self._pace.page:
            waiting = [
                (event.time, name, event)
                for name, channel in self._channels.items()
                if (event := channel.next)
            ]
            if not waiting:
                return
            _, name, event = min(waiting)
            channel = self._channels[name]
            size += self._pace.put(self._encode(channel.read(self._app_id, event)))
            channel.went_out(event)
            if channel.next is None:
                return

    async def _read_on(self) -> bool:
        """Read what follows of channels of which nothing is at hand; False when there is nothing to write any
        more, as the channels are seen from now on or the connection has to end."""
        while not self._over:
            for name, channel in list(self._channels.items()):
                if channel.next is not None:
                    continue
                missed = await self._read(name, channel.upto)
                if self._channels.get(name) is not channel:
                    continue
                if missed.lost:
                    self._give_up()
                    return False
                channel.told = channel.upto
                channel.take(missed)
            if any(channel.next for channel in self._channels.values()):
                return True
            told = {name: channel.upto for name, channel in self._channels.items()}
            if self._catch_up(told):
                self._channels.clear()
                return False
        return False
