"""Calls: what both sides do, and what they wait for (SPEC §6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from signalpost.client import arguments
from signalpost.client.api.futures import wait
from signalpost.client.api.streams import Stream
from signalpost.client.engine import Engine
from signalpost.client.errors import error_of
from signalpost.client.events import (
    CallAccepted,
    CallEnded,
    CallEvent,
    CallFailed,
    CallKeys,
    CallNamed,
    CallReceived,
    CallRefused,
)
from signalpost.client.steps import Action

__all__ = ["Call", "CallState", "End", "Outcome"]

Outcome = CallAccepted | CallRefused | CallEnded
End = CallRefused | CallEnded | CallFailed

_UNREAD = 1_000  # events kept for an application that does not take them


class CallState(Enum):
    """How far a call has come."""

    INVITING = "inviting"  #: the server has not answered yet
    INVITED = "invited"  #: the peer's device has not confirmed yet
    RINGING = "ringing"
    ACCEPTED = "accepted"
    OVER = "over"


class Call:
    """One call. Iterate it for what happens: CallReceived, CallAccepted, CallRefused, CallKeys, and so on.

    The iteration ends with the call; one consumer at a time.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        number: int,
        channel: str,
        peer: str,
        extra: str,
        state: CallState,
        forget: Callable[[int], object],
    ) -> None:
        self._engine = engine
        self._number = number
        self._forget = forget  # is told the number when the call is over
        self.channel = channel  #: the channel's name; "" until the server has made one (K10)
        self.peer = peer  #: the other account
        self.extra = extra  #: what came with the invitation
        self.incoming = state is CallState.RINGING  #: whether the peer has called
        self.state = state  #: how far it has come
        self._events: Stream[CallEvent] = Stream(_UNREAD)
        self._outcome: CallAccepted | End | None = None  # what became of the invitation
        self._end: End | None = None  # why it is over
        self._changed = asyncio.Event()  # set at each event, for who waits

    # --- what to do ------------------------------------------------------------------------------

    async def accept(self, extra: str = "") -> None:
        """Accept an incoming call; extra: any text of at most 8 KiB (K2). RequestError if it is too late."""
        text = arguments.answer_extra(extra)
        await wait(lambda done: self._engine.respond(self._number, Action.ACCEPT, text, done))
        if self.state is CallState.RINGING:
            self.state = CallState.ACCEPTED
            self._outcome = CallAccepted(self._number, self.channel, self.peer, text, 0)
            self._changed.set()

    async def refuse(self, extra: str = "") -> None:
        """Refuse an incoming call; extra as in `accept`. Raises RequestError if it is too late."""
        text = arguments.answer_extra(extra)
        await wait(lambda done: self._engine.respond(self._number, Action.REFUSE, text, done))
        if self.state is not CallState.OVER:
            self._finish(CallRefused(self._number, self.channel, self.peer, text, 0))

    async def dtmf(self, keys: str) -> None:
        """Press 1 to 64 of `0-9 * # A-D` in an accepted call (K4). Raises ArgumentError, RequestError."""
        text = arguments.keys_extra(keys)
        await wait(lambda done: self._engine.respond(self._number, Action.KEYS, text, done))

    async def end(self, extra: str = "") -> None:
        """End the call, or cancel it; nothing if it is over (K3, K12). RequestError: it is still open."""
        text = arguments.answer_extra(extra)
        if self.state is CallState.OVER:
            return
        await wait(lambda done: self._engine.respond(self._number, Action.END, text, done))
        self.closed()

    # --- what to wait for ------------------------------------------------------------------------

    async def answered(self, timeout: float | None = None) -> Outcome:
        """Wait for the answer: CallAccepted or CallRefused, or CallEnded if it was ended before.

        Raises CallError when the call fails (702 to 705), TimeoutError after `timeout` seconds; the call
        then goes on ringing.
        """
        async with asyncio.timeout(timeout):
            while self._outcome is None:
                await self._next_change()
        if isinstance(self._outcome, CallFailed):
            raise error_of(self._outcome.code, self._outcome.reason)
        return self._outcome

    async def ended(self, timeout: float | None = None) -> End:
        """Wait until the call is over, and say why. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while self._end is None:
                await self._next_change()
        return self._end

    def __aiter__(self) -> Stream[CallEvent]:
        return self._events

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # --- the client's side ----------------------------------------------------------------------

    def happened(self, event: CallEvent) -> None:
        """Something happened to the call."""
        match event:
            case CallNamed():
                self.channel = event.channel
                self.state = CallState.INVITED
                return
            case CallReceived():
                self.state = CallState.RINGING
            case CallAccepted():
                self.state = CallState.ACCEPTED
                self._outcome = event
            case CallRefused() | CallEnded() | CallFailed():
                self._finish(event)
                return
            case CallKeys():
                pass
        self._events.put(event)
        self._changed.set()

    def closed(self) -> None:
        """This client has ended the call, or was closed: nothing more will be heard of it."""
        if self.state is not CallState.OVER:
            self._finish(CallEnded(self._number, self.channel, self.peer, False, ""))

    def _finish(self, end: End) -> None:
        self._forget(self._number)
        self.state = CallState.OVER
        self._end = end
        if self._outcome is None:
            self._outcome = end
        self._events.put(end)
        self._events.close()
        self._changed.set()
