"""The one loop in which use cases try again."""

from __future__ import annotations

import pytest

from engine.driving import run
from signalpost.domain.refusals import Refusal
from signalpost.engine.ports import Conflict, Unavailable
from signalpost.services.decide import TRIES, decide
from signalpost.wire.codes import Code


def attempts(*outcomes: Exception | str) -> list[Exception | str]:
    return list(outcomes)


async def outcome(left: list[Exception | str]) -> str:
    async def attempt() -> str:
        came = left.pop(0)
        if isinstance(came, Exception):
            raise came
        return came

    return await run(decide(attempt))


async def test_who_was_slower_decides_anew() -> None:
    assert await outcome(attempts(Conflict(), Conflict(), "done", "never")) == "done"


async def test_it_is_not_tried_for_ever() -> None:
    """DESIGN, idea 5: a bounded number of times."""
    left = attempts(*[Conflict() for _ in range(TRIES + 1)])
    with pytest.raises(Unavailable):
        await outcome(left)
    assert len(left) == 1


async def test_a_refusal_is_final() -> None:
    left = attempts(Refusal(Code.GENERAL_E_FAILED, "no"), "never")
    with pytest.raises(Refusal):
        await outcome(left)
    assert left == ["never"]
