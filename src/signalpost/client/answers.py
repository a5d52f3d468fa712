"""What answers say, and what they have to say if they say that all went well (PROTOCOL §5, §12).

It knows what the faces read: without that the request has failed. What the machine itself reads of a join, an
invitation or a poll it takes as it finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from signalpost.wire.client_codec import text_of

__all__ = ["answer_fault", "members_of", "texts_of"]

_EXACT = 2**53  # below it a whole number is the same in every language
_is_object = msgspec.json.Decoder(dict[str, Any]).decode


def answer_fault(func: str, body: dict[str, Any]) -> str:
    """What is wrong with the answer of a success; "" if nothing is."""
    name, is_right = _PROMISED.get(func, ("", None))
    return "" if is_right is None or is_right(body.get(name)) else f"the server's answer has no {name}"


def members_of(list_: Any) -> tuple[str, ...]:
    """The accounts of `[[account, 0], …]`; what is none is left out."""
    entries = list_ if isinstance(list_, list) else []
    return tuple(text_of(entry[0]) for entry in entries if isinstance(entry, list) and entry)


def texts_of(object_: Any) -> dict[str, str]:
    """`{name: value}`, values as texts."""
    return {name: text_of(value) for name, value in object_.items()} if isinstance(object_, dict) else {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return type(value) is int and -_EXACT < value < _EXACT


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object_text(value: Any) -> bool:
    """Whether it is an object's JSON text."""
    try:
        _is_object(value)
    except (msgspec.DecodeError, RecursionError, TypeError):
        return False
    return True


_PROMISED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "user_sendmsg": ("id", _is_text),
    "channel_sendmsg": ("id", _is_text),
    "user_query_user_status": ("status", _is_whole),
    "user_get_attr": ("value", _is_text),
    "user_get_attr_all": ("json", _is_object_text),
    "channel_query_num": ("num", _is_whole),
    "channel_query_user_isin": ("isin", _is_whole),
    "channel_query_userlist": ("list", _is_list),
    "channel_query_userlist_all": ("list", _is_list),
}
