"""Four readers ask for what takes 70 bytes to ask for and megabytes to answer, as fast as they can (SPEC E5).

They read all of it at once. The server goes on answering everybody else, as the bystander tells.
"""

from __future__ import annotations

import asyncio

from wire import Watch, Wire, fresh, run

READERS = 4
SECONDS = 6.0
PATIENCE = 75.0  # milliseconds that 99 of 100 pings of a bystander may take


async def attack(url: str) -> tuple[bool, str]:
    owner = fresh("owner")
    wire = await Wire.open(url)
    await wire.login(owner)
    for number in range(100):
        await wire.done("user_set_attr", name=f"a{number}", value="\x01" * 8096)
    async with Watch(url) as alone:
        await asyncio.sleep(2)
    async with Watch(url) as watch:
        sizes = await asyncio.gather(*(read(url, owner) for _ in range(READERS)))
    rate = sum(sizes) / SECONDS / 1e6
    return watch.p99 < PATIENCE, f"{rate:.0f} MB/s of answers; {watch}; without them {alone}"


async def read(url: str, owner: str) -> int:
    """Ask, read, and ask again; how many bytes came."""
    wire = await Wire.open(url)
    await wire.login(fresh("reader"))
    size = 0
    over = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < over:
        size += await wire.size_of("user_get_attr_all", account=owner)
    wire.cut()
    return size


run(attack)
