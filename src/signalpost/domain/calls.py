"""The life of a call as a table (SPEC §6, PROTOCOL §8).

               push               confirm              accept
   WAITING ───────────▶ PUSHED ───────────▶ RINGING ───────────▶ ACCEPTED ───▶ (over)
      │                    │              push │  ▲ confirm           ▲
      │                    │                   ▼  │                   │
      │                    │                 RENEWED ──── accept ─────┤
      │                    └───────────────────────────── accept ─────┘
      └─▶ (over), from every state: refused, ended, timed out, a side's session gone

WAITING: the callee has not been sent the invitation (it is offline, or its connection is broken).
PUSHED: it was sent, the callee's SDK has not confirmed. RINGING: confirmed. ACCEPTED: answered.
RENEWED: it was confirmed once, and has been sent again, to a fresh session of the callee (K11).

Laws, whatever happens in whatever order:
 1. A pair of accounts has at most one call a channel, whoever calls whom (K8).
 2. A caller learns exactly one of: accepted, refused, failed, ended by the peer - or ends the call itself.
 3. `confirm` reaches the caller at most once and before any answer (K1).
 4. A callee that was never pushed an invitation hears nothing of the call (K3, K6).
 5. What arrives for a call that is over, or out of turn, changes nothing (K12).
 6. While a call is open, there is room for its end in the inbox of either party (M9).
 7. A call is between two sessions: no other one of the same accounts answers it (L17, K11).
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, NamedTuple

import msgspec

from signalpost.domain.limits import Limits
from signalpost.domain.names import check_name
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import Code

__all__ = [
    "FAILED",
    "NO_ACK",
    "REFUSE",
    "WHILE_OPEN",
    "Call",
    "Decision",
    "Deed",
    "Effect",
    "Input",
    "State",
    "acting",
    "advance",
    "at_end",
    "at_login",
    "at_look",
    "at_resume",
    "at_takeover",
    "ends",
    "failure_extra",
    "invite",
    "next_deadline",
    "no_room",
    "overdue",
    "push",
    "too_many_calls",
    "too_many_with",
]


@unique
class State(IntEnum):
    """Where a call stands."""

    WAITING = 0
    PUSHED = 1
    RINGING = 2
    ACCEPTED = 3
    OVER = 4
    RENEWED = 5


@unique
class Input(IntEnum):
    """What can happen to a call."""

    PUSH = 0  #: the callee has a connection, or a fresh session: send it the invitation
    CONFIRM = 1  #: the callee's SDK has it
    ACCEPT = 2
    REFUSE = 3
    DTMF_BY_CALLER = 4
    DTMF_BY_CALLEE = 5
    END_BY_CALLER = 6
    END_BY_CALLEE = 7
    CALLER_GONE = 8  #: its session ended
    CALLEE_GONE = 9
    PEER_TIMEOUT = 10  #: K5: it did not come online
    RING_TIMEOUT = 11  #: K6: it did not answer
    CONFIRM_TIMEOUT = 12  #: K7: its SDK did not confirm
    END_BY_APP = 13  #: the back end ends it: neither party has done so, and both are told


# What a party is told: the TYPE of the inbox line.
INVITE: Final = "voip_invite"
ACK: Final = "voip_invite_ack"
ACCEPT: Final = "voip_invite_accept"
REFUSE: Final = "voip_invite_refuse"
BYE: Final = "voip_invite_bye"
MSG: Final = "voip_invite_msg"
FAILED: Final = "voip_invite_failed"

#: What is told while a call goes on: it leaves room for the calls' ends (M9).
WHILE_OPEN: Final = frozenset({INVITE, ACK, ACCEPT, MSG})


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One thing that a decision does: tell a party, or (`kind` "") take an undelivered invitation back.

    `call` is the id of the call that it is of, which may be the one before.
    """

    call: str
    to: str
    session: int  #: the generation of the party's session that is meant; 0 none
    src: str
    kind: str
    extra: str


