"""What waits in an inbox, and what a client's cursor means (SPEC §4, PROTOCOL §6).

An inbox holds messages and call events in one order of versions. A cursor V says that everything up
to V has been processed; C is what the server has cleared.
"""

from __future__ import annotations

import msgspec

from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name, check_text, is_plain
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.wire.codes import INSTANT_BYTES, Code

__all__ = [
    "INSTANT",
    "InboxItem",
    "check_instant",
    "half_full",
    "inbox_full",
    "most_of_one",
    "too_fast",
    "too_much_untaken",
]

INSTANT = "instant"
_HALVED = 100  # a bound from which on one sender has half of it; smaller ones are too small to share


class InboxItem(msgspec.Struct, frozen=True, array_like=True):
    """One message or call event on its way to an account."""

    id: str  #: unique over all messages and events of the server, also over restarts
    kind: str  #: the line's TYPE: instant, or one of domain.calls' events
    src: str  #: the account that it comes from
    time: int  #: Unix seconds
    text: str  #: the message, or the call event's extra
    channel: str = ""  #: the call's channel (call events)
    call: str = ""  #: the call's id (call events)


def check_instant(peer: str, text: str) -> int:
    """Refuse a message that may not be sent (M1); return its size in bytes."""
    if not is_plain(peer):
        check_name(peer, "account")
    return check_text(text, "message", INSTANT_BYTES)


def too_fast(limit: int) -> Refusal:
    """What a sender above his rate is told (M8)."""
    return TooMany(Code.SENDMESSAGE_E_OTHER, "messages", f"{limit} in any one second are allowed")


def most_of_one(limits: Limits) -> tuple[int, int]:
    """How many messages and how many bytes of one sender an inbox holds (M9)."""
    items, size = limits.inbox_messages, limits.inbox_bytes
    if items < _HALVED:
        return items, size
    return items // 2, size // 2 if size >= _HALVED else size


def inbox_full(limits: Limits) -> Refusal:
    """What a sender is told whose message finds no room (M9)."""
    return Refusal(Code.SENDMESSAGE_E_OTHER, f"the peer's inbox is full: it holds {_room(limits)}")


def half_full(limits: Limits) -> Refusal:
    """What a sender is told who has used up his part of an inbox (M9)."""
    return Refusal(
        Code.SENDMESSAGE_E_OTHER,
        f"half of the peer's inbox is yours: it holds {_room(limits)}, of one sender half of that",
    )


def too_much_untaken(limits: Limits) -> Refusal:
    """What a sender is told of whose messages too much waits to be taken, in whatever inboxes (E6)."""
    bounds = {"messages": limits.untaken_messages, "bytes": limits.untaken_bytes}
    most = " and ".join([f"{number} {what}" for what, number in bounds.items() if number])
    return Refusal(Code.SENDMESSAGE_E_OTHER, f"what you have sent and nobody has taken may be {most} at most")


def _room(limits: Limits) -> str:
    return f"{limits.inbox_messages} messages and {limits.inbox_bytes} bytes at most"
