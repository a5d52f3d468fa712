"""Requests that are repeated because their answer was lost: answered again, not done again (PROTOCOL §12).

Stored messages have a memory of their own, as durable as they are; this one is for everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from signalpost.engine.ports import Pending, Records
from signalpost.services.keys import request_key
from signalpost.services.live import Live

__all__ = ["Requests"]


class Requests:
    """The answers to the requests of the last two minutes that carried an id, and those under way."""

    __slots__ = ("_busy", "_records")

    def __init__(self, records: Records) -> None:
        self._records = records
        self._busy: dict[
            str, Pending
        ] = {}  # by request key: requests that are under way; settled at their end

    async def once(self, live: Live, request: str, act: Callable[[], Awaitable[bytes]]) -> bytes:
        """The answer to this request: what was answered before, or else what `act` returns.

        A repeat that comes while the first is under way waits for it. If that one raises, nothing is
        remembered, and the repeat acts itself, as it would if it had come a moment later. It must not share
        the failure: the first one's connection may have lost the session to the very one that repeats.

        A connection waits for one request at a time, so that no more than the connections wait here.
        """
        key = request_key(live.key, request)
        while (busy := self._busy.get(key)) is not None:
            await busy
        done = self._busy[key] = Pending()
        try:
            entry = await self._records.get(key)
            if entry is not None:
                return entry.value
            answer = await act()
            await self._records.put(key, answer, expect=None, ttl=live.app.limits.request_memory)
            return answer
        finally:
            del self._busy[key]
            done.settle()