class Call(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One invitation and what became of it."""

    id: str  #: unique: a call that rings anew between the same two is another call
    channel: str
    caller: str
    callee: str
    extra: str
    state: State
    invited: float  #: when it was made
    timeout: float  #: K6, seconds from `invited`
    pushed: float = 0.0  #: when the invitation was sent to the callee
    caller_session: int = 0  #: the generation of the session that called; 0: of none, its back end did
    callee_session: int = 0  #: and of the one that the invitation was sent to; 0 none
    accepted: float = 0.0  #: when it was accepted; 0.0 if nobody has, or who did was of an earlier version

    @property
    def over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state is State.OVER

    def session_of(self, account: str) -> int:
        """The generation of this party's session that is in the call; 0 none."""
        return self.caller_session if account == self.caller else self.callee_session


Decision = tuple[Call, tuple[Effect, ...]]
"""The call after something happened to it, and what that does, in this order."""


class Deed(NamedTuple):
    """A row's effect: whom to tell (`caller` or `callee`), and what.

    The extra is the input's own; an invitation has the call's, a failure that of its code.
    """

    to: str
    kind: str
    failure: Code | None = None


class _Row(NamedTuple):
    state: State
    deeds: tuple[Deed, ...] = ()


_TAKE_BACK = Deed("callee", "")


def _failed(code: Code) -> Deed:
    return Deed("caller", FAILED, code)


_W, _P, _R, _N, _A, _O = (
    State.WAITING,
    State.PUSHED,
    State.RINGING,
    State.RENEWED,
    State.ACCEPTED,
    State.OVER,
)
_CALLEE_BYE = Deed("callee", BYE)
_CALLER_BYE = Deed("caller", BYE)

TABLE: Final[dict[tuple[State, Input], _Row]] = {
    (_W, Input.PUSH): _Row(_P, (Deed("callee", INVITE),)),
    (_W, Input.END_BY_CALLER): _Row(_O),
    (_W, Input.CALLER_GONE): _Row(_O),
    (_W, Input.CALLEE_GONE): _Row(_W),
    (_W, Input.END_BY_APP): _Row(_O, (_CALLER_BYE,)),
    (_W, Input.PEER_TIMEOUT): _Row(_O, (_failed(Code.INVITE_E_PEEROFFLINE),)),
    (_W, Input.RING_TIMEOUT): _Row(_O, (_failed(Code.INVITE_E_TIMEOUT),)),
    # A fresh session of the callee gets the invitation anew (K11).
    (_P, Input.PUSH): _Row(_P, (_TAKE_BACK, Deed("callee", INVITE))),
    (_P, Input.CONFIRM): _Row(_R, (Deed("caller", ACK),)),
    (_P, Input.ACCEPT): _Row(_A, (Deed("caller", ACCEPT),)),
    (_P, Input.REFUSE): _Row(_O, (Deed("caller", REFUSE),)),
    (_P, Input.END_BY_CALLER): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_P, Input.END_BY_CALLEE): _Row(_O, (_CALLER_BYE,)),
    (_P, Input.END_BY_APP): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _CALLER_BYE)),
    (_P, Input.CALLER_GONE): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_P, Input.CALLEE_GONE): _Row(_O, (_TAKE_BACK, _failed(Code.INVITE_E_PEEROFFLINE))),
    (_P, Input.RING_TIMEOUT): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _failed(Code.INVITE_E_TIMEOUT))),
    (_P, Input.CONFIRM_TIMEOUT): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _failed(Code.INVITE_E_CANTRECV))),
    (_R, Input.PUSH): _Row(_N, (_TAKE_BACK, Deed("callee", INVITE))),
    (_R, Input.CONFIRM): _Row(_R),
    (_R, Input.ACCEPT): _Row(_A, (Deed("caller", ACCEPT),)),
    (_R, Input.REFUSE): _Row(_O, (Deed("caller", REFUSE),)),
    (_R, Input.END_BY_CALLER): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_R, Input.END_BY_CALLEE): _Row(_O, (_CALLER_BYE,)),
    (_R, Input.END_BY_APP): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _CALLER_BYE)),
    (_R, Input.CALLER_GONE): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_R, Input.CALLEE_GONE): _Row(_O, (_TAKE_BACK, _failed(Code.INVITE_E_PEEROFFLINE))),
    (_R, Input.RING_TIMEOUT): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _failed(Code.INVITE_E_TIMEOUT))),
    (_N, Input.PUSH): _Row(_N, (_TAKE_BACK, Deed("callee", INVITE))),
    (_N, Input.CONFIRM): _Row(_R),  # its caller knows
    (_N, Input.ACCEPT): _Row(_A, (Deed("caller", ACCEPT),)),
    (_N, Input.REFUSE): _Row(_O, (Deed("caller", REFUSE),)),
    (_N, Input.END_BY_CALLER): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_N, Input.END_BY_CALLEE): _Row(_O, (_CALLER_BYE,)),
    (_N, Input.END_BY_APP): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _CALLER_BYE)),
    (_N, Input.CALLER_GONE): _Row(_O, (_TAKE_BACK, _CALLEE_BYE)),
    (_N, Input.CALLEE_GONE): _Row(_O, (_TAKE_BACK, _failed(Code.INVITE_E_PEEROFFLINE))),
    (_N, Input.RING_TIMEOUT): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _failed(Code.INVITE_E_TIMEOUT))),
    (_N, Input.CONFIRM_TIMEOUT): _Row(_O, (_TAKE_BACK, _CALLEE_BYE, _failed(Code.INVITE_E_CANTRECV))),
    (_A, Input.CONFIRM): _Row(_A),
    (_A, Input.DTMF_BY_CALLER): _Row(_A, (Deed("callee", MSG),)),
    (_A, Input.DTMF_BY_CALLEE): _Row(_A, (Deed("caller", MSG),)),
    (_A, Input.END_BY_CALLER): _Row(_O, (_CALLEE_BYE,)),
    (_A, Input.END_BY_CALLEE): _Row(_O, (_CALLER_BYE,)),
    (_A, Input.END_BY_APP): _Row(_O, (_CALLEE_BYE, _CALLER_BYE)),
    (_A, Input.CALLER_GONE): _Row(_O, (_CALLEE_BYE,)),
    (_A, Input.CALLEE_GONE): _Row(_O, (_CALLER_BYE,)),
}

