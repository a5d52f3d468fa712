"""Connections that break at the worst moments: nothing is lost or comes twice (SPEC L10, M6, M7, C9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from signalpost.client import (
    CallFailed,
    CallKeys,
    Channel,
    ChannelLeft,
    ChannelMessage,
    Client,
    Code,
    LoggedOut,
    MemberJoined,
    Reconnected,
    Reconnecting,
    Settings,
    connect,
)
from support.relay import Relay
from support.server import ServerProcess, serving
from support.waiting import until

CONFIG = """
[server]
connections_per_second = 1000000

[limits]
user_messages = 1000000
channel_messages = 1000000
requests = 1000000
logins = 1000000

[apps.away]
allow_no_token = true
[apps.away.limits]
grace_min = 1.0
grace_max = 1.0
"""
QUICK = Settings(retry_first=0.01, retry_most=0.05, acknowledge_seconds=0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("lost"), CONFIG) as server:
        yield server


@pytest.fixture
def relay(server: ServerProcess) -> Iterator[Relay]:
    with Relay(server.port) as relay:
        yield relay


def account(url: str, name: str, app: str, *, retry_seconds: float = 30.0) -> Any:
    return connect(
        url,
        app_id=app,
        account=name,
        token="any",
        settings=QUICK,
        retries=10_000,
        retry_seconds=retry_seconds,
    )


class Witness:
    """Writes down all that a party is told, as it comes."""

    def __init__(self, party: Client, room: Channel, call: Any) -> None:
        self.messages: list[str] = []
        self.channel: list[str] = []
        self.keys: list[str] = []
        self.session: list[Reconnecting | Reconnected] = []
        self._tasks = [
            asyncio.create_task(self._read(party)),
            asyncio.create_task(self._listen(room)),
            asyncio.create_task(self._answer(call)),
            asyncio.create_task(self._watch(party)),
        ]

    async def _read(self, party: Client) -> None:
        async for message in party.messages():
            self.messages.append(message.text)

    async def _listen(self, room: Channel) -> None:
        async for event in room:
            if isinstance(event, ChannelMessage):
                self.channel.append(event.text)
            else:
                assert isinstance(event, MemberJoined), event

    async def _answer(self, call: Any) -> None:
        async for event in call:
            if isinstance(event, CallKeys):
                self.keys.append(event.keys)

    async def _watch(self, party: Client) -> None:
        async for event in party.events():
            assert isinstance(event, Reconnecting | Reconnected), event
            self.session.append(event)

    async def stop(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.mark.parametrize("seed", [1, 2])
async def test_cut_at_every_step_of_a_conversation(server: ServerProcess, relay: Relay, seed: int) -> None:
    """SPEC L10, M6, M7, C9, K11: 500 messages, a channel and a call, cut at another byte in each step."""
    app = f"cut-{seed}"
    async with account(relay.url, "ada", app) as ada, account(server.url, "bo", app) as bo:
        ada_room, bo_room = await ada.join("room"), await bo.join("room")
        ada_call = await ada.invite("bo", "room")
        bo_call = await anext(bo.invites())
        await bo_call.accept()
        await ada_call.answered()
        witnesses = Witness(ada, ada_room, ada_call), Witness(bo, bo_room, bo_call)
        expected: dict[str, list[str]] = {"to ada": [], "to bo": [], "room": [], "a keys": [], "b keys": []}
        for step in range(500):
            relay.cut_after((step * 37 * seed + 11 * seed) % 600)
            text = f"step {step}"
            match step % 6:
                case 0:
                    expected["to bo"].append(text)
                    await ada.send("bo", text)
                case 1:
                    expected["to ada"].append(text)
                    await bo.send("ada", text)
                case 2:
                    expected["room"].append(text)
                    await ada_room.send(text)
                case 3:
                    expected["room"].append(text)
                    await bo_room.send(text)
                case 4:
                    expected["b keys"].append(f"{step}#")
                    await ada_call.dtmf(f"{step}#")
                case 5:
                    expected["a keys"].append(f"{step}*")
                    await bo_call.dtmf(f"{step}*")
        a, b = witnesses

        async def all_there() -> bool:
            return (
                len(a.messages) >= len(expected["to ada"])
                and len(b.messages) >= len(expected["to bo"])
                and min(len(a.channel), len(b.channel)) >= len(expected["room"])
                and len(a.keys) >= len(expected["a keys"])
                and len(b.keys) >= len(expected["b keys"])
            )

        await until(all_there, "everything that was sent", within=20)
        assert a.messages == expected["to ada"]
        assert b.messages == expected["to bo"]
        assert a.channel == b.channel == expected["room"]
        assert a.keys == expected["a keys"]
        assert b.keys == expected["b keys"]
        assert relay.cuts >= 100
        assert all(event.resumed for event in a.session if isinstance(event, Reconnected))
        assert sum(isinstance(event, Reconnected) for event in a.session) >= 100
        _check_attempts(a.session)
        assert b.session == []
        for witness in witnesses:
            await witness.stop()


def _check_attempts(session: list[Reconnecting | Reconnected]) -> None:
    """onReconnecting counts from 1 up to each onReconnected (L10)."""
    attempt = 0
    for event in session:
        if isinstance(event, Reconnected):
            assert attempt > 0
            attempt = 0
        else:
            attempt += 1
            assert event.attempt == attempt


async def test_away_for_longer_than_the_session_lives(server: ServerProcess, relay: Relay) -> None:
    """SPEC L11, S7: the channel is left with 604, the call fails with 702, then a new session begins."""
    async with account(relay.url, "ada", "away") as ada, account(server.url, "bo", "away") as bo:
        room = await ada.join("room")
        call = await ada.invite("bo", "room")
        theirs = await anext(bo.invites())
        await theirs.accept()
        await call.answered()
        relay.shut()

        async def gone() -> bool:
            return not await bo.is_online("ada")

        await until(gone, "ada's session is over")
        await bo.send("ada", "kept")
        relay.reopen()
        with pytest.raises(ChannelLeft) as left:
            await anext(aiter(room))
        assert left.value.code == Code.LEAVECHANNEL_E_DISCONN
        end = await call.ended(10)
        assert isinstance(end, CallFailed)
        assert end.code == Code.INVITE_E_NET
        async for event in ada.events():
            if isinstance(event, Reconnected):
                assert not event.resumed
                break
        assert (await anext(ada.messages())).text == "kept"
        assert (await theirs.ended(10)).call


async def test_away_for_longer_than_retries_last(server: ServerProcess, relay: Relay) -> None:
    """SPEC L10: time is used up: 604, then 102."""
    ada = await account(relay.url, "ada", "late", retry_seconds=4)
    room = await ada.join("room")
    relay.shut()
    with pytest.raises(ChannelLeft) as left:
        await anext(aiter(room))
    assert left.value.code == Code.LEAVECHANNEL_E_DISCONN
    with pytest.raises(LoggedOut) as over:
        await anext(ada.messages())
    assert over.value.code == Code.LOGOUT_E_NET
    await ada.logout()


async def test_a_dead_peer_is_noticed(server: ServerProcess, relay: Relay) -> None:
    """SPEC L13: a connection through which nothing comes is given up, and the session goes on elsewhere."""
    impatient = Settings(retry_first=0.01, ping_seconds=0.1, silence_seconds=0.4)
    async with connect(
        relay.url, app_id="dead", account="ada", token="any", settings=impatient, retry_seconds=20
    ) as ada:
        relay.silence()
        assert isinstance(await anext(ada.events()), Reconnecting)
        relay.cut()
        relay.speak()
        async for event in ada.events():
            if isinstance(event, Reconnected):
                break
        assert await ada.is_online("ada")


async def test_the_server_is_killed_under_fifty_clients(directory: Path) -> None:
    """SPEC L10, M5: all come back by themselves, and what was stored arrives, once."""
    number = 50
    with ServerProcess(directory, config=CONFIG, flags=("--dev",)) as server:
        async with AsyncExitStack() as stack:
            clients: list[Client] = []
            for index in range(number):
                entered = account(server.url, f"user{index}", "crash", retry_seconds=60)
                clients.append(await stack.enter_async_context(entered))
            for index, client in enumerate(clients):
                await client.send("later", f"from {index}")
                await client.send(f"user{(index + 1) % number}", "before")
            server.kill()
            server.start()
            for client in clients:
                async for event in client.events():
                    if isinstance(event, Reconnected):
                        break
            for index, client in enumerate(clients):
                await client.send(f"user{(index + 1) % number}", "after")
            for client in clients:
                texts = [(await anext(client.messages())).text for _ in range(2)]
                assert texts == ["before", "after"]
            later = await stack.enter_async_context(account(server.url, "later", "crash"))
            texts = [(await anext(later.messages())).text for _ in range(number)]
            assert texts == [f"from {index}" for index in range(number)]
        assert await server.stopped() == 0
