"""Attributes of accounts, as something to read and, for one's own, to write (SPEC P2)."""

from __future__ import annotations

import msgspec

from signalpost.client import arguments
from signalpost.client.answers import texts_of
from signalpost.client.api.futures import ask
from signalpost.client.engine import Engine

__all__ = ["Attributes", "OwnAttributes"]

_decode = msgspec.json.Decoder(dict[str, object]).decode


class Attributes:
    """What an account says of itself; anybody in the app may read it."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account

    async def get(self, name: str) -> str:
        """One attribute; "" if it was never set. Raises SignalpostError."""
        body = await ask(self._engine, arguments.get_user_attribute(self._account, name))
        return str(body["value"])

    async def all(self) -> dict[str, str]:
        """All attributes by name; empty for an unknown account. Raises SignalpostError."""
        body = await ask(self._engine, arguments.get_user_attributes(self._account))
        return texts_of(_decode(body["json"]))


class OwnAttributes(Attributes):
    """What this account says of itself."""

    async def set(self, name: str, value: str) -> None:
        """Set one: name 1 to 128 bytes, value at most 8096 bytes, at most 100 an account.

        They live while the account is online and for a day after (P3). Raises ArgumentError, RequestError.
        """
        await ask(self._engine, arguments.set_user_attribute(name, value))
