"""Login tokens: how they are made and judged (SPEC L3, PROTOCOL §4).

A token is `1:APPID:EXPIRY:MD5HEX`. This file knows its spelling and its digest; it has no clock, and
whether an app accepts tokens of another kind (L4) is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from signalpost.wire.codes import REASON_TOKEN_EXPIRED, REASON_TOKEN_WRONG

__all__ = ["check_token", "expiry_of", "make_token"]

#: What follows `1:APPID:`. ASCII digits only; the expiry's text, leading zeros included, is what is digested.
_TAIL: Final = re.compile(r"([0-9]{1,10}):([0-9a-f]{32})")


def make_token(app_id: str, certificate: str, account: str, expires: int) -> str:
    """A token that lets `account` into the app until `expires` (Unix seconds, at most ten digits).

    Raises ValueError for an empty certificate (no token of such an app is right), for an expiry that
    has no place in a token, and for text that is no UTF-8.
    """
    if not certificate:
        raise ValueError("a token needs the app's certificate")
    if not 0 <= expires <= 9_999_999_999:
        raise ValueError("expires must be Unix seconds from 0 to 9999999999")
    return f"1:{app_id}:{expires}:{_digest(app_id, certificate, account, str(expires))}"


def check_token(token: str, *, app_id: str, certificate: str, account: str, now: float) -> str:
    """ "" if the token is right, else the reason to refuse with.

    The digest is judged first: what is forged is wrong, not expired. A token is over *at* its expiry.
    """
    head = f"1:{app_id}:"
    tail = _TAIL.fullmatch(token, len(head)) if token.startswith(head) else None
    if tail is None or not certificate:
        return REASON_TOKEN_WRONG
    expiry, digest = tail.groups()
    try:
        expected = _digest(app_id, certificate, account, expiry)
    except UnicodeEncodeError:  # a lone surrogate: no account that could exist
        return REASON_TOKEN_WRONG
    if not hmac.compare_digest(digest, expected):
        return REASON_TOKEN_WRONG
    return REASON_TOKEN_EXPIRED if int(expiry) <= now else ""


def expiry_of(token: str) -> float:
    """When a token expires, whatever its digest; 0.0 for what is none."""
    tail = _TAIL.search(token)
    return float(tail[1]) if tail and tail.end() == len(token) and token.startswith("1:") else 0.0


def _digest(app_id: str, certificate: str, account: str, expiry: str) -> str:
    text = f"{account}{app_id}{certificate}{expiry}"
    # MD5 is what existing back ends sign with; it is no choice of ours (L3).
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
