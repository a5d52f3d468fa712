"""Users of the asyncio API, on the server that all tests share, or on one of the module's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from native_face.people import House
from support.relay import Relay
from support.server import ServerProcess


@pytest.fixture
def relay(dev_server: ServerProcess) -> Iterator[Relay]:
    """A way to the server that can be cut."""
    relay = Relay(dev_server.port)
    yield relay
    relay.close()


@pytest.fixture
async def native(dev_server: ServerProcess, relay: Relay) -> AsyncIterator[House]:
    """An app of the test's own; its users leave before the relay goes."""
    house = House(dev_server.url)
    yield house
    await house.close()
