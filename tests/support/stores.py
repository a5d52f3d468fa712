"""One PostgreSQL and one Redis for all servers that this process starts, each with databases of its own."""

from __future__ import annotations

import asyncio
import atexit
import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import redis

from support.postgres import Postgres
from support.redis import RedisServer

__all__ = ["Lent", "lend"]

_DATABASES = 10_000  # of Redis

_numbers = itertools.count(1)


class Lent(NamedTuple):
    """A database of each."""

    store: str  # their URLs
    share: str

    def forget_shared(self) -> None:
        """Lose what is shared, as the restart of a single node does."""
        with redis.Redis.from_url(self.share) as client:
            client.flushdb()


def lend() -> Lent:
    """Two new ones, empty."""
    postgres, shared = _stores()
    number = next(_numbers)
    with ThreadPoolExecutor(1) as pool:  # whoever asks may be on a loop already
        store = pool.submit(lambda: asyncio.run(postgres.make(f"server{number}"))).result()
    return Lent(store, f"{shared.url}?db={number}")


@cache
def _stores() -> tuple[Postgres, RedisServer]:
    postgres = Postgres()
    atexit.register(postgres.close)
    shared = RedisServer("--databases", str(_DATABASES))
    atexit.register(shared.close)
    return postgres, shared
