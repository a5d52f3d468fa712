"""What a login token may grant besides the login: attributes, and channels that may be joined (SPEC J5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from signalpost.domain.attributes import check_attribute
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import ATTRIBUTES, REASON_TOKEN_WRONG, Code

__all__ = ["NOTHING", "Grants", "check_may_join", "read_grants"]

_PATTERNS: Final = 100  # of channels that one token may name


class Grants(msgspec.Struct, frozen=True):
    """What comes with a login."""

    attributes: Mapping[str, str] = {}  #: that the account has from now on
    channels: tuple[str, ...] | None = None  #: patterns of those that may be joined; None: any


NOTHING: Final = Grants()


def read_grants(claims: Mapping[str, Any], limits: Limits) -> Grants:
    """What a token's claims `attrs` and `channels` grant. Raises Refusal for what makes no sense."""
    attrs, channels = claims.get("attrs"), claims.get("channels")
    if attrs is None and channels is None:
        return NOTHING
    return Grants(_attributes(attrs, limits), _patterns(channels))


def _attributes(attrs: Any, limits: Limits) -> dict[str, str]:
    if attrs is None:
        return {}
    if not isinstance(attrs, dict):
        raise _refused("attrs must be an object of attributes")
    found: dict[str, str] = {}
    for name, value in attrs.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        try:
            found[name] = check_attribute(found, name, text, limits)
        except Refusal as refusal:
            raise _refused(f"attrs: {refusal.reason}") from None
    assert len(found) <= ATTRIBUTES
    return found


def _patterns(channels: Any) -> tuple[str, ...] | None:
    if channels is None:
        return None
    if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels):
        raise _refused("channels must be a list of patterns")
    if len(channels) > _PATTERNS:
        raise _refused(f"channels has at most {_PATTERNS} patterns")
    return tuple(channels)


def _refused(reason: str) -> Refusal:
    return Refusal(Code.LOGIN_E_TOKENWRONG, f"{REASON_TOKEN_WRONG}: {reason}")


def check_may_join(patterns: tuple[str, ...], channel: str) -> None:
    """Refuse a channel that no pattern of the token has (300)."""
    if not any(_matches(pattern, channel) for pattern in patterns):
        raise Refusal(Code.JOINCHANNEL_E_OTHER, "the token of this login does not allow this channel")


def _matches(pattern: str, name: str) -> bool:
    """Whether the name is the pattern, in which `*` stands for any text, also none.

    It takes the earliest place for each part, so that its time does not grow with the number of stars.
    """
    first, *parts = pattern.split("*")
    if not parts:
        return name == first
    *inner, last = parts
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in inner:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
