"""The message line: a message or event as one text of space-separated fields (PROTOCOL §6, §7).

    msg-v2 SRC DST FLAG TYPE TIME CONTENT
    msg-v3 MSGID SRC DST FLAG TYPE TIME CONTENT

CONTENT is the rest of the line, any characters; no other field may hold a space, which the rules for
names see to. What nobody caused comes from `_system` (PROTOCOL §12).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from signalpost.wire.codes import SYSTEM_ACCOUNT

__all__ = [
    "Line",
    "attribute_content",
    "call_content",
    "line_v2",
    "line_v3",
    "member_content",
    "message_content",
    "parse_line",
    "seconds_of",
]

_FLAG = "v1:E:86400"
_encode = msgspec.json.Encoder().encode


def line_v2(src: str, dst: str, kind: str, time: int, content: str) -> str:
    """The line as Python 1.0.2 and web before 1.3 read it."""
    return f"msg-v2 {src or SYSTEM_ACCOUNT} {dst} {_FLAG} {kind} {time} {content}"


def line_v3(message_id: str, src: str, dst: str, kind: str, time: int, content: str) -> str:
    """The line with an id, by which web 1.3.0/1.4.0 drop repeats."""
    return f"msg-v3 {message_id} {src or SYSTEM_ACCOUNT} {dst} {_FLAG} {kind} {time} {content}"


def message_content(channel: str, account: str, text: str) -> str:
    """CONTENT of `channel_msg`."""
    return _encode({"channel": channel, "account": account, "uid": 0, "msg": text}).decode()


def member_content(channel: str, account: str) -> str:
    """CONTENT of `channel_user_join` and `channel_user_leave`."""
    return _encode({"channel": channel, "account": account, "uid": 0}).decode()


def attribute_content(channel: str, account: str, name: str, value: str, change: str) -> str:
    """CONTENT of `channel_attr_update`."""
    content = {
        "channel": channel,
        "account": account,
        "uid": 0,
        "name": name,
        "value": value,
        "type": change,
    }
    return _encode(content).decode()


def call_content(channel: str, peer: str, extra: str) -> str:
    """CONTENT of a `voip_…` line; `peer` is the other side as the receiver sees it (PROTOCOL §8)."""
    return _encode({"channel": channel, "peer": peer, "peeruid": 0, "extra": extra}).decode()


class Line(NamedTuple):
    """A line, taken apart; `id` is "" in a v2 line."""

    id: str
    src: str
    dst: str
    flag: str
    type: str
    time: str
    content: str


def parse_line(text: str) -> Line | None:
    """The line's fields, or None if it is no line: such a one is dropped (PROTOCOL §6)."""
    if text.startswith("msg-v3 "):
        fields = text.split(" ", 7)
        return Line(*fields[1:]) if len(fields) == 8 else None
    if text.startswith("msg-v2 "):
        fields = text.split(" ", 6)
        return Line("", *fields[1:]) if len(fields) == 7 else None
    return None


def seconds_of(line: Line) -> int:
    """The line's TIME in Unix seconds; 0 for what is no number."""
    try:
        return int(line.time)
    except ValueError:
        return 0
