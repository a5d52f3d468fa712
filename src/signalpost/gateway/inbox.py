"""How an inbox reaches its client: pushed or polled, acknowledged, never out of order (PROTOCOL §6).

It begins with the client's first poll, or at once for a client that logged in with its cursor. It
knows which version was sent last on this connection; what the client has processed is the engine's to know.

Only the very next version is pushed as it is told, to a client that reads. Versions have gaps, and items of
one commit may be told in any order: on anything else the inbox is read from the version sent last, so that
nothing is left out, and pushed by pages as the client reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from signalpost.domain.calls import INVITE
from signalpost.domain.inbox import INSTANT, InboxItem
from signalpost.gateway.bulk import Pace
from signalpost.gateway.dialect import Dialect
from signalpost.services.inbox import Inboxes
from signalpost.services.live import Live
from signalpost.wire import codec
from signalpost.wire.codes import POLL_BATCH
from signalpost.wire.lines import call_content, line_v2, line_v3

__all__ = ["Inbox", "Reader"]

_POLL_PAGES = 4  # of encoded items in one poll's answer, at least one item; the rest follows
_CALLS = 2000  # that a client is taken to know: more than may be open; the longest unnamed goes (SPEC K12)
_PUMP_ITEMS = 500  # items pushed behind a poll before the client has to acknowledge some
_PUMP_BYTES = 8 * 1024 * 1024  # the same in encoded bytes


class Reader(Protocol):
    """Who is fed."""

    def send_item(self, frame: bytes) -> int:
        """Write a frame with an item, or with news of one, to the client; returns its bytes."""
        ...


class _Nobody:
    """Who is fed once the session is elsewhere: so that a session that ends leaves no cycle behind."""

    def send_item(self, frame: bytes) -> int:
        """See `Reader.send_item`."""
        return 0


_NOBODY: Final = _Nobody()


class Inbox:
    """One session's inbox on one connection.

    Many fields: one object a session, as there may be ten thousands.
    """

    __slots__ = (
        "_announced",
        "_behind",
        "_calls",
        "_dialect",
        "_inboxes",
        "_live",
        "_news",
        "_outbox",
        "_pace",
        "_pumping",
        "_reader",
        "_sent",
        "_spawn",
        "_started",
        "is_over",
        "polling",
    )

    def __init__(
        self,
        live: Live,
        inboxes: Inboxes,
        dialect: Dialect,
        reader: Reader,
        pace: Pace,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """`spawn`: runs what nobody waits for."""
        self._live = live
        self._inboxes = inboxes
        self._dialect = dialect
        self._reader = reader
        self._pace = pace
        self._outbox = pace.outbox
        self._spawn = spawn
        self._started = False  # becomes True with the first poll, or with a cursor at login
        self._sent = 0  # all up to this version was sent on this connection, or is gone
        self._behind = False  # more waits than was sent: read and pushed now, or after an acknowledgement
        self._pumping = False  # it is being read and pushed now
        self.polling = False  # a poll is under way: what is told meanwhile follows its answer
        self._news = 0  # the highest version that was told since the latest read began; 0 if none was
        self._announced = False  # an announcement is out and no poll has come since (clients that poll)
        self.is_over = False  # the session is not on this connection any more
        # The calls that a javasdk knows, the latest last; it dies of others. None when it knows none.
        self._calls: dict[tuple[str, str], None] | None = None

    def stop(self) -> None:
        """The session is no longer on this connection, which may get another: push nothing more on it."""
        self.is_over = True
        self._reader = _NOBODY

    def set_dialect(self, dialect: Dialect) -> None:
        """The client has said more about itself."""
        self._dialect = dialect

    def knows_call(self, channel: str, peer: str) -> None:
        """The client makes a call itself, so that it will know its events (PROTOCOL §8)."""
        if self._dialect.pushes:
            return
        if self._calls is None:
            self._calls = {}
        self._calls.pop((channel, peer), None)
        self._calls[channel, peer] = None
        if len(self._calls) > _CALLS:
            del self._calls[next(iter(self._calls))]

    def offer(self, version: int, item: InboxItem) -> None:
        """An item has been committed: push it if it is the next one, announce it to who polls.

        If it is not the next one, something may lie between, which is told later or never: push both. While
        a poll is under way it may be in the answer already.
        """
        if self.polling:
            self._news = max(self._news, version)
            return
        if not self._started:
            return
        if not self._dialect.pushes:
            self._announce(version)
        elif version == self._sent + 1 and not self._behind and not self._outbox.congested:
            self._sent = version
            self._reader.send_item(codec.push(version, self._line(item)))
        elif version > self._sent:
            self._news = version
            if not self._behind:
                self._behind = True
                self._spawn(self._pump())

    def look(self, version: int) -> None:
        """There are items up to this version, of which it may not have been told."""
        if self.polling or not self._started or version <= self._sent:
            return
        if not self._dialect.pushes:
            self._announce(version)
        elif not self._behind:
            self._news, self._behind = version, True
            self._spawn(self._pump())

    async def start(self, after: int) -> None:
        """Push what lies after the client's cursor: it said at login what it has seen (PROTOCOL §12)."""
        self._sent = max(self._sent, after)
        self._started = True
        if after > 0:
            await self._inboxes.acknowledge(self._live, after)
        self._behind = True
        await self._pump()

    async def poll(self, cleared: int, limit: int) -> dict[str, Any]:
        """Answer a poll: everything ≤ `cleared` has been processed, what comes next?"""
        self._announced = False
        self.polling = True
        try:
            answer = await self._answer(cleared, limit)
        except Exception:
            if self._started:  # what was told meanwhile nobody would tell again
                await self._polled(answered=False)
            self.polling = False
            raise
        if not self._behind and not answer["msgs"] and self._news <= self._sent:
            self.polling = False  # nothing follows, as nearly always
        return answer

    async def _answer(self, cleared: int, limit: int) -> dict[str, Any]:
        if cleared > 0:
            await self._inboxes.acknowledge(self._live, cleared)
        self._news = 0
        batch = await self._inboxes.read(self._live, after=0, limit=min(max(limit, 1), POLL_BATCH))
        items: list[tuple[int, InboxItem]] = []
        size = 0
        taken: list[tuple[int, str]] = []
        for version, item in batch.items:
            line = self._line(item)
            size += codec.size_in_answer(line)
            if items and size > _POLL_PAGES * self._pace.page:
                break
            items.append((version, item))
            if self._meet(item):
                taken.append((version, line))
        if len(taken) < len(items):
            kept = {version for version, _ in taken}
            await self._inboxes.discard(self._live, [version for version, _ in items if version not in kept])
        self._sent = max(self._sent, items[-1][0] if items else batch.cleared)
        more = batch.more or len(items) < len(batch.items)
        self._behind = more or (self._behind and self._dialect.pushes)  # a pump is not cut short
        self._started = True
        return {"ver_clear": batch.cleared, "msgs": taken}

    async def after_poll(self, answered: dict[str, Any]) -> None:
        """What follows a poll's answer while it is `polling` still: the rest as pushes, or the nudge that
        makes Python go on."""
        await self._polled(answered=bool(answered["msgs"]))

    async def _polled(self, *, answered: bool) -> None:
        """A poll is over: see to what it has not answered, and to what came meanwhile."""
        self.polling = False
        missed = self._news > self._sent
        if self._dialect.pushes:
            self._behind = self._behind or missed
            await self._pump()
        elif answered or self._behind or missed:
            self._announce(max(self._sent, self._news))

    async def acknowledge(self, upto: int) -> None:
        """Everything ≤ `upto` has been processed (PROTOCOL §12); more is pushed if more waits."""
        await self._inboxes.acknowledge(self._live, upto)
        if self._dialect.pushes:
            await self._pump()

    async def _pump(self) -> None:
        """Push what lies behind the version sent last, up to the bounds. One at a time does so."""
        if self._pumping or self.polling:
            return
        self._pumping = True
        try:
            items, size = 0, 0
            while self._behind:
                if not await self._pace.turn() or self.polling:
                    return
                self._news = 0
                batch = await self._inboxes.read(self._live, after=self._sent, limit=POLL_BATCH)
                if self.is_over or self.polling:
                    return
                self._sent = max(self._sent, batch.cleared)
                pushed = 0
                for version, item in batch.items:
                    if version <= self._sent:  # a poll may have answered with it meanwhile
                        continue
                    if pushed and not self._pace.free:
                        self._news = version  # it is read again, as it may be gone when it is its turn
                        break
                    self._sent = version
                    written = self._reader.send_item(codec.push(version, self._line(item)))
                    self._pace.spend(written)
                    size += written
                    pushed += 1
                items += pushed
                self._behind = bool(self._news) or (batch.more and bool(batch.items))
                if pushed and (items >= _PUMP_ITEMS or size >= _PUMP_BYTES):
                    return  # something is out that the client has not acknowledged yet, and will
        except Exception:
            self._behind = False  # or nobody would read again: now the next item finds the gap
            raise
        finally:
            self._pumping = False

    def _announce(self, version: int) -> None:
        if not self._announced:
            self._announced = True
            self._reader.send_item(codec.announcement(version))

    def _meet(self, item: InboxItem) -> bool:
        """Whether the client can take the item; an invitation makes its call known."""
        if self._dialect.pushes or item.kind == INSTANT:
            return True
        if item.kind == INVITE:
            self.knows_call(item.channel, item.src)
            return True
        if self._calls is None or (item.channel, item.src) not in self._calls:
            return False
        self.knows_call(item.channel, item.src)
        return True

    def _line(self, item: InboxItem) -> str:
        content = item.text if item.kind == INSTANT else call_content(item.channel, item.src, item.text)
        account = self._live.session.account
        if self._dialect.v3:
            return line_v3(item.id, item.src, account, item.kind, item.time, content)
        return line_v2(item.src, account, item.kind, item.time, content)
