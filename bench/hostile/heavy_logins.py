"""An account logs in and out, and changes one byte, with a full inbox and 100 large attributes (SPEC E5).

The one does not read the inbox, the other does not write again what has not changed. What the server writes
is read from /proc: it has to run on this machine, with its data on a disk.
"""

from __future__ import annotations

import asyncio
import time

from process import serving, written

from wire import Closed, Watch, Wire, fresh, run

SECONDS = 4.0
MESSAGES, SENDERS = 9_900, 60
ATTRIBUTES, BYTES = 100, 8_000
WRITTEN = 8.0  # MB a second


async def attack(url: str) -> tuple[bool, str]:
    villain = fresh("villain")
    wire = await Wire.open(url)
    await wire.login(villain)
    for number in range(ATTRIBUTES):
        await describe(wire, f"a{number}", "x" * BYTES)
    wire.cut()
    await asyncio.gather(*(fill(url, villain) for _ in range(SENDERS)))
    server = serving(url)
    async with Watch(url) as calm:
        await asyncio.sleep(2)
    before = written(server)
    async with Watch(url) as watch:
        began = time.monotonic()
        changes = await change(url, villain, began)
        took = time.monotonic() - began
    rate = (written(server) - before) / took
    return watch.p99 < 25 + 2 * calm.p99 and rate < WRITTEN, (
        f"{changes} logins and changes with {MESSAGES} messages and {ATTRIBUTES * BYTES / 1e6:.1f} MB of"
        f" attributes, {rate:.1f} MB/s written, {watch}; before: {calm}"
    )


async def fill(url: str, account: str) -> None:
    """Send this sender's part of the messages, at the legal rate."""
    wire = await Wire.open(url)
    await wire.login(fresh("sender"))
    for _ in range(MESSAGES // SENDERS):
        await wire.done("user_sendmsg", peer=account, t="instant", content="x")
    wire.cut()


async def change(url: str, account: str, began: float) -> int:
    """Log in, change a byte, log out, and so on."""
    done, wire = 0, None
    while time.monotonic() - began < SECONDS:
        try:
            wire = wire or await Wire.open(url)
            if (await wire.login(account))["result"] != "ok":
                raise Closed("too many logins")
            for _ in range(10):
                await wire.call("user_set_attr", name="a0", value=f"{done}")
                done += 1
            await wire.call("user_logout")
        except Closed:
            wire = None
    return done


async def describe(wire: Wire, name: str, value: str) -> None:
    """Set an attribute, at the legal rate."""
    for _ in range(600):
        if (await wire.call("user_set_attr", name=name, value=value))["result"] == "ok":
            return
        await asyncio.sleep(0.1)
    raise Closed("no attribute can be set")


run(attack)
