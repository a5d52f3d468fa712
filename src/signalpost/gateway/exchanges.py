"""What is under way on one connection, and what waits for what (PROTOCOL §5, SPEC M11, E5).

The order of answers. Requests are served in the order in which they came; while one waits for a commit the
next ones wait behind it. Messages are pipelined: begun in their place, and answered in their order when they
are stored, without making the next requests wait. What ends a session or a place in a channel begins when
all messages before it are answered.

A turn. Who has got a large answer reads most of it before the next request is begun. For a client that is
lost nobody waits: what it asked for before is done, one request a tick.

The end. A connection that parts does what was taken from it, answers, and then says farewell. A kick is
such an end, but what was not begun is not done.

It knows order. It refuses to know what is asked (`connection`), and how an answer looks (`replies`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeAlias

import structlog

from signalpost.domain.refusals import Refusal, Superseded
from signalpost.engine.ports import Pending, Unavailable
from signalpost.gateway.bulk import Pace
from signalpost.gateway.commands import Command
from signalpost.gateway.replies import Replies
from signalpost.gateway.sockets import Socket
from signalpost.services.driver import Running, start
from signalpost.services.inbox import Again
from signalpost.wire import codec

__all__ = ["Asker", "Exchanges", "Message", "Request", "Step", "start_alone"]

Work: TypeAlias = Coroutine[Any, Any, Any]
"""A use case that has not begun."""

Step: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""What comes behind an answer."""

_log = structlog.get_logger("signalpost.exchanges")

_QUEUE: Final = 64  # requests that wait behind one before the client is not read from any more
_SENDING: Final = 256  # messages under way before the next request has to wait

# What the next requests wait for, as bits.
_REQUEST: Final = 1  # a request that is under way
_MESSAGES: Final = 2  # as many messages under way as may be
_PAUSE: Final = 4  # a time in which a client is not heard that is refused without end
_TURN: Final = 8  # the client's next turn, when it has read most of a large answer
_PARTING: Final = 16  # the connection's end, when what was taken before is done


