"""A back end that is told by webhooks: a real HTTP server that verifies, keeps, and misbehaves."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiohttp import web
from standardwebhooks import Webhook

from support.waiting import until

__all__ = ["Post", "Receiver", "new_secret"]


def new_secret() -> str:
    """A secret as Standard Webhooks spell it."""
    return "whsec_" + b64encode(os.urandom(24)).decode()


class Post(NamedTuple):
    """One request."""

    id: str
    said: dict[str, Any]
    headers: dict[str, str]
    body: str


class Receiver:
    """Answers 204, unless `answer` says something else."""

    def __init__(self) -> None:
        self.secret = new_secret()
        self.posts: list[Post] = []  # every request whose signature was right
        self.told: list[Post] = []  # those that were answered with 2xx, each id once
        self.wrong = 0  # requests whose signature was not
        self.answer: Callable[[Post, web.Request], Awaitable[web.Response]] = _fine
        self.port = 0
        self._runner: web.AppRunner | None = None

    def section(self, app: str = "app", name: str = "back", **more: Any) -> str:
        """The configuration that has an app tell its events here."""
        lines = [f"[apps.{app}.webhooks.{name}]", f'url = "{self.url}"', f'secrets = ["{self.secret}"]']
        return "\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in more.items()), ""])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        application = web.Application()
        application.router.add_post("/hook", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self.port or self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no longer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Receiver:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait(self, condition: Callable[[], bool], what: str, *, within: float = 30.0) -> None:
        """Wait until what it was told is so."""

        async def holds() -> bool:
            return condition()

        await until(holds, f"{what}; told: {self.types()}", within=within)

    def types(self) -> list[str]:
        """The types of what it was told."""
        return [each.said["type"] for each in self.told]

    async def _serve(self, request: web.Request) -> web.Response:
        body = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            said = Webhook(self.secret).verify(body, headers)
        except Exception:
            self.wrong += 1
            return web.Response(status=401)
        post = Post(headers["webhook-id"], said, headers, body)
        self.posts.append(post)
        answer = await self.answer(post, request)
        if 200 <= answer.status < 300 and post.id not in {each.id for each in self.told}:
            self.told.append(post)
        return answer


async def _fine(post: Post, request: web.Request) -> web.Response:
    return web.Response(status=204)


async def hang(post: Post, request: web.Request) -> web.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError
