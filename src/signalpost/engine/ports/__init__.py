"""What the services may ask of storage: the whole contract, and nothing of the product.

An engine has two halves: `kept`, what was promised, and `shared`, what may vanish with the process. Each port
is a few methods; its docstrings are the promise, and `tests/contract` holds one suite a port that every
implementation passes. Keys and names are text, values are bytes, times are Unix seconds (float) of the clock
that the implementation was given, sizes are bytes.

All methods are coroutines so that a networked engine can implement them. An embedded engine mostly
finishes without suspending; where it must wait (a group commit) it suspends on a `Pending`.
"""

from __future__ import annotations

from signalpost.engine.ports.errors import (
    Cancelled,
    Conflict,
    EngineError,
    Full,
    RateExceeded,
    Unavailable,
    Uncertain,
)
from signalpost.engine.ports.queues import Appended, Head, Item
from signalpost.engine.ports.steps import (
    NO_FIELDS,
    Arm,
    Ask,
    Cancel,
    Delete,
    Due,
    Entry,
    Expect,
    Keys,
    Listed,
    Put,
    Receipt,
    Record,
    Step,
)
from signalpost.engine.ports.waiting import Clock, Pending, Reply

__all__ = [
    "NO_FIELDS",
    "Appended",
    "Arm",
    "Ask",
    "Cancel",
    "Cancelled",
    "Clock",
    "Conflict",
    "Delete",
    "Due",
    "EngineError",
    "Entry",
    "Expect",
    "Full",
    "Head",
    "Item",
    "Keys",
    "Listed",
    "Pending",
    "Put",
    "RateExceeded",
    "Receipt",
    "Record",
    "Reply",
    "Step",
    "Unavailable",
    "Uncertain",
]
