"""Where a list goes on, as clients get it: a text that says nothing to them."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode

from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import Code

__all__ = ["number_of", "read", "spelled"]


def spelled(cursor: str) -> str:
    """The cursor for a client; "" stays so, as it is the end."""
    return urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def read(cursor: str) -> str:
    """What it stands for. Raises Refusal: 1004."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise _unknown() from None


def number_of(cursor: str) -> int:
    """The number that it stands for, 0 for the first page. Raises Refusal: 1004."""
    text = read(cursor) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise _unknown()
    return int(text)


def _unknown() -> Refusal:
    return Refusal(Code.GENERAL_E_WRONG_PARAM, "cursor: it is none that was given out here")
