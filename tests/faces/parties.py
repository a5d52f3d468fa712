"""Each face as a party of a conversation: the same few things to do and to hear, whatever their names."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

from signalpost.android import AgoraAPIOnlySignal, ICallBack
from signalpost.client import Call, CallAccepted, CallEnded, Channel, ChannelMessage, Client, connect
from signalpost.web import Channel as WebChannel
from signalpost.web import Session, Signal
from support.party_process import PartyProcess
from support.python_sdk import Sdk
from support.server import ServerProcess

__all__ = ["KINDS", "NativeParty", "Party"]

WAIT = 20.0  # seconds after which what was not heard is missing


class Party(ABC):
    """Somebody who is logged in. What is heard comes in order, each kind by itself."""

    needs: tuple[str, ...] = ()  #: the fixtures whose values the constructor takes besides

    def __init__(self, server: ServerProcess, app: str, account: str) -> None:
        self.server = server
        self.app = app
        self.account = account
        self._heard: defaultdict[str, asyncio.Queue[tuple[Any, ...]]] = defaultdict(asyncio.Queue)

    def tell(self, what: str, *args: Any) -> None:
        """Something was heard."""
        self._heard[what].put_nowait(args)

    async def hear(self, what: str) -> tuple[Any, ...]:
        """The next thing of this kind: `message` or `said` (sender, text), `rings` (peer, channel),
        `accepted` or `ended` (peer), `sent`, `joined`, `out`."""
        try:
            return await asyncio.wait_for(self._heard[what].get(), WAIT)
        except TimeoutError:
            raise AssertionError(f"{self.account} misses {what!r}; unheard: {self.unheard()}") from None

    def unheard(self) -> dict[str, list[tuple[Any, ...]]]:
        """What came and was not asked for, by its kind; it is taken away."""
        return {
            what: [queue.get_nowait() for _ in range(queue.qsize())]
            for what, queue in self._heard.items()
            if not queue.empty()
        }

    @abstractmethod
    async def enter(self) -> None:
        """Log in."""

    @abstractmethod
    async def send(self, peer: str, text: str) -> None:
        """Send a message, and wait until it is stored."""

    @abstractmethod
    async def join(self, name: str) -> None:
        """Join a channel."""

    @abstractmethod
    async def say(self, text: str) -> None:
        """Say something in the channel."""

    @abstractmethod
    async def invite(self, channel: str, peer: str) -> None:
        """Call somebody."""

    @abstractmethod
    async def accept(self, channel: str, peer: str) -> None:
        """Accept somebody's call."""

    @abstractmethod
    async def end(self, channel: str, peer: str) -> None:
        """End the call."""

    @abstractmethod
    async def leave(self) -> None:
        """Log out, and let go of everything."""


class NativeParty(Party):
    """`signalpost.client`."""

    async def enter(self) -> None:
        self._me: Client = await connect(self.server.url, app_id=self.app, account=self.account, token="any")
        self._calls: dict[str, Call] = {}
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._pick_up())]

    async def _read(self) -> None:
        async for message in self._me.messages():
            self.tell("message", message.sender, message.text)

    async def _pick_up(self) -> None:
        async for call in self._me.invites():
            self._follow(call)
            self.tell("rings", call.peer, call.channel)

    def _follow(self, call: Call) -> None:
        self._calls[call.peer] = call
        self._tasks.append(asyncio.create_task(self._watch(call)))

    async def _watch(self, call: Call) -> None:
        async for event in call:
            if isinstance(event, CallAccepted):
                self.tell("accepted", call.peer)
            elif isinstance(event, CallEnded):
                self.tell("ended", call.peer)

    async def _listen(self, room: Channel) -> None:
        async for event in room:
            if isinstance(event, ChannelMessage):
                self.tell("said", event.sender, event.text)

    async def send(self, peer: str, text: str) -> None:
        await self._me.send(peer, text)

    async def join(self, name: str) -> None:
        self._room = await self._me.join(name)
        self._tasks.append(asyncio.create_task(self._listen(self._room)))

    async def say(self, text: str) -> None:
        await self._room.send(text)

    async def invite(self, channel: str, peer: str) -> None:
        self._follow(await self._me.invite(peer, channel))

    async def accept(self, channel: str, peer: str) -> None:
        await self._calls[peer].accept()

    async def end(self, channel: str, peer: str) -> None:
        await self._calls[peer].end()

    async def leave(self) -> None:
        await self._me.logout()
        await asyncio.gather(*self._tasks)


