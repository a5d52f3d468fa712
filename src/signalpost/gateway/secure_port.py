"""The port for TLS: counts a connection when it comes, not when it has shaken hands.

It knows accepting and handshakes under way. It refuses to know what is said once they are done: that is for
a `Doorway`. (asyncio's own servers tell nobody of a connection before that.)
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Final

from signalpost.gateway.doorway import Doorway

if TYPE_CHECKING:
    from signalpost.gateway.listener import Listener

__all__ = ["Handshake", "SecurePort"]

_TURN: Final = 64  # connections that are accepted before it is the others' turn (SPEC E5)
_PAUSE: Final = 0.1  # seconds without accepting when there is no descriptor for it


class SecurePort:
    """A listening socket, from `open` to `close`."""

    def __init__(self, listener: Listener, bound: socket.socket, tls: ssl.SSLContext) -> None:
        self._listener: Final = listener
        self._bound: Final = bound
        self._tls: Final = tls
        self._loop: Final = asyncio.get_running_loop()
        # The end of a pause; None while connections are accepted.
        self._paused: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Accept connections."""
        self._bound.listen(self._listener.settings.backlog)
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
        listener = self._listener
        for _ in range(_TURN):
            try:
                made, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # out of descriptors or memory, which somebody has to give back first
                listener.exhausted()
                self._loop.remove_reader(self._bound)
                self._paused = self._loop.call_later(_PAUSE, self._resume)
                return
            made.setblocking(False)
            Handshake(listener, made, str(address[0])).begin(self._tls)


class Handshake:
    """TLS under way on a connection that has just come."""

    __slots__ = ("_listener", "_made", "_task", "limited", "peer")

    def __init__(self, listener: Listener, made: socket.socket, peer: str) -> None:
        self._listener: Final = listener
        self._made: Final = made
        # The address that TCP shows.
        self.peer: Final = peer
        # That has used up its connections, and is to be told so.
        self.limited = False
        # Shakes hands; None before `begin`.
        self._task: asyncio.Task[None] | None = None

    def begin(self, tls: ssl.SSLContext) -> None:
        """Shake hands, unless the address comes so often that even saying no costs too much."""
        listener = self._listener
        if self.peer not in listener.trusted and not listener.may_connect(self.peer):
            self.limited = True
            if not listener.may_be_refused(self.peer):
                listener.counts.refused += 1
                self._made.close()
                return
        listener.arrived(self)
        self._task = asyncio.get_running_loop().create_task(self._shake(tls))

    def give_way(self) -> None:
        """End at once; whoever has the socket's transport meets the end of what the peer sends."""
        try:
            self._made.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was faster

    async def _shake(self, tls: ssl.SSLContext) -> None:
        settings = self._listener.settings
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Doorway(self._listener, handshake=self),
                self._made,
                ssl=tls,
                ssl_handshake_timeout=settings.handshake_timeout,
                ssl_shutdown_timeout=settings.close_timeout,
            )
        except OSError:
            return  # of the peer: no TLS, a certificate that it does not like, too slow, gone
        finally:
            self._listener.shook_hands(self)
