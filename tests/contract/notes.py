"""What nodes tell each other in these suites."""

from __future__ import annotations

import msgspec

__all__ = ["NOTES", "Mark", "Note"]


class Note(msgspec.Struct, frozen=True):
    """What one node tells another."""

    text: str


class Mark(msgspec.Struct, frozen=True):
    """What a node tells itself, to know that all before has come."""


NOTES = (Note, Mark)
