"""Webhooks: what back ends are told of accounts, channels, messages and calls (SPEC W1-W3).

Whatever somebody has been told of is kept for them before: an event is committed behind what it tells, and
before anybody learns of that. Where an app has no webhooks, nothing of this is called.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from signalpost.domain.apps import App
from signalpost.domain.calls import Call
from signalpost.domain.channels import SPECIAL
from signalpost.domain.inbox import InboxItem
from signalpost.domain.sessions import Session
from signalpost.domain.webhooks import ACCOUNT, CALL, CHANNEL
from signalpost.engine.ports import Clock, Unavailable
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Changed, Shared
from signalpost.services.pauses import Pauses
from signalpost.services.presence import Presence, Standing
from signalpost.services.webhooks.accounts import Accounts
from signalpost.services.webhooks.delivery import Answer, Delivery, Failed, Post
from signalpost.services.webhooks.outgoing import Happened, Outgoing

__all__ = ["Answer", "Delivery", "Failed", "Post", "Webhooks"]


class Webhooks:
    """What happens, as back ends are told of it."""

    __slots__ = ("_find_app", "_outgoing", "_presence", "accounts", "delivery")

    def __init__(
        self,
        *,
        kept: Kept,
        shared: Shared,
        presence: Presence,
        pauses: Pauses,
        post: Post,
        clock: Clock,
        wall: Clock,
        new_id: Callable[[], str],
        find_app: Callable[[str], App | None],
        chance: Callable[[], float],
    ) -> None:
        self._find_app = find_app
        self._presence = presence
        self._outgoing = outgoing = Outgoing(kept, clock, wall, new_id)
        self.accounts = Accounts(kept, shared, presence, outgoing, pauses, clock, find_app)
        self.delivery = Delivery(kept, outgoing, post, clock, find_app, chance)

    @property
    def counts(self) -> dict[str, int]:
        """How many events were `delivered`, tried once more, `failed` and `dropped` since the start."""
        return self._outgoing.counts

    async def begin(self, app_id: str, app: App) -> None:
        """The server starts with this app."""
        for endpoint in app.webhooks:
            await self.delivery.begin(app_id, endpoint)
        await self.accounts.begin(app_id)

    def _app(self, app_id: str) -> App | None:
        """The app, if it has webhooks."""
        app = self._find_app(app_id)
        return app if app is not None and app.webhooks else None

    async def came(self, session: Session) -> None:
        """An account has a session. Raises Unavailable: then nobody must be told of it."""
        app = self._app(session.app)
        if app is not None:
            await self.accounts.came(app, session)

    async def went(self, session: Session, reason: str) -> None:
        """An account's session has ended, why: logout, timeout, kicked, revoked."""
        app = self._app(session.app)
        if app is not None:
            with suppress(Unavailable):  # it is told with the next look at all accounts
                await self.accounts.went(app, session.app, session.account, reason)

    async def detached(self, session: Session) -> None:
        """A session has lost its connection, and has its grace time."""
        app = self._app(session.app)
        if app is None:
            return
        event = "account.detached", {"account": session.account}
        await self._outgoing.tell(app, session.app, ACCOUNT, session.account, event)

    async def stored(self, app_id: str, peer: str, item: InboxItem, size: int) -> None:
        """A message is in an inbox; it is told if its receiver is offline.

        It may be told twice, as it may be sent twice: with the same id.
        """
        app = self._app(app_id)
        if app is None or await self._presence.standing(app_id, peer) is not Standing.OFFLINE:
            return
        data = {"id": item.id, "from": item.src, "to": peer, "bytes": size, "body": item.text}
        event = "message.stored", data
        await self._outgoing.tell(app, app_id, ACCOUNT, peer, event, hook_id=f"message-{item.id}")

    async def entered(self, app_id: str, account: str, channel: str, changed: Changed) -> None:
        """An account has come into a channel."""
        app = self._app(app_id)
        if app is None or channel in SPECIAL:
            return
        data = {"channel": channel, "account": account, "members": changed.count}
        events: list[Happened] = [("channel.joined", data)]
        if changed.count == 1:
            events.insert(0, ("channel.occupied", {"channel": channel}))
        await self._outgoing.tell(app, app_id, CHANNEL, channel, *events)

    async def left(self, app_id: str, account: str, channel: str, changed: Changed) -> None:
        """An account has gone out of a channel."""
        app = self._app(app_id)
        if app is None or channel in SPECIAL:
            return
        data = {"channel": channel, "account": account, "members": changed.count}
        events: list[Happened] = [("channel.left", data)]
        if not changed.count:
            events.append(("channel.vacated", {"channel": channel}))
        await self._outgoing.tell(app, app_id, CHANNEL, channel, *events)

    async def call(self, app_id: str, call: Call, event: str, more: dict[str, Any]) -> None:
        """Something has happened to a call."""
        app = self._app(app_id)
        if app is None:
            return
        data = {"call": call.id, "channel": call.channel, "caller": call.caller, "callee": call.callee}
        await self._outgoing.tell(app, app_id, CALL, call.id, (event, data | more))
