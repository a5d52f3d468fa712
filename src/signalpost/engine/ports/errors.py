"""What an engine may raise."""

from __future__ import annotations

__all__ = ["Conflict", "EngineError", "Full", "RateExceeded", "Unavailable", "Uncertain"]

# EngineError
# ├── Conflict       somebody else changed the record first: read again and decide again
# ├── Full           a bound is reached: the caller's fault, nothing was stored
# ├── RateExceeded   too many changes in the window: the caller's fault, nothing was changed
# └── Unavailable    the store could not commit (disk full, I/O error): nothing was acknowledged
#     └── Uncertain  likewise, but a restart may find it stored


class EngineError(Exception):
    """Base of what an engine may raise."""


class Conflict(EngineError):
    """A record's revision is not the expected one; `step` is the one that expected it."""

    def __init__(self, key: str, step: object = None) -> None:
        super().__init__(key)
        self.step = step


class Full(EngineError):
    """A bound is reached: of the queue or set `key`, of `part` of it, or of all that is charged to `charge`.

    `step` is the one that found no room.
    """

    def __init__(self, key: str, part: str = "", charge: str = "", step: object = None) -> None:
        super().__init__(key, part, charge)
        self.part = part
        self.charge = charge
        self.step = step


class RateExceeded(EngineError):
    """A rate of the change is used up; `key` is that of the `Rate`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Unavailable(EngineError):
    """The store failed to commit."""


class Uncertain(Unavailable):
    """The store cannot tell whether what it failed to commit will be there after a restart."""
