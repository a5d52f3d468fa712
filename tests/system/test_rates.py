"""How much is too much: exactly the surplus is refused (SPEC M8, M10, C7, C10, L16)."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from signalpost.tokens import make_token
from support.client import RawClient
from support.house import House
from support.rates import within_a_second
from support.server import ServerProcess
from support.waiting import until

INSTANT, CHANNEL = "user_sendmsg", "channel_sendmsg"
OURS = "signalpost-python"


def instant(peer: str, text: str) -> dict[str, Any]:
    return {"peer": peer, "flag": "v1:E:3600", "t": "instant", "content": text}


async def results(client: RawClient, asked: Iterable[int]) -> list[int]:
    """The codes of the answers, 0 for success."""
    bodies = [await client.answer(call) for call in asked]
    return [0 if body["result"] == "ok" else body["code"] for body in bodies]


async def hear(client: RawClient, channel: str, number: int) -> list[str]:
    """The texts of the next channel messages, after which there is no other."""
    texts = [(await client.event(channel))[1].json["msg"] for _ in range(number)]
    await client.quiet()
    return texts


async def take(client: RawClient, number: int) -> list[str]:
    """The next instant messages, after which there is no other."""
    texts = [(await client.pushed())[1].content for _ in range(number)]
    await client.quiet()
    return texts


# --- messages -----------------------------------------------------------------------------------


@within_a_second
async def test_of_61_messages_in_a_second_the_last_is_refused_and_the_others_come_once(house: House) -> None:
    """SPEC M8: instant and channel messages count together; the session goes on."""
    ada, bo, cy = await house.client("ada"), await house.client("bo"), await house.client("cy")
    await ada.ok("channel_join", name="room")
    await cy.ok("channel_join", name="room")
    await ada.event("room")
    asked = []
    for number in range(61):
        if number % 2:
            asked.append(await ada.ask(CHANNEL, name="room", msg=str(number)))
        else:
            asked.append(await ada.ask(INSTANT, **instant("bo", str(number))))
    assert await results(ada, asked) == [0] * 60 + [400]
    assert await take(bo, 30) == [str(number) for number in range(0, 60, 2)]
    assert await hear(cy, "room", 30) == [str(number) for number in range(1, 60, 2)]
    assert await hear(ada, "room", 30) == [str(number) for number in range(1, 60, 2)]


@within_a_second
async def test_what_is_refused_does_not_count(house: House) -> None:
    """SPEC M8: one who goes on trying may send again as soon as a second has passed since the sixty."""
    ada, bo = await house.client("ada"), await house.client("bo")
    asked = [await ada.ask(INSTANT, **instant("bo", str(number))) for number in range(60)]
    assert await results(ada, asked) == [0] * 60
    await ada.refused(INSTANT, 400, **instant("bo", "too early"))

    async def sent() -> bool:
        body = await ada.call(INSTANT, **instant("bo", "again"))
        return bool(body["result"] == "ok")

    await until(sent, "a second has passed")
    assert await take(bo, 61) == [*map(str, range(60)), "again"]


@within_a_second
async def test_logging_in_again_is_no_way_around_the_rate(house: House) -> None:
    """SPEC M8: it is the user's rate, not the session's."""
    bo, ada = await house.client("bo"), await house.client("ada")
    asked = [await ada.ask(INSTANT, **instant("bo", str(number))) for number in range(40)]
    assert await results(ada, asked) == [0] * 40
    await ada.ok("user_logout")
    ada = await house.client("ada")
    asked = [await ada.ask(INSTANT, **instant("bo", str(number))) for number in range(40, 62)]
    assert await results(ada, asked) == [0] * 20 + [400] * 2
    assert await take(bo, 60) == [*map(str, range(60))]


@within_a_second
async def test_each_user_has_a_rate_of_his_own(house: House) -> None:
    """SPEC M8: nothing that one sends takes from another."""
    bo, ada, cy = await house.client("bo"), await house.client("ada"), await house.client("cy")
    for sender in (ada, cy):
        asked = [await sender.ask(INSTANT, **instant("bo", sender.account)) for _ in range(60)]
        assert await results(sender, asked) == [0] * 60
    assert await take(bo, 120) == ["ada"] * 60 + ["cy"] * 60


@within_a_second
async def test_of_201_messages_into_a_channel_one_is_refused(house: House) -> None:
    """SPEC C7, C6, M8: whoever sends them; all members see the others once, in one order."""
    senders: list[RawClient] = []
    for name in ("ada", "bo", "cy", "di"):
        sender = await house.client(name)
        await sender.ok("channel_join", name="room")
        for earlier in senders:
            await earlier.event("room")
        senders.append(sender)
    listener = await house.client("li")
    await listener.ok("channel_join", name="room")
    for sender in senders:
        await sender.event("room")
    shares = (51, 50, 50, 50)

    async def send(sender: RawClient, share: int) -> list[int]:
        asked = [
            await sender.ask(CHANNEL, name="room", msg=f"{sender.account} {number}")
            for number in range(share)
        ]
        return await results(sender, asked)

    codes = await asyncio.gather(*map(send, senders, shares))
    accepted = [
        f"{sender.account} {number}"
        for sender, answers in zip(senders, codes, strict=True)
        for number, code in enumerate(answers)
        if code == 0
    ]
    assert sorted(code for answers in codes for code in answers) == [0] * 200 + [400]
    heard = await hear(listener, "room", 200)
    assert sorted(heard) == sorted(accepted)
    for sender in senders:
        mine = [text for text in accepted if text.startswith(f"{sender.account} ")]
        assert [text for text in heard if text in mine] == mine, "each sender's own in his order"
        assert await hear(sender, "room", 200) == heard


@within_a_second
async def test_a_message_that_the_channel_refused_costs_its_sender_nothing(house: House) -> None:
    """SPEC C7, M8: the surplus of a channel is not counted against the user."""
    ada = await house.client("ada")
    await ada.ok("channel_set_attr", channel="room", name="_sendmsg_limit", value="1")
    await ada.ok("channel_join", name="room")
    asked = [await ada.ask(CHANNEL, name="room", msg=str(number)) for number in range(31)]
    assert await results(ada, asked) == [0] + [400] * 30
    asked = [await ada.ask(INSTANT, **instant("bo", str(number))) for number in range(60)]
    assert await results(ada, asked) == [0] * 59 + [400]


@within_a_second
async def test_a_channel_may_take_fewer_messages_than_the_app_allows(house: House) -> None:
    """SPEC C7, C11: `_sendmsg_limit`, exact at N and N + 1; another channel is not concerned."""
    ada = await house.client("ada")
    await ada.ok("channel_set_attr", channel="room", name="_sendmsg_limit", value=3)
    await ada.ok("channel_join", name="room")
    asked = [await ada.ask(CHANNEL, name="room", msg=str(number)) for number in range(5)]
    assert await results(ada, asked) == [0, 0, 0, 400, 400]
    asked = [await ada.ask(CHANNEL, name="hall", msg="", force=True) for _ in range(5)]
    assert await results(ada, asked) == [0] * 5
    assert await hear(ada, "room", 3) == ["0", "1", "2"]


@pytest.mark.parametrize("value", ["0", "201", "-1", "1.5", "", "many", [1]])
async def test_a_rate_that_makes_no_sense_changes_nothing(house: House, value: object) -> None:
    """SPEC C7, C11: `_sendmsg_limit` takes 1 to the app's maximum."""
    ada = await house.client("ada")
    await ada.refused("channel_set_attr", 1004, channel="room", name="_sendmsg_limit", value=value)
    assert (await ada.ok("channel_join", name="room"))["attrs"] == {}


