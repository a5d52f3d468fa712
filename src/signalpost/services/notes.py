"""What nodes tell each other of sessions, and how it reaches who is attached there.

A note is only a hint, as every call of the outlet is: what it tells is in force already, and a session that
it does not reach finds out when it next does something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import msgspec

from signalpost.domain.channels import ChannelEvent
from signalpost.domain.inbox import InboxItem
from signalpost.services.keys import split, topic_key
from signalpost.services.live import Gone, Live
from signalpost.services.outlet import Happened, Outlet
from signalpost.services.stored import Form, Stored

__all__ = ["NOTE", "Altered", "Announced", "Kicked", "Moved", "Note", "Notes", "PutOut", "Spending", "Spent"]


class Kicked(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Another login ended the session with this line (L7)."""

    key: str
    line: str


class Moved(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The session with this line goes on on this of its connections: the earlier ones are over (L17)."""

    key: str
    line: str
    connection: int


class Altered(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Somebody else has changed the session with this line."""

    key: str
    line: str


class PutOut(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The session with this line was put out of a channel, as the event of this number says."""

    key: str
    line: str
    channel: str
    epoch: str
    number: int
    time: float
    event: ChannelEvent


class Announced(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """An item is committed in the inbox of an account that is attached elsewhere."""

    key: str
    seq: int
    item: InboxItem


class Spent(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What an account has spent of its rates on the node where its session was last (M8, M10)."""

    key: str
    at: float  #: when that was so
    sent: tuple[float, ...]  #: when it sent the messages of the last second
    listed: tuple[float, ...]  #: when it asked for the full lists of the last second
    asked: float  #: requests, of what may come at once
    confirmed: float  #: confirmations, likewise


Note = Kicked | Moved | Altered | PutOut | Announced | Spent

#: On its way between nodes of neighbouring releases. One that a node does not know it leaves: it is a hint.
NOTE = Stored(Form(1, cast("type[Note]", Note)), what="a note")


class Spending(Protocol):
    """What accounts have spent of their rates goes with their sessions."""

    def tell(self, key: str) -> None:
        """The account's session is on another node now, which is told what was spent on this one."""
        ...

    def hear(self, spent: Spent) -> None:
        """An account has spent this elsewhere."""
        ...


class Notes:
    """Hands the notes that this node gets to the sessions that they are about, those that are coming
    included."""

    __slots__ = ("_coming", "_look", "_outlet", "_spending")

    def __init__(
        self, outlet: Outlet, look: Callable[[Live], None], spending: Spending | None = None
    ) -> None:
        """`look`: begin to learn what has become of a session. `spending`: None where there is one node."""
        self._outlet = outlet
        self._look = look
        self._spending = spending
        self._coming: dict[str, list[Live]] = {}  # by account key: logins that nobody is told of yet

    def begin(self, live: Live) -> None:
        """A login is about to make this the account's session."""
        others = self._coming.get(live.key)
        if others is None:
            self._coming[live.key] = [live]
        else:
            others.append(live)

    def end(self, live: Live) -> None:
        """It has come in, or not."""
        coming = self._coming.pop(live.key)
        if len(coming) > 1:
            coming.remove(live)
            self._coming[live.key] = coming

    def hear(self, note: msgspec.Struct) -> None:
        """This node is told something."""
        match note:
            case Announced(key, seq, item):
                self._outlet.announce(key, seq, item)
            case Kicked(key, line):
                for live in self._coming.get(key, ()):
                    if live.session.line == line:
                        live.gone = Gone.KICKED
                self._tell_spent(key, line)
                self._outlet.kick(key, line)
            case Moved(key, line, connection):
                for live in self._coming.get(key, ()):
                    earlier = live.session.line == line and live.session.connection < connection
                    if earlier and live.gone is None:
                        live.gone = Gone.REPLACED
                self._tell_spent(key, line)
                self._outlet.replace(key, line, before=connection)
            case Spent() if self._spending is not None:
                self._spending.hear(note)
            case PutOut(key, line, channel, epoch, number, time, event):
                self.hear(Altered(key, line))
                topic = topic_key(split(key)[0], channel)
                self._outlet.put_out(key, line, Happened(topic, channel, epoch, number, time, event))
            case Altered(key, line):
                found = [live for live in self._coming.get(key, ()) if live.session.line == line]
                attached = self._outlet.find(key, line)
                for live in found if attached is None else (*found, attached):
                    self._look(live)

    def _tell_spent(self, key: str, line: str) -> None:
        if self._spending is not None and self._outlet.find(key, line) is not None:
            self._spending.tell(key)
