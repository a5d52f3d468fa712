"""Requests of back ends that carry a key of their own: done once, and answered again (SPEC A3).

A record says that one was begun and by which node, then what was answered. It is durable, so that a repeat
behind a crash finds it. A request that was begun by a node that is no more may have been done or not: its
repeat does it, and what it does recognises a repeat by itself where it is kept (a message by its receipt).
"""

from __future__ import annotations

from typing import Final

import msgspec

from signalpost.engine.ports import Delete, Put, Record
from signalpost.engine.ports.kept import Kept
from signalpost.engine.ports.shared import Shared
from signalpost.services.decide import decide
from signalpost.services.keys import attempt_key
from signalpost.services.stored import Form, Stored

__all__ = ["Answered", "Attempts", "Mismatch", "UnderWay"]

_LEASE: Final = 60.0  # seconds after which whoever began it is not waited for any more, being there or not
_SILENCE: Final = 10.0  # seconds without a beat after which a node is taken to be dead (SPEC N3)


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """What was answered to a request."""

    status: int
    body: bytes


class _Attempt(msgspec.Struct, frozen=True, array_like=True):
    digest: str  #: of what was asked
    node: str  #: who does it
    answered: Answered | None = None


_ATTEMPT: Final = Stored(Form(1, _Attempt), what="an attempt")


class UnderWay(Exception):
    """The same request has not been answered yet."""


class Mismatch(Exception):
    """The key was used for another request."""


class Attempts:
    """The requests that were asked with a key of their own."""

    __slots__ = ("_kept", "_seconds", "_shared")

    def __init__(self, kept: Kept, shared: Shared, seconds: float) -> None:
        """`seconds`: for how long an answer is remembered."""
        self._kept = kept
        self._shared = shared
        self._seconds = seconds

    async def begin(self, who: str, key: str, digest: str) -> Answered | None:
        """Begin a request; what was answered if it was done before. `digest`: of all that is asked.

        Raises UnderWay, Mismatch, Unavailable.
        """
        return await decide(lambda: self._begin(attempt_key(who, key), digest))

    async def _begin(self, key: str, digest: str) -> Answered | None:
        (entry,) = await self._kept.load(Record(key))
        rev, me = 0, self._shared.nodes.me
        if entry is not None:
            attempt = _ATTEMPT.decode(entry.value)
            if attempt.digest != digest:
                raise Mismatch
            if attempt.answered is not None:
                return attempt.answered
            if attempt.node == me or await self._lives(attempt.node):
                raise UnderWay
            rev = entry.rev
        await self._kept.commit(Put(key, _ATTEMPT.encode(_Attempt(digest, me)), expect=rev, ttl=_LEASE))
        return None

    async def answer(self, who: str, key: str, digest: str, answered: Answered) -> None:
        """Remember what was answered to a request that was begun."""
        attempt = _Attempt(digest, self._shared.nodes.me, answered)
        await self._kept.commit(Put(attempt_key(who, key), _ATTEMPT.encode(attempt), ttl=self._seconds))

    async def give_up(self, who: str, key: str) -> None:
        """It was not done: its repeat may do it."""
        await self._kept.commit(Delete(attempt_key(who, key)))

    async def _lives(self, node: str) -> bool:
        """Whether a node may still be doing what it began: it is known, and has beaten lately."""
        silence = (await self._shared.nodes.silent(0.0)).get(node)
        return silence is not None and silence < _SILENCE
