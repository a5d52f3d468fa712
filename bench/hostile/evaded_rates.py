"""One account asks as fast as it can, logging out and in again in between; others poll (SPEC M10, L16, E5).

It is served at the rate that is allowed, whatever it does between two requests, and nobody else waits.
"""

from __future__ import annotations

import asyncio
import json
import time

from wire import Closed, Watch, Wire, fresh, run

SECONDS = 4.0
REQUESTS, AT_ONCE = 100, 1000  # of one account, as shipped (M10)
LOGINS, LOGINS_AT_ONCE = 2, 60  # likewise (L16)
ROUND = 200  # requests between two logins


async def attack(url: str) -> tuple[bool, str]:
    watcher = await Wire.open(url)
    await watcher.login(fresh("watcher"))
    await watcher.call("channel_join", name="__agora_user_online")
    counted = {"served": 0, "logins": 0}
    async with Watch(url) as calm:
        await asyncio.sleep(2)
    async with Watch(url) as watch:
        began = time.monotonic()
        villain = fresh("villain")
        await asyncio.gather(
            ask_and_log_in(url, villain, began, counted),
            poll(url, fresh("poller"), began),
            tell_nonsense(url, fresh("fool"), began),
        )
        took = time.monotonic() - began
    events = await heard(watcher, villain)
    watcher.cut()
    allowed, let_in = AT_ONCE + REQUESTS * took, LOGINS_AT_ONCE + LOGINS * took
    good = (
        counted["served"] <= allowed + REQUESTS
        and counted["logins"] <= let_in + LOGINS
        and events <= 2 * counted["logins"] + 2
        and watch.p99 < 25 + 2 * calm.p99
    )
    return good, (
        f"{counted['served']} requests served of {allowed:.0f} allowed, {counted['logins']} logins of"
        f" {let_in:.0f}, {events} events at a watcher, {watch}; before: {calm}"
    )


async def ask_and_log_in(url: str, account: str, began: float, counted: dict[str, int]) -> None:
    """Log out and in on one connection for as long as that is let in, then on new ones, asking in between."""
    wire = None
    while time.monotonic() - began < SECONDS:
        try:
            wire = wire or await Wire.open(url)
            if (await wire.login(account))["result"] != "ok":
                wire.cut()
                wire = None
                continue
            counted["logins"] += 1
            asked = [wire.asked("user_query_user_status", account="nobody") for _ in range(ROUND)]
            await wire.send(*(frame for _, frame in asked))
            bodies = [await wire.answer(call_id) for call_id, _ in asked]
            counted["served"] += sum(body["result"] == "ok" for body in bodies)
            await wire.call("user_logout")
        except Closed:
            wire = None
    if wire is not None:
        wire.cut()


async def poll(url: str, account: str, began: float) -> None:
    """What SDKs do by themselves, without end."""
    wire = await Wire.open(url)
    await wire.login(account)
    while time.monotonic() - began < SECONDS:
        asked = [wire.asked(func, ver_clear=0) for func in ("user_getmsg", "user_ack") for _ in range(50)]
        await wire.send(*(frame for _, frame in asked))
        for call_id, _ in asked:
            await wire.answer(call_id)
    wire.cut()


async def tell_nonsense(url: str, account: str, began: float) -> None:
    """What cannot be served, and what is no request at all."""
    wire = await Wire.open(url)
    await wire.login(account)
    number = 0
    while time.monotonic() - began < SECONDS:
        number += 1
        asked = [
            wire.asked(func, rid=fresh("r")) for func in ("no_such_function", "user_sendmsg", "voip_invite")
        ]
        frames = [frame for _, frame in asked]
        await wire.send(*frames * 40, ["set_flag", {"binary": 1}], ["nothing", 1], ["ping", number])
        await wire.wait(lambda frame, number=number: frame == ["pong", number])
        wire.aside.clear()
    wire.cut()


async def heard(watcher: Wire, account: str) -> int:
    """How many events of this account came at the watcher."""
    call_id, frame = watcher.asked("user_query_user_status", account="nobody")
    await watcher.send(frame)
    await watcher.answer(call_id)
    return sum(account in json.dumps(frame) for frame in watcher.aside)


run(attack)
