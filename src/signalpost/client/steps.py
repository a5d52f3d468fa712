"""What goes into the session machine, and what comes out of it besides events.

Times are seconds of a clock that never goes back. `number` and `call` are chosen by the caller, ascending
from 1 and never used twice in one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from signalpost.client.events import Event
from signalpost.wire.codes import Code

__all__ = [
    "Action",
    "Answered",
    "Closed",
    "Drop",
    "Effect",
    "Hurry",
    "Input",
    "Invite",
    "Login",
    "Logout",
    "Open",
    "Opened",
    "Received",
    "Request",
    "Respond",
    "Seen",
    "Tick",
    "Told",
    "Transmit",
    "Unanswered",
]


class Login(msgspec.Struct, frozen=True):
    """Log in. `retries`, `retry_seconds`: how long to try again, whichever is used up first (SPEC L10).

    `token` None: it comes with each `Opened`.
    """

    app_id: str
    account: str
    token: str | None
    retries: int
    retry_seconds: float


class Logout(msgspec.Struct, frozen=True):
    """Log out, behind all that was asked before (SPEC L9, M11)."""


class Request(msgspec.Struct, frozen=True):
    """Call a function of PROTOCOL §5 with checked arguments; its result is `Answered` or `Unanswered`."""

    number: int
    func: str
    args: Mapping[str, Any]


class Invite(msgspec.Struct, frozen=True):
    """Call somebody (SPEC K1). `channel` "": the server makes a name (K10)."""

    call: int
    channel: str
    peer: str
    extra: str


class Action(Enum):
    """What a party does to a call; the value is the function of PROTOCOL §8."""

    ACCEPT = "voip_invite_accept"
    REFUSE = "voip_invite_refuse"
    END = "voip_invite_bye"
    KEYS = "voip_invite_msg"


class Respond(msgspec.Struct, frozen=True):
    """Do something to a call; its result is `Answered` or `Unanswered` (SPEC K2 to K4)."""

    number: int
    call: int
    action: Action
    extra: str


class Told(msgspec.Struct, frozen=True):
    """The application is told of the event that had this mark, now (SPEC S2, M11).

    Only then is an invitation confirmed, and only what was told is acknowledged with a logout.
    """

    mark: int


class Seen(msgspec.Struct, frozen=True):
    """The application has dealt with the event that had this mark (SPEC M6)."""

    mark: int


class Opened(msgspec.Struct, frozen=True):
    """The connection that `Open` asked for is there; `token` where the login left it open."""

    token: str | None = None


class Received(msgspec.Struct, frozen=True):
    """A text came over the connection."""

    text: str | bytes | bytearray | memoryview


class Closed(msgspec.Struct, frozen=True):
    """The connection is gone, or could not be opened."""

    reason: str


class Tick(msgspec.Struct, frozen=True):
    """`deadline` has been reached."""


class Hurry(msgspec.Struct, frozen=True):
    """The network may be back: a pause before the next try is over, once (SPEC L10)."""


Input = Login | Logout | Request | Invite | Respond | Told | Seen | Opened | Received | Closed | Tick | Hurry


class Open(msgspec.Struct, frozen=True):
    """Open a connection; `Opened` or `Closed` is to follow."""


class Transmit(msgspec.Struct, frozen=True):
    """Send a text."""

    text: bytes


class Drop(msgspec.Struct, frozen=True):
    """Close the connection; nothing of it is wanted any more, not even `Closed`."""


class Answered(msgspec.Struct, frozen=True):
    """A request succeeded."""

    number: int
    body: dict[str, Any]


class Unanswered(msgspec.Struct, frozen=True):
    """A request failed, or nobody answered it."""

    number: int
    code: Code
    reason: str


Effect = Open | Transmit | Drop | Answered | Unanswered | Event
