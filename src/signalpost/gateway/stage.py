"""A channel as this node sees it: in order, without gaps, encoded once for all who see it (SPEC C6).

An audience is the connections on this node that see a channel in one encoding. In one loop tick its
frames gather in one batch that all its outboxes share; a change of the audience begins a new batch, so
that nobody gets what came before he was there. An original that sees several channels gets every frame by
itself: batches would bring it one channel's events of a tick before the other's, and its SDK, which has one
filter for all (PROTOCOL §7), would drop those with the lower ids.

A client of ours knows an event by its number in the channel. For originals, whose ids have to ascend over all
channels, this node stamps them: with the time, or one more than the last.

It knows numbers, frames and outboxes. It refuses to know who is in a channel, and how it is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Protocol

from signalpost.domain import channels as kinds
from signalpost.gateway.outbox import Batch, Outbox
from signalpost.gateway.websocket import frame_text
from signalpost.services.outlet import Happened
from signalpost.wire.codec import channel_event
from signalpost.wire.lines import (
    attribute_content,
    line_v2,
    line_v3,
    member_content,
    message_content,
)

__all__ = ["Lines", "Stage", "Stamps", "Viewer", "event_frame"]


class Lines(IntEnum):
    """How a client reads channel events."""

    NUMBERED = 0  #: ours
    STAMPED_V3 = 1  #: originals that read v3 lines
    STAMPED_V2 = 2  #: originals that read v2 lines


class Viewer(Protocol):
    """A connection that sees channels."""

    @property
    def outbox(self) -> Outbox: ...

    @property
    def lines(self) -> Lines: ...


class Stamps:
    """Ids for originals: they ascend over all that this node stamps, and are about the time in µs."""

    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """The next one."""
        stamp = int(self._clock() * 1_000_000)
        self._last = stamp = stamp if stamp > self._last else self._last + 1
        return stamp


class _Audience:
    """The connections that see one channel in one encoding."""

    __slots__ = ("apart", "batch", "outboxes")

    def __init__(self) -> None:
        self.outboxes: dict[Viewer, Outbox] = {}  # of those who may share what they get
        self.apart: dict[Viewer, Outbox] = {}  # of originals that see several channels
        self.batch: Batch | None = None  # gathers this tick's frames; None when the next frame begins one

    def __len__(self) -> int:
        return len(self.outboxes) + len(self.apart)

    def add(self, frame: bytes) -> None:
        for outbox in list(self.apart.values()):  # who lags leaves
            outbox.put(frame)
        if self.outboxes:
            self._share(frame)

    def drop(self, viewer: Viewer) -> None:
        self.apart.pop(viewer, None)
        if self.outboxes.pop(viewer, None) is not None:
            self.batch = None

    def _share(self, frame: bytes) -> None:
        batch = self.batch
        if batch is None or batch.sealed:
            batch = self.batch = Batch()
            batch.frames.append(frame)
            for outbox in list(self.outboxes.values()):
                outbox.put_batch(batch)
        else:
            batch.frames.append(frame)


class Stage:
    """One channel that somebody here sees, or is about to see."""

    __slots__ = ("_audiences", "_held", "_stamps", "_waiting", "epoch", "number", "topic")

    def __init__(self, topic: str, stamps: Stamps) -> None:
        self.topic = topic
        self.epoch = ""  # which life of the channel this is; "" before anybody knows
        self.number = 0  # of the latest event that was shown, or known to who saw it first; meaningful then
        self._stamps = stamps
        self._audiences = _Audience(), _Audience(), _Audience()  # in the order of `Lines`
        # Who knows more of the channel already than was shown here: up to which number.
        self._waiting: dict[Viewer, int] = {}
        # What has come while a gap before it is read; None when there is none.
        self._held: list[Happened] | None = None

    # --- who sees it ------------------------------------------------------------------------------

    def reached(self, epoch: str) -> int:
        """Up to where this life of the channel was shown; 0 if nothing of it was. "" is any."""
        return self.number if epoch in ("", self.epoch) else 0

    def see(self, viewer: Viewer, epoch: str, after: int) -> None:
        """Show this life of the channel from the event behind `after` on, which is not below what was
        reached."""
        self._begin(epoch, after)
        self._enter(viewer, after, apart=False)

    def see_apart(self, viewer: Viewer, epoch: str, after: int) -> None:
        """The same, frame by frame."""
        self._begin(epoch, after)
        self._enter(viewer, after, apart=True)

    def unsee(self, viewer: Viewer) -> None:
        """Show it no longer."""
        self._waiting.pop(viewer, None)
        for audience in self._audiences:
            audience.drop(viewer)

    def _enter(self, viewer: Viewer, after: int, *, apart: bool) -> None:
        self.unsee(viewer)
        audience = self._audiences[viewer.lines]
        if apart:
            audience.apart[viewer] = viewer.outbox
        else:
            audience.outboxes[viewer] = viewer.outbox
            audience.batch = None
        if after > self.number:
            self._waiting[viewer] = after

    def viewers(self) -> Iterator[Viewer]:
        """Who sees it."""
        for audience in self._audiences:
            yield from [*audience.outboxes, *audience.apart]

    # --- what happens -----------------------------------------------------------------------------

    def hear(self, happened: Happened) -> int | None:
        """Show an event to all, once and in its order; to how many, or None if a gap has to be read first.

        Until `filled` what comes is held back then.
        """
        if self._held is not None:
            self._held.append(happened)
            return 0
        if happened.epoch != self.epoch:
            self._begin(happened.epoch, 0 if self.epoch else happened.number - 1)
        following = self.number + 1
        if happened.number == following:
            return self.show(happened)
        if happened.number < following:
            return 0
        self._held = [happened]
        return None

    def show(self, happened: Happened) -> int:
        """Show an event to all that are to see it; to how many."""
        self.epoch, self.number = happened.epoch, happened.number  # first: who lags now has got this one
        if self._waiting:
            return self._show_some(happened)
        ours, web, python = self._audiences
        shown = 0
        if ours.outboxes:  # nobody of ours is apart
            shown = len(ours.outboxes)
            ours.add(event_frame(happened, Lines.NUMBERED, 0))
        if web or python:
            shown += self._show_originals(happened, web, python)
        return shown

    def _show_originals(self, happened: Happened, web: _Audience, python: _Audience) -> int:
        stamp = self._stamps.next()
        shown = len(web) + len(python)
        if web:
            web.add(event_frame(happened, Lines.STAMPED_V3, stamp))
        if python:
            python.add(event_frame(happened, Lines.STAMPED_V2, stamp))
        return shown

    def hold(self) -> bool:
        """Hold back what comes until `filled`, as something is missing before it; False if it is held back
        already."""
        if self._held is not None:
            return False
        self._held = []
        return True

    def filled(self) -> list[Happened]:
        """A gap was read and shown; what is to be heard next."""
        held, self._held = self._held, None
        return held or []

    def _begin(self, epoch: str, number: int) -> None:
        """This life of the channel is shown from behind a number on, if another was until now.

        Who saw that one is not in this one: the channel died, or was lost with all its members.
        """
        if epoch and epoch != self.epoch:
            if self.epoch:
                for viewer in list(self.viewers()):
                    self.unsee(viewer)
            self.epoch, self.number = epoch, number
            self._waiting.clear()

    def _show_some(self, happened: Happened) -> int:
        """Show an event, but not to those who know it."""
        knowing = {viewer: after for viewer, after in self._waiting.items() if after >= happened.number}
        self._waiting = {}
        kept = [(viewer, self._is_apart(viewer)) for viewer in knowing]
        for viewer, _ in kept:
            for audience in self._audiences:
                audience.drop(viewer)
        shown = self.show(happened)
        for viewer, apart in kept:
            self._enter(viewer, knowing[viewer], apart=apart)
        return shown

    def _is_apart(self, viewer: Viewer) -> bool:
        return any(viewer in audience.apart for audience in self._audiences)


def event_frame(happened: Happened, lines: Lines, stamp: int) -> bytes:
    """A channel event as a WebSocket frame; `stamp` is its id for originals.

    Its MSGID is unique over channels and inboxes, and the same whenever it is told (PROTOCOL §6, §7).
    """
    _, channel, epoch, number, _, event = happened
    match event.kind:
        case kinds.MESSAGE:
            content = message_content(channel, event.account, event.text)
        case kinds.ATTRIBUTE:
            content = attribute_content(channel, event.account, event.name, event.value, event.change)
        case _:
            content = member_content(channel, event.account)
    if lines is Lines.STAMPED_V2:
        line = line_v2(event.account, channel, event.kind, event.time, content)
    else:
        line = line_v3(f"{epoch}-{number}", event.account, channel, event.kind, event.time, content)
    return frame_text(channel_event(channel, number if lines is Lines.NUMBERED else stamp, line))
