"""A server with its second listener, and a back end that asks it by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from support.server import CONFIG, ServerProcess
from support.waiting import until

__all__ = ["KEYS", "ApiServer", "BackEnd", "Told"]

SECRET = "0123456789abcdefghijABCDEFGHIJ-_"
KEYS = f"""
[api]
port = 0
requests = 1000
requests_burst = 5000

[api.keys.op]
secret = "{SECRET}"
scopes = ["read", "send", "manage", "admin"]

[apps.app.keys.back]
secret = "{SECRET}"
scopes = ["read", "send", "manage"]

[apps.app.keys.reader]
secret = "{SECRET}"
scopes = ["read"]

[apps.app.keys.sender]
secret = "{SECRET}"
scopes = ["send"]
"""


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> int:
        """Our code in a problem, 0 if it has none."""
        return int(self.body.get("code", 0))


class BackEnd:
    """Asks with one key."""

    def __init__(self, base: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=30.0
        )

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Told:
        """Any request; a `path` with a slash is behind the host, another one behind the app."""
        url = path if path.startswith("/") else f"/v1/apps/app/{path}"
        answer = await self._client.request(
            method, url, **({"json": body} if body is not None else {}), **options
        )
        told = json.loads(answer.content) if answer.content else None
        return Told(answer.status_code, answer.headers, told)

    async def get(self, path: str, **query: Any) -> Any:
        """The answer to a look."""
        told = await self.ask("GET", path, params=query)
        assert told.status == 200, told
        return told.body

    async def post(self, path: str, body: Any = None, *, once: str = "") -> Any:
        """The answer to a deed that succeeds."""
        told = await self.ask("POST", path, body, headers={"Idempotency-Key": once} if once else {})
        assert told.status in (200, 204), told
        return told.body

    async def put(self, path: str, body: Any) -> Any:
        told = await self.ask("PUT", path, body)
        assert told.status in (200, 204), told
        return told.body

    async def delete(self, path: str) -> Any:
        told = await self.ask("DELETE", path)
        assert told.status in (200, 204), told
        return told.body

    async def close(self) -> None:
        await self._client.aclose()


class ApiServer(ServerProcess):
    """A server that has `[api]`."""

    def __init__(self, directory: Path, *, config: str = CONFIG + KEYS, **options: Any) -> None:
        super().__init__(directory, config=config, **options)
        self.ends: list[BackEnd] = []
        self._told = 0  # bytes of the log that servers before this one have written

    def start(self) -> None:
        self._told = self.log.stat().st_size if self.log.exists() else 0
        super().start()

    async def api(self) -> str:
        """Where the API is."""
        found: list[int] = []

        async def told() -> bool:
            lines = self.log.read_bytes()[self._told :].splitlines()
            found[:] = [json.loads(line)["port"] for line in lines if b"the API listens" in line]
            return bool(found)

        await until(told, "the log says where the API is")
        return f"http://127.0.0.1:{found[-1]}"

    async def back_end(self, id: str = "back", secret: str = SECRET) -> BackEnd:
        """Somebody with this key; without any if it has no id."""
        end = BackEnd(await self.api(), f"spk_{id}_{secret}" if id else "")
        self.ends.append(end)
        return end

    async def leave(self) -> None:
        """Close all that was opened."""
        for end in self.ends:
            await end.close()
        await self.forget()


def quoted(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe="")
