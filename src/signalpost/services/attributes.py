"""User attributes: anyone in the app reads them, their user writes them (SPEC P2, P3, L11).

Each is a field of its account's record, so that a change writes one of them, and a login none. The record
itself holds `_conn_timeout`, which every login reads. An earlier version kept all of them there; these are
moved when one is changed.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.attributes import check_attribute
from signalpost.domain.names import check_label, check_name
from signalpost.domain.sessions import conn_timeout
from signalpost.engine.ports import Conflict, Entry, Records
from signalpost.services.keys import attributes_key, inbox_key, split
from signalpost.services.live import Live
from signalpost.services.presence import Presence
from signalpost.services.stored import ATTRIBUTES, TEXT
from signalpost.wire.codes import ATTR_CONN_TIMEOUT

__all__ = ["Attributes"]

_READ_AT_LOGIN = frozenset({ATTR_CONN_TIMEOUT})


class Attributes:
    """The attributes of all accounts, in durable records: endless while their user is online."""

    __slots__ = ("_find_app", "_presence", "_records")

    def __init__(self, records: Records, presence: Presence, find_app: Callable[[str], App | None]) -> None:
        self._records = records
        self._presence = presence
        self._find_app = find_app

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
                await self._presence.save(live, msgspec.structs.replace(live.session, grace=grace))
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
        """Keep the account's attributes for as long as it is online (P3)."""
        await self._records.touch(attributes_key(key), ttl=None)

    async def went_offline(self, app: App, key: str) -> None:
        """Keep the account's attributes for a day from now (P3)."""
        await self._records.touch(attributes_key(key), ttl=app.limits.attribute_seconds)

    async def adopt(self) -> None:
        """After a restart nobody is online: all attributes without a deadline get theirs (P3)."""
        for key in await self._records.keys(attributes_key(""), endless=True):
            app = self._find_app(split(key)[1]) or App()
            await self._records.touch(key, ttl=app.limits.attribute_seconds)

    @staticmethod
    def _grace(attributes: dict[str, str], app: App) -> float:
        limits = app.limits
        return conn_timeout(attributes.get(ATTR_CONN_TIMEOUT), least=limits.grace_min, most=limits.grace_max)


def _own(entry: Entry | None) -> dict[str, str]:
    """What lies in the account's record itself."""
    return {} if entry is None else ATTRIBUTES.decode(entry.value)
