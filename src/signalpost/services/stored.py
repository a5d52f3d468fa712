"""What rests in the engine, in a versioned form of its own.

One leading byte names the version, MessagePack follows. There has been one version so far. The next one
brings a reader of this along, so that nodes of two versions can run side by side; what is newer than a
program knows it refuses, instead of guessing.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from signalpost.domain.calls import Call
from signalpost.domain.channels import ChannelEvent, Counted
from signalpost.domain.inbox import InboxItem
from signalpost.domain.outcomes import Outcome
from signalpost.domain.sessions import Session

__all__ = [
    "ATTRIBUTES",
    "CALL",
    "COUNTED",
    "EVENT",
    "ITEM",
    "OUTCOME",
    "SESSION",
    "TEXT",
    "TIME",
    "Stored",
    "StoredError",
]

T = TypeVar("T")
_VERSION = 1
_MARK = bytes([_VERSION])


class StoredError(Exception):
    """A value of a version that this program does not know, or that is damaged."""


class Stored(Generic[T]):
    """How one type is stored."""

    __slots__ = ("_decode", "_encode", "_what")

    def __init__(self, type_: type[T]) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(type_).decode
        self._what = str(type_)

    def encode(self, value: T) -> bytes:
        """The stored form."""
        return _MARK + self._encode(value)

    def decode(self, stored: bytes) -> T:
        """The value; raises StoredError."""
        if stored[0] != _VERSION:
            raise StoredError(f"{self._what}: stored by version {stored[0]}, this program knows {_VERSION}")
        try:
            return self._decode(stored[1:])
        except msgspec.MsgspecError as error:
            raise StoredError(f"{self._what}: {error}") from error


SESSION = Stored(Session)
CALL = Stored(Call)
EVENT = Stored(ChannelEvent)
ITEM = Stored(InboxItem)
OUTCOME = Stored(Outcome)
ATTRIBUTES = Stored(dict[str, str])
COUNTED = Stored(Counted)
TEXT = Stored(str)
TIME = Stored(float)
