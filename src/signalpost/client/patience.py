"""How long a client waits before it tries to connect again (SPEC L10).

Each pause is twice as long as the one before, also if every login succeeds and the connection is lost right
behind it: only a connection that has lasted lets the pauses begin anew. It refuses to know how often and how
long may be tried; that is the login's to say.
"""

from __future__ import annotations

from collections.abc import Callable

from signalpost.client.settings import Settings

__all__ = ["Patience"]

_DOUBLINGS = 30  # more make no difference, and no number that is too large


class Patience:
    """The pauses of one client. `jitter` gives a factor from 0 to 1 for each of them."""

    __slots__ = ("_hurried", "_jitter", "_pauses", "_settings", "_since")

    def __init__(self, settings: Settings, jitter: Callable[[], float]) -> None:
        self._settings = settings
        self._jitter = jitter
        self._pauses = 0  # since a connection lasted, or since the application logged in
        self._hurried = False  # one of them was cut short
        self._since = 0.0  # when the last login succeeded

    def begin(self) -> None:
        """The application logs in."""
        self._pauses = 0
        self._hurried = False

    def connected(self, now: float) -> None:
        """A login succeeded."""
        self._since = now

    def lost(self, now: float) -> None:
        """The connection of that login is lost."""
        if now - self._since >= self._settings.settled_seconds:
            self.begin()

    def pause(self) -> float:
        """Seconds to wait before the next try."""
        settings = self._settings
        most = min(settings.retry_first * 2.0 ** min(self._pauses, _DOUBLINGS), settings.retry_most)
        self._pauses += 1
        return most * (0.5 + 0.5 * self._jitter())

    def hurry(self) -> bool:
        """Whether a pause may be cut short: once, or who says so again and again would defeat the growth."""
        first, self._hurried = not self._hurried, True
        return first
