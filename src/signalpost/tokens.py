"""Login tokens, made by a back end that knows the app's certificate (SPEC L3)."""

from __future__ import annotations

import time

from signalpost.wire import tokens

__all__ = ["make_token"]

_DAY = 86_400


def make_token(app_id: str, certificate: str, account: str, *, ttl: float = _DAY) -> str:
    """A token that lets `account` into the app for `ttl` seconds from now; a day if nothing else is said.

    Raises ValueError for an empty certificate, and for a time that no token can hold.
    """
    return tokens.make_token(app_id, certificate, account, int(time.time() + ttl))
