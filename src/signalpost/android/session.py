"""The loop's side of an instance: what methods want goes to the engine, what it tells becomes callbacks.

Everything in here happens on the loop thread. It refuses to know how arguments are checked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from typing import Any, NamedTuple

import msgspec

from signalpost.android.login_arguments import Credentials
from signalpost.android.open_calls import OpenCall, OpenCalls
from signalpost.android.threads import Callback, CallbackThread, Gap
from signalpost.client import events
from signalpost.client.arguments import Ask
from signalpost.client.engine import Engine, Result
from signalpost.client.settings import Settings
from signalpost.client.steps import Action, Answered
from signalpost.wire.codes import Code

__all__ = ["Errand", "Session", "failed_invitation", "failure_text", "lost_events"]

_OWN_ERRORS = range(Code.GENERAL_E, Code.GENERAL_E_LARGE_PARAM + 1)  # those for which there is onError (E3)
_NOT_LOGGED_IN = "not logged in: log in first"
_NO_CALL = "there is no such call: it was answered, ended or timed out"


class Errand(NamedTuple):
    """What a method wants of the server."""

    name: str  #: the method, in snake_case
    ask: Ask
    done: Callable[[dict[str, Any]], Callback | None]  #: the callback of the answer
    failed: Callable[[Code, str], Callback | None]  #: the callback of a failure; None: onError is all


def failed_invitation(channel: str, peer: str, code: Code, reason: str, mark: int = 0) -> Callback:
    """How an invitation that failed is told (SPEC E4)."""
    return Callback("onInviteFailed", (channel, peer, 0, int(code), failure_text(code, reason)), mark)


def failure_text(code: Code, reason: str) -> str:
    """A failure as JSON text (SPEC E4, C14)."""
    return msgspec.json.encode({"code": int(code), "reason": reason}).decode()


class Session:
    """One instance's engine, and the calls that are open."""

    def __init__(self, url: str, callbacks: CallbackThread, settings: Settings) -> None:
        self._callbacks = callbacks
        self._engine = Engine(url, self._deliver, settings=settings)
        self._calls = OpenCalls()
        self._account = ""  # of the last login
        self._gaps: dict[str, Gap] = {}  # by channel: events that are being left out
        self._told = 0  # the highest mark of a callback that is known to have begun
        self._over: Callable[[], object] | None = None  # is called when the instance's last session is over
        self.status = 0  # what getStatus() says; other threads may read it (SPEC L12)

    # --- what methods want ----------------------------------------------------------------------

    def login(self, given: Credentials) -> None:
        """Log in, unless a login goes on (SPEC L8)."""
        if self._engine.status == 0:
            self._account = given.account
        self._engine.login(
            given.app_id,
            given.account,
            given.token,
            retries=given.retries,
            retry_seconds=given.retry_seconds,
        )
        self._callbacks.withdraw(self._engine.holds)  # those of another account come when it logs in again
        self.status = self._engine.status

    def refuse_login(self, name: str, own: Code, code: Code, reason: str) -> None:
        """An argument of a login is wrong; only a log line while a login goes on (SPEC L2, L8)."""
        if self._engine.status:
            self._note(events.Level.INFO, "208: login while logged in, nothing done")
            return
        self._note(events.Level.WARNING, f"login failed: {code:d} {reason}")
        self._callbacks.put(Callback("onLoginFailed", (int(own),)))
        self.error(name, code, reason)

    def logout(self) -> None:
        """Log out (SPEC L9, M11): what was told is acknowledged, and messages that wait come again."""
        with self._callbacks.paused() as last:
            for mark in range(self._told + 1, last + 1):  # on their way from the callback thread
                self.told(mark)
            self._engine.logout()
            self._callbacks.withdraw(self._engine.holds)
        self.status = self._engine.status

    def perform(self, errand: Errand) -> None:
        """Ask the server."""

        def take(result: Result) -> None:
            if not isinstance(result, Answered):
                self.fail(errand.name, result.code, result.reason, errand.failed(result.code, result.reason))
            elif (callback := errand.done(result.body)) is not None:
                self._callbacks.put(callback)

        self._engine.request(errand.ask.func, errand.ask.args, take)

    def perform_own(self, name: str, ask: Ask, done: Callable[[str, dict[str, Any]], Callback]) -> None:
        """Ask the server for something of this account's own, whose name is known here only."""
        account = self._account
        own = Ask(ask.func, {**ask.args, "account": account})
        self.perform(Errand(name, own, lambda body: done(account, body), lambda code, reason: None))

    def invite(self, name: str, channel: str, peer: str, extra: str) -> None:
        """Call somebody (SPEC K1)."""
        self._calls.add(self._engine.invite(channel, peer, extra), name, channel, peer)

    def invite_phone(self, name: str, channel: str, number: str) -> None:
        """Call a telephone; the account is the caller's number (SPEC K13)."""
        extra = msgspec.json.encode({"srcNum": self._account}).decode()
        self.invite(name, channel, number, extra)

    def respond(self, name: str, channel: str, peer: str, action: Action, extra: str) -> None:
        """Do something to the call with this peer (SPEC K2 to K4)."""
        call = self._calls.find(channel, peer)
        if call is None and action is Action.END:
            self._callbacks.put(_ended_by_myself(channel, peer))  # in every state (SPEC K12)
        elif self._engine.status == 0 and action is not Action.END:
            self.error(name, Code.GENERAL_E_NOT_LOGIN, _NOT_LOGGED_IN)
        elif call is None:
            self.error(name, Code.GENERAL_E_FAILED, _NO_CALL)
        else:
            self._respond(name, call, action, extra, None, None)

    def respond_to_only(
        self, name: str, extra: str, done: Callback, failed: Callable[[Code], Callback]
    ) -> None:
        """Send keys to the only accepted call (SPEC K14)."""
        accepted = self._calls.accepted
        if self._engine.status == 0:
            code, reason = Code.GENERAL_E_NOT_LOGIN, _NOT_LOGGED_IN
        elif len(accepted) != 1:
            code = Code.GENERAL_E_FAILED
            reason = f"there are {len(accepted)} accepted calls: exactly one is allowed"
        else:
            self._respond(name, accepted[0], Action.KEYS, extra, done, failed)
            return
        self.fail(name, code, reason, failed(code))

    def _respond(
        self,
        name: str,
        call: OpenCall,
        action: Action,
        extra: str,
        done: Callback | None,
        failed: Callable[[Code], Callback] | None,
    ) -> None:
        def take(result: Result) -> None:
            if not isinstance(result, Answered):
                self.fail(name, result.code, result.reason, failed(result.code) if failed else None)
                return
            if action is Action.ACCEPT:
                self._calls.accept(call.number)
            elif action is Action.REFUSE:
                self._calls.remove(call.number)
            elif action is Action.END:
                self._calls.remove(call.number)
                self._callbacks.put(_ended_by_myself(call.channels[-1], call.peer))
            if done is not None:
                self._callbacks.put(done)

        self._engine.respond(call.number, action, extra, take)

    def fail(self, name: str, code: Code, reason: str, own: Callback | None) -> None:
        """A method failed: its own callback; onError if there is none, or for 1000 to 1005 (E3)."""
        if own is not None:
            self._callbacks.put(own)
        if own is None or code in _OWN_ERRORS:
            self.error(name, code, reason)

    def error(self, name: str, code: Code, reason: str) -> None:
        """What onError is told."""
        self._callbacks.put(Callback("onError", (name, int(code), reason)))

    def told(self, mark: int) -> None:
        """A callback that has a mark begins (SPEC S2)."""
        self._told = max(self._told, mark)
        self._engine.told(mark)

    def seen(self, mark: int) -> None:
        """A callback that had a mark has returned (SPEC M6)."""
        self._engine.seen(mark)

    # --- the end --------------------------------------------------------------------------------

    def end(self, over: Callable[[], object]) -> None:
        """Log out; `over` is called when nothing goes on any more (SPEC S9)."""
        self._over = over
        if not self._engine.is_out:
            self.logout()
        self._look_for_end()

    def _look_for_end(self) -> None:
        over = self._over
        if over is not None and self._engine.is_out:
            self._over = None
            over()

    def close(self) -> None:
        """Let go of everything."""
        self.status = 0
        self._engine.close()

    # --- what the engine tells ------------------------------------------------------------------

    def _deliver(self, event: events.Event) -> None:
        self.status = self._engine.status
        self._tell(event)
        self._look_for_end()

    def _note(self, level: events.Level, text: str) -> None:
        if not self._callbacks.is_crowded:
            self._callbacks.put(Callback("onLog", (f"{level} {' '.join(text.split())}",)))

    def _offer(self, channel: str, name: str, *args: Any) -> None:
        """A channel's event; left out, and counted, if the callbacks are too slow."""
        gap = self._gaps.get(channel)
        if gap is not None:
            if gap.count():
                return
            del self._gaps[channel]
        if self._callbacks.is_crowded:
            gap = self._gaps[channel] = Gap(channel)
            gap.count()
            self._callbacks.put(gap)
            return
        self._callbacks.put(Callback(name, args))

    @singledispatchmethod
    def _tell(self, event: events.Event) -> None:
        """What the Android document has no callback for."""

    @_tell.register
    def _(self, event: events.Note) -> None:
        self._note(event.level, event.text)

    @_tell.register
    def _(self, event: events.Problem) -> None:
        self.error(event.name or "server", event.code, event.reason)

    @_tell.register
    def _(self, event: events.LoggedIn) -> None:
        self._note(events.Level.INFO, "logged in")
        self._callbacks.put(Callback("onLoginSuccess", (0, 0)))

    @_tell.register
    def _(self, event: events.LoginFailed) -> None:
        self._note(events.Level.WARNING, f"login failed: {event.code:d} {event.reason}")
        self._callbacks.put(Callback("onLoginFailed", (int(event.code),)))

    @_tell.register
    def _(self, event: events.Reconnecting) -> None:
        self._callbacks.put(Callback("onReconnecting", (event.attempt,)))

    @_tell.register
    def _(self, event: events.Reconnected) -> None:
        self._note(events.Level.INFO, "reconnected" if event.resumed else "reconnected: the session is new")
        self._callbacks.put(Callback("onReconnected", (0,)))

    @_tell.register
    def _(self, event: events.LoggedOut) -> None:
        self._note(events.Level.INFO, f"logged out: {event.code:d} {event.reason}")
        self._callbacks.put(Callback("onLogout", (int(event.code),)))

    @_tell.register
    def _(self, event: events.Message) -> None:
        if self._engine.holds(event.mark):
            args = (event.sender, 0, event.text)
            self._callbacks.put(Callback("onMessageInstantReceive", args, event.mark, is_message=True))

    # --- channels -------------------------------------------------------------------------------

    @_tell.register
    def _(self, event: events.ChannelJoined) -> None:
        put, channel = self._callbacks.put, event.channel
        put(Callback("onChannelJoined", (channel,)))
        put(Callback("onChannelUserList", (list(event.members), [0] * len(event.members))))
        for name, value in event.attributes.items():
            put(Callback("onChannelAttrUpdated", (channel, name, value, str(events.Change.UPDATE))))

    @_tell.register
    def _(self, event: events.ChannelLeft) -> None:
        self._callbacks.put(Callback("onChannelLeaved", (event.channel, int(event.code))))

    @_tell.register
    def _(self, event: events.MemberJoined) -> None:
        self._offer(event.channel, "onChannelUserJoined", event.account, 0)

    @_tell.register
    def _(self, event: events.MemberLeft) -> None:
        self._offer(event.channel, "onChannelUserLeaved", event.account, 0)

    @_tell.register
    def _(self, event: events.ChannelMessage) -> None:
        self._offer(event.channel, "onMessageChannelReceive", event.channel, event.sender, 0, event.text)

    @_tell.register
    def _(self, event: events.AttributeChanged) -> None:
        change = str(event.change)
        self._offer(event.channel, "onChannelAttrUpdated", event.channel, event.name, event.value, change)

    @_tell.register
    def _(self, event: events.EventsLost) -> None:
        self._callbacks.put(lost_events(event.channel, event.count))

    # --- calls ----------------------------------------------------------------------------------

    @_tell.register
    def _(self, event: events.CallIncoming) -> None:
        self._calls.add(event.call, "", event.channel, event.peer, is_ringing=True)
        self._call("onInviteReceived", event, event.extra, mark=event.mark)

    @_tell.register
    def _(self, event: events.CallNamed) -> None:
        self._calls.name(event.call, event.channel)

    @_tell.register
    def _(self, event: events.CallReceived) -> None:
        self._call("onInviteReceivedByPeer", event, mark=event.mark)

    @_tell.register
    def _(self, event: events.CallAccepted) -> None:
        self._calls.accept(event.call)
        self._call("onInviteAcceptedByPeer", event, event.extra, mark=event.mark)

    @_tell.register
    def _(self, event: events.CallRefused) -> None:
        self._calls.remove(event.call)
        self._call("onInviteRefusedByPeer", event, event.extra, mark=event.mark)

    @_tell.register
    def _(self, event: events.CallFailed) -> None:
        name = self._calls.remove(event.call)
        callback = failed_invitation(event.channel, event.peer, event.code, event.reason, event.mark)
        self.fail(name, event.code, event.reason, callback)

    @_tell.register
    def _(self, event: events.CallEnded) -> None:
        self._calls.remove(event.call)
        if event.by_peer:
            self._call("onInviteEndByPeer", event, event.extra, mark=event.mark)
        else:
            self._callbacks.put(_ended_by_myself(event.channel, event.peer))

    @_tell.register
    def _(self, event: events.CallKeys) -> None:
        self._call("onInviteMsg", event, "dtmf", event.keys, event.extra, mark=event.mark)

    def _call(self, name: str, event: events.CallEvent, *more: str, mark: int) -> None:
        self._callbacks.put(Callback(name, (event.channel, event.peer, 0, *more), mark))


def _ended_by_myself(channel: str, peer: str) -> Callback:
    return Callback("onInviteEndByMyself", (channel, peer, 0))


def lost_events(channel: str, count: int) -> Callback:
    """How lost events are told (SPEC C9)."""
    return Callback(
        "onError", ("channel_events", int(Code.GENERAL_E), f"{count} events of {channel} are lost")
    )
