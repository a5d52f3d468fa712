"""How a rule says no: one exception with a code and a sentence.

Refusal            the request is answered with its code and reason; nothing was changed
├── TooMany        a rate is used up: it does not count, and no repeat of it is answered from memory
└── Superseded     the session is no longer this connection's: the connection ends as well

A reason tells a rate from a bound: `too many …` and "second" is the one, the number as configured the other.
"""

from __future__ import annotations

from signalpost.wire.codes import Code

__all__ = ["Refusal", "Superseded", "TooMany"]


class Refusal(Exception):
    """A request that is refused; `code` as in SPEC §7, `reason` says what is wrong and what is allowed."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class TooMany(Refusal):
    """A request above a rate; `what` there are too many of, `allowed` how many are allowed in which time.

    `wait`: in how many seconds one more would be allowed, 0.0 if nobody asks.
    """

    def __init__(self, code: Code, what: str, allowed: str, *, wait: float = 0.0) -> None:
        super().__init__(code, f"too many {what}: {allowed}")
        self.wait = wait


class Superseded(Refusal):
    """A request of a session that another login has ended meanwhile."""

    def __init__(self) -> None:
        super().__init__(Code.GENERAL_E_NOT_LOGIN, "not logged in: another login has ended this session")
