"""The kept half: what was promised. Inboxes with their receipts, calls, attributes of users and channels.

`load` asks, `commit` changes, each in one round trip. What a commit changes is in force as a whole or not at
all. In one commit

- all steps that say whether they are durable say the same,
- each record, name of a set, attribute, note and timer is changed at most once,
- the room that a step gives is not yet counted by what another one takes,
- an append with a `dedupe` is the only step.

Keys and names are text, values are bytes, times are Unix seconds (float) of the clock that the
implementation was given, sizes are bytes. Keys of records, sets, queues, topics, charges, notes and timers
are apart from each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol

import msgspec

from signalpost.engine.ports.queues import Appended, Head, Item
from signalpost.engine.ports.steps import Ask, Half, Step

__all__ = [
    "Append",
    "Attribute",
    "Attributes",
    "Bounds",
    "Charge",
    "Charged",
    "Count",
    "DeleteAttribute",
    "DeleteAttributes",
    "Exclude",
    "Fields",
    "HeadOf",
    "Held",
    "Holds",
    "Include",
    "Kept",
    "Marked",
    "Marks",
    "Names",
    "Note",
    "Noted",
    "Remove",
    "RemoveMarked",
    "SetAttribute",
    "Stand",
    "Stretch",
    "Trim",
]

# --- records: Record, Put, Delete and Expect are in `steps` -----------------------------------


class Fields(Ask[Mapping[str, bytes]], frozen=True, gc=False):
    """The fields of the live record, none if there is no record; not to be changed."""

    key: str
    durable: bool = True


# --- sets of names ----------------------------------------------------------------------------


class Names(Ask[Mapping[str, str]], frozen=True, gc=False):
    """The set's names with their values, in the order in which they came; not to be changed."""

    key: str


class Count(Ask[int], frozen=True, gc=False):
    """How many names the set has. It looks at none of them."""

    key: str


class Holds(Ask[str | None], frozen=True, gc=False):
    """The value of the name in the set, or None. It looks at no other."""

    key: str
    name: str


class Include(Step[bool], frozen=True, gc=False):
    """Have the name in the set with this value; the result is whether it is new there.

    `most`: raises Full if the name is new and the set would then have more (0: no bound). A name that is
    there keeps its place. `durable`: the same for all of a set.
    """

    key: str
    name: str
    value: str = ""
    most: int = 0
    durable: bool = True


class Exclude(Step[bool], frozen=True, gc=False):
    """Take the name out of the set if it is there with this value; the result is whether it was."""

    key: str
    name: str
    value: str = ""
    durable: bool = True


# --- queues -----------------------------------------------------------------------------------
#
# A queue's first number is Unix milliseconds x 1000 (of the injected clock) or higher, the next ones follow
# without gaps, except after a restart, a failed commit or a long idle time. No number is used twice for a
# key, whatever crashes and however the clock jumps, as long as `Kept.epoch` stays the same. An item is
# visible only when it and all items of its queue before it are committed.


class Stretch(Ask[list[Item]], frozen=True, gc=False):
    """Up to `limit` visible live items with a number > `after`, ascending."""

    key: str
    after: int
    limit: int


class HeadOf(Ask[Head], frozen=True, gc=False):
    """Where the queue stands."""

    key: str


class Marked(Ask[int], frozen=True, gc=False):
    """How many items bear a mark, visible or not; it looks at none of them."""

    key: str


class Marks(Ask[Collection[str]], frozen=True, gc=False):
    """The marks that items bear, visible or not, each once."""

    key: str


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """What bounds an item: the same for all that is appended under the same rules. None is configured here.

    `ttl`: for how many seconds the item lives. `dedupe_ttl`: for how many its receipt does.
    `max_items`, `max_size`: of a queue's live items, and of the sum of their sizes.
    `part_items`, `part_size`: the same of one source in a queue; 0 is no bound, here and below.
    `all_items`, `all_size`: the same of one source in all queues together.
    """

    ttl: float
    max_items: int
    max_size: int
    part_items: int = 0
    part_size: int = 0
    all_items: int = 0
    all_size: int = 0
    dedupe_ttl: float = 0.0


