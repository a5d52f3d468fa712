"""What both halves of an engine understand: asks and steps about records and timers.

An ask or step is data, never a rule. `load` takes asks and answers them as of one instant; `commit` takes
steps and does all of them or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from signalpost.engine.ports.records import NO_FIELDS

__all__ = ["Answers", "Arm", "Cancel", "Delete", "Due", "Put", "Receipt", "Record", "Results"]

Answers = tuple[Any, ...]
"""One a question, in order; each ask says of what type."""

Results = tuple[Any, ...]
"""One a step, in order; each step says of what type."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """The live record. Answer: its `Entry`, or None if there is none or its time is over."""

    key: str


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What was done to `key` under a dedupe text. Answer: that step's result with `repeated`, or None."""

    key: str
    dedupe: str


class Put(msgspec.Struct, frozen=True, gc=False):
    """Store a record. Result: its new revision (> 0, never used before for this key).

    `expect`: None whatever is there, 0 nothing may be there, else exactly this revision; otherwise the commit
    raises Conflict. `ttl`: seconds from now, None for no end; it replaces the earlier one.
    `fields` (kept records): these are set in the same step, and the record's others stay as they are.
    `durable` (kept records): it must outlive the process that holds it.
    `node` (shared records): whose record it is, "" nobody's; it replaces the earlier one.
    """

    key: str
    value: bytes
    expect: int | None = None
    ttl: float | None = None
    fields: Mapping[str, bytes] = NO_FIELDS
    durable: bool = True
    node: str = ""


class Delete(msgspec.Struct, frozen=True, gc=False):
    """Remove a record. Result: whether there was one. Conflict when `expect` is not its revision (0:
    none)."""

    key: str
    expect: int | None = None


class Arm(msgspec.Struct, frozen=True, gc=False):
    """The key's timer is due at `at`, at once if that is past; replaces the key's earlier time. Result:
    None."""

    key: str
    at: float


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Forget the key's timer, if it has one. Result: None."""

    key: str


class Due(msgspec.Struct, frozen=True, gc=False):
    """A timer whose time has come; `turn` tells it from one that was armed anew under its key."""

    key: str
    at: float
    turn: int
