"""Session records: reading, changing, and telling who is online (SPEC P1)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import IntEnum
from typing import Any, Final

from signalpost.domain.refusals import Superseded
from signalpost.domain.sessions import Session, is_over, is_same, recall, stay
from signalpost.engine.ports import Clock, Conflict, Delete, Entry, Keys, Put, Record, Step
from signalpost.engine.ports.shared import Shared
from signalpost.services.decide import decide
from signalpost.services.keys import inbox_key, session_key, session_keys
from signalpost.services.live import Live
from signalpost.services.stored import SESSION

__all__ = ["TRIES", "Presence", "Standing", "putting", "removing"]

TRIES: Final = 64
"""How often a session's record is read anew that others change meanwhile: as many may log in at once
(L16)."""


class Standing(IntEnum):
    """How an account stands."""

    OFFLINE = 0
    DETACHED = 1  #: its connection broke, the grace time runs: online (L11)
    ATTACHED = 2


def putting(key: str, session: Session, *, expect: int) -> Put:
    """The step that stores an account's session; while it is attached it is its node's."""
    node = session.node if session.attached else ""
    return Put(session_key(key), SESSION.encode(session), expect=expect, node=node)


def removing(key: str, *, expect: int) -> Delete:
    """The step that removes an account's session."""
    return Delete(session_key(key), expect=expect)


class Presence:
    """The sessions of all accounts, in the shared half of the engine."""

    __slots__ = ("_clock", "_shared")

    def __init__(self, shared: Shared, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock

    def look_up(self, key: str) -> Coroutine[Any, Any, tuple[Entry | None]]:
        """Ask for the account's session record, which `read` reads."""
        return self._shared.load(Record(session_key(key)))

    @staticmethod
    def read(entry: Entry | None) -> tuple[Session, int] | None:
        """The session of a record and its revision, its time over or not."""
        return None if entry is None else (SESSION.decode(entry.value), entry.rev)

    async def find(self, key: str) -> tuple[Session, int] | None:
        """The account's session record and its revision, its time over or not."""
        return self.read(*await self.look_up(key))

    async def check(self, live: Live) -> None:
        """Learn what has become of a session. Raises Superseded if it is no longer on this connection."""
        found = await self.find(live.key)
        if found is None:
            raise Superseded
        self.learn(live, *found)

    def learn(self, live: Live, session: Session, rev: int) -> None:
        """Its record is this. Raises Superseded as `check` does."""
        if rev <= live.rev:
            return  # nothing, as nearly always
        if not is_same(session, live.session):
            raise Superseded
        if not session.attached:  # others have not heard of this node for some time (N3)
            session = stay(session, live.session.node)
        live.session, live.rev = recall(session, live.session), rev

    async def commit(self, live: Live, session: Session, *steps: Step[Any]) -> tuple[Any, ...]:
        """Store an attached session's new state and do these steps, in one commit; the results of the steps.

        Raises Superseded if the session is no longer on this connection; Conflict if others have changed it
        meanwhile, of which `live` knows then; and what the steps raise.
        """
        step = putting(live.key, session, expect=live.rev)
        try:
            rev, *results = await self._shared.commit(step, *steps)
        except Conflict as conflict:
            if conflict.step == step:
                await self.check(live)
            raise
        if rev > live.rev:
            live.session, live.rev = session, rev
        return tuple(results)

    async def alter(self, live: Live, change: Callable[[Session], Session]) -> None:
        """Change an attached session; what others change of it meanwhile stays.

        Raises Superseded if it is no longer on this connection, Unavailable.
        """
        await decide(lambda: self.commit(live, change(live.session)), tries=TRIES)

    async def present(self, key: str) -> Session | None:
        """The account's session, attached or within its grace time."""
        found = await self.find(key)
        return None if found is None or is_over(found[0], self._clock()) else found[0]

    async def of(self, app_id: str, accounts: Sequence[str]) -> list[Session | None]:
        """Those of these accounts that are online, in one trip."""
        found = await self._shared.load(
            *[Record(session_key(inbox_key(app_id, account))) for account in accounts]
        )
        return self._present(found)

    async def page(self, app_id: str, cursor: str, limit: int) -> tuple[list[Session], str]:
        """Sessions of an app; behind which cursor more follow, "" if none do."""
        (listed,) = await self._shared.load(Keys(session_keys(app_id), cursor, limit))
        found = await self._shared.load(*[Record(key) for key in listed.names])
        return [session for session in self._present(found) if session is not None], listed.cursor

    def _present(self, found: Iterable[Entry | None]) -> list[Session | None]:
        now = self._clock()
        sessions = [None if entry is None else SESSION.decode(entry.value) for entry in found]
        return [None if each is None or is_over(each, now) else each for each in sessions]

    async def standing(self, app: str, account: str) -> Standing:
        """Whether the account is online, and how."""
        session = await self.present(inbox_key(app, account))
        if session is None:
            return Standing.OFFLINE
        return Standing.ATTACHED if session.attached else Standing.DETACHED
