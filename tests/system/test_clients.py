"""What each kind of client must get, and must never get (PROTOCOL §6, §10, §11).

A subject of each kind lives through everything that a server can send; its story, all that it sent and
got in order, is then held against each point of §11. Models of the originals' inboxes run against the
server for what depends on the order of things.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pytest

from support.client import RawClient, parse_line
from support.conversation import SETTING
from support.server import ServerProcess

CONFIG = """
[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
logins = 1000000

[apps.flag]
allow_no_token = true
lines = "flag"
"""
KINDS: dict[str, dict[str, Any]] = SETTING["kinds"]
ORIGINALS = [kind for kind, traits in KINDS.items() if not traits["ours"]]
PUSHED = [kind for kind, traits in KINDS.items() if traits["inbox"] == "pushed"]
PYTHON = "python 1.0.2"

Moment = tuple[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose rates do not get in the way."""
    with ServerProcess(tmp_path_factory.mktemp("clients"), config=CONFIG, flags=("--dev",)) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()


class _Recorded(list[Any]):
    """The frames of a client, which also go into its story."""

    def __init__(self, story: list[Moment]) -> None:
        super().__init__()
        self._story = story

    def append(self, frame: Any) -> None:
        self._story.append(("got", frame))
        super().append(frame)


@dataclass
class Place:
    """An app of the test's own, and who is in it."""

    server: ServerProcess
    app: str = field(default_factory=lambda: f"app-{uuid.uuid4().hex}")
    clients: list[RawClient] = field(default_factory=list)
    stories: list[list[Moment]] = field(default_factory=list)

    async def open(self) -> RawClient:
        """A connection whose story is kept."""
        client = await self.server.open()
        story: list[Moment] = []
        client.frames = _Recorded(story)
        send = client.send

        async def tell_and_send(frame: Any) -> None:
            story.append(("sent", frame))
            await send(frame)

        client.send = tell_and_send  # type: ignore[method-assign]
        self.clients.append(client)
        self.stories.append(story)
        return client

    async def client(self, kind: str, account: str, *, polled: bool = True) -> RawClient:
        """A client of a kind, logged in as its SDK does it."""
        client = await self.open()
        await client.login(account, app=self.app, **KINDS[kind]["login"])
        for frame in KINDS[kind]["after_login"]:
            await client.send(frame)
        if polled:
            await client.poll()
        return client


@pytest.fixture
async def place(server: ServerProcess) -> AsyncIterator[Place]:
    place = Place(server)
    yield place
    for client in place.clients:
        await client.close()


class Inbox:
    """How the SDK of a kind takes its inbox: as PROTOCOL §6 found the originals to do it."""

    def __init__(self, client: RawClient, kind: str) -> None:
        self.client = client
        self.kind = kind
        self.cursor = 0
        self.taken: list[str] = []  # contents, as the application sees them
        self.ids: set[str] = set()  # of v3 lines, which the web SDKs remember

    async def poll(self) -> None:
        """Ask for what comes behind the cursor."""
        body = await self.client.ok("user_getmsg", ver_clear=self.cursor, max=30)
        if self.kind == PYTHON:
            self.cursor = body["ver_clear"]
        else:
            self.cursor = max(body["ver_clear"], self.cursor)
        for version, line in body["msgs"]:
            if self.kind == PYTHON or version > self.cursor:
                self._deliver(version, line)

    async def take(self, count: int) -> None:
        """Go on until the application has seen `count` items in all."""
        while len(self.taken) < count:
            await self._step()

    async def settle(self) -> None:
        """Go on until the server has nothing more to say."""
        await self.client.settle()
        while any(_is_news(frame) for frame in self.client.frames):
            await self._step()
            await self.client.settle()

    async def _step(self) -> None:
        frame = await self.client.wait(_is_news, f"inbox item behind {self.taken[-3:]}")
        if frame[1][0] == "msg":
            await self.poll()
            return
        version, line = json.loads(frame[1][1])
        if version == self.cursor + 1 or (KINDS[self.kind]["ours"] and version > self.cursor):
            self._deliver(version, line)
        elif version > self.cursor:
            await self.poll()

    def _deliver(self, version: int, text: str) -> None:
        self.cursor = version
        line = parse_line(text)
        if line.version == "v3":
            if line.id in self.ids:
                return
            self.ids.add(line.id)
        self.taken.append(line.content)


def _is_news(frame: Any) -> bool:
    return frame[0] == "notify" and frame[1][0] in ("msg", "recvmsg")


async def life(place: Place, kind: str) -> list[list[Moment]]:
    """Everything that can happen to a client of this kind; the stories of its connections."""
    friend = await place.client("web 1.3.0", "friend")
    await friend.ok("channel_join", name="room")
    subject = await place.client(kind, "subject", polled=False)
    inbox = Inbox(subject, kind)
    await inbox.poll()
    first = len(place.stories) - 1

    # failures
    await subject.refused("channel_sendmsg", 400, name="room", msg="x")
    await subject.refused("dance", 1001)
    await subject.refused("user_getmsg", 1004, ver_clear="7")
    await subject.refused("channel_leave", 1004, name="the room")

    # messages
    for text in ("one", "", "two words", "{}"):
        await friend.ok("user_sendmsg", peer="subject", t="instant", content=text)
    await inbox.take(4)

    # a channel that it is not in, then is
    await friend.ok("channel_sendmsg", name="room", msg="not for all")
    await friend.ok("channel_set_attr", channel="room", name="topic", value="tea")
    await subject.ok("channel_join", name="room")
    await subject.ok("channel_join", name="__agora_user_online")
    await subject.ok("channel_join", name="__agora_channel_event")
    visitor = await place.client("web 1.3.0", "visitor")
    await visitor.ok("channel_join", name="room")
    for who in (subject, friend):
        await who.ok("channel_sendmsg", name="room", msg="to all")
        await who.ok("channel_set_attr", channel="room", name="topic", value="coffee")
        await who.ok("channel_del_attr", channel="room", name="topic")
        await who.ok("channel_clear_attr", channel="room")
    await friend.ok("channel_set_attr", channel="room", name="_auto_update_num", value="1")
    await visitor.ok("channel_leave", name="room")
    await subject.ok("channel_join", name="other")
    await visitor.ok("channel_join", name="other")
    await visitor.ok("channel_sendmsg", name="other", msg="here")
    await subject.ok("channel_join", name="room")
    await friend.ok("channel_sendmsg", name="room", msg="again")

    # calls: received, made, failed
    call = {"channelName": "room", "extra": ""}
    await friend.ok("voip_invite", peer="subject", **call)
    await inbox.take(5)
    for step in ("ack", "accept"):
        await subject.ok(f"voip_invite_{step}", peer="friend", **call)
    keys = {**call, "extra": '{"msgtype":"dtmf","msgdata":"1"}'}
    await friend.ok("voip_invite_msg", peer="subject", **keys)
    await friend.ok("voip_invite_bye", peer="subject", **call)
    await inbox.take(7)
    for count, answer in ((9, "refuse"), (11, "accept")):
        await subject.ok("voip_invite", peer="visitor", **call)
        await visitor.ok("voip_invite_ack", peer="subject", **call)
        await visitor.ok(f"voip_invite_{answer}", peer="subject", **call)
        await inbox.take(count)
    await subject.ok("voip_invite_bye", peer="visitor", **call)
    await subject.ok("voip_invite", peer="visitor", **call)
    await visitor.ok("user_logout")
    await inbox.take(12)
    await subject.refused("voip_invite", 1004, peer="subject", **call)

    # a call that is over before a client which polls has heard of it
    await friend.ok("voip_invite", peer="subject", channelName="hall", extra="")
    await friend.ok("voip_invite_bye", peer="subject", channelName="hall", extra="")
    await inbox.settle()
    await inbox.poll()  # the acknowledgement

    for number in (0, 1, 7):
        await subject.send(["ping", number])
        await subject.wait(lambda frame, number=number: frame == ["pong", number], "pong")
    await subject.settle()

    # its connection breaks, and it logs in afresh
    await subject.cut()
    await friend.ok("channel_sendmsg", name="room", msg="missed")
    await friend.ok("user_sendmsg", peer="subject", t="instant", content="missed")
    subject = await place.client(kind, "subject", polled=False)
    inbox = Inbox(subject, kind)
    await inbox.poll()
    second = len(place.stories) - 1
    await friend.ok("channel_sendmsg", name="room", msg="missed too")
    await subject.settle()
    await subject.ok("channel_join", name="room")
    await friend.ok("channel_sendmsg", name="room", msg="live")
    await inbox.settle()
    assert inbox.taken == ["missed"]

    # it is kicked, comes back, and logs out
    await place.client("web 1.3.0", "subject")
    await subject.gone()
    subject = await place.client(kind, "subject")
    third = len(place.stories) - 1
    await subject.ok("user_logout")
    await subject.settle()
    return [place.stories[index] for index in (first, second, third)]


def got(story: list[Moment]) -> list[Any]:
    return [frame for what, frame in story if what == "got"]


def of(frames: list[Any], name: str, kind: str = "") -> list[Any]:
    """The arguments of the frames of a name, and of a kind of `notify`."""
    return [
        frame[1]
        for frame in frames
        if frame[0] == name and (not kind or (frame[0] == "notify" and frame[1][0] == kind))
    ]


def lines(frames: list[Any]) -> list[str]:
    """Every message line that came, in whatever way."""
    found = [event[3] for event in of(frames, "notify", "channel2")]
    found += [json.loads(item)[1] for _, item in of(frames, "notify", "recvmsg")]
    for _, _, body in of(frames, "call2-ret"):
        found += [line for _, line in json.loads(body).get("msgs", [])]
    return found


def calls(story: list[Moment]) -> list[Any]:
    """What was called: [func, id, args], in order."""
    return [frame[1] for what, frame in story if what == "sent" and frame[0] == "call2"]


@pytest.mark.parametrize("kind", KINDS)
async def test_no_channel_event_before_a_join_on_this_connection(place: Place, kind: str) -> None:
    """PROTOCOL §11.1: web throws, Python loses its connection."""
    for story in await life(place, kind):
        joined = False
        for what, frame in story:
            if what == "sent":
                joined |= frame[0] == "call2" and frame[1][0] == "channel_join"
            elif frame[0] == "notify" and frame[1][0] == "channel2":
                assert joined, frame
    assert any(of(got(story), "notify", "channel2") for story in place.stories)


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_that_the_kind_does_not_read(place: Place, kind: str) -> None:
    """PROTOCOL §11.2: no multi and no binary message; to javasdk no v3 line and no pushed array."""
    await life(place, kind)
    for client, story in zip(place.clients, place.stories, strict=True):
        frames = got(story)
        assert not any(isinstance(frame, bytes) for frame in frames)
        assert {frame[0] for frame in frames} <= {"login_ret", "call2-ret", "notify", "pong", "kick", "close"}
        if client.account != "subject":
            continue
        versions = {parse_line(line).version for line in lines(frames)}
        assert versions <= {KINDS[kind]["lines"]}
        if KINDS[kind]["inbox"] == "pushed":
            assert of(frames, "notify", "msg") == []
        else:
            assert of(frames, "notify", "recvmsg") == []


@pytest.mark.parametrize("kind", KINDS)
async def test_every_body_is_json_and_every_failure_has_its_reasons(place: Place, kind: str) -> None:
    """PROTOCOL §11.3: Python dies of the one, web hangs for want of the other."""
    stranger = await place.open()
    err, body = await stranger.try_login("no name", app=place.app, **KINDS[kind]["login"])
    assert (err, body["reason"]) == (body["reason"], err)
    assert err != ""
    failures = 0
    for story in await life(place, kind):
        for err, text in of(got(story), "login_ret"):
            assert (err, json.loads(text)["result"]) == ("", "ok")
        for _, err, text in of(got(story), "call2-ret"):
            body = json.loads(text)
            assert err == ""
            if body["result"] != "ok":
                failures += 1
                assert body["reason"]
                assert body["data"]["result"] == body["reason"]
    assert failures


@pytest.mark.parametrize("kind", KINDS)
async def test_no_mode_that_loses_messages(place: Place, kind: str) -> None:
    """PROTOCOL §11.4: neither config_msg_set nor config_inst_msg_with_msgid."""
    for story in await life(place, kind):
        for _, text in of(got(story), "login_ret"):
            assert not any(name.startswith("config") for name in json.loads(text))
        assert all(what == "sent" or "config_" not in json.dumps(frame) for what, frame in story)


@pytest.mark.parametrize("kind", KINDS)
async def test_channel_ids_ascend_and_contents_are_whole(place: Place, kind: str) -> None:
    """PROTOCOL §11.5, §12: numbers, for originals over all channels; all members that Python reads."""
    members = {
        "channel_msg": {"channel", "account", "uid", "msg"},
        "channel_user_join": {"channel", "account", "uid"},
        "channel_user_leave": {"channel", "account", "uid"},
        "channel_attr_update": {"channel", "account", "uid", "name", "value", "type"},
    }
    seen: set[str] = set()
    for story in await life(place, kind):
        last: dict[str, int] = {}
        for _, channel, number, text in of(got(story), "notify", "channel2"):
            assert type(number) is int
            counted = channel if kind == "ours" else ""
            assert number > last.get(counted, 0)
            last[counted] = number
            line = parse_line(text)
            assert line.json.keys() == members[line.type]
            assert (line.json["channel"], line.json["uid"], line.dst) == (channel, 0, channel)
            assert line.src == (line.json["account"] or "_system")
            seen.add(line.type)
    assert seen == set(members)


@pytest.mark.parametrize("kind", KINDS)
async def test_numbers_are_numbers(place: Place, kind: str) -> None:
    """PROTOCOL §11.6: pongs, versions, ver_clear; and the ids of calls come back as they were."""
    for story in await life(place, kind):
        pings = [frame[1] for what, frame in story if what == "sent" and frame[0] == "ping"]
        assert of(got(story), "pong") == pings
        for _, version in of(got(story), "notify", "msg"):
            assert type(version) is int
        for _, item in of(got(story), "notify", "recvmsg"):
            assert type(json.loads(item)[0]) is int
        for call_id, _, text in of(got(story), "call2-ret"):
            assert type(call_id) is int
            body = json.loads(text)
            for name in ("ver_clear", "num", "status", "isin"):
                assert type(body.get(name, 0)) is int
            assert all(type(version) is int for version, _ in body.get("msgs", []))


@pytest.mark.parametrize("kind", KINDS)
async def test_call_events_are_whole_and_known(place: Place, kind: str) -> None:
    """PROTOCOL §11.7: JSON with four members; to Python only of calls that its session knows."""
    seen: set[str] = set()
    for story in await life(place, kind):
        known: set[tuple[str, str]] = set()
        for what, frame in story:
            if what == "sent":
                if frame[0] == "call2" and frame[1][0] == "voip_invite":
                    known.add((frame[1][2]["channelName"], frame[1][2]["peer"]))
                continue
            for text in lines([frame]):
                line = parse_line(text)
                if not line.type.startswith("voip_"):
                    continue
                assert line.json.keys() == {"channel", "peer", "peeruid", "extra"}
                assert (line.json["peer"], line.json["peeruid"]) == (line.src, 0)
                assert isinstance(line.json["extra"], str)
                seen.add(line.type)
                if line.type == "voip_invite":
                    known.add((line.json["channel"], line.src))
                elif kind == PYTHON:
                    assert (line.json["channel"], line.src) in known
                    assert line.json["channel"] != "hall"
    steps = ("", "_ack", "_accept", "_refuse", "_bye", "_msg", "_failed")
    assert seen == {f"voip_invite{step}" for step in steps}


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_asked_is_answered(place: Place, kind: str) -> None:
    """PROTOCOL §11.8: a login, a logout and a poll above all; once, and before any close."""
    for story in await life(place, kind):
        assert len(of(got(story), "login_ret")) == 1
        asked = [call_id for _, call_id, _ in calls(story)]
        assert sorted(call_id for call_id, _, _ in of(got(story), "call2-ret")) == asked


async def test_a_logout_is_answered_and_the_connection_stays(place: Place) -> None:
    """PROTOCOL §11.8, §5: 1.4.0 would log in again if it were closed instead."""
    for kind in KINDS:
        client = await place.client(kind, "leaver")
        await client.ok("user_logout")
        await client.quiet()
        assert client.closed is None


async def test_no_announcement_overtakes_a_poll_that_lacks_its_message(place: Place) -> None:
    """PROTOCOL §11.9: whatever was announced stands in every later answer until it is acknowledged."""
    client = await place.client(PYTHON, "subject")
    story = place.stories[-1]
    friends = [await place.client("web 1.3.0", f"friend{number}") for number in range(3)]

    async def chatter(friend: RawClient) -> None:
        for number in range(100):
            await friend.ok("user_sendmsg", peer="subject", t="instant", content=str(number))

    async def polling() -> None:
        cursor = 0
        while True:
            cursor = max([version for version, _ in await client.poll(cursor)], default=cursor)
            await asyncio.sleep(0)

    poller = asyncio.create_task(polling())
    await asyncio.gather(*map(chatter, friends))
    poller.cancel()
    await asyncio.gather(poller, return_exceptions=True)
    await client.settle()
    announced = taken = answers = 0
    for frame in got(story):
        if frame[0] == "notify":
            announced = max(announced, frame[1][1])
        elif frame[0] == "call2-ret":
            body = json.loads(frame[1][2])
            versions = [version for version, _ in body["msgs"]]
            taken = max([taken, body["ver_clear"], *versions])
            answers += 1
            assert announced <= taken or len(versions) == 30
    assert answers > 10
    assert announced


@pytest.mark.parametrize("kind", KINDS)
async def test_no_field_of_a_line_but_the_last_holds_a_space(place: Place, kind: str) -> None:
    """PROTOCOL §11.10: a space would shift them; so no name may hold one."""
    for story in await life(place, kind):
        for text in lines(got(story)):
            line = parse_line(text)
            assert line.type.startswith(("voip_", "channel_")) or line.type == "instant"
            assert line.flag.startswith("v1:E:")
            assert line.time.isdigit()
            assert line.src in ("friend", "visitor", "subject", "_system")
            assert line.dst in ("subject", "room", "other", "__agora_user_online", "__agora_channel_event")
    client = await place.client(kind, "namer")
    await client.refused("channel_join", 1004, name="two words")
    await client.refused("user_sendmsg", 1004, peer="two words", t="instant", content="x")
    await client.refused("channel_sendmsg", 1004, name="two words", msg="x", force=True)
    await client.refused("voip_invite", 1004, channelName="two words", peer="friend", extra="")
    await client.refused("channel_set_attr", 1004, channel="two words", name="a", value="b")


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("/getaddr?vid=any", None),
        ("/getaddr?vid=", None),
        ("/getaddr", None),
        ("/getaddr?vid=a&vid=b&x=%ff", None),
        ("/getaddr?vid=any", "127-0-0-1-sig-web.agora.io:8001"),
        ("/getaddr?vid=any", "lbs.example"),
        ("/getaddr?vid=any", "[::1]:80"),
        ("/getaddr?vid=any", "nonsense:::"),
    ],
)
async def test_where_to_connect_is_always_told(server: ServerProcess, target: str, host: str | None) -> None:
    """PROTOCOL §11.11, §1: 200, a `web` that is not empty, pairs of IPv4 and port, for any browser."""

    def ask() -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", target, headers={} if host is None else {"Host": host})
        answer = connection.getresponse()
        told = answer.status, answer.getheader("Access-Control-Allow-Origin"), answer.read()
        connection.close()
        return told

    status, origin, body = await asyncio.to_thread(ask)
    assert (status, origin) == (200, "*")
    addresses = json.loads(body)
    assert addresses["web"]
    assert addresses["wx_web"]
    for entry in addresses["web"]:
        address, port = entry
        IPv4Address(address)
        assert type(port) is int


