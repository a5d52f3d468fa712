"""Whatever the server writes in bulk comes whole, at a reader of 1 MB/s, with large outboxes and the least.

Contents are such that grow most when they are encoded: U+0001 takes seven bytes in a message, nine in the
attributes of a user (SPEC E5).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import Line, RawClient, parse_line
from support.server import ServerProcess, serving

CONFIG = """
[server]
outbox_bytes = {outbox}

[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
"""
OUTBOXES = {"default": 4 * 1024 * 1024, "least": 64 * 1024}
DEVICES = ("signalpost-python", "websdk", "javasdk")
INBOXES = {"U+0001": (140, "\x01" * 8190), "quotes": (140, '"' * 8190), "emoji": (500, "\U0001f600" * 2047)}
HISTORIES = {
    "many": (24_000 - 1, "y"),  # C9 keeps 24 000 events, and the last one tells of the end
    "long": (2_000, "x" * 8_000),
    "growing": (120, "\x01" * 8_000),
}
CURSOR, NO_CURSOR, REJOIN = "with a cursor", "without a cursor", "joining a kept place again"


@pytest.fixture(scope="module", params=OUTBOXES.values(), ids=OUTBOXES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("bulk"), CONFIG.format(outbox=request.param)) as server:
        yield server
    assert "slow consumer" not in server.log.read_text()


async def slow(server: ServerProcess, account: str, device: str, **login: Any) -> RawClient:
    """A client that reads 1 MB/s, logged in; one of ours says that it has seen nothing of its inbox."""
    client = await RawClient.open_slow(server.url)
    if device.startswith("signalpost-"):
        login = {"inbox": ["", 0], **login}
    await client.login(account, device=device, **login)
    return client


# --- the inbox ----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", INBOXES)
async def test_nobody_can_be_locked_out_by_what_waits_for_him(server: ServerProcess, content: str) -> None:
    """SPEC E5, M3: texts that grow when they are encoded; all come at the next login, in order and once."""
    count, text = INBOXES[content]
    villain = await server.client(f"villain {content}".replace(" ", "-"))
    victims = {device: f"victim-{content}-{device}" for device in DEVICES}
    wanted = [f"{number:04} {text}" for number in range(count)]
    for account in victims.values():
        asked = [
            await villain.ask("user_sendmsg", peer=account, t="instant", content=said) for said in wanted
        ]
        for call_id in asked:
            assert (await villain.answer(call_id))["result"] == "ok"
    await villain.close()
    taken = await asyncio.gather(
        *(whole_inbox(server, account, device, count) for device, account in victims.items())
    )
    for contents in taken:
        assert contents == wanted


async def whole_inbox(server: ServerProcess, account: str, device: str, count: int) -> list[str]:
    """The contents of so many items as they come, acknowledged as they come."""
    client = await slow(server, account, device)
    items: list[tuple[int, Line]] = []
    news = [] if device.startswith("signalpost-") else await client.poll()
    while len(items := items + [item for item in news if not items or item[0] > items[-1][0]]) < count:
        if device == "javasdk":
            await client.announced()
            news = await client.poll(items[-1][0])
        else:
            news = [await client.pushed()]
            await client.ask("user_ack", ver_clear=news[0][0])
    await client.cut()
    return [line.content for _, line in items]


async def test_a_client_that_does_not_read_its_inbox_keeps_its_connection(server: ServerProcess) -> None:
    """SPEC E5: what is sent to it meanwhile waits in its inbox, not in its outbox, and comes in order."""
    ada = await server.client("talker")
    bo = await slow(server, "listener", "websdk")
    await bo.poll()
    bo.pace *= 10
    for number in range(150):
        await ada.ok("user_sendmsg", peer="listener", t="instant", content=f"{number} " + "\x01" * 8_000)
    bo.pace /= 100
    versions = []
    for number in range(150):
        version, line = await bo.pushed()
        versions.append(version)
        assert line.content.startswith(f"{number} ")
        await bo.ask("user_ack", ver_clear=version)
    assert versions == sorted(set(versions))
    await bo.cut()
    await ada.close()


# --- missed events of a channel -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "way"),
    [("many", CURSOR), ("long", CURSOR), ("growing", CURSOR), ("growing", NO_CURSOR), ("growing", REJOIN)],
)
async def test_whatever_is_kept_of_a_channel_comes_back(
    server: ServerProcess, history: str, way: str
) -> None:
    """SPEC C9: in order, without repeats, and on into what is said meanwhile and afterwards."""
    count, text = HISTORIES[history]
    member = await Away.leave(server, f"{history}-{way}".replace(" ", "-"), way)
    await member.hears([f"{number} {text}" for number in range(count)])
    client = await member.come_back()
    saying = asyncio.create_task(member.hears([f"{count + number} live" for number in range(50)], pause=0.02))
    numbers = [int((await said(client)).split(" ")[0]) for _ in range(count + 50)]
    assert numbers == list(range(count + 50))
    await saying
    await member.over(client)


@pytest.mark.parametrize("way", [CURSOR, NO_CURSOR, REJOIN])
async def test_what_was_written_but_never_read_counts_as_missed(server: ServerProcess, way: str) -> None:
    """SPEC C9, L17: a try that breaks in the middle, or before it begins, takes nothing away."""
    member = await Away.leave(server, f"broken-{way}".replace(" ", "-"), way)
    await member.hears([f"{number} " + "\x01" * 8_000 for number in range(150)])
    broken = await member.come_back()
    first = [int((await said(broken)).split(" ")[0]) for _ in range(5)]
    await broken.cut()
    again = await member.come_back()
    await again.cut()
    client = await member.come_back()
    second: list[int] = []
    while not second or second[-1] != 149:
        second.append(int((await said(client)).split(" ")[0]))
    assert second == list(range(second[0], 150))
    assert second[0] <= first[-1] + 1
    await member.over(client)


@pytest.mark.parametrize(
    ("device", "watching"), [("signalpost-python", False), ("websdk", True), ("javasdk", False)]
)
async def test_nobody_is_thrown_out_by_what_is_said(
    server: ServerProcess, device: str, watching: bool
) -> None:
    """SPEC E5, C6: by strangers who shout at a rate that is legal; who reads more slowly hears it later."""
    room, account = f"loud-{device}-{watching}", f"hearer-{device}-{watching}"
    strangers = [await server.client(f"stranger-{account}-{number}") for number in range(3)]
    client = await slow(server, account, device)
    client.pace /= 4
    if watching:
        await client.ok("channel_join", name="__agora_channel_event")
    await client.ok("channel_join", name=room)
    for _ in range(2):
        asked = [
            (stranger, await stranger.ask("channel_sendmsg", name=room, msg="\x01" * 8_000, force=True))
            for _ in range(60)
            for stranger in strangers
        ]
        for stranger, call_id in asked:
            assert (await stranger.answer(call_id))["result"] == "ok"
    numbers = [(await client.event(room))[0] for _ in range(360)]
    assert numbers == sorted(set(numbers))
    await strangers[0].ok("channel_sendmsg", name=room, msg="the end", force=True)
    assert (await client.event(room))[1].json["msg"] == "the end"
    await client.cut()
    for stranger in strangers:
        await stranger.close()


async def said(client: RawClient) -> str:
    """The next channel message."""
    while True:
        frame = await client.wait(lambda frame: frame[0] == "notify" and frame[1][0] == "channel2", "event")
        line = parse_line(frame[1][3])
        if line.type == "channel_msg":
            text: str = line.json["msg"]
            return text


class Away:
    """A member of a room whose connection broke, and somebody who speaks there without being a member."""

    def __init__(self, server: ServerProcess, name: str, way: str, speaker: RawClient) -> None:
        self.server = server
        self.room = f"room-{name}"
        self.account = f"member-{name}"
        self.way = way
        self.speaker = speaker
        self.device = "websdk" if way == REJOIN else "signalpost-python"
        self.login: dict[str, Any] = {}

    @classmethod
    async def leave(cls, server: ServerProcess, name: str, way: str) -> Away:
        """Join the room, and break."""
        away = cls(server, name, way, await server.client(f"speaker-{name}"))
        client = await server.open()
        await client.login(away.account, device=away.device)
        joined = await client.ok("channel_join", name=away.room)
        if way != REJOIN:
            away.login = {"line": client.line}
        if way == CURSOR:
            away.login["channels"] = {away.room: [joined["epoch"], joined["id"]]}
        await client.cut()
        return away

    async def hears(self, texts: list[str], *, pause: float = 0.0) -> None:
        """These are said in the room."""
        asked = []
        for text in texts:
            asked.append(await self.speaker.ask("channel_sendmsg", name=self.room, msg=text, force=True))
            await asyncio.sleep(pause)
            if len(asked) == 100:
                await self._all_said(asked)
        await self._all_said(asked)

    async def _all_said(self, asked: list[int]) -> None:
        for call_id in asked:
            assert (await self.speaker.answer(call_id))["result"] == "ok"
        asked.clear()

    async def come_back(self) -> RawClient:
        """Log in again as a slow reader."""
        client = await slow(self.server, self.account, self.device, **self.login)
        if self.way == REJOIN:
            await client.ok("channel_join", name=self.room)
        return client

    async def over(self, client: RawClient) -> None:
        """Nothing more has come."""
        await client.settle()
        assert [frame for frame in client.frames if frame[0] == "notify"] == []
        await client.cut()
        await self.speaker.close()


# --- large answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
async def test_nobody_can_shut_a_channel(server: ServerProcess, device: str) -> None:
    """SPEC E5, C1: a join whose answer has megabytes, with requests behind it and events on their way."""
    room, account = f"shut-{device}", f"joiner-{device}"
    stranger = await server.client(f"stranger-{device}")
    values = {f"a{number}": "\x01" * 8_096 for number in range(100)}
    for name, value in values.items():
        await stranger.ok("channel_set_attr", channel=room, name=name, value=value)
    client = await slow(server, account, device)
    calls = [
        ["call2", [func, f"{func} {turn}", {"line": client.line, "name": room}]]
        for turn in range(2)
        for func in ("channel_join", "channel_query_num")
    ]
    await asyncio.gather(*(client.send(call) for call in calls))
    for number in range(10):
        await stranger.ok("channel_sendmsg", name=room, msg=f"{number} " + "y" * 8_000, force=True)
    for turn in range(2):
        for func in ("channel_join", "channel_query_num"):
            frame = await client.wait(lambda frame: frame[0] == "call2-ret", func)
            assert frame[1][:2] == [f"{func} {turn}", ""]
            body = json.loads(frame[1][2])
            assert body["result"] == "ok"
            if func == "channel_join":
                assert body["attrs"] == values
                assert body["list"] == [[account, 0]]
    await stranger.ok("channel_sendmsg", name=room, msg="the end", force=True)
    heard = [await said(client)]
    while heard[-1] != "the end":
        heard.append(await said(client))
    numbers = [int(text.split(" ")[0]) for text in heard[:-1]]
    assert numbers == list(range(10 - len(numbers), 10)), "none is left out behind the join"
    await client.cut()
    await stranger.close()


@pytest.mark.parametrize("missed", [0, 150], ids=["live", "behind"])
async def test_who_joins_again_hears_everything_once(server: ServerProcess, missed: int) -> None:
    """SPEC C1, C2: no event overtakes the large answer, whose number is that of the last event before it."""
    member = await Away.leave(server, f"again-{missed}", CURSOR)
    for number in range(20):
        await member.speaker.ok(
            "channel_set_attr", channel=member.room, name=f"a{number}", value="\x01" * 8_096
        )
    await member.hears([f"{number} " + "\x01" * 8_000 for number in range(missed)])
    client = await member.come_back()
    saying = asyncio.create_task(
        member.hears([f"{missed + number} " + "x" * 8_000 for number in range(150)], pause=0.02)
    )
    heard: list[int] = []
    last = joins = 0
    while not heard or heard[-1] < missed + 149:
        if len(heard) >= 40 * joins and joins < 3:
            joins += 1
            await client.ask("channel_join", name=member.room)
        frame = await client.wait(
            lambda frame: frame[0] == "call2-ret" or (frame[0] == "notify" and frame[1][0] == "channel2"),
            "event or answer",
        )
        if frame[0] == "call2-ret":
            assert json.loads(frame[1][2])["id"] >= last
            last = json.loads(frame[1][2])["id"]
            continue
        assert frame[1][2] > last
        last = frame[1][2]
        line = parse_line(frame[1][3])
        if line.type == "channel_msg":
            heard.append(int(line.json["msg"].split(" ")[0]))
    assert heard == list(range(missed + 150))
    await saying
    await member.over(client)


async def test_requests_behind_large_answers_are_served_as_they_are_read(server: ServerProcess) -> None:
    """SPEC E5: in their order, however many stand in one chunk."""
    values = {f"a{number}": "\x01" * 8_096 for number in range(100)}
    owner = await server.client("owner")
    for name, value in values.items():
        await owner.ok("user_set_attr", name=name, value=value)
    for device in DEVICES:
        client = await slow(server, f"reader-{device}", device)
        client.pace /= 10
        asked = []
        for _ in range(3):
            asked.append(await client.ask("user_get_attr_all", account="owner"))
            asked.append(await client.ask("user_get_attr", account="owner", name="a0"))
            await client.send(["ping", len(asked)])
        got = []
        for _ in range(9):
            frame = await client.wait(lambda frame: frame[0] in ("call2-ret", "pong"), "answer")
            got.append(frame[1] if frame[0] == "pong" else frame[1][0])
            if frame[0] == "call2-ret" and len(frame[1][2]) > 100_000:
                assert json.loads(json.loads(frame[1][2])["json"]) == values
        assert got == [asked[0], asked[1], 2, asked[2], asked[3], 4, asked[4], asked[5], 6]
        await client.cut()
    await owner.close()
