"""What the engine tells later, as something to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from signalpost.client.arguments import Ask
from signalpost.client.engine import Done, Engine, Result
from signalpost.client.errors import error_of
from signalpost.client.steps import Answered

__all__ = ["ask", "wait"]


async def ask(engine: Engine, request: Ask) -> dict[str, Any]:
    """Make a request; the fields of its answer. Raises SignalpostError.

    Who is cancelled meanwhile does not take the request back: it may have been done.
    """
    return await wait(lambda done: engine.request(request.func, request.args, done))


async def wait(begin: Callable[[Done], None]) -> dict[str, Any]:
    """Begin something that will tell its result, and wait for that. Raises SignalpostError."""
    future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def done(result: Result) -> None:
        if future.done():
            return  # nobody waits any more
        if isinstance(result, Answered):
            future.set_result(result.body)
        else:
            future.set_exception(error_of(result.code, result.reason))

    begin(done)
    return await future
