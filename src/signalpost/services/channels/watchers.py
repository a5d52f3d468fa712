"""Who watches a whole app, and what they are told of it (SPEC P4)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from signalpost.domain.apps import App
from signalpost.domain.channels import MESSAGE, ChannelEvent
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Clock, Topics
from signalpost.services.channels.changes import Changes
from signalpost.services.keys import topic_key
from signalpost.services.live import Live
from signalpost.wire.codes import CHANNEL_EVENTS, CHANNEL_USER_ONLINE, Code

__all__ = ["Watchers"]


class Watchers:
    """The special channels of all apps."""

    __slots__ = ("_changes", "_find_app", "_topics", "_wall", "_warn", "_warned")

    def __init__(
        self,
        changes: Changes,
        topics: Topics,
        wall: Clock,
        find_app: Callable[[str], App | None],
        warn: Callable[[str], None],
    ) -> None:
        self._changes = changes
        self._topics = topics
        self._wall = wall  # what events are dated by
        self._find_app = find_app
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

    async def tell_online(self, app_id: str, account: str, event: str) -> None:
        """Tell that an account came `online` or went `offline`."""
        what = {"event": event, "account": account}
        await self._tell(app_id, CHANNEL_USER_ONLINE, account, what)

    async def tell_member(self, app_id: str, channel: str, account: str, event: str) -> None:
        """Tell of the `join` or `leave` of a channel's member."""
        what = {"event": event, "account": account, "channel": channel}
        await self._tell(app_id, CHANNEL_EVENTS, account, what)

    async def _tell(self, app_id: str, channel: str, account: str, what: dict[str, str]) -> None:
        topic = topic_key(app_id, channel)
        head = await self._topics.head(topic)
        if head is None or head.members == 0:
            return
        now = int(self._wall())
        text = msgspec.json.encode({**what, "ts": now}).decode()
        app = self._find_app(app_id) or App()
        await self._changes.make(app, topic, (), ChannelEvent(MESSAGE, account, now, text))
