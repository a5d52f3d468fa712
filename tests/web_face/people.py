"""Users of the web-shaped face for tests: all that callbacks are told is kept, and has to be expected."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from signalpost.client.settings import Settings
from signalpost.web import Call, Channel, Session, Signal
from web_face.names import CALLBACKS

__all__ = ["QUICK", "STATUS", "WAIT", "House", "User"]

WAIT = 20.0  # seconds that a callback may take
QUICK = Settings(retry_first=0.05, retry_most=0.1)  # reconnects that a test can wait for
STATUS = "io.agora.signal.user_query_user_status"

EXTRAS = ("onReconnecting", "onReconnected", "onError")


class User:
    """One session, and the objects that come of it. What callbacks are told lies in one queue, as a tuple of
    the callback's name and its arguments; `onInviteReceived` has the call itself."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.told: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.watch(session, *CALLBACKS["Session"], *EXTRAS)
        session.onInviteReceived = self._ring

    def watch(self, thing: Any, *names: str, label: str = "") -> None:
        """Keep what these callbacks are told; `label` tells two objects of a kind apart."""
        for name in names:
            assert getattr(thing, name) is None
            setattr(thing, name, self.answer(label + name))

    def answer(self, label: str) -> Any:
        """A function for `cb`."""
        return lambda *args: self.told.put_nowait((label, *args))

    def _ring(self, call: Call) -> None:
        self.watch(call, *CALLBACKS["Call"])
        self.told.put_nowait(("onInviteReceived", call))

    # --- doing ------------------------------------------------------------------------------------

    def channel(self, name: Any, label: str = "") -> Channel:
        """Begin to join."""
        channel = self.session.channelJoin(name)
        self.watch(channel, *CALLBACKS["Channel"], label=label)
        return channel

    async def join(self, name: str, *others: str, label: str = "") -> Channel:
        """Be in a channel, with these others in it, and no attributes."""
        channel = self.channel(name, label)
        await self.expect(f"{label}onChannelJoined")
        members = [[account, 0] for account in (*others, self.session.account)]
        await self.expect(f"{label}onChannelUserList", members)
        return channel

    def invite(self, channel: Any, peer: Any, extra: Any = "") -> Call:
        """Begin to call."""
        call = self.session.channelInviteUser2(channel, peer, extra)
        self.watch(call, *CALLBACKS["Call"])
        return call

    # --- expecting --------------------------------------------------------------------------------

    async def next(self) -> tuple[Any, ...]:
        """The next thing that a callback is told."""
        return await asyncio.wait_for(self.told.get(), WAIT)

    async def expect(self, *told: Any) -> None:
        """The next thing is this one."""
        got = await self.next()
        assert got == told

    async def expect_failure(self, code: int) -> str:
        """The next thing is `onInviteFailed` with this code; the reason."""
        name, extra = await self.next()
        assert name == "onInviteFailed"
        said = json.loads(extra)
        assert said.keys() == {"code", "reason"}
        assert said["code"] == code
        return str(said["reason"])

    async def rings(self, channel: str, peer: str, extra: str = "") -> Call:
        """The next thing is this invitation."""
        name, call = await self.next()
        assert name == "onInviteReceived"
        assert call.toJSON() == {"channelName": channel, "peer": peer, "extra": extra}
        assert isinstance(call, Call)
        return call

    async def quiet(self) -> None:
        """Nothing more has been told, also not of what the server has said by now."""
        if self.session.state == 2:
            self.session.invoke(STATUS, {"account": "nobody"}, self.answer("quiet"))
            await self.expect("quiet", "", {"result": "ok", "status": 0})
        for _ in range(3):
            await asyncio.sleep(0)
        assert self.told.empty(), self.told.get_nowait()


class House:
    """An app, and its users; all that they are told has to be expected before the test ends."""

    def __init__(self, url: str, app: str = "") -> None:
        self.url = url
        self.app = app or f"app-{uuid.uuid4().hex}"
        self.users: list[User] = []

    def signal(self, settings: Settings | None = None, url: str = "") -> Signal:
        """A client of the app."""
        return Signal(self.app, url or self.url, settings=settings)

    def enter(
        self, account: Any, *args: Any, signal: Signal | None = None, token: Any = "any", url: str = ""
    ) -> User:
        """Begin to log in; `args`: count and time of reconnects."""
        user = User((signal or self.signal(QUICK, url)).login(account, token, *args))
        self.users.append(user)
        return user

    async def user(self, account: Any, *args: Any, **more: Any) -> User:
        """Be logged in."""
        user = self.enter(account, *args, **more)
        await user.expect("onLoginSuccess", 0)
        return user

    async def close(self) -> None:
        """Nothing was told that was not expected; everybody logs out."""
        try:
            for user in self.users:
                await user.quiet()
        finally:
            for user in self.users:
                if user.session.state:
                    over = asyncio.Event()
                    user.session.onLogout = user.session.onLoginFailed = lambda code, over=over: over.set()
                    user.session.logout()
                    await asyncio.wait_for(over.wait(), WAIT)