# --- attributes ---------------------------------------------------------------------------------


@within_a_second
async def test_an_attribute_changes_ten_times_a_second(house: House) -> None:
    """SPEC C10: sets and deletions of one attribute count together; another attribute has its own count."""
    ada = await house.client("ada")
    await ada.ok("channel_join", name="room")
    room = {"channel": "room", "name": "topic"}
    asked = [await ada.ask("channel_set_attr", value=str(number), **room) for number in range(9)]
    asked += [await ada.ask("channel_del_attr", **room)]
    asked += [await ada.ask("channel_set_attr", value="late", **room)]
    assert await results(ada, asked) == [0] * 10 + [1001]
    await ada.ok("channel_set_attr", channel="room", name="other", value="")
    seen = [(await ada.event("room"))[1].json for _ in range(11)]
    assert [event["value"] for event in seen] == [*map(str, range(9)), "", ""]
    await ada.quiet()


@within_a_second
async def test_a_channel_may_allow_its_attributes_fewer_changes(house: House) -> None:
    """SPEC C10, C11: `_setattr_limit`, exact at N and N + 1."""
    ada = await house.client("ada")
    await ada.ok("channel_set_attr", channel="room", name="_setattr_limit", value="2")
    room = {"channel": "room", "name": "topic"}
    asked = [await ada.ask("channel_set_attr", value=str(number), **room) for number in range(4)]
    assert await results(ada, asked) == [0, 0, 1001, 1001]
    assert (await ada.ok("channel_join", name="room"))["attrs"] == {"_setattr_limit": "2", "topic": "1"}


