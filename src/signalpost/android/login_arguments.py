"""What an application gives to log in, checked: the App ID, the account, the token, the limits of retries.

It knows which login code stands for which argument (SPEC L2, L5), and nothing of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from signalpost.client.arguments import account_name
from signalpost.client.errors import ArgumentError
from signalpost.wire.codes import Code
from signalpost.wire.texts import Fault, name_fault, text_fault

__all__ = ["Credentials", "Refused", "check_login"]

RETRY_SECONDS, RETRY_COUNT = 30.0, 15  # what is taken if nothing is given (SPEC L10)
_RETRY_MOST = 1e9  # seconds
_TOKEN_BYTES = 8192


class Credentials(NamedTuple):
    """Arguments that may be sent."""

    app_id: str
    account: str
    token: str
    retries: int
    retry_seconds: float


class Refused(Exception):
    """An argument is wrong. `own`: the code for onLoginFailed; `fault`: that for onError, and why."""

    def __init__(self, own: Code, fault: Fault) -> None:
        super().__init__(own, fault)
        self.own = own
        self.fault = fault


def check_login(app_id: Any, account: Any, token: Any, seconds: Any, count: Any) -> Credentials:
    """The arguments of a login. Raises Refused. Nothing as App ID or token: the engine says 201."""
    return Credentials(
        _checked_app_id(app_id),
        _checked_account(account),
        _checked_token(token),
        int(_limit(count, "retry_count", RETRY_COUNT)),
        _limit(seconds, "retry_time_in_s", RETRY_SECONDS),
    )


def _checked_app_id(value: Any) -> str:
    text = _text(value, "App ID", Code.LOGIN_E_NET)
    if text and (fault := name_fault(text, "App ID")):
        raise Refused(Code.LOGIN_E_NET, fault)
    return text


def _checked_account(value: Any) -> str:
    try:
        return account_name(value)
    except ArgumentError as error:
        raise Refused(Code.LOGIN_E_INVALID_USER, Fault(error.code, error.reason)) from None


def _checked_token(value: Any) -> str:
    text = _text(value, "token", Code.LOGIN_E_TOKENWRONG)
    if fault := text_fault(text, "token", _TOKEN_BYTES):
        raise Refused(Code.LOGIN_E_TOKENWRONG, fault)
    return text


def _text(value: Any, what: str, own: Code) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    reason = f"{what} has to be text, not {type(value).__name__}"
    raise Refused(own, Fault(Code.GENERAL_E_WRONG_PARAM, reason))


def _limit(value: Any, what: str, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        reason = f"{what} has to be a number: 0 or less means {default:g}"
        raise Refused(Code.GENERAL_E_WRONG_PARAM, Fault(Code.GENERAL_E_WRONG_PARAM, reason))
    return float(min(value, _RETRY_MOST)) if value > 0 else default
