"""Waiting for what nobody announces: a condition is looked at again and again, within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["until"]

_AGAIN = 0.02  # seconds between two looks


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, within: float = 20.0) -> None:
    """Return as soon as the condition holds; an assertion error if it does not come to hold."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not await condition():
        assert loop.time() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(_AGAIN)
