"""How a rule says no: one exception with a code and a sentence.

Refusal            the request is answered with its code and reason; nothing was changed
└── Superseded     the session is no longer this connection's: the connection ends as well
"""

from __future__ import annotations

from signalpost.wire.codes import Code

__all__ = ["Refusal", "Superseded"]


class Refusal(Exception):
    """A request that is refused; `code` as in SPEC §7, `reason` says what is wrong and what is allowed."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Superseded(Refusal):
    """A request of a session that another login has ended meanwhile."""

    def __init__(self) -> None:
        super().__init__(Code.GENERAL_E_NOT_LOGIN, "not logged in: another login has ended this session")
