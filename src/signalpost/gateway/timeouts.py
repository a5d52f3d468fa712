"""Whose time is up: who is silent, who does not say what it wants, who does not end (SPEC L13, L16).

It goes through the registry now and then. What ends a connection is the connection's to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from signalpost.gateway.registry import Registry
from signalpost.gateway.settings import Counts, ListenerSettings
from signalpost.gateway.sockets import Socket
from signalpost.gateway.websocket import POLICY

__all__ = ["Timeouts"]

_QUIET: Final = 60.0  # seconds between two lines of the log about the same trouble

_log = structlog.get_logger("signalpost.listener")


class Timeouts:
    """Sees to every time-out once in `sweep_every` seconds, from `start` to `stop`.

    `forget` is called as often, with the time: to let go of what nothing counts against any more.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        registry: Registry,
        counts: Counts,
        now: Callable[[], float],
        forget: Callable[[float], None],
    ) -> None:
        self._settings: Final = settings
        self._registry: Final = registry
        self._counts: Final = counts
        self._now: Final = now
        self._forget: Final = forget
        # The next sweep; None while there is none.
        self.coming: asyncio.TimerHandle | None = None
        # Loop time of the latest.
        self._swept = 0.0
        # What has been logged of the guests that gave way and of the descriptors, and when.
        self._murmurs: Final = (
            _Murmur("connections without a login gave way"),
            _Murmur("out of descriptors"),
        )

    def start(self) -> None:
        """Sweep now and then."""
        self._swept = self._now()
        self._wait()

    def stop(self) -> None:
        """Sweep no more."""
        if self.coming is not None:
            self.coming.cancel()
            self.coming = None

    def sweep(self) -> None:
        """See to every time-out."""
        settings = self._settings
        now = self._now()
        late = now - self._swept - settings.sweep_every
        self._swept = now
        self._wait()
        # After a long pause of the whole process everybody seems silent; what they sent has yet to be read.
        if late < settings.ping_after / 2:
            self._sweep_silent(now)
            self._sweep_overdue(now)
        self._forget(now)
        happened = (self._registry.guests.dropped, self._counts.exhausted)
        for murmur, count in zip(self._murmurs, happened, strict=True):
            murmur.note(count, now)

    def _wait(self) -> None:
        self.coming = asyncio.get_running_loop().call_later(self._settings.sweep_every, self.sweep)

    def _sweep_silent(self, now: float) -> None:
        """Ping who is silent, and drop who stays so (L13)."""
        quiet = now - self._settings.ping_after
        dead = now - self._settings.dead_after
        for connection in self._registry.sockets:
            heard = connection.heard
            if heard > quiet:
                continue
            if heard <= dead:
                self._counts.silent += connection.is_open
                connection.abort()
            elif connection.pinged <= quiet:
                connection.ping(now)

    def _sweep_overdue(self, now: float) -> None:
        """End what should have ended: slow handshakes, who does not log in, closes without an answer."""
        registry = self._registry
        while registry.doorways:
            doorway = next(iter(registry.doorways))
            if doorway.since > now - self._settings.handshake_timeout:
                break
            if doorway.is_read():
                doorway.since = now
                registry.wait(doorway)
                continue
            self._counts.handshake_timeouts += 1
            doorway.give_way()
            registry.leave(doorway)
        late: list[Socket] = []
        for guest in registry.guests:
            if isinstance(guest, Socket):
                if guest.guest_since > now - self._settings.login_timeout:
                    break
                late.append(guest)
        for connection in late:
            connection.close(POLICY, f"no login within {self._settings.login_timeout:g} s")
        for connection, deadline in tuple(registry.closing.items()):
            if deadline > now:
                break
            connection.abort()


class _Murmur:
    """A trouble that may happen thousands of times a second, and is logged once a minute."""

    __slots__ = ("_event", "_said_at", "_told")

    def __init__(self, event: str) -> None:
        self._event = event
        # How often it had happened when it was logged last, and when that was; None before.
        self._told = 0
        self._said_at: float | None = None

    def note(self, count: int, now: float) -> None:
        """It has happened so often by now."""
        if count > self._told and (self._said_at is None or now - self._said_at >= _QUIET):
            _log.warning(self._event, count=count - self._told)
            self._told, self._said_at = count, now
