"""Who may log in, what becomes of the session that was there, and when a session ends (SPEC §2).

    (none) ──login──▶ attached ──connection lost──▶ detached(until) ──time over──▶ (none)
                       │  ▲                           │
                       │  └──────── resume ───────────┘
                       └── logout, or another login ──▶ (none) / the other login's session

Laws, whatever happens in whatever order:
 1. At most one session an account.
 2. A line opens at most one session, and names its generation: one that is older than the account's session
    is refused (L18).
 3. A detached session has a deadline, an attached one has none.
 4. A place in a channel that a broken session left behind is kept until the break's deadline at most (L17).
"""

from __future__ import annotations

import re
from enum import Enum

import msgspec

__all__ = [
    "Arrival",
    "Place",
    "Session",
    "attach",
    "conn_timeout",
    "decide_login",
    "detach",
    "drop_kept",
    "enter",
    "generation_of",
    "inherit",
    "is_over",
    "is_same",
    "leave",
    "line_of",
    "next_deadline",
    "next_generation",
    "recall",
    "replace",
    "stay",
    "stood",
]

_HEX = re.compile("[0-9a-f]{1,32}")
_OLD_LINE = 32  # characters of a line that names no generation


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A session's place in a channel."""

    channel: str  #: the channel's name
    tag: str  #: the member's tag in the topic: the line of the session that took the place
    since: int = 0  #: the channel's sequence when it was taken: nothing before it was missed
    seen: int = (
        0  #: up to where it had been told of the channel when its connection broke last; 0: never broke
    )
    until: float = 0.0  #: the deadline of the break; meaningful while kept