NO_ACK: Final = "no ack"  #: how the reason of a 705 begins: applications look for it

_REASONS: Final[dict[Code, str]] = {
    Code.INVITE_E_PEEROFFLINE: "the peer is offline",
    Code.INVITE_E_TIMEOUT: "the peer did not answer in time",
    Code.INVITE_E_CANTRECV: f"{NO_ACK}: the peer has not confirmed the invitation in time",
}


def advance(call: Call, what: Input, extra: str = "") -> Decision:
    """What `what` makes of the call; 1001 if that is too late or out of turn (K12). A PUSH has its own."""
    state, deeds = _row(call.state, what)
    after = call if state is call.state else msgspec.structs.replace(call, state=state)
    return after, tuple([_effect(call, deed, extra) for deed in deeds])


def push(call: Call, *, session: int, now: float) -> Decision:
    """The call whose invitation is sent to the callee, into the session of this generation (K5, K11)."""
    state, deeds = _row(call.state, Input.PUSH)
    after = msgspec.structs.replace(call, state=state, pushed=now, callee_session=session)
    # What is taken back lies there for the session before.
    return after, tuple([_effect(after if deed.kind else call, deed, "") for deed in deeds])


def ends(call: Call, account: str) -> Input | None:
    """What a party's end of a call is; None if it has no such call (any more), which is no fault (K12)."""
    what = Input.END_BY_CALLER if call.caller == account else Input.END_BY_CALLEE
    return what if (call.state, what) in TABLE else None


def at_resume(call: Call, account: str) -> Input | None:
    """What a party's new connection is for a call: what waits for it is sent (K5)."""
    return Input.PUSH if call.state is State.WAITING and call.callee == account else None


def at_login(call: Call, account: str, session: int) -> Input | None:
    """What a fresh session is for a call of an account that had none: what earlier ones left is over."""
    if call.state is State.WAITING and call.callee == account:
        return Input.PUSH
    return _gone(call, account) if call.session_of(account) < session and not _apart(call, account) else None


def at_takeover(call: Call, account: str, session: int) -> Input | None:
    """What a fresh session is for a call of one that it takes over from: live invitations ring anew (K11)."""
    held = call.session_of(account)
    if call.callee == account and call.state is not State.ACCEPTED and held < session:
        return Input.PUSH
    return _gone(call, account) if held < session and not _apart(call, account) else None


def at_end(call: Call, account: str, session: int) -> Input | None:
    """What the end of a party's session is for a call; what waits for another one goes on waiting (K11)."""
    if _apart(call, account):
        return None
    return _gone(call, account) if call.session_of(account) in (0, session) else None


def at_look(call: Call, caller_session: int, callee_session: int) -> Input | None:
    """What is to become of an accepted call whose parties have these sessions now; 0 none."""
    if call.caller_session not in (0, caller_session):
        return Input.CALLER_GONE
    return None if call.callee_session == callee_session else Input.CALLEE_GONE


def _apart(call: Call, account: str) -> bool:
    """Whether the account is a caller without a session, for which its back end rings: no session of it has
    a part in the call until it acts in one."""
    return call.caller == account and not call.caller_session


