"""What names and texts may look like (SPEC §1).

It knows the limits in bytes of UTF-8 and the code points that no name may hold. It refuses to
normalise: names are compared as they are.
"""

from __future__ import annotations

import re

from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import NAME_BYTES, NAME_FORBIDDEN, Code

__all__ = ["check_label", "check_name", "check_text", "is_name", "size_of", "whole_number"]

_FORBIDDEN = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in NAME_FORBIDDEN) + "]")

_PLAIN = re.compile(rf"[!-~]{{1,{NAME_BYTES}}}")  # most names: visible ASCII
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def size_of(text: str) -> int:
    """The size in bytes of UTF-8; a lone surrogate counts 3."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def is_name(text: str) -> bool:
    """Whether the text may name an account, a channel or an app: 1 to 128 bytes, all visible."""
    return bool(text) and size_of(text) <= NAME_BYTES and _FORBIDDEN.search(text) is None


def check_name(text: str, what: str) -> None:
    """Refuse what is no name: 1005 when too long, 1004 otherwise (SPEC §1)."""
    if _PLAIN.fullmatch(text):
        return
    if not text:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, f"{what} is empty: 1 to {NAME_BYTES} bytes are allowed")
    if size_of(text) > NAME_BYTES:
        raise Refusal(
            Code.GENERAL_E_LARGE_PARAM,
            f"{what} has {size_of(text)} bytes: at most {NAME_BYTES} are allowed",
        )
    if found := _FORBIDDEN.search(text):
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM,
            f"{what} holds U+{ord(found.group()):04X}: only visible characters are allowed, no spaces",
        )


def check_label(text: str, what: str) -> None:
    """Refuse what cannot name an attribute: like a name, but blanks are allowed (P2, C10)."""
    if not text:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, f"{what} is empty: 1 to {NAME_BYTES} bytes are allowed")
    check_text(text, what, NAME_BYTES)


def check_text(text: str, what: str, limit: int) -> int:
    """Refuse text over `limit` bytes (1005) or with NUL or a lone surrogate (1004); return its size."""
    if text.isascii():
        size = len(text)
    else:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise Refusal(
                Code.GENERAL_E_WRONG_PARAM,
                f"{what} holds a lone surrogate: only whole characters are allowed",
            ) from None
    if size > limit:
        raise Refusal(Code.GENERAL_E_LARGE_PARAM, f"{what} has {size} bytes: at most {limit} are allowed")
    if "\0" in text:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, f"{what} holds NUL: any other character is allowed")
    return size


def whole_number(text: str) -> int | None:
    """The whole number that the text spells in up to 18 digits, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None
