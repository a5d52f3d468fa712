"""Time, and waiting for something without a task."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Clock", "Pending", "Reply"]

T = TypeVar("T")


class Clock(Protocol):
    """Unix time in seconds that never steps backwards within a process."""

    def __call__(self) -> float: ...


class Pending:
    """Something that will be settled once: a coroutine awaits it, its driver is told.

    A coroutine that awaits an unsettled `Pending` suspends, yielding the `Pending` itself to whoever
    drives it; the driver registers a callback with `when_settled`. This costs no task and no future.
    """

    __slots__ = ("_callbacks", "_error", "_settled")

    def __init__(self) -> None:
        self._settled = False
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], object]] = []

    @property
    def settled(self) -> bool:
        """Whether `settle` has been called."""
        return self._settled

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call `callback` at settlement, in order of registration; at once if already settled."""
        if self._settled:
            callback()
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[], object]) -> None:
        """Call `callback` no more: whoever registered it waits no longer."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def settle(self, error: BaseException | None = None) -> None:
        """Settle once, with success or `error`; runs the callbacks in this very call.

        All of them, even if some raise: then raises an ExceptionGroup of what they raised.
        """
        assert not self._settled, "a Pending settles once"
        self._settled = True
        self._error = error
        callbacks, self._callbacks = self._callbacks, []
        raised: list[Exception] = []
        for callback in callbacks:
            try:
                callback()
            except Exception as problem:  # one waiter's defect must not strand the others
                raised.append(problem)
        if raised:
            raise ExceptionGroup("callbacks of a Pending", raised)

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._settled:
            yield self
        if self._error is not None:
            raise self._error.with_traceback(None)  # many raise the same one


class Reply(Pending, Generic[T]):
    """Something that is asked for elsewhere: a `Pending` that is settled with a value, or with an error."""

    __slots__ = ("_value",)

    def answer(self, value: T) -> None:
        """Settle with a value."""
        self._value = value
        self.settle()

    def __await__(self) -> Generator[Any, None, T]:
        yield from super().__await__()
        return self._value
