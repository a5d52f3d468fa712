"""`signalpost` with its engine far away, as the environment's FAR_ENGINE says: see `support.far.ways`."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

from signalpost import app
from signalpost.__main__ import main
from signalpost.config import Config
from signalpost.engine.patience import Patience
from signalpost.engine.ports import Clock
from signalpost.engines import Embedded
from support.far import Cable, Far, ways


class FarEngine(Embedded):
    """The embedded engine, each half at the far end of a cable."""

    def __init__(self, config: Config, wall: Clock, clock: Clock | None = None) -> None:
        super().__init__(config, wall, clock)
        loop = asyncio.get_running_loop()
        # Longer than the product's: what is slow here is the machine.
        patience = Patience(loop.time, loop.call_later, seconds=20.0)
        near, there = (Cable(*ways(os.environ["FAR_ENGINE"], loop, seed), patience) for seed in range(2))
        self.shared: Any = Far(self.shared, near)
        self.kept: Any = Far(self.kept, there)


if __name__ == "__main__":
    app.run = partial(app.run, engine=FarEngine)  # type: ignore[assignment]
    raise SystemExit(main())
