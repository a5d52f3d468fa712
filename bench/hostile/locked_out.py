"""Anybody fills somebody's inbox at the legal rate with texts that grow when they are encoded (SPEC E5).

The victim logs in all the same, as any client kind, and gets all of it in order.
"""

from __future__ import annotations

import asyncio

from wire import DEVICES, Closed, Wire, fresh, run

CONTENTS = {"U+0001": (140, "\x01" * 8196), "quotes": (140, '"' * 8196), "emoji": (500, "\U0001f600" * 2049)}


async def attack(url: str) -> tuple[bool, str]:
    told = []
    good = True
    for name, (count, content) in CONTENTS.items():
        victims = [(device, fresh("victim")) for device in DEVICES]
        await asyncio.gather(*(fill(url, victim, content, count) for _, victim in victims))
        for device, victim in victims:
            got = await came(url, victim, device, count)
            good &= got == count
            told.append(f"{name}/{device} {got} of {count}")
    return good, "came: " + ", ".join(told)


async def fill(url: str, account: str, content: str, count: int) -> None:
    """Send the messages to an account that is away."""
    villain = await Wire.open(url)
    await villain.login(fresh("villain"))
    for _ in range(count):
        await villain.message(account, content)
    villain.cut()


async def came(url: str, account: str, device: str, count: int) -> int | str:
    """How many of the messages came in order at a reader of 1 MB/s."""
    wire = await Wire.open(url, pace=1e6, buffer=32 * 1024)
    try:
        if (await wire.login(account, device))["result"] != "ok":
            return "refused"
        versions = [version for version, _ in await wire.inbox(count)]
    except Closed as error:
        return str(error)
    finally:
        wire.cut()
    return len(set(versions)) if versions == sorted(versions) else "out of order"


run(attack)
