"""Who is at the door: app, account and token of a login, checked before any session is touched (SPEC L2-L6,
J1-J5), and what comes of it.

The reason of a refusal is what original SDKs turn into their code (PROTOCOL §4): `TokenErrorExpired`
204, `TokenError…` 206, `wrong account…` 209, anything else 201.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import msgspec
import structlog

from signalpost.domain.apps import App
from signalpost.domain.names import is_name
from signalpost.domain.refusals import Refusal, TooMany
from signalpost.engine.ports import Clock, Unavailable
from signalpost.gateway.dialect import dialect_of
from signalpost.gateway.gate import Gate
from signalpost.gateway.key_sets import Unknowable
from signalpost.gateway.replies import unstored_reason
from signalpost.services.driver import Running
from signalpost.services.sessions import Login, LoginRequest, proof_of
from signalpost.wire.arguments import name_text
from signalpost.wire.codes import (
    NO_TOKEN,
    REASON_TOKEN_EXPIRED,
    REASON_TOKEN_WRONG,
    REASON_WRONG_ACCOUNT,
    Code,
)
from signalpost.wire.frames import LoginFields
from signalpost.wire.tokens import check_token, expiry_of
from signalpost.wire.web_tokens import WebToken, read_web_token

__all__ = ["Door", "Entrance", "inbox_cursor"]

_log = structlog.get_logger("signalpost.connection")

_SOON: Final = 1.0  # seconds until a login is tried again that could not be stored
_LATER: Final = 5.0  # seconds until a login is tried again whose token nobody can judge now


class Door(Protocol):
    """The connection that a login comes on."""

    @property
    def peer(self) -> str:
        """Its client's address."""
        ...

    def come_in(self, fields: LoginFields, login: Login) -> Exception | None:
        """Take the session on, or return why not."""
        ...

    def turn_away(self, refusal: Refusal, *, retry: float = 0.0) -> None:
        """Say no. `retry`: in how many seconds the same login will be taken; 0.0 where that is no matter of
        time."""
        ...

    def logged_in(self) -> None:
        """The login is answered, whatever came of it."""
        ...


class Entrance(Running):
    """A login under way."""

    __slots__ = ("_door", "_fields", "_gate")

    def __init__(self, gate: Gate, door: Door, fields: LoginFields) -> None:
        self._coroutine = _open(gate, fields)
        self._gate = gate
        self._door = door
        self._fields = fields

    def finish(self, result: Login, error: Exception | None) -> None:
        """It came to its end; `result` is meaningless if there was an error."""
        door = self._door
        if error is None:
            error = door.come_in(self._fields, result)
        if error is None:
            door.logged_in()
            return
        if isinstance(error, TooMany):
            door.turn_away(error, retry=error.wait)
        elif isinstance(error, Refusal):
            self._gate.failed_login(door.peer)
            door.turn_away(error)
        elif isinstance(error, Unknowable):
            reason = "the keys that the token could be judged with cannot be fetched now"
            door.turn_away(Refusal(Code.LOGIN_E_NET, reason), retry=_LATER)
        elif isinstance(error, Unavailable):
            self._gate.unstored(str(error))
            door.turn_away(Refusal(Code.LOGIN_E_NET, unstored_reason(error)), retry=_SOON)
        else:
            _log.error("login failed", exc_info=error)
            door.turn_away(Refusal(Code.LOGIN_E_NET, "server error"))
        door.logged_in()


async def _open(gate: Gate, fields: LoginFields) -> Login:
    sessions = gate.services.sessions
    request, doubt = _admit(fields, gate.find_app, gate.wall)
    if doubt:
        if not isinstance(doubt, str):
            request, doubt = await _judge(gate, request, doubt)
        if doubt and not await sessions.opened_with(request.app_id, request.account, str(fields.token)):
            raise Refusal(Code.LOGIN_E_TOKENEXPIRED, doubt)
    return await sessions.login(request)


