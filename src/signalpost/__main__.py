"""`python -m signalpost` and the command `signalpost`: a quiet end at any time, and then the command line.

It is what runs first, so it imports little before an end by a signal is provided for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

__all__ = ["main"]


def main() -> int:
    """Run the command that the arguments name; its exit code."""
    if sys.argv[1:2] == ["serve"]:
        # From its first instant to its last the server ends with 0 when it is told to end (SPEC §9).
        # Nothing is begun yet that has to be ended in order; when something is, it listens itself.
        _at_the_end(lambda *_: os._exit(0))
        status = _run()
        _at_the_end(signal.SIG_IGN)
        return status
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a command that is broken off says nothing
    return _run()


def _at_the_end(handler: Callable[..., object] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _run() -> int:
    from signalpost.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