# --- other requests -----------------------------------------------------------------------------


FEW = """
[server]
connections_per_second = 10000

[apps.few]
allow_no_token = true

[apps.few.limits]
requests = 1
requests_burst = 5
list_requests = 2
logins = 1
logins_burst = 3

[apps.strict]
certificate = "secret"

[apps.strict.limits]
logins = 1
logins_burst = 2

[apps.many]
allow_no_token = true

[apps.many.limits]
requests = 1
requests_burst = 5
"""


@pytest.fixture(scope="module")
def few_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Apps with few requests and logins."""
    with ServerProcess(tmp_path_factory.mktemp("few"), config=FEW) as server:
        yield server
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
async def few(few_server: ServerProcess) -> AsyncIterator[House]:
    """That server, and the clients that the test opens."""
    house = House(few_server)
    yield house
    for client in house.clients:
        await client.close()


def account() -> str:
    """An account that no test has used."""
    return f"ada-{uuid.uuid4().hex}"


async def test_a_thousand_requests_come_at_once_and_a_hundred_a_second_after_them(house: House) -> None:
    """SPEC M10: at the defaults; the surplus is refused with a reason that says what is too many and when."""
    ada = await house.client("ada")
    began = time.monotonic()
    asked = [await ada.ask("user_query_user_status", account="bo") for _ in range(2000)]
    codes = await results(ada, asked)
    took = time.monotonic() - began
    assert codes[:1000] == [0] * 1000
    assert set(codes) <= {0, 1001}
    assert codes.count(0) <= 1000 + 100 * took + 1
    if took < 5:
        assert 1001 in codes


@within_a_second
async def test_a_request_above_the_rate_is_refused_and_all_else_goes_on(few: House) -> None:
    """SPEC M10: other requests have a rate of their own; what an SDK sends by itself is never refused."""
    ada = await few.client(account(), app="few")
    asked = [await ada.ask("user_query_user_status", account="bo") for _ in range(6)]
    assert await results(ada, asked) == [0] * 5 + [1001]
    reason = (await ada.refused("channel_query_num", 1001, name="room"))["reason"]
    assert reason.startswith("too many requests: ")
    assert "second" in reason
    for _ in range(8):
        await ada.poll()
    await ada.ok(INSTANT, **instant("bo", "messages have their own"))
    await ada.ok("user_logout")


@within_a_second
async def test_whatever_cannot_be_served_counts_as_a_request_too(few: House) -> None:
    """SPEC M10, E5: unknown functions, bad arguments, texts that are none."""
    ada = await few.client(account(), app="many")
    await ada.refused("no_such_function", 1001)
    await ada.refused("channel_query_num", 1004)
    await ada.refused("channel_query_num", 1004, name=[])
    await ada.send('["call2",["channel_query_num",77,{"name":"\\ud800"}]]')
    assert (await ada.answer(77))["code"] == 1004
    await ada.refused("channel_query_num", 1003, name="room", line="another")
    for func in ("no_such_function", "channel_query_num", "user_ext_call"):
        assert "too many requests" in (await ada.refused(func, 1001))["reason"]
    await ada.send('["call2",["channel_query_num",78,{"name":"\\ud800"}]]')
    assert "too many requests" in (await ada.answer(78))["reason"]


@within_a_second
async def test_no_way_of_logging_in_again_is_a_way_around_the_rate_of_requests(
    few: House,
) -> None:
    """SPEC M10: it is the account's, whatever sessions and connections it has."""
    name = account()
    ada = await few.client(name, app="many", device=OURS)
    asked = [await ada.ask("user_query_user_status", account="bo") for _ in range(5)]
    assert await results(ada, asked) == [0] * 5
    await ada.ok("user_logout")
    await ada.login(name, app="many", device=OURS)  # on the same connection
    await ada.refused("channel_query_num", 1001, name="room")
    other = await few.client(name, app="many", device=OURS, line=ada.line)  # it resumes
    await other.refused("channel_query_num", 1001, name="room")
    third = await few.client(name, app="many", device="websdk")  # it takes over
    await third.refused("channel_query_userlist_all", 1001, name="room")
    bo = await few.client(account(), app="many")
    await bo.ok("channel_query_num", name="room")


