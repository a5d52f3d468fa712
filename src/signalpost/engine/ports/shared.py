"""The port `Shared`: what all nodes see and what may vanish with the process that holds it.

Sessions and other records, topics (who is in them, a copy of their attributes, and a log of what happened),
rates, timers, and the nodes themselves. Losing all of it is what a restart of one node is: clients log in
again, and what was promised to them lies in `Kept`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from signalpost.engine.ports.kept import Attribute
from signalpost.engine.ports.steps import Ask, Half, Listed, Step

__all__ = [
    "Absent",
    "AddMember",
    "Begin",
    "Behind",
    "Change",
    "Changed",
    "DeleteAttribute",
    "Drop",
    "Edit",
    "Event",
    "Keep",
    "Listener",
    "Nodes",
    "Page",
    "Past",
    "Place",
    "Rate",
    "RemoveMember",
    "SetAttribute",
    "Shared",
    "Since",
    "Snapshot",
    "Spend",
    "Topic",
    "Topics",
]


NO_ATTRIBUTES: Final[Mapping[str, Attribute]] = MappingProxyType({})


# --- asks -------------------------------------------------------------------------------------


class Since(Ask[float], frozen=True, gc=False):
    """Since when all this is known; what was so before, nobody can say. Answer: a time."""


class Topic(Ask["Snapshot | None"], frozen=True, gc=False):
    """The topic with its newest `limit` members. Answer: a `Snapshot`, or None if there is no such topic."""

    topic: str
    limit: int = 0


class Topics(Ask[Listed], frozen=True, gc=False):
    """The names of the topics that begin with `prefix`, page by page, as `Keys` lists records."""

    prefix: str
    cursor: str = ""
    limit: int = 1000


class Place(Ask[str | None], frozen=True, gc=False):
    """A member's place in a topic. Answer: the tag that it was added with, or None."""

    topic: str
    name: str


class Past(Ask["Page | None"], frozen=True, gc=False):
    """What happened in a topic behind the offset `after`. Answer: a `Page`, or None if there is no such
    topic.

    Not more than `events` events, nor more than `size` bytes of them, but one at least if there are any.
    `member`: nothing that happened before this member was added anew, nor that very event, if it is there.
    """

    topic: str
    after: int
    events: int
    size: int
    member: str = ""


class Behind(Ask[int], frozen=True, gc=False):
    """How far a reader surely came that was told of a topic up to `upto`, but may have lost the end of it.

    Answer: the highest offset that is at most `upto` (None: the latest), whose event and all before it are
    older than the time `at` (None: any are), and behind which kept events of `size` bytes at least follow up
    to there; if fewer are kept, the offset before all of them. 0 if there is no such topic.
    """

    topic: str
    upto: int | None = None
    size: int = 0
    at: float | None = None


# --- steps ------------------------------------------------------------------------------------


class Begin(msgspec.Struct, frozen=True, gc=False):
    """Make the topic if there is none, with these attributes; else this does nothing. It comes first.

    Revisions ascend over all attributes of a topic. So an edit of one that is not among these is taken only
    if it is newer than all of them.
    """

    attributes: Mapping[str, Attribute] = NO_ATTRIBUTES


class AddMember(msgspec.Struct, frozen=True, gc=False):
    """Add a member as the newest, or give one that is there a new tag: its place stays, and that is no news.

    The commit raises Conflict if there is no such topic and no `Begin` before this in the change.
    """

    name: str
    tag: str


class RemoveMember(msgspec.Struct, frozen=True, gc=False):
    """Remove a member if it still has this tag; otherwise the whole change does nothing."""

    name: str
    tag: str


class SetAttribute(msgspec.Struct, frozen=True, gc=False):
    """Set the copy of an attribute, if there is such a topic and `rev` is higher than what the copy has."""

    name: str
    value: str
    rev: int


class DeleteAttribute(msgspec.Struct, frozen=True, gc=False):
    """Delete the copy of an attribute, if `rev` is higher than what it has."""

    name: str
    rev: int


Edit = Begin | AddMember | RemoveMember | SetAttribute | DeleteAttribute


class Rate(msgspec.Struct, frozen=True, gc=False):
    """At most `limit` changes of the topic under this name in any `window` seconds (a sliding log).

    `attribute`: if the topic has an attribute of this name, its value is the limit, but at most `most`.
    """

    name: str
    limit: int
    window: float = 1.0
    attribute: str = ""
    most: int = 0


class Keep(msgspec.Struct, frozen=True, gc=False):
    """How much of a topic's past can be read: seconds, events and bytes, whichever ends first."""

    seconds: float
    events: int
    size: int


class Change(Step["Changed"], frozen=True, gc=False):
    """Apply all edits and append the event, in one atomic step. Result: a `Changed`.

    `event` is appended if one of the edits made news, or if there are none; not into a topic that does not
    exist, and not if the topic's attribute `unless[0]` has the value `unless[1]`. A change without any edit
    and of no topic counts against no rate and is not remembered.
    `rates` are checked before anything is done: the commit raises RateExceeded, and none counts. A change
    that makes no news does not count either.
    `dedupe`: for `dedupe_ttl` seconds a second change of the topic with this text does nothing, and its
    result is that of the first with `repeated`, which shows nothing.
    `follows`: it is made only if the change before it in this commit made news.
    `show`: if not negative, the result shows the topic behind the change, with its newest so many members.
    """

    topic: str
    edits: tuple[Edit, ...] = ()
    event: bytes | None = None
    keep: Keep = Keep(0.0, 0, 0)
    rates: tuple[Rate, ...] = ()
    dedupe: str = ""
    dedupe_ttl: float = 0.0
    unless: tuple[str, str] | None = None
    follows: bool = False
    show: int = -1


