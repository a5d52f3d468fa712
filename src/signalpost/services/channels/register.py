"""Which channels there are and how they stand, as a back end looks at them (SPEC A2)."""

from __future__ import annotations

from typing import NamedTuple

from signalpost.domain import channels as rules
from signalpost.domain.channels import SPECIAL
from signalpost.engine.ports.kept import Attributes, Kept
from signalpost.engine.ports.shared import Shared, Topic, Topics
from signalpost.services.keys import split, topic_key, topic_keys
from signalpost.wire.codes import LIST_ALL_MEMBERS

__all__ = ["Register", "Seen"]


class Seen(NamedTuple):
    """A channel: how many members it has, and its attributes."""

    channel: str
    members: int
    attributes: dict[str, str]


class Register:
    """All channels, looked at from outside."""

    __slots__ = ("_kept", "_shared")

    def __init__(self, kept: Kept, shared: Shared) -> None:
        self._kept = kept
        self._shared = shared

    async def page(self, app_id: str, cursor: str, limit: int) -> tuple[list[tuple[str, int]], str]:
        """Channels of an app with how many are in each, but the special ones; behind which cursor more
        follow, "" if none do. Of those that nobody has been in since this half began nothing is known."""
        (listed,) = await self._shared.load(Topics(topic_keys(app_id), cursor, limit))
        found = await self._shared.load(*[Topic(topic) for topic in listed.names])
        names = [split(topic)[1] for topic in listed.names]
        seen = [
            (name, shot.count)
            for name, shot in zip(names, found, strict=True)
            if shot is not None and name not in SPECIAL
        ]
        return seen, listed.cursor

    async def see(self, app_id: str, channel: str) -> Seen | None:
        """A channel, None if there is none. Raises Refusal: 1004, 1005."""
        rules.check_open_channel(channel)
        topic = topic_key(app_id, channel)
        (snapshot,) = await self._shared.load(Topic(topic))
        (stand,) = await self._kept.load(Attributes(topic))
        if snapshot is None and not stand.attributes:
            return None
        attributes = {name: attribute.value for name, attribute in stand.attributes.items()}
        return Seen(channel, 0 if snapshot is None else snapshot.count, attributes)

    async def members(self, app_id: str, channel: str) -> list[str] | None:
        """All members of a channel, None if there is no such channel. Raises Refusal: 1004, 1005."""
        rules.check_open_channel(channel)
        (snapshot,) = await self._shared.load(Topic(topic_key(app_id, channel), LIST_ALL_MEMBERS))
        return None if snapshot is None else list(snapshot.members)
