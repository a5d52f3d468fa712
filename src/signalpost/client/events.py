"""What a client is told, as frozen types: the session, its inbox, its channels, its calls.

`mark` names the inbox item that an event came with; the engine is told it when the application has
dealt with the event, and only then is the item acknowledged (SPEC M6). 0: there is none.
`call` is this client's own number of a call. Accounts and channels are names (SPEC §1).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from signalpost.wire.codes import Code

__all__ = [
    "AttributeChanged",
    "CallAccepted",
    "CallEnded",
    "CallEvent",
    "CallFailed",
    "CallIncoming",
    "CallKeys",
    "CallNamed",
    "CallReceived",
    "CallRefused",
    "Change",
    "ChannelJoined",
    "ChannelLeft",
    "ChannelMessage",
    "Event",
    "EventsLost",
    "Level",
    "LoggedIn",
    "LoggedOut",
    "LoginFailed",
    "MemberJoined",
    "MemberLeft",
    "Message",
    "Note",
    "Problem",
    "Reconnected",
    "Reconnecting",
]


class Level(StrEnum):
    """How much a line of the log matters, in ascending order (SPEC S8)."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"


class Change(StrEnum):
    """What happened to an attribute (SPEC C10)."""

    UPDATE = "update"
    DELETE = "del"
    CLEAR = "clear"


class Event(msgspec.Struct, frozen=True):
    """Anything that the engine tells."""


class Note(Event, frozen=True):
    """A line for the log; never a token or a message (SPEC S8)."""

    level: Level
    text: str


class Problem(Event, frozen=True):
    """Something went wrong that no request is to blame for (SPEC C9, E3)."""

    name: str
    code: Code
    reason: str


# --- the session ------------------------------------------------------------------------------


class LoggedIn(Event, frozen=True):
    """The login succeeded (SPEC L1)."""


class LoginFailed(Event, frozen=True):
    """The login failed; nothing goes on by itself (SPEC L1)."""

    code: Code
    reason: str


class Reconnecting(Event, frozen=True):
    """The connection is lost, and the `attempt`-th try to have it back begins; from 1 (SPEC L10)."""

    attempt: int


class Reconnected(Event, frozen=True):
    """The connection is back. `resumed`: so is the session; else it is a new one (SPEC S7)."""

    resumed: bool


class LoggedOut(Event, frozen=True):
    """The session is over; nothing goes on by itself (SPEC L9, L10)."""

    code: Code
    reason: str


# --- point to point ---------------------------------------------------------------------------


class Message(Event, frozen=True):
    """A message to this account (SPEC M2). `id`: the server's. `time`: Unix seconds, when it was sent."""

    sender: str
    text: str
    id: str
    time: int
    mark: int


# --- channels ---------------------------------------------------------------------------------


class ChannelJoined(Event, frozen=True):
    """This client is in the channel. `members`: the latest 200, oldest first, oneself last (SPEC C1)."""

    channel: str
    members: tuple[str, ...]
    attributes: dict[str, str]


class ChannelLeft(Event, frozen=True):
    """This client is in the channel no longer; why is in the code: 601 to 604 (SPEC C3)."""

    channel: str
    code: Code


class MemberJoined(Event, frozen=True):
    """Somebody else joined (SPEC C1)."""

    channel: str
    account: str


class MemberLeft(Event, frozen=True):
    """Somebody else left (SPEC C3)."""

    channel: str
    account: str


class ChannelMessage(Event, frozen=True):
    """A message to the channel; one's own come as well (SPEC C4). `time`: Unix seconds."""

    channel: str
    sender: str
    text: str
    id: str
    time: int


class AttributeChanged(Event, frozen=True):
    """An attribute of the channel changed (SPEC C10); `account` is "" if nobody changed it."""

    channel: str
    account: str
    name: str
    value: str
    change: Change


class EventsLost(Event, frozen=True):
    """So many events of the channel were missed and are not kept any more (SPEC C9)."""

    channel: str
    count: int


# --- calls ------------------------------------------------------------------------------------


class CallEvent(Event, frozen=True):
    """Anything that happens to a call."""

    call: int
    channel: str
    peer: str


class CallIncoming(CallEvent, frozen=True):
    """It rings: `peer` invites this account. It is confirmed when the application is told (SPEC K1, S2)."""

    extra: str
    mark: int


class CallNamed(CallEvent, frozen=True):
    """The server took the invitation; `channel` is now known, also if the server made it (SPEC K10)."""


class CallReceived(CallEvent, frozen=True):
    """The peer's device has the invitation: once at most, before any answer (SPEC K1)."""

    extra: str
    mark: int


class CallAccepted(CallEvent, frozen=True):
    """The peer accepted (SPEC K2)."""

    extra: str
    mark: int


class CallRefused(CallEvent, frozen=True):
    """The peer refused; the call is over (SPEC K2)."""

    extra: str
    mark: int


class CallFailed(CallEvent, frozen=True):
    """The call is over because it failed: 700 to 705, 1003 to 1005 (SPEC K5 to K8)."""

    code: Code
    reason: str
    mark: int = 0


class CallEnded(CallEvent, frozen=True):
    """The call is over because one side ended it (SPEC K3)."""

    by_peer: bool
    extra: str
    mark: int = 0


class CallKeys(CallEvent, frozen=True):
    """The peer pressed keys (SPEC K4); `extra` is the text in which they came."""

    keys: str
    extra: str
    mark: int
