"""The way of a node's calls to the store: those of one tick travel together, one flight after the other.

While one flight is under way the next is gathered. So the cost of a call to the library is paid once a tick,
and calls are served in the order in which they were made. A flight that is lost is never sent again: nobody
can tell whether it was served.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from signalpost.engine.patience import PATIENCE, Patience
from signalpost.engine.ports import Clock, Reply, Unavailable, Uncertain
from signalpost.engine.redis.address import Address
from signalpost.engine.redis.link import Link, LinkError, Lost, Refused, linked

__all__ = ["Lane", "within_task"]

_log = structlog.get_logger("signalpost")

_CALLS: Final = 512  # of one flight, at most
_BYTES: Final = 1024 * 1024  # of one flight, at most, but for a single call
_TAGS: Final = 1000  # that one flight tells the store of, at most
_BLIP: Final = 1.0  # seconds without a link for which calls wait for the next
_PAUSES: Final = (0.05, 0.5)  # seconds between two attempts: at first, at most

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode


class _Call:
    """One call that waits for its answer."""

    __slots__ = ("made", "reply", "said")

    def __init__(self, said: bytes, reply: Reply[Any], made: float) -> None:
        self.said = said
        self.reply = reply
        self.made = made


class Lane:
    """Carries calls to the store, and connects to it again and again.

    Many fields: what waits, what is known of the store, and whom to tell of it are one connection's life.
    """

    __slots__ = (
        "_address",
        "_ahead",
        "_clock",
        "_closed",
        "_down_since",
        "_known",
        "_life",
        "_loop",
        "_me",
        "_on_change",
        "_patience",
        "_ready",
        "_tags",
        "_task",
        "_trouble",
        "_waiting",
        "_wanted",
        "flights",
        "since",
    )

    def __init__(
        self, address: Address, me: str, tags: set[str], *, clock: Clock | None, on_change: Callable[[], None]
    ) -> None:
        """`tags`: all hash tags that calls have named until now. `clock`: the time that counts; None: the
        store's own. `on_change`: told when the store has lost something, or all."""
        self._address = address
        self._me = me
        self._tags = tags
        self._clock = clock
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(self._loop.time, self._loop.call_later)
        self._waiting: deque[_Call] = deque()  # not yet sent, the oldest first
        self._wanted = asyncio.Event()  # something waits
        self._ready = asyncio.Event()  # there is a link
        self._task: asyncio.Task[None] | None = None  # while it is open
        self._closed = False
        self._trouble = "not connected yet"  # why calls fail; "" while they do not
        self._down_since: float | None = self._loop.time()  # of the loop's clock; None while there is a link
        self._life = ""  # of the store, as it was last heard
        self._known: set[str] = set()  # the hash tags that the store has been told of in this life
        self._ahead: float | None = None  # the store's clock less the loop's; None: not known
        self.since = 0.0  # since when all is known, as it was last heard; 0.0: never heard
        self.flights = 0  # that were answered, for metrics

    # --- its life ---------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to connect."""
        self._task = self._loop.create_task(self._run())

    async def ready(self, seconds: float) -> bool:
        """Wait for a link; whether there is one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        return self._ready.is_set()

    async def close(self) -> None:
        """Let go of the connection; whoever still waits gets Unavailable."""
        self._closed = True
        self._trouble = "closed"
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._shed(self._loop.time())

    def trouble(self) -> str:
        """Why calls fail at present; "" if they do not."""
        return self._trouble

    @property
    def ahead(self) -> float | None:
        """The store's clock less the loop's, in seconds; None while nobody knows."""
        return self._ahead

    # --- what is asked ----------------------------------------------------------------------------

    def ask(self, said: bytes) -> Reply[Any]:
        """Have one call served; its answer, or Unavailable."""
        now = self._loop.time()
        if self._closed or (self._down_since is not None and now - self._down_since > PATIENCE):
            reply: Reply[Any] = Reply()
            reply.settle(self._away())
            return reply
        reply = self._patience.wait()
        self._waiting.append(_Call(said, reply, now))
        self._wanted.set()  # whoever flies goes on in the loop's next tick: what this one adds comes along
        return reply

    # --- flying -----------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause = _PAUSES[0]
        while True:
            try:
                async with linked(self._address) as link:
                    self._arrived()
                    pause = _PAUSES[0]
                    await self._fly(link)
            except LinkError as error:
                self._parted(str(error))
            except Exception as error:  # whatever it is, the next attempt may do
                _log.error("asking the shared store failed", exc_info=error)
                self._parted(str(error))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _PAUSES[1])

    async def _fly(self, link: Link) -> None:
        """Carry what waits, until the link is lost. Raises LinkError."""
        while True:
            if not self._waiting:
                self._wanted.clear()
                await self._wanted.wait()
            flight = self._gather()
            if not flight:
                continue
            new = self._new_tags()
            try:
                answer = await link.call([self._head(link, new), *[call.said for call in flight]])
            except Refused as refusal:
                self._trouble = str(refusal)
                self._ahead = None  # it may have been said to be late by a clock that was set
                _fail(flight, Unavailable(str(refusal)))
                if refusal.elsewhere:
                    raise
            except LinkError as error:
                _fail(flight, Uncertain(str(error)))
                if isinstance(error, Lost):
                    raise
                _log.error("the shared store failed to serve", reason=str(error))
            except BaseException:
                _fail(flight, Uncertain("closed"))
                raise
            else:
                self._land(flight, new, answer)

    def _gather(self) -> list[_Call]:
        waiting, size = self._waiting, 0
        self._shed(self._loop.time() - PATIENCE)  # this node may have been stopped
        flight: list[_Call] = []
        while waiting and len(flight) < _CALLS:
            size += len(waiting[0].said)
            if flight and size > _BYTES:
                break
            call = waiting.popleft()
            if not call.reply.settled:  # nobody waits for one that is
                flight.append(call)
        return flight

    def _new_tags(self) -> list[str]:
        if len(self._tags) == len(self._known):
            return []
        return sorted(self._tags - self._known)[:_TAGS]

    def _head(self, link: Link, new: list[str]) -> bytes:
        """See `program/head.lua`."""
        now = False if self._clock is None else self._clock()
        until = False if self._ahead is None else self._loop.time() + self._ahead + PATIENCE
        return _encode((now, until, link.run, secrets.token_hex(4), self._me, new))

    def _land(self, flight: list[_Call], new: list[str], answer: bytes) -> None:
        life, since, store_now, *answers = _decode(answer)
        self._trouble = ""
        self._ahead = store_now - self._loop.time()
        self.flights += 1
        if life != self._life:
            self._begin_life(life, since)
        self._known.update(new)
        for call, one in zip(flight, answers, strict=True):
            if not call.reply.settled:
                try:
                    call.reply.answer(one)
                except Exception as error:  # one that waits must not strand the others
                    self._loop.call_exception_handler({"message": "a waiter failed", "exception": error})

    def _begin_life(self, life: str, since: float) -> None:
        first, lost = not self._life, since != self.since
        self._life, self.since, self._known = life, since, set()
        if first:
            return
        if lost:
            _log.error("the shared store has lost all that it knew", server=self._address.text)
        else:
            _log.warning("the shared store is another server now", server=self._address.text)
        self._on_change()

    # --- being away -------------------------------------------------------------------------------

    def _arrived(self) -> None:
        self._down_since = None
        self._trouble = ""
        self._ready.set()

    def _parted(self, reason: str) -> None:
        now = self._loop.time()
        if self._down_since is None:
            self._down_since = now
        self._trouble = reason
        self._ahead = None
        self._ready.clear()
        self._shed(now if now - self._down_since > _BLIP else now - _BLIP)

    def _shed(self, before: float) -> None:
        """Let those that were made before this wait no longer: they were never sent."""
        over = []
        while self._waiting and self._waiting[0].made <= before:
            over.append(self._waiting.popleft())
        _fail(over, self._away())

    def _away(self) -> Unavailable:
        return Unavailable(f"the shared store is away: {self._trouble}")


def _fail(calls: list[_Call], error: Unavailable) -> None:
    for call in calls:
        if not call.reply.settled:
            call.reply.settle(error)


async def within_task(reply: Reply[Any]) -> Any:
    """Await an answer in a task of the loop."""
    settled = asyncio.Event()
    reply.when_settled(settled.set)
    await settled.wait()
    return await reply
