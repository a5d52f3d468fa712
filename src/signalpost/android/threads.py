"""The two threads of an instance: one runs the event loop, the other the application's callbacks.

The loop never waits for a callback. Neither thread knows what it is used for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from signalpost.android.callbacks import ICallBack

__all__ = ["Callback", "CallbackThread", "Gap", "LoopThread"]

_log = logging.getLogger("signalpost.android")

CALLBACKS_WAITING = 20_000  # callbacks in the queue, above which what may be left out is left out
COMMANDS_WAITING = 1_000  # calls of the application that the loop has not taken yet; then callers wait
PATIENCE = 10.0  # seconds for a callback that runs, or for the loop, to come to its end


class Callback(NamedTuple):
    """A callback that is to run; `mark` is then told, and behind it seen (SPEC M6)."""

    name: str
    args: tuple[Any, ...]
    mark: int = 0
    is_message: bool = False  #: a logout withdraws it (SPEC M11)


class Gap:
    """Events of one channel that were left out because the callbacks were too slow."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._lock = threading.Lock()
        self._count = 0  # events left out so far
        self._told = False  # the application knows; what comes now belongs to no gap

    def count(self) -> bool:
        """Count one more; False if it is too late for that."""
        with self._lock:
            if not self._told:
                self._count += 1
            return not self._told

    def tell(self) -> int:
        """How many there were."""
        with self._lock:
            self._told = True
            return self._count


class CallbackThread:
    """Runs callbacks in the order in which they were put, while there is a handler."""

    def __init__(
        self,
        name: str,
        *,
        told: Callable[[int], None],
        seen: Callable[[int], None],
        lost: Callable[[Gap], Callback],
    ) -> None:
        self._told = told  # is told the mark of a callback that begins
        self._seen = seen  # is told the mark of a callback that has returned
        self._lost = lost  # how a gap is told
        self._changed = threading.Condition()  # guards what follows; notified when the thread may go on
        self._handler: ICallBack | None = None  # who gets what comes next; None: everything waits
        self._queue: deque[Callback | Gap] = deque()  # what waits
        self._stopped = False  # no callback begins any more
        self._mark = 0  # of the callback that runs, or was the last
        self._is_full = False  # callbacks are left out for want of a handler; said once
        self._thread = threading.Thread(target=self._run, name=f"{name}-callbacks", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether this is called from inside a callback."""
        return threading.current_thread() is self._thread

    @property
    def waiting(self) -> int:
        """How many callbacks wait."""
        return len(self._queue)

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits that nothing should be put that may be left out."""
        return len(self._queue) >= CALLBACKS_WAITING

    @property
    def handler(self) -> ICallBack:
        """Who is told what comes next; one that does nothing if nobody is."""
        return ICallBack() if self._handler is None else self._handler

    def set_handler(self, handler: ICallBack | None) -> None:
        """What comes next goes to this one; None: it waits."""
        with self._changed:
            self._handler = handler
            self._is_full = False
            self._changed.notify_all()

    def put(self, item: Callback | Gap) -> None:
        """Run this one after all others; nothing once stopped."""
        with self._changed:
            if self._stopped or self._is_left_out(item):
                return
            self._queue.append(item)
            self._changed.notify_all()

    def _is_left_out(self, item: Callback | Gap) -> bool:
        """Whether nobody takes callbacks and too many wait; what comes from the inbox has a bound there."""
        if self._handler is not None or not self.is_crowded or isinstance(item, Gap) or item.mark:
            return False
        if not self._is_full:
            self._is_full = True
            _log.warning("%d callbacks wait for a handler: others are left out", CALLBACKS_WAITING)
        return True

    @contextmanager
    def paused(self) -> Iterator[int]:
        """No callback begins meanwhile; the mark of the last that had one and has begun."""
        with self._changed:
            yield self._mark

    def withdraw(self, is_held: Callable[[int], bool]) -> None:
        """Of the messages that wait only those whose marks are held are told (SPEC M11)."""
        with self._changed:
            waiting = list(self._queue)
            self._queue.clear()
            for item in waiting:
                if isinstance(item, Gap) or not item.is_message or is_held(item.mark):
                    self._queue.append(item)

    def stop(self) -> None:
        """No callback begins any more. Waits for the one that runs, at most 10 s, unless called from it."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self.is_current:
            self._seen(self._mark)  # who destroys has dealt with it, and nobody else will be asked
            return
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            _log.warning("a callback goes on for more than %g s after the destroy", PATIENCE)

    def _run(self) -> None:
        while (step := self._next()) is not None:
            handler, (name, args, mark, _) = step
            if mark:
                self._told(mark)  # before it: what the callback does must not come first
            try:
                getattr(handler, name)(*args)
            except BaseException:  # the application's code: whatever it raises, the next callback comes
                _log.exception("an exception in %s", name)
            if mark:
                self._seen(mark)

    def _next(self) -> tuple[ICallBack, Callback] | None:
        """Wait for a callback and a handler; None: no more begin."""
        with self._changed:
            while self._handler is None or not self._queue:
                if self._stopped:
                    return None
                self._changed.wait()
            if self._stopped:
                return None
            item = self._queue.popleft()
            callback = self._lost(item) if isinstance(item, Gap) else item
            self._mark = callback.mark or self._mark
            return self._handler, callback


class LoopThread:
    """An event loop on a thread of its own, and the calls that other threads want made there."""

    def __init__(self, name: str) -> None:
        self._changed = threading.Condition()  # guards the queue; notified when it was emptied
        self._queue: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()  # calls to be made
        self._scheduled = False  # the loop is going to make them
        self._closed = False  # no more calls are taken
        self._ready = threading.Event()  # the loop runs, or cannot
        self._loop: asyncio.AbstractEventLoop | None = None  # from then on
        self._stopping: asyncio.Event | None = None  # the loop is to end
        self._thread = threading.Thread(target=self._run, name=f"{name}-loop", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._loop is None:
            raise RuntimeError("no event loop is to be had: the thread's traceback says why")

    def post(self, call: Callable[..., object], *args: Any) -> bool:
        """Have a call made on the loop, in order; False if it has ended. Waits while there are too many."""
        with self._changed:
            while len(self._queue) >= COMMANDS_WAITING and not self._closed:
                self._changed.wait()
            if self._closed or self._loop is None:
                return False
            self._queue.append((call, args))
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon_threadsafe(self._make)
            return True

    def wait(self, call: Callable[..., object], *args: Any) -> bool:
        """The same, and wait until it was made."""
        made = threading.Event()

        def make() -> None:
            try:
                call(*args)
            finally:
                made.set()

        return self.post(make) and made.wait(PATIENCE)

    def stop(self) -> None:
        """End the loop and its thread; what was posted before is still made."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            assert self._loop is not None
            assert self._stopping is not None
            self._loop.call_soon_threadsafe(self._make)
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(PATIENCE)

    def _make(self) -> None:
        with self._changed:
            calls, self._queue = self._queue, deque()
            self._scheduled = False
            self._changed.notify_all()
        for call, args in calls:
            try:
                call(*args)
            except Exception:  # a defect of this package: the other calls are made all the same
                _log.exception("a call failed on the loop")

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()  # if the loop never began

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._ready.set()
        await self._stopping.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # transports that were closed let go of their sockets
