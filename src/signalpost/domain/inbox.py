"""What waits in an inbox, and what a client's cursor means (SPEC §4, PROTOCOL §6).

An inbox holds messages and call events in one order of versions. A cursor V says that everything up
to V has been processed; C is what the server has cleared.
"""

from __future__ import annotations

import msgspec

from signalpost.domain.names import check_name, check_text
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import INSTANT_BYTES, Code

__all__ = ["INSTANT", "InboxItem", "check_instant", "inbox_full", "too_fast"]

INSTANT = "instant"


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
    check_name(peer, "account")
    return check_text(text, "message", INSTANT_BYTES)


def too_fast(limit: int) -> Refusal:
    """What a sender above his rate is told (M8)."""
    return Refusal(Code.SENDMESSAGE_E_OTHER, f"too many messages: {limit} in any one second are allowed")


def inbox_full(peer: str) -> Refusal:
    """What a sender is told whose message finds no room (M9)."""
    return Refusal(
        Code.SENDMESSAGE_E_OTHER, f"the inbox of {peer} is full: it has to take its messages first"
    )
