"""A way to the server, on threads, that a test can cut, close, or make silent."""

from __future__ import annotations

import contextlib
import socket
import threading

__all__ = ["Relay"]


class Relay:
    """Listens on a port of its own and passes everything on."""

    def __init__(self, port: int) -> None:
        self.target = port  # of the server; new connections go there
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._lock = threading.Lock()  # guards the sockets
        self._sockets: set[socket.socket] = set()
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
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

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

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self._sockets |= {client, server}
            for args in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=args, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if from_server:
                    self._flowing.wait()
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets -= {source, sink}
        source.close()
