"""Keys of back ends and operators: what they look like, what they may do, who may use them (SPEC A1).

A key is `spk_ID_SECRET`. It knows texts and digests. It refuses to know who keeps the keys and what is asked
with them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import msgspec

__all__ = ["KEY_ID", "MOST_DIGESTS", "SECRET", "Key", "Keyring", "Scope", "digest_of", "spelled"]

_KEY: Final = re.compile(r"spk_([A-Za-z0-9-]{1,32})_([A-Za-z0-9_-]{32,128})", re.ASCII)
KEY_ID: Final = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)  #: what a key may be called
SECRET: Final = re.compile(
    r"[A-Za-z0-9_-]{32,128}", re.ASCII
)  #: what a secret may be: 192 random bits at least
MOST_DIGESTS: Final = 2  # so that a secret can be changed without anybody being locked out
_NOBODY: Final = "0" * 64  # no secret has this digest


class Scope(StrEnum):
    """What may be asked with a key."""

    READ = "read"  #: look
    SEND = "send"  #: send messages, ring
    MANAGE = "manage"  #: change what others have: attributes, sessions, channels, calls; make tokens
    ADMIN = "admin"  #: change what the server does; operators' keys only


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key, of which the secret itself is not known."""

    id: str
    app: str  #: the app that it is for; "" for an operator's, which is for all of them
    digests: tuple[str, ...]  #: of its secrets: one, or two while it is being changed
    scopes: frozenset[Scope]
    networks: tuple[IPv4Network | IPv6Network, ...] = ()  #: from where it may be used; empty: from anywhere

    def may_come_from(self, address: str) -> bool:
        """Whether it may be used from there."""
        if not self.networks:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self.networks)

    def __repr__(self) -> str:
        return f"<Key {self.id}>"  # a digest is of no use to anybody who reads it, but of none either


def digest_of(secret: str) -> str:
    """What is kept of a secret; it is random and long, so that nothing slow is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def spelled(id: str, secret: str) -> str:
    """A key as it is given to somebody."""
    return f"spk_{id}_{secret}"


class Keyring:
    """All keys, by their ids."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: Mapping[str, Key] = {key.id: key for key in keys}

    def find(self, text: str) -> Key | None:
        """The key that this text is; None if it is none. It takes as long whether the id is known or not."""
        match = _KEY.fullmatch(text)
        if match is None:
            return None
        id, secret = match.groups()
        key = self._keys.get(id)
        given = digest_of(secret)
        right = [hmac.compare_digest(given, each) for each in (key.digests if key else (_NOBODY,))]
        return key if any(right) else None
