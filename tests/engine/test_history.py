"""The past of a topic at its documented bounds (SPEC C9)."""

from __future__ import annotations

import pytest

from engine.driving import NOW
from signalpost.domain.limits import Limits
from signalpost.engine.history import History
from signalpost.engine.ports.shared import Keep

LIMITS = Limits()
KEEP = Keep(LIMITS.history_seconds, LIMITS.history_events, LIMITS.history_bytes)


def filled(count: int, size: int, *, pace: float = 0.0) -> History:
    history = History()
    for n in range(count):
        history.add(b"%08d" % n + bytes(size - 8), NOW + n * pace, KEEP)
    return history


@pytest.mark.parametrize(
    ("count", "size", "kept"),
    [
        (24_000, 200, 24_000),
        (24_001, 200, 24_000),
        (30_000, 20, 24_000),
        (2048, 8192, 2048),
        (2049, 8192, 2048),
        (5000, 8192, 2048),
    ],
)
def test_so_much_is_kept_and_no_more(count: int, size: int, kept: int) -> None:
    """SPEC C9: up to 24 000 events or 16 MiB."""
    history = filled(count, size)
    assert len(history) == kept
    events, lost = history.page(0, count, 10**9)
    assert lost == count - kept
    assert [event.offset for event in events] == list(range(count - kept + 1, count + 1))
    assert all(event.body.startswith(b"%08d" % (event.offset - 1)) for event in events)


def test_all_of_it_can_be_read_in_small_pages_while_more_comes() -> None:
    """SPEC C9: in order, without a repeat, and what is lost is counted to the last event."""
    history = filled(24_000, 200)
    seen, after, lost, n = 0, 0, 0, 24_000
    while after < history.last:
        events, missing = history.page(after, 64, 64 * 1024)
        assert len(events) <= 64
        assert events[0].offset == after + missing + 1
        lost += missing
        seen += len(events)
        after = events[-1].offset
        if n < 36_000:
            for _ in range(80):  # faster than it is read
                history.add(b"%08d" % n + bytes(192), NOW, KEEP)
                n += 1
    assert seen + lost == history.last == 36_000
    assert lost > 0


def test_what_is_gone_leaves_no_room_behind() -> None:
    """ENGINE B2: places of events that are gone go, too."""
    history = filled(100_000, 20, pace=0.01)
    assert len(history) == 12_001
    assert len(history._events) <= 2 * len(history) + 64
    history.fade(NOW + 100_000 * 0.01 + 121.0)
    assert len(history) == 0
    assert len(history._events) == 0
    assert history.end is None
    assert history.page(0, 10, 10) == ((), 100_000)
    assert history.add(b"x", NOW + 2000.0, KEEP).offset == 100_001
