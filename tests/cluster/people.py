"""People who use a server through whatever happens to it, and write down what they did and saw.

Each speaks one dialect, and comes back by itself: ours as its SDK does, with its line and its cursors, and
asks again what was not answered; web 1.4.0 afresh, with its memory of ids; Python 1.0.2, brought back by its
application, with nothing. None knows what a server should do: that is for the judge to say (`story`).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from cluster.story import ATTRIBUTE, JOIN, LEAVE, SAY, CallSide, Event, Said, Stay, Story
from support.client import Line, parse_line

__all__ = ["OURS", "PYTHON", "WATCHED", "WEB", "Person"]

OURS, WEB, PYTHON = "signalpost-python", "websdk", "javasdk"
WATCHED = "__agora_user_online"

_OPEN = 4.0  # seconds for a connection, and for the answer to a login
_BEAT = 1.0  # seconds between two pings
_DEAD = 6.0  # seconds of silence after which a connection is given up
_HANGS = 30.0  # seconds after which a request on a connection that lives should have been answered
_OVER = {"refused", "failed", "bye", "ended", "gone"}
_KINDS = {"channel_msg": SAY, "channel_user_join": JOIN, "channel_user_leave": LEAVE}

Body = dict[str, Any]


@dataclass
class _Request:
    """Something that was asked for."""

    func: str
    args: Body
    answer: asyncio.Future[Body | None]  # None: nobody will ever know
    outlives: bool  # it is asked again in another session, too
    then: Callable[[Body], None] | None  # what success does at once, before anything behind it is heard
    since: float = 0.0  # when it was last sent


class Person:
    """One account and its device.

    Many fields: it is an SDK and its application in one.
    """

    def __init__(self, story: Story, url: Callable[[], str], app: str, account: str, device: str) -> None:
        self.story = story
        self.url = url  # where the next connection goes
        self.app = app
        self.account = account
        self.device = device
        self.ours = device == OURS
        self.wanted: list[str] = []  # the channels that it wants to be in
        self.stays: dict[str, Stay] = {}  # the open ones, by channel
        self.calls: dict[str, CallSide] = {}  # the open ones, by channel
        self.rang: Callable[[Person, str, str], None] | None = None  # what it does when it is called
        self.logins = 0  # that succeeded
        self.resumed = 0  # of these, how many went on with the session
        self.here = asyncio.Event()  # it is logged in
        self._line = ""
        self._epoch = ""  # of the inbox
        self._cursor = 0  # the last version that it has taken
        self._cleared = 0  # the version up to which it has acknowledged
        self._ids: set[str] = set()  # of lines that it has seen, as 1.3.0 and 1.4.0 remember them
        self._versions: dict[tuple[str, int], str] = {}  # which text a version had
        # Under which version a message came first, by its sender and text.
        self._places: dict[tuple[str, str], tuple[str, int]] = {}
        self._waiting: dict[int, _Request] = {}  # by the number on the wire, in the order of asking
        self._numbers = itertools.count(1)
        self._rids = itertools.count(1)
        self._socket: ClientConnection | None = None  # while it is logged in
        self._heard = 0.0  # when anything last came
        self._task: asyncio.Task[None] | None = None  # its life
        self._chores: set[asyncio.Task[Any]] = set()
        self._stopped = False  # it wants no connection any more
        self._loop = asyncio.get_running_loop()

    # --- coming and going -------------------------------------------------------------------------

    async def come(self) -> None:
        """Log in, and from now on stay so, whatever happens."""
        self._stopped = False
        self.story.truth.online[self.account] = True
        self._task = self._loop.create_task(self._live())
        await self.here.wait()

    async def log_out(self) -> None:
        """Leave in good order."""
        for _ in range(100):
            body = await self.ask("user_logout", outlives=True)
            if body is None or body.get("result") == "ok":
                break
            await asyncio.sleep(0.1)
        await self._end()
        self._session_over("left")
        self._line = ""
        self.story.truth.online[self.account] = False

    async def vanish(self) -> None:
        """Leave without a word: the session lasts as long as it may."""
        await self._end()
        self._session_over("gone")
        self._line = ""
        self.story.truth.online[self.account] = False

    async def _end(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        self.here.clear()

    async def _live(self) -> None:
        while not self._stopped:
            socket = None
            try:
                socket = await connect(
                    self.url(), max_size=None, compression=None, ping_interval=None, open_timeout=_OPEN
                )
                await self._serve(socket)
            except (OSError, EOFError, TimeoutError, WebSocketException):
                pass
            finally:
                self.here.clear()
                self._socket = None
                if socket is not None:
                    socket.transport.abort()
            await asyncio.sleep(random.uniform(0.02, 0.2))

    async def _serve(self, socket: ClientConnection) -> None:
        fields: Body = {
            **{"vid": self.app, "account": self.account, "uid": 0, "token": "_no_need_token"},
            **{"device": self.device, "ip": "", "ver": 1},
        }
        if self.ours:
            fields["inbox"] = [self._epoch, self._cursor]
            if self._line:
                fields["line"] = self._line
                fields["channels"] = {
                    name: [stay.epoch, _last(stay)] for name, stay in self.stays.items() if stay.epoch
                }
        await socket.send(json.dumps(["login", fields]))
        async with asyncio.timeout(_OPEN):
            while True:
                name, rest = json.loads(await socket.recv())
                if name == "login_ret":
                    break
        error, body = rest[0], json.loads(rest[1])
        if error:
            if body.get("reason") == "kick":
                self._line = ""
                self._session_over("gone")
            if body.get("reason") == "server error":
                self._odd(f"login: {body}")
            await asyncio.sleep(body.get("retry_ms", 0) / 1000)
            return
        self._logged_in(body)
        await self._begin(socket)
        watch = self._loop.create_task(self._watch(socket))
        try:
            async for text in socket:
                self._heard = self._loop.time()
                self._take(json.loads(text))
        finally:
            watch.cancel()

    def _logged_in(self, body: Body) -> None:
        self.logins += 1
        if not self.ours:
            self._line, self._cursor, self._cleared = body["line"], 0, 0
            self._session_over("broken")
            return
        if body["inbox"] != self._epoch:
            self._epoch, self._cursor = body["inbox"], 0
        if not body["resumed"]:
            self._session_over("gone")
        else:
            self.resumed += 1
            channels = body["channels"]
            for name, stay in list(self.stays.items()):
                state = channels.get(name)
                if state is None or state["epoch"] != stay.epoch:
                    self._close(name, "gone")
                elif state["lost"]:
                    stay.lost.append((_last(stay), state["lost"]))
        self._line = body["line"]

    def _session_over(self, why: str) -> None:
        """What hung on the session is over; `why` is the stays' word."""
        for name in list(self.stays):
            self._close(name, why)
        for side in list(self.calls.values()):
            self._word(side, "gone")
        for number, request in list(self._waiting.items()):
            if not request.outlives:
                del self._waiting[number]
                _settle(request, None)

    def _close(self, name: str, why: str) -> None:
        stay = self.stays.pop(name, None)
        if stay is not None:
            stay.over = why

    async def _begin(self, socket: ClientConnection) -> None:
        """What an SDK and its application do when they are there, again."""
        if self.device == WEB:
            await socket.send(json.dumps(["set_flag", {"binary": 1}]))
        sent: set[int] = set()
        while todo := [number for number in self._waiting if number not in sent]:
            for number in todo:  # in the order of asking; what is asked meanwhile comes behind
                sent.add(number)
                await self._send(socket, number, self._waiting[number])
        self._socket, self._heard = socket, self._loop.time()
        self.here.set()
        if not self.ours:
            self._chore(self._poll())
        for name in self.wanted:
            if name not in self.stays:
                self._chore(self._rejoin(name))

    async def _watch(self, socket: ClientConnection) -> None:
        """A connection from which nothing comes is dead; a request that is not answered hangs."""
        for number in itertools.count(1):
            await socket.send(json.dumps(["ping", number]))
            await asyncio.sleep(_BEAT)
            now = self._loop.time()
            if now - self._heard > _DEAD:
                socket.transport.abort()
                return
            for request in self._waiting.values():
                if now - request.since > _HANGS:
                    self._odd(f"{request.func} hangs")
                    request.since = now

    # --- asking -----------------------------------------------------------------------------------

    def begin(
        self,
        func: str,
        *,
        outlives: bool = False,
        then: Callable[[Body], None] | None = None,
        **args: Any,
    ) -> asyncio.Future[Body | None]:
        """Ask for something; its answer, None when nobody will ever know.

        `outlives`: it is asked again in whichever session follows. `then`: see `_Request`.
        """
        if self.ours and not func.startswith(("channel_query", "user_query", "user_get", "user_ack")):
            args["rid"] = f"{self.account}-{next(self._rids)}"
        number = next(self._numbers)
        request = _Request(func, args, self._loop.create_future(), outlives and self.ours, then)
        request.since = self._loop.time()
        self._waiting[number] = request
        if self._socket is not None:
            self._chore(self._send(self._socket, number, request))
        return request.answer

    async def ask(self, func: str, **args: Any) -> Body | None:
        """The same, and wait."""
        return await self.begin(func, **args)

    async def _send(self, socket: ClientConnection, number: int, request: _Request) -> None:
        request.since = self._loop.time()
        try:
            frame = ["call2", [request.func, number, {"line": self._line, **request.args}]]
            await socket.send(json.dumps(frame))
        except WebSocketException:
            pass  # it is sent again, or given up, with the next login

    def _chore(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # --- hearing ----------------------------------------------------------------------------------

    def _take(self, frame: Any) -> None:
        match frame:
            case ["call2-ret", [number, _, text]]:
                request = self._waiting.pop(number, None)
                if request is not None:
                    body = json.loads(text)
                    if body.get("reason") == "server error":
                        self._odd(f"{request.func}: {body}")
                    if request.then is not None and body.get("result") == "ok":
                        request.then(body)
                    _settle(request, body)
            case ["notify", ["recvmsg", text]]:
                self._pushed(*json.loads(text))
            case ["notify", ["msg", _]]:
                self._chore(self._poll())
            case ["notify", ["channel2", name, number, text]]:
                self._event(name, number, parse_line(text))

    def _pushed(self, version: int, text: str) -> None:
        if self.ours:
            if version <= self._cursor:
                self._odd(f"version {version} came behind {self._cursor}")
                return
            self._item(version, text)
            self._chore(self._acknowledge(version))
        elif version == self._cursor + 1:
            self._item(version, text)
            self._chore(self._poll(after=0.5))
        else:
            self._chore(self._poll())

    async def _acknowledge(self, version: int) -> None:
        await asyncio.sleep(0.05)
        if version == self._cursor > self._cleared:
            self._cleared = version
            await self.ask("user_ack", ver_clear=version)

    async def _poll(self, *, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        body = await self.ask("user_getmsg", ver_clear=self._cursor, max=30)
        if body is None or body.get("result") != "ok":
            if body is not None:
                self._chore(self._poll(after=0.5))
            return
        for version, text in body["msgs"]:
            if version > self._cursor or self.device == PYTHON:
                self._item(version, text)
        if body["msgs"] and self.device == WEB:
            self._chore(self._poll(after=0.5))

    def _item(self, version: int, text: str) -> None:
        line = parse_line(text)
        self._cursor = version
        known = self._versions.setdefault((self._epoch, version), line.content)
        if known != line.content:
            self._odd(f"version {version} was {known!r} and is {line.content!r}")
        if line.id and not self.ours:
            if line.id in self._ids:
                return
            self._ids.add(line.id)
        if line.type == "instant":
            before = self._places.setdefault((line.src, line.content), (self._epoch, version))
            if before != (self._epoch, version) and self.device != PYTHON:
                self._odd(f"{line.content!r} came as {before}, and as {(self._epoch, version)}")
            self.story.mailings[line.src, self.account].taken.append(line.content)
        else:
            self._call_event(line)

    def _odd(self, what: str) -> None:
        self.story.oddities.append(f"{self.account}: {what}")

    # --- messages ---------------------------------------------------------------------------------

    async def mail(self, peer: str, text: str) -> None:
        """Send a message to somebody."""
        mailing = self.story.mailings[self.account, peer]
        mailing.sent.append(text)
        mailing.doubtful.add(text)
        body = await self.ask(
            "user_sendmsg", outlives=True, peer=peer, flag="v1:E:3600", t="instant", content=text
        )
        if body is None:
            return
        if body.get("result") == "ok":
            mailing.doubtful.discard(text)
            mailing.stored.add(text)
        elif not _is_doubtful(body):
            mailing.doubtful.discard(text)
            mailing.refused.add(text)

    # --- channels ---------------------------------------------------------------------------------

    async def enter(self, name: str) -> None:
        """Be in a channel from now on; leaves the ordinary one that it was in."""
        if not name.startswith("__"):
            self.wanted = [each for each in self.wanted if each.startswith("__")]
        self.wanted.append(name)
        await self._rejoin(name)

    async def exit(self, name: str) -> None:
        """Leave a channel."""
        self.wanted.remove(name)
        while name not in self.wanted:
            body = await self.ask("channel_leave", name=name)
            if body is None or body.get("result") == "ok":
                break
            await asyncio.sleep(0.1)
        self._close(name, "left")

    async def _rejoin(self, name: str) -> None:
        while name in self.wanted and name not in self.stays:
            body = await self.ask("channel_join", then=partial(self._joined, name), name=name)
            if body is None or body.get("result") == "ok":
                return  # if it is still not in: the next login sees to it
            await asyncio.sleep(0.1)

    def _joined(self, name: str, body: Body) -> None:
        if name not in self.wanted or name in self.stays:
            return
        if not name.startswith("__"):
            for other in [each for each in self.stays if not each.startswith("__")]:
                self._close(other, "left")
        members = () if name.startswith("__") else tuple(account for account, _ in body["list"])
        stay = Stay(self.account, name, members=members, attributes=dict(body["attrs"]))
        if self.ours:
            stay.epoch, stay.after = body["epoch"], body["id"]
        self.stays[name] = stay
        self.story.stays.append(stay)

    async def say(self, name: str, text: str) -> None:
        """Say something in a channel that it is in."""
        said = self.story.said[text] = Said(self.account, name, self.stays[name].epoch)
        body = await self.ask("channel_sendmsg", name=name, msg=text)
        said.accepted = body is not None and body.get("result") == "ok"

    def _event(self, name: str, number: int, line: Line) -> None:
        stay = self.stays.get(name)
        if stay is None:
            return  # between a resume and the answer to a join, or behind a leave
        if line.id and not self.ours:
            if line.id in self._ids:
                return
            self._ids.add(line.id)
        content = line.json
        number = number if self.ours else 0
        account = content["account"]
        if name == WATCHED:
            said = json.loads(content["msg"])
            stay.events.append(Event(number, said["event"], said["account"]))
        elif line.type == "channel_attr_update":
            if content["type"] == "update":
                stay.attributes[content["name"]] = content["value"]
            else:
                stay.attributes.pop(content["name"], None)
            text = f"{content['name']}={content['value']}"
            stay.events.append(Event(number, ATTRIBUTE, account, text))
        else:
            stay.events.append(Event(number, _KINDS[line.type], account, content.get("msg", "")))

    # --- calls ------------------------------------------------------------------------------------

    async def call(self, peer: str, name: str, *, seconds: float = 20.0) -> CallSide:
        """Invite somebody into a channel that names the call; it rings for so long."""
        side = CallSide(name, self.account, "caller")
        self.story.calls[name, self.account] = side
        self.calls[name] = side
        extra = json.dumps({"_timeout": seconds})
        body = await self.ask("voip_invite", channelName=name, peer=peer, extra=extra)
        if body is None:
            self._word(side, "gone")
        elif body.get("result") == "ok":
            side.words.insert(0, "invited")
        else:
            side.doubtful |= _is_doubtful(body)
            self._word(side, "failed")
        return side

    async def answer(self, name: str, peer: str, *, accept: bool) -> None:
        """Take a call, or not."""
        side = self.calls.get(name)
        if side is None:
            return
        func, word = ("voip_invite_accept", "accepted") if accept else ("voip_invite_refuse", "refused")
        body = await self.ask(func, channelName=name, peer=peer, extra="")
        if body is None:
            side.doubtful = True
        elif body.get("result") == "ok":
            if side.words and side.words[-1] in _OVER:
                if word == "accepted":
                    side.words.insert(-1, word)  # the end has overtaken the answer
            else:
                self._word(side, word)
        else:
            side.doubtful |= _is_doubtful(body)

    async def hang_up(self, name: str, peer: str) -> None:
        """End a call, as often as it takes."""
        side = self.calls.get(name)
        while side is not None and name in self.calls:
            body = await self.ask("voip_invite_bye", channelName=name, peer=peer, extra="")
            if body is None:
                side.doubtful = True
                return
            if body.get("result") == "ok":
                self._word(side, "ended")
                return
            await asyncio.sleep(0.1)

    def _word(self, side: CallSide, word: str) -> None:
        """Something became of a call; `ended` and `gone` are nothing to one that is over."""
        over = bool(side.words) and side.words[-1] in _OVER
        if over and word in ("ended", "gone"):
            return
        if over and word == "bye" and side.words[-1] in ("ended", "gone"):
            return  # both have ended it, each at its own node
        side.words.append(word)
        if word in _OVER:
            self.calls.pop(side.call, None)

    def _call_event(self, line: Line) -> None:
        content = line.json
        name, peer = content["channel"], content["peer"]
        if line.type == "voip_invite":
            side = self.story.calls.setdefault((name, self.account), CallSide(name, self.account, "callee"))
            if side.words and side.words[-1] == "gone":
                side.words.clear()  # it rings anew in another session (SPEC K11)
            side.words.append("rings")
            self.calls[name] = side
            self._chore(self._ring(name, peer))
            return
        known = self.story.calls.get((name, self.account))
        if known is None and line.type == "voip_invite_bye":
            return  # the invitation was taken back before it came (SPEC K3); SDKs let that pass
        if known is None:
            self._odd(f"{line.type} of {name}, which it does not know")
            return
        word = {
            "ack": "confirmed",
            "accept": "accepted",
            "refuse": "refused",
            "bye": "bye",
            "failed": "failed",
        }[line.type.rpartition("_")[2]]
        if known.doubtful and known.words and known.words[-1] in _OVER:
            return  # to its application the call has failed, though it was said that it may ring
        if word not in ("bye", "failed") and known.words and known.words[-1] in ("ended", "gone"):
            return  # it has ended the call meanwhile
        if word == "failed" and known.words and known.words[-1] in ("ended", "gone"):
            return
        self._word(known, word)

    async def _ring(self, name: str, peer: str) -> None:
        await self.ask("voip_invite_ack", channelName=name, peer=peer, extra="")
        if self.rang is not None:
            self.rang(self, name, peer)

    # --- attributes -------------------------------------------------------------------------------

    async def describe(self, name: str, value: str) -> None:
        """Set an attribute of one's own."""
        attribute = self.story.attributes[self.account, name]
        attribute.tried.append(value)
        body = await self.ask("user_set_attr", outlives=True, name=name, value=value)
        if body is not None and body.get("result") == "ok":
            attribute.stored.append(value)

    async def label(self, channel: str, name: str, value: str) -> None:
        """Set an attribute of a channel, which nobody else sets."""
        attribute = self.story.attributes[channel, name]
        attribute.tried.append(value)
        body = await self.ask("channel_set_attr", outlives=True, channel=channel, name=name, value=value)
        if body is not None and body.get("result") == "ok":
            attribute.stored.append(value)


def _last(stay: Stay) -> int:
    """The number of the last event that it has seen."""
    return stay.events[-1].number if stay.events else stay.after


def _settle(request: _Request, body: Body | None) -> None:
    if not request.answer.done():
        request.answer.set_result(body)


def _is_doubtful(body: Body) -> bool:
    """Whether it says that what failed may have been done."""
    return "may have been" in body.get("reason", "")