async def _judge(gate: Gate, request: LoginRequest, token: WebToken) -> tuple[LoginRequest, str]:
    """The login with what its JSON Web Token grants, and why it is refused, as `_admit` says it.

    Raises Refusal 206, Unknowable.
    """
    judge = gate.judges[request.app_id]
    verdict = await judge.judge(token, request.account, gate.wall())
    granted = msgspec.structs.replace(
        request, grants=verdict.grants, issued=verdict.issued, expires=lambda: verdict.expires
    )
    return granted, REASON_TOKEN_EXPIRED if verdict.expired else ""


def _admit(
    fields: LoginFields, find_app: Callable[[str], App | None], wall: Clock
) -> tuple[LoginRequest, str | WebToken]:
    """The login as the sessions take it; and why it is refused unless its token opened the session that is
    there: "" if the token has not expired. A token of others instead, if it is one: it is yet to be judged.

    Raises Refusal: 201, 206, 209.
    """
    app_id = _name(fields.vid)
    app = find_app(app_id) if app_id else None
    if app is None:
        raise Refusal(Code.LOGIN_E_NET, "unknown app: the App ID is missing, or not configured here")
    account = _name(fields.account)
    if not is_name(account):
        raise Refusal(
            Code.LOGIN_E_INVALID_USER,
            f"{REASON_WRONG_ACCOUNT}: 1 to 128 bytes of visible characters are allowed, no spaces",
        )
    token = fields.token
    if not app.any_token and (token is None or token == ""):
        raise Refusal(Code.LOGIN_E_NET, "the token is missing")
    token = token if isinstance(token, str) else ""
    doubt = "" if app.any_token else _check_token(app, app_id, account, token, wall())
    dialect = dialect_of(fields.device if isinstance(fields.device, str) else "", app, flagged=False)
    line, cursors = "", {}
    if dialect.ours:
        line = fields.line if isinstance(fields.line, str) else ""
        cursors = _channel_cursors(fields.channels)
    request = LoginRequest(
        app,
        app_id,
        account,
        proof_of(token),
        dialect.ours,
        line,
        cursors,
        expires=partial(expiry_of, token),
    )
    return request, doubt


def _check_token(app: App, app_id: str, account: str, token: str, now: float) -> str | WebToken:
    """What `_admit` says of the token."""
    if token == NO_TOKEN:
        if not app.allow_no_token:
            raise Refusal(Code.LOGIN_E_TOKENWRONG, f"{REASON_TOKEN_WRONG}: this app requires a token")
        return ""
    wrong = check_token(token, app_id=app_id, certificate=app.certificate, account=account, now=now)
    if wrong and wrong != REASON_TOKEN_EXPIRED:
        web_token = None if app.jwt is None else read_web_token(token)  # which no MD5 token can be
        if web_token is not None:
            return web_token
        raise Refusal(Code.LOGIN_E_TOKENWRONG, wrong)
    return wrong


def _name(value: Any) -> str:
    """A name as text; what can be none becomes the empty one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return name_text(value)


def _cursor(value: Any) -> tuple[str, int] | None:
    match value:
        case [str() as epoch, int() as last] if not isinstance(last, bool):
            return epoch, last
    return None


def _channel_cursors(value: Any) -> dict[str, tuple[str, int]]:
    """The last events that the client has seen; what is malformed counts as unknown (PROTOCOL §12)."""
    if not isinstance(value, dict):
        return {}
    return {str(name): _cursor(cursor) or ("", 0) for name, cursor in value.items()}


def inbox_cursor(fields: LoginFields, epoch: str) -> int | None:
    """The inbox version that the client has seen, 0 in an unknown epoch; None if it said nothing."""
    if fields.inbox is None:
        return None
    cursor = _cursor(fields.inbox)
    return max(cursor[1], 0) if cursor is not None and cursor[0] == epoch else 0