class WebParty(Party):
    """`signalpost.web`."""

    async def enter(self) -> None:
        session: Session = Signal(self.app, url=self.server.url).login(self.account, "any")
        self._session = session
        self._channel: WebChannel | None = None
        self._calls: dict[str, Any] = {}
        session.onLoginSuccess = lambda uid: self.tell("in")
        session.onLogout = lambda code: self.tell("out", code)
        session.onMessageInstantReceive = lambda account, uid, text: self.tell("message", account, text)
        session.onInviteReceived = self._rings
        await self.hear("in")

    def _rings(self, call: Any) -> None:
        self._follow(call)
        self.tell("rings", call.peer, call.channelName)

    def _follow(self, call: Any) -> None:
        self._calls[call.peer] = call
        call.onInviteAcceptedByPeer = lambda extra: self.tell("accepted", call.peer)
        call.onInviteEndByPeer = lambda extra: self.tell("ended", call.peer)
        call.onInviteEndByMyself = lambda extra: self.tell("ended", call.peer)

    async def send(self, peer: str, text: str) -> None:
        self._session.messageInstantSend(peer, text, lambda failed, *why: self.tell("sent", failed))
        assert await self.hear("sent") == (False,)

    async def join(self, name: str) -> None:
        self._channel = self._session.channelJoin(name)
        self._channel.onChannelJoined = lambda: self.tell("joined")
        self._channel.onMessageChannelReceive = lambda account, uid, text: self.tell("said", account, text)
        await self.hear("joined")

    async def say(self, text: str) -> None:
        assert self._channel is not None
        self._channel.messageChannelSend(text, lambda *failed: self.tell("sent", *failed))
        assert await self.hear("sent") == ()

    async def invite(self, channel: str, peer: str) -> None:
        self._follow(self._session.channelInviteUser2(channel, peer, ""))

    async def accept(self, channel: str, peer: str) -> None:
        self._calls[peer].channelInviteAccept("")

    async def end(self, channel: str, peer: str) -> None:
        self._calls[peer].channelInviteEnd()

    async def leave(self) -> None:
        self._session.logout()
        assert await self.hear("out") == (101,)


class _Teller(ICallBack):
    """Callbacks of the Android-shaped face, told on the test's loop."""

    def __init__(self, party: Party) -> None:
        self._party = party
        self._loop = asyncio.get_running_loop()

    def _tell(self, what: str, *args: Any) -> None:
        self._loop.call_soon_threadsafe(self._party.tell, what, *args)

    def onLoginSuccess(self, uid: int, fd: int) -> None:
        self._tell("in")

    def onLogout(self, ecode: int) -> None:
        self._tell("out", ecode)

    def onMessageSendSuccess(self, messageID: str) -> None:
        self._tell("sent", messageID)

    def onMessageInstantReceive(self, account: str, uid: int, msg: str) -> None:
        self._tell("message", account, msg)

    def onChannelJoined(self, channelID: str) -> None:
        self._tell("joined", channelID)

    def onMessageChannelReceive(self, channelID: str, account: str, uid: int, msg: str) -> None:
        self._tell("said", account, msg)

    def onInviteReceived(self, channelID: str, account: str, uid: int, extra: str) -> None:
        self._tell("rings", account, channelID)

    def onInviteAcceptedByPeer(self, channelID: str, account: str, uid: int, extra: str) -> None:
        self._tell("accepted", account)

    def onInviteEndByPeer(self, channelID: str, account: str, uid: int, extra: str) -> None:
        self._tell("ended", account)

    def onInviteEndByMyself(self, channelID: str, account: str, uid: int) -> None:
        self._tell("ended", account)


class AndroidParty(Party):
    """`signalpost.android`."""

    async def enter(self) -> None:
        self._signal = AgoraAPIOnlySignal.createAgoraSDKInstance(None, self.app, url=self.server.url)
        self._signal.callbackSet(_Teller(self))
        self._signal.login(self.app, self.account, "any", 0, "")
        await self.hear("in")
        self._room = ""

    async def send(self, peer: str, text: str) -> None:
        self._signal.messageInstantSend(peer, 0, text, "m")
        assert await self.hear("sent") == ("m",)

    async def join(self, name: str) -> None:
        self._signal.channelJoin(name)
        assert await self.hear("joined") == (name,)
        self._room = name

    async def say(self, text: str) -> None:
        self._signal.messageChannelSend(self._room, text, "c")
        assert await self.hear("sent") == ("c",)

    async def invite(self, channel: str, peer: str) -> None:
        self._signal.channelInviteUser(channel, peer, 0)

    async def accept(self, channel: str, peer: str) -> None:
        self._signal.channelInviteAccept(channel, peer, 0, "")

    async def end(self, channel: str, peer: str) -> None:
        self._signal.channelInviteEnd(channel, peer, 0)

    async def leave(self) -> None:
        self._signal.logout()
        assert await self.hear("out") == (101,)
        await asyncio.to_thread(self._signal.destroy)


