"""Who may not log in for a time, and whose tokens are good no longer (SPEC A2, J5)."""

from __future__ import annotations

from typing import Any

import pytest

from contract.toy_kept import ToyKept
from engine.driving import ManualClock, run, together
from signalpost.domain.refusals import Refusal
from signalpost.engine.memory import memory_kept
from signalpost.services.bars import Bars, check_bar, held_of


class Gatehouse:
    """Bars on an engine, and a way to try a login."""

    def __init__(self) -> None:
        self.clock, self.wall = ManualClock(), ManualClock()
        self.kept: Any = memory_kept(clock=self.clock)
        self.bars = Bars(self.kept, self.clock, wall=self.wall)

    async def refusal(self, *, issued: float = 0.0, expires: float = 0.0) -> str:
        """Why a login with such a token is refused; "" if it is not."""
        (held,) = await run(self.kept.load(held_of("app", "bo")))
        if held is None:
            return ""
        try:
            check_bar(held, now=self.clock(), issued=issued, expires=expires)
        except Refusal as refusal:
            return refusal.reason if refusal.code == 201 else "another code"
        return ""

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wall.advance(seconds)

    async def work_off(self) -> None:
        """What the janitor does with timers that are due."""
        for due in await run(self.kept.due(limit=9, lease=10.0)):
            if not await run(self.bars.due(due.key)):
                await run(self.kept.done(due))

    async def is_empty(self) -> bool:
        """Whether nothing is kept of anybody."""
        (held,) = await run(self.kept.load(held_of("app", "bo")))
        return held is None and self.kept.next_at() is None


async def test_a_block_lasts_for_its_time_and_leaves_nothing_behind() -> None:
    house = Gatehouse()
    block = await run(house.bars.block("app", "bo", seconds=60.0, reason="spam"))
    assert await run(house.bars.of("app", "bo")) == block
    assert await house.refusal() == "blocked: spam"
    house.pass_time(59.9)
    assert await house.refusal() == "blocked: spam"
    assert await run(house.bars.blocked("app")) == {"bo": block}
    house.pass_time(0.1)
    assert await house.refusal() == ""
    assert await run(house.bars.of("app", "bo")) is None
    assert await run(house.bars.blocked("app")) == {}
    await house.work_off()
    assert await house.is_empty()


async def test_the_latest_block_counts_and_an_end_ends_it() -> None:
    house = Gatehouse()
    assert await run(house.bars.unblock("app", "bo")) is False
    await run(house.bars.block("app", "bo", seconds=60.0, reason=""))
    await run(house.bars.block("app", "bo", seconds=5.0, reason="less"))
    house.pass_time(5.0)
    assert await house.refusal() == ""
    await run(house.bars.block("app", "bo", seconds=5.0, reason=""))
    assert await house.refusal() == "blocked"
    assert await run(house.bars.unblock("app", "bo")) is True
    assert await run(house.bars.unblock("app", "bo")) is False
    assert await house.is_empty()


async def test_tokens_that_say_when_they_were_made_are_judged_by_that() -> None:
    """SPEC J5: `iat`."""
    house = Gatehouse()
    await run(house.bars.revoke("app", "bo", lifetime=100.0))
    now = house.wall()
    assert (await house.refusal(issued=now - 50.0, expires=now + 9_999.0)).startswith("revoked")
    assert (await house.refusal(issued=now, expires=now + 9_999.0)).startswith("revoked")
    assert await house.refusal(issued=now + 1.0, expires=now + 50.0) == ""


async def test_tokens_that_do_not_are_judged_by_their_end() -> None:
    house = Gatehouse()
    upto = await run(house.bars.revoke("app", "bo", lifetime=100.0))
    assert (await house.refusal(expires=upto)).startswith("revoked")
    assert await house.refusal(expires=upto + 1.0) == ""
    assert await house.refusal() == ""  # it never expires, and nobody made it: `_no_need_token`


async def test_a_block_and_a_revocation_at_once_are_both_in_force() -> None:
    house = Gatehouse()
    house.bars = Bars(ToyKept(clock=house.clock), house.clock, wall=house.wall)  # which takes its time
    house.kept = house.bars._kept
    revoking = house.bars.revoke("app", "bo", lifetime=100.0)
    await together(revoking, house.bars.block("app", "bo", seconds=10.0, reason=""))
    assert await house.refusal() == "blocked"
    house.pass_time(10.0)
    await house.work_off()
    assert (await house.refusal(expires=house.wall() + 1.0)).startswith("revoked")


async def test_a_wall_clock_that_is_set_back_ends_no_revocation_early() -> None:
    house = Gatehouse()
    upto = await run(house.bars.revoke("app", "bo", lifetime=100.0))
    house.clock.advance(100.0)
    house.wall.advance(50.0)
    await house.work_off()
    assert (await house.refusal(expires=upto)).startswith("revoked")
    house.pass_time(50.0)
    await house.work_off()
    assert await house.is_empty()


@pytest.mark.parametrize(("account", "reason", "code"), [("b o", "", 1004), ("bo", "é" * 129, 1005)])
async def test_what_cannot_be_is_refused(account: str, reason: str, code: int) -> None:
    house = Gatehouse()
    with pytest.raises(Refusal) as refused:
        await run(house.bars.block("app", account, seconds=1.0, reason=reason))
    assert refused.value.code == code
    assert await house.is_empty()
