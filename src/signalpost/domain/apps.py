"""What the server knows of one app, a tenant: its secret and its policies (SPEC §1, L3, L4, P4)."""

from __future__ import annotations

from typing import Literal

import msgspec

from signalpost.domain.limits import Limits

__all__ = ["App"]


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app; the configuration's `[apps.ID]`."""

    certificate: str = ""  #: secret that tokens are made with; empty: no token is right (L3)
    allow_no_token: bool = False  #: `_no_need_token` is accepted (L4)
    any_token: bool = False  #: every token is accepted, the empty one too: `--dev` only (L4)
    lines: Literal["device", "flag"] = "device"  #: who gets v3 message lines (PROTOCOL: The message line)
    watchers: tuple[str, ...] | None = None  #: who may join the special channels; None: any (P4)
    limits: Limits = Limits()
