"""Who may watch a whole app, and how they are told of it (SPEC P4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Conflict, Step
from signalpost.services.channels.changes import Changes
from signalpost.services.live import Live
from signalpost.wire.codes import Code

__all__ = ["Watchers"]


class Watchers:
    """The special channels of all apps."""

    __slots__ = ("_changes", "_warn", "_warned")

    def __init__(self, changes: Changes, warn: Callable[[str], None]) -> None:
        self._changes = changes
        self._warn = warn  # told once an app that anybody may watch it
        self._warned: set[str] = set()  # the apps that it was told of

    def admit(self, live: Live, channel: str) -> None:
        """Refuse who may not watch."""
        watchers = live.app.watchers
        if watchers is None and live.app_id not in self._warned:
            self._warned.add(live.app_id)
            self._warn(live.app_id)
        if watchers is not None and live.account not in watchers:
            raise Refusal(Code.JOINCHANNEL_E_OTHER, f"this account may not join {channel}")

    def telling(self, app_id: str, account: str, event: str) -> Step[Any]:
        """The step that tells that an account came `online` or went `offline`."""
        return self._changes.telling_of_account(app_id, account, event)

    def heed(self, conflict: Conflict) -> None:
        """What was to tell nobody found somebody: to be told of it before that is tried again."""
        self._changes.heed(conflict)
