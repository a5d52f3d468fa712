"""A WebSocket connection after its handshake: messages in and out, and how it ends.

It knows its transport, its reader and its outbox, and the close handshake. It refuses to know what a
message means, and how the connection came to be; the listener sweeps it for time-outs.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from collections.abc import Callable
from enum import IntEnum
from math import inf
from typing import Final, Protocol, TypeAlias

from signalpost.gateway.guests import Guest
from signalpost.gateway.outbox import LARGE, Flusher, Outbox
from signalpost.gateway.settings import Counts, ListenerSettings
from signalpost.gateway.websocket import (
    FrameReader,
    Kind,
    ProtocolError,
    Received,
    close_code,
    frame_close,
    frame_ping,
    frame_pong,
    frame_text,
)

__all__ = ["Accept", "Handler", "Keeper", "Socket", "end_sending"]


class Keeper(Protocol):
    """What a WebSocket asks of the listener."""

    @property
    def settings(self) -> ListenerSettings:
        """The bounds of the edge."""
        ...

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        ...

    @property
    def flusher(self) -> Flusher:
        """What flushes outboxes once a tick."""
        ...

    def now(self) -> float:
        """Loop time."""
        ...

    def known(self, guest: Guest) -> None:
        """A connection has a login."""
        ...

    def counted(self, guest: Guest, address: str) -> None:
        """It has no login any more; its address."""
        ...

    def closing(self, connection: Socket) -> None:
        """A close has begun, and must come to an end."""
        ...

    def ended(self, connection: Socket) -> None:
        """Its transport is gone."""
        ...


class Handler(Protocol):
    """What a WebSocket's messages are for."""

    def text(self, data: bytes) -> None:
        """One whole text message: valid UTF-8, at most `max_message` bytes."""
        ...

    def part(self, code: int, reason: str) -> None:
        """Close the WebSocket, behind the answers to all that came; nothing more will come."""
        ...

    def relieved(self) -> None:
        """The peer has read most of what was sent; also called when nothing was in the way."""
        ...

    def lag(self) -> bool:
        """The peer reads too slowly: send no more of what can be told later. False if there is no such."""
        ...

    def closing(self) -> None:
        """A close begins: nothing that is sent from now on goes out."""
        ...

    def lost(self, silence: float, unread: int) -> None:
        """The connection is over; called exactly once.

        `silence`: for how many seconds nothing that was sent can be taken to have arrived. `unread`: how
        many bytes of what was sent last have not arrived.
        """
        ...


Accept: TypeAlias = Callable[["Socket"], Handler]
"""Makes the handler of a new WebSocket, which may already send."""


class _State(IntEnum):
    """Where a WebSocket is in its life; it only moves forward.

    OPEN     → CLOSING (we closed first), ENDING (the peer closed first, or broke the protocol), LOST
    CLOSING  → ENDING (the peer has answered), LOST
    ENDING   → LOST
    """

    OPEN = 0
    CLOSING = 1  # our close frame is sent; the peer's is awaited
    ENDING = 2  # both are done with frames; whatever still comes is ignored, and TCP is being closed
    LOST = 3  # the transport is gone


_OPEN: Final = _State.OPEN
_TEXT: Final = Kind.TEXT
_TURN: Final = 64  # messages of one connection that are taken before it is the others' turn (SPEC E5)


