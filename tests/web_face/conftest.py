"""Users of the web-shaped face, on the server that all tests share, or on one of the module's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from support.relay import Relay
from support.server import ServerProcess
from web_face.people import House


@pytest.fixture
def relay(dev_server: ServerProcess) -> Iterator[Relay]:
    """A way to the server that a test can cut."""
    with Relay(dev_server.port) as relay:
        yield relay


@pytest.fixture
async def web(dev_server: ServerProcess, relay: Relay) -> AsyncIterator[House]:
    """An app of the test's own; its users leave before the relay goes."""
    house = House(dev_server.url)
    yield house
    await house.close()
