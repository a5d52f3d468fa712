"""What nodes tell each other in these suites."""

from __future__ import annotations

import msgspec

__all__ = ["InMessagePack", "Mark", "Note"]


class Note(msgspec.Struct, frozen=True, tag=True):
    """What one node tells another."""

    text: str


class Mark(msgspec.Struct, frozen=True, tag=True):
    """What a node tells itself, to know that all before has come."""


class InMessagePack:
    """How they are written."""

    def encode(self, value: Note | Mark) -> bytes:
        return msgspec.msgpack.encode(value)

    def decode(self, stored: bytes) -> Note | Mark:
        return msgspec.msgpack.decode(stored, type=Note | Mark)
