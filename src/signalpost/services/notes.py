"""What nodes tell each other of sessions, and how it reaches who is attached there.

A note is only a hint, as every call of the outlet is: what it tells is in force already, and a session that
it does not reach finds out when it next does something.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from signalpost.domain.sessions import Session
from signalpost.services.live import Live
from signalpost.services.outlet import Outlet

__all__ = ["Altered", "Kicked", "Moved", "Notes"]


class Kicked(msgspec.Struct, frozen=True):
    """Another login ended the session with this line (L7)."""

    key: str
    line: str


class Moved(msgspec.Struct, frozen=True):
    """The session with this line is no longer on this of its connections (L17)."""

    key: str
    line: str
    connection: int


class Altered(msgspec.Struct, frozen=True):
    """Somebody else has changed the session with this line."""

    key: str
    line: str


class Notes:
    """Hands the notes that this node gets to the sessions that they are about, those that are coming
    included."""

    __slots__ = ("_coming", "_look", "_outlet")

    def __init__(self, outlet: Outlet, look: Callable[[Live], None]) -> None:
        """`look`: begin to learn what has become of a session."""
        self._outlet = outlet
        self._look = look
        self._coming: dict[str, list[Live]] = {}  # by account key: logins that nobody is told of yet

    def begin(self, live: Live) -> None:
        """A login is about to make this the account's session."""
        self._coming.setdefault(live.key, []).append(live)

    def end(self, live: Live) -> None:
        """It has come in, or not."""
        coming = self._coming[live.key]
        coming.remove(live)
        if not coming:
            del self._coming[live.key]

    def hear(self, note: msgspec.Struct) -> None:
        """This node is told something."""
        match note:
            case Kicked(key, line):
                for live in self._coming.get(key, ()):
                    live.superseded = live.superseded or live.session.line == line
                self._outlet.kick(key, line)
            case Moved(key, line, connection):
                for live in self._coming.get(key, ()):
                    live.superseded = live.superseded or _stood(live.session) == (line, connection)
                attached = self._outlet.find(key, line)
                if attached is not None and attached.session.connection == connection:
                    self._outlet.replace(key, line)
            case Altered(key, line):
                found = [live for live in self._coming.get(key, ()) if live.session.line == line]
                attached = self._outlet.find(key, line)
                for live in found if attached is None else (*found, attached):
                    self._look(live)


def _stood(session: Session) -> tuple[str, int]:
    return session.line, session.connection
