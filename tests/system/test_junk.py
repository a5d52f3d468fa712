"""Whatever a client sends: an error, or a close with a reason, and nobody else notices (SPEC E5, §1).

Values are spelled as JSON text, so that what no encoder would write can be sent as well.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from signalpost.gateway.commands import COMMANDS
from signalpost.wire.codes import Code
from support.client import RawClient
from support.conversation import VECTORS
from support.server import ServerProcess

CONFIG = """
[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
logins = 1000000
list_requests = 1000000
inbox_messages = 100000
"""

FRAME_BYTES = 65_536
FRAMES = json.loads((VECTORS / "frames.json").read_text())

#: What may stand where something else should.
JUNK = {
    "null": "null",
    "true": "true",
    "integer": "7",
    "float": "1.5",
    "huge float": "1e400",
    "huge integer": "1" + "0" * 400,
    "larger integer": "9" * 6_000,
    "array": "[]",
    "object": "{}",
    "array of all sorts": '[null,1,"x",{"a":[]}]',
    "object with a key twice": '{"a":1,"a":[2]}',
    "text": '"text"',
    "empty": '""',
    "blank": '" "',
    "over-long": json.dumps("x" * 9_000),
    "over-long in few characters": json.dumps("\u00e9" * 4_500, ensure_ascii=False),
    "nested": "[" * 500 + "]" * 500,
    "deep": "[" * 30_000 + "]" * 30_000,
    "nul": '"a\\u0000b"',
    "half a character": '"\\ud83d"',
    "the other half": '"\\ude00 x"',
    "a key that is half a character": '{"\\ud83d":1}',
}
NOT_TEXT = ("null", "true", "array", "object", "array of all sorts", "object with a key twice", "nested")
HALVES = ("half a character", "the other half", "a key that is half a character")
NAME, LABEL, CONTENT, NUMBER, OTHER = "name", "label", "content", "number", "other"

#: Every call: its arguments, and what kind of thing each is.
CALLS: dict[str, dict[str, tuple[str, str]]] = {
    "user_getmsg": {"ver_clear": ("0", NUMBER), "max": ("30", NUMBER)},
    "user_getmsg2": {"clear_msgs": ("[]", OTHER), "max": ("30", NUMBER)},
    "user_ack": {"ver_clear": ("0", NUMBER)},
    "user_sendmsg": {
        "peer": ('"peer"', NAME),
        "flag": ('"v1:E:3600"', OTHER),
        "t": ('"instant"', OTHER),
        "content": ('"x"', CONTENT),
    },
    "user_logout": {},
    "user_query_user_status": {"account": ('"peer"', NAME)},
    "user_set_attr": {"name": ('"mood"', LABEL), "value": ('"fine"', CONTENT)},
    "user_get_attr": {"account": ('"peer"', NAME), "name": ('"mood"', OTHER)},
    "user_get_attr_all": {"account": ('"peer"', NAME)},
    "channel_join": {"name": ('"room"', NAME)},
    "channel_leave": {"name": ('"room"', NAME)},
    "channel_sendmsg": {"name": ('"room"', NAME), "msg": ('"x"', CONTENT), "force": ("true", OTHER)},
    "channel_set_attr": {
        "channel": ('"room"', NAME),
        "name": ('"topic"', LABEL),
        "value": ('"tea"', CONTENT),
    },
    "channel_del_attr": {"channel": ('"room"', NAME), "name": ('"topic"', OTHER)},
    "channel_clear_attr": {"channel": ('"room"', NAME)},
    "channel_query_num": {"name": ('"room"', NAME)},
    "channel_query_user_isin": {"name": ('"room"', NAME), "account": ('"peer"', NAME)},
    "channel_query_userlist": {"name": ('"room"', NAME)},
    "channel_query_userlist_all": {"name": ('"room"', NAME), "num": ("10", OTHER)},
    **{
        func: {
            "channelName": ('"room"', NAME),
            "peer": ('"peer"', NAME),
            "extra": (json.dumps('{"msgtype":"dtmf","msgdata":"1"}'), OTHER),
        }
        for func in COMMANDS
        if func.startswith("voip_")
    },
    "user_ext_call": {"package": ('"p"', OTHER), "func": ('"f"', OTHER), "args": ('"{}"', OTHER)},
}
REFUSED_TYPES = {
    NAME: ("missing", "null", "true", "array", "object", "nested", "empty", "blank", "nul", *HALVES),
    LABEL: ("missing", "null", "true", "array", "object", "nested", "empty", "nul", *HALVES),
    CONTENT: ("missing", "nul", *HALVES, "huge float"),
    NUMBER: ("null", "true", "float", "text", "array", "object", "huge float", *HALVES),
    OTHER: HALVES,
}


def expected_codes(kind: str, junk: str) -> set[int] | None:
    """With which codes the call has to fail; None if it is free to succeed or to fail."""
    if junk in REFUSED_TYPES[kind]:
        return {Code.GENERAL_E_WRONG_PARAM}
    if junk.startswith("over-long") and kind in (NAME, LABEL, CONTENT):
        return {Code.GENERAL_E_LARGE_PARAM}
    return None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose rates do not get in the way."""
    with ServerProcess(tmp_path_factory.mktemp("junk"), config=CONFIG, flags=("--dev",)) as server:
        yield server
        assert server.stop() == 0
    log = server.log.read_text()
    assert '"error"' not in log, log
    assert "Traceback" not in log, log


@dataclass
class Bystanders:
    """Two sessions that mind their own business on the same server."""

    left: RawClient
    right: RawClient
    said: int = 0

    async def notice_nothing(self) -> None:
        """A message and a channel message arrive, in order, and nothing else has come."""
        for _ in range(3):
            self.said += 1
            await self.left.ok("user_sendmsg", peer="right", t="instant", content=str(self.said))
            await self.left.ok("channel_sendmsg", name="bench", msg=str(self.said))
        await self.left.settle()
        await self.right.settle()
        last = range(self.said - 2, self.said + 1)
        pushed = [await self.right.pushed() for _ in last]
        assert [line.content for _, line in pushed] == list(map(str, last))
        assert await self.right.poll(pushed[-1][0]) == []
        for client in (self.left, self.right):
            assert [(await client.event("bench"))[1].json["msg"] for _ in last] == list(map(str, last))
            assert client.frames == []
            assert client.closed is None


@pytest.fixture
async def bystanders(server: ServerProcess) -> AsyncIterator[Bystanders]:
    left, right = (
        await server.client("left", app="bystanders"),
        await server.client("right", app="bystanders"),
    )
    for client in (left, right):
        await client.ok("channel_join", name="bench")
    await left.event("bench")
    bystanders = Bystanders(left, right)
    await bystanders.notice_nothing()
    yield bystanders
    await bystanders.notice_nothing()
    for client in (right, left):
        await client.ok("user_logout")
        await client.close()


class Vandal:
    """A session that sends junk."""

    def __init__(self, server: ServerProcess, name: str) -> None:
        self.server = server
        self.name = name
        self.number = 0
        self.client: RawClient

    async def arrive(self) -> None:
        self.client = await self.server.client(self.name, device="javasdk")

    async def call(self, func: str, args: str) -> dict[str, Any] | None:
        """The body of the answer, or None for an `error` frame; nothing else may happen."""
        self.number += 1
        await self.client.send(f'["call2",["{func}",{self.number},{args}]]')
        frame = await self.client.wait(
            lambda frame: frame[0] in ("call2-ret", "error"), f"answer to {func} {args[:200]}"
        )
        if frame[0] == "error":
            check_error(frame)
            return None
        call_id, err, body = frame[1]
        assert (call_id, err) == (self.number, "")
        told: dict[str, Any] = json.loads(body)
        if told["result"] != "ok":
            check_failure(told)
        return told

    async def survive(self) -> None:
        """The session goes on."""
        await self.client.settle()
        assert self.client.closed is None
        self.client.frames.clear()  # events and announcements that its calls have brought
        if (await self.client.call("channel_query_num", name="nowhere")).get("num") != 0:
            await self.client.login(self.name, device="javasdk")  # a logout among the junk


def check_failure(body: dict[str, Any]) -> None:
    """PROTOCOL §5: the one form of a failure."""
    assert body["result"] == "failed"
    assert body["reason"]
    assert body["data"] == {"result": body["reason"]}
    assert body["code"] in set(Code), body
    assert body.keys() == {"result", "reason", "code", "data"}


def check_error(frame: Any) -> None:
    """PROTOCOL §3: what is wrong with a frame that cannot be answered."""
    name, told = frame
    assert name == "error"
    assert told.keys() == {"code", "reason"}
    assert told["code"] == Code.GENERAL_E_WRONG_PARAM
    assert told["reason"]


@pytest.fixture
async def vandal(server: ServerProcess, request: pytest.FixtureRequest) -> AsyncIterator[Vandal]:
    name = re.sub(r"[^a-z_]", "", request.node.name)[:60]
    vandal = Vandal(server, name)
    await vandal.arrive()
    yield vandal
    await vandal.client.close()


# --- calls ------------------------------------------------------------------------------------


def test_every_call_is_tried() -> None:
    """PROTOCOL §5: the table of the server and the one here name the same functions."""
    assert set(CALLS) == set(COMMANDS)


@pytest.mark.parametrize("func", CALLS)
async def test_junk_in_each_argument_of(func: str, vandal: Vandal, bystanders: Bystanders) -> None:
    """SPEC E5, §1: each field missing, null, of the wrong type, empty, over-long, deep, no whole text."""
    fields = {
        **CALLS[func],
        "line": (json.dumps(vandal.client.line), OTHER),
        "rid": ('"r"', OTHER),
        "another": ("1", OTHER),
    }
    for field, (_, kind) in fields.items():
        for junk, spelled in {"missing": "", **JUNK}.items():
            members = {name: value for name, (value, _) in fields.items() if name != field}
            members["rid"] = f'"{func}-{field}-{junk}"'
            if field == "line":
                members.pop("line", None)
            else:
                members["line"] = json.dumps(vandal.client.line)
            if junk != "missing":
                members[field] = spelled
            args = "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"
            told = await vandal.call(func, args)
            codes = expected_codes(kind, junk)
            if codes is not None:
                assert told, (field, junk)
                assert told.get("code") in codes, (field, junk, told)
            if func == "user_ext_call":
                assert told is None or told["result"] == "failed"
            if told is not None and told["result"] == "ok" and func == "user_logout":
                await vandal.client.login(vandal.name, device="javasdk")
    await vandal.survive()


@pytest.mark.parametrize("func", CALLS)
async def test_arguments_that_are_none(func: str, vandal: Vandal, bystanders: Bystanders) -> None:
    """SPEC E5: junk in place of the whole object."""
    for junk, spelled in JUNK.items():
        told = await vandal.call(func, spelled)
        if junk in ("object", "object with a key twice"):
            if func == "user_logout":
                await vandal.client.login(vandal.name, device="javasdk")
            continue
        assert told is None or told["code"] == Code.GENERAL_E_WRONG_PARAM, (junk, told)
    await vandal.survive()


async def test_functions_that_nobody_knows(vandal: Vandal, bystanders: Bystanders) -> None:
    """SPEC C12, E5: an error through the callback."""
    for func in ("", "dance", "user_", "USER_LOGOUT", "user_logout ", "__class__", "x" * 9_000):
        told = await vandal.call(func, "{}")
        assert told
        assert told["code"] == Code.GENERAL_E_FAILED
    for spelled in JUNK.values():
        vandal.number += 1
        await vandal.client.send(f'["call2",[{spelled},{vandal.number},{{}}]]')
        frame = await vandal.client.wait(lambda frame: frame[0] in ("call2-ret", "error"), spelled[:100])
        if frame[0] == "call2-ret":
            check_failure(json.loads(frame[1][2]))
            assert frame[1][0] == vandal.number
        else:
            check_error(frame)
    await vandal.survive()


async def test_ids_that_are_none(vandal: Vandal, bystanders: Bystanders) -> None:
    """SPEC E5, PROTOCOL §2: whole numbers and texts come back as they were, the rest is an error."""
    for junk, spelled in JUNK.items():
        await vandal.client.send(f'["call2",["channel_query_num",{spelled},{{"name":"room"}}]]')
        frame = await vandal.client.wait(lambda frame: frame[0] in ("call2-ret", "error"), spelled[:100])
        text = spelled.startswith('"') and junk not in HALVES
        if text or junk in ("integer", "huge integer"):
            assert frame[0] == "call2-ret", junk
            assert frame[1][0] == json.loads(spelled)
        else:
            check_error(frame)
    await vandal.survive()


async def test_contents_that_are_no_text_are_delivered(server: ServerProcess) -> None:
    """SPEC §1: contents that are no text are sent as their JSON text."""
    ada, bo = await server.client("ada"), await server.client("bo")
    await ada.ok("channel_join", name="room")
    for junk in (*NOT_TEXT, "integer", "float", "huge integer"):
        spelled = JUNK[junk]
        value = json.loads(spelled)
        text = json.dumps(value, separators=(",", ":"))
        call_id = await raw_call(ada, "user_sendmsg", f'{{"peer":"bo","t":"instant","content":{spelled}}}')
        assert (await ada.answer(call_id))["result"] == "ok"
        assert (await bo.pushed())[1].content == text
        call_id = await raw_call(ada, "channel_sendmsg", f'{{"name":"room","msg":{spelled}}}')
        assert (await ada.answer(call_id))["result"] == "ok"
        assert (await ada.event("room"))[1].json["msg"] == text
        call_id = await raw_call(ada, "user_set_attr", f'{{"name":"mood","value":{spelled}}}')
        assert (await ada.answer(call_id))["result"] == "ok"
        assert (await bo.ok("user_get_attr", account="ada", name="mood"))["value"] == text
        call_id = await raw_call(
            ada, "channel_set_attr", f'{{"channel":"room","name":"{junk}","value":{spelled}}}'
        )
        assert (await ada.answer(call_id))["result"] == "ok"
        assert (await ada.event("room"))[1].json["value"] == text
        await ada.ok("voip_invite", channelName=f"call {junk}".replace(" ", "-"), peer="bo", extra="")
        await bo.pushed()
        args = f'{{"channelName":"{f"call {junk}".replace(" ", "-")}","peer":"ada","extra":{spelled}}}'
        call_id = await raw_call(bo, "voip_invite_accept", args)
        assert (await bo.answer(call_id))["result"] == "ok"
        assert (await ada.pushed())[1].json["extra"] == text
    for client in (ada, bo):
        await client.quiet()
        await client.close()


async def raw_call(client: RawClient, func: str, args: str) -> int:
    """Call with arguments that are spelled as JSON text."""
    client._calls += 1
    await client.send(f'["call2",["{func}",{client._calls},{args}]]')
    return client._calls


# --- frames -----------------------------------------------------------------------------------


async def test_what_is_no_frame_brings_an_error(vandal: Vandal, bystanders: Bystanders) -> None:
    """SPEC E5, PROTOCOL §3: JSON that means nothing changes nothing."""
    texts = [case["text"] for case in FRAMES["client_invalid"] if case["outcome"] == "error"]
    texts += list(JUNK.values())
    texts += [f"[{spelled}]" for spelled in JUNK.values()]
    texts += [f'["dance",{spelled}]' for spelled in JUNK.values()]
    texts += [f'["{name}",{JUNK["deep"]}]' for name in ("call2", "ping", "set_flag", "login", "line_login")]
    texts += [
        f'["ping",{spelled}]' for spelled in JUNK.values() if not re.fullmatch(r"[0-9.]{1,999}", spelled)
    ]
    texts += [f'["set_flag",{spelled}]' for spelled in JUNK.values() if not spelled.startswith("{")]
    texts += [f'["call2",{spelled}]' for spelled in JUNK.values() if spelled != JUNK["array of all sorts"]]
    for text in texts:
        await vandal.client.send(text)
        check_error(await vandal.client.wait(lambda frame: frame[0] != "notify", text[:200]))
    await vandal.survive()


async def test_flags_of_any_kind_are_taken(vandal: Vandal, bystanders: Bystanders) -> None:
    """PROTOCOL §2, §12: what a flag says is not looked at, and frames stay text."""
    for junk, spelled in JUNK.items():
        await vandal.client.send(f'["set_flag",{{"binary":{spelled},"multi":1,"more":1}}]')
        await vandal.client.settle()
        expected = 1 if junk in ("huge float", "larger integer", "deep", *HALVES) else 0
        assert len(vandal.client.frames) == expected, junk
        for frame in vandal.client.frames:
            check_error(frame)
        vandal.client.frames.clear()
    await vandal.survive()


@pytest.mark.parametrize(
    "text",
    [case["text"] for case in FRAMES["client_invalid"] if case["outcome"] == "close"],
    ids=lambda text: ascii(text[:40]),
)
async def test_what_is_no_json_closes_the_connection(
    text: str, server: ServerProcess, bystanders: Bystanders
) -> None:
    """SPEC E5: 1008, and the session detaches: nothing is lost."""
    await closes_and_loses_nothing(server, text.encode(), 1008)


@pytest.mark.parametrize(
    "data",
    [
        b'["ping",\xff]',
        b'["ping","\xc3"]',
        b"\xed\xa0\x80",
        b'["call2",["user_sendmsg",1,{"peer":"bo","content":"\xf8"}]]',
        b'["call2",["user_sendmsg",1,{"peer":"bo","content":"\xc0\x80"}]]',
        b'["dance","' + b"x" * 60_000 + b'\xe2\x82"]',
    ],
    ids=lambda data: ascii(data[:40]),
)
async def test_what_is_no_utf_8_closes_the_connection(
    data: bytes, server: ServerProcess, bystanders: Bystanders
) -> None:
    """SPEC E5: 1007, and the session detaches: nothing is lost."""
    await closes_and_loses_nothing(server, data, 1007)


async def test_a_frame_over_64_kib_closes_the_connection(
    server: ServerProcess, bystanders: Bystanders
) -> None:
    """SPEC E5: 65 536 bytes are taken, one more is 1009."""
    empty = '["dance",""]'
    exact = empty.replace('""', '"' + "x" * (FRAME_BYTES - len(empty)) + '"')
    client = await server.client("exact")
    await client.send(exact)
    check_error(await client.wait(lambda frame: True, "error"))
    await client.close()
    await closes_and_loses_nothing(server, exact.encode() + b" ", 1009)


async def closes_and_loses_nothing(server: ServerProcess, data: bytes, code: int) -> None:
    """The connection closes with the code; the session is detached, and what was sent to it comes."""
    friend = await server.client("friend")
    victim = await server.client("victim")
    await friend.ok("user_sendmsg", peer="victim", t="instant", content="before")
    version, _ = await victim.pushed()
    await victim.socket.send(data, text=True)
    closed, reason = await victim.gone()
    assert closed == code
    assert reason
    assert victim.frames == []
    assert (await friend.ok("user_query_user_status", account="victim"))["status"] == 1
    await friend.ok("user_sendmsg", peer="victim", t="instant", content="while away")
    again = await server.client("victim", polled=False)
    assert [line.content for _, line in await again.poll()] == ["before", "while away"]
    await again.ok("user_getmsg", ver_clear=version + 1, max=30)
    for client in (again, friend):
        await client.ok("user_logout")
        await client.close()


async def test_a_binary_message_closes_the_connection(server: ServerProcess, bystanders: Bystanders) -> None:
    """PROTOCOL §1: clients send text; 1003 for what is none."""
    client = await server.client("binary")
    await client.socket.send(b'["ping",1]')
    code, reason = await client.gone()
    assert (code, bool(reason)) == (1003, True)
    assert client.frames == []


# --- logins -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["vid", "account", "token", "device", "uid", "ip", "line", "inbox", "channels"]
)
async def test_junk_in_each_field_of_a_login(
    field: str, server: ServerProcess, bystanders: Bystanders
) -> None:
    """SPEC L1, L2, L5, PROTOCOL §11.8: a login is answered, and closed only behind its answer."""
    for junk, spelled in {"missing": "", **JUNK}.items():
        members = {
            "vid": '"junk"',
            "account": '"ada"',
            "token": '"t"',
            "device": '"signalpost-web"',
            "uid": "0",
            "ip": '""',
        }
        members.pop(field, None)
        if junk != "missing":
            members[field] = spelled
        client = await server.open()
        fields = ",".join(f'"{name}":{value}' for name, value in members.items())
        await client.send(f'["login",{{{fields}}}]')
        frame = await client.wait(lambda frame: True, f"answer to {field} {junk}")
        if frame[0] == "error":  # so deep, or so large, that nothing could be read
            assert junk in ("deep", "huge float", "larger integer"), junk
            check_error(frame)
            await client.close()
            continue
        name, (err, body) = frame
        assert name == "login_ret"
        told = json.loads(body)
        if err == "":
            assert told["result"] == "ok"
            assert (field, junk) not in {("account", "missing"), ("vid", "missing"), ("account", "blank")}
            await client.ok("user_logout")
            await client.close()
            continue
        assert told == {"result": "failed", "reason": err, "code": told["code"]}
        assert told["code"] == {"vid": 201, "account": 209}[field], junk
        assert await client.gone() == (1000, "login refused")
        assert client.frames == []


