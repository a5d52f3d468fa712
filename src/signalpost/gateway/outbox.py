"""What waits to be written: per connection a bounded outbox, and one joined write per loop tick.

It knows frames as bytes, order, and how much may wait. It refuses to know what is in a frame and who
the peer is. A write costs the kernel 4 µs however short it is, so joining the frames of a tick is what
makes fan-out fast under load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeAlias

import structlog

__all__ = ["DEFAULT_CAP", "LARGE", "Batch", "Flusher", "Outbox", "Source"]

DEFAULT_CAP: Final = 4 * 1024 * 1024
"""How many bytes may wait for a peer that does not read."""

DEFAULT_MARK: Final = 256 * 1024
"""How many bytes may wait before the peer is no longer read from."""

LARGE: Final = 64 * 1024
"""How many bytes a frame may have before it is a large one, and how many a page of bulk has."""

Frame: TypeAlias = bytes
"""An encoded WebSocket frame, or several."""

log = structlog.get_logger("signalpost.outbox")


class Batch:
    """Frames for many outboxes, joined once for all of them.

    It stands in an outbox at the place where it was put, and may grow until the end of the tick, when
    the flusher seals it: appending then comes too late.
    """

    __slots__ = ("frames", "joined", "sealed")

    def __init__(self) -> None:
        # What is to be sent, in order; whoever made the batch appends while it is not sealed.
        self.frames: list[Frame] = []
        # True from the end of the tick in which it was put.
        self.sealed = False
        # The frames as one, from the moment of sealing.
        self.joined: Frame = b""

    def bytes(self) -> Frame:
        """All frames joined; seals the batch."""
        if not self.sealed:
            self.sealed = True
            frames = self.frames
            self.joined = frames[0] if len(frames) == 1 else b"".join(frames)
        return self.joined


class Source(Protocol):
    """Whoever reads what makes an outbox grow."""

    def flow(self) -> None:
        """The outbox's `congested` has changed: read on, or no more."""
        ...

    def lag(self) -> bool:
        """More waits than should: put no more of what can be told later. False if nothing such is put."""
        ...


class _Nobody:
    """Who reads once the connection is over: so that a connection that ends leaves no cycle behind."""

    def flow(self) -> None:
        """See `Source.flow`."""

    def lag(self) -> bool:
        """See `Source.lag`."""
        return False


_NOBODY: Final = _Nobody()