def _gone(call: Call, account: str) -> Input:
    return Input.CALLER_GONE if call.caller == account else Input.CALLEE_GONE


def acting(call: Call, account: str, session: int) -> Call:
    """The call in which a party acts in this session: its own from now on. 1001 if a later session is in the
    call (L17, K11)."""
    held = call.session_of(account)
    if held > session:
        raise Refusal(Code.GENERAL_E_FAILED, "the call is in another session of this account")
    if held == session or not held:
        return call
    if account == call.caller:
        return msgspec.structs.replace(call, caller_session=session)
    return msgspec.structs.replace(call, callee_session=session)


def _row(state: State, what: Input) -> _Row:
    row = TABLE.get((state, what))
    if row is None:
        raise Refusal(Code.GENERAL_E_FAILED, _out_of_turn(state, what))
    return row


def _effect(call: Call, deed: Deed, extra: str) -> Effect:
    if deed.to == "caller":
        to, session, src = call.caller, call.caller_session, call.callee
    else:
        to, session, src = call.callee, call.callee_session, call.caller
    if deed.failure is not None:
        extra = failure_extra(deed.failure)
    elif deed.kind == INVITE:
        extra = call.extra
    return Effect(call.id, to, session, src, deed.kind, extra)


def _out_of_turn(state: State, what: Input) -> str:
    if state is State.OVER:
        return "there is no such call any more: it was answered, ended or timed out"
    deed = what.name.lower().replace("_by_caller", "").replace("_by_callee", "").replace("_by_app", "")
    return f"a call that is {state.name.lower()} takes no {deed}"


def failure_extra(code: Code) -> str:
    """What the event of a failed invitation carries (PROTOCOL §8)."""
    return msgspec.json.encode({"code": int(code), "reason": _REASONS[code]}).decode()


def invite(current: Call | None, new: Call) -> Decision:
    """A new call between two accounts; 701 while one rings, 1004 to oneself (K8).

    If an accepted one is there it ends: the other side is told.
    """
    check_name(new.callee, "account")
    if new.caller == new.callee:
        raise Refusal(Code.GENERAL_E_WRONG_PARAM, "one cannot invite oneself")
    if current is None:
        return new, ()
    if current.state is not State.ACCEPTED:
        raise Refusal(Code.INVITE_E_REINVITE, "the call rings already")
    by = Input.END_BY_CALLER if current.caller == new.caller else Input.END_BY_CALLEE
    return new, advance(current, by)[1]


def too_many_calls(account: str, limit: int) -> Refusal:
    """What a caller is told if one of the two has all the calls that an account may have (K12)."""
    return Refusal(Code.INVITE_E_OTHER, f"{account} has {limit} open calls: no more are allowed")


def too_many_with(peer: str, limit: int) -> Refusal:
    """What a caller is told who has all the calls with the peer that two accounts may have (K12)."""
    return Refusal(Code.INVITE_E_OTHER, f"there are {limit} open calls with {peer}: no more are allowed")


def no_room(account: str, reserve: int, code: Code) -> Refusal:
    """What somebody is told who would have a party told more of calls than its inbox has room for (M9)."""
    return Refusal(code, f"the inbox of {account} is full: it has room for {reserve} events of calls")


def next_deadline(call: Call, *, peer_online: bool, limits: Limits) -> float | None:
    """When the call becomes overdue if nothing happens; None for one that cannot."""
    ring = call.invited + call.timeout
    match call.state:
        case State.WAITING:
            return ring if peer_online else min(ring, call.invited + limits.peer_wait)
        case State.PUSHED | State.RENEWED:
            return min(ring, call.pushed + limits.confirm_wait)
        case State.RINGING:
            return ring
    return None


def overdue(call: Call, *, peer_online: bool, limits: Limits, now: float) -> Input | None:
    """Which time-out has come, if any; of two the one that came first (K5, K6, K7)."""
    due = []
    if call.state not in (State.ACCEPTED, State.OVER):
        due.append((call.invited + call.timeout, Input.RING_TIMEOUT))
    if call.state is State.WAITING and not peer_online:
        due.append((call.invited + limits.peer_wait, Input.PEER_TIMEOUT))
    if call.state in (State.PUSHED, State.RENEWED):
        due.append((call.pushed + limits.confirm_wait, Input.CONFIRM_TIMEOUT))
    come = [(at, what) for at, what in due if at <= now]
    return min(come)[1] if come else None
