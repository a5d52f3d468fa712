"""How an inbox reaches its client: pushed or polled, acknowledged, never out of order (PROTOCOL §6).

It begins with the client's first poll, or at once for a client that logged in with its cursor. It
knows which version was sent last on this connection; what the client has processed is the engine's to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signalpost.domain.calls import INVITE
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.gateway.dialect import Dialect
from signalpost.services.live import Live
from signalpost.services.messages import Messages
from signalpost.wire import codec
from signalpost.wire.codes import POLL_BATCH
from signalpost.wire.lines import call_content, line_v2, line_v3, rest

__all__ = ["Feed"]

_POLL_BYTES = 256 * 1024  # contents in one poll's answer, at least one item; the rest follows
_PUMP_ITEMS = 500  # items pushed behind a poll before the client has to acknowledge some
_PUMP_BYTES = 1024 * 1024  # the same in bytes of contents


class Feed:
    """One session's inbox on one connection."""

    __slots__ = (
        "_announced",
        "_behind",
        "_calls",
        "_dialect",
        "_live",
        "_messages",
        "_send",
        "_sent",
        "_started",
    )

    def __init__(
        self, live: Live, messages: Messages, dialect: Dialect, send: Callable[[bytes], None]
    ) -> None:
        self._live = live
        self._messages = messages
        self._dialect = dialect
        self._send = send
        self._started = False  # becomes True with the first poll, or with a cursor at login
        self._sent = 0  # the highest version sent on this connection
        self._behind = False  # more waits than was pushed: the next acknowledgement goes on
        self._announced = False  # an announcement is out and no poll has come since (clients that poll)
        self._calls: set[tuple[str, str]] | None = None  # the calls that a javasdk knows; it dies of others

    def set_dialect(self, dialect: Dialect) -> None:
        """The client has said more about itself."""
        self._dialect = dialect

    def knows_call(self, channel: str, peer: str) -> None:
        """The client makes a call itself, so that it will know its events (PROTOCOL §8)."""
        if not self._dialect.pushes:
            if self._calls is None:
                self._calls = set()
            self._calls.add((channel, peer))

    def offer(self, version: int, item: InboxItem) -> None:
        """An item has been committed: push it if it is the next one, announce it to who polls."""
        if not self._started:
            return
        if not self._dialect.pushes:
            self._announce(version)
        elif not self._behind and version > self._sent:
            self._sent = version
            self._send(codec.push(version, self._line(item)))

    async def start(self, after: int) -> None:
        """Push what lies after the client's cursor: it said at login what it has seen (PROTOCOL §12)."""
        self._started = True
        await self._messages.acknowledge(self._live, after)
        self._sent = after
        self._behind = True
        await self._pump()

    async def poll(self, cleared: int, limit: int) -> dict[str, Any]:
        """Answer a poll: everything ≤ `cleared` has been processed, what comes next?"""
        self._announced = False
        await self._messages.acknowledge(self._live, cleared)
        batch = await self._messages.read(self._live, after=0, limit=min(max(limit, 1), POLL_BATCH))
        items: list[tuple[int, InboxItem]] = []
        size = 0
        for version, item in batch.items:
            size += len(item.text)
            if items and size > _POLL_BYTES:
                break
            items.append((version, item))
        taken = [(version, self._line(item)) for version, item in items if self._meet(item)]
        if len(taken) < len(items):
            kept = {version for version, _ in taken}
            await self._messages.discard(self._live, [version for version, _ in items if version not in kept])
        if items:
            self._sent = max(self._sent, items[-1][0])
        self._behind = batch.more or len(items) < len(batch.items)
        self._started = True
        return {"ver_clear": batch.cleared, "msgs": taken}

    async def after_poll(self, answered: dict[str, Any]) -> None:
        """What follows a poll's answer: the rest as pushes, or the nudge that makes Python go on."""
        if self._dialect.pushes:
            await self._pump()
        elif answered["msgs"] or self._behind:
            self._announce(self._sent)

    async def acknowledge(self, upto: int) -> None:
        """Everything ≤ `upto` has been processed (PROTOCOL §12); more is pushed if more waits."""
        await self._messages.acknowledge(self._live, upto)
        if self._dialect.pushes:
            await self._pump()

    async def _pump(self) -> None:
        items, size = 0, 0
        while self._behind:
            batch = await self._messages.read(self._live, after=self._sent, limit=POLL_BATCH)
            for version, item in batch.items:
                self._sent = version
                self._send(codec.push(version, self._line(item)))
                size += len(item.text)
            items += len(batch.items)
            self._behind = batch.more and bool(batch.items)
            if items >= _PUMP_ITEMS or size >= _PUMP_BYTES:
                return

    def _announce(self, version: int) -> None:
        if not self._announced:
            self._announced = True
            self._send(codec.announcement(version))

    def _meet(self, item: InboxItem) -> bool:
        """Whether the client can take the item; an invitation makes its call known."""
        if self._dialect.pushes or item.kind == INSTANT:
            return True
        if item.kind == INVITE:
            self.knows_call(item.channel, item.src)
            return True
        return self._calls is not None and (item.channel, item.src) in self._calls

    def _line(self, item: InboxItem) -> str:
        content = item.text if item.kind == INSTANT else call_content(item.channel, item.src, item.text)
        shared = rest(item.src, self._live.session.account, item.kind, item.time, content)
        return line_v3(item.id, shared) if self._dialect.v3 else line_v2(shared)
