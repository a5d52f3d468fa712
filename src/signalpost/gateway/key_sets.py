"""The keys that providers publish for their tokens (SPEC J3): known, fetched, kept while nobody answers.

Keys are known by URL and `kid`. A known key is an answer at once, however old; what is old is fetched behind
it. Only a login whose key is not known waits, and not for long. A provider that is away changes nothing for a
day, and one that tells nonsense is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, Final

import msgspec
import structlog

from signalpost.engine.ports import Clock, Pending
from signalpost.wire.web_tokens import ALGORITHMS, Key, KeyFault, key_of_jwk

__all__ = ["FetchError", "KeySet", "Unknowable"]

_log = structlog.get_logger("signalpost.tokens")

_FRESH: Final = 600.0  # seconds after which keys are fetched anew when one of them is used
_AGAIN: Final = 30.0  # seconds between two fetches of one set, at least: whoever sends unknown kids is cheap
_STALE: Final = 86_400.0  # seconds for which keys serve while their provider is away
_WAIT: Final = 2.0  # seconds for which a login waits, at most
_MOST: Final = 100  # keys of one set

Fetch = Callable[[str], Awaitable[bytes]]
"""What a URL holds. Raises FetchError."""


class FetchError(Exception):
    """A provider did not answer as it should; the text says how."""


class Unknowable(Exception):
    """Whether a token is right cannot be said now, as its provider is away."""


class _Published(msgspec.Struct):
    """A set of keys as it is published (RFC 7517 §5)."""

    keys: list[dict[str, Any]]


_read = msgspec.json.Decoder(_Published).decode


class KeySet:
    """The keys that are published at one URL."""

    __slots__ = ("_clock", "_failed", "_fetch", "_keys", "_since", "_task", "_tried", "_url", "_waiting")

    def __init__(self, url: str, fetch: Fetch, clock: Clock) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Key] = {}  # by kid, "" for a key that has none
        self._since = -inf  # when they were fetched
        self._tried = -inf  # when that was last tried
        self._failed = False  # the last try came to nothing
        self._task: asyncio.Task[None] | None = None  # the fetch that is under way
        self._waiting: list[Pending] = []  # logins that wait for it

    async def find(self, kid: str) -> Key | None:
        """The key of this name; None if the provider has none. Raises Unknowable after `_WAIT` at most."""
        now = self._clock()
        key = self._known(kid, now)
        if key is not None:
            if now >= self._since + _FRESH:
                self.refresh()
            return key
        self.refresh()
        if self._task is not None:
            await self._arrival()
            key = self._known(kid, self._clock())
        if key is None and (self._failed or self._task is not None):
            raise Unknowable
        return key

    def refresh(self) -> None:
        """Fetch the keys behind whatever goes on, unless that was tried lately."""
        now = self._clock()
        if self._task is None and now >= self._tried + _AGAIN:
            self._tried = now
            self._task = asyncio.get_running_loop().create_task(self._renew())

    def close(self) -> None:
        """Fetch nothing any more."""
        if self._task is not None:
            self._task.cancel()

    def _known(self, kid: str, now: float) -> Key | None:
        if now >= self._since + _STALE:
            return None
        if not kid and len(self._keys) == 1:  # there is no doubt which one is meant
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _arrival(self) -> None:
        """Wait until the fetch has ended, but not for long."""
        pending = Pending()
        self._waiting.append(pending)
        timer = asyncio.get_running_loop().call_later(_WAIT, pending.settle)
        try:
            await pending
        finally:
            timer.cancel()
            if pending in self._waiting:
                self._waiting.remove(pending)

    async def _renew(self) -> None:
        failed = self._failed
        try:
            self._keys = _keys_in(await self._fetch(self._url))
            self._since, self._failed = self._clock(), False
            if failed:
                _log.info("the keys of a provider are there again", url=self._url)
        except FetchError as error:
            self._failed = True
            if not failed:
                _log.warning("the keys of a provider cannot be fetched", url=self._url, reason=str(error))
        finally:
            self._task = None
            waiting, self._waiting = self._waiting, []
            for pending in waiting:
                if not pending.settled:
                    pending.settle()


def _keys_in(body: bytes) -> dict[str, Key]:
    """The usable keys of what was published, by kid; the first of each counts. Raises FetchError.

    A set without any is refused: it would lock everybody out, and a provider that means it stops answering.
    """
    try:
        published = _read(body).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FetchError("it tells no set of keys") from None
    keys: dict[str, Key] = {}
    for jwk in published[:_MOST]:
        try:
            key = key_of_jwk(jwk, ALGORITHMS)
        except KeyFault:
            continue
        kid = jwk.get("kid", "")
        if isinstance(kid, str):
            keys.setdefault(kid, key)
    if not keys:
        raise FetchError("it tells no key that could be used")
    return keys
