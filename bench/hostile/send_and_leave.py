"""Messages and what ends their session in one write: a logout, or another login behind it (SPEC M11).

What was delivered was not reported as failed, what was reported as sent was delivered, and the logout is
answered last.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from wire import DEVICES, Closed, Wire, fresh, run

COUNTS = (1, 7, 59)


async def attack(url: str) -> tuple[bool, str]:
    tried = Tried()
    for device in DEVICES:
        for count in COUNTS:
            for end in (log_out, kicked):
                tried += await end(url, device, count)
    return tried == Tried(tried.sent), str(tried)


class Tried(NamedTuple):
    """How many messages were sent, and what was wrong with them."""

    sent: int = 0
    delivered_but_failed: int = 0
    delivered_but_unanswered: int = 0
    lost: int = 0  # said to be sent, and never delivered
    out_of_order: int = 0  # of all tries

    def __add__(self, other: Tried) -> Tried:  # type: ignore[override]
        return Tried(*map(sum, zip(self, other, strict=True)))

    def __str__(self) -> str:
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in self._asdict().items())


async def log_out(url: str, device: str, count: int) -> Tried:
    """Sends and a logout in one write."""
    wire, friend = await Wire.open(url), fresh("friend")
    await wire.login(fresh("sender"), device)
    asked = [wire.asked("user_sendmsg", peer=friend, t="instant", content=str(n)) for n in range(count)]
    bye = wire.asked("user_logout")
    await wire.send(*(frame for _, frame in asked), bye[1])
    order = await answers(wire, {call_id for call_id, _ in (*asked, bye)})
    wire.cut()
    results = {str(n): order.get(call_id) for n, (call_id, _) in enumerate(asked)}
    ids = list(order)
    return await outcome(url, friend, results, ids == sorted(ids) and ids[-1:] == [bye[0]])


async def kicked(url: str, device: str, count: int) -> Tried:
    """Sends, and another login of the account in the same moment."""
    wire, friend, account = await Wire.open(url), fresh("friend"), fresh("sender")
    await wire.login(account, device)
    other = await Wire.open(url)
    asked = [wire.asked("user_sendmsg", peer=friend, t="instant", content=str(n)) for n in range(count)]
    _, order, _ = await asyncio.gather(
        wire.send(*(frame for _, frame in asked)),
        answers(wire, {call_id for call_id, _ in asked}),
        other.login(account, device),
    )
    wire.cut()
    other.cut()
    results = {str(n): order.get(call_id) for n, (call_id, _) in enumerate(asked)}
    return await outcome(url, friend, results, list(order) == sorted(order))


async def answers(wire: Wire, wanted: set[int]) -> dict[int, str]:
    """The results of calls in the order in which they came, as far as they came."""
    got: dict[int, str] = {}
    try:
        while wanted - got.keys():
            frame: Any = await wire.wait(lambda frame: frame[0] in ("call2-ret", "kick"))
            if frame[0] == "kick":
                break
            got[frame[1][0]] = "ok" if '"result":"ok"' in frame[1][2].replace(" ", "") else "failed"
    except Closed:
        pass
    return got


async def outcome(url: str, friend: str, results: dict[str, str | None], in_order: bool) -> Tried:
    """What was said, beside what came."""
    reader = await Wire.open(url)
    await reader.login(friend)
    came = []
    while True:
        seen = 0 if not came else int(came[-1][0])
        news = (await reader.call("user_getmsg", ver_clear=seen, max=30))["msgs"]
        came += [(version, line.rsplit(" ", 1)[-1]) for version, line in news if version > seen]
        if not news:
            break
    reader.cut()
    delivered = {text for _, text in came}
    return Tried(
        len(results),
        sum(result == "failed" and text in delivered for text, result in results.items()),
        sum(result is None and text in delivered for text, result in results.items()),
        sum(result == "ok" and text not in delivered for text, result in results.items()),
        not in_order,
    )


run(attack)
