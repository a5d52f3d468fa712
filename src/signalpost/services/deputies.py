"""An app that acts by itself: what its back end does through the API (SPEC A2, E6).

The use cases are those of users. What differs is who pays: what is sent and set counts for the app under a
key that is no account's, against bounds and a rate of its own.
"""

from __future__ import annotations

from typing import Final

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.sessions import Session
from signalpost.services.keys import inbox_key
from signalpost.services.live import Live

__all__ = ["Deputies"]

_MOST: Final = 1024  # apps of which it is known what their deputies may; with `--dev` any name is one


class Deputies:
    """Makes what stands for a session where an app acts."""

    __slots__ = ("_apps", "_memory")

    def __init__(self, memory: float) -> None:
        """`memory`: for how many seconds a request is remembered that is repeated."""
        self._memory = memory
        self._apps: dict[str, tuple[App, App]] = {}  # by App ID: the app, and as it is for its deputies

    def of(self, app_id: str, app: App, account: str = "", *, generation: int = 0) -> Live:
        """What acts for the app in the name of an account; "" in its own.

        `generation`: that of the account's session, 0 if it has none.
        """
        session = Session(
            app=app_id,
            account=account,
            line="",
            proof="",
            ours=True,
            grace=0.0,
            generation=generation,
        )
        return Live(self._app(app_id, app), inbox_key(app_id, ""), session, 0)

    def _app(self, app_id: str, app: App) -> App:
        known = self._apps.get(app_id)
        if known is not None and known[0] == app:
            return known[1]
        if len(self._apps) >= _MOST:
            self._apps.clear()
        limits = app.limits
        its = msgspec.structs.replace(
            limits,
            user_messages=limits.api_messages,
            untaken_messages=limits.api_untaken_messages,
            untaken_bytes=limits.api_untaken_bytes,
            deserted_channels=limits.api_deserted_channels,
            set_attribute_bytes=0,  # those of all channels of the app have a bound
            request_memory=max(self._memory, limits.request_memory),
        )
        made = msgspec.structs.replace(app, limits=its)
        self._apps[app_id] = app, made
        return made
