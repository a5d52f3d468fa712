"""A server with its second listener for all tests of a process, and a back end of its app."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from support.api import ApiServer, BackEnd

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with ApiServer(tmp_path_factory.mktemp("api")) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
async def back(server: ApiServer) -> AsyncIterator[BackEnd]:
    """A back end that may do all that is done to an app."""
    yield await server.back_end()
    await server.leave()


@pytest.fixture
def n() -> str:
    """Something to make names of that no other test has."""
    return f"x{next(_NUMBERS)}"
