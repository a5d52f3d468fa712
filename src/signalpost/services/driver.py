"""Running a use case without a task: it is driven by `send(None)`, and resumed by what it waits for.

Most use cases finish in the call that starts them. One that waits for a commit, or for an engine that is
elsewhere, suspends on a `Pending`, which resumes it when it is settled; there is no event-loop task per
message. For how long an answer is waited for is up to who gives the `Pending` out.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from signalpost.engine.ports import Cancelled, Pending, Reply

__all__ = ["Running", "both", "start", "together"]

A = TypeVar("A")
B = TypeVar("B")


class Running:
    """One use case under way; a subclass says in `finish` what becomes of its result."""

    __slots__ = ("_awaited", "_coroutine")

    _awaited: Pending  # what it waits for; not set before it has waited

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def step(self) -> None:
        """Run until it finishes or waits."""
        try:
            awaited = self._coroutine.send(None)
        except StopIteration as stop:
            self.finish(stop.value, None)
        except Exception as error:  # whatever went wrong is the business of who asked
            self.finish(None, error)
        else:
            self._awaited = awaited
            awaited.when_settled(self.step)

    def cancel(self) -> None:
        """End the wait that it is in: `Cancelled` is raised there, so that it cleans up.

        For that it may wait again. Called while it waits only; what it waits for goes on for others.
        """
        self._awaited.forget(self.step)
        try:
            awaited = self._coroutine.throw(Cancelled())
        except StopIteration as stop:
            self.finish(stop.value, None)
        except Exception as error:
            self.finish(None, error)
        else:
            self._awaited = awaited
            awaited.when_settled(self.step)

    def finish(self, result: Any, error: Exception | None) -> None:
        """Called once, with the result or the exception."""
        raise NotImplementedError


class _Told(Running):
    __slots__ = ("_done",)

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], done: Callable[[Any, Exception | None], None]
    ) -> None:
        super().__init__(coroutine)
        self._done = done

    def finish(self, result: Any, error: Exception | None) -> None:
        self._done(result, error)


def start(coroutine: Coroutine[Any, Any, Any], done: Callable[[Any, Exception | None], None]) -> Running:
    """Run a use case; `done(result, error)` is called once, perhaps within this call."""
    running = _Told(coroutine, done)
    running.step()
    return running


async def together(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
    """Run use cases side by side, so that what they store is one commit. Raises the last of their errors."""
    left = len(coroutines) + 1
    done = Pending()
    failure: Exception | None = None

    def ended(result: Any, error: Exception | None) -> None:
        nonlocal left, failure
        left -= 1
        failure = error or failure
        if not left:
            done.settle(failure)

    for coroutine in coroutines:
        start(coroutine, ended)
    ended(None, None)
    await done


async def both(one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """The results of two that wait side by side, as of two parts of the engine. Raises what the first raises,
    or else the other; neither is left behind."""
    try:
        awaited = one.send(None)
    except StopIteration as stop:  # as nearly always, where the engine is in this process
        return stop.value, await other
    except Exception:
        other.close()
        raise
    reply: Reply[A] = Reply()

    def ended(result: A, error: Exception | None) -> None:
        if error is None:
            reply.answer(result)
        else:
            reply.settle(error)

    running = _Told(one, ended)
    awaited.when_settled(running.step)
    try:
        second = await other
    except Exception:
        await reply
        raise
    return await reply, second
