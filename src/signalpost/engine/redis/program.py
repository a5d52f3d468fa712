"""The program that runs in the store: its parts, put together in their order."""

from __future__ import annotations

import hashlib
from importlib.resources import files

__all__ = ["PROGRAM", "PROGRAM_ID"]

_PARTS = (
    "head",
    "records",
    "buckets",
    "timers",
    "topics",
    "history",
    "rates",
    "changes",
    "nodes",
    "calls",
    "serve",
)


def _read() -> bytes:
    directory = files(__package__) / "program"
    parts = [(directory / f"{part}.lua").read_text("utf-8") for part in _PARTS]
    # By its first line the store refuses all of it, before it begins, where it may not write.
    return "\n".join(["#!lua", *parts]).encode()


PROGRAM = _read()
PROGRAM_ID = hashlib.sha1(PROGRAM, usedforsecurity=False).hexdigest()