class Outbox:
    """What one connection is still to be sent, in the order in which it was put.

    When more than the flusher's mark waits, in this tick or in the transport, it is `congested`, and the
    source is told to read no more from a peer that asks faster than it reads. When more than half of the
    cap waits all the same, the source is told to lag, and what waits then counts no more. When more than
    the cap waits, the connection is aborted: it must not fill our memory. A large frame does not count
    against what follows it, but congests the outbox until the peer has read it. After `finish` and `discard`
    whatever is put vanishes.

    Many fields: one object a connection, as there may be ten thousands.
    """

    __slots__ = (
        "_allowance",
        "_backed_up",
        "_crowded",
        "_finished",
        "_flusher",
        "_held",
        "_left",
        "_parts",
        "_room",
        "_source",
        "_then",
        "_transport",
        "_watched",
        "congested",
    )

    def __init__(self, transport: asyncio.Transport, flusher: Flusher, source: Source) -> None:
        self._flusher = flusher
        # Who is told of congestion; nobody once the connection is over.
        self._source = source
        # Where it goes; None once the connection is over.
        self._transport: asyncio.Transport | None = transport
        # What was put in this tick; None when nothing was (an idle connection owns no list).
        self._parts: list[Frame | Batch] | None = None
        # How many bytes may still be put in this tick before a closer look; negative: look now.
        self._room = flusher.mark
        # More than the mark was put in this tick.
        self._crowded = False
        # Between the transport's pause_writing and resume_writing.
        self._backed_up = False
        # Either of the two: the peer's requests are better left unread.
        self.congested = False
        # The last frame has been put.
        self._finished = False
        # What to call once it is with the transport; None if nothing is to be called, or no more.
        self._then: Callable[[], None] | None = None
        # Congested or finishing: the next flush must look closer.
        self._watched = False
        # Bytes of large frames, and of what waited when the source began to lag, which may wait beside what
        # the cap allows; 0 when nothing is congested.
        self._allowance = 0
        # How many bytes the transport had after the latest look at it; meaningful while it is backed up.
        self._held = 0
        # How many bytes it took with it at its end; meaningful then.
        self._left = 0

    def put(self, frame: Frame) -> None:
        """Queue one encoded frame."""
        room = self._room
        if room < 0:
            if not self._make_room():
                return
            room = self._room
        self._room = room - len(frame)
        parts = self._parts
        if parts is not None:
            parts.append(frame)
            return
        self._parts = [frame]
        dirty = self._flusher.dirty
        if not dirty:
            self._flusher.wake()
        dirty.append(self)

    def put_large(self, frame: Frame) -> None:
        """Queue one large frame. Nobody should put another before the outbox is relieved."""
        if self._room < 0 and not self._make_room():
            return
        room = self._room
        self.put(frame)
        self._room = room
        self._allowance += len(frame)
        if not self._crowded:
            self._crowd()

    def put_any(self, frame: Frame) -> None:
        """Queue one frame, which may be a large one."""
        if len(frame) > self._flusher.page:
            self.put_large(frame)
        else:
            self.put(frame)

    def put_batch(self, batch: Batch) -> None:
        """Queue a shared batch, which may go on growing in this tick; it is counted when it is written."""
        if self._room < 0 and not self._make_room():
            return
        parts = self._parts
        if parts is not None:
            parts.append(batch)
            return
        self._parts = [batch]
        dirty = self._flusher.dirty
        if not dirty:
            self._flusher.wake()
        dirty.append(self)

    def seal(self) -> None:
        """Let what is put next stay behind all that happens after it: batches that wait here grow no more."""
        for part in reversed(self._parts or ()):
            if isinstance(part, Batch):
                part.bytes()
                return

    def finish(self, frame: Frame) -> None:
        """Queue the last frame."""
        if self._transport is None or self._finished:
            return
        if self._room < 0:
            self._room = 0
        self.put(frame)
        self._room = -1
        self._finished = self._watched = True

    def when_finished(self, then: Callable[[], None]) -> None:
        """Call `then` once the last frame is with the transport; never, if the connection is lost before."""
        if self._transport is None:
            return
        if self._finished and self._parts is None:
            then()
        else:
            self._then = then

    def discard(self) -> None:
        """Forget the transport and all that waits; the connection is over."""
        if self._transport is not None:
            self._left = self.unsent
        self._transport = None
        self._source = _NOBODY
        self._room = -1
        self._then = None

    @property
    def unsent(self) -> int:
        """How many bytes wait, or waited at the end of the connection; as much as the transport tells."""
        if self._transport is None:
            return self._left
        return (self._held if self._backed_up else 0) + _size(self._parts or ())

    def give_up(self) -> None:
        """Abort the connection: its peer reads too slowly."""
        if self._transport is not None:
            self._overrun(self._transport)

    @property
    def page(self) -> int:
        """How many bytes are a large frame here, and as many as may be put at once when it is relieved."""
        return self._flusher.page

    @property
    def relieved(self) -> bool:
        """Whether a page more may be put."""
        return not self.congested and self._room >= 0

    def congest(self) -> None:
        """The transport holds more than its high-water mark."""
        self._backed_up = self.congested = self._watched = True
        if self._transport is not None:
            self._held = self._transport.get_write_buffer_size()
            self._judge()

    def relieve(self) -> None:
        """The transport is below its low-water mark again."""
        self._backed_up = False
        self.congested = self._crowded
        self._watched = self._crowded or self._finished
        if not self._crowded:
            self._allowance = 0

    def _make_room(self) -> bool:
        """Whether a frame may be put though `_room` is used up."""
        transport = self._transport
        if transport is None or self._finished:
            return False
        if not self._crowded:
            self._crowd()
            if self._room >= 0:
                return True
        if self._source.lag():
            self._room += self._flusher.cap
            self._allowance += self._flusher.cap
            return True
        self._overrun(transport)
        return False

    def _crowd(self) -> None:
        """Read no more from the peer; what is put in this tick all the same has room up to the cap."""
        self._crowded = self.congested = self._watched = True
        self._room += self._flusher.cap - self._flusher.mark
        self._source.flow()

    def _judge(self) -> None:
        """Let the source lag if much waits in the transport."""
        if self._held - self._allowance > self._flusher.cap // 2 and self._source.lag():
            self._allowance = self._held

    def _overrun(self, transport: asyncio.Transport) -> None:
        self.discard()
        transport.abort()
        self._flusher.overrun(transport)

    def _write_watched(self, transport: asyncio.Transport, data: Frame) -> None:
        if self._backed_up and transport.get_write_buffer_size() - self._allowance > self._flusher.cap:
            self._held = transport.get_write_buffer_size() + len(data)
            self._overrun(transport)
            return
        transport.write(data)
        self._held = transport.get_write_buffer_size()
        if self._backed_up:
            self._judge()
        if self._finished:
            self._room = -1
            then, self._then = self._then, None
            if then is not None:
                then()
        elif self._crowded:
            self._crowded = False
            self.congested = self._watched = self._backed_up
            if not self._backed_up:
                self._allowance = 0
            self._source.flow()


