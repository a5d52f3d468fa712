"""What is in a queue, and where it stands."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

__all__ = ["Appended", "Head", "Item"]


class Item(NamedTuple):
    """One element of a queue."""

    seq: int
    body: bytes


class Appended(msgspec.Struct, frozen=True, gc=False):
    """The result of an append. `repeated`: an earlier append with the same dedupe key did it, and
    `seq` and `note` are that one's."""

    seq: int
    note: str
    repeated: bool


class Head(NamedTuple):
    """Where a queue stands: all sequences ≤ `cleared` are gone, `last` is the highest one that
    `read` may return (or that ever may have been: it can be gone), `count` the live visible items.
    A queue without items has `cleared` = `last`, and the next append gets `last` + 1 or higher."""

    cleared: int
    last: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody wants here
