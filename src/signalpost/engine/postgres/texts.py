"""How the port's texts and numbers travel: as UTF-8, since a text of PostgreSQL cannot hold U+0000."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

__all__ = ["LARGEST", "fit", "stripes_of"]

LARGEST: Final = 2**63 - 1  # a bigint
_STRIPES: Final = 1024  # locks that all keys share


def fit(number: int) -> int:
    """The number, or the nearest that PostgreSQL can hold: nothing that is stored lies between."""
    return max(-LARGEST, min(number, LARGEST))


def stripes_of(keys: Iterable[bytes]) -> list[int]:
    """The locks of these keys, each once, ascending; every node finds the same."""
    return sorted({crc32(key) % _STRIPES for key in keys})
