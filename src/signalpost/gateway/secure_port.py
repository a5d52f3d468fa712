"""The port for TLS: counts a connection when it comes, not when it has shaken hands.

It knows accepting and handshakes under way. It refuses to know what is said once they are done: that is for
the protocol which is made then. (asyncio's own servers tell nobody of a connection before that.)
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from signalpost.gateway.addresses import Networks
from signalpost.gateway.settings import Counts, ListenerSettings

__all__ = ["Handshake", "Make", "Porter", "SecurePort"]

_TURN: Final = 64  # connections that are accepted before it is the others' turn (SPEC E5)
_PAUSE: Final = 0.1  # seconds without accepting when there is no descriptor for it


class Porter(Protocol):
    """What a port asks of the listener."""

    @property
    def settings(self) -> ListenerSettings:
        """The bounds of the edge."""
        ...

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        ...

    @property
    def trusted(self) -> Networks:
        """The addresses of proxies, which say whose connection it is."""
        ...

    def may_connect(self, peer: str) -> bool:
        """Count a connection of an address, unless it has had all that it may have in this second."""
        ...

    def may_be_refused(self, peer: str) -> bool:
        """Whether an address that may not connect is told so over TLS; else its connection just ends."""
        ...

    def arrived(self, handshake: Handshake) -> None:
        """A connection has come, and TLS shakes hands on it."""
        ...

    def shook_hands(self, handshake: Handshake) -> None:
        """That is over."""
        ...

    def exhausted(self) -> None:
        """There is no descriptor for one more connection."""
        ...


Make: TypeAlias = Callable[["Handshake"], asyncio.Protocol]
"""Makes what a connection is once it has shaken hands."""


class SecurePort:
    """A listening socket, from `open` to `close`."""

    def __init__(self, porter: Porter, make: Make, bound: socket.socket, tls: ssl.SSLContext) -> None:
        self._porter: Final = porter
        self._make: Final = make
        self._bound: Final = bound
        self._tls: Final = tls
        self._loop: Final = asyncio.get_running_loop()
        # The end of a pause; None while connections are accepted.
        self._paused: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Accept connections."""
        self._bound.listen(self._porter.settings.backlog)
        self._resume()

    def close(self) -> None:
        """Accept no more; handshakes that are under way go on."""
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._bound)
        self._bound.close()

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._bound, self._accept)

    def _accept(self) -> None:
        for _ in range(_TURN):
            try:
                made, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors or memory, which somebody has to give back first
                self._porter.exhausted()
                self._loop.remove_reader(self._bound)
                self._paused = self._loop.call_later(_PAUSE, self._resume)
                return
            made.setblocking(False)
            Handshake(self._porter, made, str(address[0])).begin(self._make, self._tls)


class Handshake:
    """TLS under way on a connection that has just come."""

    __slots__ = ("_made", "_porter", "_task", "limited", "peer")

    def __init__(self, porter: Porter, made: socket.socket, peer: str) -> None:
        self._porter: Final = porter
        self._made: Final = made
        # The address that TCP shows.
        self.peer: Final = peer
        # That has used up its connections, and is to be told so.
        self.limited = False
        # Shakes hands; None before `begin`.
        self._task: asyncio.Task[None] | None = None

    def begin(self, make: Make, tls: ssl.SSLContext) -> None:
        """Shake hands, unless the address comes so often that even saying no costs too much."""
        porter = self._porter
        if self.peer not in porter.trusted and not porter.may_connect(self.peer):
            self.limited = True
            if not porter.may_be_refused(self.peer):
                porter.counts.refused += 1
                self._made.close()
                return
        porter.arrived(self)
        self._task = asyncio.get_running_loop().create_task(self._shake(make, tls))

    def give_way(self) -> None:
        """End at once; whoever has the socket's transport meets the end of what the peer sends."""
        try:
            self._made.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was faster

    async def _shake(self, make: Make, tls: ssl.SSLContext) -> None:
        settings = self._porter.settings
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: make(self),
                self._made,
                ssl=tls,
                ssl_handshake_timeout=settings.handshake_timeout,
                ssl_shutdown_timeout=settings.close_timeout,
            )
        except OSError:
            return  # of the peer: no TLS, a certificate that it does not like, too slow, gone
        finally:
            self._porter.shook_hands(self)
