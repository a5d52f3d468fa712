"""A site on a port of its own, and a client library that visits it."""

from __future__ import annotations

from typing import Any

import aiohttp

from signalpost.gateway.http import Edge, Pages, Site
from signalpost.gateway.listener import Listener, ListenerSettings

__all__ = ["Visitor"]


class Visitor:
    """`get`, `post`, `head` and `options` are aiohttp's, with a path for the address."""

    def __init__(self, site: Site, edge: Edge) -> None:
        self._listener = Listener(ListenerSettings(port=0), site, _no_websockets)
        self._listener.pages = Pages(site, edge)  # type: ignore[misc]  # as if it lived on that edge
        self._session: aiohttp.ClientSession | None = None  # while it is open

    async def open(self) -> None:
        await self._listener.start()
        self._session = aiohttp.ClientSession(f"http://127.0.0.1:{self._listener.port}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._listener.drain()

    def __getattr__(self, method: str) -> Any:
        return getattr(self._session, method)


def _no_websockets(socket: object) -> Any:
    raise AssertionError("nobody asks for a WebSocket here")
