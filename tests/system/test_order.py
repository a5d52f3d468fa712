"""What stands behind messages: a logout, a leave, another login, the server's end (SPEC M11, PROTOCOL §5).

The server stores on disk, so that messages wait for their commits while the next requests come.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from support.client import RawClient
from support.house import House
from support.server import ServerProcess

devices = pytest.mark.parametrize("device", ["signalpost-python", "websdk", "javasdk"])


def answered(client: RawClient) -> dict[int, str]:
    """The answers that came, in their order: by the call's id the result, or what code it failed with."""
    frames = [frame[1] for frame in client.frames if frame[0] == "call2-ret"]
    return {call_id: "ok" if '"result":"ok"' in body else body for call_id, _, body in frames}


async def came(house: House | ServerProcess, account: str) -> list[str]:
    """The texts that the account was sent, in order."""
    reader = await house.client(account, polled=False)
    return await reader.take_all()


@devices
@pytest.mark.parametrize("count", [1, 30, 60, 75])
async def test_messages_and_a_logout_behind_them(house: House, device: str, count: int) -> None:
    """SPEC M11, M8: n sends and a logout in one turn are answered in the order of the requests, each by its
    own result; what was delivered is not said to have failed."""
    ada = await house.client("ada", device=device)
    sent = [await ada.ask("user_sendmsg", peer="bo", t="instant", content=str(n)) for n in range(count)]
    bye = await ada.ask("user_logout")
    late = await ada.ask("user_sendmsg", peer="bo", t="instant", content="late")
    await ada.settle()
    told = answered(ada)
    assert list(told) == [*sent, bye, late]
    *results, left, too_late = told.values()
    stored = [n for n, result in enumerate(results) if result == "ok"]
    assert stored[:60] == [*range(min(count, 60))]
    assert all('"code":400' in results[n] for n in {*range(count)} - {*stored})
    assert left == "ok"
    assert '"code":1003' in too_late
    assert await came(house, "bo") == [str(n) for n in stored]


@devices
async def test_messages_of_every_kind_before_a_leave_a_join_and_a_logout(house: House, device: str) -> None:
    """SPEC M11, C3, C4: each is said where its sender was when it sent it."""
    ada, bo = await house.client("ada", device=device), await house.client("bo")
    for channel in ("red", "blue"):
        await bo.ok("channel_join", name=channel)
    await ada.ok("channel_join", name="red")
    asked: list[tuple[int, str]] = []

    async def ask(wanted: str, func: str, **args: Any) -> None:
        asked.append((await ada.ask(func, **args), wanted))

    await ask("ok", "user_sendmsg", peer="cy", t="instant", content="1")
    await ask("ok", "channel_sendmsg", name="red", msg="2")
    await ask("ok", "channel_leave", name="red")
    await ask("400", "channel_sendmsg", name="red", msg="3")
    await ask("ok", "user_sendmsg", peer="cy", t="instant", content="4")
    await ask("ok", "channel_join", name="blue")
    await ask("ok", "channel_sendmsg", name="blue", msg="5")
    await ask("1004", "user_sendmsg", peer="no name", t="instant", content="6")
    await ask("ok", "user_sendmsg", peer="cy", t="instant", content="7")
    await ask("ok", "user_logout")
    await ask("1003", "channel_sendmsg", name="blue", msg="8", force=True)
    await ada.settle()
    told = answered(ada)
    assert list(told) == [call_id for call_id, _ in asked]
    for call_id, wanted in asked:
        assert told[call_id] == wanted or f'"code":{wanted}' in told[call_id]
    assert await came(house, "cy") == ["1", "4", "7"]


@devices
async def test_messages_and_another_login_in_the_same_moment(house: House, device: str) -> None:
    """SPEC M11, L7: what was begun is answered before the kick; what is not answered was not delivered."""
    for attempt in range(5):
        old, new = await house.client("ada", device=device), await house.open()
        fields = {"vid": house.app, "account": "ada", "token": "", "device": "websdk"}
        peer = f"bo{attempt}"
        sends = [
            ["call2", ["user_sendmsg", 100 + n, {"peer": peer, "t": "instant", "content": str(n)}]]
            for n in range(10)
        ]
        await asyncio.gather(*(old.send(send) for send in sends), new.send(["login", fields]))
        await old.gone()
        kick = old.frames.index(["kick", ""])
        assert old.frames[kick:] == [["kick", ""], ["close", ""]]
        told = answered(old)
        delivered = [call_id for call_id, result in told.items() if call_id >= 100 and result == "ok"]
        assert await came(house, peer) == [str(call_id - 100) for call_id in delivered]
        await new.close()


@pytest.mark.one_node
async def test_a_list_and_the_joins_of_the_same_moment_come_in_their_order(directory: Path) -> None:
    """SPEC C1, C12: whoever is in a list has joined before it, and whoever joins behind it is not in it."""
    with ServerProcess(directory) as server:
        ada = await server.client("ada")
        await ada.ok("channel_join", name="room")
        bo = await server.client("bo")
        process = server.process
        assert process is not None
        for number in range(30):
            process.send_signal(signal.SIGSTOP)  # all of this is read in one moment
            await ada.ask("channel_sendmsg", name="room", msg=str(number))
            asked = await ada.ask("channel_query_userlist", name="room")
            joined = await bo.ask("channel_join", name="room")
            process.send_signal(signal.SIGCONT)
            await bo.answer(joined)
            await bo.ok("channel_leave", name="room")
            await ada.wait(lambda frame: frame[1][0] == "channel2" and " channel_user_leave " in frame[1][3])
            told = [(frame[0], frame[1]) for frame in ada.frames]
            answer = next(
                n for n, (name, body) in enumerate(told) if name == "call2-ret" and body[0] == asked
            )
            join = next(n for n, (_, body) in enumerate(told) if " channel_user_join " in str(body[-1]))
            listed = "bo" in told[answer][1][2]
            assert listed == (join < answer), ada.frames
            ada.frames.clear()


async def test_everything_that_was_read_is_answered_before_the_servers_end(directory: Path) -> None:
    """SPEC §9, M11: one commit after the other; what is not answered was not done."""
    with ServerProcess(directory) as server:
        clients = [await server.client(f"ada{number}") for number in range(4)]
        for client in clients:
            for turn in range(12):
                await client.ask("user_sendmsg", peer=client.account + "-to", t="instant", content=str(turn))
                await client.ask("user_set_attr", name="turn", value=str(turn))
        closing = asyncio.create_task(server.stopped())
        told = []
        for client in clients:
            assert (await client.gone())[0] == 1012
            told.append(answered(client))
        assert await closing == 0
        server.start()
        for client, answers in zip(clients, told, strict=True):
            ids = [call_id for call_id in answers if call_id > 1]
            assert set(answers.values()) <= {"ok"}
            assert sorted(ids) == list(range(2, 2 + len(ids))), "what came first is done first"
            reader = await server.client(client.account)
            sends = [call_id for call_id in ids if call_id % 2 == 0]
            assert await came(server, client.account + "-to") == [str(n) for n in range(len(sends))]
            attribute = (await reader.ok("user_get_attr", account=client.account, name="turn"))["value"]
            assert attribute == ("" if len(ids) < 2 else str(len(ids) - len(sends) - 1))
        assert await server.stopped() == 0
