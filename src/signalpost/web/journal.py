"""The log of `setDoLog` (SPEC S8): lines above a level, or none. Never a token or a message."""

from __future__ import annotations

import logging
import sys

from signalpost.client.events import Level

__all__ = ["Journal"]

_log = logging.getLogger("signalpost.web")

_RANKS = {Level.DEBUG: logging.DEBUG, Level.INFO: logging.INFO, Level.WARNING: logging.WARNING}


class Journal:
    """Where lines go while it is on: to the logger `signalpost.web`, and to standard error."""

    def __init__(self) -> None:
        self._least: int | None = None  # the lowest level that is written; None: off

    def switch_on(self, level: Level) -> None:
        """Write lines of this level and above."""
        self._least = _RANKS[level]

    def switch_off(self) -> None:
        """Write nothing."""
        self._least = None

    def write(self, level: Level, text: str) -> None:
        """One line."""
        rank = _RANKS[level]
        if self._least is None or rank < self._least:
            return
        print(f"signalpost {level} {text}", file=sys.stderr)
        if _log.hasHandlers():  # else `logging` would print warnings a second time
            _log.log(rank, "%s", text)