# --- the inbox, as each SDK takes it ----------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_each_message_once_and_in_order_while_they_come(place: Place, kind: str) -> None:
    """SPEC M4, M6, PROTOCOL §6: pushed at cursor + 1, or announced and nudged; acknowledged at the end."""
    friend = await place.client("web 1.3.0", "friend")
    client = await place.client(kind, "subject", polled=False)
    inbox = Inbox(client, kind)
    await inbox.poll()

    async def send() -> None:
        for number in range(200):
            await friend.ok("user_sendmsg", peer="subject", t="instant", content=str(number))

    await asyncio.gather(send(), inbox.take(200))
    await inbox.settle()
    assert inbox.taken == [str(number) for number in range(200)]
    assert await client.poll(inbox.cursor) == []
    again = await place.client(kind, "subject", polled=False)
    assert await again.poll() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [30, 31, 95])
async def test_more_than_an_answer_holds(place: Place, kind: str, count: int) -> None:
    """PROTOCOL §6: web gets the rest without waiting, Python through nudges."""
    friend = await place.client("web 1.3.0", "friend")
    for number in range(count):
        await friend.ok("user_sendmsg", peer="subject", t="instant", content=str(number))
    client = await place.client(kind, "subject", polled=False)
    inbox = Inbox(client, kind)
    await inbox.poll()
    assert len(inbox.taken) == 30
    await inbox.take(count)
    await inbox.settle()
    assert inbox.taken == [str(number) for number in range(count)]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_not_acknowledged_comes_again_after_a_reconnect(place: Place, kind: str) -> None:
    """SPEC M6, PROTOCOL §6: v3 lines under the same id, so that a session object sees them once."""
    friend = await place.client("web 1.3.0", "friend")
    client = await place.client(kind, "subject", polled=False)
    inbox = Inbox(client, kind)
    await inbox.poll()
    sent = 0
    for _ in range(5):
        for _ in range(10):
            await friend.ok("user_sendmsg", peer="subject", t="instant", content=str(sent))
            sent += 1
        await inbox.take(sent if kind != PYTHON else len(inbox.taken) + 1)
        await inbox.client.cut()
        await friend.ok("user_sendmsg", peer="subject", t="instant", content=str(sent))
        sent += 1
        inbox.client = await place.client(kind, "subject", polled=False)
        inbox.cursor = 0
        await inbox.poll()
    await inbox.settle()
    seen = inbox.taken if kind != PYTHON else list(dict.fromkeys(inbox.taken))
    assert seen == [str(number) for number in range(sent)]


