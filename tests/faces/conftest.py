"""Processes of other languages, one of each for all tests of a process. They have to end in good order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.party_process import PartyProcess, java, node


@pytest.fixture(scope="session")
def java_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PartyProcess]:
    """A JVM for parties on `io.agora`."""
    process = java(tmp_path_factory.mktemp("java") / "log")
    yield process
    assert process.stop() == 0, process.log.read_text()


@pytest.fixture(scope="session")
def node_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PartyProcess]:
    """A Node process for parties on `signal.js`."""
    process = node(tmp_path_factory.mktemp("node") / "log")
    yield process
    assert process.stop() == 0, process.log.read_text()
