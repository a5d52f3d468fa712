"""`Call`: an invitation, one's own or somebody else's (SPEC §6).

It checks what the application gives. When a call is over is the engine's to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from signalpost.client.arguments import account_name, answer_extra, channel_name, invitation_extra, keys_extra
from signalpost.client.engine import Result
from signalpost.client.errors import ArgumentError
from signalpost.client.events import (
    CallAccepted,
    CallEnded,
    CallEvent,
    CallFailed,
    CallIncoming,
    CallKeys,
    CallNamed,
    CallReceived,
    CallRefused,
    Event,
)
from signalpost.client.steps import Action, Unanswered
from signalpost.web.account import Owner
from signalpost.web.delivery import Callback
from signalpost.wire.codes import Code

__all__ = ["Call", "make_call", "receive_call"]

_TOLD: dict[type[CallEvent], str] = {
    CallReceived: "onInviteReceivedByPeer",
    CallAccepted: "onInviteAcceptedByPeer",
    CallRefused: "onInviteRefusedByPeer",
    CallKeys: "onInviteMsg",
}
_OVER = (CallRefused, CallFailed, CallEnded)


class Call:
    """A call. `channelInviteUser2` and `onInviteReceived` give it."""

    onInviteReceivedByPeer = Callback[Callable[[str], object]]()
    onInviteAcceptedByPeer = Callback[Callable[[str], object]]()
    onInviteRefusedByPeer = Callback[Callable[[str], object]]()
    onInviteFailed = Callback[Callable[[str], object]]()
    onInviteEndByPeer = Callback[Callable[[str], object]]()
    onInviteEndByMyself = Callback[Callable[[str], object]]()
    onInviteMsg = Callback[Callable[[str], object]]()

    def __init__(self, session: Owner, channel: str, peer: str, extra: str) -> None:
        self.channelName = channel  #: "" until the server has made a name (SPEC K10)
        self.peer = peer  #: the other account
        self.extra = extra  #: of the invitation
        self._session = session
        self._number = 0  # the engine's; 0: it was never sent

    def __repr__(self) -> str:
        return f"<Call {self.channelName!r} with {self.peer!r}>"

    def toJSON(self) -> dict[str, str]:
        """What `json.dumps` can say of it: `json.dumps(call, default=Call.toJSON)` (SPEC S6)."""
        return {"channelName": self.channelName, "peer": self.peer, "extra": self.extra}

    def channelInviteAccept(self, extra: Any = "") -> None:
        """Accept; the caller gets `onInviteAcceptedByPeer` (SPEC K2)."""
        self._respond("channel_invite_accept", Action.ACCEPT, answer_extra, extra)

    def channelInviteRefuse(self, extra: Any = "") -> None:
        """Refuse; the caller gets `onInviteRefusedByPeer` (SPEC K2)."""
        self._respond("channel_invite_refuse", Action.REFUSE, answer_extra, extra)

    def channelInviteDTMF(self, dtmf: Any) -> None:
        """Press keys, 1 to 64 of `0-9 * # A-D`, in an accepted call (SPEC K4)."""
        self._respond("channel_invite_dtmf", Action.KEYS, keys_extra, dtmf)

    def channelInviteEnd(self, extra: Any = "") -> None:
        """End it, or take the invitation back; `onInviteEndByMyself` follows, every time (SPEC K3, K12)."""
        self._respond("channel_invite_end", Action.END, answer_extra, extra)

    def _respond(self, name: str, action: Action, check: Callable[[Any], str], value: Any) -> None:
        session, account = self._session, self._session._home

        def done(result: Result) -> None:
            account.note_failure(name, result)
            if isinstance(result, Unanswered):
                is_late = result.code is Code.GENERAL_E_FAILED and action is not Action.END
                if not is_late:  # of that nobody is told (SPEC K12)
                    session._report(name, result)
            elif action in (Action.REFUSE, Action.END):
                account.forget(self._number)
                if action is Action.END:
                    account.delivery.tell(self, "onInviteEndByMyself", "")

        try:
            extra = check(value)
        except ArgumentError as error:
            done(Unanswered(0, error.code, error.reason))
            return
        account.respond(session, self._number, action, extra, done)

    # --- what the engine tells ------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        """What happened to this call."""
        delivery, account = self._session._home.delivery, self._session._home
        if isinstance(event, _OVER):
            account.forget(event.call)
        match event:
            case CallNamed():
                self.channelName = event.channel
            case CallFailed():
                self._fail(event.code, event.reason, event.mark)
            case CallEnded():
                name = "onInviteEndByPeer" if event.by_peer else "onInviteEndByMyself"
                delivery.tell(self, name, event.extra, mark=event.mark)
            case CallReceived() | CallAccepted() | CallRefused() | CallKeys():
                delivery.tell(self, _TOLD[type(event)], event.extra, mark=event.mark)

    def _fail(self, code: Code, reason: str, mark: int = 0) -> None:
        text = json.dumps({"code": int(code), "reason": reason})
        self._session._home.delivery.tell(self, "onInviteFailed", text, mark=mark)


def make_call(session: Owner, channel: Any, peer: Any, extra: Any) -> Call:
    """Invite somebody; a bad argument comes back through `onInviteFailed`."""
    call = Call(session, _shown(channel), _shown(peer), _shown(extra))
    try:
        call.channelName = channel_name(channel) if channel != "" else ""
        call.peer = account_name(peer)
        call.extra = invitation_extra(extra)
        if call.peer == session.account:
            raise ArgumentError(
                Code.GENERAL_E_WRONG_PARAM, "nobody can call oneself: another account is allowed"
            )
    except ArgumentError as error:
        call._fail(error.code, error.reason)
        return call
    call._number = session._home.invite(session, call, call.channelName, call.peer, call.extra)
    if not call._number:
        call._fail(Code.GENERAL_E_NOT_LOGIN, "not logged in: log in first")
    return call


def receive_call(session: Owner, event: CallIncoming) -> Call:
    """Somebody else's call."""
    call = Call(session, event.channel, event.peer, event.extra)
    call._number = event.call
    session._home.follow(event.call, call)
    return call


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else ""
