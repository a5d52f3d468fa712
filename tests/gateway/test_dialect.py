"""Which frames suit which client (PROTOCOL §6, §10, §11.2)."""

from __future__ import annotations

import pytest

from signalpost.domain.apps import App
from signalpost.gateway.dialect import Dialect, dialect_of

BY_DEVICE = App()
BY_FLAG = App(lines="flag")


@pytest.mark.parametrize("flagged", [False, True])
@pytest.mark.parametrize(
    ("device", "dialect"),
    [
        ("websdk", Dialect(v3=True, pushes=True, ours=False)),
        ("javasdk", Dialect(v3=False, pushes=False, ours=False)),
        ("signalpost-web", Dialect(v3=True, pushes=True, ours=True)),
        ("signalpost-python", Dialect(v3=True, pushes=True, ours=True)),
        ("signalpost-android", Dialect(v3=True, pushes=True, ours=True)),
        ("signalpost-of-tomorrow", Dialect(v3=True, pushes=True, ours=True)),
        ("", Dialect(v3=False, pushes=False, ours=False)),
        ("toaster", Dialect(v3=False, pushes=False, ours=False)),
        ("WebSDK", Dialect(v3=False, pushes=False, ours=False)),
        ("signalpost", Dialect(v3=False, pushes=False, ours=False)),
    ],
)
def test_the_device_decides(device: str, dialect: Dialect, flagged: bool) -> None:
    """PROTOCOL §6 policy (a), §12: v3 and pushes for the web and ours; who is unknown is as javasdk."""
    assert dialect_of(device, BY_DEVICE, flagged=flagged) == dialect


@pytest.mark.parametrize("flagged", [False, True])
def test_an_app_may_keep_v3_from_web_sdks_without_the_flag(flagged: bool) -> None:
    """PROTOCOL §6 policy (b): for web SDKs before 1.3."""
    assert dialect_of("websdk", BY_FLAG, flagged=flagged) == Dialect(v3=flagged, pushes=True, ours=False)


@pytest.mark.parametrize("flagged", [False, True])
@pytest.mark.parametrize("device", ["javasdk", "signalpost-web", "toaster"])
def test_the_policy_is_for_the_web_alone(device: str, flagged: bool) -> None:
    """PROTOCOL §6: whatever the flag, Python reads v2 only, and ours reads v3."""
    assert dialect_of(device, BY_FLAG, flagged=flagged) == dialect_of(device, BY_DEVICE, flagged=False)
