"""The past of one topic in process memory: its events under consecutive offsets, within bounds.

It knows offsets, times and sizes. It refuses to know what an event says.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from signalpost.engine.ports.shared import Event, Keep

__all__ = ["History"]

_WASTE = 64  # places of events that are gone which are not worth a rebuild
_NOTHING = Keep(seconds=0.0, events=0, size=0)


class History:
    """The latest events of a topic, and the offset of the latest, kept or not."""

    __slots__ = ("_events", "_gone", "_size", "keep", "last", "last_time")

    def __init__(self) -> None:
        self.last = 0  # the latest offset
        self.last_time = 0.0  # when that event happened
        self.keep = _NOTHING  # as the latest event said
        self._events: list[Any] = []  # None for each that is gone, then those that are kept, ascending
        self._gone = 0  # how many places in front are of events that are gone
        self._size = 0  # bytes of those that are kept

    def __len__(self) -> int:
        return len(self._events) - self._gone

    @property
    def first(self) -> int:
        """The offset of the first event that is kept; one more than the last if none is."""
        return self.last - len(self) + 1

    @property
    def end(self) -> float | None:
        """When the first event that is kept is over; None if none is."""
        if self._gone == len(self._events):
            return None
        end: float = self._events[self._gone].time + self.keep.seconds
        return end

    def add(self, body: bytes, now: float, keep: Keep) -> Event:
        """One more event; lets go of what may not be kept any longer."""
        self.last = offset = self.last + 1
        self.last_time = now
        self.keep = keep
        event = Event(offset, now, body)
        self._events.append(event)
        self._size += len(body)
        self.fade(now)
        return event

    def fade(self, now: float) -> None:
        """Let go of events that may not be kept any longer."""
        events, keep = self._events, self.keep
        start = gone = self._gone
        most, oldest = len(events) - keep.events, now - keep.seconds
        while gone < len(events):
            event = events[gone]
            if gone >= most and self._size <= keep.size and event.time >= oldest:
                break
            self._size -= len(event.body)
            events[gone] = None
            gone += 1
        if gone == start:
            return
        self._gone = gone
        if gone > _WASTE and 2 * gone > len(events):
            del events[:gone]
            self._gone = 0

    def page(self, after: int, limit: int, size: int) -> tuple[tuple[Event, ...], int]:
        """The first events behind an offset, and how many before them are lost."""
        first = max(self.first, after + 1)
        lost = min(max(first - 1 - after, 0), self.last)
        page: list[Event] = []
        for place in range(self._place(first), min(self._place(first) + limit, len(self._events))):
            event = self._events[place]
            size -= len(event.body)
            if size < 0 and page:
                break
            page.append(event)
        return tuple(page), lost

    def before(self, at: float) -> int:
        """The highest offset that, with all before it, is of an event older than this time."""
        place = bisect_left(self._events, at, lo=self._gone, key=_time)
        return self.first - 1 + (place - self._gone)

    def behind(self, upto: int, size: int) -> int:
        """The highest offset behind which kept events of this size follow up to `upto`."""
        first = self.first
        while size > 0 and upto >= first:
            size -= len(self._events[self._place(upto)].body)
            upto -= 1
        return upto

    def _place(self, offset: int) -> int:
        return len(self._events) - 1 - (self.last - offset)


def _time(event: Event) -> float:
    return event.time
