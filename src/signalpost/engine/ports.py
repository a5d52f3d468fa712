"""What the services may ask of storage: the whole contract, and nothing of the product.

Each port is a few methods; its docstrings are the promise, and `tests/contract` holds one suite a
port that every implementation passes. Keys and names are text, values are bytes, times are Unix
seconds (float) of the clock that the implementation was given, sizes are bytes.

All methods are coroutines so that a networked engine can implement them. An embedded engine mostly
finishes without suspending; where it must wait (a group commit) it suspends on a `Pending`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec

__all__ = [
    "AddMember",
    "Appended",
    "Change",
    "Clock",
    "Conflict",
    "DeleteAttribute",
    "Edit",
    "Entry",
    "Event",
    "Full",
    "Head",
    "Item",
    "Keep",
    "Member",
    "Pending",
    "Queues",
    "Rate",
    "RateExceeded",
    "Records",
    "RemoveMember",
    "SetAttribute",
    "Snapshot",
    "Timers",
    "TopicHead",
    "Topics",
    "Unavailable",
]

# --- errors -----------------------------------------------------------------------------------
#
# EngineError
# ├── Conflict       somebody else changed the record first: read again and decide again
# ├── Full           the queue has reached its cap: the caller's fault, nothing was stored
# ├── RateExceeded   too many changes in the window: the caller's fault, nothing was changed
# └── Unavailable    the store could not commit (disk full, I/O error): nothing was acknowledged


class EngineError(Exception):
    """Base of what an engine may raise."""


class Conflict(EngineError):
    """The record's revision is not the expected one."""


class Full(EngineError):
    """The queue is at its cap of items or bytes."""


class RateExceeded(EngineError):
    """A rate of the change is used up; `key` is that of the `Rate`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unavailable(EngineError):
    """The store failed to commit."""


# --- time and waiting -------------------------------------------------------------------------


class Clock(Protocol):
    """Unix time in seconds that never steps backwards within a process."""

    def __call__(self) -> float: ...


class Pending:
    """Something that will be settled once: a coroutine awaits it, its driver is told.

    A coroutine that awaits an unsettled `Pending` suspends, yielding the `Pending` itself to whoever
    drives it; the driver registers a callback with `when_settled`. This costs no task and no future.
    """

    __slots__ = ("_callbacks", "_error", "_settled")

    def __init__(self) -> None:
        self._settled = False
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def settled(self) -> bool:
        """Whether `settle` has been called."""
        return self._settled

    def when_settled(self, callback: Callable[[], None]) -> None:
        """Call `callback` at settlement, in order of registration; at once if already settled."""
        if self._settled:
            callback()
        else:
            self._callbacks.append(callback)

    def settle(self, error: BaseException | None = None) -> None:
        """Settle once, with success or `error`; runs the callbacks in this very call.

        All of them, even if some raise: then raises an ExceptionGroup of what they raised.
        """
        assert not self._settled, "a Pending settles once"
        self._settled = True
        self._error = error
        callbacks, self._callbacks = self._callbacks, []
        raised: list[Exception] = []
        for callback in callbacks:
            try:
                callback()
            except Exception as problem:  # one waiter's defect must not strand the others
                raised.append(problem)
        if raised:
            raise ExceptionGroup("callbacks of a Pending", raised)

    def __await__(self) -> Generator[Any, None, None]:
        if not self._settled:
            yield self
        if self._error is not None:
            raise self._error.with_traceback(None)  # many raise the same one


# --- records ----------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A record's value and the revision that a conditional `put` names."""

    value: bytes
    rev: int


class Records(Protocol):
    """Values by key with compare-and-set and a time to live."""

    async def get(self, key: str) -> Entry | None:
        """The live record, or None if there is none or its time is over."""
        ...

    async def put(self, key: str, value: bytes, *, expect: int | None, ttl: float | None) -> int:
        """Store and return the new revision (> 0, never used before for this key).

        `expect`: None whatever is there, 0 nothing may be there, else exactly this revision.
        `ttl`: seconds from now, None for no end; it replaces the earlier one.
        On a durable implementation the value is committed when this returns. Values become visible
        to `get` in the order of the calls, at the latest when this returns.
        Raises Conflict (nothing changed), Unavailable.
        """
        ...

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """Remove; False if there was none. Raises Conflict when `expect` is not its revision."""
        ...

    async def touch(self, key: str, *, ttl: float | None) -> bool:
        """Replace the time to live alone (the revision stays); False if there is no record."""
        ...

    async def keys(self, prefix: str, *, endless: bool = False) -> list[str]:
        """The live keys that begin with `prefix`; `endless`: only those without a time to live."""
        ...

    async def sweep(self) -> int:
        """Let go of some records whose time is over; returns how many."""
        ...


