"""`Channel`: one join of a channel (SPEC §5).

Which object is the current one of its name is for the session to know; only that one is told of events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from signalpost.client import arguments
from signalpost.client.arguments import Ask
from signalpost.client.engine import Result
from signalpost.client.events import (
    AttributeChanged,
    Change,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    Event,
    MemberJoined,
    MemberLeft,
)
from signalpost.client.steps import Unanswered
from signalpost.web.account import Owner, failure_of
from signalpost.web.delivery import Callback, check_callback
from signalpost.wire.codes import Code

__all__ = ["Channel", "ChannelCallback"]

ChannelCallback = Callable[..., object]

_OUT, _JOINING, _IN = 0, 1, 2


class ChannelOwner(Owner, Protocol):
    """A session, as its channels see it."""

    def _is_in(self, channel: Channel) -> bool:
        """Whether this object is the one that is told of the channel."""
        ...


class Channel:
    """A channel, from `channelJoin` on."""

    onChannelJoined = Callback[Callable[[], object]]()
    onChannelJoinFailed = Callback[Callable[[int], object]]()
    onChannelLeaved = Callback[Callable[[int], object]]()
    onChannelUserJoined = Callback[Callable[[str, int], object]]()
    onChannelUserLeaved = Callback[Callable[[str, int], object]]()
    onChannelUserList = Callback[Callable[[list[list[Any]]], object]]()
    onChannelAttrUpdated = Callback[Callable[[str, str, str], object]]()
    onMessageChannelReceive = Callback[Callable[[str, int, str], object]]()

    def __init__(self, session: ChannelOwner, name: str) -> None:
        self.name = name
        self.state = _JOINING  #: 0 not in it, 1 joining, 2 in it
        self._session = session

    def __repr__(self) -> str:
        return f"<Channel {self.name!r}>"

    def messageChannelSend(self, msg: Any, cb: ChannelCallback | None = None) -> None:
        """Send to all members, at most 8192 bytes (SPEC C4)."""
        self._ask("message_channel_send", lambda: arguments.send_to_channel(self.name, msg), cb)

    def channelLeave(self, cb: ChannelCallback | None = None) -> None:
        """Leave; `cb` and then `onChannelLeaved(0)` follow, also if one is not in it (SPEC C3)."""
        check_callback(cb, "cb")
        session = self._session

        def done(result: Result) -> None:
            self._answer("channel_leave", result, cb)
            if not isinstance(result, Unanswered):
                if not session._is_in(self):  # else it is told that it was left
                    session._home.delivery.tell(self, "onChannelLeaved", 0)
            elif result.code is Code.GENERAL_E_NOT_LOGIN and cb is not None:
                session._report("channel_leave", result)  # besides its cb (SPEC E2)

        session._home.ask(session, lambda: arguments.leave(self.name), done)

    def channelSetAttr(self, name: Any, value: Any, cb: ChannelCallback | None = None) -> None:
        """Set an attribute: a name of 1 to 128 bytes, a value of at most 8096 (SPEC C10)."""
        self._ask("channel_set_attr", lambda: arguments.set_channel_attribute(self.name, name, value), cb)

    def channelDelAttr(self, name: Any, cb: ChannelCallback | None = None) -> None:
        """Delete an attribute (SPEC C10)."""
        self._ask("channel_del_attr", lambda: arguments.delete_channel_attribute(self.name, name), cb)

    def channelClearAttr(self, cb: ChannelCallback | None = None) -> None:
        """Delete all attributes but the built-in ones (SPEC C10)."""
        self._ask("channel_clear_attr", lambda: arguments.clear_channel_attributes(self.name), cb)

    def _ask(self, name: str, make: Callable[[], Ask], cb: ChannelCallback | None) -> None:
        check_callback(cb, "cb")
        self._session._home.ask(self._session, make, lambda result: self._answer(name, result, cb))

    def _answer(self, name: str, result: Result, cb: ChannelCallback | None) -> None:
        session, account = self._session, self._session._home
        account.note_failure(name, result)
        if cb is None:
            session._report(name, result)
        elif isinstance(result, Unanswered):
            account.delivery.answer(cb, failure_of(result))
        else:
            account.delivery.answer(cb)

    # --- what the engine tells ------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        """What happened in the channel, or to one's place in it."""
        delivery = self._session._home.delivery
        match event:
            case ChannelJoined():
                self.state = _IN
                delivery.tell(self, "onChannelJoined")
                delivery.tell(self, "onChannelUserList", [[account, 0] for account in event.members])
                for name, value in event.attributes.items():
                    delivery.tell(self, "onChannelAttrUpdated", name, value, Change.UPDATE.value)
            case ChannelLeft():
                self.state = _OUT
                voluntary = event.code is Code.LEAVECHANNEL_E_BYUSER
                delivery.tell(self, "onChannelLeaved", 0 if voluntary else int(event.code))
            case MemberJoined():
                delivery.tell(self, "onChannelUserJoined", event.account, 0)
            case MemberLeft():
                delivery.tell(self, "onChannelUserLeaved", event.account, 0)
            case AttributeChanged():
                delivery.tell(self, "onChannelAttrUpdated", event.name, event.value, event.change.value)
            case ChannelMessage():
                delivery.tell(self, "onMessageChannelReceive", event.sender, 0, event.text)

    def _replaced(self) -> None:
        """The same channel was joined with a new object: this one is told nothing more."""
        self.state = _OUT

    def _join_failed(self, failure: Unanswered) -> None:
        self.state = _OUT
        self._session._home.delivery.tell(self, "onChannelJoinFailed", int(failure.code))
