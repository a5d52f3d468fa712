"""What clients may send, as types (PROTOCOL §2).

Types are as wide as the rules need to name what is wrong; a missing field is not an error of the
frame but of the request that it makes. Arguments of a call stay raw until the call's id is known.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "Call",
    "CallBody",
    "ClientFrame",
    "Frame",
    "LineLogin",
    "Login",
    "LoginFields",
    "Ping",
    "SetFlag",
    "Unreadable",
]


class LoginFields(msgspec.Struct):
    """The argument of `login`; `line`, `inbox` and `channels` are our own SDKs' (PROTOCOL §12)."""

    vid: Any = None
    account: Any = None
    token: Any = None
    device: Any = None
    line: Any = None
    inbox: Any = None
    channels: Any = None


class Login(msgspec.Struct, array_like=True, tag="login"):
    """`["login", {…}]`; whatever stands there, a login is answered."""

    argument: Any = None

    @property
    def fields(self) -> LoginFields:
        """The fields; None where there are none."""
        given = self.argument if isinstance(self.argument, dict) else {}
        return LoginFields(*map(given.get, LoginFields.__struct_fields__))


class LineLogin(msgspec.Struct, array_like=True, tag="line_login"):
    """`["line_login", {"line": L}]`: known, and not offered."""

    fields: Any = None


class SetFlag(msgspec.Struct, array_like=True, tag="set_flag"):
    """`["set_flag", {"binary": 1}]`"""

    flags: dict[str, Any]


class Ping(msgspec.Struct, array_like=True, tag="ping"):
    """`["ping", n]`"""

    number: int | float


class CallBody(msgspec.Struct, array_like=True):
    """`[func, id, args]`"""

    func: Any
    id: int | str
    args: msgspec.Raw = msgspec.Raw(b"{}")


class Call(msgspec.Struct, array_like=True, tag="call2"):
    """`["call2", [func, id, args]]`"""

    body: CallBody


class Unreadable(msgspec.Struct):
    """A call of which no more than its id could be read."""

    id: int | str
    reason: str


ClientFrame = Login | LineLogin | SetFlag | Ping | Call
Frame = ClientFrame | Unreadable
