"""How callbacks are kept and called: in order, one after the other, never inside the call that causes them.

It knows nothing of sessions; what a callback means is for those who put it here.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar, overload

__all__ = ["Callback", "Delivery", "check_callback"]

_log = logging.getLogger("signalpost.web")

F = TypeVar("F", bound=Callable[..., object])
Handler = Callable[..., object]

_UNFINISHED = 1_000  # coroutine callbacks at once; then the next event waits
_CROWD = 20_000  # callbacks that wait, above which what may be left out is left out


def check_callback(value: object, name: str) -> None:
    """TypeError if the value is neither callable nor None."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} takes a function, a coroutine function or None, not {type(value).__name__}")


class Callback(Generic[F]):
    """An attribute that takes a callback at any time; None, as in the beginning: nobody is told."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: object, kind: type) -> F | None: ...

    def __get__(self, owner: object | None, kind: type) -> Self | F | None:
        return self if owner is None else vars(owner).get(self._name)

    def __set__(self, owner: object, value: F | None) -> None:
        check_callback(value, self._name)
        vars(owner)[self._name] = value


class Inbox(Protocol):
    """Where what is told comes from; 0 is no mark."""

    def holds(self, mark: int) -> bool:
        """Whether a message may be told: a logout withdraws it (SPEC M11)."""
        ...

    def told(self, mark: int) -> None:
        """The application is being told."""
        ...

    def seen(self, mark: int) -> None:
        """The application has dealt with it."""
        ...


class _Step(NamedTuple):
    """One callback that is due. `mark`: of the inbox item that is acknowledged after it, or 0."""

    find: Callable[[], Handler | None]
    args: tuple[Any, ...]
    mark: int


class Delivery:
    """The callbacks that are due. A coroutine becomes a task; the next callback then waits for one turn of
    the loop, so that tasks begin in order. At most 1000 of them are unfinished."""

    def __init__(self, inbox: Inbox) -> None:
        self._loop = asyncio.get_running_loop()
        self._inbox = inbox
        self._due: deque[_Step] = deque()
        self._tasks: set[asyncio.Future[Any]] = set()  # coroutine callbacks that are not finished
        self._scheduled = False  # the next callback comes by itself

    @property
    def is_crowded(self) -> bool:
        """Whether so much waits that nothing should be put that may be left out."""
        return len(self._due) >= _CROWD

    def tell(self, owner: object, name: str, *args: Any, mark: int = 0) -> None:
        """Call what stands in that attribute of the owner when its turn has come."""
        self._put(_Step(lambda: getattr(owner, name), args, mark))

    def tell_message(self, owner: object, name: str, *args: Any, mark: int) -> None:
        """The same, unless the message is withdrawn before its turn has come."""
        inbox = self._inbox
        self._put(_Step(lambda: getattr(owner, name) if inbox.holds(mark) else None, args, mark))

    def answer(self, callback: Handler, *args: Any) -> None:
        """Call this function when its turn has come."""
        self._put(_Step(lambda: callback, args, 0))

    def _put(self, step: _Step) -> None:
        self._due.append(step)
        self._schedule()

    def _schedule(self) -> None:
        if self._due and not self._scheduled and len(self._tasks) < _UNFINISHED:
            self._scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        try:
            while self._due:
                if self._call(self._due.popleft()):
                    break
        finally:
            self._schedule()

    def _call(self, step: _Step) -> bool:
        """Whether the callback goes on as a task."""
        callback = step.find()
        self._inbox.told(step.mark)  # before it: what the callback does must not come first
        try:
            result = None if callback is None else callback(*step.args)
        except (Exception, asyncio.CancelledError) as error:  # the application's: it ends here
            _complain(callback, error)
            result = None
        except BaseException:  # the loop's to deal with; the message is acknowledged all the same
            self._inbox.seen(step.mark)
            raise
        if inspect.isawaitable(result):
            self._follow(callback, result, step.mark)
            return True
        self._inbox.seen(step.mark)
        return False

    def _follow(self, callback: Handler | None, result: Awaitable[Any], mark: int) -> None:
        task = asyncio.ensure_future(result)
        self._tasks.add(task)

        def finish(task: asyncio.Future[Any]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                _complain(callback, error)
            self._inbox.seen(mark)
            self._schedule()

        task.add_done_callback(finish)


def _complain(callback: Handler | None, error: BaseException) -> None:
    name = getattr(callback, "__qualname__", type(callback).__name__)
    _log.error("the callback %s raised %s", name, type(error).__name__, exc_info=error)
