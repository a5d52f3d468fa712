"""A process that appends as fast as it can and says what was acknowledged, until it is killed.

    python appender.py DIRECTORY CLOCK_OFFSET ROUND

Each line on standard output is `QUEUE SEQ BODY DURABLE`, written after the append returned.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from signalpost.engine.ports import Pending
from signalpost.engine.ports.kept import Append, Bounds
from signalpost.engine.sqlite import Store, sqlite_kept

QUEUES = 5
IN_FLIGHT = 20
_BOUNDS = Bounds(86_400.0, max_items=10**9, max_size=10**9, dedupe_ttl=3600.0)


async def main() -> None:
    directory, offset, turn = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    store = Store(directory, loop=asyncio.get_running_loop(), durability="process")
    kept = sqlite_kept(store, clock=lambda: time.time() + offset, body_budget=10_000)

    async def chain(number: int) -> None:
        key = f"q{number % QUEUES}"
        count = 0
        while True:
            count += 1
            durable = count % 3 > 0
            body = f"{turn}.{number}.{count}"
            step = Append(key, body.encode(), 1, _BOUNDS, durable=durable, note=body, dedupe=body)
            [done] = await kept.commit(step)
            os.write(1, f"{key} {done.seq} {body} {int(durable)}\n".encode())
            if not durable:
                await _pause()

    for number in range(IN_FLIGHT):
        _drive(chain(number))
    await asyncio.Event().wait()


async def _pause() -> None:
    """Let the loop turn, so that a chain of appends that never wait does not hold it."""
    pending = Pending()
    asyncio.get_running_loop().call_soon(pending.settle)
    await pending


def _drive(coroutine: object) -> None:
    pending = coroutine.send(None)  # type: ignore[attr-defined]
    pending.when_settled(lambda: _drive(coroutine))


asyncio.run(main())
