"""Everything that can go wrong, as one tree; each error carries its code of SPEC §7 and says what is allowed.

SignalpostError
├── ArgumentError        1004, 1005   also a ValueError; nothing has been sent
├── NotLoggedIn          1003         there is no session
├── LoginError           201 to 209   the login failed
├── LoggedOut            101 to 107   the session is over
├── MessageError         400, 401     the message was refused, or nobody answered
├── JoinError            300          the channel could not be joined
├── ChannelLeft          601 to 604   this client is in the channel no longer
├── QueryError           500, 501     a query of a channel's members failed
├── CallError            700 to 705   the call failed
└── RequestError         1000 to 1002 anything else failed, or nobody answered
"""

from __future__ import annotations

from signalpost.wire.codes import Code

__all__ = [
    "ArgumentError",
    "CallError",
    "ChannelLeft",
    "JoinError",
    "LoggedOut",
    "LoginError",
    "MessageError",
    "NotLoggedIn",
    "QueryError",
    "RequestError",
    "SignalpostError",
    "error_of",
]


class SignalpostError(Exception):
    """Something that Signalpost refuses, or cannot do."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code  #: the number of SPEC §7
        self.reason = reason  #: what is wrong, and where it helps, what is allowed

    def __str__(self) -> str:
        return f"{self.code:d} {self.code.name}: {self.reason}"


class ArgumentError(SignalpostError, ValueError):
    """An argument is not what it may be; nothing has been sent."""


class NotLoggedIn(SignalpostError):
    """There is no session."""


class LoginError(SignalpostError):
    """The login failed; nothing goes on by itself."""


class LoggedOut(SignalpostError):
    """The session is over; nothing goes on by itself."""


class MessageError(SignalpostError):
    """A message was refused, or nobody confirmed it in time."""


class JoinError(SignalpostError):
    """The channel could not be joined."""


class ChannelLeft(SignalpostError):
    """This client is in the channel no longer."""


class QueryError(SignalpostError):
    """The members of a channel could not be read."""


class CallError(SignalpostError):
    """The call failed."""


class RequestError(SignalpostError):
    """Any other request failed, or nobody answered it in time."""


_BY_CODE: dict[int, type[SignalpostError]] = {
    Code.GENERAL_E_NOT_LOGIN: NotLoggedIn,
    Code.GENERAL_E_WRONG_PARAM: ArgumentError,
    Code.GENERAL_E_LARGE_PARAM: ArgumentError,
}
_BY_HUNDRED: dict[int, type[SignalpostError]] = {
    1: LoggedOut,
    2: LoginError,
    3: JoinError,
    4: MessageError,
    5: QueryError,
    6: ChannelLeft,
    7: CallError,
}


def error_of(code: Code, reason: str) -> SignalpostError:
    """The error that a code stands for."""
    kind = _BY_CODE.get(code) or _BY_HUNDRED.get(code // 100, RequestError)
    return kind(code, reason)
