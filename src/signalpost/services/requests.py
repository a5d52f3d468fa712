"""Requests that are repeated because their answer was lost: answered again, not done again (PROTOCOL §12).

Stored messages have a memory of their own, as durable as they are; this one is for everything else.
"""

from __future__ import annotations

from signalpost.engine.ports import Records
from signalpost.services.keys import request_key
from signalpost.services.live import Live

__all__ = ["Requests"]


class Requests:
    """The answers to the requests of the last two minutes that carried an id."""

    __slots__ = ("_records",)

    def __init__(self, records: Records) -> None:
        self._records = records

    async def recall(self, live: Live, request: str) -> bytes | None:
        """What was answered to this request, or None if it is new."""
        entry = await self._records.get(request_key(live.key, request))
        return None if entry is None else entry.value

    async def remember(self, live: Live, request: str, answer: bytes) -> None:
        """Keep the answer for a repeat."""
        memory = live.app.limits.request_memory
        await self._records.put(request_key(live.key, request), answer, expect=None, ttl=memory)
