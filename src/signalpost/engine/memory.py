"""The engine that keeps everything in process memory and nothing over a restart.

It knows no more than its parts; one module holds each.
"""

from __future__ import annotations

from signalpost.engine.queues import MemoryQueues
from signalpost.engine.records import MemoryRecords
from signalpost.engine.timers import HeapTimers
from signalpost.engine.topics import MemoryTopics

__all__ = ["HeapTimers", "MemoryQueues", "MemoryRecords", "MemoryTopics"]