class Asker(Protocol):
    """Whose exchanges these are: the connection."""

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session."""
        ...

    def text(self, data: bytes) -> None:
        """A message of the client that has waited for its turn."""
        ...

    def refused(self) -> None:
        """Something was refused, or was done before."""
        ...

    def kicked(self) -> None:
        """A request found out that another login has ended the session."""
        ...

    def detach(self) -> None:
        """The client is lost, and all that it asked for before is done."""
        ...


class _Nobody:
    """Who asks once the connection is over: so that one that ends leaves no cycle behind."""

    is_logged_in = False

    def text(self, data: bytes) -> None:
        """See `Asker.text`."""

    def refused(self) -> None:
        """See `Asker.refused`."""

    def kicked(self) -> None:
        """See `Asker.kicked`."""

    def detach(self) -> None:
        """See `Asker.detach`."""


_NOBODY: Final = _Nobody()


class Exchanges:
    """What one client has asked for and is not over yet."""

    __slots__ = (
        "_draining",
        "_follow",
        "_pace",
        "_queue",
        "_socket",
        "asker",
        "farewell",
        "quiet",
        "replies",
        "sending",
        "waits",
    )

    def __init__(self, asker: Asker, socket: Socket, pace: Pace, replies: Replies) -> None:
        # Whose these are; nobody once the connection is over.
        self.asker = asker
        self._socket = socket
        self._pace = pace
        self.replies: Final = replies
        # What the next requests have to wait for: some of the bits above; 0 when they need not.
        self.waits = 0
        # The messages under way, the oldest first; None before the first one.
        self.sending: deque[Message] | None = None
        # What comes behind the answer to the request under way; None when nothing does.
        self._follow: list[Step] | None = None
        # Settled when no message is under way; made by the request that waits for it.
        self.quiet: Pending | None = None
        # What closes the connection when nothing is under way; None while it stays.
        self.farewell: Callable[[], None] | None = None
        # What waits; None before something had to.
        self._queue: deque[bytes] | None = None
        # The queue is being served: the loop in `_drain` goes on by itself.
        self._draining = False

    # --- what the connection tells ----------------------------------------------------------------

    def put_off(self, data: bytes) -> None:
        """Keep a message of the client for its turn. Called instead of serving it while something `waits`."""
        if not self.asker.is_logged_in and self.farewell is not None:
            return  # it was kicked
        queue = self._queue
        if queue is None:
            queue = self._queue = deque()
        queue.append(data)
        if len(queue) == _QUEUE:
            self._socket.hold()

    def begin(self) -> None:
        """Something is under way that the next requests wait for, until it is `finished`."""
        self.waits |= _REQUEST

    def follow(self, step: Step) -> None:
        """Do this behind the answer to the request under way."""
        if self._follow is None:
            self._follow = []
        self._follow.append(step)

    def follow_nothing(self) -> None:
        """The request under way has failed: nothing comes behind its answer."""
        self._follow = None

    def finished(self) -> None:
        """What others wait for is answered: what follows it, then the next ones."""
        if self._follow is not None:
            follow, self._follow = self._follow, None
            for step in follow:
                if self.asker.is_logged_in:
                    start_alone(step())
        idle = not self._queue and self.farewell is None and not self.replies.lost
        if idle and not self._socket.outbox.congested:  # the everyday case: nothing waits
            self.waits &= ~(_REQUEST | _PARTING)
            return
        self.waits = self.waits & ~_REQUEST | _TURN
        if self.replies.lost and self._queue:
            # Nobody waits for it: one request a tick.
            asyncio.get_running_loop().call_soon(self.go_on, _TURN)
        elif self._socket.outbox.congested and not self.replies.lost:
            start_alone(self._go_on_when_relieved())
        else:
            self.go_on(_TURN)
            return
        self._rest()

    def pause(self, seconds: float) -> None:
        """Do not hear the client for a time."""
        self.waits |= _PAUSE
        asyncio.get_running_loop().call_later(seconds, self.go_on, _PAUSE)

    @property
    def paused(self) -> bool:
        """Whether it is not heard."""
        return bool(self.waits & _PAUSE)

    def part(self, farewell: Callable[[], None]) -> None:
        """Call `farewell` when all that was taken from the client is answered; not if it is lost by then."""
        self.farewell = farewell
        self._rest()

    def end(self) -> None:
        """The client is lost, and all that it asked for is done, but for messages that are being stored."""
        self.asker = _NOBODY

    def kick(self, farewell: Callable[[], None]) -> None:
        """The same, but what was not begun is not done, and not answered (PROTOCOL §3)."""
        if self._queue:
            self._queue.clear()
        self.part(farewell)

    # --- one after the other ----------------------------------------------------------------------

    async def behind_messages(self, work: Work) -> Any:
        """Do something when all messages that were sent before are answered (M11)."""
        self.quiet = Pending()
        await self.quiet
        return await work

    def all_sent(self) -> None:
        """No message is under way any more: who waited for that goes on."""
        quiet, self.quiet = self.quiet, None
        if quiet is not None:
            quiet.settle()
        self._rest()

    async def _go_on_when_relieved(self) -> None:
        """A large answer ends the client's turn: the next one is made when it has read that one (SPEC E5)."""
        await self._pace.turn()
        self.go_on(_TURN)

    def go_on(self, waited: int) -> None:
        """The next requests need not wait for this any more."""
        self.waits &= ~(waited | _PARTING)
        if self._queue and not self.waits and not self._draining:
            self._drain(self._queue)
        if self.replies.lost and not self.waits and not self._draining:
            self.asker.detach()
        if self.farewell is not None:
            self._rest()

    def _drain(self, queue: deque[bytes]) -> None:
        self._draining = True
        while queue and not self.waits:
            self.asker.text(queue.popleft())
            if len(queue) == _QUEUE // 2:
                self._socket.go_on()
        self._draining = False

    def _rest(self) -> None:
        """Something is over that was under way: if it was the last, the time has come for a farewell."""
        if self.farewell is None:
            return
        if self.waits & _REQUEST or self.sending or self._queue:
            if not self.asker.is_logged_in:
                self.waits |= _PARTING
            return
        farewell, self.farewell = self.farewell, None
        if not self.replies.lost:
            farewell()


