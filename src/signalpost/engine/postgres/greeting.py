"""What is looked after on each new connection before it is used.

Whether the server keeps what it confirms; that tables and functions are there; and whether the numbers that
queues gave out until now are those of this server. If not, it may lack the latest of them: a standby that was
promoted, a backup that was restored. Then new numbers begin at the clock, above all that were ever told.
"""

from __future__ import annotations

import time
from typing import Final

from signalpost.engine.failures import StoreError
from signalpost.engine.ports import Clock
from signalpost.engine.postgres.link import Connection
from signalpost.engine.postgres.schema import prepare

__all__ = ["Greeting", "passed"]

_GENERATION: Final = """
SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
FROM pg_control_system()
"""

_FENCE: Final = "SELECT fence($1, instant($2)) FROM meta WHERE generation <> $1 OR $3"

# The first that no other connection has, for as long as this one is there.
_LANE: Final = """
SELECT set_config('signalpost.lane', lane::text, false)
FROM generate_series(0, 32767) lane WHERE pg_try_advisory_lock(7375, lane) LIMIT 1
"""


def passed() -> float:
    """Seconds since the machine was started, suspends too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Greeting:
    """How a connection begins that writes; and one that only reads."""

    def __init__(self, *, clock: Clock | None, power: bool) -> None:
        """`power`: what is confirmed must outlive a loss of power."""
        self._clock = clock
        self._power = power
        # By how much the server's clock is ahead of `passed`. Nothing until it was asked: then time steps
        # forward, and never back.
        self.ahead = 0.0
        self._measured = False  # it is the server's, not yet this machine's
        self.pulse = 0.0  # when the database was last used before this node came
        self.epoch = ""  # of the queues' numbers; known from the first greeting on

    async def reader(self, connection: Connection) -> None:
        """Nothing has to be looked after."""

    async def sweeper(self, connection: Connection) -> None:
        """It may take its time."""
        await connection.execute("SET statement_timeout = '60s'")

    async def writer(self, connection: Connection) -> None:
        """Raises StoreError if the server may not be used."""
        careless = await self._careless(connection)
        if careless and self._power:
            raise StoreError(
                f'durability is "power", but the database has {careless}: a crash would lose what was '
                f'acknowledged. Set it on there, or durability = "process" here'
            )
        await prepare(connection)
        await connection.execute(_LANE)
        generation = await connection.fetchval(_GENERATION)
        now = None if self._clock is None else self._clock()
        # A careless server may have forgotten its latest numbers in any crash.
        await connection.execute(_FENCE, generation, now, bool(careless))
        self.epoch = await connection.fetchval("SELECT epoch FROM meta")
        self.pulse = await connection.fetchval("SELECT pulse FROM meta")
        if not self._measured:  # once: time that has been told does not step
            begun = passed()
            there = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
            self.ahead = there - (begun + passed()) / 2
            self._measured = True

    @staticmethod
    async def _careless(connection: Connection) -> str:
        """The setting with which it confirms what is not on the disk, or ""."""
        for setting in ("fsync", "synchronous_commit"):
            if await connection.fetchval("SELECT current_setting($1)", setting) == "off":
                return f"{setting} = off"
        return ""
