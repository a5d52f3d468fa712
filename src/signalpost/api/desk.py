"""What becomes of a request: whose key it is, which row, once or again, and its answer as bytes.

It knows keys, rates and the table. It refuses to know sockets: a request comes as its parts, and what it
waits for is the services' business.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import structlog

from signalpost.api.cases import Answer, Asking, Cases
from signalpost.api.problems import Wrong, problem_of, wrong_of
from signalpost.api.routes import Routes
from signalpost.api.table import ROWS, Row
from signalpost.api.types import BatchPart
from signalpost.domain.apps import App
from signalpost.domain.keys import Key, Scope
from signalpost.domain.rates import Bucket, Rates
from signalpost.engine.ports import Clock, Unavailable
from signalpost.services.attempts import Answered, Attempts, Mismatch, UnderWay
from signalpost.wire.codes import Code

__all__ = ["Desk", "Request", "refused"]

_log: Final = structlog.get_logger("signalpost.api")

_ENCODER: Final = msgspec.json.Encoder()
_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_ONCE: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_AGAIN: Final = frozenset({429, 503})  # answers that time alone makes better: they are not remembered
_NOBODY: Final = App()
_LOGGED: Final = frozenset({Scope.MANAGE, Scope.ADMIN})


class Request(msgspec.Struct, frozen=True):
    """A request by its parts. `once`: what its `Idempotency-Key` says, "" if it has none."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    once: str = ""


