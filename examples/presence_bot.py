"""Say who comes online and who goes, and whether those named on the command line are there now.

python examples/presence_bot.py [ACCOUNT ...]     Start `make run` first; stop with Ctrl-C.
SIGNALPOST_URL, SIGNALPOST_APP and SIGNALPOST_TOKEN say where, and with what.
"""

import asyncio
import contextlib
import json
import os
import sys

from signalpost.client import ChannelMessage, connect

URL = os.environ.get("SIGNALPOST_URL", "ws://127.0.0.1:8080/")
APP = os.environ.get("SIGNALPOST_APP", "demo")
TOKEN = os.environ.get("SIGNALPOST_TOKEN", "any")


async def main(accounts: list[str]) -> None:
    async with (
        connect(URL, app_id=APP, account="presence-bot", token=TOKEN) as me,
        me.join("__agora_user_online") as news,
    ):
        for account in accounts:
            print(account, "is", "online" if await me.is_online(account) else "offline", flush=True)
        print("watching", flush=True)
        async for event in news:
            if isinstance(event, ChannelMessage):
                change = json.loads(event.text)
                print(change["account"], "came" if change["event"] == "online" else "went", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1:]))
