"""Chat in a channel from a terminal: what you type goes to all, Ctrl-D leaves. Start `make run` first.

channel_chat.py [URL [APP [ACCOUNT [CHANNEL]]]]
"""

import asyncio
import sys
import threading

from signalpost.web import Channel, Session, Signal

DEFAULTS = ["ws://127.0.0.1:8080/", "demo", "ada", "lobby"]


def lines_of_the_terminal() -> asyncio.Queue[str | None]:
    """What is typed, line by line; None at the end."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def join(session: Session, name: str, joined: asyncio.Event) -> Channel:
    channel = session.channelJoin(name)
    channel.onChannelJoined = joined.set
    channel.onChannelJoinFailed = lambda ecode: sys.exit(f"cannot join: {ecode}")
    channel.onChannelUserList = lambda users: print("* here:", *(account for account, _ in users))
    channel.onChannelUserJoined = lambda account, uid: print(f"* {account} came")
    channel.onChannelUserLeaved = lambda account, uid: print(f"* {account} went")
    channel.onMessageChannelReceive = lambda account, uid, msg: print(f"{account}: {msg}", flush=True)
    return channel


async def main(url: str, app: str, account: str, name: str) -> None:
    joined, over = asyncio.Event(), asyncio.Event()
    session = Signal(app, url).login(account, "_no_need_token")
    session.onLoginFailed = lambda ecode: sys.exit(f"cannot log in: {ecode}")
    session.onReconnecting = lambda attempt: print(f"* no connection, try {attempt}")
    session.onLogout = lambda ecode: print(f"* logged out: {ecode}; Enter ends")
    channel = join(session, name, joined)  # it waits for the login
    await joined.wait()
    lines = lines_of_the_terminal()
    while session.getStatus() and (line := await lines.get()) is not None:
        if line:
            channel.messageChannelSend(line, lambda *failure: failure and print("*", failure[0]["reason"]))
    session.onLogout = lambda ecode: over.set()
    if session.getStatus():
        channel.channelLeave(lambda *failure: session.logout())
        await over.wait()


asyncio.run(main(*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :]))
