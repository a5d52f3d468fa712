"""Webhooks where nodes share PostgreSQL and Redis: each event is told once, whoever dies (SPEC W1, W2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.postgres import Postgres
from support.receiver import Receiver
from support.redis import RedisServer
from support.server import ServerProcess
from support.waiting import until

CHANNEL = ["channel.occupied", "channel.joined"]
APP = """
[apps.app]
certificate = "secret"
allow_no_token = true

[apps.app.limits]
grace_min = 2
grace_max = 2
"""


@pytest.fixture
def kept() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def shared() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def told(receiver: Receiver, kind: str) -> Counter[str]:
    return Counter(each.said["data"]["account"] for each in receiver.told if each.said["type"] == kind)


@pytest.mark.timeout(300)
async def test_a_killed_node_is_told_of_by_the_others_once(
    kept: Postgres, shared: RedisServer, receiver: Receiver, tmp_path: Path
) -> None:
    """SPEC W2: exactly one `offline` for each account that does not come back; none for those that do."""
    flags = ("--store", kept.url(), "--share", shared.url)
    config = APP + receiver.section(events=["account.online", "account.offline", "message.stored", *CHANNEL])
    with ExitStack() as stack:
        nodes = []
        for number in range(3):
            directory = tmp_path / str(number)
            directory.mkdir()
            nodes.append(
                stack.enter_context(ServerProcess(directory, config=config, data=":memory:", flags=flags))
            )
        accounts = [f"user-{number}" for number in range(60)]
        clients = {
            account: await nodes[number % 3].client(account, device="signalpost-python")
            for number, account in enumerate(accounts)
        }
        await receiver.wait(lambda: len(told(receiver, "account.online")) == 60, "all online")
        for client in clients.values():
            await client.ok("channel_join", name="room")
        await receiver.wait(lambda: len(told(receiver, "channel.joined")) == 60, "all joined")
        assert receiver.types().count("channel.occupied") == 1
        nodes[0].kill()
        before = {each.id for each in receiver.posts}
        lost = accounts[0::3]
        back = lost[:10]
        for number, account in enumerate(back):
            line = clients[account].line
            again = await nodes[1 + number % 2].open()
            await again.login(account, device="signalpost-python", line=line)
            clients[account] = again
        gone = lost[10:]
        await receiver.wait(
            lambda: set(told(receiver, "account.offline")) >= set(gone), "the lost", within=90
        )
        sender = clients[accounts[1]]
        for account in gone:
            await sender.ok("user_sendmsg", peer=account, content="hello")
        for account in [*back, *accounts[1::3], *accounts[2::3]]:
            await clients[account].ok("user_logout")
        await receiver.wait(lambda: len(told(receiver, "account.offline")) == 60, "all offline", within=90)
        await receiver.wait(lambda: receiver.types().count("message.stored") == len(gone), "messages")
        assert told(receiver, "account.online") == Counter(accounts)
        assert told(receiver, "account.offline") == Counter(accounts)
        times = Counter(each.id for each in receiver.posts)
        assert {id for id, count in times.items() if count > 1} <= before, "each is sent by one node"
        reasons = {
            each.said["data"]["account"]: each.said["data"]["reason"]
            for each in receiver.told
            if each.said["type"] == "account.offline"
        }
        assert {reasons[account] for account in gone} == {"timeout"}
        assert {reasons[account] for account in accounts if account not in gone} == {"logout"}
        for client in clients.values():
            await client.close()


@pytest.mark.timeout(300)
async def test_a_lost_redis_is_a_restart(
    kept: Postgres, shared: RedisServer, receiver: Receiver, tmp_path: Path
) -> None:
    """SPEC W2, N5: `restart` for those that do not come back; who does was never away."""
    flags = ("--store", kept.url(), "--share", shared.url)
    config = APP + receiver.section(events=["account.online", "account.offline"])
    with ServerProcess(tmp_path, config=config, data=":memory:", flags=flags) as node:
        clients = [await node.client(f"user-{number}") for number in range(10)]
        await receiver.wait(lambda: len(told(receiver, "account.online")) == 10, "all online")
        shared.kill()
        for client in clients[:5]:
            await client.cut()
        shared.start()

        async def back() -> bool:
            found = []
            for number in range(5, 10):
                again = await node.open()
                err, _ = await again.try_login(f"user-{number}")
                found.append(err == "")
                clients.append(again)
            return all(found)

        await until(back, "they are back")
        lost = [f"user-{number}" for number in range(5)]
        await receiver.wait(lambda: told(receiver, "account.offline") == Counter(lost), "the lost", within=90)
        assert {each.said["data"].get("reason", "restart") for each in receiver.told} == {"restart"}
        assert len(told(receiver, "account.online")) == 10
        for client in clients:
            await client.close()
