"""New numbers for a database that was restored in place, as from a dump: it cannot tell that by itself."""

from __future__ import annotations

import asyncpg

from signalpost.engine.failures import StoreError
from signalpost.engine.postgres.address import Address
from signalpost.engine.postgres.greeting import Greeting
from signalpost.engine.postgres.link import Link, reason

__all__ = ["renew"]

_RENEW = "SELECT fence(generation, instant(NULL)) FROM meta"
_NEWEST = "SELECT floor FROM meta"


async def renew(url: str) -> int:
    """Have all new numbers be above all that were ever given; the number that they are above.

    Nodes that run go by it at once. Raises StoreError.
    """
    address = Address.parse(url)
    link = Link(address, Greeting(clock=None, power=False).writer)
    await link.open()
    try:
        connection = link.connection
        if connection is None:
            raise StoreError(f"cannot use {address.shown}: {link.trouble}")
        await connection.execute(_RENEW)
        floor: int = await connection.fetchval(_NEWEST)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"cannot use {address.shown}: {reason(error)}") from error
    finally:
        await link.close()
    return floor
