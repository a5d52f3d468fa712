"""A stranger sets attributes that make the answer to a join large; somebody joins (SPEC E5).

The join stands in one chunk with other requests, and events and messages come meanwhile. At 1 MB/s all of it
is answered in order, as any client kind.
"""

from __future__ import annotations

import asyncio

from wire import DEVICES, MEGABYTE, Closed, Watch, Wire, fresh, run

VALUES = {"control characters": "\x01" * 8096, "quotes": '"' * 8096, "backslashes": "\\" * 8096}
JOINS = 3  # of each client kind, all in one chunk


async def attack(url: str) -> tuple[bool, str]:
    told = []
    good = True
    async with Watch(url) as watch:
        for name, value in VALUES.items():
            room = fresh("room")
            villain = await Wire.open(url)
            await villain.login(fresh("villain"))
            for number in range(100):
                await villain.done("channel_set_attr", channel=room, name=f"a{number}", value=value)
            results = await asyncio.gather(*(join(url, device, room) for device in DEVICES))
            good &= all(result == "ok" for result in results)
            told += [f"{name}/{device} {result}" for device, result in zip(DEVICES, results, strict=True)]
    return good, f"{', '.join(told)}; {watch}"


async def join(url: str, device: str, room: str) -> str:
    """How several joins in one chunk went at a reader of 1 MB/s."""
    account = fresh("victim")
    wire = await Wire.open(url, pace=MEGABYTE, buffer=32 * 1024)
    friend = await Wire.open(url)
    try:
        await friend.login(fresh("friend"))
        await wire.login(account, device)
        asked = []
        for _ in range(JOINS):
            asked.append(wire.asked("channel_join", name=room))
            asked.append(wire.asked("channel_query_num", name=room))
            asked.append(wire.asked("user_sendmsg", peer=account, t="instant", content="to oneself"))
        await wire.send(*(frame for _, frame in asked))
        for _ in range(20):
            await friend.call("user_sendmsg", peer=account, t="instant", content="x" * 8000)
            await friend.call("channel_sendmsg", name=room, msg="y" * 8000, force=True)
        wanted = sorted(call_id for call_id, _ in asked)
        answered = []
        while len(answered) < len(wanted):
            frame = await wire.wait(lambda frame: frame[0] == "call2-ret")
            answered.append(frame[1][0])
        return "ok" if sorted(answered) == wanted else f"answered {answered}"
    except Closed as error:
        return str(error)
    finally:
        wire.cut()
        friend.cut()


run(attack)
