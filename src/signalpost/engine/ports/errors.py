"""What an engine may raise."""

from __future__ import annotations

__all__ = ["Cancelled", "Conflict", "EngineError", "Full", "RateExceeded", "Unavailable", "Uncertain"]

# EngineError
# ├── Conflict       somebody else changed the record first: read again and decide again
# ├── Full           a bound is reached: the caller's fault, nothing was stored
# ├── RateExceeded   too many changes in the window: the caller's fault, nothing was changed
# └── Unavailable    the store could not commit (disk full, I/O error): nothing was acknowledged
#     ├── Uncertain  likewise, but a restart may find it stored
#     └── Cancelled  nobody waits for it any more


class EngineError(Exception):
    """Base of what an engine may raise."""


class Conflict(EngineError):
    """The record's revision is not the expected one; or a step (then it is `step`) found other than it
    demands."""

    def __init__(self, step: object = None) -> None:
        super().__init__(step)
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
    """A rate is used up; `key` is its name, `limit` what it allows, `wait` seconds until it may be tried
    again (0.0: nobody knows)."""

    def __init__(self, key: str, *, limit: int = 0, wait: float = 0.0) -> None:
        super().__init__(key)
        self.key = key
        self.limit = limit
        self.wait = wait


class Unavailable(EngineError):
    """The store failed to commit."""


class Uncertain(Unavailable):
    """The store cannot tell whether what it failed to commit will be there after a restart."""


class Cancelled(Unavailable):
    """Whoever waited has given up: what was under way may be done or not."""
