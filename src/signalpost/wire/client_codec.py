"""The client's half of the codec: requests to bytes, and a server's frames to types (PROTOCOL §2-§7).

Sans-I/O. A client ignores what it does not know, so a text that is no frame becomes None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from signalpost.wire.codes import REASON_KICK, REASON_TOKEN_EXPIRED, REASON_WRONG_ACCOUNT, Code
from signalpost.wire.lines import Line, parse_line

__all__ = [
    "Announcement",
    "CallReturn",
    "ChannelEvent",
    "Close",
    "Kick",
    "LoginReturn",
    "MoveOn",
    "Pong",
    "Push",
    "ServerError",
    "ServerFrame",
    "call_frame",
    "code_of",
    "decode_items",
    "decode_server_frame",
    "login_code",
    "login_frame",
    "ping_frame",
    "retry_after",
    "text_of",
]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_MOVE_MOST = 60_000  # milliseconds that a server may send a client away for
_pair = msgspec.json.Decoder(tuple[int, str]).decode
_FAILURES = {int(code): code for code in Code if code is not Code.SUCCESS}


class LoginReturn(NamedTuple):
    """`login_ret`: `error` is "" for a success."""

    error: str
    body: dict[str, Any]


class CallReturn(NamedTuple):
    """`call2-ret`: the body, and what went wrong, "" for a success."""

    id: int
    error: str
    body: dict[str, Any]


class Announcement(NamedTuple):
    """There is something up to this version."""

    version: int


class Push(NamedTuple):
    """One item of the inbox; `line` is None for what is no line."""

    version: int
    line: Line | None


class ChannelEvent(NamedTuple):
    """One event of a channel."""

    channel: str
    id: int
    line: Line | None


class Pong(NamedTuple):
    """The echo of a ping."""

    number: float


class Kick(NamedTuple):
    """Another login took over."""


class Close(NamedTuple):
    """The server ends the connection."""


class ServerError(NamedTuple):
    """A frame that the server could not answer; `code` is None if it gives none."""

    code: int | None
    reason: str


class MoveOn(NamedTuple):
    """The server goes away: log in again after so many seconds (PROTOCOL §12)."""

    after: float


ServerFrame = (
    LoginReturn | CallReturn | Announcement | Push | ChannelEvent | Pong | Kick | Close | ServerError | MoveOn
)


def code_of(value: Any) -> Code:
    """The code of a failure that a server gives; 1002 for what is none, such as that of success (SPEC §7)."""
    return _FAILURES.get(value if isinstance(value, int) else -1, Code.GENERAL_E_UNKNOWN)


def login_code(answer: LoginReturn) -> Code:
    """The code of a refused login; a server that gives none says it in the reason (PROTOCOL §4)."""
    if "code" in answer.body:
        return code_of(answer.body["code"])
    if answer.error == REASON_KICK:
        return Code.LOGIN_E_TOKEN_KICKED
    if answer.error == REASON_TOKEN_EXPIRED:
        return Code.LOGIN_E_TOKENEXPIRED
    if answer.error.startswith("TokenError"):
        return Code.LOGIN_E_TOKENWRONG
    if answer.error.startswith(REASON_WRONG_ACCOUNT):
        return Code.LOGIN_E_INVALID_USER
    return Code.LOGIN_E_NET


def retry_after(answer: LoginReturn) -> float | None:
    """In how many seconds to log in again after a refusal; None if the server does not say (PROTOCOL §12)."""
    after = answer.body.get("retry_ms")
    if isinstance(after, bool) or not isinstance(after, int | float):
        return None
    return min(max(after, 0), _MOVE_MOST) / 1000


def login_frame(fields: Mapping[str, Any]) -> bytes:
    """`["login", {…}]`"""
    return _encode(["login", fields])


def ping_frame(number: int) -> bytes:
    """`["ping", n]`"""
    return b'["ping",%d]' % number


def call_frame(id: int, func: str, args: Mapping[str, Any]) -> bytes:
    """`["call2", [func, id, args]]`"""
    return _encode(["call2", [func, id, args]])


def decode_server_frame(text: str | bytes | bytearray | memoryview) -> ServerFrame | None:
    """A frame of the server; None for what a client ignores."""
    try:
        frame = _decode(text)
        if frame[0] == "notify":
            return _notice(frame[1])
        match frame:
            case ["call2-ret", [int() as id, str() as error, body]] if _is_whole(id):
                return _call_return(id, error, body)
            case ["pong", int() | float() as number]:
                return Pong(number)
            case ["login_ret", [str() as error, str() as body]]:
                fields = _body(body)
                failed = fields.get("result") == "failed"
                return LoginReturn(error or (_reason(fields) if failed else ""), fields)
            case ["kick", *_]:
                return Kick()
            case ["close", *_]:
                return Close()
            case ["error", {"reason": str() as reason, **rest}]:
                code = rest.get("code")
                return ServerError(code if isinstance(code, int) else None, reason)
            case ["reconnect", {"after_ms": int() | float() as after}]:
                return MoveOn(min(max(after, 0), _MOVE_MOST) / 1000)
    except (msgspec.DecodeError, UnicodeError, RecursionError, LookupError, TypeError):
        return None  # no JSON, or not of the form that its name promises
    return None


def _notice(argument: Any) -> ServerFrame | None:
    """`notify`: the frames of which there are many."""
    match argument:
        case ["recvmsg", str() as pair]:
            version, line = _pair(pair)
            return Push(version, parse_line(line))
        case ["channel2", str() as channel, int() as id, str() as line] if _is_whole(id):
            return ChannelEvent(channel, id, parse_line(line))
        case ["msg", int() as version] if _is_whole(version):
            return Announcement(version)
    return None


def decode_items(msgs: Any) -> list[Push]:
    """The items in a poll's answer; what is none is left out."""
    if not isinstance(msgs, list):
        return []
    return [Push(item[0], parse_line(item[1])) for item in msgs if _is_item(item)]


def text_of(value: Any) -> str:
    """A value as text: a text, a number, a truth value; "" for anything else."""
    if isinstance(value, str):
        return value
    return _encode(value).decode() if isinstance(value, int | float) else ""


def _is_item(item: Any) -> bool:
    match item:
        case [int() as version, str()]:
            return _is_whole(version)
    return False


def _is_whole(number: int) -> bool:
    """Whether an `int` is a number: to Python, true is one as well."""
    return not isinstance(number, bool)


def _call_return(id: int, error: str, body: Any) -> CallReturn:
    fields = _body(body)
    if not error and fields.get("result") != "ok":
        error = _reason(fields)
    return CallReturn(id, error, fields)


def _reason(body: dict[str, Any]) -> str:
    return text_of(body.get("reason")) or "failed"


def _body(text: Any) -> dict[str, Any]:
    """A body: an object as JSON text; what is none has no fields."""
    try:
        body = _decode(text) if isinstance(text, str) else text
    except (msgspec.DecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