@within_a_second
async def test_a_confirmation_has_a_rate_apart_from_other_requests(few: House) -> None:
    """SPEC M10, E5: SDKs confirm by themselves, so whoever rings an account must not use up its requests."""
    ada = await few.client(account(), app="many")
    call = {"channelName": "room", "peer": "bo", "extra": ""}
    codes = [(await ada.refused("voip_invite_ack", 1001, **call))["reason"] for _ in range(7)]
    assert ["too many confirmations" in reason for reason in codes] == [False] * 5 + [True] * 2
    await ada.ok("channel_query_num", name="room")


async def test_a_flood_of_polls_waits_and_every_one_is_answered_in_its_order(
    few: House,
) -> None:
    """SPEC M10, E5: an original that is refused a poll might not poll again; so it is served later."""
    ada, bo = await few.client(account(), app="many"), await few.client(account(), app="many")
    polls = [await ada.ask("user_getmsg", ver_clear=0, max=30) for _ in range(30)]
    last = await ada.ask("channel_query_num", name="room")
    await bo.ok("channel_query_num", name="room")
    assert await results(ada, polls) == [0] * 30
    order = [frame[1][0] for frame in ada.frames if frame[0] == "call2-ret"]
    assert order in ([], [last])
    assert await results(ada, [last]) == [0]


async def test_a_poll_that_waits_when_its_session_is_taken_over_is_answered(
    few: House,
) -> None:
    """SPEC M10, L7: nothing of the old session is served, and its connection ends."""
    name = account()
    ada = await few.client(name, app="many")
    for _ in range(40):
        await ada.ask("user_getmsg", ver_clear=0, max=30)
    await few.client(name, app="many")
    await ada.gone()
    assert ["kick", ""] in ada.frames


@within_a_second
async def test_of_11_full_lists_in_a_second_the_last_is_refused(house: House) -> None:
    """SPEC M10: `channel_query_userlist_all` has ten a second, whatever sessions; the short list has not."""
    ada = await house.client("ada")
    asked = [await ada.ask("channel_query_userlist_all", name="room", num=5) for _ in range(12)]
    assert await results(ada, asked) == [0] * 10 + [1001] * 2
    reason = (await ada.refused("channel_query_userlist_all", 1001, name="room"))["reason"]
    assert reason == "too many full lists: 10 in any one second are allowed"
    await ada.ok("channel_query_userlist", name="room")
    await ada.ok("user_logout")
    await ada.login("ada", app=house.app)
    await ada.refused("channel_query_userlist_all", 1001, name="room")


