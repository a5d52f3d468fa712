"""An app of one test's own on a server that many share, and the clients that the test opened."""

from __future__ import annotations

import uuid
from typing import Any

from support.client import RawClient
from support.server import ServerProcess

__all__ = ["House"]


class House:
    """An app of the test's own, and the clients that it opened."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.app = f"app-{uuid.uuid4().hex}"
        self.clients: list[RawClient] = []

    async def open(self) -> RawClient:
        """A connection that is not logged in."""
        client = await self.server.open()
        self.clients.append(client)
        return client

    async def client(self, account: str, *, polled: bool = True, **login: Any) -> RawClient:
        """A client that is logged in; `polled`: its first poll is done, so that pushes come."""
        client = await self.open()
        await client.login(account, **{"app": self.app, **login})
        if polled:
            await client.poll()
        return client
