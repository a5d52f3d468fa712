"""The server side of RFC 6455 as bytes in, messages out: handshake, frames, nothing else.

It knows the handshake's rules, framing, masking, fragments, UTF-8 and close codes. It refuses to know
sockets, the event loop, time, and what a message means; whoever owns the connection feeds it.
"""

from __future__ import annotations

import binascii
import codecs
import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform for which websockets ships no C extension
    from websockets.utils import apply_mask

__all__ = [
    "HEAD_END",
    "HEAD_LIMIT",
    "NORMAL",
    "NO_CODE",
    "POLICY",
    "RESTART",
    "FrameReader",
    "HandshakeRefused",
    "Kind",
    "ProtocolError",
    "Received",
    "RequestHead",
    "accept_answer",
    "asks_websocket",
    "begins_head",
    "check_handshake",
    "close_code",
    "frame_binary",
    "frame_close",
    "frame_pieces",
    "frame_ping",
    "frame_pong",
    "frame_text",
    "list_of",
    "read_head",
    "refusal_answer",
]

# --- errors -----------------------------------------------------------------------------------
#
# HandshakeRefused   the request for an upgrade is wrong: answered over HTTP
# ProtocolError      the frames are wrong: answered with a close frame of that code
#
# Both are the peer's fault.


class HandshakeRefused(Exception):
    """An upgrade that cannot be granted; `status` and `headers` are those of the HTTP answer."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers: Mapping[str, str] = headers or {}


class ProtocolError(Exception):
    """The peer broke RFC 6455; `code` is the close code, `received` what came whole before the fault."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.received: list[Received] = []


# --- the handshake (RFC 6455 §4) --------------------------------------------------------------

HEAD_LIMIT: Final = 16 * 1024
"""The greatest size of a request head that is read, in bytes."""

HEAD_END: Final = b"\r\n\r\n"

_KEY_SALT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REQUEST_LINE: Final = re.compile(r"([A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/(\d)\.(\d)", re.ASCII)
# A whole line and the end of the one before: as no part can hold a line end, no line has two of these.
_FIELD: Final = re.compile(
    r"\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)(?=\r\n|\Z)", re.ASCII
)
_PHRASES: Final = {
    400: "Bad Request",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class RequestHead(NamedTuple):
    """A request line and its fields: names in lower case, repeated fields joined with a comma."""

    method: str
    target: str
    version: tuple[int, int]
    headers: dict[str, str]


def begins_head(data: bytes | bytearray) -> bool:
    """Whether an incomplete head may still become one that `read_head` understands."""
    end = data.find(b"\n")
    return data[:1].isalpha() and (end < 0 or data[end - 1] == 0x0D)


def read_head(head: bytes | bytearray) -> RequestHead | None:
    """Read a head without its closing blank line; None if it is not the plain HTTP/1 that we understand."""
    text = head.decode("latin-1")
    request = _REQUEST_LINE.fullmatch(text.partition("\r\n")[0])
    fields = _FIELD.findall(text)
    if request is None or len(fields) != text.count("\r\n"):
        return None
    method, target, major, minor = request.groups()
    headers: dict[str, str] = {}
    for name, value in fields:
        name, value = name.lower(), value.strip(" \t")
        # Repeated ones become one list (RFC 9110 §5.2).
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return RequestHead(method, target, (int(major), int(minor)), headers)


def asks_websocket(headers: Mapping[str, str]) -> bool:
    """Whether a request means to become a WebSocket, rightly or not."""
    return "sec-websocket-key" in headers or "websocket" in list_of(headers.get("upgrade", ""))


def check_handshake(method: str, version: tuple[int, int], headers: Mapping[str, str]) -> str:
    """The client's key, or `HandshakeRefused`.

    Host, Origin and the target are not looked at (PROTOCOL §1); offered subprotocols and extensions
    are not taken up.
    """
    if method != "GET":
        raise HandshakeRefused(405, "a WebSocket handshake is a GET request", {"Allow": "GET"})
    if version < (1, 1):
        raise HandshakeRefused(400, "a WebSocket handshake needs HTTP/1.1")
    if not _lists(headers.get("upgrade", ""), "websocket"):
        reason = "the Upgrade header is missing: a proxy in between must pass on Upgrade and Connection"
        raise HandshakeRefused(426, reason, {"Upgrade": "websocket"})
    if not _lists(headers.get("connection", ""), "upgrade"):
        raise HandshakeRefused(400, "the Connection header does not say Upgrade")
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise HandshakeRefused(400, "a WebSocket handshake has no body")
    if headers.get("sec-websocket-version") != "13":
        offer = {"Sec-WebSocket-Version": "13", "Upgrade": "websocket"}
        raise HandshakeRefused(426, "only version 13 of the WebSocket protocol is spoken here", offer)
    key = headers.get("sec-websocket-key", "")
    if not _is_key(key):
        raise HandshakeRefused(400, "Sec-WebSocket-Key must appear once and be 16 bytes in base64")
    return key


def accept_answer(key: str) -> bytes:
    """The 101 answer to a client's key; negotiates neither subprotocol nor extension."""
    digest = hashlib.sha1(key.encode("ascii") + _KEY_SALT, usedforsecurity=False).digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % binascii.b2a_base64(digest, newline=False)
    )


