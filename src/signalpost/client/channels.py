"""The channels that a client is in, and the last event of each that it has taken (PROTOCOL §7, §12).

One ordinary channel at a time, and any number of special ones besides (SPEC C2, P4).
"""

from __future__ import annotations

from typing import Any

import msgspec

from signalpost.client.answers import members_of, texts_of
from signalpost.client.events import (
    AttributeChanged,
    Change,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    Event,
    EventsLost,
    MemberJoined,
    MemberLeft,
)
from signalpost.client.requests import JOIN, LEAVE, Pending
from signalpost.wire.client_codec import ChannelEvent, text_of
from signalpost.wire.codes import RESERVED_CHANNELS, Code
from signalpost.wire.lines import Line, seconds_of

__all__ = ["Channels"]


class _Cursor:
    """How far a channel has been followed."""

    __slots__ = ("epoch", "id")

    def __init__(self, epoch: str, id: int) -> None:
        self.epoch = epoch
        self.id = id


class Channels:
    """The channels of one session."""

    __slots__ = ("_cursors",)

    def __init__(self) -> None:
        self._cursors: dict[str, _Cursor] = {}  # by name: the channels that the session is in

    def __contains__(self, channel: str) -> bool:
        return channel in self._cursors

    @property
    def cursors(self) -> dict[str, tuple[str, int]]:
        """What a login says of them (PROTOCOL §12)."""
        return {name: (cursor.epoch, cursor.id) for name, cursor in self._cursors.items()}

    def join(self, channel: str, body: dict[str, Any]) -> list[Event]:
        """`channel_join` was answered: into one ordinary channel, out of the other (SPEC C1, C2)."""
        events = self.leave_for(channel)
        id = body.get("id")
        self._cursors[channel] = _Cursor(text_of(body.get("epoch")), id if isinstance(id, int) else 0)
        return [*events, ChannelJoined(channel, members_of(body.get("list")), texts_of(body.get("attrs")))]

    def leave_for(self, channel: str) -> list[Event]:
        """The session has joined this channel: it is in no other ordinary one (SPEC C2)."""
        if channel.startswith(RESERVED_CHANNELS):
            return []
        others = [name for name in self._cursors if name != channel]
        return [
            event
            for name in others
            if not name.startswith(RESERVED_CHANNELS)
            for event in self.leave(name, Code.LEAVECHANNEL_E_BYUSER)
        ]

    def leave(self, channel: str, code: Code) -> list[Event]:
        """The session is in the channel no longer; nothing if it was not (SPEC C3)."""
        return [ChannelLeft(channel, code)] if self._cursors.pop(channel, None) is not None else []

    def leave_all(self, code: Code) -> list[Event]:
        """The session is in no channel any more."""
        return [event for name in list(self._cursors) for event in self.leave(name, code)]

    def resume(self, kept: Any, going: list[Pending]) -> list[Event]:
        """A session was resumed: which channels it is still in, and what of them is lost (SPEC C9).

        `going`: joins and leaves that are still to be answered; what they left, their answers tell.
        """
        kept = kept if isinstance(kept, dict) else {}
        names = {(pending.func, str(pending.args.get("name"))) for pending in going}
        leaving = {name for func, name in names if func == LEAVE}
        if any(func == JOIN and not name.startswith(RESERVED_CHANNELS) for func, name in names):
            leaving |= {name for name in self._cursors if not name.startswith(RESERVED_CHANNELS)}
        events: list[Event] = []
        for name, cursor in list(self._cursors.items()):
            state = kept.get(name)
            if not isinstance(state, dict):
                if name not in leaving:
                    events += self.leave(name, Code.LEAVECHANNEL_E_DISCONN)
                continue
            epoch, lost = text_of(state.get("epoch")), state.get("lost")
            if epoch != cursor.epoch:
                cursor.epoch, cursor.id = epoch, 0
            if isinstance(lost, int) and lost > 0:
                events.append(EventsLost(name, lost))
        return events

    def take(self, event: ChannelEvent) -> Event | None:
        """What an event means; None for a repeat, and for channels that the session is not in."""
        cursor = self._cursors.get(event.channel)
        if cursor is None or event.id <= cursor.id:
            return None
        cursor.id = event.id
        return None if event.line is None else _meaning(event.channel, event.line)


class _Content(msgspec.Struct):
    """CONTENT of any event (PROTOCOL §7)."""

    account: str
    msg: str = ""
    name: str = ""
    value: str = ""
    type: str = ""


_content = msgspec.json.Decoder(_Content).decode
_CHANGES = {str(change): change for change in Change}


def _meaning(channel: str, line: Line) -> Event | None:
    try:
        content = _content(line.content)
    except (msgspec.DecodeError, RecursionError):
        return None
    kind = line.type
    if kind == "channel_msg":
        return ChannelMessage(channel, content.account, content.msg, line.id, seconds_of(line))
    if kind == "channel_user_join":
        return MemberJoined(channel, content.account)
    if kind == "channel_user_leave":
        return MemberLeft(channel, content.account)
    change = _CHANGES.get(content.type)
    if kind == "channel_attr_update" and change is not None:
        return AttributeChanged(channel, content.account, content.name, content.value, change)
    return None
