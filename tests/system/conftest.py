"""A server for all system tests of one process; every test has an app of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.house import House
from support.server import ServerProcess


@pytest.fixture(scope="session")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`signalpost serve --dev`: any app, any token."""
    with ServerProcess(tmp_path_factory.mktemp("dev"), config="", flags=("--dev",)) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
async def house(dev_server: ServerProcess) -> AsyncIterator[House]:
    """The test's own app."""
    house = House(dev_server)
    yield house
    for client in house.clients:
        await client.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A place for a server of the test's own."""
    return tmp_path
