"""A server for all system tests of one process; every test has an app of its own in it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.client import RawClient
from support.server import ServerProcess


@pytest.fixture(scope="session")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`signalpost serve --dev`: any app, any token."""
    with ServerProcess(tmp_path_factory.mktemp("dev"), config="", flags=("--dev",)) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()


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
