"""`signalpost` with faults of its own, as the environment says.

FAULT_DEAF: how many of a hundred notices of the shared store it never hears. FAULT_DIES: a file; while it
names a half of the engine (`kept` or `shared`), the process dies behind the next commit there, before anybody
learns that it was done.
"""

from __future__ import annotations

import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import Any

from signalpost import app
from signalpost.__main__ import main
from signalpost.config import Config
from signalpost.engine.ports import Clock
from signalpost.engine.redis.ear import Ear
from signalpost.engines import Engine, choose


class Mortal:
    """One half of an engine; see above."""

    def __init__(self, name: str, half: Any, file: Path) -> None:
        self._name = name
        self._half = half
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._half, name)

    async def commit(self, *steps: Any) -> Any:
        """See `Half.commit`."""
        results = await self._half.commit(*steps)
        if self._file.exists() and self._file.read_text() == self._name:
            os.kill(os.getpid(), signal.SIGKILL)
        return results


def mortal(config: Config, wall: Clock, clock: Clock | None, *, file: Path) -> Engine:
    """The engine that is configured, whose commits may be the last."""
    engine: Any = choose(config, wall, clock)
    engine.kept = Mortal("kept", engine.kept, file)
    engine.shared = Mortal("shared", engine.shared, file)
    return engine  # type: ignore[no-any-return]


def deaf(percent: int) -> None:
    """From now on so many of a hundred notices are not heard."""
    hear = Ear._take

    def take(self: Ear, notices: bytes) -> None:
        if random.randrange(100) >= percent:
            hear(self, notices)

    Ear._take = take  # type: ignore[method-assign]


if __name__ == "__main__":
    deaf(int(os.environ.get("FAULT_DEAF") or 0))
    if os.environ.get("FAULT_DIES"):
        app.run = partial(app.run, engine=partial(mortal, file=Path(os.environ["FAULT_DIES"])))  # type: ignore[assignment]
    raise SystemExit(main())