class Drop(Step[bool], frozen=True, gc=False):
    """End a topic with its attributes and its past; `if_empty`: only if it has no members. Result: whether
    it was ended."""

    topic: str
    if_empty: bool = True


class Absent(Step[None], frozen=True, gc=False):
    """Change nothing, but raise Conflict if there is such a topic."""

    topic: str


class Spend(Step[None], frozen=True, gc=False):
    """Count one happening under `key` against a bucket: `burst` at once, `rate` a second come back.

    The commit raises RateExceeded with how long to `wait`, and it does not count. Result: None.
    """

    key: str
    rate: float
    burst: int


# --- answers and results ----------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a topic, and when it happened."""

    offset: int
    time: float
    body: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """A topic at one instant. `members`: the newest that were asked for, oldest first. `added`: how often one
    was added anew in its life. `emptied`: since when it has no members; 0.0 while it has. The attributes must
    not be changed."""

    offset: int
    epoch: str
    count: int
    members: tuple[str, ...]
    attributes: Mapping[str, str]
    added: int
    emptied: float


class Page(msgspec.Struct, frozen=True):
    """Part of a topic's past, in order. `lost`: how many events between what was asked for and the first of
    these are kept no longer. `head`: the topic's latest offset, `head_time` when that event happened (0.0:
    there was none). `after`: behind which offset this is; as was asked for, or where the member came."""

    events: tuple[Event, ...]
    lost: int
    head: int
    head_time: float
    epoch: str
    after: int


class Changed(msgspec.Struct, frozen=True, gc=False):
    """What a change did. `offset`: that of its event, or the topic's latest if it appended none; 0 if there
    is no such topic. `applied`: False if a member that was to be removed was not there with its tag, or if
    the change that it follows made no news. `news`: an edit was one, or there was none. `told`: its event
    was appended. `repeated`: it was made before. `count`: the topic's members now. `shown`: as
    `Change.show` said; None if there is no such topic."""

    offset: int
    epoch: str
    applied: bool = True
    news: bool = True
    told: bool = False
    repeated: bool = False
    count: int = 0
    shown: Snapshot | None = None


Listener = Callable[[str, str, Event], None]
"""Told a topic, its epoch, and what happened in it. It must not raise."""


# --- the port ---------------------------------------------------------------------------------


class Nodes(Protocol):
    """Who shares this. A node is one run of a program: one that starts again is another."""

    @property
    def me(self) -> str:
        """The name of this one; no two ever have the same."""
        ...

    async def beat(self) -> None:
        """This node lives. A record that names a node is its for as long as it beats."""
        ...

    async def silent(self, seconds: float) -> dict[str, float]:
        """Other nodes that are known and have not beaten for so long, each with for how long; a node is known
        from its first beat."""
        ...

    async def forget(self, node: str) -> None:
        """A node is known no longer; what names it stays."""
        ...

    async def records_of(self, node: str) -> list[str]:
        """The keys of the live records that name this node."""
        ...

    async def send(self, node: str, note: msgspec.Struct) -> None:
        """Tell a node something, at most once, in order; lost if it is gone. It may be this one."""
        ...

    async def tell(self, key: str, note: msgspec.Struct) -> None:
        """Tell the node that this record names, as `send`; nobody if there is no such record, or it names
        none."""
        ...

    def listen(self, handler: Callable[[msgspec.Struct], None]) -> None:
        """Whom to hand what this node is told. It must not raise."""
        ...


class Shared(Half, Protocol):
    """Records, topics, rates and timers that all nodes see.

    *Records* have a revision (> 0, never used before for the key) and maybe a time to live.

    *Topics* have members with tags, copies of attributes that are kept elsewhere, and a log of events with
    offsets: 1, 2, 3 … for as long as the topic lives, which its `epoch`, a random text, stands for. A topic
    lives from its `Begin` until it has neither members nor attributes, or is dropped. A node that `follow`s
    a topic is told each of its events, in the order of the offsets; one that finds an offset missing reads
    it.

    *Timers*: one deadline a key. What is due is decided by records, not by timers: a timer may be late.

    It is asked `Record`, `Keys`, `Receipt` (of a `Change`) and the asks above. Its steps are those above,
    `Put`, `Delete`, `Expect`, `Arm` and `Cancel`. What they demand (revisions, rates, that there is a topic)
    is judged by what was there before the commit, which may raise RateExceeded as well.
    """

    async def follow(self, topic: str) -> None:
        """Tell the listener the topic's events: all whose changes come after this has returned. Twice is
        once."""
        ...

    async def unfollow(self, topic: str) -> None:
        """No longer tell of the topic; none of its events comes after this has returned."""
        ...

    def listen(self, listener: Listener) -> None:
        """Whom to tell events of topics that are followed. Those of a commit are told before it returns, or
        soon after it; each once, but some may be missing."""
        ...

    def alarm(self, handler: Callable[[], None]) -> None:
        """Whom to call when there may be something due. It must not raise."""
        ...

    @property
    def nodes(self) -> Nodes:
        """Who shares this."""
        ...

    async def sweep(self) -> int:
        """Let go of some of what is over its time; returns how many looks it took: 0 if nothing is left."""
        ...
