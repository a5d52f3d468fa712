"""Ada calls Bo, both in one program: he accepts, she presses keys, he hangs up.

python examples/call.py [CALLER] [CALLEE]     Start `make run` first.
SIGNALPOST_URL, SIGNALPOST_APP and SIGNALPOST_TOKEN say where, and with what.
"""

import asyncio
import os
import sys

from signalpost.client import CallAccepted, CallKeys, Client, connect

URL = os.environ.get("SIGNALPOST_URL", "ws://127.0.0.1:8080/")
APP = os.environ.get("SIGNALPOST_APP", "demo")
TOKEN = os.environ.get("SIGNALPOST_TOKEN", "any")


async def call(me: Client, peer: str) -> None:
    call = await me.invite(peer, extra={"video": False}, ring_seconds=20, require_online=True)
    outcome = await call.answered()  # CallError if nobody answers
    if not isinstance(outcome, CallAccepted):
        print(me.account, "was not answered:", outcome)
        return
    print(me.account, "was answered:", outcome.extra)
    async with me.join(call.channel) as room:
        print(me.account, "is in the call's channel with", len(room.members) - 1, "other")
        await call.dtmf("1#")
        await call.ended()
    print(me.account, "sees that the call is over")


async def answer(me: Client) -> None:
    ringing = await anext(me.invites())
    print(me.account, "is called by", ringing.peer, "with", ringing.extra)
    async with me.join(ringing.channel):
        await ringing.accept("hello")
        async for event in ringing:
            if isinstance(event, CallKeys):
                print(me.account, "hears the keys", event.keys)
                await ringing.end("bye")


async def main(caller: str = "ada", callee: str = "bo") -> None:
    async with (
        connect(URL, app_id=APP, account=caller, token=TOKEN) as ada,
        connect(URL, app_id=APP, account=callee, token=TOKEN) as bo,
    ):
        await asyncio.gather(call(ada, callee), answer(bo))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
