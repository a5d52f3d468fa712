"""Messages to accounts, and what waits in an inbox (SPEC A2, §4)."""

from __future__ import annotations

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.cursors import number_of, spelled
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Unavailable
from signalpost.services.driver import together
from signalpost.services.keys import inbox_key

__all__ = ["clear", "look", "send", "send_many"]


async def send(asking: Asking) -> types.Sent:
    """One message; it is kept when this answers."""
    message: types.NewMessage = asking.body
    check_name(message.sender, "account")
    deputy = asking.deputy(message.sender)
    inboxes = asking.cases.inboxes
    return types.Sent(str(await inboxes.send(deputy, message.to, message.text, request=asking.request)))


async def send_many(asking: Asking) -> types.SentMany:
    """The same for many, each by itself: they begin in their order, and are stored together."""
    message: types.NewMessages = asking.body
    check_name(message.sender, "account")
    deputy, inboxes = asking.deputy(message.sender), asking.cases.inboxes
    results: list[types.SentOne] = []
    down: list[Unavailable] = []

    async def one(to: str) -> None:
        try:
            id = await inboxes.send(deputy, to, message.text, request=asking.request)
        except Refusal as refusal:
            results.append(types.SentOne(to=to, code=refusal.code, reason=refusal.reason))
        except Unavailable as error:
            down.append(error)
        else:
            results.append(types.SentOne(to=to, id=str(id)))

    receivers = list(dict.fromkeys(message.to))
    await together([one(to) for to in receivers])
    if down:  # whoever asks again is not sent again what was stored, if he gave a key
        raise down[0]
    places = {to: number for number, to in enumerate(receivers)}
    results.sort(key=lambda result: places[result.to])
    return types.SentMany(sum(1 for result in results if result.id), results)


async def look(asking: Asking) -> types.Inbox:
    """A page of an inbox."""
    check_name(asking.account, "account")
    asked: types.InboxPages = asking.query
    key = inbox_key(asking.app_id, asking.account)
    batch = await asking.cases.inboxes.look(key, after=number_of(asked.cursor), limit=asked.limit)
    items = [
        types.InboxItem(
            id=item.id, kind=item.kind, sender=item.src, time=item.time, text=item.text, channel=item.channel
        )
        for _, item in batch.items
    ]
    return types.Inbox(items, spelled(str(batch.items[-1][0])) if batch.more else "")


async def clear(asking: Asking) -> types.Cleared:
    """Take the messages away."""
    check_name(asking.account, "account")
    return types.Cleared(await asking.cases.inboxes.clear(inbox_key(asking.app_id, asking.account)))
