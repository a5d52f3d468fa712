"""A back end that asks one node about clients of another (SPEC A2, N1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from support.api import ApiServer
from support.postgres import Postgres
from support.redis import RedisServer


@pytest.fixture(params=["in one process", "on PostgreSQL and Redis"])
async def servers(request: pytest.FixtureRequest, directory: Path) -> AsyncIterator[list[ApiServer]]:
    """Two nodes; the first one is asked."""
    with ExitStack() as stack:
        if request.param == "in one process":
            yield [stack.enter_context(ApiServer(directory, nodes=2))]
            return
        postgres = stack.enter_context(closing(Postgres()))
        redis = stack.enter_context(closing(RedisServer()))
        flags = ("--store", await postgres.make("api"), "--share", redis.url)
        places = [directory / "one", directory / "two"]
        for place in places:
            place.mkdir()
        yield [stack.enter_context(ApiServer(place, flags=flags)) for place in places]


async def test_what_is_asked_of_one_node_is_done_on_all(servers: list[ApiServer]) -> None:
    back = await servers[0].back_end()
    names = [f"bo{number}" for number in range(4)]  # every other one on the other node
    clients = [await servers[number % len(servers)].client(name) for number, name in enumerate(names)]
    told = await back.post("presence", {"accounts": names})
    assert all(each["connected"] for each in told["accounts"])
    assert {each["account"] for each in (await back.get("online"))["accounts"]} == set(names)
    for _ in range(2):
        await back.post("messages/many", {"from": "shop", "to": names, "text": "hello"}, once="m")
    for client in clients:
        assert (await client.pushed())[1].content == "hello"
        await client.ok("channel_join", name="room")
    assert (await back.get("channels"))["channels"] == [{"channel": "room", "members": 4}]
    for client in clients[:2]:
        await back.delete(f"channels/room/members/{client.account}")
        while True:
            _, line = await client.event("room")
            if (line.type, line.json["account"]) == ("channel_user_leave", client.account):
                break
    for client in clients[:2]:
        await client.refused("channel_sendmsg", 400, name="room", msg="still here")
    for caller, callee in ((0, 1), (1, 2)):
        call = await back.post("calls", {"from": names[caller], "to": names[callee], "channel": "call"})
        assert (await clients[callee].pushed())[1].type == "voip_invite"
        assert [each["id"] for each in (await back.get("calls"))["calls"]] == [call["id"]]
        await back.post(f"calls/{call['id']}/end", {})
        for number in (caller, callee):
            assert (await clients[number].pushed())[1].type == "voip_invite_bye"
    await back.put(f"accounts/{names[2]}/attributes/_conn_timeout", {"value": "20"})
    await back.put("channels/room/attributes/topic", {"value": "v"})
    await back.delete("channels/room")
    for client in clients:
        assert await back.post(f"accounts/{client.account}/kick") == {"kicked": True}
        await client.wait(lambda frame: frame[0] == "kick", "kick")
    assert (await back.get("online"))["accounts"] == []
    assert (await back.ask("GET", "channels/room")).status == 404
    await back.put(f"accounts/{names[1]}/block", {"seconds": 60, "reason": "spam"})
    for server in servers:
        client = await server.open()
        assert "blocked: spam" in str(await client.try_login(names[1]))
    for server in servers:
        await server.leave()
