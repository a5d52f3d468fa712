"""What an application gives, as requests that may be sent: functions that check, and make one of PROTOCOL §5.

Numbers given as names become their decimal text, contents that are no text their JSON text (SPEC §1). All
raise ArgumentError: 1004 for what is wrong, 1005 for what is too long; what can be known here is never sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from signalpost.client.errors import ArgumentError, RequestError
from signalpost.wire.codes import (
    ATTRIBUTE_VALUE_BYTES,
    CHANNEL_MESSAGE_BYTES,
    DTMF_ALPHABET,
    DTMF_KEYS,
    EXTRA_BYTES,
    INSTANT_BYTES,
    LIST_ALL_MEMBERS,
    NAME_BYTES,
    RESERVED_CHANNELS,
    Code,
)
from signalpost.wire.texts import Fault, label_fault, name_fault, text_fault

__all__ = [
    "RPC_PREFIX",
    "Ask",
    "account_name",
    "answer_extra",
    "channel_name",
    "clear_channel_attributes",
    "delete_channel_attribute",
    "get_user_attribute",
    "get_user_attributes",
    "invitation_extra",
    "join",
    "keys_extra",
    "leave",
    "query_all_members",
    "query_is_in",
    "query_members",
    "query_number",
    "query_status",
    "remote_call",
    "send",
    "send_to_channel",
    "set_channel_attribute",
    "set_user_attribute",
]

RPC_PREFIX = "io.agora.signal."

_NUMBER = re.compile("[0-9]{1,16}")
_KEYS = re.compile(f"[{re.escape(DTMF_ALPHABET)}]+")


class Ask(NamedTuple):
    """A request: a function of PROTOCOL §5 and its arguments."""

    func: str
    args: dict[str, Any]


# --- values -----------------------------------------------------------------------------------


def account_name(value: Any) -> str:
    """An account's name."""
    return _name(value, "account")


def channel_name(value: Any) -> str:
    """A channel's name."""
    return _name(value, "channel name")


def invitation_extra(value: Any) -> str:
    """An invitation's extra: JSON text of at most 8 KiB, or "" (SPEC K1); an object becomes its JSON text."""
    text = _extra(value)
    if text:
        try:
            msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _wrong(f"extra has to be JSON text or empty: {error}") from None
    return text


def answer_extra(value: Any) -> str:
    """The extra of an answer or an end: any text of at most 8 KiB (SPEC K2)."""
    return _extra(value)


def keys_extra(keys: Any) -> str:
    """Keys as they travel (SPEC K4)."""
    if not isinstance(keys, str) or not _KEYS.fullmatch(keys):
        raise _wrong("DTMF takes text of 0-9, *, #, A-D, at least one")
    if len(keys) > DTMF_KEYS:
        raise ArgumentError(Code.GENERAL_E_LARGE_PARAM, f"DTMF takes at most {DTMF_KEYS} keys at once")
    return _json({"msgtype": "dtmf", "msgdata": keys})


def _wrong(reason: str) -> ArgumentError:
    return ArgumentError(Code.GENERAL_E_WRONG_PARAM, reason)


def _require(fault: Fault | None) -> None:
    if fault is not None:
        raise ArgumentError(*fault)


def _spelled(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) >= 10**NAME_BYTES:  # it may be too long to be spelled at all
        raise ArgumentError(Code.GENERAL_E_LARGE_PARAM, f"{what} has more than {NAME_BYTES} digits")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(f"{what} has to be text or a number, not {type(value).__name__}")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _name(value: Any, what: str) -> str:
    text = _spelled(value, what)
    _require(name_fault(text, what))
    return text


def _label(value: Any) -> str:
    text = _spelled(value, "attribute name")
    _require(label_fault(text, "attribute name"))
    return text


def _text(value: Any, what: str, limit: int) -> str:
    text = value if isinstance(value, str) else _json(value, what)
    _require(text_fault(text, what, limit))
    return text


def _json(value: Any, what: str = "value") -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        raise _wrong(f"{what} has to be text, or something that JSON can say, not {type(value).__name__}")
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _wrong(f"{what} has to be text, or something that JSON can say: {error}") from None


def _extra(value: Any) -> str:
    return "" if value is None else _text(value, "extra", EXTRA_BYTES)


def _channel_to_change(value: Any) -> str:
    name = channel_name(value)
    if name.startswith(RESERVED_CHANNELS):
        raise _wrong(f"{name} tells what happens; nobody may send into it or change it")
    return name


# --- requests ---------------------------------------------------------------------------------


def send(peer: Any, text: Any) -> Ask:
    """A message to an account: at most 8196 bytes (SPEC M1)."""
    content = _text(text, "message", INSTANT_BYTES)
    return Ask("user_sendmsg", {"peer": account_name(peer), "t": "instant", "content": content})


def send_to_channel(channel: Any, text: Any, *, force: bool = False) -> Ask:
    """A message to a channel: at most 8192 bytes (SPEC C4); `force`: without being a member (C5)."""
    args = {"name": _channel_to_change(channel), "msg": _text(text, "message", CHANNEL_MESSAGE_BYTES)}
    return Ask("channel_sendmsg", {**args, "force": True} if force else args)


