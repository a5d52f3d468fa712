"""The port `Topics`: members, attributes and events, changed in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = [
    "AddMember",
    "Change",
    "DeleteAttribute",
    "Edit",
    "Event",
    "Keep",
    "Listener",
    "Member",
    "Rate",
    "RemoveMember",
    "SetAttribute",
    "Snapshot",
    "TopicHead",
    "Topics",
]


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

    async def changed(self, topic: str, dedupe: str) -> Change | None:
        """What a change with this dedupe key did, or None; waits for it as another change would.

        Raises Unavailable.
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

    async def short_of(self, topic: str, *, upto: int, size: int) -> int:
        """A number ≤ `upto` behind which kept events of at least `size` bytes follow up to `upto`.

        If no more are kept, all of them do. It is `upto` itself for a `size` of 0.
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