class Message(Running):
    """A message under way: nothing waits for it but its answer for those of the messages before it."""

    __slots__ = ("_call_id", "_command", "_exchanges", "_outcome")

    def __init__(self, exchanges: Exchanges, call_id: int | str, command: Command, work: Work) -> None:
        """It takes its place behind the messages under way; `step` begins it."""
        self._coroutine = work  # not by way of `super`: this happens once a message
        self._exchanges = exchanges
        self._call_id = call_id
        self._command = command
        # What it came to, while an earlier one is under way; else None.
        self._outcome: tuple[Any, Exception | None] | None = None
        sending = exchanges.sending
        if sending is None:
            sending = exchanges.sending = deque()
        sending.append(self)
        if len(sending) == _SENDING:
            exchanges.waits |= _MESSAGES

    def finish(self, result: Any, error: Exception | None) -> None:
        exchanges = self._exchanges
        sending = exchanges.sending
        assert sending is not None, "it is one of these"
        if sending[0] is not self:
            self._outcome = result, error
            return
        sending.popleft()
        if error is None and not isinstance(result, Again):  # as `_tell`: this happens once a message
            exchanges.replies.sent(self._call_id, result)
        else:
            self._tell(result, error)
        while sending and (outcome := sending[0]._outcome) is not None:
            message = sending.popleft()
            message._outcome = None  # an error holds by its traceback who has caught it: a cycle
            message._tell(*outcome)
        if exchanges.waits & _MESSAGES:
            exchanges.go_on(_MESSAGES)
        if not sending and (exchanges.quiet or exchanges.farewell):
            exchanges.all_sent()

    def _tell(self, result: Any, error: Exception | None) -> None:
        exchanges = self._exchanges
        if error is None:
            exchanges.replies.sent(self._call_id, result)
            if isinstance(result, Again):
                exchanges.asker.refused()
            return
        exchanges.replies.fail(self._call_id, self._command.failure, error)
        if isinstance(error, Superseded):
            exchanges.asker.kicked()
        exchanges.asker.refused()


class Request(Running):
    """A request under way that the next ones wait for."""

    __slots__ = ("_call_id", "_command", "_exchanges")

    def __init__(self, exchanges: Exchanges, call_id: int | str, command: Command, work: Work) -> None:
        """The next ones wait from now on; `step` begins it."""
        self._coroutine = exchanges.behind_messages(work) if command.last and exchanges.sending else work
        self._exchanges = exchanges
        self._call_id = call_id
        self._command = command
        exchanges.waits |= _REQUEST

    def finish(self, result: Any, error: Exception | None) -> None:
        exchanges = self._exchanges
        replies = exchanges.replies
        if error is not None:
            exchanges.follow_nothing()
            replies.fail(self._call_id, self._command.failure, error)
            if isinstance(error, Superseded):
                exchanges.asker.kicked()
        elif isinstance(result, codec.Large):
            start_alone(self._answer_by_pieces(result))
            return
        else:
            replies.answer(self._call_id, result if isinstance(result, bytes) else codec.ok_body(result))
        exchanges.finished()

    async def _answer_by_pieces(self, large: codec.Large) -> None:
        try:
            await self._exchanges.replies.answer_by_pieces(self._call_id, large)
        finally:
            self._exchanges.finished()


def start_alone(work: Work) -> None:
    """Run a use case that nobody waits for."""
    start(work, _log_failure)


def _log_failure(result: Any, error: Exception | None) -> None:
    """Nobody waits for this use case: what goes wrong in it is the operator's to know."""
    if isinstance(error, Unavailable):
        _log.error("use case failed", reason=str(error))
    elif error is not None and not isinstance(error, Refusal):
        _log.error("use case failed", exc_info=error)
