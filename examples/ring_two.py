"""A back end that rings two users, and lets them talk when both have accepted.

python examples/ring_two.py ada bo      Needs a server with [api]: see docs/server-api.md.
SIGNALPOST_API, SIGNALPOST_APP and SIGNALPOST_KEY say where, and with what.
"""

import asyncio
import os
import sys
import uuid

from signalpost.admin import Admin, AdminError
from signalpost.api.types import Call

URL = os.environ.get("SIGNALPOST_API", "http://127.0.0.1:8082")
APP = os.environ.get("SIGNALPOST_APP", "myapp")
OFFICE = "office"  # in whose name it rings; nobody has to be logged in as that


async def accepted(admin: Admin, call: Call) -> bool:
    """Whether the one who is rung has accepted; the call is over if he refused, or did not answer."""
    while call.state != "accepted":
        await asyncio.sleep(0.5)
        try:
            call = await admin.call(call.id)
        except AdminError as error:
            if error.status != 404:
                raise
            return False
    return True


async def main(names: list[str]) -> int:
    async with Admin(URL, os.environ["SIGNALPOST_KEY"], APP) as admin:
        room = f"meeting-{uuid.uuid4().hex[:8]}"
        calls = [await admin.ring(name, caller=OFFICE, channel=room) for name in names]
        print(f"ringing {' and '.join(names)} into {room}", flush=True)
        answers = await asyncio.gather(*[accepted(admin, call) for call in calls])
        if all(answers):
            await admin.say(room, "You are connected.", sender=OFFICE)
            print("both are there", flush=True)
            return 0
        for call, answer in zip(calls, answers, strict=True):
            if answer:
                await admin.end_call(call.id, "the other one is not coming")
        print("somebody did not answer", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
