"""A node of these suites whose shared half is a real Redis."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from contract.notes import InMessagePack
from engine.driving import ManualClock
from signalpost.engine.redis import Address, RedisShared
from support.redis import RedisServer

__all__ = ["redis_shared"]


@contextlib.asynccontextmanager
async def redis_shared(server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisShared]:
    """One node, open."""
    shared = RedisShared(Address(server.url), notation=InMessagePack(), clock=clock)
    await shared.open()
    yield shared
    await shared.close()