class Desk:
    """Serves requests with a key that is right."""

    __slots__ = ("_attempts", "_burst", "_cases", "_clock", "_decoders", "_rate", "_rates", "_routes")

    def __init__(
        self,
        cases: Cases,
        attempts: Attempts,
        clock: Clock,
        *,
        rate: int,
        burst: int,
        rows: Iterable[Row] = ROWS,
    ) -> None:
        """`rate`, `burst`: how many requests a second there may be with one key, and how many at once."""
        rows = tuple(rows)
        self._cases = cases
        self._attempts = attempts
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._rates = Rates(Bucket)  # by the key's id
        self._routes = Routes(rows)
        self._decoders: dict[type, Callable[[bytes], Any]] = {
            row.body: msgspec.json.Decoder(row.body).decode for row in rows if row.body is not None
        }

    def find(self, method: str, path: str) -> Row:
        """The row of a request, before it is known whose it is. Raises Wrong: 404, 405."""
        return self._routes.find(method, path).row

    async def serve(self, key: Key, request: Request) -> Answer:
        """The answer. Raises whatever is no fault of the request's."""
        try:
            return await self._serve(key, request)
        except Exception as error:
            wrong = wrong_of(error)
            if wrong is None:
                raise
            return refused(wrong)

    def sweep(self) -> None:
        """Forget keys that were not used lately."""
        self._rates.sweep(self._clock())

    async def _serve(self, key: Key, request: Request) -> Answer:
        row, names = self._routes.find(request.method, request.path)
        app_id = names.get("app", "")
        _admit(key, row, app_id)
        self._spend(key)
        app = self._cases.find_app(app_id) if app_id else _NOBODY
        if app is None:
            raise Wrong(404, "there is no such app")
        query = None if row.query is None else _queried(row.query, request.query)
        if row.query is None and request.query:
            raise Wrong(
                400, "nothing can be asked behind a question mark here", code=Code.GENERAL_E_WRONG_PARAM
            )
        body = None if row.body is None else self._read(row.body, request.body)
        once = request.once if row.once else ""
        if once and not _ONCE.fullmatch(once):
            raise Wrong(
                400,
                "Idempotency-Key: 1 to 128 visible ASCII characters are allowed",
                code=Code.GENERAL_E_WRONG_PARAM,
            )
        asking = Asking(
            self._cases, key, app_id, app, names, query, body, f"api {once}" if once else "", self._part
        )
        answer = await (self._once(row, asking, request) if once else self._do(row, asking))
        if row.scope in _LOGGED:  # what was changed, and not what was sent, of which there is too much
            _log.info("request served", key=key.id, what=row.name, status=answer.status, **_told(names))
        return answer

    async def _do(self, row: Row, asking: Asking) -> Answer:
        result = await row.run(asking)
        if row.answer is None:
            return Answer(204, b"")
        return Answer(200, _ENCODER.encode(result), {"Content-Type": _JSON})

    async def _once(self, row: Row, asking: Asking, request: Request) -> Answer:
        """Do it, or answer what was answered before."""
        digest = hashlib.sha256(
            "\n".join((request.method, request.path, request.query, "")).encode() + request.body
        ).hexdigest()
        who, once = asking.app_id, request.once
        try:
            known = await self._attempts.begin(who, once, digest)
        except UnderWay:
            raise Wrong(409, "the same request is under way", wait=1.0) from None
        except Mismatch:
            raise Wrong(422, "this Idempotency-Key was used for another request") from None
        if known is not None:
            kind = _JSON if known.status < 300 else _PROBLEM
            return Answer(known.status, known.body, {"Content-Type": kind, "Idempotency-Replayed": "true"})
        try:
            answer = await self._do(row, asking)
        except Exception as error:
            wrong = wrong_of(error)
            if wrong is None or wrong.status in _AGAIN:
                await self._attempts.give_up(who, once)
                raise
            answer = refused(wrong)
        try:
            await self._attempts.answer(who, once, digest, Answered(answer.status, answer.body))
        except Unavailable:
            _log.warning("an answer could not be noted: a repeat may be done anew", what=row.name)
        return answer

    async def _part(self, asking: Asking, part: BatchPart) -> Answer:
        """A part of a batch, as if it had come alone."""
        path, _, query = part.path.partition("?")
        if path == "/batch":
            return refused(Wrong(400, "a batch is no part of a batch", code=Code.GENERAL_E_WRONG_PARAM))
        body = b"" if part.body is None else _ENCODER.encode(part.body)
        quoted = "/".join(("", "v1", "apps", _quoted(asking.app_id)))
        request = Request(part.method, quoted + path, query, body, part.idempotency_key)
        return await self.serve(asking.key, request)

    def _spend(self, key: Key) -> None:
        now = self._clock()
        wait = self._rates.of(key.id, now).take(now, rate=self._rate, burst=self._burst)
        if wait:
            allowed = f"{self._rate} a second with one key are allowed, and {self._burst} at once"
            raise Wrong(429, f"too many requests: {allowed}", wait=wait)

    def _read(self, type_: type, body: bytes) -> Any:
        try:
            return self._decoders[type_](body)
        except msgspec.MsgspecError as error:
            raise Wrong(400, f"the body: {error}", code=Code.GENERAL_E_WRONG_PARAM) from None
        except (UnicodeDecodeError, RecursionError):
            raise Wrong(400, "the body is not JSON in UTF-8", code=Code.GENERAL_E_WRONG_PARAM) from None


def refused(wrong: Wrong) -> Answer:
    """The answer that says no."""
    return Answer(
        wrong.status, _ENCODER.encode(problem_of(wrong)), {"Content-Type": _PROBLEM, **wrong.headers}
    )


def _admit(key: Key, row: Row, app_id: str) -> None:
    """Refuse what the key is not for."""
    if key.app and key.app != app_id:
        raise Wrong(403, "the key is for another app" if row.of_app else "this takes an operator's key")
    if row.scope is not None and row.scope not in key.scopes:
        raise Wrong(403, f"the key lacks the scope {row.scope.value}")


def _queried(type_: type, text: str) -> Any:
    """What stands behind the question mark, as the row's type."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
        given = dict(pairs)
        if len(given) < len(pairs):
            raise ValueError("one name comes twice")
        return msgspec.convert(given, type_, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise Wrong(400, f"the query: {error}", code=Code.GENERAL_E_WRONG_PARAM) from None


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def _told(names: Mapping[str, str]) -> dict[str, str]:
    """Of whom a log says that something was done."""
    return {name: names[name] for name in ("app", "account", "channel") if name in names}
