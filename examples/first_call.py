"""Ada writes to Bo, calls him, and hangs up, over two plain WebSockets. Start `make run` first."""

import asyncio
import json

from websockets.asyncio.client import ClientConnection, connect


async def login(account: str) -> ClientConnection:
    socket = await connect("ws://127.0.0.1:8080/")
    who = {"vid": "demo", "account": account, "token": "any", "device": "signalpost-python", "inbox": ["", 0]}
    await socket.send(json.dumps(["login", who]))
    print(account, await socket.recv())
    return socket


async def ask(account: str, socket: ClientConnection, function: str, **arguments: str | int) -> int:
    """Make a request; returns the last inbox version that came before its answer."""
    version = 0
    await socket.send(json.dumps(["call2", [function, 1, arguments]]))
    while not (text := str(await socket.recv())).startswith('["call2-ret"'):
        print(account, text)  # a message or a call event
        version = json.loads(json.loads(text)[1][1])[0]
    print(account, text)  # the answer
    return version


async def main() -> None:
    ada, bo = await login("ada"), await login("bo")
    await ask("ada", ada, "user_sendmsg", peer="bo", content="hello")
    await ask("ada", ada, "voip_invite", channelName="room", peer="bo", extra="")
    seen = await ask("bo", bo, "voip_invite_accept", channelName="room", peer="ada", extra="welcome")
    await ask("bo", bo, "user_ack", ver_clear=seen)
    await ask("ada", ada, "voip_invite_bye", channelName="room", peer="bo", extra="")
    await ask("bo", bo, "user_logout")
    await ask("ada", ada, "user_logout")


asyncio.run(main())
