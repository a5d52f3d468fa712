"""Users of the web-shaped face, on the server that all tests share, or on one of the module's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.server import ServerProcess
from web_face.people import House
from web_face.relay import Relay


@pytest.fixture
async def relay(dev_server: ServerProcess) -> AsyncIterator[Relay]:
    """A way to the server that can be cut."""
    relay = Relay(dev_server.port)
    await relay.open()
    yield relay
    await relay.close()


@pytest.fixture
async def web(dev_server: ServerProcess, relay: Relay) -> AsyncIterator[House]:
    """An app of the test's own; its users leave before the relay goes."""
    house = House(dev_server.url)
    yield house
    await house.close()
