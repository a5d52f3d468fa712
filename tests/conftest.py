"""What every test may rely on: no setting of the machine leaks in, and slow machines fail nothing.

One server is there for all tests of a process; every test has an app of its own in it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.house import House
from support.postgres import Postgres
from support.python_sdk import make_environment
from support.server import ServerProcess

settings.register_profile("signalpost", deadline=None)
settings.load_profile("signalpost")

# A shell that starts tests in the background has them ignore interrupts, and what they start would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SIGNALPOST_")]:
        monkeypatch.delenv(name)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this process, which does not wait for the disk."""
    server = Postgres(durable=False)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sdk_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the Python SDK 1.0.2."""
    return make_environment(tmp_path_factory.mktemp("python_sdk") / "venv")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A place for a server of the test's own."""
    return tmp_path
