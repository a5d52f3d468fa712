"""What a channel is made of: built-in attributes, who is told what, and what a change may do (SPEC §5).

It knows attributes as a dict of texts and derives every setting from them; nothing is kept twice.
It does not know who is a member, nor when anything happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from signalpost.domain.limits import Limits
from signalpost.domain.names import check_label, check_name, check_text, whole_number
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import (
    ATTR_AUTO_UPDATE,
    ATTR_AUTO_UPDATE_TOTAL,
    ATTR_CHANNEL_TTL,
    ATTR_MEMBERS,
    ATTR_MEMBERS_TOTAL,
    ATTR_SENDMSG_LIMIT,
    ATTR_SETATTR_LIMIT,
    ATTR_USER_NOTIFICATION,
    ATTRIBUTE_VALUE_BYTES,
    ATTRIBUTES,
    CHANNEL_EVENTS,
    CHANNEL_USER_ONLINE,
    RESERVED_CHANNELS,
    Code,
)

__all__ = [
    "ATTRIBUTE",
    "JOIN",
    "LEAVE",
    "MESSAGE",
    "SETATTR_LIMITS",
    "SPECIAL",
    "ChannelEvent",
    "Count",
    "Counted",
    "Counting",
    "channel_seconds",
    "check_attribute",
    "check_channel",
    "check_deletable",
    "check_open_channel",
    "check_room_for",
    "clearable",
    "count",
    "counting",
    "joins_before",
    "notifies_members",
]

# What an event tells: the TYPE of its line (PROTOCOL §7).
MESSAGE = "channel_msg"
JOIN = "channel_user_join"
LEAVE = "channel_user_leave"
ATTRIBUTE = "channel_attr_update"

SPECIAL = frozenset({CHANNEL_USER_ONLINE, CHANNEL_EVENTS})  #: what the server tells of the whole app (P4)


class ChannelEvent(msgspec.Struct, frozen=True, array_like=True):
    """Something that all members of a channel are told, in one order (C6)."""

    kind: str  #: one of the kinds above
    account: str  #: who caused it; "" nobody
    time: int  #: Unix seconds
    text: str = ""  #: the message (channel_msg)
    name: str = ""  #: the attribute's name (channel_attr_update)
    value: str = ""  #: its value
    change: str = ""  #: update, del or clear


class Counting(NamedTuple):
    """How `_member_num` is kept: every `interval` seconds at most (0: not), with the joins so far or not."""

    interval: int
    total: bool


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """What was last published of a channel's members, and when."""

    at: float  #: 0.0: nothing yet, or nothing that stands
    members: int
    joins: int
    before: int  #: of the joins, those of the channel's earlier lives
    epoch: str  #: which life this is
    total: bool = False  #: whether the joins were published, too


class Count(NamedTuple):
    """What is to become of the numbers that a channel keeps."""

    publish: dict[str, str]
    withdraw: list[str]
    again: float | None  #: when to look again, though nobody comes or goes
    last: Counted  #: what is published then


class _BuiltIn(NamedTuple):
    """A built-in attribute that takes a number: its range and its default; `most` None: the app's maximum."""

    least: int
    most: int | None
    default: int


SETATTR_LIMITS = 10, 1_000
"""How often a second one attribute may change: if `_setattr_limit` says nothing, and at most (C10)."""

_NUMBERS = {
    ATTR_USER_NOTIFICATION: _BuiltIn(0, 1, 1),
    ATTR_CHANNEL_TTL: _BuiltIn(0, 86_400, 7_200),
    ATTR_AUTO_UPDATE: _BuiltIn(0, 3_600, 0),
    ATTR_AUTO_UPDATE_TOTAL: _BuiltIn(0, 3_600, 0),
    ATTR_SENDMSG_LIMIT: _BuiltIn(1, None, 200),
    ATTR_SETATTR_LIMIT: _BuiltIn(1, SETATTR_LIMITS[1], SETATTR_LIMITS[0]),
}
_READ_ONLY = (ATTR_MEMBERS, ATTR_MEMBERS_TOTAL)


def check_channel(name: str) -> None:
    """Refuse what names no channel (SPEC §1), and reserved names that do not exist."""
    check_name(name, "channel name")
    if name.startswith(RESERVED_CHANNELS) and name not in SPECIAL:
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM,
            f"channel names that begin with {RESERVED_CHANNELS} are reserved: "
            f"only {CHANNEL_USER_ONLINE} and {CHANNEL_EVENTS} exist",
        )


