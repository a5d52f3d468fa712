"""User attributes: anyone in the app reads them, their user writes them (SPEC P2, P3, L11).

Each is a field of its account's record, so that a change writes one of them, and a login none. The record
itself holds `_conn_timeout`, which every login reads. An earlier version kept all of them there; these are
moved when one is changed.

Whoever has attributes has a kept timer. It is armed with the first of them, and when the account goes
offline. When it is due it finds out whether the account is online, and is armed anew then; so nothing is
looked through at a start. Of who went offline the record says so, until he comes again: of others nobody
knows after a restart when they left.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.attributes import check_attribute
from signalpost.domain.limits import Limits
from signalpost.domain.names import check_label, check_name
from signalpost.domain.sessions import conn_timeout
from signalpost.engine.ports import Arm, Ask, Clock, Delete, Entry, Put, Record, Step, Unavailable
from signalpost.engine.ports.kept import Fields, Kept
from signalpost.engine.ports.shared import Shared, Since
from signalpost.services.decide import decide
from signalpost.services.driver import together
from signalpost.services.keys import attributes_key, inbox_key, split, subject_of
from signalpost.services.live import Live
from signalpost.services.presence import Presence
from signalpost.services.repeats import UNNAMED, Once, Repeats
from signalpost.services.stored import ATTRIBUTES, TEXT
from signalpost.wire.codes import ATTR_CONN_TIMEOUT

__all__ = ["AtLogin", "Attributes"]

_READ_AT_LOGIN = frozenset({ATTR_CONN_TIMEOUT})
_LEFT: Final = ""  # no attribute has this name: in the record of an account that went offline
_UNREAD: Final = Entry(b"", -1)  # the record of an account of which it cannot be told whether there is one
Noting = Coroutine[Any, Any, None]  # storing that an account came or left; no coroutine around another
_PIECE: Final = 64  # timers that are armed with one commit


class AtLogin(msgspec.Struct, frozen=True, gc=False):
    """What a login has to know of its account's attributes."""

    grace: float  #: for how many seconds its session outlives its connection (L11)
    any: bool  #: there are some


