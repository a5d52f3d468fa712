"""The session machine does what the scenarios say that all SDKs share (protocol/scenarios/README.md)."""

from __future__ import annotations

import pytest

from support.scenarios import Player, Scenario, scenarios

ALL = list(scenarios())


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.id)
def test_the_machine_does_what_the_scenario_says(scenario: Scenario) -> None:
    """The ids are in the scenario's `shows`."""
    Player(scenario).play()