def join(channel: Any) -> Ask:
    """Join a channel (SPEC C1)."""
    return Ask("channel_join", {"name": channel_name(channel)})


def leave(channel: Any) -> Ask:
    """Leave a channel (SPEC C3)."""
    return Ask("channel_leave", {"name": channel_name(channel)})


def set_channel_attribute(channel: Any, name: Any, value: Any) -> Ask:
    """Set an attribute of a channel: at most 8096 bytes (SPEC C10)."""
    text = _text(value, "attribute value", ATTRIBUTE_VALUE_BYTES)
    return Ask(
        "channel_set_attr", {"channel": _channel_to_change(channel), "name": _label(name), "value": text}
    )


def delete_channel_attribute(channel: Any, name: Any) -> Ask:
    """Delete an attribute of a channel (SPEC C10)."""
    return Ask("channel_del_attr", {"channel": _channel_to_change(channel), "name": _label(name)})


def clear_channel_attributes(channel: Any) -> Ask:
    """Delete all attributes of a channel but the built-in ones (SPEC C10)."""
    return Ask("channel_clear_attr", {"channel": _channel_to_change(channel)})


def query_number(channel: Any) -> Ask:
    """How many members a channel has (SPEC C12)."""
    return Ask("channel_query_num", {"name": channel_name(channel)})


def query_is_in(channel: Any, account: Any) -> Ask:
    """Whether an account is in a channel (SPEC C12)."""
    return Ask("channel_query_user_isin", {"name": channel_name(channel), "account": account_name(account)})


def query_members(channel: Any) -> Ask:
    """The latest 200 members of a channel (SPEC C12)."""
    return Ask("channel_query_userlist", {"name": channel_name(channel)})


def query_all_members(channel: Any, most: Any = LIST_ALL_MEMBERS) -> Ask:
    """The latest `most` members of a channel (SPEC C12)."""
    number = int(most) if isinstance(most, str) and _NUMBER.fullmatch(most) else most
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise _wrong("num has to be a whole number, 0 or more")
    return Ask("channel_query_userlist_all", {"name": channel_name(channel), "num": min(number, 2**53)})


def query_status(account: Any) -> Ask:
    """Whether an account is online (SPEC P1)."""
    return Ask("user_query_user_status", {"account": account_name(account)})


def set_user_attribute(name: Any, value: Any) -> Ask:
    """Set an attribute of one's own: at most 8096 bytes (SPEC P2)."""
    text = _text(value, "attribute value", ATTRIBUTE_VALUE_BYTES)
    return Ask("user_set_attr", {"name": _label(name), "value": text})


def get_user_attribute(account: Any, name: Any) -> Ask:
    """An attribute of anybody in the app (SPEC P2)."""
    return Ask("user_get_attr", {"account": account_name(account), "name": _label(name)})


def get_user_attributes(account: Any) -> Ask:
    """All attributes of anybody in the app (SPEC P2)."""
    return Ask("user_get_attr_all", {"account": account_name(account)})


# --- remote calls by name ---------------------------------------------------------------------

_REMOTE: dict[str, Callable[[Mapping[str, Any]], Ask]] = {
    "user_query_user_status": lambda args: query_status(args.get("account")),
    "user_set_attr": lambda args: set_user_attribute(args.get("name"), args.get("value", "")),
    "user_get_attr": lambda args: get_user_attribute(args.get("account"), args.get("name")),
    "user_get_attr_all": lambda args: get_user_attributes(args.get("account")),
    "channel_query_num": lambda args: query_number(args.get("name")),
    "channel_query_user_isin": lambda args: query_is_in(args.get("name"), args.get("account")),
    "channel_query_userlist": lambda args: query_members(args.get("name")),
    "channel_query_userlist_all": lambda args: query_all_members(
        args.get("name"), args.get("num", LIST_ALL_MEMBERS)
    ),
    "channel_set_attr": lambda args: set_channel_attribute(
        args.get("channel"), args.get("name"), args.get("value", "")
    ),
    "channel_del_attr": lambda args: delete_channel_attribute(args.get("channel"), args.get("name")),
    "channel_clear_attr": lambda args: clear_channel_attributes(args.get("channel")),
}


def remote_call(name: Any, args: Any) -> Ask:
    """`invoke`: one of the functions of SPEC C12 by name; `args` is an object or its JSON text.

    Raises RequestError (1001) for a name that is none of them.
    """
    short = name.removeprefix(RPC_PREFIX) if isinstance(name, str) else ""
    make = _REMOTE.get(short) if name != short else None
    if make is None:
        allowed = ", ".join(sorted(_REMOTE))
        raise RequestError(
            Code.GENERAL_E_FAILED, f"no such function: {RPC_PREFIX} with one of {allowed} is allowed"
        )
    if isinstance(args, str):
        try:
            args = msgspec.json.decode(args or "{}")
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise _wrong(f"the arguments have to be an object, or its JSON text: {error}") from None
    if not isinstance(args, Mapping):
        raise _wrong("the arguments have to be an object, or its JSON text")
    return make(args)
