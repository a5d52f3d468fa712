"""Requests of every kind with fresh ids and fresh names, as fast as they are taken (SPEC E5, M7, M10).

What the server remembers of them is bounded by the rates; a confirmation or a refused message is no way
around. The server has to run on this machine: its memory is read from /proc.
"""

from __future__ import annotations

import time

from process import megabytes, serving

from wire import Closed, Watch, Wire, fresh, run

SECONDS = 3.0
MEGABYTES = 12  # of one account: its burst, some seconds of its rate, and what memory rounds up
CALLS = 30  # likewise, for invitations, which make calls, inboxes and timers
FUNCTIONS = (
    "voip_invite_ack",
    "voip_invite_bye",
    "voip_invite_msg",
    "voip_invite",
    "user_sendmsg",
    "channel_sendmsg",
    "user_set_attr",
    "channel_set_attr",
    "channel_leave",
    "channel_join",
    "user_getmsg",
    "user_ack",
    "no_such_function",
)


async def attack(url: str) -> tuple[bool, str]:
    server = serving(url)
    told, good = [], True
    async with Watch(url) as watch:
        for func in FUNCTIONS:
            before = megabytes(server)
            asked, served = await flood(url, func)
            grown = megabytes(server) - before
            good &= grown < (CALLS if func == "voip_invite" else MEGABYTES)
            told.append(f"{func} {served} of {asked} served, +{grown:.1f} MB")
    return good, f"{'; '.join(told)}; {watch}"


async def flood(url: str, func: str) -> tuple[int, int]:
    """Ask the same with other names and ids for a while; how often it was asked and served."""
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
    return number, served


run(attack)
