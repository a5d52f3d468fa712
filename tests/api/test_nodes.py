"""A back end that asks one node about clients of another (SPEC A2, N1)."""

from __future__ import annotations

from pathlib import Path

from support.api import ApiServer


async def test_what_is_asked_of_one_node_is_done_on_all(directory: Path) -> None:
    with ApiServer(directory, nodes=2) as server:
        back = await server.back_end()
        names = [f"bo{number}" for number in range(4)]  # every other one on the other node
        clients = [await server.client(name) for name in names]
        told = await back.post("presence", {"accounts": names})
        assert all(each["connected"] for each in told["accounts"])
        await back.post("messages/many", {"from": "shop", "to": names, "text": "hello"})
        for client in clients:
            assert (await client.pushed())[1].content == "hello"
            await client.ok("channel_join", name="room")
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
            await back.post(f"calls/{call['id']}/end", {})
            for number in (caller, callee):
                assert (await clients[number].pushed())[1].type == "voip_invite_bye"
        await back.put(f"accounts/{names[2]}/attributes/_conn_timeout", {"value": "20"})
        for client in clients:
            assert await back.post(f"accounts/{client.account}/kick") == {"kicked": True}
            await client.wait(lambda frame: frame[0] == "kick", "kick")
        assert (await back.get("online"))["accounts"] == []
        assert (await back.ask("GET", "channels/room")).status == 404
        await server.leave()