# --- queues -----------------------------------------------------------------------------------


class Item(NamedTuple):
    """One element of a queue."""

    seq: int
    body: bytes


class Appended(msgspec.Struct, frozen=True, gc=False):
    """The result of an append. `repeated`: an earlier append with the same dedupe key did it, and
    `seq` and `note` are that one's."""

    seq: int
    note: str
    repeated: bool


class Head(NamedTuple):
    """Where a queue stands: all sequences ≤ `cleared` are gone, `last` is the highest one that
    `read` may return (or that ever may have been: it can be gone), `count` the live visible items.
    A queue without items has `cleared` = `last`, and the next append gets `last` + 1 or higher."""

    cleared: int
    last: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody wants here


class Queues(Protocol):
    """Ordered queues whose sequence numbers are never used twice.

    A queue's first number is Unix milliseconds x 1000 (of the injected clock) or higher, the next ones
    follow without gaps, except after a restart, a failed commit or a long idle time. No number is
    used twice for a key, whatever crashes and however the clock jumps, as long as `epoch` stays the
    same. An item is visible to `read` and `head` only when it and all items of its queue before it
    are committed.
    """

    @property
    def epoch(self) -> str:
        """A random text that changes whenever numbers could be used again."""
        ...

    async def append(
        self,
        key: str,
        body: bytes,
        *,
        size: int,
        ttl: float,
        max_items: int,
        max_size: int,
        durable: bool,
        note: str = "",
        mark: str = "",
        dedupe: str = "",
        dedupe_ttl: float = 0.0,
    ) -> Appended:
        """Append one item; it is committed (if `durable`) and visible when this returns.

        `size` counts against `max_size` (the sum over the live items); the call raises Full, at once
        and with nothing stored, if the queue would then hold more than `max_items` items or `max_size`
        bytes. Items that are not durable are kept in memory only and vanish in a restart; they keep
        their place in the order. Calls in one tick keep their order.
        `dedupe`: for `dedupe_ttl` seconds a second append to the same `key` with the same text stores
        nothing and returns what the first returned (waiting for it if it is still under way, and
        failing with it); it is as durable as the item, and outlives the item's removal. `note` is a
        short text returned with it. `mark`: a text by which `remove_marked` finds the item, and for which
        `marked` counts it; only for one that is not durable.
        Raises Full, Unavailable.
        """
        ...

    async def read(self, key: str, *, after: int, limit: int) -> list[Item]:
        """Up to `limit` visible live items with a sequence > `after`, ascending."""
        ...

    async def head(self, key: str) -> Head:
        """Where the queue stands."""
        ...

    async def trim(self, key: str, *, upto: int) -> None:
        """Remove all visible items with a sequence ≤ `upto`; an `upto` above `last` removes nothing.

        Not awaited to the disk: a crash may bring the last second's items back.
        """
        ...

    async def remove(self, key: str, seqs: Iterable[int]) -> list[int]:
        """Remove these visible items wherever they stand; returns those that were there, ascending.

        Not awaited to the disk, as with `trim`.
        """
        ...

    async def remove_marked(self, key: str, marks: Collection[str] | None) -> list[int]:
        """Remove the visible items that bear one of these marks, or any if None; returns them, ascending.

        It costs as much as there are marked items, however many others the queue holds.
        """
        ...

    async def marked(self, key: str) -> int:
        """How many items bear a mark, visible or not; it looks at none of them."""
        ...

    async def sweep(self) -> int:
        """Drop what is over its time and forget idle queues; returns how many items went."""
        ...


# --- topics -----------------------------------------------------------------------------------


class Member(NamedTuple):
    """A member's name and the tag that it was added with."""

    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class AddMember:
    """Add a member as the newest, or give one that is there a new tag (its place stays)."""

    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Remove a member if it still has this tag; otherwise the whole change does nothing."""

    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """Set an attribute."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DeleteAttribute:
    """Delete an attribute, if it is there."""

    name: str


