"""A bounded stream from the engine to an `async for` of the application.

It ends with `StopAsyncIteration` or with an error, after everything that was put into it has been taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar

__all__ = ["Stream"]

Item = TypeVar("Item")


class Stream(Generic[Item]):
    """Items in order, for one consumer at a time.

    When it is full, the oldest item is dropped; `lost` then makes the item that says so, if it is given.
    """

    __slots__ = ("_closed", "_dropped", "_error", "_items", "_lost", "_most", "_waiter")

    def __init__(self, most: int, *, lost: Callable[[int], Item] | None = None) -> None:
        self._most = most
        self._lost = lost
        self._items: deque[Item] = deque()
        self._dropped = 0  # items that found no room since the last one that was taken
        self._waiter: asyncio.Future[None] | None = None  # while somebody waits for an item
        self._closed = False  # nothing more is put in
        self._error: Exception | None = None  # what to end with instead of StopAsyncIteration

    def put(self, item: Item) -> None:
        """Add an item; nothing once the stream is closed."""
        if self._closed:
            return
        if len(self._items) >= self._most:
            self._items.popleft()
            self._dropped += 1
        self._items.append(item)
        if self._waiter is not None:
            self._wake()

    def close(self, error: Exception | None = None) -> None:
        """End the stream behind what is in it; the first end counts."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration if self._error is None else self._error
            if self._waiter is not None:
                raise RuntimeError("somebody else waits for this stream: it has one consumer at a time")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._dropped and self._lost is not None:
            dropped, self._dropped = self._dropped, 0
            return self._lost(dropped)
        return self._items.popleft()
