"""The engine that keeps everything in process memory and nothing over a restart.

It knows no more than its parts; one module holds each.
"""

from __future__ import annotations

from signalpost.engine.deadlines import Deadlines
from signalpost.engine.kept import EmbeddedKept, Parts
from signalpost.engine.names import MemoryNames
from signalpost.engine.notes import Notes
from signalpost.engine.ports import Clock
from signalpost.engine.queues import MemoryQueues
from signalpost.engine.records import MemoryRecords
from signalpost.engine.topic_attributes import MemoryAttributes

__all__ = ["MemoryQueues", "MemoryRecords", "memory_kept"]


def memory_kept(*, clock: Clock, idle_seconds: float = 3600.0) -> EmbeddedKept:
    """The kept half, none of which outlives the process."""
    records, names, deadlines = MemoryRecords(clock=clock), MemoryNames(), Deadlines(clock=clock)
    queues = MemoryQueues(clock=clock, idle_seconds=idle_seconds)
    parts = Parts(
        records=records,
        passing_records=records,
        names=names,
        passing_names=names,
        queues=queues,
        attributes=MemoryAttributes(),
        deadlines=deadlines,
        passing_deadlines=deadlines,
        notes=Notes(clock=clock),
    )
    return EmbeddedKept(parts, clock=clock)