async def test_python_hears_nothing_of_a_call_that_is_over(place: Place) -> None:
    """PROTOCOL §8, §11.7: forty such calls do not keep it from its messages."""
    friend = await place.client("web 1.3.0", "friend")
    client = await place.client(PYTHON, "subject", polled=False)
    inbox = Inbox(client, PYTHON)
    await inbox.poll()
    for number in range(40):
        for func in ("voip_invite", "voip_invite_bye"):
            await friend.ok(func, channelName=f"room{number}", peer="subject", extra="")
    await friend.ok("user_sendmsg", peer="subject", t="instant", content="hello")
    await inbox.take(1)
    await inbox.settle()
    assert inbox.taken == ["hello"]
    assert await client.poll(inbox.cursor) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_that_ended_elsewhere_is_told_in_the_way_that_suits_all(
    place: Place, kind: str
) -> None:
    """PROTOCOL §3: kick, then close, then the socket; nothing behind them."""
    client = await place.client(kind, "subject")
    other = await place.client("web 1.4.0", "subject")
    assert await client.gone() == (1000, "another login of this account")
    assert [frame[0] for frame in client.frames] == ["kick", "close"]
    assert (await other.ok("user_query_user_status", account="subject"))["status"] == 1
    await other.quiet()


async def test_an_app_may_serve_web_sdks_that_read_no_v3(place: Place) -> None:
    """PROTOCOL §6, policy (b): v3 for who has sent set_flag, v2 for every other original; ours as ever."""
    place.app = "flag"
    friend = await place.client("web 1.4.0", "friend")
    await friend.ok("channel_join", name="room")
    for kind, version in (("web 1.3.0", "v2"), ("web 1.4.0", "v3"), (PYTHON, "v2"), ("ours", "v3")):
        client = await place.client(kind, f"{kind[:3]}-{version}")
        await client.ok("channel_join", name="room")
        await friend.ok("user_sendmsg", peer=client.account, t="instant", content="x")
        await friend.ok("channel_sendmsg", name="room", msg="x")
        inbox = Inbox(client, kind)
        await inbox.take(1)
        await inbox.settle()
        found = lines(got(place.stories[-1]))
        assert {parse_line(line).type for line in found} == {"instant", "channel_msg"}
        assert {parse_line(line).version for line in found} == {version}
        await client.ok("user_logout")


@pytest.mark.parametrize("kind", PUSHED)
async def test_nothing_is_pushed_before_the_first_poll(place: Place, kind: str) -> None:
    """PROTOCOL §6: set_flag comes behind login_ret, and only then is known what suits."""
    friend = await place.client("web 1.3.0", "friend")
    client = await place.client(kind, "subject", polled=False)
    await friend.ok("user_sendmsg", peer="subject", t="instant", content="early")
    await client.quiet()
    assert [line.content for _, line in await client.poll()] == ["early"]
    await client.quiet()
