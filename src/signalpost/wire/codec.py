"""Bytes to frames, and answers to bytes (PROTOCOL §3-§7).

Sans-I/O. What a server must never send (PROTOCOL §11) cannot be made here: bodies are always JSON
text, failures always carry a reason and `data.result`, numbers are numbers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from signalpost.wire.frames import ClientFrame, Frame, Login, Unreadable

__all__ = [
    "Large",
    "Malformed",
    "NotJson",
    "announcement",
    "call_answer",
    "call_ok",
    "channel_event",
    "close_frame",
    "decode_args",
    "decode_frame",
    "error",
    "failure_body",
    "is_large",
    "kick",
    "login_failed",
    "login_ok",
    "ok_body",
    "pong",
    "push",
    "sent_answer",
    "size_in_answer",
]

_encode = msgspec.json.Encoder().encode
_frames: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)

_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = 4_000  # of a whole number that Python converts without objecting
_LARGE_TEXTS = 16 * 1024  # characters, which become nine times as many bytes at most
_PIECE_ITEMS = 200  # members in a piece of a list
_UNREADABLE = "a text holds a lone surrogate, or a number is out of range"


class NotJson(Exception):
    """The text is no JSON at all."""


class Malformed(Exception):
    """The JSON is no frame, or not the arguments of the call; the text says what and where."""


def decode_frame(text: bytes) -> Frame:
    """A client's frame. Raises NotJson, Malformed."""
    try:
        return _frames.decode(text)
    except msgspec.ValidationError as error:
        _require_json(text)  # the wrong type may stand before the wrong syntax
        raise Malformed(str(error)) from None
    except RecursionError:
        raise Malformed("the frame is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _look_again(text, str(error))


def _require_json(text: bytes) -> None:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _look_again(text, str(error))
    except RecursionError:
        raise Malformed("the frame is nested too deeply") from None


def _look_again(text: bytes, reason: str) -> Frame:
    """What is no JSON for msgspec may be JSON with lone surrogates, as `JSON.stringify` escapes them.

    Then it is a request with a text that is refused (SPEC §1). So are numbers that no number type
    holds; they are read as null. Raises NotJson, Malformed.
    """
    try:
        frame = json.loads(
            text.decode(), parse_int=_whole, parse_float=_real, parse_constant=_refuse_constant
        )
    except ValueError:
        raise NotJson(reason) from None
    except RecursionError:
        raise Malformed("the frame is nested too deeply") from None
    match frame:
        case ["login", argument, *_]:
            return Login(argument)
        case ["call2", [_, int() | str() as call_id, *_], *_] if not isinstance(call_id, bool):
            if not isinstance(call_id, str) or _SURROGATE.search(call_id) is None:
                return Unreadable(call_id, _UNREADABLE)
    raise Malformed(_UNREADABLE)


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS else None


def _real(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def decode_args(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> Any:
    """The arguments of a call. Raises Malformed."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None
    except RecursionError:
        raise Malformed("the arguments are nested too deeply") from None


def ok_body(fields: dict[str, Any]) -> bytes:
    """The body of a successful answer."""
    return _encode({"result": "ok", **fields})


def failure_body(reason: str, code: int) -> bytes:
    """The body of a failure: the one form that every client kind understands (PROTOCOL §5)."""
    return _encode({"result": "failed", "reason": reason, "code": code, "data": {"result": reason}})


def call_answer(call_id: int | str, body: bytes) -> bytes:
    """`call2-ret` with a body that is JSON text."""
    return b'["call2-ret",[%b,"",%b]]' % (_encode(call_id), _encode(body.decode()))


def call_ok(call_id: int | str, fields: dict[str, Any]) -> bytes:
    """`call2-ret` for a success."""
    return call_answer(call_id, ok_body(fields))


class Large:
    """The fields of a success that take long to encode: better done by pieces, with others served in between.

    Those in `nested` are JSON within the body's JSON.
    """

    __slots__ = ("_fields", "_nested")

    def __init__(self, fields: dict[str, Any], *, nested: frozenset[str] = frozenset()) -> None:
        self._fields = fields
        self._nested = nested

    def answer(self, call_id: int | str) -> Iterator[bytes]:
        """`call2-ret` for it in pieces, each of some attributes or members."""
        yield b'["call2-ret",[%b,"","' % _encode(call_id)
        yield _inside(b'{"result":"ok"')
        for name, value in self._fields.items():
            yield _inside(b",%b:" % _encode(name))
            if name in self._nested:
                yield _inside(b'"')
                for piece in _pieces(value):
                    yield _inside(_inside(piece))
                yield _inside(b'"')
            else:
                for piece in _pieces(value):
                    yield _inside(piece)
        yield _inside(b"}")
        yield b'"]]'


def is_large(texts: Iterable[str]) -> bool:
    """Whether texts may become a large answer."""
    return sum(map(len, texts)) > _LARGE_TEXTS


def _pieces(value: Any) -> Iterator[bytes]:
    """JSON of a value in pieces."""
    if isinstance(value, dict):
        lead = b"{"
        for name, member in value.items():
            yield b"%b%b:%b" % (lead, _encode(name), _encode(member))
            lead = b","
        yield b"}" if value else b"{}"
    elif isinstance(value, list):
        for start in range(0, len(value), _PIECE_ITEMS):
            lead = b"," if start else b"["
            yield lead + _encode(value[start : start + _PIECE_ITEMS])[1:-1]
        yield b"]" if value else b"[]"
    else:
        yield _encode(value)


def _inside(json_text: bytes) -> bytes:
    """JSON as it stands inside a JSON text."""
    return _encode(json_text.decode())[1:-1]


def size_in_answer(text: str) -> int:
    """How many bytes a text takes in an answer, which is JSON in a JSON text."""
    inner = _encode(text)
    return len(inner) + inner.count(b'"') + inner.count(b"\\")


def sent_answer(call_id: int | str, message_id: str) -> bytes:
    """`call2-ret` for a message; ids hold nothing that JSON would escape."""
    return b'["call2-ret",[%b,"","{\\"result\\":\\"ok\\",\\"id\\":\\"%b\\"}"]]' % (
        _encode(call_id),
        message_id.encode(),
    )


def login_ok(fields: dict[str, Any]) -> bytes:
    """`login_ret` for a success (PROTOCOL §4)."""
    body = _encode({"result": "ok", "uid": 0, **fields}).decode()
    return b'["login_ret",["",%b]]' % _encode(body)


def login_failed(reason: str, code: int, *, retry: float = 0.0) -> bytes:
    """`login_ret` for a failure: the reason stands in the first element as well (PROTOCOL §4).

    `retry`: in how many seconds the same login will be taken; 0.0 says nothing of it.
    """
    fields: dict[str, Any] = {"result": "failed", "reason": reason, "code": code}
    if retry:
        fields["retry_ms"] = math.ceil(retry * 1000)
    body = _encode(fields).decode()
    return b'["login_ret",[%b,%b]]' % (_encode(reason), _encode(body))


def pong(number: int | float) -> bytes:
    """The echo of a ping's number."""
    return b'["pong",%b]' % _encode(number)


def kick() -> bytes:
    """Another login took over."""
    return b'["kick",""]'


def close_frame() -> bytes:
    """The server ends the connection; never sent but behind a kick (PROTOCOL §3)."""
    return b'["close",""]'


def error(reason: str, code: int) -> bytes:
    """What is wrong with a frame that no answer can be given to; originals ignore it."""
    return b'["error",%b]' % _encode({"code": code, "reason": reason})


def announcement(version: int) -> bytes:
    """There is something up to this version: poll (PROTOCOL §6)."""
    return b'["notify",["msg",%d]]' % version


def push(version: int, line: str) -> bytes:
    """One line of the inbox (PROTOCOL §6)."""
    return b'["notify",["recvmsg",%b]]' % _encode(_encode((version, line)).decode())


def channel_event(channel: str, sequence: int, line: str) -> bytes:
    """One event of a channel (PROTOCOL §7)."""
    return b'["notify",["channel2",%b,%d,%b]]' % (_encode(channel), sequence, _encode(line))
