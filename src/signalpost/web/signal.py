"""`Signal`: where an application begins. It knows which accounts have been used, each with its own engine."""

from __future__ import annotations

import asyncio
from typing import Any

from signalpost.client.arguments import account_name
from signalpost.client.engine import find_url
from signalpost.client.errors import ArgumentError
from signalpost.client.events import Event, Level, LoggedIn, LoginFailed, Problem
from signalpost.client.settings import Settings
from signalpost.web.account import Account
from signalpost.web.journal import Journal
from signalpost.web.session import Session
from signalpost.wire.codes import SDK_VERSION, Code
from signalpost.wire.texts import text_fault

__all__ = ["Signal"]

_RETRIES, _RETRY_SECONDS = 10, 30.0
_LOGGED_IN = 2
_MOST = 10**9  # retries, or seconds for them
_DOOR_BYTES = 8192  # of an App ID, or a token: no good one has more, and both fit into a frame


class Signal:
    """The logins of one app. `url`: the server's, else SIGNALPOST_URL; ValueError if there is none.

    `settings`: other times and bounds than the usual ones.
    """

    def __init__(self, appid: Any, url: str | None = None, *, settings: Settings | None = None) -> None:
        self._app_id = appid
        self._url = find_url(url)
        self._settings = settings or Settings()
        self._journal = Journal()
        self._accounts: dict[str, tuple[Account, Session]] = {}  # by name, with the newest session

    def login(
        self, account: Any, token: Any, reconnect_count: Any = _RETRIES, reconnect_time: Any = _RETRY_SECONDS
    ) -> Session:
        """Log in; `onLoginSuccess` or `onLoginFailed` of the session follows (SPEC L1).

        `reconnect_count` tries in `reconnect_time` seconds; 0, less or no number: the default (L10). While
        the account is logged in or connecting, its session is given back and no login is made; if it is
        logged in, `onLoginSuccess` follows once more (L8).
        """
        name, faults = _name(account)
        known = None if faults else self._accounts.get(name)
        if known is not None and known[0].loop is not asyncio.get_running_loop():
            known = None
        if known is not None and known[0].is_busy:
            known[0].write(Level.INFO, "208: login while logged in, nothing done")
            if known[0].engine.status == _LOGGED_IN:
                known[1]._take(LoggedIn())
            return known[1]
        faults = faults or _door_faults(self._app_id, token)
        if faults:
            return self._fail(name, faults)
        home = Account(self._url, name, self._journal, self._settings) if known is None else known[0]
        session = Session(home)
        self._accounts[name] = (home, session)
        home.begin(session)
        retries = int(_bound(reconnect_count, 1, _RETRIES))
        seconds = _bound(reconnect_time, 0, _RETRY_SECONDS)
        home.engine.login(self._app_id, name, token, retries=retries, retry_seconds=seconds)
        return session

    def _fail(self, name: str, faults: list[Event]) -> Session:
        """A session that never begins."""
        session = Session(Account(self._url, name, self._journal, self._settings))
        for fault in faults:
            session._take(fault)
        return session

    def setDoLog(self, isEnabled: Any, level: Any = Level.DEBUG) -> None:
        """Write a log from this level on: DEBUG, INFO, WARNING (SPEC S8). Another level counts as DEBUG."""
        if isEnabled:
            self._journal.switch_on(Level(level) if level in list(Level) else Level.DEBUG)
        else:
            self._journal.switch_off()

    def getSDKVersion(self) -> str:
        """The version of the API (SPEC L14)."""
        return SDK_VERSION


def _name(account: Any) -> tuple[str, list[Event]]:
    """The account's name, and what is wrong with it (SPEC L2)."""
    try:
        return account_name(account), []
    except ArgumentError as error:
        failed = LoginFailed(Code.LOGIN_E_INVALID_USER, error.reason)
        shown = account if isinstance(account, str) else ""
        return shown, [Problem("login", error.code, error.reason), failed]


def _door_faults(app_id: Any, token: Any) -> list[Event]:
    """What is wrong with App ID or token, as far as it can be known here (SPEC L5, L3)."""
    if (fault := _door_fault(app_id, "App ID")) is not None:
        return [LoginFailed(Code.LOGIN_E_NET, fault)]
    if (fault := _door_fault(token, "token")) is not None:
        is_wrong = isinstance(token, str) and token != ""
        return [LoginFailed(Code.LOGIN_E_TOKENWRONG if is_wrong else Code.LOGIN_E_NET, fault)]
    return []


def _door_fault(value: Any, what: str) -> str | None:
    if not isinstance(value, str) or not value:
        return f"the {what} has to be text, and not empty"
    fault = text_fault(value, what, _DOOR_BYTES)
    return None if fault is None else fault.reason


def _bound(value: Any, least: float, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return default
    return min(max(value, least), _MOST)