class OldPythonParty(Party):
    """The Python SDK 1.0.2, unmodified."""

    needs = ("sdk_python",)

    def __init__(self, server: ServerProcess, app: str, account: str, python: Path) -> None:
        super().__init__(server, app, account)
        self._python = python

    async def enter(self) -> None:
        self._sdk = Sdk(self._python, self.server, self.account, app=self.app)
        await self._sdk.start("any")
        self._reader = asyncio.create_task(self._read())
        await self._sdk.do("login")
        await self.hear("in")

    async def _read(self) -> None:
        while line := await self._sdk.output.readline():
            match json.loads(line):
                case ["on_login_success", *_]:
                    self.tell("in")
                case ["on_logout", code]:
                    self.tell("out", code)
                case ["on_msg_send_success"]:
                    self.tell("sent")
                case ["on_msg_instant_received", account, _, text]:
                    self.tell("message", account, text)
                case ["on_channel_joined"]:
                    self.tell("joined")
                case ["on_msg_channel_received", account, _, text]:
                    self.tell("said", account, text)
                case ["on_invite_received", channel, peer, _]:
                    self.tell("rings", peer, channel)
                case ["on_invite_accepted_by_peer", _]:
                    self.tell("accepted", self._peer)
                case ["on_invite_end_by_peer" | "on_invite_end_by_myself", _]:
                    self.tell("ended", self._peer)

    async def send(self, peer: str, text: str) -> None:
        await self._sdk.do("send", peer, text)
        await self.hear("sent")

    async def join(self, name: str) -> None:
        await self._sdk.do("join", name)
        await self.hear("joined")

    async def say(self, text: str) -> None:
        await self._sdk.do("say", text)

    async def invite(self, channel: str, peer: str) -> None:
        self._peer = peer
        await self._sdk.do("invite", channel, peer, "")

    async def accept(self, channel: str, peer: str) -> None:
        self._peer = peer
        await self._sdk.do("accept", peer)

    async def end(self, channel: str, peer: str) -> None:
        self._peer = peer
        await self._sdk.do("end", peer)

    async def leave(self) -> None:
        await self._sdk.do("logout")
        assert await self.hear("out") == (101,)
        await self._sdk.end()
        await self._reader


class GuestParty(Party):
    """A party in a process of another language; `wrong` is what its SDK should not have told it."""

    def __init__(self, server: ServerProcess, app: str, account: str, process: PartyProcess) -> None:
        super().__init__(server, app, account)
        self._loop = asyncio.get_running_loop()
        self._do = process.open(self._told)

    def _told(self, what: str, *args: Any) -> None:
        with suppress(RuntimeError):  # the loop of a test that failed meanwhile is closed
            self._loop.call_soon_threadsafe(self.tell, what, *args)

    async def enter(self) -> None:
        self._do("enter", self.server.url, self.app, self.account)
        await self.hear("in")

    async def send(self, peer: str, text: str) -> None:
        self._do("send", peer, text)
        await self.hear("sent")

    async def join(self, name: str) -> None:
        self._do("join", name)
        assert await self.hear("joined") == (name,)

    async def say(self, text: str) -> None:
        self._do("say", text)
        await self.hear("sent")

    async def invite(self, channel: str, peer: str) -> None:
        self._do("invite", channel, peer)

    async def accept(self, channel: str, peer: str) -> None:
        self._do("accept", channel, peer)

    async def end(self, channel: str, peer: str) -> None:
        self._do("end", channel, peer)

    async def leave(self) -> None:
        self._do("leave")
        assert await self.hear("out") == (101,)
        await self.hear("gone")


class JavaParty(GuestParty):
    """`io.agora` of the Java SDK."""

    needs = ("java_process",)


class NodeParty(GuestParty):
    """The built `signal.js` of the web SDK."""

    needs = ("node_process",)


KINDS: dict[str, type[Party]] = {
    "native": NativeParty,
    "web": WebParty,
    "android": AndroidParty,
    "python 1.0.2": OldPythonParty,
    "java": JavaParty,
    "signal.js": NodeParty,
}
