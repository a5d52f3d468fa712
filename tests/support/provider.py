"""A provider of tokens: a real HTTP server that publishes keys, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Provider"]


class Provider:
    """Publishes the public halves of its keys at `url`, and signs tokens with the private ones."""

    def __init__(self) -> None:
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}  # by kid; those that are published
        self.asked = 0  # how often the keys were fetched
        self.answer: bytes | None = None  # what is published instead of the keys; None: the keys
        self.status = 200
        self.headers: dict[str, str] = {}
        self.may_answer = asyncio.Event()  # not set: it is slow without end
        self.may_answer.set()
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self.port}/keys"

    def rotate(self, kid: str) -> None:
        """Publish a new key besides the others."""
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def published(self) -> list[dict[str, Any]]:
        """The public keys."""
        return [
            {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": "ES256"}
            for kid, key in self.keys.items()
        ]

    def token(self, kid: str, account: str = "ada", **claims: Any) -> str:
        """A token that this key has signed."""
        full = {"sub": account, "exp": int(time.time()) + 3600, "aud": "app", **claims}
        return jwt.encode(full, self.keys[kid], "ES256", headers={"kid": kid})

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        application = web.Application()
        application.router.add_get("/keys", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self.port or self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no longer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Provider:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.may_answer.set()
        await self.stop()

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.may_answer.wait()
        body = self.answer
        if body is None:
            body = json.dumps({"keys": self.published()}).encode()
        return web.Response(body=body, status=self.status, headers=self.headers)