class Session(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One login of one account on one device.

    Many fields: it is a record, and never more than one of an account.
    """

    app: str
    account: str
    line: str  #: the secret that resumes it
    proof: str  #: digest of the token that opened it (L6)
    ours: bool  #: opened by an SDK that can resume (PROTOCOL §12)
    grace: float  #: seconds that it outlives its connection (L11)
    attached: bool = True
    connection: int = 1  #: which of its connections it is on, or was on last
    until: float = 0.0  #: when a detached session ends
    places: tuple[Place, ...] = ()  #: the channels that it is in
    kept: tuple[Place, ...] = ()  #: places that broken sessions of the account left (L17)
    generation: int = 0  #: higher than that of any session of the account before it; its line names it
    node: str = ""  #: where its connection is, or was last


class Arrival(Enum):
    """What a login means for the session that is there."""

    FRESH = "fresh"  #: there is none
    RESUME = "resume"  #: it is the same session, on a new connection
    REPLACE = "replace"  #: a new session; the old one leaves its channels and ends its calls
    INHERIT = "inherit"  #: a new session of an original SDK that keeps the broken one's places for a while
    REFUSE = "refuse"  #: the line is older than the session that is there


def line_of(generation: int, secret: str) -> str:
    """A line: clients neither read nor guess it."""
    return f"{generation:x}-{secret}"


def generation_of(line: str) -> int | None:
    """Which generation a line names; None for what was never one.

    Lines of earlier servers name none: they are older than all that do.
    """
    number, _, secret = line.partition("-")
    if not _HEX.fullmatch(number):
        return None
    if secret:
        return int(number, 16)
    return 0 if len(line) == _OLD_LINE else None


def next_generation(before: Session | None, now: float) -> int:
    """The generation of a session that takes over from another, or from none: the time in microseconds."""
    generation = int(now * 1_000_000)
    return generation if before is None else max(generation, before.generation + 1)


def decide_login(current: Session | None, *, line: str, ours: bool, now: float) -> Arrival:
    """What a login is (SPEC L7, L17, L18).

    A session whose time is over counts as none, even if nobody has removed it yet.
    """
    if current is None or is_over(current, now):
        return Arrival.FRESH
    if line == current.line:
        return Arrival.RESUME
    generation = generation_of(line)
    if generation is not None and generation <= current.generation:
        return Arrival.REFUSE
    if ours or current.attached:
        return Arrival.REPLACE
    return Arrival.INHERIT


def attach(session: Session, node: str) -> Session:
    """The session with a connection again, on this node: no deadline any more; what it has missed is still to
    be told."""
    return msgspec.structs.replace(
        session, attached=True, until=0.0, connection=session.connection + 1, node=node
    )


def stay(session: Session, node: str) -> Session:
    """The session that was taken for detached, as its node was not heard of, and has its connection still."""
    return msgspec.structs.replace(session, attached=True, until=0.0, node=node)


def is_same(session: Session, other: Session) -> bool:
    """Whether both are the same session on the same connection."""
    return (session.line, session.node, session.connection) == (other.line, other.node, other.connection)


def detach(session: Session, *, seen: dict[str, int], now: float) -> Session:
    """The session whose connection broke at `now`; `seen`: up to where it was told of each channel (L11)."""
    if session.places:
        session = stood(session, seen)
    return msgspec.structs.replace(session, attached=False, until=now + session.grace)


def stood(session: Session, seen: dict[str, int]) -> Session:
    """The session with what is known of how far it was told of its channels: not from before it came."""
    places = tuple(
        Place(place.channel, place.tag, place.since, max(place.since, seen.get(place.channel, place.seen)))
        for place in session.places
    )
    return msgspec.structs.replace(session, places=places)


def recall(session: Session, before: Session) -> Session:
    """The session as it is stored, with what was known before of how far it was told of its channels."""
    told = {(place.channel, place.tag): place for place in before.places}
    places = tuple(
        place if known is None else max(place, known, key=_told)
        for place in session.places
        for known in (told.get((place.channel, place.tag)),)
    )
    return msgspec.structs.replace(session, places=places)


def _told(place: Place) -> tuple[int, int]:
    return place.since, place.seen


def inherit(session: Session, broken: Session) -> Session:
    """The fresh session of an original SDK, with the places that the broken one left (L17).

    What that one itself kept from an earlier break keeps the earlier deadline: nobody who never joins
    again stays in a channel for longer than one break lasts.
    """
    held = {place.channel: place for place in broken.kept}
    for place in broken.places:
        held[place.channel] = msgspec.structs.replace(place, until=broken.until)
    return msgspec.structs.replace(session, kept=tuple(held.values()))


def replace(session: Session, old: Session, *, until: float) -> Session:
    """The fresh session that takes over from another, and has to give up that one's places before `until`."""
    places = (*old.kept, *old.places)
    return msgspec.structs.replace(
        session, kept=tuple(msgspec.structs.replace(place, until=until) for place in places)
    )


def enter(session: Session, channel: str, *, since: int) -> Session:
    """The session with a place in the channel, taken at sequence `since`; one that was kept goes on."""
    place = Place(channel, session.line, since)
    for held in session.kept:
        if held.channel == channel:  # what it has missed meanwhile is still to be told
            place = Place(channel, session.line, held.since, held.seen)
    places, kept = _without(session.places, channel), _without(session.kept, channel)
    return msgspec.structs.replace(session, places=(*places, place), kept=kept)


def leave(session: Session, channel: str) -> Session:
    """The session without any place in the channel."""
    places, kept = _without(session.places, channel), _without(session.kept, channel)
    return msgspec.structs.replace(session, places=places, kept=kept)


def _without(places: tuple[Place, ...], channel: str) -> tuple[Place, ...]:
    return tuple([place for place in places if place.channel != channel]) if places else ()


def drop_kept(session: Session, now: float) -> tuple[Session, tuple[Place, ...]]:
    """The session without the kept places whose deadline has come, and these."""
    over = tuple(place for place in session.kept if place.until <= now)
    held = tuple(place for place in session.kept if place.until > now)
    return msgspec.structs.replace(session, kept=held), over


def is_over(session: Session, now: float) -> bool:
    """Whether the session's grace time has run out."""
    return not session.attached and session.until <= now


def next_deadline(session: Session) -> float | None:
    """When something becomes due: the end of a detached session, or of the places kept for it."""
    if not session.kept:  # as nearly always
        return None if session.attached else session.until
    deadlines = [place.until for place in session.kept]
    if not session.attached:
        deadlines.append(session.until)
    return min(deadlines)


def conn_timeout(value: str | None, *, least: float, most: float) -> float:
    """The grace time that the attribute `_conn_timeout` asks for, clamped; `most` if it is not set (L11)."""
    return most if value is None else min(max(float(value), least), most)