class Append(Step[Appended], frozen=True, gc=False):
    """Append one item; it is committed (if `durable`) and visible when the commit returns.

    Full if the queue would then hold more than its `bounds` say. Commits of one tick keep their order, and so
    do an item that is not durable and those that are.
    `source`: a text that items have in common, in this queue and in others; Full with it as `part` if the
    queue would then hold too much of it, and with it as `charge` if all queues together would. It is as
    durable as the item; whatever removes the item gives its room back in the same commit.
    `dedupe`: for `dedupe_ttl` seconds a second append to the same `key` with the same text stores nothing
    and returns what the first returned (waiting for it if it is still under way, and failing with it); it is
    as durable as the item, and outlives the item's removal. `note` is a short text returned with it.
    `mark`: a text by which `RemoveMarked` finds the item, and for which `Marked` counts it; only for one that
    is not durable.
    """

    key: str
    body: bytes
    size: int
    bounds: Bounds
    durable: bool = True
    source: str = ""
    note: str = ""
    mark: str = ""
    dedupe: str = ""


class Trim(Step[None], frozen=True, gc=False):
    """Remove all visible items with a number ≤ `upto`; one above the queue's last removes nothing.

    What removes need not be awaited to the disk: a crash may bring the last second's items back.
    """

    key: str
    upto: int


class Remove(Step[list[int]], frozen=True, gc=False):
    """Remove these visible items wherever they stand; the result is those that were there, ascending."""

    key: str
    seqs: Collection[int]


class RemoveMarked(Step[list[int]], frozen=True, gc=False):
    """Remove the items that bear one of these marks, or any if None; the result is these, ascending.

    One that is not visible yet never will be. It costs as much as there are marked items, however many others
    the queue holds.
    """

    key: str
    marks: Collection[str] | None


# --- attributes of topics -----------------------------------------------------------------------


class Attribute(NamedTuple):
    """An attribute's value, and its revision: each change of it has a higher one, its deletion too."""

    value: str
    rev: int


class Stand(NamedTuple):
    """A topic's attributes by name, not to be changed, and a revision: no lower than any that an attribute of
    the topic was given until now, no higher than any that one will be given."""

    attributes: Mapping[str, Attribute]
    rev: int


class Attributes(Ask[Stand], frozen=True, gc=False):
    """The topic's attributes."""

    topic: str


class Charge(NamedTuple):
    """A key that is charged, and how much may be charged to it altogether (0: no bound)."""

    key: str
    max_items: int = 0
    max_size: int = 0


class Held(NamedTuple):
    """How much is charged to a key at present."""

    items: int
    size: int


class Charged(Ask[Held], frozen=True, gc=False):
    """How much is charged to this key: by attributes of topics that name it in `charges`."""

    key: str


class SetAttribute(Step[int], frozen=True, gc=False):
    """Set an attribute; the result is its revision, above all that any attribute of the topic ever had.

    `size` is charged to each of `charges` and given back by whatever changes or deletes the attribute: Full
    with the key as `charge` if more would then be charged to it than its bounds say, unless it is no more
    than before. Always durable.
    """

    topic: str
    name: str
    value: str
    size: int = 0
    charges: tuple[Charge, ...] = ()


class DeleteAttribute(Step[int], frozen=True, gc=False):
    """Delete an attribute; the result is the revision of its deletion, 0 if it was not there."""

    topic: str
    name: str


class DeleteAttributes(Step[int], frozen=True, gc=False):
    """Delete all attributes of the topic; the result is how many there were."""

    topic: str


# --- notes ----------------------------------------------------------------------------------------


class Noted(Ask[bytes | None], frozen=True, gc=False):
    """What is noted of the name under the key, or None. Waits for a commit under way that notes it."""

    key: str
    name: str


class Note(Step[None], frozen=True, gc=False):
    """Remember `value` of the name under the key for `ttl` seconds.

    Conflict if something is noted of it, or is about to be by a commit under way. So of several commits with
    this step one is done, and whoever asks for it then is told what that one noted. It is remembered when all
    else that its commit says is in force, and need not outlive the process.
    `most`: of more names under one key than this the oldest may be forgotten (0: none).
    """

    key: str
    name: str
    value: bytes
    ttl: float
    most: int = 0


# --- the half -----------------------------------------------------------------------------------


class Kept(Half, Protocol):
    """What outlives every session, and, if it is durable, every process.

    What a commit changes is visible in the order of the commits, at the latest when it returns; durable steps
    are stored then. What has such a step may be seen before it is committed, but for the items of queues. A
    commit may raise Full as well, whose `step` says which. One that failed with Uncertain may be in force
    after a restart.
    """

    @property
    def epoch(self) -> str:
        """A random text that changes whenever numbers of queues could be used again."""
        ...

    def listen(self, wake: Callable[[], None]) -> None:
        """Whom to call when `due` may have something. A hint: who is not called asks all the same, now and
        then. One listener."""
        ...
