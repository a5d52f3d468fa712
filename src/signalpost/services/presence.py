"""Session records: reading, changing, and telling who is online (SPEC P1)."""

from __future__ import annotations

from enum import IntEnum

from signalpost.domain.refusals import Superseded
from signalpost.domain.sessions import Session, is_over
from signalpost.engine.ports import Clock, Conflict, Records
from signalpost.services.keys import inbox_key, session_key
from signalpost.services.live import Live
from signalpost.services.stored import SESSION

__all__ = ["Presence", "Standing"]


class Standing(IntEnum):
    """How an account stands."""

    OFFLINE = 0
    DETACHED = 1  #: its connection broke, the grace time runs: online (L11)
    ATTACHED = 2


class Presence:
    """The sessions of all accounts, in the engine's records."""

    __slots__ = ("_clock", "_records")

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def find(self, key: str) -> tuple[Session, int] | None:
        """The account's session record and its revision, its time over or not."""
        entry = await self._records.get(session_key(key))
        return None if entry is None else (SESSION.decode(entry.value), entry.rev)

    async def put(self, key: str, session: Session, *, expect: int) -> int:
        """Store a session; returns the revision. Raises Conflict."""
        return await self._records.put(session_key(key), SESSION.encode(session), expect=expect, ttl=None)

    async def remove(self, key: str, *, expect: int) -> bool:
        """Remove the account's session. Raises Conflict."""
        return await self._records.delete(session_key(key), expect=expect)

    async def check(self, live: Live) -> None:
        """Learn what has become of a session. Raises Superseded if it is no longer on this connection."""
        entry = await self._records.get(session_key(live.key))
        if entry is None:
            raise Superseded
        if entry.rev == live.rev:
            return  # nothing, as nearly always
        session, rev = SESSION.decode(entry.value), entry.rev
        if (session.line, session.connection) != (live.session.line, live.session.connection):
            raise Superseded
        live.session, live.rev = session, rev

    async def save(self, live: Live, session: Session) -> None:
        """Store an attached session's new state. Raises Superseded if it is no longer this node's."""
        try:
            live.rev = await self.put(live.key, session, expect=live.rev)
        except Conflict:
            raise Superseded from None
        live.session = session

    async def present(self, key: str) -> Session | None:
        """The account's session, attached or within its grace time."""
        found = await self.find(key)
        return None if found is None or is_over(found[0], self._clock()) else found[0]

    async def standing(self, app: str, account: str) -> Standing:
        """Whether the account is online, and how."""
        session = await self.present(inbox_key(app, account))
        if session is None:
            return Standing.OFFLINE
        return Standing.ATTACHED if session.attached else Standing.DETACHED
