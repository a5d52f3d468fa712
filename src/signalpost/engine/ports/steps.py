"""What both halves of an engine share: asks, steps, and the few of them that either understands.

An ask is a question, a step a change; both are data and never rules. `load` takes asks and answers them as of
one instant, `commit` takes steps and does all of them or none. The type of what comes back for one is the
parameter of `Ask` and `Step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar, overload

import msgspec

__all__ = [
    "NO_FIELDS",
    "Answers",
    "Arm",
    "Ask",
    "Cancel",
    "Delete",
    "Due",
    "Entry",
    "Expect",
    "Half",
    "Keys",
    "Listed",
    "Put",
    "Receipt",
    "Record",
    "Results",
    "Step",
]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

Answers = tuple[Any, ...]
"""One an ask, in order."""

Results = tuple[Any, ...]
"""One a step, in order."""

NO_FIELDS: Final[Mapping[str, bytes]] = MappingProxyType({})


class Ask(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A question to a half; `T` is what answers it."""


class Step(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A change of a half; `T` is what its result is."""


class Receipt(Ask[Any], frozen=True, gc=False):
    """What was done to `key` under a dedupe text: that step's result with `repeated`, or None.

    Waits for it as another such step would, and raises Unavailable if that one fails.
    """

    key: str
    dedupe: str


# --- records ----------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A record's value and the revision that a conditional step names."""

    value: bytes
    rev: int


class Record(Ask[Entry | None], frozen=True, gc=False):
    """The live record, or None if there is none or its time is over. `durable` as it was put."""

    key: str
    durable: bool = True


class Put(Step[int], frozen=True, gc=False):
    """Store a record; the result is its new revision (> 0, never used before for this key).

    `expect`: None whatever is there, 0 nothing may be there, else exactly this revision: else Conflict.
    `ttl`: seconds from now, None for no end; it replaces the earlier one.
    `fields`: values by name, stored apart, so that a change writes what it changes. These are set in the same
    step, the record's others stay as they are, and all live and die with it. Only `Kept` has them.
    `durable`: whether it must outlive the process. The same for all steps and asks of a key; the shared half
    keeps nothing, whatever it says.
    `node`: whose record it is, "" nobody's; it replaces the earlier one. Only `Shared` knows nodes.
    """

    key: str
    value: bytes
    expect: int | None = None
    ttl: float | None = None
    fields: Mapping[str, bytes] = NO_FIELDS
    durable: bool = True
    node: str = ""


class Delete(Step[bool], frozen=True, gc=False):
    """Remove a record; False if there was none. Conflict if `expect` is not its revision (0: none)."""

    key: str
    expect: int | None = None
    durable: bool = True


class Expect(Step[None], frozen=True, gc=False):
    """Change nothing, but raise Conflict unless the record has this revision (0: there is none)."""

    key: str
    rev: int
    durable: bool = True


class Listed(NamedTuple):
    """A page of names, and the `cursor` behind which the next one is; "" if this was the last."""

    names: list[str]
    cursor: str


class Keys(Ask[Listed], frozen=True, gc=False):
    """The keys of the live records that begin with `prefix`, page by page; of `Kept` those that are not
    durable.

    `cursor`: "" for the first page, else what the page before says; nobody else can read it, and one that
    was never given out leads anywhere, but raises nothing. A key that is there from the first page to the
    last is on one of them at least. One that comes or goes meanwhile may be on none. A page has about `limit`
    keys, in no order that means anything; it may have fewer, or none, and yet not be the last.
    """

    prefix: str
    cursor: str = ""
    limit: int = 1000


# --- timers -----------------------------------------------------------------------------------


class Arm(Step[None], frozen=True, gc=False):
    """Have `due` give this key out at this time (or soon after, at once if past); it replaces the key's
    earlier time."""

    key: str
    at: float
    durable: bool = True


class Cancel(Step[None], frozen=True, gc=False):
    """Forget the key's time, if it has one."""

    key: str
    durable: bool = True


class Due(msgspec.Struct, frozen=True, gc=False):
    """A timer whose time has come; `turn` tells it from one that was armed anew under its key."""

    key: str
    at: float
    turn: int


# --- a half -----------------------------------------------------------------------------------


class Half(Protocol):
    """What both halves can be asked. Each says which asks and steps it knows, and what else it promises."""

    @overload
    async def load(self, a: Ask[A], /) -> tuple[A]: ...
    @overload
    async def load(self, a: Ask[A], b: Ask[B], /) -> tuple[A, B]: ...
    @overload
    async def load(self, a: Ask[A], b: Ask[B], c: Ask[C], /) -> tuple[A, B, C]: ...
    @overload
    async def load(self, a: Ask[A], b: Ask[B], c: Ask[C], d: Ask[D], /) -> tuple[A, B, C, D]: ...
    @overload
    async def load(self, *asks: Ask[Any]) -> tuple[Any, ...]: ...
    async def load(self, *asks: Any) -> Any:
        """The answers, in order, as of one instant. One round trip. Raises Unavailable."""
        ...

    @overload
    async def commit(self, a: Step[A], /) -> tuple[A]: ...
    @overload
    async def commit(self, a: Step[A], b: Step[B], /) -> tuple[A, B]: ...
    @overload
    async def commit(self, a: Step[A], b: Step[B], c: Step[C], /) -> tuple[A, B, C]: ...
    @overload
    async def commit(self, *steps: Step[Any]) -> tuple[Any, ...]: ...
    async def commit(self, *steps: Any) -> Any:
        """Put all in force, in this order, or none; the results, in order. One round trip.

        Raises Conflict, whose `step` says which, or what the half says besides: nothing was changed. Raises
        Unavailable: nothing was acknowledged, and nothing is in force.
        """
        ...

    async def due(self, *, limit: int, lease: float) -> list[Due]:
        """Up to `limit` timers whose time has come, the earliest first. Each is given out again after `lease`
        seconds, unless it is done or armed anew before: so that one whose taker fails is only late. Raises
        Unavailable."""
        ...

    async def done(self, *due: Due) -> None:
        """Forget these timers, but those that were armed anew or cancelled meanwhile. Raises Unavailable."""
        ...
