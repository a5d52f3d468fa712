"""Users of the asyncio API for tests: an app, who is logged in to it, and waiting within a bound."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from signalpost.client import Call, Client, Connecting, Settings, connect

__all__ = ["PROMPT", "QUICK", "House", "ring", "soon", "take"]

WAIT = 20.0  # seconds that anything may take
QUICK = Settings(retry_first=0.05, retry_most=0.1)  # reconnects that a test can wait for
PROMPT = Settings(acknowledge_items=0)  # every acknowledgement is sent at once

Value = TypeVar("Value")


async def soon(awaited: Awaitable[Value]) -> Value:
    """What is awaited, within a bound."""
    return await asyncio.wait_for(awaited, WAIT)


async def take(stream: AsyncIterator[Value]) -> Value:
    """The next item of a stream, within a bound."""
    return await soon(anext(stream))


async def ring(caller: Client, callee: Client, channel: str = "room", **more: Any) -> tuple[Call, Call]:
    """Call somebody: both ends of a call that rings, and of which the caller knows that."""
    call = await soon(caller.invite(callee.account, channel, **more))
    ringing = await take(callee.invites())
    await take(aiter(call))
    return call, ringing


class House:
    """An app, and who is logged in to it."""

    def __init__(self, url: str, app: str = "") -> None:
        self.url = url
        self.app = app or f"app-{uuid.uuid4().hex}"
        self.clients: list[Client] = []

    def connect(self, account: Any, **more: Any) -> Connecting:
        """Log in, as the test likes it."""
        options = {"app_id": self.app, "token": "any", "settings": QUICK, **more}
        return connect(options.pop("url", self.url), account=account, **options)

    async def client(self, account: str, **more: Any) -> Client:
        """Be logged in until the test is over."""
        client = await soon(self.connect(account, **more))
        self.clients.append(client)
        return client

    async def close(self) -> None:
        """All log out."""
        for client in self.clients:
            await soon(client.logout())
