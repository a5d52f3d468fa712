"""One WebSocket of a client: RFC 6455 by `websockets` without its I/O, on an asyncio transport.

Frames that are sent within one tick of the loop leave in one write. It refuses to know what is in them.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Protocol, cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.uri import WebSocketURI, parse_uri

__all__ = ["Link", "Owner", "check_url"]

#: The library logs whole frames, tokens and all (SPEC S8). This logger is in no tree: nothing enables it.
_silent = logging.Logger("signalpost.client.frames", logging.CRITICAL + 1)
_MESSAGE_BYTES = 8 * 1024 * 1024  # of one message of the server: a list of all members is the longest


class Owner(Protocol):
    """Whom a link tells what happens to it."""

    def link_opened(self, link: Link) -> None:
        """The handshake is done."""
        ...

    def link_received(self, link: Link, texts: list[bytes | bytearray | memoryview]) -> None:
        """Whole messages came."""
        ...

    def link_lost(self, link: Link, reason: str) -> None:
        """It is gone, or was never there; said once, and not after `close`."""
        ...


def check_url(url: str) -> str:
    """The address as a WebSocket's. ValueError if it is none, with what is allowed."""
    try:
        parts = urlsplit(url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        address = parts._replace(scheme=scheme, path=parts.path or "/").geturl()
        parse_uri(address)
        if not parts.hostname or parts.fragment:
            raise ValueError
    except (InvalidURI, ValueError, AttributeError, TypeError):
        raise ValueError(f"{url!r} is no address: ws://HOST:PORT/ or wss://HOST:PORT/ is allowed") from None
    return address


class Link(asyncio.Protocol):
    """One connection, from `open` to `close` or until it is lost."""

    __slots__ = ("_closed", "_fragments", "_loop", "_owner", "_protocol", "_scheduled", "_task", "_transport")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._protocol: ClientProtocol | None = None  # from `connect` on
        self._transport: asyncio.Transport | None = None  # while connected
        self._task: asyncio.Task[None] | None = None  # opens the connection
        self._fragments = bytearray()  # of a message that is not whole yet
        self._scheduled = False  # a write is going to happen in this tick
        self._closed = False  # the owner wants to hear nothing more, or has heard the last

    # --- the owner's side -----------------------------------------------------------------------

    def open(self, url: str, tls: ssl.SSLContext | None) -> None:
        """Begin to connect; `link_opened` or `link_lost` follows."""
        self._task = self._loop.create_task(self._connect(parse_uri(url), tls))

    def send(self, text: bytes) -> None:
        """Send one message; nothing if the connection is closing."""
        protocol = self._protocol
        if protocol is not None and protocol.state is State.OPEN:
            protocol.send_text(text)
            self._schedule()

    def close(self) -> None:
        """Close in good order; the owner hears nothing more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._protocol is not None and self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
        self._flush()
        if self._transport is not None:
            self._transport.close()

    async def _connect(self, uri: WebSocketURI, tls: ssl.SSLContext | None) -> None:
        self._protocol = ClientProtocol(uri, max_size=_MESSAGE_BYTES, logger=_silent)
        context = (tls or ssl.create_default_context()) if uri.secure else None
        try:
            await self._loop.create_connection(lambda: self, uri.host, uri.port, ssl=context)
        except (OSError, UnicodeError) as error:  # UnicodeError: of a host name that is none
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            self._lose(f"no connection to {uri.host}:{uri.port}: {reason}")
        finally:
            self._task = None

    # --- the transport's side -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: TCP, and TLS if wanted, are there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        if self._closed or self._protocol is None:
            self._transport.abort()
            return
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        protocol = self._protocol
        if protocol is None or self._closed:
            return
        protocol.receive_data(data)
        texts: list[bytes | bytearray | memoryview] = []
        quiet = True  # nothing but whole messages came: the protocol has nothing to say by itself
        for event in protocol.events_received():
            if type(event) is Frame and event.opcode is Opcode.TEXT and event.fin:
                texts.append(event.data)
            else:
                quiet = False
                self._take_other(event, texts)
        if texts:
            self._owner.link_received(self, texts)
        if quiet and protocol.state is State.OPEN:
            return
        self._schedule()
        if protocol.handshake_exc is not None:
            self._lose(f"refused: {protocol.handshake_exc}")
        elif protocol.close_expected() and not self._closed:
            self._lose(self._why_closed(protocol))

    def eof_received(self) -> None:
        """asyncio: the other end sends no more."""
        if self._protocol is not None and not self._closed:
            self._protocol.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the transport is gone."""
        self._transport = None
        self._lose(str(exc) if exc else "closed without a word")

    def _take_other(self, event: Event, texts: list[bytes | bytearray | memoryview]) -> None:
        """The handshake's answer, and pieces of a message; control frames are the protocol's."""
        if isinstance(event, Response):
            assert self._protocol is not None, "an answer comes to a request"
            if self._protocol.handshake_exc is None:
                self._owner.link_opened(self)
        elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CONT):
            self._fragments += event.data
            if event.fin:
                texts.append(self._fragments)
                self._fragments = bytearray()

    @staticmethod
    def _why_closed(protocol: ClientProtocol) -> str:
        if protocol.parser_exc is not None:
            return f"the server sent what is not allowed: {protocol.parser_exc}"
        return f"closed with {protocol.close_code} {protocol.close_reason or ''}".rstrip()

    def _lose(self, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        self._flush()
        if self._transport is not None:
            self._transport.close()
        self._owner.link_lost(self, reason)

    # --- writing --------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._protocol is None:
            return
        data = b"".join(self._protocol.data_to_send())
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
