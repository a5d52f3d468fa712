"""A member misses more of its channel than an outbox holds, and comes back (SPEC C9, E5).

Four speakers talk at the legal rate while it is away, in texts that are long, that grow when they are
encoded, or that are many. It reads 1 MB/s, and gets all that it has missed, in order: as one of ours with
and without its cursor, and as a web SDK that joins its kept place again. Its first try breaks in the middle:
what it has not read by then comes with the second, nothing is left out in between.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from wire import MEGABYTE, Closed, Watch, Wire, fresh, run

KINDS = {
    # how many texts each of the four speakers says, and what stands behind their numbers
    "long": (300, "x" * 7990),
    "growing": (40, "\x01" * 7990),
    "many": (600, "y"),
}
WAYS = ("cursor", "no cursor", "websdk")
BREAKS_AFTER = 200_000  # bytes of the first try


async def attack(url: str) -> tuple[bool, str]:
    told = []
    good = True
    async with Watch(url) as watch:
        for name, (count, text) in KINDS.items():
            results = await asyncio.gather(*(missed(url, way, count, text) for way in WAYS))
            good &= all(came == 4 * count for came in results)
            told += [f"{name}/{way} {came} of {4 * count}" for way, came in zip(WAYS, results, strict=True)]
    return good, f"came back: {', '.join(told)}; {watch}"


async def missed(url: str, way: str, count: int, text: str) -> int | str:
    """How many of the texts came to somebody who was away."""
    room, account = fresh("room"), fresh("member")
    device = "websdk" if way == "websdk" else "signalpost-python"
    speakers = [await Wire.open(url) for _ in range(4)]
    for speaker in speakers:
        await speaker.login(fresh("speaker"))
    member = await Wire.open(url)
    await member.login(account, device)
    joined = await member.call("channel_join", name=room)
    line = member.line
    member.cut()
    await asyncio.gather(
        *(speak(speaker, room, number, count, text) for number, speaker in enumerate(speakers))
    )
    for speaker in speakers:
        speaker.cut()
    more: dict[str, Any] = {} if way == "websdk" else {"line": line}
    if way == "cursor":
        more["channels"] = {room: [joined["epoch"], joined["id"]]}
    try:
        first = await come_back(url, account, device, room, more, bytes_read=BREAKS_AFTER)
        texts = await come_back(url, account, device, room, more, last=count - 1)
    except Closed as error:
        return str(error)
    came = 0
    for number in range(4):
        begun, numbers = numbers_of(first, number), numbers_of(texts, number)
        if numbers != list(range(count - len(numbers), count)):
            return "a gap, twice or out of order"
        came += len(set(begun) | set(numbers))
    return came


def numbers_of(texts: list[str], speaker: int) -> list[int]:
    """The numbers of a speaker's texts, as they came."""
    return [int(text.split(" ")[1]) for text in texts if text.startswith(f"{speaker} ")]


async def speak(speaker: Wire, room: str, number: int, count: int, text: str) -> None:
    """Say texts at the legal rate; a speaker is no member, and hears none of them."""
    for said in range(count):
        await speaker.done("channel_sendmsg", name=room, msg=f"{number} {said} {text}", force=True)


async def come_back(
    url: str,
    account: str,
    device: str,
    room: str,
    more: dict[str, Any],
    *,
    bytes_read: int = 0,
    last: int = -1,
) -> list[str]:
    """Log in again; the texts of the channel, until so much was read, or all speakers' last has come."""
    wire = await Wire.open(url, pace=MEGABYTE, buffer=32 * 1024)
    body = await wire.login(account, device, **more)
    if body["result"] != "ok" or (more and not body.get("resumed")):
        raise Closed(f"login: {body}")
    if device == "websdk":
        await wire.call("channel_join", name=room)
    texts: list[str] = []
    size = ends = 0
    while ends < 4 and not 0 < bytes_read <= size:
        frame = wire.aside.pop(0) if wire.aside else await wire.frame(within=5)
        if frame[0] == "notify" and frame[1][0] == "channel2" and " channel_msg " in frame[1][3]:
            text = json.loads(frame[1][3][frame[1][3].index("{") :])["msg"]
            texts.append(text)
            size += len(frame[1][3])
            ends += text.split(" ")[1] == str(last)
    wire.cut()
    return texts


run(attack)
