"""A connection whose request head is being read, until it is known what it becomes.

It knows heads, refusals over HTTP and where to hand a transport on. It refuses to know what happens
behind the door: that is a `Socket`, or aiohttp.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from signalpost.gateway.addresses import client_address
from signalpost.gateway.sockets import end_sending
from signalpost.gateway.websocket import (
    HEAD_END,
    HEAD_LIMIT,
    HandshakeRefused,
    asks_websocket,
    begins_head,
    check_handshake,
    read_head,
    refusal_answer,
)

if TYPE_CHECKING:
    from signalpost.gateway.listener import Listener

__all__ = ["BUSY", "Doorway", "peer_of"]

BUSY: Final = "too many connections from this address"


class Doorway(asyncio.Protocol):
    """A connection whose request head is being read."""

    __slots__ = ("_head", "_limited", "_listener", "_peer", "_refused", "_secure", "_transport", "since")

    def __init__(self, listener: Listener, *, secure: bool) -> None:
        self._listener: Final = listener
        self._secure: Final = secure
        # The head so far; None until a chunk comes that does not hold it whole.
        self._head: bytearray | None = None
        # Its address has used up its connections: the first bytes are answered with 429.
        self._limited = False
        # It got its refusal: what still comes is thrown away.
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = self._listener
        self._transport = cast("asyncio.Transport", transport)
        # The address that TCP shows.
        self._peer = peer_of(transport)
        # Loop time when it came.
        self.since = listener.now()
        listener.entered(self)
        # Behind a proxy the address is known only when the head is.
        if self._peer not in listener.trusted:
            self._limited = not listener.may_connect(self._peer)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._limited:
            self._refuse_busy()
            return
        searched = 0
        head: bytes | bytearray = data
        if self._head is not None:
            searched = max(len(self._head) - 3, 0)
            self._head += data
            head = self._head
        end = head.find(HEAD_END, searched)
        if end > HEAD_LIMIT or (end < 0 and len(head) > HEAD_LIMIT):
            self._refuse(431, f"a request head is at most {HEAD_LIMIT} bytes")
        elif end >= 0:
            self._judge(bytes(head), end)
        elif not begins_head(head):
            self._hand_over(bytes(head))
        elif self._head is None:
            self._head = bytearray(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.left(self)

    def expire(self) -> None:
        """Its time is up."""
        self._transport.abort()

    def _judge(self, data: bytes, end: int) -> None:
        """The head is whole: a WebSocket, ordinary HTTP, or neither."""
        listener = self._listener
        request = read_head(data[:end])
        if request is None:
            self._hand_over(data)
            return
        peer = self._peer
        if peer in listener.trusted:
            peer = client_address(peer, request.headers.get("x-forwarded-for", ""), listener.trusted)
            if not listener.may_connect(peer):
                self._refuse_busy()
                return
        if not asks_websocket(request.headers):
            self._hand_over(data)
            return
        try:
            key = check_handshake(request.method, request.version, request.headers)
        except HandshakeRefused as refused:
            listener.counts.bad_handshakes += 1
            self._refuse(refused.status, refused.reason, refused.headers)
            return
        listener.left(self)
        rest = data[end + len(HEAD_END) :]
        listener.upgrade(self._transport, peer=peer, secure=self._secure, key=key, rest=rest)

    def _hand_over(self, data: bytes) -> None:
        """Ordinary HTTP, or what our head parser cannot read: aiohttp's from here on."""
        listener = self._listener
        listener.left(self)
        listener.counts.http += 1
        protocol = listener.http_protocol()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _refuse_busy(self) -> None:
        self._listener.counts.refused += 1
        self._refuse(429, BUSY, {"Retry-After": "1"})

    def _refuse(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        self._refused = True
        self._head = None
        self._transport.write(refusal_answer(status, reason, headers))
        end_sending(self._transport)


def peer_of(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else ""
