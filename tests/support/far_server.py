"""`signalpost` with its engine far away, as the environment's FAR_ENGINE says: see `support.far.ways`."""

from __future__ import annotations

import asyncio
import os
from functools import partial

from signalpost import app
from signalpost.__main__ import main
from signalpost.app import Engine, embedded
from signalpost.engine.patience import Patience
from signalpost.engine.ports import Clock
from signalpost.engine.store import Store
from support.far import Cable, Far, ways

KEPT = ("kept",)


def far(store: Store | None, clock: Clock) -> Engine:
    """The embedded engine, each half at the far end of a cable."""
    loop = asyncio.get_running_loop()
    # Longer than the product's: what is slow here is the machine.
    patience = Patience(loop.time, loop.call_later, seconds=20.0)
    cables = [Cable(*ways(os.environ["FAR_ENGINE"], loop, seed), patience) for seed in range(2)]
    near = embedded(store, clock)
    parts = {name: Far(part, cables[name in KEPT]) for name, part in near._asdict().items()}
    return Engine(**parts)  # type: ignore[arg-type]


if __name__ == "__main__":
    app.run = partial(app.run, engine=far)  # type: ignore[assignment]
    raise SystemExit(main())
