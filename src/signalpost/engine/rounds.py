"""Rounds: visit the keys of a large mapping a few at a time, so that no visit blocks the loop.

It knows where the round stands. It refuses to know what a visit is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

__all__ = ["Rounds"]


class Rounds:
    """Walks a mapping that changes meanwhile; a key that came during a round waits for the next."""

    __slots__ = ("_mapping", "_rest")

    def __init__(self, mapping: Mapping[str, object]) -> None:
        self._mapping = mapping
        self._rest: Iterator[str] = iter(())  # keys of this round not visited yet; some may be gone

    def some(self, limit: int) -> Iterator[str]:
        """Up to `limit` next keys, lazily: what the caller leaves stays for the next call.

        A round that is over begins anew, with the next call at the earliest.
        """
        first = next(self._rest, None)
        if first is None:
            self._rest = iter(list(self._mapping))
        else:
            yield first
            limit -= 1
        yield from islice(self._rest, limit)
