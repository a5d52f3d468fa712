"""The port `Timers`: one deadline a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Timers"]


class Timers(Protocol):
    """One deadline a key. What is due is decided by the record, not by the timer: a timer may be
    late, never early."""

    def listen(self, handler: Callable[[str], None]) -> None:
        """Whom to call with a key when its time has come; the timer is gone then."""
        ...

    async def arm(self, key: str, at: float) -> None:
        """Call the handler at `at` (or soon after, at once if past); replaces the key's earlier time."""
        ...

    async def cancel(self, key: str) -> None:
        """Forget the key's time, if it has one."""
        ...
