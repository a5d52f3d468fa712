"""The port `Records`: values by key with compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from signalpost.engine.ports.steps import NO_FIELDS, Entry

__all__ = ["Records"]


class Records(Protocol):
    """Values by key with compare-and-set and a time to live.

    A record may have fields, which are values by name: each is stored apart, so that a change writes what it
    changes, and all of them live and die with their record.
    """

    async def get(self, key: str) -> Entry | None:
        """The live record, or None if there is none or its time is over."""
        ...

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        expect: int | None,
        ttl: float | None,
        fields: Mapping[str, bytes] = NO_FIELDS,
    ) -> int:
        """Store and return the new revision (> 0, never used before for this key).

        `expect`: None whatever is there, 0 nothing may be there, else exactly this revision.
        `ttl`: seconds from now, None for no end; it replaces the earlier one.
        `fields`: these are set in the same step, and the record's others stay as they are.
        On a durable implementation the value is committed when this returns. Values become visible
        to `get` in the order of the calls, at the latest when this returns.
        Raises Conflict (nothing changed), Unavailable.
        """
        ...

    async def fields(self, key: str) -> Mapping[str, bytes]:
        """The live record's fields; the caller must not change them. Raises Unavailable."""
        ...

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """Remove; False if there was none. Raises Conflict when `expect` is not its revision."""
        ...

    async def touch(self, key: str, *, ttl: float | None) -> bool:
        """Replace the time to live alone (the revision stays); False if there is no record."""
        ...

    async def keys(self, prefix: str, *, endless: bool = False) -> list[str]:
        """The live keys that begin with `prefix`; `endless`: only those without a time to live."""
        ...

    async def sweep(self) -> int:
        """Let go of some records whose time is over; returns how many."""
        ...
