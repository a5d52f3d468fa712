"""The port `Queues`: ordered queues whose numbers are never used twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

import msgspec

__all__ = ["Appended", "Head", "Item", "Queues"]


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


class Queues(Protocol):
    """Ordered queues whose sequence numbers are never used twice.

    A queue's first number is Unix milliseconds x 1000 (of the injected clock) or higher, the next ones
    follow without gaps, except after a restart, a failed commit or a long idle time. No number is
    used twice for a key, whatever crashes and however the clock jumps, as long as `epoch` stays the
    same. An item is visible to `read` and `head` only when it and all items of its queue before it
    are committed.
    """

    @property
    def epoch(self) -> str:
        """A random text that changes whenever numbers could be used again."""
        ...

    async def append(
        self,
        key: str,
        body: bytes,
        *,
        size: int,
        ttl: float,
        max_items: int,
        max_size: int,
        durable: bool,
        part: str = "",
        part_items: int = 0,
        part_size: int = 0,
        note: str = "",
        mark: str = "",
        dedupe: str = "",
        dedupe_ttl: float = 0.0,
    ) -> Appended:
        """Append one item; it is committed (if `durable`) and visible when this returns.

        `size` counts against `max_size` (the sum over the live items); the call raises Full, at once
        and with nothing stored, if the queue would then hold more than `max_items` items or `max_size`
        bytes. Items that are not durable are kept in memory only and vanish in a restart; they keep
        their place in the order. Calls in one tick keep their order.
        `part`: a text that items have in common; the call raises Full as well if the queue would then hold
        more than `part_items` items with it, or `part_size` bytes. It is as durable as the item.
        `dedupe`: for `dedupe_ttl` seconds a second append to the same `key` with the same text stores
        nothing and returns what the first returned (waiting for it if it is still under way, and
        failing with it); it is as durable as the item, and outlives the item's removal. `note` is a
        short text returned with it. `mark`: a text by which `remove_marked` finds the item, and for which
        `marked` counts it; only for one that is not durable.
        Raises Full, Unavailable.
        """
        ...

    async def appended(self, key: str, dedupe: str) -> Appended | None:
        """What an append with this dedupe key did, or None; waits for it as another append would.

        Raises Unavailable.
        """
        ...

    async def read(self, key: str, *, after: int, limit: int) -> list[Item]:
        """Up to `limit` visible live items with a sequence > `after`, ascending."""
        ...

    async def head(self, key: str) -> Head:
        """Where the queue stands."""
        ...

    async def trim(self, key: str, *, upto: int) -> None:
        """Remove all visible items with a sequence ≤ `upto`; an `upto` above `last` removes nothing.

        Not awaited to the disk: a crash may bring the last second's items back.
        """
        ...

    async def remove(self, key: str, seqs: Iterable[int]) -> list[int]:
        """Remove these visible items wherever they stand; returns those that were there, ascending.

        Not awaited to the disk, as with `trim`.
        """
        ...

    async def remove_marked(self, key: str, marks: Collection[str] | None) -> list[int]:
        """Remove the items that bear one of these marks, or any if None; returns them, ascending.

        One that is not visible yet never will be. It costs as much as there are marked items, however many
        others the queue holds.
        """
        ...

    async def marked(self, key: str) -> int:
        """How many items bear a mark, visible or not; it looks at none of them."""
        ...

    async def sweep(self) -> int:
        """Drop what is over its time and forget idle queues; returns how many items went."""
        ...