class Flusher:
    """Writes, at the end of each loop tick, what the outboxes of one loop got in it."""

    __slots__ = ("_batches", "_loop", "_woken", "cap", "dirty", "mark", "overrun", "page")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        cap: int = DEFAULT_CAP,
        mark: int = DEFAULT_MARK,
        overrun: Callable[[asyncio.Transport], None] | None = None,
    ) -> None:
        self._loop = loop
        # The outboxes that have something to write, each once; they enter themselves. Empty between ticks.
        self.dirty: list[Outbox] = []
        # The batches of this tick, to be sealed at its end though nobody may hold them; empty between ticks.
        self._batches: list[Batch] = []
        # Whether the flush of this tick is scheduled.
        self._woken = False
        # How many bytes may wait in one outbox and its transport.
        self.cap: Final = cap
        # How many bytes may be put into an outbox in a tick before it is congested.
        self.mark: Final = min(mark, cap)
        # How many bytes are put at once of what is written in bulk.
        self.page: Final = min(LARGE, cap // 4)
        # Told of a connection that was just aborted because its peer reads too slowly.
        self.overrun: Final = overrun or _nothing

    def batch(self) -> Batch:
        """A batch that is sealed at the end of this tick, even if no outbox takes it."""
        batch = Batch()
        self.wake()
        self._batches.append(batch)
        return batch

    def wake(self) -> None:
        """Flush at the end of this tick; called by the first outbox that becomes dirty."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._woken = False
        dirty, self.dirty = self.dirty, []
        batches, self._batches = self._batches, []
        for batch in batches:
            batch.bytes()
        mark = self.mark
        for outbox in dirty:
            parts = outbox._parts
            outbox._parts = None
            assert parts is not None, "a dirty outbox has parts"
            if len(parts) > 1:
                data = _join(parts)
            elif isinstance(part := parts[0], bytes):
                data = part
            else:
                data = part.joined if part.sealed else part.bytes()  # a step less: this happens once a member
            transport = outbox._transport
            if transport is None:
                continue
            outbox._room = mark
            try:
                if outbox._watched:
                    outbox._write_watched(transport, data)
                else:
                    transport.write(data)
            except Exception as error:  # one broken transport must not cost the others their frames
                log.warning("write failed", error=repr(error))
                outbox.discard()
                transport.abort()


def _join(parts: list[Any]) -> Frame:
    """Frames and batches as one; the usual ones are frames only."""
    try:
        return b"".join(parts)
    except TypeError:
        return b"".join([part if isinstance(part, bytes) else part.bytes() for part in parts])


def _size(parts: Iterable[Frame | Batch]) -> int:
    return sum(
        len(part) if isinstance(part, bytes) else sum(len(frame) for frame in part.frames) for part in parts
    )


def _nothing(*_: object) -> None:
    pass
