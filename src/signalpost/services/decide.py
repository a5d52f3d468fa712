"""Load, rule, commit, until nobody was faster: the one loop that every use case retries in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from signalpost.engine.ports import Conflict, Unavailable

__all__ = ["TRIES", "decide"]

T = TypeVar("T")

TRIES: Final = 16  # somebody else was successful each time: more in a row are no accident


def _unheeded(conflict: Conflict) -> None:
    """An attempt finds out by itself what is different."""


async def decide(
    attempt: Callable[[], Awaitable[T]],
    *,
    tries: int = TRIES,
    heed: Callable[[Conflict], None] = _unheeded,
) -> T:
    """What comes of `attempt`, which loads what it needs anew, lets the rule decide, and commits.

    It is tried again when it raises Conflict, of which `heed` is told, so often at most. Raises Unavailable
    when that has not helped often enough, and whatever else it raises at once: a refusal, Full.
    """
    for _ in range(tries):
        try:
            return await attempt()
        except Conflict as conflict:
            heed(conflict)
    raise Unavailable(f"others changed it {tries} times in a row")
