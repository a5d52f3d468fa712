"""Login tokens, made by a back end that knows the app's certificate or its secret (SPEC L3, J1)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from signalpost.wire import tokens

__all__ = ["make_token", "make_web_token"]

_DAY = 86_400


def make_token(app_id: str, certificate: str, account: str, *, ttl: float = _DAY) -> str:
    """A token that lets `account` into the app for `ttl` seconds from now; a day if nothing else is said.

    Raises ValueError for an empty certificate, and for a time that no token can hold.
    """
    return tokens.make_token(app_id, certificate, account, int(time.time() + ttl))


def make_web_token(
    secret: str,
    account: str,
    *,
    ttl: float = _DAY,
    algorithm: str = "HS256",
    claims: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """A JSON Web Token that lets `account` into the app with this secret for `ttl` seconds from now.

    `algorithm`: HS256, HS384 or HS512. `claims`: those that it has besides `sub`, `iat` and `exp`, or instead
    of them: `aud`, `iss`, `attrs`, `channels`. Raises ValueError for a secret that is shorter than a hash of
    the algorithm (32, 48, 64 bytes), and for another algorithm.
    """
    from signalpost.wire import web_tokens  # late: most back ends need none

    now = int(time.time())
    full = {"sub": account, "iat": now, "exp": int(now + ttl), **claims}
    return web_tokens.make_web_token(full, secret, algorithm)
