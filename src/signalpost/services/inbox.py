"""Point-to-point messages and the inbox that they wait in (SPEC §4, PROTOCOL §6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NamedTuple

import msgspec

from signalpost.domain.inbox import (
    INSTANT,
    InboxItem,
    check_instant,
    half_full,
    inbox_full,
    most_of_one,
    too_fast,
    too_much_untaken,
)
from signalpost.domain.limits import Limits
from signalpost.domain.rates import Rates, SlidingWindow
from signalpost.engine.ports import Clock, Full, Receipt, Unavailable
from signalpost.engine.ports.kept import Append, Bounds, HeadOf, Kept, Remove, Stretch, Trim
from signalpost.services.bell import Bell
from signalpost.services.keys import inbox_key, request_key
from signalpost.services.live import Live
from signalpost.services.stored import ITEM
from signalpost.services.webhooks import Webhooks

__all__ = ["Again", "Batch", "Inboxes"]

_PIECE: Final = 500  # items that are cleared at once


class Again(str):
    """The id of a message whose request was repeated: it was sent before, and not now."""

    __slots__ = ()


class Batch(NamedTuple):
    """A stretch of an inbox: everything ≤ `cleared` is gone, `items` follow, `more` wait behind them."""

    cleared: int
    items: list[tuple[int, InboxItem]]
    more: bool


class Inboxes:
    """Sending, and taking from one's inbox."""

    __slots__ = ("_bell", "_bounds", "_clock", "_kept", "_limits", "_new_id", "_sent", "_wall", "_webhooks")

    def __init__(
        self,
        kept: Kept,
        bell: Bell,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        wall: Clock,
        webhooks: Webhooks | None = None,
    ) -> None:
        """`wall`: what messages are dated by; `clock` measures. `webhooks`: here and elsewhere, None where
        nobody has any."""
        self._webhooks = webhooks
        self._kept = kept
        self._wall = wall
        self._bell = bell
        self._clock = clock
        self._new_id = new_id
        self._sent = Rates(SlidingWindow)  # by account key: the messages of the last second (M8)
        # What bounds a message under the limits that were looked at last.
        self._limits = Limits()
        self._bounds = self._bounds_under(self._limits)

    @property
    def epoch(self) -> str:
        """The epoch of the inboxes' versions (PROTOCOL §12)."""
        return self._kept.epoch

    def window(self, live: Live, now: float) -> SlidingWindow:
        """What counts the user's messages of the last second, instant and channel together (M8).

        It belongs to the account and not to the session, so that logging in again is no way around it.
        """
        return self._sent.of(live.key, now)

    def sent(self, key: str, now: float) -> tuple[float, ...]:
        """When the user sent the messages of the last second."""
        window = self._sent.known(key)
        return () if window is None else window.counted(now)

    def join(self, key: str, sent: tuple[float, ...], now: float) -> None:
        """Count the messages that the user has sent elsewhere."""
        self._sent.of(key, now).join(sent)

    async def send(self, live: Live, peer: str, text: str, *, request: str = "") -> str:
        """Store a message for `peer`, then tell it; returns the message's id (M1-M9).

        `request`: the client's id of this request; a repeat is answered `Again`, without storing it (M7).
        Raises Refusal: 1004, 1005, 400. Raises Unavailable.
        """
        size = check_instant(peer, text)
        limits = live.app.limits
        now = self._clock()
        window = self._sent.known(live.key) or self._sent.of(live.key, now)
        key = inbox_key(live.session.app, peer)
        if not window.take(now, limits.user_messages):
            if request:  # a repeat is no new message (M7)
                [stored] = await self._kept.load(Receipt(key, request_key(live.key, request)))
                if stored is not None:
                    return Again(stored.note)
            raise too_fast(limits.user_messages)
        item = InboxItem(self._new_id(), INSTANT, live.session.account, int(self._wall()), text)
        step = Append(
            key,
            ITEM.encode(item),
            size,
            self._bounds if limits is self._limits else self._bounds_under(limits),
            source=live.key,
            note=item.id,
            dedupe=request_key(live.key, request) if request else "",
        )
        try:
            [appended] = await self._kept.commit(step)
        except Full as full:
            window.give_back(now)
            if full.charge:
                raise too_much_untaken(limits) from None
            raise (half_full if full.part else inbox_full)(limits) from None
        except Unavailable:
            window.give_back(now)
            raise
        if appended.repeated:
            window.give_back(now)
            if self._webhooks is not None:  # the first may have come to nothing before it could be told
                item = msgspec.structs.replace(item, id=appended.note)
                await self._webhooks.stored(live.session.app, peer, item, size)
            return Again(appended.note)
        here = self._bell.announce(key, appended.seq, item)
        if self._webhooks is not None and not here:
            await self._webhooks.stored(live.session.app, peer, item, size)
        return appended.note

    def _bounds_under(self, limits: Limits) -> Bounds:
        """What a message may take of its inbox, and what its sender of all inboxes (M9, E6)."""
        part_items, part_size = most_of_one(limits)
        self._limits = limits
        self._bounds = Bounds(
            limits.inbox_seconds,
            limits.inbox_messages,
            limits.inbox_bytes,
            part_items=part_items,
            part_size=part_size,
            all_items=limits.untaken_messages,
            all_size=limits.untaken_bytes,
            dedupe_ttl=limits.request_memory,
        )
        return self._bounds

    def read(self, live: Live, *, after: int, limit: int) -> Coroutine[Any, Any, Batch]:
        """The next items of the session's inbox after version `after`."""
        return self.look(live.key, after=after, limit=limit)

    async def look(self, key: str, *, after: int, limit: int) -> Batch:
        """The next items of the account's inbox after version `after`; nobody has taken them by that."""
        head, items = await self._kept.load(HeadOf(key), Stretch(key, after, limit + 1))
        more = len(items) > limit
        return Batch(head.cleared, [(seq, ITEM.decode(body)) for seq, body in items[:limit]], more)

    def acknowledge(self, live: Live, upto: int) -> Awaitable[object]:
        """Everything ≤ `upto` has been processed: delete it; a version that never was deletes nothing."""
        return self._kept.commit(Trim(live.key, upto))

    def discard(self, live: Live, versions: list[int]) -> Awaitable[object]:
        """Take items out that the session's client could not bear (PROTOCOL §8)."""
        return self._kept.commit(Remove(live.key, versions))

    async def waiting(self, key: str) -> int:
        """How many items wait in an account's inbox."""
        (head,) = await self._kept.load(HeadOf(key))
        return head.count

    async def clear(self, key: str) -> int:
        """Take all messages out of an account's inbox that wait now, and no call event; how many."""
        cleared, after = 0, 0
        (head,) = await self._kept.load(HeadOf(key))
        while after < head.last:
            (items,) = await self._kept.load(Stretch(key, after, _PIECE))
            if not items:
                break
            after = items[-1].seq
            found = [seq for seq, body in items if seq <= head.last and ITEM.decode(body).kind == INSTANT]
            if found:
                (gone,) = await self._kept.commit(Remove(key, found))
                cleared += len(gone)
        return cleared

    def sweep(self) -> None:
        """Forget some who have sent nothing within the last second."""
        self._sent.sweep(self._clock())
