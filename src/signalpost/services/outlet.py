"""What the services need of the edge: whom to tell, and nothing of how.

The gateway implements it. Every call is only a hint that something is there: what must not be lost is
in the engine already (commit first, tell second).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from signalpost.domain.channels import ChannelEvent
from signalpost.domain.inbox import InboxItem
from signalpost.services.live import Live

__all__ = ["ALL", "Attendance", "Happened", "Outlet", "Reach", "Stand"]


class Happened(NamedTuple):
    """An event of a channel, and its place among the channel's events."""

    topic: str  #: the channel's key
    channel: str
    epoch: str
    number: int
    time: float  #: when it happened, by the engine's clock
    event: ChannelEvent


class Stand(NamedTuple):
    """How far a channel is, or was shown."""

    topic: str
    epoch: str
    number: int


class Reach(NamedTuple):
    """How far what a session was told of its channels can be taken to have arrived."""

    silence: float = 0.0  #: for how many seconds nothing can
    unread: int = 0  #: how many bytes of what was sent last have not
    behind: dict[str, int] = {}  # noqa: RUF012  #: channels that it was told of up to here only


ALL = Reach()
"""All that it was told."""


class Outlet(Protocol):
    """The sessions that are attached to this node."""

    def publish(self, happened: Happened) -> None:
        """Something is in force that all who see the channel are to be told; in its order."""
        ...

    def announce(self, key: str, seq: int, item: InboxItem) -> bool:
        """An item is committed in the inbox of account `key`; returns whether that is attached here."""
        ...

    def kick(self, key: str, line: str) -> None:
        """Another login ended the session with this line: tell its connection and close it (L7)."""
        ...

    def put_out(self, key: str, line: str, happened: Happened) -> None:
        """The session with this line is in a channel no longer: show it nothing behind this event, which says
        so."""
        ...

    def replace(self, key: str, line: str, *, before: int) -> None:
        """The session with this line goes on elsewhere: close its connection, without a kick (L17).

        `before`: the number of the one on which it goes on; only an earlier one is closed.
        """
        ...

    def reach(self, key: str, line: str) -> Reach | None:
        """How far the session with this line was told of its channels; None if it is not attached here."""
        ...

    def find(self, key: str, line: str) -> Live | None:
        """The session with this line, if it is attached to this node."""
        ...


class Attendance(Outlet, Protocol):
    """The same, for who compares what is attached here with what is in force."""

    def end(self, key: str, line: str) -> None:
        """Nobody knows the session with this line any more: close its connection, so that its client logs in
        again (N5)."""
        ...

    def attached(self) -> list[Live]:
        """All sessions that are attached to this node."""
        ...

    def followed(self) -> list[Stand]:
        """How far all channels were shown that somebody sees here."""
        ...

    def stands(self, stand: Stand) -> None:
        """So far a channel is: what was not shown of it was not told to this node, and is read."""
        ...

    def waits(self, key: str, seq: int) -> None:
        """Up to here there are items in the inbox of account `key`."""
        ...
