"""The calls of a client as a table: which are open, and what an event or an answer means for them (SPEC §6).

    invited ──answered──▶ named ──▶ accepted      an outgoing call, by this client's invitation
    incoming ───────────────────▶ accepted        somebody else's

Every state ends when the peer or the server says so, or with the session. Laws:
 1. Between two accounts there is one open call a channel; a second invitation is no call before it is
    answered, and then ends the first (K8).
 2. `CallReceived` comes once at most and before any answer (K1).
 3. An event about a call that is not open means nothing (PROTOCOL §8).
 4. So many incoming calls ring at once; an invitation beyond them is left out, and counted (K12).
 5. `CallEnded` by this client is an end that nobody asked for with a request: a logout, law 1, or an
    invitation that is taken back. One that was asked for is told by the answer, however often (K12).
 6. What is done to a call waits while an invitation of its pair is unanswered (K12).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from signalpost.client.events import (
    CallAccepted,
    CallEnded,
    CallFailed,
    CallIncoming,
    CallKeys,
    CallNamed,
    CallReceived,
    CallRefused,
    Event,
)
from signalpost.wire.client_codec import code_of
from signalpost.wire.codes import Code
from signalpost.wire.lines import Line

__all__ = ["Calls", "OpenCall", "Stage"]

_decode = msgspec.json.Decoder().decode


class Stage(Enum):
    """How far a call has come."""

    INVITED = "invited"  #: the invitation has not been answered by the server yet
    NAMED = "named"  #: the server has taken it
    RECEIVED = "received"  #: the peer's device has confirmed it
    INCOMING = "incoming"  #: the peer invites
    ACCEPTED = "accepted"


class OpenCall(msgspec.Struct):
    """A call that is not over."""

    number: int
    channel: str
    peer: str
    stage: Stage


class _Content(msgspec.Struct):
    """CONTENT of a `voip_…` line (PROTOCOL §8)."""

    channel: str
    peer: str
    extra: str = ""


_content = msgspec.json.Decoder(_Content).decode


class Calls:
    """The open calls of one session. Numbers of incoming calls are even, of outgoing ones odd."""

    __slots__ = ("_by_pair", "_invited", "_last_incoming", "_left_out", "_most_ringing", "_untold")

    def __init__(self, most_ringing: int) -> None:
        self._most_ringing = most_ringing
        self._by_pair: dict[tuple[str, str], OpenCall] = {}  # by channel and peer: all that have a name
        self._invited: dict[int, OpenCall] = {}  # by number: invitations that the server has not answered
        self._untold: dict[int, OpenCall] = {}  # by mark: incoming calls that the application was not told of
        self._last_incoming = 0
        self._left_out = 0  # invitations, since `take_left_out`

    def __bool__(self) -> bool:
        return bool(self._by_pair or self._invited)

    def find(self, number: int) -> OpenCall | None:
        """The call with this number, None if it is over."""
        for call in self._by_pair.values():
            if call.number == number:
                return call
        return self._invited.get(number)

    def undecided(self, call: OpenCall) -> int:
        """The last invitation of this call's pair that the server has not answered, 0 if there is none: until
        it has, nobody knows which call of the pair is the open one, this, that or the peer's, or what it is
        called (K8, K10)."""
        pair = (call.channel, call.peer)
        return max(
            (n for n, other in self._invited.items() if (other.channel, other.peer) == pair), default=0
        )

    # --- what this client does ------------------------------------------------------------------

    def invite(self, number: int, channel: str, peer: str) -> None:
        """An invitation goes out."""
        self._invited[number] = OpenCall(number, channel, peer, Stage.INVITED)

    def invited(self, number: int, channel: str) -> list[Event]:
        """The server has taken the invitation under this name (K8, K10)."""
        call = self._invited.pop(number, None)
        if call is None:
            return []  # an event of the call has told already
        call.channel = channel or call.channel
        call.stage = Stage.NAMED
        events = self.taken_back(call.channel, call.peer)
        self._by_pair[call.channel, call.peer] = call
        return [*events, CallNamed(call.number, call.channel, call.peer)]

    def failed(self, number: int, code: Code, reason: str) -> list[Event]:
        """The invitation was refused, or not answered."""
        call = self._invited.pop(number, None)
        return [] if call is None else [CallFailed(call.number, call.channel, call.peer, code, reason)]

    def accepted(self, number: int) -> None:
        """The server took this client's acceptance."""
        call = self.find(number)
        if call is not None:
            call.stage = Stage.ACCEPTED

    def ended(self, number: int) -> None:
        """This client has ended the call: that is told by the answer to its request."""
        self._close(self.find(number))

    def taken_back(self, channel: str, peer: str) -> list[Event]:
        """This client ends whatever call the server has of this pair."""
        call = self._close(self._by_pair.get((channel, peer)))
        return [] if call is None else [_ended(call, by_peer=False)]

    def refused(self, number: int) -> None:
        """The server took this client's refusal."""
        self._close(self.find(number))

    # --- what happens to all --------------------------------------------------------------------

    def fail_all(self, code: Code, reason: str) -> list[Event]:
        """The session is gone (S7)."""
        return [CallFailed(call.number, call.channel, call.peer, code, reason) for call in self._close_all()]

    def end_all(self) -> list[Event]:
        """The user logs out."""
        return [_ended(call, by_peer=False) for call in self._close_all()]

    def _close_all(self) -> list[OpenCall]:
        calls = [*self._by_pair.values(), *self._invited.values()]
        self._by_pair.clear()
        self._invited.clear()
        self._untold.clear()
        return calls

    def _close(self, call: OpenCall | None) -> OpenCall | None:
        if call is not None and self._invited.pop(call.number, None) is None:
            del self._by_pair[call.channel, call.peer]
        return call

    # --- what the inbox brings ------------------------------------------------------------------

    def take(self, line: Line, mark: int) -> list[Event]:
        """What a call event means; nothing if it is about no open call."""
        try:
            content = _content(line.content)
        except (msgspec.DecodeError, RecursionError):
            return []
        if line.type == "voip_invite":
            return self._incoming(content, mark)
        return self._happened(line.type, content, mark)

    def told(self, mark: int) -> OpenCall | None:
        """The incoming call that the application is told of with this mark, if it still rings."""
        call = self._untold.pop(mark, None)
        if call is None or self._by_pair.get((call.channel, call.peer)) is not call:
            return None
        return call if call.stage is Stage.INCOMING else None

    def take_left_out(self) -> int:
        """How many invitations were left out since this was asked for last."""
        left_out, self._left_out = self._left_out, 0
        return left_out

    def _incoming(self, content: _Content, mark: int) -> list[Event]:
        events: list[Event] = []
        former = self._by_pair.pop((content.channel, content.peer), None)
        if former is not None:
            events.append(_ended(former, by_peer=True))
        if sum(call.stage is Stage.INCOMING for call in self._by_pair.values()) >= self._most_ringing:
            self._left_out += 1
            return events
        self._last_incoming += 2
        call = OpenCall(self._last_incoming, content.channel, content.peer, Stage.INCOMING)
        self._by_pair[call.channel, call.peer] = self._untold[mark] = call
        return [*events, CallIncoming(call.number, call.channel, call.peer, content.extra, mark)]

    def _happened(self, type: str, content: _Content, mark: int) -> list[Event]:
        before: list[Event] = []
        call = self._by_pair.get((content.channel, content.peer))
        if call is None or (call.stage is Stage.ACCEPTED and type in _TO_CALLER):
            ends = call is None and type == "voip_invite_bye"
            waiting = self._overtaken(content) if ends or type in _TO_CALLER else None
            if waiting is None:
                return []
            before = self.invited(waiting.number, content.channel)
            call = waiting
        return before + self._apply(call, type, content.extra, mark)

    def _overtaken(self, content: _Content) -> OpenCall | None:
        """The invitation of which an event came before its answer."""
        for call in self._invited.values():
            if call.peer == content.peer and call.channel in (content.channel, ""):
                return call
        return None

    def _apply(self, call: OpenCall, type: str, extra: str, mark: int) -> list[Event]:
        number, channel, peer = call.number, call.channel, call.peer
        outgoing = call.stage in (Stage.NAMED, Stage.RECEIVED)
        match type:
            case "voip_invite_ack" if call.stage is Stage.NAMED:
                call.stage = Stage.RECEIVED
                return [CallReceived(number, channel, peer, extra, mark)]
            case "voip_invite_accept" if outgoing:
                call.stage = Stage.ACCEPTED
                return [CallAccepted(number, channel, peer, extra, mark)]
            case "voip_invite_refuse" if outgoing:
                self._close(call)
                return [CallRefused(number, channel, peer, extra, mark)]
            case "voip_invite_failed" if outgoing:
                self._close(call)
                code, reason = _failure(extra)
                return [CallFailed(number, channel, peer, code, reason, mark)]
            case "voip_invite_bye":
                self._close(call)
                return [CallEnded(number, channel, peer, True, extra, mark)]
            case "voip_invite_msg":
                return [CallKeys(number, channel, peer, _keys(extra), extra, mark)]
        return []


_TO_CALLER = frozenset({"voip_invite_ack", "voip_invite_accept", "voip_invite_refuse", "voip_invite_failed"})


def _ended(call: OpenCall, *, by_peer: bool) -> CallEnded:
    return CallEnded(call.number, call.channel, call.peer, by_peer, "")


def _failure(extra: str) -> tuple[Code, str]:
    """What `voip_invite_failed` says (PROTOCOL §8)."""
    match _json(extra):
        case {"code": code, "reason": str() as reason}:
            return code_of(code), reason
    return Code.GENERAL_E_UNKNOWN, "the server does not say why"


def _keys(extra: str) -> str:
    match _json(extra):
        case {"msgdata": str() as keys}:
            return keys
    return ""


def _json(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
