"""Ten accounts ring an eleventh as often as they may, which then logs out, and they behind it (SPEC K12, E5).

Nobody else waits for that, however many calls end with a session.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from wire import DEVICES, Watch, Wire, fresh, run

CALLERS = 10
SECONDS = 12.0  # for which each of them rings, 100 times a second
WORST = 250.0  # milliseconds that a bystander may wait on a busy machine


async def attack(url: str) -> tuple[bool, str]:
    told = []
    good = True
    for device in DEVICES:
        callee = await Wire.open(url)
        account = fresh("callee")
        await callee.login(account, device)
        callers = [await Wire.open(url) for _ in range(CALLERS)]
        name = fresh("caller")
        for number, caller in enumerate(callers):
            await caller.login(f"{name}-{number}", device)
        rung = sum(await asyncio.gather(*(ring(caller, account) for caller in callers)))
        async with Watch(url) as watch:
            begun = time.perf_counter()
            await asyncio.gather(*(log_out(wire) for wire in (callee, *callers)))
            lasted = time.perf_counter() - begun
        good &= watch.worst < WORST
        told.append(f"{device}: {rung} calls ended in {lasted:.2f} s, {watch}")
    return good, "; ".join(told)


async def ring(caller: Wire, account: str) -> int:
    """Ring at the legal rate, each time in another channel; how many calls there were."""
    rung = 0
    number = 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        turn = time.monotonic() + 0.25
        calls = [
            caller.asked("voip_invite", channelName=f"c{number + n}", peer=account, extra="")
            for n in range(25)
        ]
        number += 25
        await caller.send(*(frame for _, frame in calls))
        answers: list[dict[str, Any]] = [await caller.answer(call_id) for call_id, _ in calls]
        rung += sum(answer["result"] == "ok" for answer in answers)
        await asyncio.sleep(max(turn - time.monotonic(), 0.0))
    return rung


async def log_out(wire: Wire) -> None:
    await wire.call("user_logout")
    wire.cut()


run(attack)
