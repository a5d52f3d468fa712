"""Queues and records of a kept half, one method a step: as tests about one of the two like to call it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from signalpost.engine.ports import NO_FIELDS, Appended, Delete, Entry, Head, Item, Put, Receipt, Record
from signalpost.engine.ports.kept import (
    Fields,
    HeadOf,
    Kept,
    Marked,
    Remove,
    RemoveMarked,
    Stretch,
    Trim,
)
from support.steps import append

__all__ = ["QueuesOf", "RecordsOf"]


class QueuesOf:
    """The queues."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    @property
    def epoch(self) -> str:
        """See `Kept.epoch`."""
        return self.kept.epoch

    def __getattr__(self, name: str) -> Any:
        """What the embedded ones have besides."""
        return getattr(self.kept.parts.queues, name)  # type: ignore[attr-defined]

    async def append(self, key: str, body: bytes, **options: Any) -> Appended:
        """See `Append`."""
        [appended] = await self.kept.commit(append(key, body, **options))
        return appended

    async def appended(self, key: str, dedupe: str) -> Appended | None:
        """See `Receipt`."""
        [appended] = await self.kept.load(Receipt(key, dedupe))
        found: Appended | None = appended
        return found

    async def read(self, key: str, *, after: int, limit: int) -> list[Item]:
        """See `Stretch`."""
        return (await self.kept.load(Stretch(key, after, limit)))[0]

    async def head(self, key: str) -> Head:
        """See `HeadOf`."""
        return (await self.kept.load(HeadOf(key)))[0]

    async def trim(self, key: str, *, upto: int) -> None:
        """See `Trim`."""
        await self.kept.commit(Trim(key, upto))

    async def remove(self, key: str, seqs: Iterable[int]) -> list[int]:
        """See `Remove`."""
        return (await self.kept.commit(Remove(key, list(seqs))))[0]

    async def remove_marked(self, key: str, marks: Collection[str] | None) -> list[int]:
        """See `RemoveMarked`."""
        return (await self.kept.commit(RemoveMarked(key, marks)))[0]

    async def marked(self, key: str) -> int:
        """See `Marked`."""
        return (await self.kept.load(Marked(key)))[0]


class RecordsOf:
    """The durable records."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def __getattr__(self, name: str) -> Any:
        """What the embedded ones have besides."""
        return getattr(self.kept.parts.records, name)  # type: ignore[attr-defined]

    async def get(self, key: str) -> Entry | None:
        """See `Record`."""
        return (await self.kept.load(Record(key)))[0]

    async def fields(self, key: str) -> Mapping[str, bytes]:
        """See `Fields`."""
        return (await self.kept.load(Fields(key)))[0]

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        expect: int | None,
        ttl: float | None,
        fields: Mapping[str, bytes] = NO_FIELDS,
    ) -> int:
        """See `Put`."""
        return (await self.kept.commit(Put(key, value, expect, ttl, fields)))[0]

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """See `Delete`."""
        return (await self.kept.commit(Delete(key, expect)))[0]
