"""What a user may say of himself: user attributes (SPEC P2, P3, L11).

It knows the limits and the one built-in, `_conn_timeout`. It does not know how long they are kept.
"""

from __future__ import annotations

from collections.abc import Collection

from signalpost.domain.limits import Limits
from signalpost.domain.names import check_label, check_text, whole_number
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import ATTR_CONN_TIMEOUT, ATTRIBUTE_VALUE_BYTES, ATTRIBUTES, Code

__all__ = ["check_attribute"]


def check_attribute(names: Collection[str], name: str, value: str, limits: Limits) -> str:
    """The value as it is stored; 1004, 1005 for what is not allowed, 1001 above 100 (P2).

    `names`: those of the attributes that the account has.

    `_conn_timeout` takes digits and is stored clamped, so that it reads back as it works (L11).
    """
    check_label(name, "attribute name")
    check_text(value, "attribute value", ATTRIBUTE_VALUE_BYTES)
    if name == ATTR_CONN_TIMEOUT:
        seconds = whole_number(value)
        if seconds is None:
            raise Refusal(
                Code.GENERAL_E_WRONG_PARAM,
                f"{ATTR_CONN_TIMEOUT} takes a whole number from {limits.grace_min:g} to {limits.grace_max:g}",
            )
        value = str(min(max(seconds, limits.grace_min), limits.grace_max)).removesuffix(".0")
    if name not in names and len(names) >= ATTRIBUTES:
        raise Refusal(Code.GENERAL_E_FAILED, f"the account has {ATTRIBUTES} attributes: no more are allowed")
    return value
