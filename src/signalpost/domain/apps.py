"""What the server knows of one app, a tenant: its secret and its policies (SPEC §1, L3, L4, P4, J1)."""

from __future__ import annotations

from typing import Literal

import msgspec

from signalpost.domain.limits import Limits
from signalpost.domain.webhooks import Endpoint

__all__ = ["App", "WebTokens"]


class WebTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Which JSON Web Tokens an app takes; the configuration's `[apps.ID.jwt]` (J1).

    One of `secret`, `public_key` and `jwks_url` is given.
    """

    secret: str = ""  #: that the app's back end shares
    public_key: str = ""  #: PEM
    jwks_url: str = ""  #: where a provider publishes its keys
    algorithms: tuple[str, ...] = ()  #: empty: what suits the key
    audience: tuple[str, ...] = ()  #: one of these has to be in `aud`; none: there must be no `aud`
    issuer: str = ""  #: what `iss` has to be; empty: anything
    account_claim: str = "sub"  #: which claim says whose token it is
    leeway: float = 30.0  #: seconds by which the issuer's clock may be off

    def __repr__(self) -> str:
        return "<WebTokens>"  # never a secret


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app; the configuration's `[apps.ID]`."""

    certificate: str = ""  #: secret that tokens are made with; empty: no token is right (L3)
    allow_no_token: bool = False  #: `_no_need_token` is accepted (L4)
    any_token: bool = False  #: every token is accepted, the empty one too: `--dev` only (L4)
    md5_tokens: bool = True  #: tokens made with the certificate are accepted (L3, J1)
    jwt: WebTokens | None = None  #: which JSON Web Tokens are accepted; None: none (J1)
    lines: Literal["device", "flag"] = "device"  #: who gets v3 message lines (PROTOCOL: The message line)
    watchers: tuple[str, ...] | None = None  #: who may join the special channels; None: any (P4)
    webhooks: tuple[Endpoint, ...] = ()  #: whom its events are told (W1)
    limits: Limits = Limits()