@within_a_second
async def test_a_full_list_that_is_refused_costs_no_request(few: House) -> None:
    """SPEC M10: what is refused for its rate does not count, against the other rate neither."""
    ada = await few.client(account(), app="few")
    asked = [await ada.ask("channel_query_userlist_all", name="room") for _ in range(9)]
    assert await results(ada, asked) == [0] * 2 + [1001] * 7
    asked = [await ada.ask("channel_query_num", name="room") for _ in range(4)]
    assert await results(ada, asked) == [0] * 3 + [1001]


# --- logins ---------------------------------------------------------------------------------------


async def turned_away(client: RawClient, name: str, **login: Any) -> dict[str, Any]:
    """The body of the answer to a login that came too soon; the connection is closed as after any refusal."""
    err, body = await client.try_login(name, **login)
    assert err == body["reason"]
    assert (body["result"], body["code"]) == ("failed", 201)
    assert body["reason"].startswith("too many logins: ")
    assert "second" in body["reason"]
    assert type(body["retry_ms"]) is int
    assert (await client.gone())[0] == 1000
    return body


async def test_an_account_logs_in_sixty_times_at_once_and_then_twice_a_second(house: House) -> None:
    """SPEC L16: at the defaults, logging out and in on one connection; watchers are spared the rest."""
    watcher = await house.client("watcher")
    await watcher.ok("channel_join", name="__agora_user_online")
    ada, began, logins = await house.open(), time.monotonic(), 0
    while logins < 300:
        err, body = await ada.try_login("ada", app=house.app)
        if err:
            break
        logins += 1
        ada.line = body["line"]
        await ada.ok("user_logout")
    took = time.monotonic() - began
    assert 60 <= logins <= 60 + 2 * took + 1
    assert 1 <= body["retry_ms"] <= 500
    assert (await ada.gone())[0] == 1000
    told = [(await watcher.event("__agora_user_online"))[1].json["msg"] for _ in range(2 * logins)]
    assert [json.loads(msg)["event"] for msg in told] == ["online", "offline"] * logins
    await watcher.quiet()
    await house.client("bo")


@within_a_second
async def test_who_waits_as_long_as_he_is_told_is_let_in(few: House) -> None:
    """SPEC L16: resumes, fresh logins and takeovers count alike, and so for every kind of client."""
    name = account()
    ada = await few.client(name, app="few", device=OURS, polled=False)
    await few.client(name, app="few", device=OURS, line=ada.line, polled=False)
    await few.client(name, app="few", device="javasdk", polled=False)
    waits = []
    for device, more in ((OURS, {"line": ada.line}), (OURS, {}), ("websdk", {}), ("javasdk", {})):
        client = await few.open()
        waits.append((await turned_away(client, name, app="few", device=device, **more))["retry_ms"])
    assert all(0 < wait <= 1000 for wait in waits)
    await asyncio.sleep(waits[-1] / 1000)
    await few.client(name, app="few", polled=False)


async def test_a_stranger_uses_up_nobodys_logins_and_a_refused_one_no_address(directory: Path) -> None:
    """SPEC L16: the rate is judged after the token, and is no failed login of the address."""
    config = FEW.replace("[server]", "[server]\nfailed_logins_per_minute = 5")
    with ServerProcess(directory, config=config) as server:
        token = make_token("strict", "secret", "ada")
        for wrong in ("wrong", "1:strict:0:x"):
            for _ in range(2):
                client = await server.open()
                _, body = await client.try_login("ada", app="strict", token=wrong)
                assert body["code"] in (204, 206), body
        for _ in range(2):
            await server.client("ada", app="strict", token=token, polled=False)
        refused = 0
        while refused < 20:  # one or the other may be let in meanwhile
            client = await server.open()
            err, body = await client.try_login("ada", app="strict", token=token)
            refused += err != ""
            assert body.get("code") in (None, 201)
            await client.close()
        await server.client("bo", app="strict", token=make_token("strict", "secret", "bo"))
        client = await server.open()
        assert (await client.try_login("ada", app="strict", token="wrong"))[1]["code"] == 206, "the fifth"
        assert await server.stopped() == 0


