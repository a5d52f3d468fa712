"""What back ends are told by webhooks, and when a telling is tried again (SPEC W1-W3)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from signalpost.domain.calls import FAILED, REFUSE, Call, Effect, Input, State

__all__ = [
    "ACCOUNT",
    "CALL",
    "CHANNEL",
    "EVENTS",
    "GIVE_UP",
    "UNASKED",
    "Endpoint",
    "Occurrence",
    "Told",
    "Tries",
    "call_event",
    "ended_by",
    "pause_before",
]

ACCOUNT, CHANNEL, CALL = "account", "channel", "call"  # what an event can be about: its subject's kind

#: All events.
EVENTS: Final = (
    "account.online",
    "account.offline",
    "account.detached",
    "channel.occupied",
    "channel.joined",
    "channel.left",
    "channel.vacated",
    "message.stored",
    "call.invited",
    "call.ringing",
    "call.accepted",
    "call.refused",
    "call.failed",
    "call.ended",
)

#: Those that an endpoint is told which names none.
UNASKED: Final = tuple(event for event in EVENTS if event != "account.detached")

GIVE_UP: Final = 86_400.0  # seconds for which a telling is tried (W3)
_FIRST, _LONGEST = 5.0, 600.0  # seconds between two tries


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an app's events are told; the configuration's `[apps.ID.webhooks.NAME]`."""

    name: str
    url: str
    secrets: tuple[str, ...]  #: that it verifies with; two while one replaces the other
    events: tuple[str, ...] = UNASKED
    bodies: bool = False  #: whether it is told what messages say

    def __repr__(self) -> str:
        return f"<Endpoint {self.name}>"  # never a secret


class Occurrence(msgspec.Struct, frozen=True):
    """Something that happened, on its way to an endpoint."""

    id: str  #: the same however often it is told
    type: str
    wall: float  #: when it happened, by the clock on the wall
    at: float  #: and by the clock that never steps
    data: dict[str, Any]
    dropped: int = 0  #: how many were dropped before it, for want of room
    seq: int = 0  #: its place among those of its subject, once it has failed; 0: the queue says it
    subject: str = ""  #: the queue that it was in, once it has failed


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What back ends know of an account that they were told to be online."""

    since: float
    grace: float  #: seconds for which its session outlives its connection
    reason: str = ""  #: why it is no longer there, if they are to be told that in a while


class Tries(msgspec.Struct, frozen=True, array_like=True):
    """How often the first of a queue was tried."""

    seq: int
    count: int
    at: float  #: when it is tried again


def pause_before(attempt: int, *, chance: float) -> float:
    """Seconds until the next try, after so many (1: the first). `chance`: 0 to 1."""
    pause = min(_FIRST * 2.0 ** min(attempt - 1, 16), _LONGEST)
    return pause * (0.75 + chance / 2)


def call_event(
    before: State, call: Call, what: Input, effects: tuple[Effect, ...], now: float
) -> tuple[str, dict[str, Any]] | None:
    """What is told of a call that is so after `what` happened to it; None if that is no news."""
    match what:
        case Input.CONFIRM if before is State.PUSHED:
            return "call.ringing", {}
        case Input.ACCEPT:
            return "call.accepted", {}
    if not call.over:
        return None
    for effect in effects:
        if effect.kind == FAILED:
            return "call.failed", msgspec.json.decode(effect.extra, type=dict[str, Any])
        if effect.kind == REFUSE:
            return "call.refused", {"extra": effect.extra}
    if what is Input.END_BY_APP:
        return "call.ended", ended_by(call, "", now)
    by_caller = what in (Input.END_BY_CALLER, Input.CALLER_GONE)
    return "call.ended", ended_by(call, call.caller if by_caller else call.callee, now)


def ended_by(call: Call, account: str, now: float) -> dict[str, Any]:
    """How a call ended that somebody has ended, "" a back end; 0 seconds if nobody had accepted it."""
    seconds = max(0.0, now - call.accepted) if call.accepted else 0.0
    return {"by": account, "seconds": round(seconds, 3)}
