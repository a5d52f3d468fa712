"""Echo every message to its sender, and every message of a channel into the channel.

python examples/echo_bot.py [ACCOUNT] [CHANNEL]     Start `make run` first; stop with Ctrl-C.
SIGNALPOST_URL, SIGNALPOST_APP and SIGNALPOST_TOKEN say where, and with what.
"""

import asyncio
import contextlib
import os
import sys

from signalpost.client import Channel, ChannelMessage, Client, MessageError, connect

URL = os.environ.get("SIGNALPOST_URL", "ws://127.0.0.1:8080/")
APP = os.environ.get("SIGNALPOST_APP", "demo")
TOKEN = os.environ.get("SIGNALPOST_TOKEN", "any")


async def echo_messages(me: Client) -> None:
    async for message in me.messages():
        try:
            if message.sender != me.account:
                await me.send(message.sender, message.text)
        except MessageError as error:  # too many a second, or the sender's inbox is full
            print(error, file=sys.stderr)


async def echo_channel(me: Client, room: Channel) -> None:
    async for event in room:
        try:
            if isinstance(event, ChannelMessage) and event.sender != me.account:
                await room.send(f"{event.sender}: {event.text}")
        except MessageError as error:
            print(error, file=sys.stderr)


async def main(account: str = "echo", channel: str = "echoes") -> None:
    async with connect(URL, app_id=APP, account=account, token=TOKEN) as me, me.join(channel) as room:
        print(account, "listens, also in", channel, flush=True)
        await asyncio.gather(echo_messages(me), echo_channel(me, room))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
