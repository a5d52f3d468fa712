"""A house for each test: whatever goes wrong in it where nobody waits is a failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.house import House


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    assert house.reported == []
