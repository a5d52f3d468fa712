"""A way to a server, on threads, that a test can cut, close, or make silent, at an exact byte if it likes."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

__all__ = ["Relay"]


class Relay:
    """Listens on a port of its own and passes everything on."""

    def __init__(self, port: int) -> None:
        self.target = port  # of the server; new connections go there
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._lock = threading.Lock()  # guards what follows, up to the blank line
        self._sockets: set[socket.socket] = set()
        self._left: int | None = None  # bytes until the next cut; None: none is planned
        self.cuts = 0  # how often connections were lost on the way
        self.asked = 0  # bytes that clients have sent

        self._flowing = threading.Event()  # what the server says is passed on
        self._flowing.set()
        self._refusing = False  # new connections are cut at once
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self._port}/"

    def cut(self) -> None:
        """All connections are lost without a word."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
            self._left = None
            self.cuts += bool(sockets)
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut_after(self, count: int) -> None:
        """All connections are lost when so many more bytes have passed, in whichever direction."""
        with self._lock:
            self._left = count

    def shut(self) -> None:
        """All connections are lost, and no new one is to be had."""
        self._refusing = True
        self.cut()

    def reopen(self) -> None:
        """New connections are passed on again."""
        self._refusing = False

    def silence(self) -> None:
        """What the server says waits."""
        self._flowing.clear()

    def speak(self) -> None:
        """What the server said comes."""
        self._flowing.set()

    def close(self) -> None:
        """The end."""
        self.speak()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # it is down
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
            for args in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=args, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if from_server:
                    self._flowing.wait()
                allowed = self._count(len(data), from_server)
                sink.sendall(data[:allowed])
                if allowed < len(data):
                    self.cut()
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets -= {source, sink}
        source.close()

    def _count(self, size: int, from_server: bool) -> int:
        """How many of these bytes may pass."""
        with self._lock:
            if not from_server:
                self.asked += size
            if self._left is None:
                return size
            if size <= self._left:
                self._left -= size
                return size
            return self._left