async def test_junk_before_a_login_is_survived(server: ServerProcess, bystanders: Bystanders) -> None:
    """SPEC E5: errors, and then the login works."""
    client = await server.open()
    for case in FRAMES["client_invalid"]:
        if case["outcome"] == "error":
            await client.send(case["text"])
            check_error(await client.wait(lambda frame: True, case["text"]))
    for func in CALLS:
        await client.refused(func, Code.GENERAL_E_NOT_LOGIN)
    await client.login("early")
    await client.quiet()
    await client.ok("user_logout")
    await client.close()


# --- floods -----------------------------------------------------------------------------------


def resident(server: ServerProcess) -> int:
    """KiB of memory that the server holds."""
    assert server.process is not None
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


@pytest.mark.parametrize("func", ["channel_query_num", "user_sendmsg", "user_getmsg", "dance"])
async def test_ten_thousand_calls_without_reading_an_answer(
    func: str, server: ServerProcess, bystanders: Bystanders
) -> None:
    """SPEC E5: answered when they are read at last, or closed; memory comes back, and nobody notices."""
    friend = await server.client("friend")
    client = await server.client(f"flood-{func}")
    if func == "user_getmsg":  # 160 MB of answers
        for _ in range(2):
            await friend.ok("user_sendmsg", peer=client.account, t="instant", content="x" * 8_000)
        await client.settle()
        client.frames.clear()
    args = {
        "channel_query_num": {"name": "room"},
        "user_sendmsg": {"peer": "flooded", "t": "instant", "content": "x" * 100},
        "user_getmsg": {"ver_clear": 0, "max": 30},
        "dance": {},
    }[func]
    before = resident(server)
    client.socket.transport.pause_reading()
    sending = asyncio.create_task(flood(client, func, args))
    await asyncio.wait([sending], timeout=1.0)  # it may be blocked until somebody reads
    await bystanders.notice_nothing()
    client.socket.transport.resume_reading()
    answers = await all_answers(client)
    await sending
    if client.closed is None:
        assert answers == list(range(10_000))
        await client.quiet()
        await client.ok("user_logout")
    else:
        assert func == "user_getmsg", "only who asks for so much is too slow"
        assert answers == list(range(len(answers))), "what came was in order and whole"
    await client.close()
    await bystanders.notice_nothing()
    if func == "user_sendmsg":
        await take_all(server, "flooded")
    deadline = time.monotonic() + 30
    while resident(server) > before + 24 * 1024:
        assert time.monotonic() < deadline, (before, resident(server))
        await asyncio.sleep(0.05)
    again = await server.client(client.account, polled=False)
    if func == "user_getmsg":
        assert len(await again.poll()) == 2, "nothing is lost"
        await again.call("user_getmsg", ver_clear=2**53, max=30)
    for one in (again, friend):
        await one.ok("user_logout")
        await one.close()


