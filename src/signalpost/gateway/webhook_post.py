"""Posting to a back end, signed as Standard Webhooks say (SPEC W1, W3): 15 s, no redirects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from standardwebhooks import Webhook

from signalpost import __version__
from signalpost.domain.webhooks import Endpoint
from signalpost.engine.ports import Clock, Reply
from signalpost.services.webhooks import Answer

__all__ = ["Poster"]

_TIME: Final = aiohttp.ClientTimeout(total=15.0)  # seconds, for everything
_LONGEST_WAIT: Final = 3600.0  # seconds of a Retry-After that are heeded
_READ: Final = 4096  # bytes of an answer that are read: nothing is done with them


class Poster:
    """Posts; the port `Post` of the services."""

    __slots__ = ("_session", "_tasks", "_wall")

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None  # made with the first post
        self._tasks: set[asyncio.Task[None]] = set()  # posts that are under way

    def __call__(self, endpoint: Endpoint, hook_id: str, body: bytes) -> Reply[Answer]:
        """Post; the reply has what came of it."""
        reply: Reply[Answer] = Reply()
        task = asyncio.get_running_loop().create_task(self._post(endpoint, hook_id, body, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return reply

    async def close(self) -> None:
        """End what is under way: it is told anew by who comes next."""
        for task in self._tasks:
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def _post(self, endpoint: Endpoint, hook_id: str, body: bytes, reply: Reply[Answer]) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)  # the services bound it
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=_TIME, cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            async with self._session.post(
                endpoint.url, data=body, headers=self._headers(endpoint, hook_id, body), allow_redirects=False
            ) as answer:
                await answer.content.read(_READ)
                said = Answer(answer.status, self._wait(answer.headers.get("Retry-After", "")))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            said = Answer(0)
        reply.answer(said)

    def _headers(self, endpoint: Endpoint, hook_id: str, body: bytes) -> dict[str, str]:
        now = datetime.fromtimestamp(int(self._wall()), UTC)
        text = body.decode()
        signatures = [Webhook(secret).sign(hook_id, now, text) for secret in endpoint.secrets]
        return {
            "content-type": "application/json",
            "user-agent": f"signalpost/{__version__}",
            "webhook-id": hook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _wait(self, text: str) -> float:
        """Seconds, of a number of them or a date (RFC 9110 §10.2.3); 0.0 for what is neither."""
        if text.isascii() and text.isdecimal():
            return min(float(text[:9]), _LONGEST_WAIT)
        try:
            seconds = parsedate_to_datetime(text).timestamp() - self._wall()
        except (ValueError, TypeError, OverflowError):
            return 0.0
        return min(max(seconds, 0.0), _LONGEST_WAIT)
