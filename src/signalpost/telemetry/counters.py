"""What is counted while the server runs: plain integers on the hot path, read when somebody asks."""

from __future__ import annotations

__all__ = ["Counters"]


class Counters:
    """Counts since the start."""

    __slots__ = (
        "kicks",
        "logins",
        "logins_failed",
        "messages_in",
        "messages_out",
        "refusals",
        "requests",
        "resumes",
    )

    def __init__(self) -> None:
        self.logins = 0  # logins that succeeded, resumes among them
        self.resumes = 0  # logins that went on with a session
        self.logins_failed = 0  # logins that were refused
        self.kicks = 0  # sessions that another login ended
        self.requests = 0  # calls (`call2`) that came in
        self.messages_in = 0  # messages taken from clients, instant and channel
        self.messages_out = 0  # inbox items sent to clients; channel events are counted by the fan-out
        self.refusals: dict[int, int] = {}  # failures answered, by code

    def refused(self, code: int) -> None:
        """A request or login was answered with a failure."""
        self.refusals[code] = self.refusals.get(code, 0) + 1