class Attributes:
    """The attributes of all accounts, in the kept half of the engine."""

    __slots__ = ("_clock", "_find_app", "_kept", "_owed", "_presence", "_repeats", "_shared")

    def __init__(
        self,
        kept: Kept,
        shared: Shared,
        presence: Presence,
        repeats: Repeats,
        clock: Clock,
        find_app: Callable[[str], App | None],
    ) -> None:
        self._kept = kept
        self._shared = shared
        self._presence = presence
        self._repeats = repeats
        self._clock = clock
        self._find_app = find_app
        # By account key: accounts of which it could not be stored that they came (None), or until when their
        # attributes are kept now that they have left.
        self._owed: dict[str, float | None] = {}

    async def set(self, live: Live, name: str, value: str, *, request: str = "") -> None:
        """Set one of the session's own attributes; kept when this returns (P2). Raises Refusal."""

        own: dict[str, str] | None = None  # None if it is there already, by the same request

        async def attempt(once: Once) -> str:
            nonlocal own
            own = await self._set(live.key, live.app.limits, name, value, once)
            return ""

        await self._repeats.once(live, request, attempt)
        if name == ATTR_CONN_TIMEOUT and own is not None:  # not before: what is not stored is not in force
            await self._enforce(live, own)

    async def grant(self, live: Live, attributes: Mapping[str, str]) -> None:
        """Have the session's account have these attributes, besides those that it has (J5).

        They have been checked, and are bounded apart: who has set a hundred himself is not locked out.
        """
        own = await decide(lambda: self._grant(live, attributes))
        if ATTR_CONN_TIMEOUT in attributes:
            await self._enforce(live, own)

    async def _enforce(self, live: Live, own: dict[str, str]) -> None:
        """Have the session outlive its connection for as long as is stored."""
        grace = self._grace(own, live.app)
        await self._presence.alter(live, lambda session: msgspec.structs.replace(session, grace=grace))

    async def assign(self, app: App, account: str, name: str, value: str) -> float | None:
        """Set an attribute of the account with this key; the grace time of its session, if that changes it.
        Raises Refusal."""
        own = await decide(lambda: self._set(account, app.limits, name, value, UNNAMED))
        return self._grace(own, app) if name == ATTR_CONN_TIMEOUT else None

    async def _set(self, account: str, limits: Limits, name: str, value: str, once: Once) -> dict[str, str]:
        """Store it; what lies in the account's record itself then. Raises Refusal, Conflict."""
        key = attributes_key(account)
        entry, fields, *noted = await self._kept.load(Record(key), Fields(key), *once.asks)
        once.recall(noted)
        own = _own(entry)
        value = check_attribute(own.keys() | fields.keys(), name, value, limits)
        return await self._store(limits, key, entry, {**own, name: value}, *once.note())

    async def _grant(self, live: Live, attributes: Mapping[str, str]) -> dict[str, str]:
        """The same of several, unless they are there already."""
        key = attributes_key(live.key)
        entry, fields = await self._kept.load(Record(key), Fields(key))
        own = _own(entry)
        there = own | {name: TEXT.decode(fields[name]) for name in attributes.keys() & fields.keys()}
        if attributes.items() <= there.items():
            return own
        return await self._store(live.app.limits, key, entry, {**own, **attributes})

    async def _store(
        self, limits: Limits, key: str, entry: Entry | None, moving: dict[str, str], *along: Step[Any]
    ) -> dict[str, str]:
        """Store these besides the fields that there are, and do the steps `along` with that; what lies in the
        record itself then."""
        own = {built_in: moving.pop(built_in) for built_in in _READ_AT_LOGIN & moving.keys()}
        put = Put(
            key,
            ATTRIBUTES.encode(own),
            expect=0 if entry is None else entry.rev,
            fields={each: TEXT.encode(text) for each, text in moving.items()},
        )
        steps: list[Step[Any]] = [put]
        if entry is None:
            steps.append(Arm(key, self._clock() + limits.attribute_seconds))
        await self._kept.commit(*steps, *along)
        return own

    async def get(self, app: str, account: str, name: str) -> str:
        """An attribute of an account, "" if never set (P2). Raises Refusal."""
        check_label(name, "attribute name")
        check_name(account, "account")
        return (await self._all(app, account)).get(name, "")

    async def get_all(self, app: str, account: str) -> dict[str, str]:
        """All attributes of an account; none for an unknown one (P2). Raises Refusal."""
        check_name(account, "account")
        return await self._all(app, account)

    async def _all(self, app: str, account: str) -> dict[str, str]:
        key = attributes_key(inbox_key(app, account))
        entry, fields = await self._kept.load(Record(key), Fields(key))
        return _own(entry) | {name: TEXT.decode(field) for name, field in fields.items()}

    def look_up(self, key: str, *also: Ask[Any]) -> Coroutine[Any, Any, tuple[Any, ...]]:
        """Ask for the account's attributes, which `at_login` reads, and for what else a login has to know."""
        return self._kept.load(Record(attributes_key(key)), *also)

    def at_login(self, app: App, entry: Entry | None) -> AtLogin:
        """What a login of the account has to know of its attributes."""
        if entry is None:
            return AtLogin(app.limits.grace_max, False)
        return AtLogin(self._grace(_own(entry), app), True)

    async def at_end(self, key: str) -> Entry | None:
        """The record of an account that is about to leave, None if it has no attributes; never raises."""
        try:
            [entry] = await self._kept.load(Record(attributes_key(key)))
        except Unavailable:
            return _UNREAD
        return entry

    def came_online(self, key: str) -> Noting:
        """Keep the account's attributes for as long as it is online (P3); at once, or as soon as can be."""
        return self._note(key, None, None)

    def went_offline(self, app: App, key: str, entry: Entry) -> Noting:
        """Keep the account's attributes, of which this was found, for a day from now (P3); likewise."""
        return self._note(key, entry, self._clock() + app.limits.attribute_seconds)

    async def settle(self) -> None:
        """Store who came and left, where that was not possible; what fails waits for the next time."""
        owed, self._owed = self._owed, {}
        while owed:
            some = [owed.popitem() for _ in range(min(_PIECE, len(owed)))]
            await together([self._note(key, None, until) for key, until in some])
            if self._owed:
                self._owed = {**owed, **self._owed}  # who came or left meanwhile is among the latter
                return

    async def _note(self, key: str, entry: Entry | None, until: float | None) -> None:
        """`entry`: what was found of it; None to look."""
        record = attributes_key(key)

        async def attempt() -> None:
            nonlocal entry
            if entry is None:
                [entry] = await self._kept.load(Record(record))
            found, entry = entry, None
            if found is not None:
                await self._mark(record, found, until)

        try:
            if entry is _UNREAD:
                raise Unavailable
            await decide(attempt)
        except Unavailable:
            self._owed[key] = until  # nobody is kept from coming or going by this

    async def _mark(self, key: str, entry: Entry, until: float | None) -> None:
        """Store that an account came (None), or until when its attributes are kept. Raises Conflict."""
        own = ATTRIBUTES.decode(entry.value)
        if until is not None:
            put = Put(key, ATTRIBUTES.encode({**own, _LEFT: ""}), expect=entry.rev)
            await self._kept.commit(put, Arm(key, until))
        elif _LEFT in own:
            await self._kept.commit(Put(key, ATTRIBUTES.encode(_own(entry)), expect=entry.rev))

    async def due(self, key: str) -> None:
        """The end of an account's attributes, unless it is online, or may have been until lately (P3).

        Of who had not left, and is not there after a restart, the day begins with that.
        """
        await decide(lambda: self._look(key))

    async def _look(self, key: str) -> None:
        account = subject_of(key)
        limits = (self._find_app(split(account)[0]) or App()).limits
        [entry] = await self._kept.load(Record(key))
        if entry is None:
            return
        now = self._clock()
        left = _LEFT in ATTRIBUTES.decode(entry.value)
        if await self._presence.find(account) is not None:
            arm = Arm(key, now + limits.attribute_seconds)
            if left:  # it came and left at once, and the latter was stored last
                await self._kept.commit(Put(key, ATTRIBUTES.encode(_own(entry)), expect=entry.rev), arm)
            else:
                await self._kept.commit(arm)
            return
        if not left:
            [since] = await self._shared.load(Since())
            if now < since + limits.attribute_seconds:
                await self._kept.commit(Arm(key, since + limits.attribute_seconds))
                return
        await self._kept.commit(Delete(key, expect=entry.rev))

    @staticmethod
    def _grace(attributes: dict[str, str], app: App) -> float:
        limits = app.limits
        return conn_timeout(attributes.get(ATTR_CONN_TIMEOUT), least=limits.grace_min, most=limits.grace_max)


def _own(entry: Entry | None) -> dict[str, str]:
    """What attributes lie in the account's record itself."""
    own = {} if entry is None else ATTRIBUTES.decode(entry.value)
    own.pop(_LEFT, None)
    return own