def check_open_channel(name: str) -> None:
    """Refuse what users may not speak in or change (P5)."""
    check_name(name, "channel name")
    if name.startswith(RESERVED_CHANNELS):
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM,
            f"channels that begin with {RESERVED_CHANNELS} carry the server's events alone",
        )


def check_attribute(name: str, value: str, limits: Limits) -> str:
    """The value as it is stored; 1004 or 1005 for what is not allowed (C10, C11)."""
    check_label(name, "attribute name")
    check_text(value, "attribute value", ATTRIBUTE_VALUE_BYTES)
    if name in _READ_ONLY:
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM, f"{name} is kept by the server: it cannot be set or deleted"
        )
    built_in = _NUMBERS.get(name)
    if built_in is None:
        return value
    most = limits.channel_messages if built_in.most is None else built_in.most
    number = whole_number(value)
    if number is None or not built_in.least <= number <= most:
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM, f"{name} takes a whole number from {built_in.least} to {most}"
        )
    return str(number)


def check_deletable(name: str) -> None:
    """Refuse to delete what the server keeps, or what is no attribute's name (C11)."""
    check_label(name, "attribute name")
    if name in _READ_ONLY:
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM, f"{name} is kept by the server: it cannot be set or deleted"
        )


def check_room_for(attributes: Mapping[str, str], name: str) -> None:
    """Refuse a 101st attribute; those that the server keeps do not count (C10)."""
    if name in attributes:
        return
    if sum(1 for other in attributes if other not in _READ_ONLY) >= ATTRIBUTES:
        raise Refusal(Code.GENERAL_E_FAILED, f"the channel has {ATTRIBUTES} attributes: no more are allowed")


def clearable(attributes: Mapping[str, str]) -> list[str]:
    """What clearing deletes: all but the names that begin with an underscore (C10)."""
    return [name for name in attributes if not name.startswith("_")]


def _number(attributes: Mapping[str, str], name: str) -> int:
    value = attributes.get(name)
    return _NUMBERS[name].default if value is None else int(value)


def notifies_members(attributes: Mapping[str, str]) -> bool:
    """Whether members are told of joins and leaves: `_userNotification` (C11)."""
    return _number(attributes, ATTR_USER_NOTIFICATION) == 1


def channel_seconds(attributes: Mapping[str, str], limits: Limits) -> float:
    """How long the channel outlives its last member: `_channel_ttl` (C8)."""
    value = attributes.get(ATTR_CHANNEL_TTL)
    return limits.channel_seconds if value is None else float(value)


def counting(attributes: Mapping[str, str]) -> Counting:
    """How the channel counts its members (C11); the total needs both attributes."""
    interval = _number(attributes, ATTR_AUTO_UPDATE)
    return Counting(interval, interval > 0 and _number(attributes, ATTR_AUTO_UPDATE_TOTAL) > 0)


def joins_before(attributes: Mapping[str, str]) -> int:
    """The joins of a channel that was there before the server was started, as they were last published."""
    return int(attributes.get(ATTR_MEMBERS_TOTAL, "0"))


def count(attributes: Mapping[str, str], last: Counted, *, members: int, joins: int, now: float) -> Count:
    """Which numbers to publish now (C11): the first of a kind at once, then all of them together once
    an interval and only if anybody came or went, or they do not stand there as published; none that are
    kept no longer."""
    counting_ = counting(attributes)
    numbers = {}
    if counting_.interval:
        numbers[ATTR_MEMBERS] = str(members)
    if counting_.total:
        numbers[ATTR_MEMBERS_TOTAL] = str(joins)
    withdraw = [name for name in _READ_ONLY if name in attributes and name not in numbers]
    if not numbers:
        return Count({}, withdraw, None, msgspec.structs.replace(last, at=0.0, total=False))
    all_ = Count(
        numbers, withdraw, None, Counted(now, members, joins, last.before, last.epoch, counting_.total)
    )
    if not last.at:
        return all_
    first = {} if last.total else {name: value for name, value in numbers.items() if name != ATTR_MEMBERS}
    stand = all(attributes.get(name) == value for name, value in numbers.items() if name not in first)
    rest = Count(first, withdraw, None, msgspec.structs.replace(last, total=counting_.total))
    if stand and (last.members, last.joins) == (members, joins):
        return rest
    again = last.at + counting_.interval
    return rest._replace(again=again) if again > now else all_
