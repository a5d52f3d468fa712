"""Names and texts that a request brings: refused if they are not what `wire.texts` allows (SPEC §1)."""

from __future__ import annotations

import re
from typing import Final

from signalpost.domain.refusals import Refusal
from signalpost.wire import texts
from signalpost.wire.codes import NAME_BYTES

__all__ = ["check_label", "check_name", "check_text", "is_name", "is_plain", "whole_number"]

is_plain: Final = re.compile(rf"[!-~]{{1,{NAME_BYTES}}}").fullmatch
"""Whether a text is a name as most are: visible ASCII."""

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether the text may name an account, a channel or an app: 1 to 128 bytes, all visible."""
    return bool(is_plain(text)) or texts.name_fault(text, "") is None


def check_name(text: str, what: str) -> None:
    """Refuse what is no name: 1005 when too long, 1004 otherwise (SPEC §1)."""
    if not is_plain(text):
        _require_none(texts.name_fault(text, what))


def check_label(text: str, what: str) -> None:
    """Refuse what cannot name an attribute: like a name, but blanks are allowed (P2, C10)."""
    _require_none(texts.label_fault(text, what))


def check_text(text: str, what: str, limit: int) -> int:
    """Refuse text over `limit` bytes (1005) or with NUL or a lone surrogate (1004); return its size."""
    if text.isascii() and len(text) <= limit and "\0" not in text:
        return len(text)
    _require_none(texts.text_fault(text, what, limit))
    return texts.size_of(text)


def whole_number(text: str) -> int | None:
    """The whole number that the text spells in up to 18 digits, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def _require_none(fault: texts.Fault | None) -> None:
    if fault is not None:
        raise Refusal(*fault)
