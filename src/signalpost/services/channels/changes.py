"""How a change of a channel, and the event that tells of it, are handed to the engine."""

from __future__ import annotations

from collections.abc import Sequence

from signalpost.domain.apps import App
from signalpost.domain.channels import ATTRIBUTE, ChannelEvent
from signalpost.domain.limits import Limits
from signalpost.engine.ports import Change, Clock, Edit, Keep, Rate, Topics
from signalpost.services.stored import EVENT

__all__ = ["Changes", "keep"]


class Changes:
    """Changes of channels, each with its event, dated and stored."""

    __slots__ = ("_topics", "_wall")

    def __init__(self, topics: Topics, wall: Clock) -> None:
        self._topics = topics
        self._wall = wall  # what events are dated by

    async def make(
        self,
        app: App,
        topic: str,
        edits: Sequence[Edit],
        event: ChannelEvent | None,
        rates: Sequence[Rate] = (),
    ) -> Change:
        """Make a change and tell it, in one step; as `Topics.change`."""
        body = None if event is None else EVENT.encode(event)
        return await self._topics.change(topic, edits=edits, event=body, keep=keep(app.limits), rates=rates)

    def event(self, kind: str, account: str) -> ChannelEvent:
        """That an account came or went."""
        return ChannelEvent(kind, account, int(self._wall()))

    def attribute_event(self, account: str, name: str, value: str, change: str) -> ChannelEvent:
        """That an attribute was changed; `account` "" by the server."""
        return ChannelEvent(ATTRIBUTE, account, int(self._wall()), name=name, value=value, change=change)


def keep(limits: Limits) -> Keep:
    """How much of a channel's past is kept (C9)."""
    return Keep(limits.history_seconds, limits.history_events, limits.history_bytes)
