"""Webhooks: which there are, what could not be told, telling it once more (SPEC A2, W3)."""

from __future__ import annotations

from signalpost.api import types
from signalpost.api.cases import Asking
from signalpost.api.cursors import number_of, spelled
from signalpost.api.problems import Wrong

__all__ = ["failed", "listed", "retry"]


async def listed(asking: Asking) -> types.Webhooks:
    """The webhooks of the app."""
    delivery = asking.cases.webhooks.delivery
    gone = await delivery.gone(asking.app_id)
    return types.Webhooks(
        [types.Webhook(each.name, list(each.events), each.name in gone) for each in asking.app.webhooks]
    )


async def failed(asking: Asking) -> types.FailedEvents:
    """A page of what a webhook could not be told, the oldest first."""
    asked: types.Pages = asking.query
    after, name = number_of(asked.cursor), _named(asking)
    found = await asking.cases.webhooks.delivery.failed(asking.app_id, name, after=after, limit=asked.limit)
    cursor = spelled(str(found[-1].number)) if len(found) == asked.limit else ""
    told = [types.FailedEvent(each.id, each.type, each.time, each.data) for each in found]
    return types.FailedEvents(told, cursor)


async def retry(asking: Asking) -> types.Retried:
    """Tell all of it once more, and whatever happens from now on."""
    return types.Retried(await asking.cases.webhooks.delivery.retry(asking.app_id, _named(asking)))


def _named(asking: Asking) -> str:
    name = asking.names["webhook"]
    if name not in {each.name for each in asking.app.webhooks}:
        raise Wrong(404, "the app has no such webhook")
    return name
