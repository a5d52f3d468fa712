"""What counts within a second, on machines that may be slow."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["within_a_second"]

_TRIES = 5


def within_a_second(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Begin a test anew where a busy machine took more than the second that counts: then more is allowed."""

    @functools.wraps(test)
    async def repeated(**fixtures: Any) -> None:
        for _ in range(_TRIES):
            began = time.monotonic()
            try:
                return await test(**fixtures)
            except AssertionError:
                if time.monotonic() - began < 1:
                    raise
            if "house" in fixtures:
                fixtures["house"].app = f"app-{uuid.uuid4().hex}"
        await test(**fixtures)

    return repeated
