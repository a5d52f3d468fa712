"""Every size that SPEC limits, at N and at N + 1, in ASCII and in characters of more bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import RawClient
from support.house import House
from support.server import ServerProcess, serving
from support.waiting import until

CONFIG = """
[server]
connections_per_second = 10000

[apps.brief]
allow_no_token = true

[apps.brief.limits]
inbox_seconds = 2.5

[apps.small]
allow_no_token = true

[apps.small.limits]
inbox_messages = 5
inbox_bytes = 20000
inbox_call_reserve = 4
"""
CHARACTERS = ["a", "é", "語", "😀"]  # of 1, 2, 3 and 4 bytes in UTF-8


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("limits"), CONFIG) as server:
        yield server


def text_of(size: int, character: str) -> str:
    """A text of so many bytes, of that character as far as possible."""
    width = len(character.encode())
    text = character * (size // width)
    return text + "x" * (size - len(text.encode()))


def instant(peer: str, text: Any) -> dict[str, Any]:
    return {"peer": peer, "flag": "v1:E:3600", "t": "instant", "content": text}


every_character = pytest.mark.parametrize("character", CHARACTERS)


# --- names --------------------------------------------------------------------------------------


@every_character
async def test_an_account_has_at_most_128_bytes(house: House, character: str) -> None:
    """SPEC §1, L2: 128 bytes are a name, 129 are refused with 209."""
    ada = await house.client(text_of(128, character))
    assert (await ada.ok("user_query_user_status", account=text_of(128, character)))["status"] == 1
    client = await house.open()
    err, body = await client.try_login(text_of(129, character), app=house.app)
    assert err.startswith("wrong account")
    assert body["code"] == 209
    await client.gone()


@every_character
async def test_names_in_requests_have_at_most_128_bytes(house: House, character: str) -> None:
    """SPEC §1: accounts and channels, wherever they are named; 129 bytes are 1005."""
    ada = await house.client("ada")
    fits, exceeds = text_of(128, character), text_of(129, character)
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("user_sendmsg", "peer", {"t": "instant", "content": ""}),
        ("user_query_user_status", "account", {}),
        ("user_get_attr", "account", {"name": "n"}),
        ("user_get_attr_all", "account", {}),
        ("channel_join", "name", {}),
        ("channel_sendmsg", "name", {"msg": ""}),
        ("channel_set_attr", "channel", {"name": "n", "value": ""}),
        ("channel_del_attr", "channel", {"name": "n"}),
        ("channel_clear_attr", "channel", {}),
        ("channel_query_num", "name", {}),
        ("channel_query_user_isin", "name", {"account": "ada"}),
        ("channel_query_user_isin", "account", {"name": "room"}),
        ("channel_query_userlist", "name", {}),
        ("channel_query_userlist_all", "name", {}),
        ("voip_invite", "channelName", {"peer": "bo", "extra": ""}),
        ("voip_invite", "peer", {"channelName": "room", "extra": ""}),
        ("channel_leave", "name", {}),
    ]
    for func, field, others in requests:
        await ada.ok(func, **{field: fits}, **others)
        await ada.refused(func, 1005, **{field: exceeds}, **others)


FORBIDDEN = ["", " ", "a b", "a\tb", "\x00", "\x7f", "\xa0", "\u1680", "\u2003", "\u2028", "\u3000", "\ufeff"]


@pytest.mark.parametrize("name", FORBIDDEN, ids=[ascii(name) for name in FORBIDDEN])
async def test_what_is_not_visible_names_nothing(house: House, name: str) -> None:
    """SPEC §1: 209 at login, 1004 in a request."""
    client = await house.open()
    assert (await client.try_login(name, app=house.app))[1]["code"] == 209
    ada = await house.client("ada")
    await ada.refused("channel_join", 1004, name=name)
    await ada.refused("user_sendmsg", 1004, **instant(name, ""))


async def test_a_lone_surrogate_is_no_text(house: House) -> None:
    """SPEC §1, E5: it may name nothing and be in no message; the session goes on."""
    ada = await house.client("ada")
    fields = '{"peer":"bo","t":"instant","content":"\\ud800"}'
    for number, args in enumerate((fields, '{"peer":"\\udfff","t":"instant","content":""}')):
        await ada.send(f'["call2",["user_sendmsg","s{number}",{args}]]')
        frame = await ada.wait(lambda frame: frame[0] == "call2-ret", "answer")
        assert json.loads(frame[1][2])["code"] == 1004
    await ada.quiet()


async def test_joiners_and_every_other_character_may_be_in_a_name(house: House) -> None:
    """SPEC §1: U+200D is allowed, names are case-sensitive and not normalised."""
    names = ["👩\u200d💻", "Ada", "ada", "é", "e\u0301", "#/?\\\"'"]
    clients = [await house.client(name) for name in names]
    for client, name in zip(clients, names, strict=True):
        assert (await clients[0].ok("user_query_user_status", account=name))["status"] == 1
        await client.quiet()


async def test_numbers_given_as_names_become_their_decimal_text(house: House) -> None:
    """SPEC §1: an account 7 is the account "7"; a channel too."""
    number: Any = 7
    seven = await house.client(number)
    ada = await house.client("ada")
    await ada.ok("user_sendmsg", **instant("7", "to the text"))
    await ada.ok("user_sendmsg", peer=7, t="instant", content="to the number")
    texts = [(await seven.pushed())[1] for _ in range(2)]
    assert [(line.dst, line.content) for line in texts] == [("7", "to the text"), ("7", "to the number")]
    await ada.ok("channel_join", name=12)
    assert (await ada.ok("channel_query_num", name="12"))["num"] == 1


# --- messages -----------------------------------------------------------------------------------


@every_character
async def test_an_instant_message_has_at_most_8196_bytes(house: House, character: str) -> None:
    """SPEC M1, M2: the receiver gets them byte for byte; one more is 1005."""
    ada, bo = await house.client("ada"), await house.client("bo")
    text = text_of(8196, character)
    await ada.ok("user_sendmsg", **instant("bo", text))
    await ada.refused("user_sendmsg", 1005, **instant("bo", text_of(8197, character)))
    await ada.ok("user_sendmsg", **instant("bo", ""))
    assert [(await bo.pushed())[1].content for _ in range(2)] == [text, ""]
    await bo.quiet()


@every_character
async def test_a_channel_message_has_at_most_8192_bytes(house: House, character: str) -> None:
    """SPEC C4: to members and by force; one more is 1005."""
    ada = await house.client("ada")
    await ada.ok("channel_join", name="room")
    text = text_of(8192, character)
    for force in (False, True):
        await ada.ok("channel_sendmsg", name="room", msg=text, force=force)
        await ada.refused("channel_sendmsg", 1005, name="room", msg=text_of(8193, character), force=force)
        assert (await ada.event("room"))[1].json["msg"] == text
    await ada.quiet()


async def test_contents_that_are_no_text_count_as_their_json_text(house: House) -> None:
    """SPEC §1: an object is measured and sent as JSON."""
    ada, bo = await house.client("ada"), await house.client("bo")
    fits = {"a": "x" * (8196 - len('{"a":""}'))}
    await ada.ok("user_sendmsg", **instant("bo", fits))
    await ada.refused("user_sendmsg", 1005, **instant("bo", {"a": fits["a"] + "x"}))
    assert json.loads((await bo.pushed())[1].content) == fits


async def test_nul_is_in_no_message(house: House) -> None:
    """SPEC §1: 1004, and nothing is delivered."""
    ada, bo = await house.client("ada"), await house.client("bo")
    await ada.ok("channel_join", name="room")
    await ada.refused("user_sendmsg", 1004, **instant("bo", "a\0b"))
    await ada.refused("channel_sendmsg", 1004, name="room", msg="\0")
    await ada.refused("user_set_attr", 1004, name="n", value="\0")
    await ada.refused("channel_set_attr", 1004, channel="room", name="\0", value="v")
    await ada.quiet()
    await bo.quiet()


# --- attributes ---------------------------------------------------------------------------------


@every_character
async def test_user_attributes_have_128_bytes_of_name_and_8096_of_value(house: House, character: str) -> None:
    """SPEC P2: spaces are allowed in both."""
    ada = await house.client("ada")
    name, value = " " + text_of(127, character), " " + text_of(8095, character)
    await ada.ok("user_set_attr", name=name, value=value)
    await ada.refused("user_set_attr", 1005, name=name + "x", value="")
    await ada.refused("user_set_attr", 1005, name="n", value=value + "x")
    await ada.refused("user_set_attr", 1004, name="", value="")
    assert (await ada.ok("user_get_attr", account="ada", name=name))["value"] == value
    assert json.loads((await ada.ok("user_get_attr_all", account="ada"))["json"]) == {name: value}


@every_character
async def test_channel_attributes_have_128_bytes_of_name_and_8096_of_value(
    house: House, character: str
) -> None:
    """SPEC C10: as user attributes."""
    ada = await house.client("ada")
    name, value = " " + text_of(127, character), " " + text_of(8095, character)
    await ada.ok("channel_set_attr", channel="room", name=name, value=value)
    await ada.refused("channel_set_attr", 1005, channel="room", name=name + "x", value="")
    await ada.refused("channel_set_attr", 1005, channel="room", name="n", value=value + "x")
    await ada.refused("channel_set_attr", 1004, channel="room", name="", value="")
    assert (await ada.ok("channel_join", name="room"))["attrs"] == {name: value}


async def test_an_account_has_at_most_100_attributes(house: House) -> None:
    """SPEC P2: the 101st is 1001; one that exists may change."""
    ada = await house.client("ada")
    for number in range(100):
        if number == 50:
            await ada.ok("user_logout")  # the requests of a second are limited, too (M10)
            ada = await house.client("ada")
        await ada.ok("user_set_attr", name=f"n{number}", value="v")
    await ada.refused("user_set_attr", 1001, name="one more", value="v")
    await ada.ok("user_set_attr", name="n99", value="new")
    found = json.loads((await ada.ok("user_get_attr_all", account="ada"))["json"])
    assert found == {f"n{number}": "v" for number in range(99)} | {"n99": "new"}


async def test_a_channel_has_at_most_100_attributes(house: House) -> None:
    """SPEC C10, C11: those that the server keeps do not count."""
    ada = await house.client("ada")
    await ada.ok("channel_set_attr", channel="room", name="_auto_update_num", value=3600)
    await ada.ok("channel_join", name="room")
    for number in range(99):
        if number == 50:
            await ada.ok("user_logout")
            ada = await house.client("ada")
        await ada.ok("channel_set_attr", channel="room", name=f"n{number}", value="v")
    await ada.refused("channel_set_attr", 1001, channel="room", name="one more", value="v")
    await ada.ok("channel_set_attr", channel="room", name="n98", value="new")
    await ada.ok("channel_del_attr", channel="room", name="n0")
    await ada.ok("channel_set_attr", channel="room", name="one more", value="v")
    attributes = (await ada.ok("channel_join", name="room"))["attrs"]
    assert len(attributes) == 101
    assert attributes["_member_num"] == "0", "as it was when counting began; the next number is an hour away"


# --- calls --------------------------------------------------------------------------------------


def invitation(size: int, character: str) -> str:
    """An extra of so many bytes that is JSON text."""
    return json.dumps({"x": text_of(size - len('{"x": ""}'), character)}, ensure_ascii=False)


@every_character
async def test_an_invitation_carries_at_most_8_kib(house: House, character: str) -> None:
    """SPEC K1, K9: the peer gets them untouched; one more byte is 1005."""
    ada, bo = await house.client("ada"), await house.client("bo")
    extra = invitation(8192, character)
    assert len(extra.encode()) == 8192
    await ada.refused("voip_invite", 1005, channelName="room", peer="bo", extra=invitation(8193, character))
    await ada.ok("voip_invite", channelName="room", peer="bo", extra=extra)
    assert (await bo.pushed())[1].json["extra"] == extra


@every_character
@pytest.mark.parametrize("func", ["voip_invite_accept", "voip_invite_refuse", "voip_invite_bye"])
async def test_an_answer_carries_at_most_8_kib(house: House, func: str, character: str) -> None:
    """SPEC K2, K3: any text, JSON or not."""
    ada, bo = await house.client("ada"), await house.client("bo")
    await ada.ok("voip_invite", channelName="room", peer="bo", extra="")
    await bo.pushed()
    extra = text_of(8192, character)
    await bo.refused(func, 1005, channelName="room", peer="ada", extra=extra + "x")
    await bo.ok(func, channelName="room", peer="ada", extra=extra)
    line = (await ada.pushed())[1]
    assert (line.type, line.json["extra"]) == (func, extra)


async def test_dtmf_takes_1_to_64_keys(house: House) -> None:
    """SPEC K4: digits, star, hash and A-D; anything else is 1004, more is 1005."""
    ada, bo = await house.client("ada"), await house.client("bo")
    await ada.ok("voip_invite", channelName="room", peer="bo", extra="")
    await bo.ok("voip_invite_accept", channelName="room", peer="ada", extra="")
    await bo.pushed()
    await ada.pushed()

    def keys(text: Any) -> dict[str, Any]:
        extra = json.dumps({"msgtype": "dtmf", "msgdata": text})
        return {"channelName": "room", "peer": "bo", "extra": extra}

    for text in ("5", "0123456789*#ABCD" * 4):
        await ada.ok("voip_invite_msg", **keys(text))
        assert json.loads((await bo.pushed())[1].json["extra"])["msgdata"] == text
    await ada.refused("voip_invite_msg", 1005, **keys("1" * 65))
    for wrong in ("", "a", "E", "1 2", "\uff11", "1\n", 12, None):
        await ada.refused("voip_invite_msg", 1004, **keys(wrong))
    await bo.quiet()


# --- frames -------------------------------------------------------------------------------------


@every_character
async def test_a_frame_has_at_most_64_kib(house: House, character: str) -> None:
    """SPEC E5: one byte more closes the connection with 1009."""
    ada = await house.client("ada")
    head = f'["call2",["user_query_user_status","c",{{"line":"{ada.line}","account":"ada","x":"'
    tail = '"}]]'
    room = 65536 - len(head) - len(tail)
    await ada.send(head + text_of(room, character) + tail)
    frame = await ada.wait(lambda frame: frame[0] == "call2-ret", "answer")
    assert json.loads(frame[1][2]) == {"result": "ok", "status": 1}
    await ada.send(head + text_of(room + 1, character) + tail)
    assert (await ada.gone())[0] == 1009
    bo = await house.client("bo")
    status = await bo.ok("user_query_user_status", account="ada")
    assert status["status"] == 1, "the connection ends, the session only detaches"


async def test_a_request_id_has_at_most_128_characters(house: House) -> None:
    """PROTOCOL §12: a longer one is refused, nothing is done."""
    ada, bo = await house.client("ada", device="signalpost-web"), await house.client("bo")
    await ada.ok("user_sendmsg", **instant("bo", "fits"), rid="r" * 128)
    await ada.refused("user_sendmsg", 1005, **instant("bo", "too long"), rid="r" * 129)
    assert (await bo.pushed())[1].content == "fits"
    await bo.quiet()


# --- inboxes ------------------------------------------------------------------------------------


async def fill(sender: RawClient, peer: str, texts: list[str]) -> list[int]:
    bodies = [await sender.call("user_sendmsg", **instant(peer, text)) for text in texts]
    return [0 if body["result"] == "ok" else body["code"] for body in bodies]


async def test_an_inbox_holds_so_many_messages(house: House) -> None:
    """SPEC M9: one more is refused with 400, until some are taken."""
    ada = await house.client("ada", app="small")
    assert await fill(ada, "many", [str(number) for number in range(7)]) == [0] * 5 + [400] * 2
    assert await fill(ada, "other", [""]) == [0], "one full inbox concerns no other"
    many = await house.client("many", app="small", polled=False)
    items = await many.poll()
    assert [line.content for _, line in items] == ["0", "1", "2", "3", "4"]
    await many.poll(items[1][0])
    assert await fill(ada, "many", ["5", "6", "7"]) == [0, 0, 400]


@every_character
async def test_an_inbox_holds_so_many_bytes(house: House, character: str) -> None:
    """SPEC M9: counted in UTF-8; what fits still fits."""
    ada = await house.client("ada", app="small")
    peer = f"bytes{ord(character)}"
    texts = [text_of(size, character) for size in (8000, 8000, 4001, 4000, 1)]
    assert await fill(ada, peer, texts) == [0, 0, 400, 0, 400]
    client = await house.client(peer, app="small", polled=False)
    assert [line.content for _, line in await client.poll()] == [texts[0], texts[1], texts[3]]


async def test_a_full_inbox_still_rings(house: House) -> None:
    """SPEC M9: call events have a reserve, and each invitation brings the room for its end along."""
    ada = await house.client("ada", app="small")
    rung = await house.client("rung", app="small")
    assert await fill(ada, "rung", [""] * 6) == [0] * 5 + [400]
    for channel in ("one", "two"):
        await ada.ok("voip_invite", channelName=channel, peer="rung", extra="")
    refusal = await ada.refused("voip_invite", 700, channelName="three", peer="rung", extra="")
    assert "4 events" in refusal["reason"]
    for channel in ("one", "two"):
        await ada.ok("voip_invite_bye", channelName=channel, peer="rung", extra="")
    taken = [(await rung.pushed())[1] for _ in range(9)]
    assert [line.type for line in taken] == ["instant"] * 5 + ["voip_invite"] * 2 + ["voip_invite_bye"] * 2


async def test_a_message_waits_only_so_long(house: House) -> None:
    """SPEC M3: one day in the product, whatever the client's flag says; a later one is still there."""
    ada = await house.client("ada", app="brief")
    bo = await house.client("bo", app="brief", device="javasdk", polled=False)
    await ada.ok("user_sendmsg", peer="bo", flag="v1:E:2592000", t="instant", content="early")
    assert [line.content for _, line in await bo.poll()] == ["early"]

    async def expired() -> bool:
        return await bo.poll() == []

    await until(expired, "the message's time is over")
    await ada.ok("user_sendmsg", peer="bo", flag="v1:E:0", t="instant", content="late")
    assert [line.content for _, line in await bo.poll()] == ["late"]


