"""A data directory whose store can be opened again and again, in order or after a crash."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.driving import ManualClock
from engine.over_kept import QueuesOf, RecordsOf
from signalpost.engine.sqlite import Store, sqlite_kept


class Disk:
    """Opens one store at a time, with all ports on it."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.directory = directory
        self.clock = clock
        self.options: dict[str, Any] = {}  # of the queues
        self.reserve = 256 * 1024
        self._graveyard: list[Store] = []  # stores that "crashed", still to be closed

    def open(self) -> None:
        self.store = Store(
            self.directory, loop=asyncio.get_running_loop(), durability="process", reserve=self.reserve
        )
        self.kept = sqlite_kept(self.store, clock=self.clock, **self.options)
        self.queues, self.records = QueuesOf(self.kept), RecordsOf(self.kept)

    async def reopen(self) -> None:
        """An orderly end and a new start."""
        await self.store.close()
        self.open()

    def crash(self) -> None:
        """Go on with the files as they are at this instant, as after a `kill -9`."""
        copy = self.directory.with_name(self.directory.name + "'")
        copy.mkdir()
        for file in ("signalpost.db", "signalpost.db-wal"):
            shutil.copyfile(self.directory / file, copy / file)
        self._graveyard.append(self.store)
        self.directory = copy
        self.open()

    async def close(self) -> None:
        for store in [*self._graveyard, self.store]:
            await store.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def disk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Disk]:
    disk = Disk(tmp_path / "data", clock)
    disk.open()
    yield disk
    await disk.close()