async def take_all(server: ServerProcess, account: str) -> None:
    """Somebody takes all that waits for him. A ping's echo says nothing of what an engine is still asked."""
    client = await server.client(account, polled=False, device="signalpost-web", inbox=["", 0])
    taken = 0
    while taken < 10_000:
        versions = [json.loads((await client.wait(lambda frame: frame[0] == "notify", "an item"))[1][1])[0]]
        frames, client.frames = client.frames, []
        versions += [json.loads(frame[1][1])[0] for frame in frames if frame[0] == "notify"]
        taken += len(versions)
        await client.ok("user_ack", ver_clear=versions[-1])
    assert taken == 10_000
    await client.quiet()
    await client.ok("user_logout")
    await client.close()


async def flood(client: RawClient, func: str, args: dict[str, Any]) -> None:
    """10 000 calls, one after the other."""
    try:
        for number in range(10_000):
            await client.send(["call2", [func, number, {"line": client.line, **args}]])
    except ConnectionClosed:
        return


async def all_answers(client: RawClient) -> list[int]:
    """The ids of the answers, in their order, until there are 10 000 or the connection is closed."""
    ids: list[int] = []
    deadline = time.monotonic() + 60
    while len(ids) < 10_000 and (client.closed is None or client.frames):
        assert time.monotonic() < deadline, len(ids)
        frames, client.frames = client.frames, []
        ids += [frame[1][0] for frame in frames if frame[0] == "call2-ret"]
        if not frames:
            await asyncio.sleep(0.005)
    return ids
