"""Apps for tests of the call flow: in each, one thing times out before all others (SPEC K5 to K7).

Where somebody has to do something in time, a busy machine has enough of it.
"""

from __future__ import annotations

import pytest

__all__ = ["CALL_APPS", "app_of", "in_app"]

CALL_APPS = """
[apps.peer]
allow_no_token = true
[apps.peer.limits]
peer_wait = 0.4

[apps.ring]
allow_no_token = true
[apps.ring.limits]
ring_max = 3

[apps.confirm]
allow_no_token = true
[apps.confirm.limits]
confirm_wait = 0.4

[apps.flow]
allow_no_token = true
"""


def in_app(name: str) -> pytest.MarkDecorator:
    """The app of a test."""
    return pytest.mark.parametrize("app", [name])


def app_of(request: pytest.FixtureRequest) -> str:
    """The app that the test names, else one in which nothing times out."""
    named: str = request.node.callspec.params["app"] if hasattr(request.node, "callspec") else "flow"
    return named
