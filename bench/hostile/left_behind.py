"""Requests of every kind with fresh ids and fresh names, as fast as they are taken (SPEC E5, M7, M10).

What the server remembers of them is bounded by the rates; a confirmation or a refused message is no way
around. The server has to run on this machine: its memory is read from /proc.
"""

from __future__ import annotations

import asyncio
import time

from process import megabytes, serving

from wire import Closed, Watch, Wire, fresh, run

SECONDS = 8.0
ALLOWED = 80  # MB: a burst and some seconds of the sustained rate, of each
FUNCTIONS = (
    "voip_invite_ack",
    "voip_invite_bye",
    "voip_invite",
    "user_sendmsg",
    "channel_sendmsg",
    "user_set_attr",
    "channel_set_attr",
    "channel_leave",
    "user_getmsg",
    "no_such_function",
)


async def attack(url: str) -> tuple[bool, str]:
    server = serving(url)
    async with Watch(url) as calm:
        await asyncio.sleep(2)
    before = megabytes(server)
    async with Watch(url) as watch:
        served = await asyncio.gather(*(flood(url, func) for func in FUNCTIONS))
    grown = megabytes(server) - before
    good = grown < ALLOWED and watch.p99 < 25 + 2 * calm.p99
    told = ", ".join(f"{func} {count}" for func, count in zip(FUNCTIONS, served, strict=True))
    return good, f"+{grown:.0f} MB in {SECONDS:g} s; served: {told}; {watch}; before: {calm}"


async def flood(url: str, func: str) -> int:
    """Ask the same with other names and ids for a while; how often that was served."""
    wire = await Wire.open(url)
    await wire.login(fresh(func), "signalpost-hostile")
    end, number, served = time.monotonic() + SECONDS, 0, 0
    try:
        while time.monotonic() < end:
            asked = []
            for _ in range(100):
                number += 1
                name = f"{number:x}".rjust(128, "n")
                names = dict.fromkeys(("name", "channel", "account", "peer", "channelName"), name)
                texts = {"content": "x", "msg": "x", "value": "v", "extra": "", "ver_clear": 0, "force": True}
                asked.append(wire.asked(func, **names, **texts, rid=f"{number:x}".rjust(128, "r")))
            await wire.send(*(frame for _, frame in asked))
            served += sum([(await wire.answer(call_id))["result"] == "ok" for call_id, _ in asked])
            wire.aside.clear()
    except Closed:
        pass
    wire.cut()
    return served


run(attack)
