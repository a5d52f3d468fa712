"""What the extras of calls may say: an invitation's, an answer's, pressed keys' (SPEC K1, K2, K4-K6, K13).

It reads what the system uses. The text itself is passed on untouched (K9).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from signalpost.domain.limits import Limits
from signalpost.domain.names import check_text, whole_number
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import DTMF_KEYS, EXTRA_BYTES, Code

__all__ = ["Invitation", "check_answer_extra", "check_dtmf", "is_phone", "parse_invitation"]

_PHONE = re.compile(r"(\+|00)[1-9][0-9]{2,14}", re.ASCII)
_DTMF = re.compile(r"[0-9*#A-D]+", re.ASCII)


class Invitation(NamedTuple):
    """What an invitation's extra asks of the system (K5, K6, K13)."""

    timeout: float
    require_online: bool
    source_number: bool


def parse_invitation(extra: str, limits: Limits) -> Invitation:
    """Read an invitation's extra: JSON text or empty; 1004 if malformed, 1005 over 8 KiB (K1, K5, K6)."""
    check_text(extra, "extra", EXTRA_BYTES)
    if not extra:
        return Invitation(limits.ring_max, False, False)
    try:
        asked: Any = msgspec.json.decode(extra)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, f"extra has to be JSON text or empty: {error}") from None
    if not isinstance(asked, dict):
        return Invitation(limits.ring_max, False, False)
    seconds = _number(asked.get("_timeout"))
    timeout = min(seconds, limits.ring_max) if seconds > 0 else limits.ring_max
    return Invitation(timeout, _number(asked.get("_require_peer_online")) == 1, bool(asked.get("srcNum")))


def _number(value: object) -> float:
    """A number or digits as text; what is neither counts as absent."""
    if isinstance(value, str):
        value = whole_number(value.strip())
    if not isinstance(value, int | float):
        return 0.0
    return float(min(max(value, 0), 1_000_000_000))  # JSON knows numbers that no float can hold


def is_phone(peer: str, invitation: Invitation) -> bool:
    """Whether the invitation is a phone call: to a number in international form, with the caller's (K13).

    The form of any other name says nothing: an account may be made of digits.
    """
    return invitation.source_number and _PHONE.fullmatch(peer) is not None


def check_answer_extra(extra: str) -> None:
    """Refuse an accept's, refuse's or end's extra over 8 KiB; it is never parsed (K2)."""
    check_text(extra, "extra", EXTRA_BYTES)


class _Keys(msgspec.Struct):
    msgtype: str
    msgdata: str


def check_dtmf(extra: str) -> None:
    """Refuse what is no DTMF message: 1 to 64 of 0-9 * # A-D (K4)."""
    check_text(extra, "extra", EXTRA_BYTES)
    try:
        keys = msgspec.json.decode(extra, type=_Keys)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refusal(
            Code.GENERAL_E_WRONG_PARAM, f'a call\'s message is {{"msgtype":"dtmf","msgdata":"12*#"}}: {error}'
        ) from None
    if keys.msgtype != "dtmf":
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, "a call's message has the msgtype dtmf, and no other")
    if not _DTMF.fullmatch(keys.msgdata):
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, "DTMF takes 0-9, *, #, A-D, at least one")
    if len(keys.msgdata) > DTMF_KEYS:
        raise Refusal(Code.GENERAL_E_LARGE_PARAM, f"DTMF takes at most {DTMF_KEYS} keys at once")
