"""How the API says no: what went wrong becomes a status and a problem (SPEC A3, RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Final

from signalpost.api.types import Problem
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.engine.ports import Unavailable, Uncertain
from signalpost.wire.codes import Code

__all__ = ["Wrong", "problem_of", "wrong_of"]

_STATUS: Final[Mapping[Code, int]] = {
    Code.GENERAL_E_WRONG_PARAM: 400,
    Code.GENERAL_E_LARGE_PARAM: 400,
    Code.GENERAL_E_NOT_LOGIN: 409,
}
_IN_THE_WAY: Final = 409  # all other refusals: the request is right, and something there forbids it


class Wrong(Exception):
    """A request that gets no better answer than this."""

    def __init__(self, status: int, detail: str, *, code: int | None = None, wait: float = 0.0) -> None:
        """`wait`: in how many seconds it may be tried again; 0.0 where time alone does not help."""
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.wait = wait

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says besides."""
        headers = {"Retry-After": str(max(1, ceil(self.wait)))} if self.wait else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="signalpost"'
        return headers


def wrong_of(error: Exception) -> Wrong | None:
    """What a use case that failed is answered with; None for a defect of ours."""
    match error:
        case Wrong():
            return error
        case TooMany():
            return Wrong(429, error.reason, code=error.code, wait=error.wait or 1.0)
        case Refusal():
            return Wrong(_STATUS.get(error.code, _IN_THE_WAY), error.reason, code=error.code)
        case Uncertain():
            return Wrong(503, "nobody knows whether it was stored: ask again with the same key", wait=1.0)
        case Unavailable():
            return Wrong(503, "nothing can be stored or looked up at the moment", wait=1.0)
    return None


def problem_of(wrong: Wrong) -> Problem:
    """The body of the answer."""
    return Problem(
        title=HTTPStatus(wrong.status).phrase, status=wrong.status, detail=wrong.detail, code=wrong.code
    )
