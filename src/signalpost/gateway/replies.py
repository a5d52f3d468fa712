"""What a client is told in answer to what it asks: results, refusals, failures (PROTOCOL §2-§4, SPEC E1).

It knows which failure is whose fault, and that a large answer waits for its reader. It refuses to know the
order of answers (`exchanges`), and what was asked (`commands`).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Unavailable, Uncertain
from signalpost.gateway.bulk import Pace
from signalpost.gateway.outbox import Outbox
from signalpost.gateway.websocket import frame_pieces, frame_text
from signalpost.telemetry.counters import Counters
from signalpost.wire import codec
from signalpost.wire.codes import Code

__all__ = ["Replies", "unstored_reason"]

_log = structlog.get_logger("signalpost.replies")


class Replies:
    """The answers to one client, while there is somebody to hear them."""

    __slots__ = ("_counters", "_outbox", "_pace", "_unstored", "lost")

    def __init__(self, pace: Pace, counters: Counters, unstored: Callable[[str], None]) -> None:
        """`unstored`: told why something was refused that could not be stored."""
        self._pace = pace
        self._outbox: Outbox = pace.outbox
        self._counters = counters
        self._unstored = unstored
        self.lost = False  # the socket is gone: nobody hears an answer; the connection sets it

    def sent(self, call_id: int | str, message_id: str) -> None:
        """A message is stored: its answer, in the one way that is cheap (this happens once a message)."""
        self._counters.messages_in += 1
        if not self.lost:
            self._outbox.put(frame_text(codec.sent_answer(call_id, message_id)))

    def answer(self, call_id: int | str, body: bytes) -> None:
        """The answer to a request."""
        if self.lost:
            return
        frame = frame_text(codec.call_answer(call_id, body))
        self._outbox.seal()
        if len(frame) > self._pace.page:
            self._pace.put(frame)
        else:
            self._outbox.put(frame)

    async def answer_by_pieces(self, call_id: int | str, large: codec.Large) -> None:
        """An answer that is encoded a piece a turn, and goes out as one frame; nothing to who is lost."""
        pieces = []
        for piece in large.answer(call_id):
            if not await self._pace.turn():
                return
            pieces.append(piece)
            self._pace.spend(len(piece))
        self._outbox.seal()
        self._outbox.put_any(frame_pieces(pieces))

    def refuse(self, call_id: int | str, refusal: Refusal) -> None:
        """The rules say no."""
        self.answer(call_id, self.failure(refusal))

    def fail(self, call_id: int | str, failure: Code, error: Exception) -> None:
        """Whatever went wrong; `failure` is the request's code for what has none of its own (E1)."""
        if isinstance(error, Refusal):
            self.refuse(call_id, error)
        elif isinstance(error, Unavailable):
            self._unstored(str(error))
            self.refuse(call_id, Refusal(failure, unstored_reason(error)))
        else:
            _log.error("request failed", exc_info=error)
            self.refuse(call_id, Refusal(failure, "server error"))

    def failure(self, refusal: Refusal) -> bytes:
        """The body that says a refusal, which is counted."""
        self._counters.refused(refusal.code)
        return codec.failure_body(refusal.reason, refusal.code)

    def complain(self, reason: str) -> None:
        """Say what is wrong with a frame that cannot be answered otherwise."""
        self._counters.refused(Code.GENERAL_E_WRONG_PARAM)
        self._outbox.put_any(frame_text(codec.error(reason, Code.GENERAL_E_WRONG_PARAM)))


def unstored_reason(error: Unavailable) -> str:
    """What is said to whoever asked for something that could not be stored."""
    if isinstance(error, Uncertain):
        return "the server could not store it safely: it may have been stored"
    return "the server could not store it"
