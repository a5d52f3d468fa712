"""A connection that is no WebSocket (yet): one request head after the other, answers over HTTP.

It knows heads, refusals, and when a connection becomes a `Socket` or ends. It refuses to know what is
answered to a request: that is for `Pages`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol, cast

from signalpost.gateway.addresses import Networks, client_address
from signalpost.gateway.answers import answer_head, ends_connection
from signalpost.gateway.guests import Guest
from signalpost.gateway.http import Pages, Place
from signalpost.gateway.secure_port import Handshake
from signalpost.gateway.settings import Counts
from signalpost.gateway.sockets import end_sending
from signalpost.gateway.websocket import (
    HEAD_END,
    HEAD_LIMIT,
    HandshakeRefused,
    RequestHead,
    asks_websocket,
    begins_head,
    check_handshake,
    read_head,
    refusal_answer,
)

__all__ = ["BUSY", "Doorway", "Hall", "peer_of"]

BUSY: Final = "too many connections from this address"
_READ_MOST: Final = 60.0  # seconds that a peer may take for one answer, as long as it reads
_EMPTY_MOST: Final = 64  # bytes of empty lines at once in front of a request
_THROWN_MOST: Final = 256 * 1024  # bytes that are taken and thrown away behind the last answer


class Hall(Protocol):
    """What a doorway asks of the listener, into which it leads."""

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        ...

    @property
    def trusted(self) -> Networks:
        """The addresses of proxies, which say whose connection it is."""
        ...

    @property
    def pages(self) -> Pages:
        """What is answered to ordinary HTTP."""
        ...

    @property
    def draining(self) -> bool:
        """Whether no WebSocket is taken any more."""
        ...

    def now(self) -> float:
        """Loop time."""
        ...

    def may_connect(self, peer: str) -> bool:
        """Count a connection of an address, unless it has had all that it may have in this second."""
        ...

    def shook_hands(self, handshake: Handshake) -> None:
        """TLS has shaken hands; `entered` follows."""
        ...

    def entered(self, doorway: Doorway, address: str) -> None:
        """A connection can say what it wants; its address is "" as long as that is not known."""
        ...

    def counted(self, guest: Guest, address: str) -> None:
        """The address of a connection is known."""
        ...

    def waits(self, doorway: Doorway) -> None:
        """Its time runs anew."""
        ...

    def upgrade(
        self,
        doorway: Doorway,
        transport: asyncio.Transport,
        *,
        peer: str,
        secure: bool,
        key: str,
        rest: bytes,
    ) -> None:
        """Grant a handshake; `rest` came directly behind its head."""
        ...

    def left(self, doorway: Doorway) -> None:
        """It is gone, or something else now."""
        ...


class Doorway(asyncio.Protocol):
    """A connection until it is a WebSocket or over.

    Many fields: one object a connection, as there may be ten thousands.
    """

    __slots__ = (
        "_answered",
        "_ended",
        "_full",
        "_hall",
        "_handshake",
        "_head",
        "_limited",
        "_peer",
        "_thrown",
        "_transport",
        "_turn_comes",
        "_unread",
        "since",
    )

    def __init__(self, hall: Hall, *, handshake: Handshake | None = None) -> None:
        self._hall: Final = hall
        # TLS's, which is over when something comes; None without TLS.
        self._handshake: Final = handshake
        # What came and is not dealt with: a head that is not whole, or heads that wait for their turn.
        self._head = bytearray()
        # Its address has used up its connections: the first bytes are answered with 429.
        self._limited = False
        # It got its last answer: what still comes is thrown away.
        self._ended = False
        # How much that was, in bytes.
        self._thrown = 0
        # The peer does not read its answers, and gets no more.
        self._full = False
        # The next head in `_head` is going to be looked at.
        self._turn_comes = False
        # When the latest answer was written; None before the first.
        self._answered: float | None = None
        # How much of it had not been read when that was last looked at, in bytes.
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        hall = self._hall
        self._transport = cast("asyncio.Transport", transport)
        # The address that TCP shows.
        self._peer = peer_of(transport) if self._handshake is None else self._handshake.peer
        # Loop time when it came, or when its latest answer was written.
        self.since = hall.now()
        # Behind a proxy the address is known only when the head is.
        proxied = self._peer in hall.trusted
        if self._handshake is not None:
            self._limited = self._handshake.limited
            hall.shook_hands(self._handshake)
        else:
            self._limited = not proxied and not hall.may_connect(self._peer)
        hall.entered(self, "" if proxied else self._peer)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            self._throw_away(len(data))
            return
        searched = max(len(self._head) - 3, 0)
        self._head += data
        if not self._turn_comes and not self._full:
            self._look(searched)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._flow()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._hall.left(self)

    # for the listener

    def is_read(self) -> bool:
        """Whether the peer is reading an answer, though slowly."""
        unread, self._unread = self._unread, self._transport.get_write_buffer_size()
        slow = self._answered is not None and self._hall.now() - self._answered < _READ_MOST
        return slow and 0 < self._unread < unread

    def give_way(self) -> None:
        """Its time is up, or there are too many connections without a login (SPEC L16)."""
        self._transport.abort()

    # inside

    def _look(self, searched: int) -> None:
        """See what the bytes that came are; those before `searched` hold no end of a head."""
        if self._limited:
            self._refuse_busy()
            return
        if self._head.startswith((b"\r", b"\n")):
            # Empty lines in front of a request mean nothing (RFC 9112 §2.2). Many at once are no request: to
            # look through all that comes, as fast as it comes, would take the others' time (SPEC E5).
            begin = self._head[:_EMPTY_MOST]
            del self._head[: len(begin) - len(begin.lstrip(b"\r\n"))]
            searched = 0
        head = self._head
        end = head.find(HEAD_END, searched)
        if end > HEAD_LIMIT or (end < 0 and len(head) > HEAD_LIMIT):
            self._refuse(431, f"a request head is at most {HEAD_LIMIT} bytes")
        elif end >= 0:
            found = head[:end]
            del head[: end + len(HEAD_END)]
            self._judge(found)
        elif head and not begins_head(head):
            self._refuse(400, "this is no HTTP/1.1 request")

    def _judge(self, head: bytearray) -> None:
        """A head is whole: a WebSocket, ordinary HTTP, or neither."""
        hall = self._hall
        request = read_head(head)
        if request is None:
            self._refuse(400, "this is no HTTP/1.1 request")
            return
        if request.version[0] != 1:
            self._refuse(505, "HTTP/1.1 is spoken here")
            return
        peer = self._client(request)
        if not peer:
            self._refuse_busy()
        elif not asks_websocket(request.headers):
            self._answer(request)
        else:
            try:
                if hall.draining:
                    raise HandshakeRefused(503, "the server restarts")
                key = check_handshake(request.method, request.version, request.headers)
            except HandshakeRefused as refused:
                hall.counts.bad_handshakes += 1
                self._refuse(refused.status, refused.reason, refused.headers)
                return
            rest = bytes(self._head)
            hall.upgrade(
                self, self._transport, peer=peer, secure=self._handshake is not None, key=key, rest=rest
            )

    def _client(self, request: RequestHead) -> str:
        """Whose request it is; "" if it is one too many in this second: each counts like a connection."""
        hall, peer = self._hall, self._peer
        proxied = peer in hall.trusted
        if proxied:
            peer = client_address(peer, request.headers.get("x-forwarded-for", ""), hall.trusted)
        if (proxied or self._answered is not None) and not hall.may_connect(peer):
            return ""
        if proxied:
            hall.counted(self, peer)
        return peer

    def _answer(self, request: RequestHead) -> None:
        """Ordinary HTTP. A body is never wanted: it is not read, and the connection ends without it."""
        hall = self._hall
        hall.counts.http += self._answered is None
        address = self._transport.get_extra_info("sockname")
        answer = hall.pages.answer(
            request, Place(str(address[0]) if address else "", self._handshake is not None)
        )
        last = ends_connection(request)
        self._transport.write(answer_head(answer, last=last))
        if request.method != "HEAD" and answer.body:
            self._transport.write(answer.body)
        self._said(last=last)
        self._flow()

    def _said(self, *, last: bool) -> None:
        """An answer is written; unless it is the `last` another request may follow."""
        self._answered = self.since = self._hall.now()
        self._unread = self._transport.get_write_buffer_size()
        self._hall.waits(self)
        if last:
            self._ended = True
            self._head.clear()
            end_sending(self._transport)

    def _throw_away(self, size: int) -> None:
        """A body, mostly. It comes as fast as it can: what is more than a peer sends before it reads its
        answer stays with the peer, until the time is up (SPEC E5)."""
        self._thrown += size
        if self._thrown > _THROWN_MOST and not self._transport.is_closing():
            self._transport.pause_reading()

    def _flow(self) -> None:
        """Read from the peer or not: not while it does not read its answers, nor while something waits for
        its turn. One request is answered before it is the others' turn (SPEC E5)."""
        if self._ended or self._transport.is_closing():
            return
        if not self._head and not self._full:
            self._transport.resume_reading()
            return
        self._transport.pause_reading()
        if not self._full and not self._turn_comes:
            self._turn_comes = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn_comes = False
        if self._ended or self._full or self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._look(0)

    def _refuse_busy(self) -> None:
        self._hall.counts.refused += 1
        self._refuse(429, BUSY, {"Retry-After": "1"})

    def _refuse(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        self._transport.write(refusal_answer(status, reason, headers))
        self._said(last=True)


def peer_of(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""
