"""What a restart keeps and what it ends, after SIGTERM and after a crash (SPEC M3-M7, P3, C8, L11)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.client import Line, RawClient
from support.server import ServerProcess
from support.waiting import until

OURS = "signalpost-python"
CONFIG = """
[limits]
grace_min = 0.5

[apps.app]
allow_no_token = true
"""
Item = tuple[int, Line]


def instant(peer: str, text: str) -> dict[str, Any]:
    return {"peer": peer, "flag": "v1:E:3600", "t": "instant", "content": text}


@pytest.fixture
def server(directory: Path) -> ServerProcess:
    return ServerProcess(directory, config=CONFIG)


def crash(server: ServerProcess) -> None:
    """`kill -9`, and up again on the same data."""
    server.kill()
    server.start()


async def waiting(server: ServerProcess, account: str) -> list[Item]:
    """All that waits in an inbox, taken by nobody."""
    client = await server.client(account, polled=False, device="javasdk")
    items = await client.poll()
    await client.ok("user_logout")
    await client.close()
    return items


def texts(items: list[Item]) -> list[str]:
    return [line.content for _, line in items]


async def ours(
    server: ServerProcess, account: str, epoch: str, cursor: int
) -> tuple[RawClient, dict[str, Any]]:
    """One of our SDKs logs in with its inbox cursor."""
    client = await server.open()
    return client, await client.login(account, device=OURS, inbox=[epoch, cursor])


async def test_messages_wait_in_order_over_a_crash(server: ServerProcess) -> None:
    """SPEC M3, M4, M5: what was acknowledged to its sender comes, once, under the same version and id."""
    with server:
        ada, bo = await server.client("ada"), await server.client("bo")
        asked = []
        for number in range(15):
            asked.append(await ada.ask("user_sendmsg", **instant("cy", f"ada {number}")))
            asked.append(await bo.ask("user_sendmsg", **instant("cy", f"bo {number}")))
        for client in (ada, bo):
            for call in asked[client is bo :: 2]:
                body = await client.answer(call)
                assert body["result"] == "ok", body
        before = await waiting(server, "cy")
        crash(server)
        after = await waiting(server, "cy")
        assert [(version, line.content) for version, line in after] == [
            (version, line.content) for version, line in before
        ]
        for sender in ("ada", "bo"):
            mine = [text for text in texts(after) if text.startswith(sender)]
            assert mine == [f"{sender} {number}" for number in range(15)]


async def test_a_crash_between_commit_and_delivery(server: ServerProcess) -> None:
    """SPEC M5, M6: acknowledged to the sender, not yet told: it comes, once, under a number of its own."""
    with server:
        ada = await server.client("ada")
        bo, body = await ours(server, "bo", "", 0)
        epoch = body["inbox"]
        await ada.ok("user_sendmsg", **instant("bo", "delivered"))
        cursor = (await bo.pushed())[0]
        await bo.ok("user_ack", ver_clear=cursor)
        await bo.close()
        await ada.ok("user_sendmsg", **instant("bo", "committed"))
        crash(server)
        bo, body = await ours(server, "bo", epoch, cursor)
        assert body["inbox"] == epoch, "no number is used again, so cursors go on (PROTOCOL §12)"
        version, line = await bo.pushed()
        assert line.content == "committed"
        assert version > cursor
        await bo.quiet()
        ada = await server.client("ada")
        await ada.ok("user_sendmsg", **instant("bo", "later"))
        later = await bo.pushed()
        assert later[1].content == "later"
        assert later[0] > version
        await bo.quiet()


async def test_a_crash_between_delivery_and_acknowledgement(server: ServerProcess) -> None:
    """SPEC M6: offered again with the same version and id, so that every client sees it once."""
    with server:
        ada = await server.client("ada")
        bo, body = await ours(server, "bo", "", 0)
        web = await server.client("web")
        epoch = body["inbox"]
        for receiver in ("bo", "web"):
            await ada.ok("user_sendmsg", **instant(receiver, "delivered"))
        seen, seen_by_web = await bo.pushed(), await web.pushed()
        crash(server)
        bo, body = await ours(server, "bo", epoch, seen[0])
        assert body["inbox"] == epoch
        await bo.quiet()
        web = await server.client("web", polled=False)
        assert await web.poll() == [seen_by_web], "the same line: web SDKs drop the id that they know"
        ada = await server.client("ada")
        await ada.ok("user_sendmsg", **instant("bo", "later"))
        version, line = await bo.pushed()
        assert line.content == "later"
        assert version > seen[0]
        await bo.quiet()
        assert len(await waiting(server, "bo")) == 1, "the cursor has acknowledged what was seen"


async def test_no_version_is_used_again_when_everything_was_taken(server: ServerProcess) -> None:
    """SPEC M6, PROTOCOL §12: an emptied inbox does not begin anew, crash after crash."""
    versions = []
    with server:
        for number in range(4):
            ada = await server.client("ada")
            bo = await server.client("bo")
            await ada.ok("user_sendmsg", **instant("bo", str(number)))
            version, line = await bo.pushed()
            assert line.content == str(number)
            versions.append(version)
            assert await bo.poll(version) == []
            crash(server)
        assert versions == sorted(set(versions))


async def test_what_was_taken_stays_taken(server: ServerProcess) -> None:
    """SPEC M6: acknowledged before the server was stopped, or a moment before it crashed."""
    with server:
        for end in ("stop", "kill"):
            ada, bo = await server.client("ada"), await server.client("bo")
            await ada.ok("user_sendmsg", **instant("bo", end))
            assert await bo.poll((await bo.pushed())[0]) == []
            if end == "stop":
                assert await server.stopped() == 0
            else:
                await ada.ok("user_sendmsg", **instant("cy", "the next commit holds it"))
                server.kill()
            server.start()
            assert await waiting(server, "bo") == []


@pytest.mark.parametrize("taken", [False, True], ids=["waiting", "taken"])
async def test_a_request_repeated_after_a_crash_is_stored_once(server: ServerProcess, taken: bool) -> None:
    """SPEC M7: its id is as durable as the message, which may be gone already."""
    with server:
        bo, body = await ours(server, "bo", "", 0)
        epoch = body["inbox"]
        ada, _ = await ours(server, "ada", "", 0)
        message = {**instant("bo", "once"), "rid": "r1"}
        stored = (await ada.ok("user_sendmsg", **message))["id"]
        version, line = await bo.pushed()
        assert line.id == stored
        if taken:
            await bo.ok("user_ack", ver_clear=version)
            await ada.ok("user_sendmsg", **instant("cy", "the next commit holds it"))
        crash(server)
        ada, _ = await ours(server, "ada", "", 0)
        for _ in range(2):
            assert (await ada.ok("user_sendmsg", **message))["id"] == stored, "the first one's answer"
        bo, _ = await ours(server, "bo", epoch, version)
        await bo.quiet()
        await ada.ok("user_sendmsg", **instant("bo", "twice"), rid="r2")
        assert (await bo.pushed())[1].content == "twice"
        await bo.quiet()


async def test_user_attributes_survive(server: ServerProcess) -> None:
    """SPEC P2, P3, L11: of who was online and of who was not; `_conn_timeout` goes on working."""
    with server:
        ada = await server.client("ada")
        await ada.ok("user_set_attr", name="mood", value="😀")
        await ada.ok("user_set_attr", name="_conn_timeout", value=0)
        bo = await server.client("bo")
        await bo.ok("user_set_attr", name="n", value="v")
        await bo.ok("user_logout")
        crash(server)
        eve = await server.client("eve")
        for account, kept in (("ada", {"mood": "😀", "_conn_timeout": "0.5"}), ("bo", {"n": "v"})):
            found = json.loads((await eve.ok("user_get_attr_all", account=account))["json"])
            assert found == kept
        await eve.ok("channel_join", name="__agora_user_online")
        ada = await server.client("ada")
        await eve.event("__agora_user_online")
        await ada.close()
        assert '"offline"' in (await eve.event("__agora_user_online"))[1].json["msg"]


async def test_channel_attributes_survive_and_the_channel_is_empty(server: ServerProcess) -> None:
    """SPEC C8, C10: attributes as they were, built-ins in force, nobody in it."""
    with server:
        ada = await server.client("ada")
        await ada.ok("channel_join", name="room")
        await ada.ok("channel_set_attr", channel="room", name="topic", value="語")
        await ada.ok("channel_set_attr", channel="room", name="gone", value="")
        await ada.ok("channel_del_attr", channel="room", name="gone")
        await ada.ok("channel_set_attr", channel="room", name="_sendmsg_limit", value=1)
        crash(server)
        ada = await server.client("ada")
        assert (await ada.ok("channel_query_num", name="room"))["num"] == 0
        assert (await ada.ok("channel_query_user_isin", name="room", account="ada"))["isin"] == 0
        answer = await ada.ok("channel_join", name="room")
        assert answer["list"] == [["ada", 0]]
        assert answer["attrs"] == {"topic": "語", "_sendmsg_limit": "1"}
        await ada.ok("channel_sendmsg", name="room", msg="1")
        await ada.refused("channel_sendmsg", 400, name="room", msg="2")


async def test_a_channel_that_a_restart_emptied_lives_for_its_ttl_from_then_on(server: ServerProcess) -> None:
    """SPEC C8: `_channel_ttl` counts from the restart; a longer one is unharmed."""
    with server:
        ada = await server.client("ada")
        await ada.ok("channel_join", name="brief")
        for name, ttl in (("brief", 4), ("long", 86400)):
            await ada.ok("channel_set_attr", channel=name, name="_channel_ttl", value=ttl)
            await ada.ok("channel_set_attr", channel=name, name="topic", value="t")
        crash(server)
        ada = await server.client("ada")
        assert (await ada.ok("channel_join", name="brief"))["attrs"] == {"_channel_ttl": "4", "topic": "t"}
        await ada.ok("user_logout")
        crash(server)
        ada = await server.client("ada")

        async def forgotten() -> bool:
            with closing(sqlite3.connect(Path(server.data) / "signalpost.db")) as database:
                return not database.execute(
                    "SELECT 1 FROM topic_attributes WHERE topic LIKE '%brief'"
                ).fetchall()

        await until(forgotten, "the channel's time is over")
        assert (await ada.ok("channel_join", name="brief"))["attrs"] == {}
        attributes = (await ada.ok("channel_join", name="long"))["attrs"]
        assert attributes == {"_channel_ttl": "86400", "topic": "t"}


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_sessions_and_calls_do_not_survive(server: ServerProcess, end: str) -> None:
    """SPEC L11, K11, PROTOCOL §12: everybody logs in afresh, and no call is left over in an inbox."""
    with server:
        ada, _ = await ours(server, "ada", "", 0)
        bo = await server.client("bo")
        await ada.ok("channel_join", name="room")
        await ada.ok("voip_invite", channelName="rings", peer="bo", extra="")
        await bo.pushed()
        await ada.ok("voip_invite", channelName="waits", peer="cy", extra="")
        if end == "kill":
            server.kill()
        else:
            assert await server.stopped() == 0
        server.start()
        eve = await server.client("eve")
        for account in ("ada", "bo", "cy"):
            assert (await eve.ok("user_query_user_status", account=account))["status"] == 0
        again = await server.open()
        body = await again.login("ada", device=OURS, line=ada.line, channels={"room": ["", 0]}, inbox=["", 0])
        assert body["resumed"] is False
        assert body["channels"] == {}
        bo = await server.client("bo", polled=False)
        assert await bo.poll() == []
        await bo.refused("voip_invite_accept", 1001, channelName="rings", peer="ada", extra="")
        cy = await server.client("cy", polled=False)
        assert await cy.poll() == []
        await again.ok("voip_invite", channelName="rings", peer="bo", extra="")
        assert (await bo.pushed())[1].type == "voip_invite"


async def test_memory_keeps_nothing_and_says_so_with_a_new_epoch(directory: Path) -> None:
    """SPEC §9, PROTOCOL §12: `:memory:`; a cursor of the old epoch counts as 0."""
    server = ServerProcess(directory, config=CONFIG, data=":memory:")
    with server:
        bo, body = await ours(server, "bo", "", 0)
        ada = await server.client("ada")
        for text in ("1", "2"):
            await ada.ok("user_sendmsg", **instant("bo", text))
            cursor = (await bo.pushed())[0]
        await ada.ok("user_sendmsg", **instant("cy", "lost"))
        await ada.ok("user_set_attr", name="n", value="v")
        await ada.ok("channel_set_attr", channel="room", name="n", value="v")
        crash(server)
        ada = await server.client("ada")
        await ada.ok("user_sendmsg", **instant("bo", "new"))
        bo, again = await ours(server, "bo", body["inbox"], cursor + 10**9)
        assert again["inbox"] != body["inbox"]
        assert (await bo.pushed())[1].content == "new"
        await bo.quiet()
        assert await waiting(server, "cy") == []
        assert (await ada.ok("user_get_attr_all", account="ada"))["json"] == "{}"
        assert (await ada.ok("channel_join", name="room"))["attrs"] == {}
    assert not (directory / ":memory:").exists()


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_twenty_clients_find_each_other_again(server: ServerProcess, end: str) -> None:
    """SPEC L10, M5, M6, M7: everybody reconnects at once, repeats what had no answer, and misses nothing."""
    names = [f"c{number}" for number in range(20)]
    cursors = dict.fromkeys(names, 0)
    got: dict[str, list[str]] = {name: [] for name in names}
    epoch = ""

    def neighbour(name: str) -> str:
        return names[(names.index(name) + 1) % len(names)]

    async def log_in(name: str) -> RawClient:
        nonlocal epoch
        client, body = await ours(server, name, epoch, cursors[name])
        epoch = body["inbox"]
        await client.ok("channel_join", name="room")
        return client

    async def take(client: RawClient, number: int) -> None:
        while len(got[client.account]) < number:
            version, line = await client.pushed()
            assert version > cursors[client.account], "nothing comes twice"
            cursors[client.account] = version
            got[client.account].append(line.content)

    async def send(client: RawClient, number: int) -> int:
        return await client.ask(
            "user_sendmsg", **instant(neighbour(client.account), f"{number}"), rid=f"r{number}"
        )

    with server:
        clients = await asyncio.gather(*map(log_in, names))
        for client in clients:
            assert (await client.answer(await send(client, 0)))["result"] == "ok"
        await asyncio.gather(*(take(client, 1) for client in clients))
        for client in clients:
            await send(client, 1)  # perhaps stored, perhaps answered
        if end == "kill":
            server.kill()
        else:
            assert await server.stopped() == 0
        codes = {(await client.gone())[0] for client in clients}
        assert codes == ({None, 1006} & codes if end == "kill" else {1012})
        for client in clients:
            while any(frame[0] == "notify" and frame[1][0] == "recvmsg" for frame in client.frames):
                await take(client, len(got[client.account]) + 1)
        server.start()
        clients = await asyncio.gather(*map(log_in, names))
        for client in clients:
            for number in (1, 2):
                assert (await client.answer(await send(client, number)))["result"] == "ok"
        await asyncio.gather(*(take(client, 3) for client in clients))
        assert got == {name: ["0", "1", "2"] for name in names}
        assert (await clients[0].ok("channel_query_num", name="room"))["num"] == 20
        for client in clients:
            await client.close()
        assert await server.stopped() == 0
