"""Requests that are repeated: answered again, not done again (PROTOCOL §12).

The answer to one that carried an id is noted in the engine, and who is doing it is claimed there, whatever
node that is. Messages have a memory of their own, as durable as they are; this is for everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from signalpost.engine.ports.kept import Claim, Kept, Note, Release
from signalpost.services.driver import start
from signalpost.services.keys import request_key
from signalpost.services.live import Live

__all__ = ["Repeats"]

_CLAIM = 60.0  # seconds after which a request that is still under way may be done by its repeat


class Repeats:
    """The answers to the requests of the last two minutes that carried an id, and those under way."""

    __slots__ = ("_kept", "_new_id")

    def __init__(self, kept: Kept, new_id: Callable[[], str]) -> None:
        """`new_id`: names who claims a request, over all nodes."""
        self._kept = kept
        self._new_id = new_id

    async def once(self, live: Live, request: str, act: Callable[[], Awaitable[bytes]]) -> bytes:
        """The answer to this request: what was answered before, or else what `act` returns.

        A repeat that comes while the first is under way, on whatever node, waits for it. If that one raises,
        nothing is remembered, and the repeat acts itself, as it would if it had come a moment later. It must
        not share the failure: the first one's connection may have lost the session to the very one that
        repeats.

        A connection waits for one request at a time, so that no more than the connections wait here. Nobody
        waits for the note: until it is made, the claim keeps repeats waiting.
        """
        key, by = request_key(live.key, request), self._new_id()
        [noted] = await self._kept.commit(Claim(key, by, _CLAIM))
        if noted is not None:
            return noted
        try:
            answer = await act()
        except BaseException:
            start(self._kept.commit(Release(key, by)), _over)
            raise
        start(self._kept.commit(Note(key, by, answer, live.app.limits.request_memory)), _over)
        return answer


def _over(result: object, error: Exception | None) -> None:
    """Stand in for who would wait.

    A claim that could not be ended ends with its time. If that was over, a repeat is noted.
    """
