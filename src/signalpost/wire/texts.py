"""What names and texts may look like, for both ends of the wire (SPEC §1, PROTOCOL §14).

A check gives back the fault that it found, or None. It knows the limits in bytes of UTF-8 and the
code points that no name may hold. It refuses to normalise: names are compared as they are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from signalpost.wire.codes import NAME_BYTES, NAME_FORBIDDEN, Code

__all__ = ["Fault", "label_fault", "name_fault", "size_of", "text_fault"]

_FORBIDDEN = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in NAME_FORBIDDEN) + "]")


class Fault(NamedTuple):
    """What is wrong with a text: a code of SPEC §7, and in words what is allowed."""

    code: Code
    reason: str


def size_of(text: str) -> int:
    """The size in bytes of UTF-8; a lone surrogate counts 3."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def name_fault(text: str, what: str) -> Fault | None:
    """Why the text names no account, channel or app: 1005 when too long, else 1004 (SPEC §1)."""
    if not text:
        return Fault(Code.GENERAL_E_WRONG_PARAM, f"{what} is empty: 1 to {NAME_BYTES} bytes are allowed")
    size = size_of(text)
    if size > NAME_BYTES:
        return Fault(Code.GENERAL_E_LARGE_PARAM, f"{what} has {size} bytes: at most {NAME_BYTES} are allowed")
    if found := _FORBIDDEN.search(text):
        return Fault(
            Code.GENERAL_E_WRONG_PARAM,
            f"{what} holds U+{ord(found.group()):04X}: only visible characters are allowed, no spaces",
        )
    return None


def label_fault(text: str, what: str) -> Fault | None:
    """Why the text names no attribute: like a name, but blanks are allowed (SPEC P2, C10)."""
    if not text:
        return Fault(Code.GENERAL_E_WRONG_PARAM, f"{what} is empty: 1 to {NAME_BYTES} bytes are allowed")
    return text_fault(text, what, NAME_BYTES)


def text_fault(text: str, what: str, limit: int) -> Fault | None:
    """Why the text may not be sent: over `limit` bytes (1005), NUL or a lone surrogate in it (1004)."""
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return Fault(
            Code.GENERAL_E_WRONG_PARAM,
            f"{what} holds a lone surrogate: only whole characters are allowed",
        )
    if size > limit:
        return Fault(Code.GENERAL_E_LARGE_PARAM, f"{what} has {size} bytes: at most {limit} are allowed")
    if "\0" in text:
        return Fault(Code.GENERAL_E_WRONG_PARAM, f"{what} holds NUL: any other character is allowed")
    return None
