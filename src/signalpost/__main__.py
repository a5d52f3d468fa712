"""`python -m signalpost` is the command `signalpost`."""

from __future__ import annotations

import sys

from signalpost.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
