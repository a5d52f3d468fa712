"""What every test may rely on: no setting of the machine leaks in, and slow machines fail nothing."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("signalpost", deadline=None)
settings.load_profile("signalpost")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SIGNALPOST_")]:
        monkeypatch.delenv(name)
