"""Requests that are repeated: answered again, not done again (PROTOCOL §12).

What one that carries an id came to is noted by the very commit that decides it, so that nothing can come
between the two, on whatever node. Of two at once one commits; the other's commit conflicts, and it finds the
note when it tries again. One that changes nothing is noted by itself.

Messages have a memory of their own, and so has leaving a channel, in the half that these are decided in.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

from signalpost.domain.outcomes import Outcome
from signalpost.domain.refusals import Refusal, Superseded, TooMany
from signalpost.engine.ports import Conflict
from signalpost.engine.ports.kept import Kept, Note, Noted
from signalpost.services.decide import decide
from signalpost.services.live import Live
from signalpost.services.stored import OUTCOME

__all__ = ["UNNAMED", "Once", "Repeats"]

_REPEATED: Final = 10  # seconds after which nobody repeats a request any more that had no answer (SPEC E1)


class _Answered(Exception):
    """The request was acted on before."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Once:
    """A request that is acted on once. Each attempt loads `asks` with what else it asks for, gives `recall`
    what was found, and commits the `note`; one without an id has neither."""

    __slots__ = ("_live", "asks", "noting")

    def __init__(self, live: Live | None, asks: tuple[Noted, ...]) -> None:
        self._live = live
        self.asks: Final = asks
        self.noting = False  # the latest attempt commits the note along

    def recall(self, found: Sequence[bytes | None]) -> None:
        """End the attempt if the request was acted on before; for who commits `note` alone."""
        self.noting = False
        for noted in found:
            if noted is not None:
                raise _Answered(OUTCOME.decode(noted))

    def note(self, outcome: Outcome = Outcome()) -> tuple[Note, ...]:  # noqa: B008
        """The step of the commit that decides it. Conflict: somebody else acts on it, or has done so."""
        if self._live is None:
            return ()
        self.noting = True
        [ask] = self.asks
        limits = self._live.app.limits
        most = limits.requests_burst + _REPEATED * limits.requests  # more cannot have come meanwhile (M10)
        return (Note(ask.key, ask.name, OUTCOME.encode(outcome), limits.request_memory, most),)


UNNAMED: Final = Once(None, ())
"""A request without an id: whoever repeats it wants it done again."""

Attempt = Callable[[Once], Coroutine[Any, Any, str]]
"""Decides and commits once; returns what is to be known of the result. It may raise Conflict."""


class Repeats:
    """The requests of the last two minutes that carried an id, and those under way."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def once(self, live: Live, request: str, attempt: Attempt) -> Coroutine[Any, Any, str]:
        """What comes of `attempt`, which is made as `decide` makes it, or came of it when this request was
        acted on before.

        `request`: its id; "" for none. Nothing is remembered of a request above a rate, nor of one whose
        session is gone: its repeat is judged anew. Raises what `attempt` raises, Refusal, Unavailable.
        """
        if not request:
            return decide(partial(attempt, UNNAMED))
        return self._once(Once(live, (Noted(live.key, request),)), attempt)

    async def _once(self, once: Once, attempt: Attempt) -> str:
        try:
            result = await decide(partial(attempt, once))
        except _Answered as before:
            return before.outcome.again()
        except (Superseded, TooMany):
            raise
        except Refusal as refusal:
            return await self._settle(once, Outcome(code=refusal.code, reason=refusal.reason))
        return result if once.noting else await self._settle(once, Outcome(result))

    async def _settle(self, once: Once, outcome: Outcome) -> str:
        """Note what a request came to that has changed nothing; if its repeat was faster, what that has."""
        try:
            await self._kept.commit(*once.note(outcome))
        except Conflict:
            [noted] = await self._kept.load(*once.asks)
            if noted is not None:
                outcome = OUTCOME.decode(noted)
        return outcome.again()