def refusal_answer(status: int, reason: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP answer that refuses and announces the connection's end."""
    body = f"{reason}\n".encode()
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + HEAD_END + body


def _lists(value: str, member: str) -> bool:
    """Whether a field that is a list has this member, which nearly always is the only one."""
    return value.lower() == member or member in list_of(value)


def list_of(value: str) -> list[str]:
    """The members of a field that is a list, in lower case (RFC 9110 §5.6.1)."""
    return [token.strip(" \t").lower() for token in value.split(",")]


def _is_key(key: str) -> bool:
    if len(key) != 24:
        return False
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except (binascii.Error, ValueError):
        return False


# --- frames that we write (RFC 6455 §5.2) -----------------------------------------------------

# Why we close (RFC 6455 §7.4.1).
NORMAL: Final = 1000
POLICY: Final = 1008
RESTART: Final = 1012

NO_CODE: Final = 1005
"""The "code" of a close frame without one; never on the wire."""

_SHORT_TEXT: Final = tuple(bytes((0x81, size)) for size in range(126))
_SHORT_BINARY: Final = tuple(bytes((0x82, size)) for size in range(126))


def frame_text(payload: bytes) -> bytes:
    """One whole text message; `payload` is valid UTF-8."""
    size = len(payload)
    if size < 126:
        return _SHORT_TEXT[size] + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def frame_pieces(pieces: Sequence[bytes]) -> bytes:
    """One whole text message of pieces that are long together: they are copied once."""
    size = sum(map(len, pieces))
    if size < 65536:
        return frame_text(b"".join(pieces))
    return b"".join((b"\x81\x7f", size.to_bytes(8, "big"), *pieces))


def frame_binary(payload: bytes) -> bytes:
    """One whole binary message."""
    size = len(payload)
    if size < 126:
        return _SHORT_BINARY[size] + payload
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


def frame_close(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut at a character to what fits (123 bytes), `NO_CODE` sends neither."""
    if code == NO_CODE:
        return b"\x88\x00"
    text = reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore").encode()
    return bytes((0x88, 2 + len(text))) + code.to_bytes(2, "big") + text


def frame_ping(payload: bytes = b"") -> bytes:
    """A ping with at most 125 bytes."""
    assert len(payload) <= 125, "control frames are short (RFC 6455 §5.5)"
    return bytes((0x89, len(payload))) + payload


def frame_pong(payload: bytes = b"") -> bytes:
    """The answer to a ping with `payload`."""
    assert len(payload) <= 125, "control frames are short (RFC 6455 §5.5)"
    return bytes((0x8A, len(payload))) + payload


# --- frames that we read (RFC 6455 §5-§8) -----------------------------------------------------


class Kind(IntEnum):
    """What was received: the opcodes, without the continuation."""

    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


Received: TypeAlias = tuple[Kind, bytes]
"""A whole message or a control frame; the payload of a TEXT is valid UTF-8, that of a CLOSE lawful.
A plain tuple: a named one costs 0.2 µs more, which is a third of reading a frame."""


def close_code(payload: bytes) -> int:
    """The code of a received close frame, `NO_CODE` if it carries none."""
    return int.from_bytes(payload[:2], "big") if payload else NO_CODE


_KINDS: Final = {kind.value: kind for kind in Kind}
_TEXT: Final = Kind.TEXT
_CONTINUATION: Final = 0
_CODES: Final = frozenset((1000, 1001, 1002, 1003, *range(1007, 1014), *range(3000, 5000)))

_TextDecoder = codecs.getincrementaldecoder("utf-8")


class FrameReader:
    """Turns a client's bytes into messages, in chunks as they come; `max_message` is at least 125 bytes.

    Every byte is copied a bounded number of times however the chunks are cut. After a close frame or
    an error the reader is over and ignores what follows.
    """

    __slots__ = ("_buffer", "_decoder", "_fragments", "_idle", "_kind", "_limit", "_missing", "_over")

    def __init__(self, max_message: int = 65536) -> None:
        assert max_message >= 125, "short frames are not judged by the limit"
        # The greatest whole message in bytes.
        self._limit = max_message
        # True between frames and between messages: then a chunk can be judged by itself.
        self._idle = True
        # The start of an incomplete frame; None when there is none.
        self._buffer: bytearray | None = None
        # How many bytes `_buffer` must hold before looking at it again pays.
        self._missing = 0
        # The kind of the message whose fragments are coming; None between messages.
        self._kind: Kind | None = None
        # Its fragments so far, joined; None between messages.
        self._fragments: bytearray | None = None
        # Checks a fragmented text fragment by fragment; None unless such a text is coming.
        self._decoder: codecs.IncrementalDecoder | None = None
        # A close frame or an error came: nothing is read any more.
        self._over = False

    def whole_text(self, data: bytes) -> bytes | None:
        """The text, if `data` is one whole ASCII message and nothing else; if None, `feed` it."""
        size = len(data)
        if not self._idle or size < 7 or data[0] != 0x81:
            return None
        if size < 132:
            if data[1] != size + 122:
                return None
            text = apply_mask(data[6:], data[2:6])
        else:
            if data[1] != 0xFE or not 134 <= size == (data[2] << 8 | data[3]) + 8 <= self._limit + 8:
                return None
            text = apply_mask(data[8:], data[4:8])
        return text if text.isascii() else None

    def feed(self, data: bytes) -> list[Received]:
        """What `data` completes, in order; a `ProtocolError` carries what came before the fault."""
        if self._over:
            return []
        buffer = self._buffer
        if buffer is not None:
            buffer += data
            if len(buffer) < self._missing:
                return []
            data = bytes(buffer)
            self._buffer = None
        received: list[Received] = []
        try:
            end = self._read(data, received)
        except ProtocolError as error:
            self._end()
            error.received = received
            raise
        if end < len(data):
            self._buffer = bytearray(memoryview(data)[end:])
        self._idle = self._buffer is None and self._kind is None and not self._over
        return received

    def _read(self, data: bytes, received: list[Received]) -> int:
        """Read the whole frames of `data`; returns where the incomplete one begins, with `_missing` set."""
        start = 0
        available = len(data)
        while True:
            # The usual frames first: whole, masked texts of less than 64 KiB, each a message by itself.
            while available - start > 8 and data[start] == 0x81 and self._kind is None:
                size = data[start + 1] - 0x80
                body = start + 6
                if size == 126:
                    size = data[start + 2] << 8 | data[start + 3]
                    body = start + 8
                    if not 126 <= size <= self._limit:
                        break
                elif size < 0 or size > 126:
                    break
                end = body + size
                if end > available:
                    break
                payload = apply_mask(data[body:end], data[body - 4 : body])
                if not payload.isascii():
                    _check_text(payload)
                received.append((_TEXT, payload))
                start = end

            # The header (§5.2). The order of these checks is that of wsproto, so that both agree on streams
            # that end inside a header.
            body = start + 2
            if available < body:
                self._missing = 2
                return start
            first = data[start]
            second = data[start + 1]
            opcode = first & 0x0F
            size = second & 0x7F
            if opcode > 2 and (opcode < 8 or opcode > 10):
                raise ProtocolError(1002, f"opcode {opcode} is reserved")
            if opcode & 8:
                if not first & 0x80:
                    raise ProtocolError(1002, "control frames cannot be fragmented")
                if size > 125:
                    raise ProtocolError(1002, "control frames carry at most 125 bytes")
            elif size > 125:
                width = 2 if size == 126 else 8
                body += width
                if available < body:
                    self._missing = body - start
                    return start
                size = int.from_bytes(data[body - width : body], "big")
                if size < 126 or (width == 8 and size < 65536):
                    raise ProtocolError(1002, "the length is not in its shortest form")
                if size >> 63:
                    raise ProtocolError(1002, "the length exceeds 63 bits")
            if first & 0x70:
                raise ProtocolError(1002, "reserved bits are set, and no extension was negotiated")
            if not second & 0x80:
                raise ProtocolError(1002, "client frames must be masked")
            if not opcode & 8:
                self._check_data(opcode, size)

            body += 4
            end = body + size
            if available < end:
                self._missing = end - start
                return start
            payload = apply_mask(data[body:end], data[body - 4 : body])
            if opcode == 1 and first == 0x81:
                if not payload.isascii():
                    _check_text(payload)
                received.append((_TEXT, payload))
            elif opcode & 8:
                kind = _KINDS[opcode]
                if kind is Kind.CLOSE:
                    _check_close(payload)
                    received.append((kind, payload))
                    self._end()
                    return available
                received.append((kind, payload))
            else:
                self._add_data(first, payload, received)
            start = end

    def _check_data(self, opcode: int, size: int) -> None:
        """Judge a data frame by its header alone, before anything of its payload is kept."""
        if opcode == _CONTINUATION:
            if self._kind is None:
                raise ProtocolError(1002, "a continuation without a message")
        elif self._kind is not None:
            raise ProtocolError(1002, "a new message inside a fragmented one")
        if size + (len(self._fragments) if self._fragments else 0) > self._limit:
            raise ProtocolError(1009, f"a message is at most {self._limit} bytes")

    def _add_data(self, first: int, payload: bytes, received: list[Received]) -> None:
        """Take a fragment, or a whole binary message; the last fragment completes its message."""
        last = first >= 0x80
        if self._kind is None or self._fragments is None:
            kind = _KINDS[first & 0x0F]
            if last:
                received.append((kind, payload))
                return
            self._kind = kind
            self._fragments = bytearray()
            self._decoder = _TextDecoder() if kind is Kind.TEXT else None
        if self._decoder is not None:
            try:
                self._decoder.decode(payload, last)
            except UnicodeDecodeError:
                raise ProtocolError(1007, "the text is not valid UTF-8") from None
        self._fragments += payload
        if last:
            received.append((self._kind, bytes(self._fragments)))
            self._forget_message()

    def _forget_message(self) -> None:
        self._kind = self._fragments = self._decoder = None

    def _end(self) -> None:
        self._over = True
        self._idle = False
        self._buffer = None
        self._forget_message()


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(1007, "the text is not valid UTF-8") from None


def _check_close(payload: bytes) -> None:
    """Judge a close frame's payload (§5.5.1, §7.4): nothing, or a lawful code and a UTF-8 reason."""
    if not payload:
        return
    if len(payload) == 1:
        raise ProtocolError(1002, "a close frame with half a code")
    if close_code(payload) not in _CODES:
        raise ProtocolError(1002, "a close code that must not be sent")
    _check_text(payload[2:])
