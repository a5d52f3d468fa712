"""A server that says what a real one says never, or not when a test wants it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

__all__ = ["SILENCE", "pretending", "refusal"]

Answer = Callable[[str, dict[str, Any]], Any]

SILENCE = object()  # no answer at all


def refusal(reason: str, code: int | None = None) -> tuple[str, dict[str, Any]]:
    """An answer that refuses, with a code or without."""
    return reason, {"result": "failed", "reason": reason} | ({} if code is None else {"code": code})


@asynccontextmanager
async def pretending(answer: Answer) -> AsyncIterator[str]:
    """A server's address. `answer` is given a function (or `login`) and its arguments; SILENCE, or error and
    body, or a list of whole frames to say before the answer `ok`, is what comes back."""

    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            match json.loads(text):
                case ["login", fields]:
                    await _say(socket, "login_ret", [], answer("login", fields))
                case ["call2", [func, number, args]]:
                    await _say(socket, "call2-ret", [number], answer(func, args))

    async with serve(talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/"


async def _say(socket: ServerConnection, name: str, head: list[int], said: Any) -> None:
    if said is SILENCE:
        return
    if isinstance(said, list):
        for frame in said:
            await socket.send(json.dumps(frame))
        said = ("", {"result": "ok", "line": "x", "inbox": "e"})
    error, body = said
    await socket.send(json.dumps([name, [*head, error, json.dumps(body)]]))
