"""Memory comes back: in every part of engine and services, counted in objects, under a clock set by hand.

`make soak` lets the same load go on for longer.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from services.house import Device, House
from signalpost.engine import places
from soak.census import census, grown
from soak.load import SWEEP, Town

_RATE = 4_000  # operations a second
_SECONDS = float(os.environ.get("SOAK_SECONDS", "10"))
_LOOKS = 5  # in each half of that
_HOUR = 3_600.0
_LEFT_OUT = {
    "SharedMemory.followers",  # what is followed is up to who shows channels: here the house
    "Deadlines._heap",  # at most twice what is armed, which is counted
    "_Deadlines._heap",
    "HeapTimers._heap",
}


def _held(town: Town) -> Counter[str]:
    """What every part holds."""
    parts = (value for value in vars(town.house).values() if not isinstance(value, list | dict))
    held = census(parts, outside=(House, Device))
    return Counter({place: count for place, count in held.items() if place not in _LEFT_OUT})


def _most(town: Town, seconds: float) -> Counter[str]:
    """The most that every part held while so much time passed."""
    most: Counter[str] = Counter()
    for _ in range(_LOOKS):
        town.live(seconds / _LOOKS, rate=_RATE)
        most |= _held(town)
    return most


@pytest.mark.timeout(3_600)
def test_memory_follows_the_load_and_comes_back_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC E5: what is held depends on how much happens in a second, not for how long; an hour later it is
    what the people need who have stayed."""
    monkeypatch.setattr(places, "_GRAVES", 4.0)
    town = Town()
    town.rest(2 * SWEEP)
    before = _held(town)
    town.live(2 * SWEEP, rate=_RATE)
    early = _most(town, _SECONDS / 2)
    late = _most(town, _SECONDS / 2)
    town.close()
    town.rest(_HOUR + 2 * SWEEP)
    after = _held(town)
    assert town.house.reported == []
    assert (grown(early, late, by=1.25), grown(before, after, by=1.1)) == ({}, {}), "growing, and left behind"