class Socket(asyncio.Protocol):
    """A WebSocket connection after its handshake.

    Many fields: one object a connection, as there may be ten thousands.
    """

    __slots__ = (
        "_fault",
        "_handler",
        "_held",
        "_keeper",
        "_reader",
        "_state",
        "_transport",
        "_turn_comes",
        "_waiting",
        "guest_since",
        "heard",
        "outbox",
        "peer",
        "pinged",
        "secure",
    )

    def __init__(
        self, keeper: Keeper, transport: asyncio.Transport, *, peer: str, secure: bool, now: float
    ) -> None:
        self._keeper: Final = keeper
        self._transport: Final = transport
        self._reader: Final = FrameReader(keeper.settings.max_message)
        self.outbox: Final = Outbox(transport, keeper.flusher, self)
        # The client's address, after trusted proxies.
        self.peer: Final = peer
        # Whether it came over TLS.
        self.secure: Final = secure
        # Loop time when the last bytes arrived.
        self.heard = now
        # Loop time since when it has no login; `inf` while it has one.
        self.guest_since = now
        # Loop time of the last ping; the sweep's.
        self.pinged = now
        self._state = _OPEN
        # Gets the messages; None until `open`.
        self._handler: Handler | None = None
        # The layer above has enough for now, between `hold` and `go_on`.
        self._held = False
        # What was read and is taken when the outbox is no longer congested, or in the connection's next turn.
        self._waiting: list[Received] | None = None
        # That turn is scheduled.
        self._turn_comes = False
        # The peer broke the protocol; it is told when what came before is taken.
        self._fault: ProtocolError | None = None

    # for the layer above

    def send(self, payload: bytes) -> None:
        """Send one text message at the end of this tick; nothing once a close has begun.

        A large one ends the peer's turn: `relieved` tells when it has been read.
        """
        self.outbox.put_any(frame_text(payload))

    def close(self, code: int, reason: str = "") -> None:
        """Begin the close handshake, behind what is queued.

        TCP ends when the peer answers, or after a time-out.
        """
        if self._state is not _OPEN:
            return
        self._state = _State.CLOSING
        self._finish(frame_close(code, reason))
        waiting, self._waiting = self._waiting, None
        self._take(waiting or [])
        self.flow()

    def hold(self) -> None:
        """Read nothing more from the peer until `go_on`; the rest of this turn still comes."""
        self._held = True
        self.flow()

    def go_on(self) -> None:
        """Read from the peer again, unless it does not read from us."""
        self._held = False
        self.flow()

    def part(self, code: int, reason: str) -> None:
        """Read nothing more, and close when what was read is answered."""
        self.hold()
        if self._handler is not None:
            self._handler.part(code, reason)

    def abort(self) -> None:
        """End the connection at once, without a close frame."""
        self._transport.abort()

    def be_known(self) -> None:
        """There is a login now: the connection need not give way (SPEC L16)."""
        self.guest_since = inf
        self._keeper.known(self)

    def be_guest(self) -> None:
        """There is no login any more."""
        if self._state is not _State.LOST:
            self.guest_since = self._keeper.now()
            self._keeper.counted(self, self.peer)

    def undelivered(self) -> tuple[float, int]:
        """For how many seconds nothing that was sent can be taken to have arrived, and how many bytes of what
        was sent last have not."""
        return self._silence(), self._unread()

    @property
    def is_open(self) -> bool:
        """Whether messages can still come and go."""
        return self._state is _OPEN

    # for the listener

    def give_way(self) -> None:
        """There are too many connections without a login (SPEC L16)."""
        self._transport.abort()

    def open(self, accept: Accept) -> None:
        """Begin; called once, when the handshake's answer has been written."""
        self._handler = accept(self)

    def ping(self, now: float) -> None:
        """Ask a silent peer for a sign of life."""
        self.pinged = now
        self.outbox.put(_PING)

    # for the outbox

    def flow(self) -> None:
        """Read from the peer or not: not while it does not read what it asked for, while we are held, or
        while something waits for its turn.

        Its part of a close is always read.
        """
        if self._transport.is_closing():
            return
        if not self.outbox.congested and self._handler is not None:
            self._handler.relieved()
        if self._state is not _OPEN:
            self._transport.resume_reading()
        elif self._held or self.outbox.congested:
            self._transport.pause_reading()
        elif self._waiting is not None:
            self._transport.pause_reading()
            if not self._turn_comes:
                self._turn_comes = True
                asyncio.get_running_loop().call_soon(self._catch_up)
        else:
            self._transport.resume_reading()

    def lag(self) -> bool:
        """See `Handler.lag`."""
        return self._handler is not None and self._handler.lag()

    # for the transport

    def data_received(self, data: bytes) -> None:
        self.heard = self._keeper.now()
        if self._state is not _OPEN or self._handler is None:
            self._read_end(data)
            return
        if self._waiting is None:
            text = self._reader.whole_text(data)
            if text is not None:
                self._handler.text(text)
                return
        try:
            received = self._reader.feed(data)
        except ProtocolError as error:
            self._keeper.counts.protocol_errors += 1
            self._fault = error
            received = error.received
        if self._waiting is not None:
            self._waiting += received
        else:
            self._take(received)

    def eof_received(self) -> None:
        """The peer will send no more; returning None closes the transport."""

    def pause_writing(self) -> None:
        self.outbox.congest()
        self.flow()

    def resume_writing(self) -> None:
        self.outbox.relieve()
        # It has read, which is a sign of life, and we could not have heard any other.
        self.heard = self._keeper.now()
        self.flow()

    def connection_lost(self, exc: Exception | None) -> None:
        silence, unread = self.undelivered()
        if isinstance(exc, ConnectionError):
            unread += _READ_AHEAD  # a reset is how a kernel says that its program has left something unread
        self._state = _State.LOST
        self.outbox.discard()
        self._keeper.ended(self)
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.lost(silence, unread)

    # inside

    def _silence(self) -> float:
        """For how long nothing that was sent can be taken to have arrived: 0, if the peer itself has gone.

        A peer that we gave up had not answered since it was heard; one that did not read, neither.
        """
        now = self._keeper.now()
        silent = now - self.heard
        return silent if self.outbox.congested or silent >= self._keeper.settings.dead_after else 0.0

    def _unread(self) -> int:
        """How many bytes the peer's kernel has not confirmed, our close frame left out; if there are any, its
        program may well not have read what it has confirmed."""
        on_its_way = _on_its_way(self._transport)
        if on_its_way >= LARGE and not self.outbox.congested:
            on_its_way += self._keeper.settings.high_water  # the transport had more than the kernel took
        farewell = 0 if self._state is _OPEN else _FAREWELL
        unread = self.outbox.unsent + on_its_way - farewell
        return unread + _READ_AHEAD if unread > 0 else 0

    def _take(self, received: list[Received]) -> None:
        outbox = self.outbox
        for taken, (kind, payload) in enumerate(received):
            if (outbox.congested or taken == _TURN) and self._state is _OPEN:
                self._waiting = received[taken:]
                self.flow()
                return
            if self._state is not _OPEN or self._handler is None:
                self._await_close(kind)
            elif kind is _TEXT:
                self._handler.text(payload)
            elif kind is Kind.PING:
                self.outbox.put(frame_pong(payload))
            elif kind is Kind.CLOSE:
                self._answer_close(payload)
            elif kind is Kind.BINARY:
                self._fail(1003, "binary messages are not taken; send text")
        if self._fault is not None:
            self._fail(self._fault.code, self._fault.reason)

    def _catch_up(self) -> None:
        """Take what waited, and read on if all of it could be taken."""
        self._turn_comes = False
        waiting = self._waiting
        if waiting is None or self._held or self.outbox.congested or self._state is not _OPEN:
            return
        self._waiting = None
        self._take(waiting)
        if self._waiting is None:
            self.flow()

    def _answer_close(self, payload: bytes) -> None:
        """The peer closes first: what is queued, the close frame back, then TCP (RFC 6455 §7.1.1)."""
        self._state = _State.ENDING
        self._finish(frame_close(close_code(payload)))
        self.outbox.when_finished(self._transport.close)

    def _fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455 §7.1.7).

        The close frame must reach a peer that is still sending, so what comes is thrown away until the
        peer has gone.
        """
        if self._state is not _OPEN:
            # No answer to our own close can come any more.
            self._await_close(Kind.CLOSE)
            return
        self._state = _State.ENDING
        self._finish(frame_close(code, reason))
        self.outbox.when_finished(self._end_sending)

    def _finish(self, frame: bytes) -> None:
        self._keeper.closing(self)
        if self._handler is not None:
            self._handler.closing()
        self.outbox.finish(frame)

    def _end_sending(self) -> None:
        end_sending(self._transport)

    def _read_end(self, data: bytes) -> None:
        """After our close frame only the peer's matters."""
        if self._state is not _State.CLOSING:
            return
        try:
            received = self._reader.feed(data)
        except ProtocolError:
            self._await_close(Kind.CLOSE)
            return
        for kind, _ in received:
            self._await_close(kind)

    def _await_close(self, kind: Kind) -> None:
        """The close handshake is done when the peer's close frame comes, or when none can come any more."""
        if kind is Kind.CLOSE and self._state is _State.CLOSING:
            self._state = _State.ENDING
            self.outbox.when_finished(self._transport.close)


_PING: Final = frame_ping()
_FAREWELL: Final = 127  # bytes of a close frame, at most
_READ_AHEAD: Final = 128 * 1024  # bytes that a peer's kernel may have confirmed and its program not read


def _on_its_way(transport: asyncio.Transport) -> int:
    """How many bytes the kernel has that the peer's has not confirmed; 0 if it does not tell."""
    try:
        told = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except (AttributeError, OSError, ValueError):  # no socket, or one that is closed
        return 0
    size: int = struct.unpack("i", told)[0]
    return size


def end_sending(transport: asyncio.Transport) -> None:
    """Close our half only: closing a socket over unread bytes resets it, and the peer loses our last words.

    TLS has no halves; there the transport's own shutdown reads on for a while.
    """
    if transport.can_write_eof():
        transport.write_eof()
    else:
        transport.close()
