"""Who back ends were told to be online, and that he no longer is (SPEC W2).

What they know of an account is a record in the kept half; what is true is whether it has a session. Whenever
the two may differ, the difference is told, in one commit with the record: when a session begins or ends, and
for all accounts that they believe online every half minute. So a crash in between only delays, and nobody is
told the same twice in a row. After the shared half has begun anew, each account has its grace time first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.sessions import Session
from signalpost.domain.webhooks import ACCOUNT, Told
from signalpost.engine.ports import Arm, Clock, Delete, Entry, Put, Record, Step
from signalpost.engine.ports.kept import Exclude, Include, Kept, Names
from signalpost.engine.ports.shared import Shared, Since
from signalpost.services.decide import decide
from signalpost.services.keys import away_key, inbox_key, online_key, roll_key, split, subject_of, told_key
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence
from signalpost.services.stored import TOLD
from signalpost.services.webhooks.outgoing import Outgoing

__all__ = ["Accounts"]

_TOLD: Final = ("account.online", "account.offline")
_LOOK: Final = 30.0  # seconds between two looks at all who are believed online
_PAGE: Final = 64  # accounts that are looked at in one piece


class Accounts:
    """What back ends know of accounts."""

    __slots__ = ("_clock", "_find_app", "_kept", "_outgoing", "_pauses", "_presence", "_shared")

    def __init__(
        self,
        kept: Kept,
        shared: Shared,
        presence: Presence,
        outgoing: Outgoing,
        pauses: Pauses,
        clock: Clock,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._kept = kept
        self._shared = shared
        self._presence = presence
        self._outgoing = outgoing
        self._pauses = pauses
        self._clock = clock
        self._find_app = find_app

    async def came(self, app: App, session: Session) -> None:
        """The account has a session: if that is news, it is told. Raises Unavailable."""
        await self._settle(app, session.app, session.account, "")

    async def went(self, app: App, app_id: str, account: str, reason: str) -> None:
        """The account's session has ended: it is told now, or in a while if it is not back by then.

        Raises Unavailable: then the next look at all accounts tells it.
        """
        delay = app.limits.webhook_offline_delay
        if not delay:
            await self._settle(app, app_id, account, reason)
            return
        key = inbox_key(app_id, account)

        async def attempt() -> None:
            (entry,) = await self._kept.load(Record(told_key(key)))
            if entry is not None:
                told = msgspec.structs.replace(TOLD.decode(entry.value), reason=reason)
                put = Put(told_key(key), TOLD.encode(told), expect=entry.rev)
                await self._kept.commit(put, Arm(away_key(key), self._clock() + delay))

        await decide(attempt)

    async def away_due(self, key: str) -> None:
        """The time is over in which an account could have come back."""
        app_id, account = split(subject_of(key))
        app = self._find_app(app_id)
        if app is not None:
            await self._settle(app, app_id, account, "")

    async def _settle(self, app: App, app_id: str, account: str, reason: str) -> None:
        """Tell what they do not know of the account, until they know what is true."""
        if not any(event in endpoint.events for endpoint in app.webhooks for event in _TOLD):
            return
        while await decide(lambda: self._tell(app, app_id, account, reason)):
            pass

    async def _tell(self, app: App, app_id: str, account: str, reason: str) -> bool:
        """Tell a difference; whether there was one. Raises Conflict."""
        key = inbox_key(app_id, account)
        (entry,) = await self._kept.load(Record(told_key(key)))
        session = await self._presence.present(key)
        if session is None and entry is not None:
            told = TOLD.decode(entry.value)
            why = reason or told.reason or await self._lost(told)
            steps: tuple[Step[Any], ...] = (
                Delete(told_key(key), expect=entry.rev),
                Exclude(online_key(app_id), account),
            )
            event = "account.offline", {"account": account, "reason": why}
            await self._outgoing.tell_with(app, app_id, ACCOUNT, account, event, *steps)
            return True
        if session is not None and entry is None:
            told = Told(self._clock(), session.grace)
            steps = (
                Put(told_key(key), TOLD.encode(told), expect=0),
                Include(online_key(app_id), account),
            )
            event = "account.online", {"account": account}
            await self._outgoing.tell_with(app, app_id, ACCOUNT, account, event, *steps)
            return True
        if session is not None and entry is not None and TOLD.decode(entry.value).reason:
            back = msgspec.structs.replace(TOLD.decode(entry.value), reason="")  # within the delay
            await self._kept.commit(Put(told_key(key), TOLD.encode(back), expect=entry.rev))
        return False

    async def _lost(self, told: Told) -> str:
        """Why a session is not there whose end nobody has told."""
        (since,) = await self._shared.load(Since())
        return "restart" if told.since < since else "timeout"

    # --- all of them ------------------------------------------------------------------------------

    async def begin(self, app_id: str) -> None:
        """Look after an app's accounts from now on."""
        await self._kept.commit(Arm(roll_key(app_id), self._clock() + 1.0))

    async def roll_due(self, key: str) -> bool:
        """Look whether those who are believed online are. Whether the timer is armed anew."""
        app_id = subject_of(key)
        app = self._find_app(app_id)
        if app is None or not app.webhooks:
            return False
        await self._kept.commit(Arm(key, self._clock() + _LOOK))
        (names,) = await self._kept.load(Names(online_key(app_id)))
        accounts = list(names)
        (since,) = await self._shared.load(Since())
        for at in range(0, len(accounts), _PAGE):
            await self._pauses.take()
            for account in accounts[at : at + _PAGE]:
                if await self._presence.present(inbox_key(app_id, account)) is None:
                    await self._look(app, app_id, account, since)
        return True

    async def _look(self, app: App, app_id: str, account: str, since: float) -> None:
        """Somebody who is believed online is not: he may have time to come back."""
        (entry,) = await self._kept.load(Record(told_key(inbox_key(app_id, account))))
        if entry is None or self._may_come(entry, since, app.limits.webhook_offline_delay):
            return
        await self._settle(app, app_id, account, "")

    def _may_come(self, entry: Entry, since: float, delay: float) -> bool:
        told = TOLD.decode(entry.value)
        if told.reason:
            return True  # its own timer tells it
        return told.since < since and self._clock() < since + told.grace + delay
