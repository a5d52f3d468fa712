"""`Session`: one login of one account (SPEC §2 to §5). It ends once, with `onLoginFailed` or `onLogout`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signalpost.client import arguments
from signalpost.client.engine import Result
from signalpost.client.errors import ArgumentError
from signalpost.client.events import (
    AttributeChanged,
    CallIncoming,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    Event,
    EventsLost,
    Level,
    LoggedIn,
    LoggedOut,
    LoginFailed,
    MemberJoined,
    MemberLeft,
    Message,
    Problem,
    Reconnected,
    Reconnecting,
)
from signalpost.client.steps import Unanswered
from signalpost.web.account import Account, failure_of
from signalpost.web.calls import Call, make_call, receive_call
from signalpost.web.channels import Channel
from signalpost.web.delivery import Callback, check_callback
from signalpost.wire.codes import Code

__all__ = ["Session"]


class Session:
    """A session. `Signal.login` gives it, before the login has succeeded."""

    onLoginSuccess = Callback[Callable[[int], object]]()
    onLoginFailed = Callback[Callable[[int], object]]()
    onLogout = Callback[Callable[[int], object]]()
    onMessageInstantReceive = Callback[Callable[[str, int, str], object]]()
    onInviteReceived = Callback[Callable[[Call], object]]()
    #: These three are not in the web document (SPEC L10, S7, E3).
    onReconnecting = Callback[Callable[[int], object]]()
    onReconnected = Callback[Callable[[], object]]()
    onError = Callback[Callable[[str, int, str], object]]()

    def __init__(self, home: Account) -> None:
        self.account = home.name
        self._home = home
        self._channels: dict[str, Channel] = {}  # by name: the current objects
        self._left_out: dict[str, int] = {}  # by channel: events dropped since the last that was told
        self._joining: Channel | None = None  # whose join succeeded; `ChannelJoined` comes next

    def __repr__(self) -> str:
        return f"<Session {self.account!r}, state {self.state}>"

    @property
    def state(self) -> int:
        """0 not logged in, 1 connecting, 2 logged in, 3 reconnecting (SPEC L12)."""
        return self._home.engine.status if self._home.is_newest(self) else 0

    def getStatus(self) -> int:
        """The same as `state`."""
        return self.state

    def logout(self) -> None:
        """Log out; `onLogout(101)` follows, or `onLoginFailed(203)` while connecting (SPEC L9)."""
        if self._home.is_newest(self):
            self._home.engine.logout()
        else:
            self._home.write(Level.INFO, "108: logout of a session that is over, nothing done")

    def invoke(self, func: Any, args: Any = None, cb: Callable[[str, Any], object] | None = None) -> None:
        """Call one of the functions of SPEC C12. `args`: an object or its JSON text.

        `cb("", result)`, or `cb(reason, {"code": …, "reason": …})`.
        """
        check_callback(cb, "cb")

        def done(result: Result) -> None:
            self._home.note_failure("invoke", result)
            if cb is None:
                self._report("invoke", result)
            elif isinstance(result, Unanswered):
                self._home.delivery.answer(cb, result.reason, failure_of(result))
            else:
                self._home.delivery.answer(cb, "", result.body)

        self._home.ask(self, lambda: arguments.remote_call(func, {} if args is None else args), done)

    def messageInstantSend(self, peer: Any, msg: Any, cb: Callable[..., object] | None = None) -> None:
        """Send a message of at most 8196 bytes. `cb(False)` once it is stored (SPEC M1), else
        `cb(True, {"code": …, "reason": …})`."""
        check_callback(cb, "cb")

        def done(result: Result) -> None:
            self._home.note_failure("message_instant_send", result)
            if cb is None:
                self._report("message_instant_send", result)
            elif isinstance(result, Unanswered):
                self._home.delivery.answer(cb, True, failure_of(result))
            else:
                self._home.delivery.answer(cb, False)

        self._home.ask(self, lambda: arguments.send(peer, msg), done)

    def channelJoin(self, name: Any) -> Channel:
        """Join a channel; `onChannelJoined` or `onChannelJoinFailed` of the object follows (SPEC C1)."""
        try:
            text = arguments.channel_name(name)
        except ArgumentError:
            text = name if isinstance(name, str) else ""
        channel = Channel(self, text)

        def done(result: Result) -> None:
            self._home.note_failure("channel_join", result)
            if isinstance(result, Unanswered):
                channel._join_failed(result)
            else:
                self._joining = channel

        self._home.ask(self, lambda: arguments.join(name), done)
        return channel

    def channelInviteUser2(self, channelID: Any, peer: Any, extra: Any = "") -> Call:
        """Invite somebody into a channel (SPEC K1); what comes of it, the object is told.

        `channelID` "": the server makes a name (K10). `extra`: JSON text of at most 8 KiB, or "".
        """
        return make_call(self, channelID, peer, extra)

    def _is_in(self, channel: Channel) -> bool:
        """Whether this object is the one that is told of the channel."""
        return self._channels.get(channel.name) is channel

    # --- what the engine tells ------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        """What happened to this session."""
        delivery = self._home.delivery
        match event:
            case Message():
                args = (event.sender, 0, event.text)
                delivery.tell_message(self, "onMessageInstantReceive", *args, mark=event.mark)
            case CallIncoming():
                delivery.tell(self, "onInviteReceived", receive_call(self, event), mark=event.mark)
            case LoggedIn():
                delivery.tell(self, "onLoginSuccess", 0)
            case LoginFailed():
                delivery.tell(self, "onLoginFailed", int(event.code))
            case LoggedOut():
                delivery.tell(self, "onLogout", int(event.code))
            case Reconnecting():
                delivery.tell(self, "onReconnecting", event.attempt)
            case Reconnected():
                delivery.tell(self, "onLoginSuccess", 0)
                delivery.tell(self, "onReconnected")
            case Problem():
                delivery.tell(self, "onError", event.name, int(event.code), event.reason)
            case EventsLost():
                self._tell_lost(event.channel, event.count)
            case _:
                self._tell_channel(event)

    def _tell_channel(self, event: Event) -> None:
        match event:
            case ChannelJoined():
                self._replace(event.channel)
            case MemberJoined() | MemberLeft() | AttributeChanged() | ChannelMessage():
                if self._is_left_out(event.channel):
                    return
            case ChannelLeft():
                pass
            case _:
                return
        channel = self._channels.get(event.channel)
        if channel is not None:
            channel._take(event)
        if isinstance(event, ChannelLeft):
            self._channels.pop(event.channel, None)

    def _is_left_out(self, channel: str) -> bool:
        """Whether callbacks are so slow that the event is dropped; the next that is not says how many."""
        if self._home.delivery.is_crowded:
            self._left_out[channel] = self._left_out.get(channel, 0) + 1
            return True
        if channel in self._left_out:
            self._tell_lost(channel, self._left_out.pop(channel))
        return False

    def _tell_lost(self, channel: str, count: int) -> None:
        lost = f"{count} events of the channel {channel} were missed and are lost"
        self._home.delivery.tell(self, "onError", "channel_join", int(Code.GENERAL_E), lost)

    def _replace(self, name: str) -> None:
        """The join succeeded: the new object alone is told what follows (SPEC C2)."""
        joined, self._joining = self._joining, None
        if joined is not None:
            former = self._channels.get(name)
            self._channels[name] = joined
            if former is not None:
                former._replaced()

    def _report(self, name: str, result: Result) -> None:
        """A failure that has no callback of its own goes to `onError`."""
        if isinstance(result, Unanswered):
            self._home.delivery.tell(self, "onError", name, int(result.code), result.reason)
