"""Users of the Android-shaped face, on the server that all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("android_face.people")

from android_face.people import House  # noqa: E402
from support.server import ServerProcess  # noqa: E402


@pytest.fixture
def flat(dev_server: ServerProcess) -> Iterator[House]:
    """An app of the test's own."""
    house = House(dev_server)
    yield house
    house.close()
