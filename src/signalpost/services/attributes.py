"""User attributes: anyone in the app reads them, their user writes them (SPEC P2, P3, L11).

Each is a field of its account's record, so that a change writes one of them, and a login none. The record
itself holds `_conn_timeout`, which every login reads. An earlier version kept all of them there; these are
moved when one is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.attributes import check_attribute
from signalpost.domain.names import check_label, check_name
from signalpost.domain.sessions import Session, conn_timeout
from signalpost.engine.ports import Conflict, Entry, Records, Unavailable
from signalpost.services.driver import together
from signalpost.services.keys import attributes_key, inbox_key, split, subject_of
from signalpost.services.live import Live
from signalpost.services.presence import Presence
from signalpost.services.stored import ATTRIBUTES, TEXT
from signalpost.wire.codes import ATTR_CONN_TIMEOUT

__all__ = ["Attributes"]

_READ_AT_LOGIN = frozenset({ATTR_CONN_TIMEOUT})
_PIECE: Final = 64  # accounts whose ends are set with one commit


class Attributes:
    """The attributes of all accounts, in durable records: endless while their user is online."""

    __slots__ = ("_find_app", "_loose", "_presence", "_records", "_settling")

    def __init__(self, records: Records, presence: Presence, find_app: Callable[[str], App | None]) -> None:
        self._records = records
        self._presence = presence
        self._find_app = find_app
        self._loose: dict[str, None] = {}  # accounts whose attributes may not have the end that they should
        self._settling = False  # `settle` is under way

    async def set(self, live: Live, name: str, value: str) -> None:
        """Set one of the session's own attributes; kept when this returns (P2). Raises Refusal."""
        key = attributes_key(live.key)
        while True:
            entry = await self._records.get(key)
            own = _own(entry)
            names = own.keys() | (await self._records.fields(key)).keys()
            kept = check_attribute(names, name, value, live.app.limits)
            moving = {**own, name: kept}
            own = {built_in: moving.pop(built_in) for built_in in _READ_AT_LOGIN & moving.keys()}
            try:
                await self._records.put(
                    key,
                    ATTRIBUTES.encode(own),
                    expect=0 if entry is None else entry.rev,
                    ttl=None,
                    fields={each: TEXT.encode(text) for each, text in moving.items()},
                )
            except Conflict:
                continue
            if name == ATTR_CONN_TIMEOUT:  # not before: what is not stored must not be in force
                grace = self._grace(own, live.app)
                await self._presence.alter(live, partial(_with_grace, grace=grace))
            return

    async def get(self, app: str, account: str, name: str) -> str:
        """An attribute of an account, "" if never set (P2). Raises Refusal."""
        check_label(name, "attribute name")
        check_name(account, "account")
        key = attributes_key(inbox_key(app, account))
        own = _own(await self._records.get(key))
        if name in own:
            return own[name]
        field = (await self._records.fields(key)).get(name)
        return "" if field is None else TEXT.decode(field)

    async def get_all(self, app: str, account: str) -> dict[str, str]:
        """All attributes of an account; none for an unknown one (P2). Raises Refusal."""
        check_name(account, "account")
        key = attributes_key(inbox_key(app, account))
        own = _own(await self._records.get(key))
        fields = await self._records.fields(key)
        return own | {name: TEXT.decode(field) for name, field in fields.items()}

    async def grace(self, app: App, key: str) -> float:
        """How long a session of the account outlives its connection (L11)."""
        return self._grace(_own(await self._records.get(attributes_key(key))), app)

    async def came_online(self, key: str) -> None:
        """Keep the account's attributes for as long as it is online (P3); at once, or as soon as can be."""
        await self._keep(key, None)

    async def went_offline(self, app: App, key: str) -> None:
        """Keep the account's attributes for a day from now (P3); at once, or as soon as can be."""
        await self._keep(key, app.limits.attribute_seconds)

    async def adopt(self) -> None:
        """After a restart nobody is online: all attributes without an end are to get theirs (P3)."""
        for key in await self._records.keys(attributes_key(""), endless=True):
            self._loose[subject_of(key)] = None

    async def settle(self) -> None:
        """Set the ends that are not set yet, many with one commit; what fails waits for the next time."""
        if self._settling:
            return
        self._settling = True
        try:
            while self._loose:
                some = [self._loose.popitem()[0] for _ in range(min(_PIECE, len(self._loose)))]
                try:
                    await together([self._settle_one(key) for key in some])
                except Unavailable:
                    self._loose.update(dict.fromkeys(some))
                    return
        finally:
            self._settling = False

    async def _settle_one(self, key: str) -> None:
        online = await self._presence.find(key) is not None
        app = self._find_app(split(key)[0]) or App()
        ttl = None if online else app.limits.attribute_seconds
        await self._records.touch(attributes_key(key), ttl=ttl)

    async def _keep(self, key: str, ttl: float | None) -> None:
        try:
            await self._records.touch(attributes_key(key), ttl=ttl)
        except Unavailable:
            self._loose[key] = None  # nobody is kept from coming or going by this

    @staticmethod
    def _grace(attributes: dict[str, str], app: App) -> float:
        limits = app.limits
        return conn_timeout(attributes.get(ATTR_CONN_TIMEOUT), least=limits.grace_min, most=limits.grace_max)


def _with_grace(session: Session, *, grace: float) -> Session:
    return msgspec.structs.replace(session, grace=grace)


def _own(entry: Entry | None) -> dict[str, str]:
    """What lies in the account's record itself."""
    return {} if entry is None else ATTRIBUTES.decode(entry.value)
