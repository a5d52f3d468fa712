"""Notes in process memory: they end, and nothing is left of them (PROTOCOL §12, SPEC E6)."""

from __future__ import annotations

import pytest

from engine.driving import ManualClock, begin, run
from signalpost.engine.notes import Notes
from signalpost.engine.ports import Conflict, Pending, Unavailable
from signalpost.engine.ports.kept import Note, Noted


def note(key: str, name: str, *, ttl: float = 10.0, most: int = 0) -> Note:
    return Note(key, name, b"answer", ttl, most)


async def test_what_is_over_goes_as_others_come() -> None:
    """Without a sweep: of a key whose notes come and go as many are there as are alive."""
    clock = ManualClock()
    notes = Notes(clock=clock)
    for n in range(1000):
        notes.note(note("ada", f"r{n}"))
        clock.advance(1.0)
        assert len(notes) <= 11


async def test_a_sweep_leaves_what_is_alive() -> None:
    clock = ManualClock()
    notes = Notes(clock=clock)
    for n in range(100):
        notes.note(note(f"k{n % 10}", f"r{n}", ttl=1.0 if n < 50 else 20.0))
    clock.advance(2.0)
    assert await run(notes.sweep()) == 10
    assert len(notes) == 50
    clock.advance(20.0)
    await run(notes.sweep())
    assert (len(notes), notes._noted, len(notes._ends)) == (0, {}, 0)


async def test_the_oldest_goes_when_there_are_too_many() -> None:
    """SPEC E6."""
    notes = Notes(clock=ManualClock())
    for n in range(9):
        notes.note(note("ada", f"r{n}", most=4))
    assert [notes.noted(Noted("ada", f"r{n}")) for n in (4, 5, 8)] == [None, b"answer", b"answer"]
    assert len(notes) == 4


@pytest.mark.parametrize("fails", [True, False])
async def test_one_under_way_is_waited_for(fails: bool) -> None:
    """PROTOCOL §12: until it is in force, or has come to nothing."""
    notes, disk, ask = Notes(clock=ManualClock()), Pending(), Noted("ada", "r")
    step = note("ada", "r")
    notes.note(step)
    carrying = begin(notes.carry([step], [(disk, None)]))
    asking = begin(notes.settle(ask))
    assert (notes.noted(ask), asking.done()) == (None, False)
    with pytest.raises(Conflict):
        notes.check(step)
    disk.settle(Unavailable("disk full") if fails else None)
    await asking
    if fails:
        with pytest.raises(Unavailable):
            await carrying
        notes.check(step)
        assert notes.noted(ask) is None
    else:
        await carrying
        assert notes.noted(ask) == b"answer"