async def test_a_poll_answers_with_at_most_30(house: House) -> None:
    """PROTOCOL §5, §6: whatever it asks for; the versions ascend and nothing is left out."""
    ada = await house.client("ada")
    for number in range(31):
        await ada.ok("user_sendmsg", **instant("bo", str(number)))
    bo = await house.open()
    await bo.login("bo", app=house.app, device="javasdk")
    sizes = {}
    for asked in (30, 31, 1000, 7, 1):
        body = await bo.ok("user_getmsg", ver_clear=0, max=asked)
        sizes[asked] = len(body["msgs"])
    assert sizes == {30: 30, 31: 30, 1000: 30, 7: 7, 1: 1}
    first = await bo.poll()
    rest = await bo.poll(first[-1][0])
    versions = [version for version, _ in first + rest]
    assert versions == sorted(set(versions))
    assert [line.content for _, line in first + rest] == [*map(str, range(31))]


async def test_a_list_shows_the_latest_200_members(house: House) -> None:
    """SPEC C1, C12: oldest first, oneself last; the full list takes a number."""
    owner = await house.client("owner")
    await owner.ok("channel_set_attr", channel="hall", name="_userNotification", value=0)
    members = []
    for number in range(200):
        member = await house.client(f"m{number}", polled=False)
        members.append([member.account, 0])
        answer = await member.ok("channel_join", name="hall")
    assert answer["list"] == members, "200 members are listed whole"
    answer = await owner.ok("channel_join", name="hall")
    assert answer["list"] == [*members[1:], ["owner", 0]]
    short = await owner.ok("channel_query_userlist", name="hall")
    assert short["num"] == 201
    assert short["list"] == [*members[1:], ["owner", 0]]
    full = await owner.ok("channel_query_userlist_all", name="hall")
    assert full["num"] == 201
    assert full["list"] == [*members, ["owner", 0]]
    for number in (0, 1, 201, 500):
        found = await owner.ok("channel_query_userlist_all", name="hall", num=number)
        assert len(found["list"]) == min(number, 201)
    first = await house.client("m0")
    again = await first.ok("channel_join", name="hall")
    assert again["list"][-1] == ["m0", 0]
    assert len(again["list"]) == 200
