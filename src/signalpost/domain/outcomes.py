"""What a request came to, as a repetition of it is to see it (PROTOCOL §12)."""

from __future__ import annotations

import msgspec

from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import Code

__all__ = ["Outcome"]


class Outcome(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A result, or a refusal with its code; `result` is what the use case returns."""

    result: str = ""
    code: Code | None = None  #: None for a success
    reason: str = ""

    def again(self) -> str:
        """Return, or raise, the same once more."""
        if self.code is not None:
            raise Refusal(self.code, self.reason)
        return self.result
