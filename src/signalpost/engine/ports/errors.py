"""What an engine may raise."""

from __future__ import annotations

__all__ = ["Conflict", "EngineError", "Full", "RateExceeded", "Unavailable", "Uncertain"]

# EngineError
# ├── Conflict       somebody else changed the record first: read again and decide again
# ├── Full           the queue has reached its cap: the caller's fault, nothing was stored
# ├── RateExceeded   too many changes in the window: the caller's fault, nothing was changed
# └── Unavailable    the store could not commit (disk full, I/O error): nothing was acknowledged
#     └── Uncertain  likewise, but a restart may find it stored


class EngineError(Exception):
    """Base of what an engine may raise."""


class Conflict(EngineError):
    """The record's revision is not the expected one."""


class Full(EngineError):
    """The queue is at its cap of items or bytes, or `part` of it at its own; "" if it is the whole queue."""

    def __init__(self, key: str, part: str = "") -> None:
        super().__init__(key, part)
        self.part = part


class RateExceeded(EngineError):
    """A rate of the change is used up; `key` is that of the `Rate`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unavailable(EngineError):
    """The store failed to commit."""


class Uncertain(Unavailable):
    """The store cannot tell whether what it failed to commit will be there after a restart."""
