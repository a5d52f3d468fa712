"""The times and bounds of a client as one value; tests shorten them, applications hardly ever need to."""

from __future__ import annotations

from dataclasses import dataclass

from signalpost.wire.codes import DEVICE_PYTHON

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds, and numbers of things.

    Many fields: one a setting.
    """

    device: str = DEVICE_PYTHON  #: what the server is told (PROTOCOL §12)
    request_seconds: float = 10.0  #: a request without an answer has failed (SPEC E1, L19)
    logout_seconds: float = 2.0  #: a logout without an answer is over all the same (SPEC L9)
    attempt_seconds: float = 10.0  #: one try to connect and to log in
    retry_first: float = 0.2  #: before the first retry; each next one takes twice as long (SPEC L10)
    retry_most: float = 5.0  #: before any retry
    settled_seconds: float = 10.0  #: a connection that lived so long after its login lets that begin anew
    ping_seconds: float = 10.0  #: between two pings (SPEC L13)
    silence_seconds: float = 25.0  #: without a byte from the server: the connection is dead (SPEC L13)
    acknowledge_seconds: float = 0.2  #: an acknowledgement may wait so long for others
    acknowledge_items: int = 100  #: so many are acknowledged at once
    waiting_requests: int = 1000  #: while there is no connection (SPEC L19)
    unanswered_requests: int = 10_000  #: while there is one
    unread_items: int = 10_000  #: inbox items kept for the application; the rest waits at the server
    ringing_calls: int = 1000  #: incoming calls that are not answered; further invitations are left out
