"""Channels: looked at and changed by anybody, joined, spoken in and listened to by members (SPEC §5)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from signalpost.client import arguments
from signalpost.client.answers import members_of
from signalpost.client.api.futures import ask
from signalpost.client.api.streams import Stream
from signalpost.client.engine import Engine
from signalpost.client.errors import SignalpostError
from signalpost.client.events import (
    AttributeChanged,
    Change,
    ChannelJoined,
    ChannelMessage,
    EventsLost,
    MemberJoined,
    MemberLeft,
)

__all__ = ["Channel", "ChannelEvent", "ChannelView"]

ChannelEvent = ChannelMessage | MemberJoined | MemberLeft | AttributeChanged | EventsLost

_UNREAD = 10_000  # events kept for an application that does not take them


class ChannelView:
    """A channel as anybody sees it, a member or not (SPEC C12, C13)."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = arguments.channel_name(name)

    async def count(self) -> int:
        """How many members there are; 0 for an unknown channel. Raises QueryError."""
        return int((await ask(self._engine, arguments.query_number(self.name)))["num"])

    async def has(self, account: str) -> bool:
        """Whether an account is in it. Raises QueryError."""
        return bool((await ask(self._engine, arguments.query_is_in(self.name, account)))["isin"])

    async def latest_members(self) -> tuple[str, ...]:
        """The latest 200 members, oldest first. Raises QueryError."""
        return members_of((await ask(self._engine, arguments.query_members(self.name)))["list"])

    async def all_members(self, most: int = 1_000_000) -> tuple[str, ...]:
        """The latest `most` members, oldest first; allowed ten times a second (M10). Raises QueryError."""
        return members_of((await ask(self._engine, arguments.query_all_members(self.name, most)))["list"])

    async def set(self, name: str, value: str) -> None:
        """Set an attribute: name 1 to 128 bytes, value at most 8096 bytes; every member is told (C10).

        Raises ArgumentError, RequestError.
        """
        await ask(self._engine, arguments.set_channel_attribute(self.name, name, value))

    async def delete(self, name: str) -> None:
        """Delete an attribute; a built-in one gets its default back (C10). Raises RequestError."""
        await ask(self._engine, arguments.delete_channel_attribute(self.name, name))

    async def clear(self) -> None:
        """Delete all attributes but those that begin with an underscore (C10). Raises RequestError."""
        await ask(self._engine, arguments.clear_channel_attributes(self.name))

    async def force_send(self, text: str) -> str:
        """Send without being a member (C5); the message's id, which names nothing if nobody is there.

        Raises ArgumentError, MessageError.
        """
        return str((await ask(self._engine, arguments.send_to_channel(self.name, text, force=True)))["id"])


class Channel(ChannelView):
    """A channel that this client has joined; iterate it for what happens there.

    The iteration ends when the client leaves or logs out, and raises ChannelLeft when the place is lost:
    601 put out, or logged in elsewhere, 604 the connection was away for too long.
    """

    def __init__(self, engine: Engine, joined: ChannelJoined) -> None:
        super().__init__(engine, joined.channel)
        self._members = dict.fromkeys(joined.members)  # in the order in which they came
        self._attributes = dict(joined.attributes)
        self._events: Stream[ChannelEvent] = Stream(
            _UNREAD, lost=lambda count: EventsLost(joined.channel, count)
        )
        self.joined = True  #: until this client leaves, or its place is lost

    @property
    def members(self) -> tuple[str, ...]:
        """The latest 200 members at the join and who came since, without who left; oneself included.

        It is as new as the last event that came, not the last that was taken. In a channel with
        `_userNotification` 0 nobody tells who comes and goes (C11).
        """
        return tuple(self._members)

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes by name, as new as the last event that came."""
        return MappingProxyType(self._attributes)

    async def send(self, text: str) -> str:
        """Send to all members, oneself included, at most 8192 bytes (C4); the message's id.

        Raises ArgumentError, MessageError.
        """
        return str((await ask(self._engine, arguments.send_to_channel(self.name, text)))["id"])

    async def leave(self) -> None:
        """Leave; nothing if that has happened (C3). Raises SignalpostError."""
        if self.joined:
            await ask(self._engine, arguments.leave(self.name))

    def __aiter__(self) -> Stream[ChannelEvent]:
        return self._events

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.leave()
        except SignalpostError:
            if self.joined:
                raise

    # --- the client's side ----------------------------------------------------------------------

    def happened(self, event: ChannelEvent) -> None:
        """Something happened in the channel."""
        if isinstance(event, ChannelMessage):
            self._events.put(event)
            return
        match event:
            case MemberJoined(account=account):
                self._members.setdefault(account)
            case MemberLeft(account=account):
                self._members.pop(account, None)
            case AttributeChanged(name=name, value=value, change=Change.UPDATE):
                self._attributes[name] = value
            case AttributeChanged(name=name, change=Change.DELETE):
                self._attributes.pop(name, None)
            case AttributeChanged(change=Change.CLEAR):
                for name in [name for name in self._attributes if not name.startswith("_")]:
                    del self._attributes[name]
        self._events.put(event)

    def left(self, error: SignalpostError | None) -> None:
        """This client is in the channel no longer; None: because it wanted so."""
        self.joined = False
        self._events.close(error)
