"""The second listener: the API, and what only operators should see (SPEC A1).

It knows HTTP by aiohttp, who asks from where, and how often an address may show a wrong key. What a request
means is for the desk.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from signalpost.api.cases import Answer
from signalpost.api.desk import Desk, Request, refused
from signalpost.api.openapi import document
from signalpost.api.problems import Wrong
from signalpost.domain.keys import Key, Keyring
from signalpost.services.driver import start

__all__ = ["ApiListener", "Surroundings"]

_log: Final = structlog.get_logger("signalpost.api")

T = TypeVar("T")

_BODY: Final = (
    4 * 1024 * 1024
)  # bytes of a body: a batch of the longest messages, as escaped as can be, is less
_LINE: Final = 16 * 1024  # bytes of the first line: four names and a cursor, quoted
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": "signalpost"}
_JSON: Final = {"Content-Type": "application/json"}
_METRICS: Final = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the listener asks of the server that it is a part of."""

    metrics: Callable[[], bytes]
    health: Callable[[], Mapping[str, Any]]
    unready: Callable[[], tuple[str, str] | None]  #: a word and a reason; None when all is well
    draining: Callable[[], bool]
    address_of: Callable[[str, str], str]  #: from the peer's address and X-Forwarded-For
    may_try: Callable[[str], bool]  #: whether an address has wrong keys left in this minute
    failed: Callable[[str], None]  #: an address has shown a wrong one


class _Connection(RequestHandler):
    """aiohttp's connection, which answers what is no HTTP as everything else, and logs nothing of it: that
    may be a key."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """See `RequestHandler.handle_error`."""
        _log.info("request not understood", status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        response = _response(refused(Wrong(status, "the request is not understood")))
        response.force_close()
        return response


class _Connections(web.Server):
    """What makes them."""

    def __call__(self) -> _Connection:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class ApiListener:
    """The listener of `[api]`."""

    def __init__(
        self,
        desk: Desk,
        keys: Keyring,
        surroundings: Surroundings,
        *,
        host: str,
        port: int,
        shared: bool = False,
        own_port: int = 0,
    ) -> None:
        """`shared`: others listen on the port, too. `own_port`: one of its own besides; 0: none."""
        self._desk: Final = desk
        self._keys: Final = keys
        self._around: Final = surroundings
        self._host: Final = host
        self._asked_port: Final = port
        self._shared: Final = shared
        self._own_port: Final = own_port
        self._document: Final = document()
        # Answers what needs no key, by path.
        self._open: Final[dict[str, Callable[[], Answer]]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": lambda: Answer(200, surroundings.metrics(), _METRICS),
            "/v1/openapi.json": lambda: Answer(200, self._document, _JSON),
        }
        # What is bound; None before it is.
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Bind and serve; raises OSError if that is impossible."""
        runner = web.ServerRunner(
            _Connections(self._handle, access_log=None, max_line_size=_LINE), shutdown_timeout=2.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._asked_port, reuse_port=self._shared).start()
            if self._own_port:
                await web.TCPSite(runner, self._host, self._own_port).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno is None or error.errno <= 0:
                raise
            raise OSError(error.errno, os.strerror(error.errno)) from error  # without what the loop adds
        self._runner = runner

    async def stop(self) -> None:
        """Answer what was asked, and serve no more."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens; 0 before `start`."""
        if self._runner is None or not self._runner.addresses:
            return 0
        return int(self._runner.addresses[0][1])

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        try:
            answer = await self._answer(request)
        except Wrong as wrong:
            answer = refused(wrong)
        except Exception:
            _log.exception("request failed")
            answer = refused(Wrong(500, "internal server error"))
        return _response(answer)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        path, _, query = request.raw_path.partition("?")
        page = self._open.get(path)
        if page is not None:
            if request.method not in ("GET", "HEAD"):
                raise Wrong(405, "this path takes GET")
            return page()
        row = self._desk.find(request.method, path)
        if self._around.draining():
            raise Wrong(503, "the server ends: nothing new is taken", wait=1.0)
        key = self._authenticate(request)
        body = await _body(request) if row.body is not None else b""
        once = request.headers.get("Idempotency-Key", "")
        asked = Request(request.method, path, query, body, once)
        return await _carried_out(self._desk.serve(key, asked))

    def _authenticate(self, request: web.BaseRequest) -> Key:
        address = self._around.address_of(
            request.remote or "", ",".join(request.headers.getall("X-Forwarded-For", ()))
        )
        if not self._around.may_try(address):
            raise Wrong(
                429, "too many wrong keys: so many in a minute are allowed of an address", wait=_MINUTE
            )
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        key = self._keys.find(text.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            self._around.failed(address)
            raise Wrong(401, "a key is needed: Authorization: Bearer spk_ID_SECRET")
        if not key.may_come_from(address):
            self._around.failed(address)
            raise Wrong(403, "the key may not be used from this address")
        return key

    def _healthz(self) -> Answer:
        """Whether the process lives."""
        return Answer(200, msgspec.json.encode({"status": "ok", **self._around.health()}), _JSON)

    def _readyz(self) -> Answer:
        """Whether clients should be sent here."""
        unready = self._around.unready()
        if self._around.draining():
            unready = "draining", "the server ends: nothing new is taken"
        if unready is None:
            return Answer(200, msgspec.json.encode({"status": "ok"}), _JSON)
        status, reason = unready
        return Answer(503, msgspec.json.encode({"status": status, "reason": reason}), _JSON)


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers={**_PLAIN, **answer.headers})


async def _body(request: web.BaseRequest) -> bytes:
    if request.content_type != "application/json":
        raise Wrong(415, "the body has to be application/json")
    if request.content_length is not None and request.content_length > _BODY:
        raise Wrong(413, f"a body may have {_BODY} bytes at most")
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > _BODY:
            raise Wrong(413, f"a body may have {_BODY} bytes at most")
    return bytes(body)


async def _carried_out(use_case: Coroutine[Any, Any, T]) -> T:
    """What comes of a use case, for a task to wait for."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def done(result: T, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    start(use_case, done)
    return await future
