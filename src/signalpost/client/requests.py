"""Requests that wait for their answer: sent, sent again after a reconnect, or given up.

It knows which functions change something, and so carry a request id (PROTOCOL §12), and with which code
each fails (SPEC E1). All wait equally long, so the oldest is always the first to be given up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from signalpost.wire.client_codec import call_frame
from signalpost.wire.codes import FRAME_BYTES, Code

__all__ = ["INVITE", "JOIN", "LEAVE", "LOGOUT", "Pending", "Requests", "failure_code", "timeout_code"]

JOIN, LEAVE, INVITE, LOGOUT = "channel_join", "channel_leave", "voip_invite", "user_logout"

_QUERY = (Code.QUERYUSERNUM_E_OTHER, Code.QUERYUSERNUM_E_TIMEOUT)
_MESSAGE = (Code.SENDMESSAGE_E_OTHER, Code.SENDMESSAGE_E_TIMEOUT)
_OTHER = (Code.GENERAL_E_FAILED, Code.GENERAL_E_FAILED)

#: The codes of a function's failures, and of its silence (SPEC E1).
_CODES = {
    "user_sendmsg": _MESSAGE,
    "channel_sendmsg": _MESSAGE,
    JOIN: (Code.JOINCHANNEL_E_OTHER, Code.JOINCHANNEL_E_OTHER),
    "channel_query_num": _QUERY,
    "channel_query_user_isin": _QUERY,
    "channel_query_userlist": _QUERY,
    "channel_query_userlist_all": _QUERY,
    INVITE: (Code.INVITE_E_OTHER, Code.INVITE_E_NET),
}

#: What is done twice without harm needs no request id; everything else gets one (PROTOCOL §12).
_HARMLESS = frozenset(
    {
        JOIN,
        "channel_query_num",
        "channel_query_user_isin",
        "channel_query_userlist",
        "channel_query_userlist_all",
        "user_get_attr",
        "user_get_attr_all",
        "user_getmsg",
        "user_query_user_status",
    }
)


def failure_code(func: str) -> Code:
    """The code of a failure that has none of its own."""
    return _CODES.get(func, _OTHER)[0]


def timeout_code(func: str) -> Code:
    """The code of a request that nobody answered."""
    return _CODES.get(func, _OTHER)[1]


class Pending(msgspec.Struct):
    """A request without an answer yet."""

    id: int  #: on the wire
    number: int  #: the caller's; 0 for the machine's own
    func: str
    args: dict[str, Any]
    deadline: float
    call: int = 0  #: the call that it concerns
    sent: bool = False  #: on the connection that there is now


class Requests:
    """The pending requests of one session, oldest first."""

    __slots__ = ("_last", "_pending", "_seconds", "_seed")

    def __init__(self, seed: str, seconds: float) -> None:
        self._seed = seed  # makes request ids unique among all clients of the account
        self._seconds = seconds
        self._last = 0  # the last id given
        self._pending: dict[int, Pending] = {}  # by id, in the order in which they were made

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[Pending]:
        return iter(list(self._pending.values()))

    def add(self, number: int, func: str, args: Mapping[str, Any], now: float, *, call: int = 0) -> Pending:
        """A new request; it waits from now on."""
        self._last += 1
        fields = dict(args)
        if func not in _HARMLESS:
            fields["rid"] = f"{self._seed}-{self._last}"
        pending = Pending(self._last, number, func, fields, now + self._seconds, call)
        self._pending[pending.id] = pending
        return pending

    @staticmethod
    def frame(pending: Pending) -> bytes:
        """What is sent. ValueError if it has more bytes than the server takes (SPEC E5)."""
        frame = call_frame(pending.id, pending.func, pending.args)
        if len(frame) > FRAME_BYTES:
            raise ValueError(f"the request has {len(frame)} bytes: at most {FRAME_BYTES} are allowed")
        return frame

    def once(self, func: str, args: Mapping[str, Any]) -> bytes:
        """What is sent without waiting for an answer."""
        self._last += 1
        return call_frame(self._last, func, args)

    def take(self, id: int) -> Pending | None:
        """The request that was answered; None if nobody waits for it any more."""
        return self._pending.pop(id, None)

    def disconnected(self) -> None:
        """Nothing has been sent on the next connection yet."""
        for pending in self._pending.values():
            pending.sent = False

    @property
    def deadline(self) -> float | None:
        """When the oldest is given up."""
        for pending in self._pending.values():
            return pending.deadline
        return None

    def overdue(self, now: float) -> list[Pending]:
        """Take out what has waited for too long."""
        late = []
        for pending in self._pending.values():
            if pending.deadline > now:
                break
            late.append(pending)
        for pending in late:
            del self._pending[pending.id]
        return late

    def clear(self) -> list[Pending]:
        """Take everything out."""
        everything = list(self._pending.values())
        self._pending.clear()
        return everything
