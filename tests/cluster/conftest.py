"""A cluster of the test's own; how often each fault happens; which tests are in every run.

With FAULTS in the environment each fault happens so often; without it, those marked `long` do not run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.crowd import CONFIG
from support.cluster import Cluster

_FAULTS = os.environ.get("FAULTS", "")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _FAULTS:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def times() -> int:
    """How often a fault happens."""
    return int(_FAULTS or 1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes, none of them started."""
    with Cluster(tmp_path, config=CONFIG.format(grace=20)) as cluster:
        yield cluster