Edit = AddMember | RemoveMember | SetAttribute | DeleteAttribute


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` admitted changes under `key` in any `window` seconds (a sliding log)."""

    key: str
    limit: int
    window: float = 1.0


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of a topic's past `read` can give: seconds, events and bytes, whichever ends first."""

    seconds: float
    events: int
    size: int


class Event(NamedTuple):
    """One event of a topic."""

    seq: int
    body: bytes


class Change(NamedTuple):
    """The result of a change. `applied` False: a RemoveMember did not match, nothing happened.
    `seq`: the event's sequence, or the topic's latest if there was no event. `repeated`: a change
    with the same dedupe key was made to this topic before; `seq` and `epoch` are that one's."""

    seq: int
    epoch: str
    applied: bool
    repeated: bool


class TopicHead(NamedTuple):
    """Where a topic stands. `added`: how often a member was added anew in this topic's life."""

    seq: int
    epoch: str
    members: int
    added: int


class Snapshot(NamedTuple):
    """A topic at one instant: `members` the newest `limit`, oldest first."""

    seq: int
    epoch: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody wants here
    members: list[Member]
    attributes: dict[str, str]


Listener = Callable[[str, int, str, bytes], None]  # topic, seq, epoch, event body


class Topics(Protocol):
    """Named sets of members with attributes and an ordered log of events.

    Sequences ascend over *all* topics of an engine (gaps within a topic are normal) and begin at Unix
    milliseconds x 1000 or higher. A topic exists from its first edit until `drop`; `epoch` is a random
    text given to it then. Attributes survive a restart on a durable engine (the topic then has a new
    epoch, no members and no events); nothing else does.
    """

    def sequence_at(self, at: float) -> int:
        """A number that all events since the time `at` exceed, and few before it."""
        ...

    def listen(self, listener: Listener) -> None:
        """Whom to tell each event, once, in order, after the change is in force. One listener."""
        ...

    async def change(
        self,
        topic: str,
        *,
        edits: Sequence[Edit] = (),
        event: bytes | None = None,
        keep: Keep | None = None,
        rates: Sequence[Rate] = (),
        dedupe: str = "",
        dedupe_ttl: float = 0.0,
    ) -> Change:
        """Apply all edits and append the event, in one atomic step; the topic is made if edits need it.

        An event without edits to a topic that does not exist is dropped (`seq` 0, `epoch` ""; not
        remembered under `dedupe`). An event without `keep` cannot be read later: it counts as lost.
        The listener has been told when this returns. Attribute edits are committed when this returns.
        All `rates` are checked before anything is done; a refused change does not count, nor does one
        that is not applied or is a repetition.
        Raises RateExceeded, Unavailable (then the edits are in force, and may not survive a restart).
        """
        ...

    async def head(self, topic: str) -> TopicHead | None:
        """Where the topic stands, or None."""
        ...

    async def snapshot(self, topic: str, *, limit: int) -> Snapshot | None:
        """The topic with its newest `limit` members, or None."""
        ...

    async def attributes(self, topic: str) -> dict[str, str]:
        """The topic's attributes; empty if there is no topic. The caller must not change the dict."""
        ...

    async def member(self, topic: str, name: str) -> str | None:
        """The member's tag, or None."""
        ...

    async def read(self, topic: str, *, after: int) -> tuple[list[Event], int]:
        """The kept events with a sequence > `after`, ascending, and how many more are no longer kept.

        That count is exact for an `after` within twice the time that events are kept, else at most
        the number of all events of the topic.
        """
        ...

    async def drop(self, topic: str, *, if_empty: bool) -> bool:
        """End the topic with its attributes and events; with `if_empty` only if it has no members."""
        ...

    async def names(self) -> list[str]:
        """All topics."""
        ...

    async def sweep(self) -> None:
        """Let go of events and dedupe keys that are over their time."""
        ...


# --- timers -----------------------------------------------------------------------------------


class Timers(Protocol):
    """One deadline a key. What is due is decided by the record, not by the timer: a timer may be
    late, never early."""

    def listen(self, handler: Callable[[str], None]) -> None:
        """Whom to call with a key when its time has come; the timer is gone then."""
        ...

    async def arm(self, key: str, at: float) -> None:
        """Call the handler at `at` (or soon after, at once if past); replaces the key's earlier time."""
        ...

    async def cancel(self, key: str) -> None:
        """Forget the key's time, if it has one."""
        ...