@within_a_second
async def test_a_session_feels_nothing_of_the_logins_that_were_refused(few: House) -> None:
    """SPEC L16, E5: nobody is kicked by a login that is not let in."""
    name = account()
    for _ in range(2):
        client = await few.client(name, app="few", polled=False)
        await client.ok("user_logout")
    ada = await few.client(name, app="few")
    await turned_away(await few.open(), name, app="few")
    await ada.ok("channel_query_num", name="room")
    await ada.quiet()


# --- addresses ----------------------------------------------------------------------------------

ADDRESSES = """
[server]
{setting}
trusted_proxies = ["127.0.0.9/32"]
exempt_networks = ["127.0.0.8/32"]

[apps.app]
certificate = "secret"
allow_no_token = true
"""


async def from_address(server: ServerProcess, address: str, **more: Any) -> RawClient:
    return await RawClient.open(server.url, local_addr=(address, 0), **more)


async def test_an_address_that_fails_too_often_may_not_try_again(directory: Path) -> None:
    """SPEC L16: above the limit of failed logins 201, the right token or not; other addresses go on."""
    config = ADDRESSES.format(setting="failed_logins_per_minute = 3")

    async def code(address: str, token: str, **more: Any) -> int:
        client = await from_address(server, address, **more)
        _, body = await client.try_login("ada", token=token)
        await client.close()
        return int(body.get("code", 0))

    with ServerProcess(directory, config=config) as server:
        assert [await code("127.0.0.1", "wrong") for _ in range(5)] == [206, 206, 206, 201, 201]
        assert await code("127.0.0.1", "_no_need_token") == 201
        assert await code("127.0.0.2", "_no_need_token") == 0
        assert [await code("127.0.0.8", "wrong") for _ in range(5)] == [206] * 5, "exempt"
        via = {"additional_headers": {"X-Forwarded-For": "10.0.0.1, 203.0.113.7"}}
        assert [await code("127.0.0.9", "wrong", **via) for _ in range(4)] == [206, 206, 206, 201]
        via = {"additional_headers": {"X-Forwarded-For": "203.0.113.7, 10.0.0.1"}}
        assert await code("127.0.0.9", "wrong", **via) == 206, "the hop that the proxy saw counts"
        via = {"additional_headers": {"X-Forwarded-For": "203.0.113.7"}}
        assert await code("127.0.0.3", "wrong", **via) == 206, "nobody else may say where it comes from"
        assert await server.stopped() == 0


async def test_a_session_that_lives_feels_no_failed_login(directory: Path) -> None:
    """SPEC L16, E5: who is in stays in, whatever others try from the same address."""
    config = ADDRESSES.format(setting="failed_logins_per_minute = 1")
    with ServerProcess(directory, config=config) as server:
        ada = await server.client("ada")
        for expected in (206, 201):
            client = await server.open()
            assert (await client.try_login("bo", token="wrong"))[1]["code"] == expected
            await client.gone()
        assert (await ada.ok("user_query_user_status", account="ada"))["status"] == 1
        await ada.quiet()
        await ada.close()
        assert await server.stopped() == 0


@within_a_second
async def test_an_address_may_connect_only_so_often_in_a_second(directory: Path) -> None:
    """SPEC L16: above the limit HTTP 429; other addresses, exempt ones and a proxy's clients go on."""
    config = ADDRESSES.format(setting="connections_per_second = 5")
    opened: list[RawClient] = []

    async def status(address: str, **more: Any) -> int:
        try:
            opened.append(await from_address(server, address, **more))
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101

    with ServerProcess(directory, config=config) as server:
        assert [await status("127.0.0.1") for _ in range(7)] == [101] * 5 + [429] * 2
        assert [await status("127.0.0.8") for _ in range(7)] == [101] * 7
        for address in ("203.0.113.7", "203.0.113.8"):
            via = {"additional_headers": {"X-Forwarded-For": address}}
            assert [await status("127.0.0.9", **via) for _ in range(6)] == [101] * 5 + [429]

        async def again() -> bool:
            return await status("127.0.0.1") == 101

        await until(again, "a second has passed")
        for client in opened:
            await client.close()
        assert await server.stopped() == 0
