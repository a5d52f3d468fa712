"""The server ends as a crash ends it, under load and again and again: what SPEC M4-M7 promise still holds."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from support.client import RawClient
from support.server import ServerProcess
from support.waiting import until

CONFIG = """
[limits]
user_messages = 1000000
requests = 1000000
logins = 1000000

[apps.app]
allow_no_token = true
"""
ROUNDS = 30
WINDOW = 24  # messages of one sender that are under way at once
RECEIVERS = {"ours": "signalpost-python", "web": "websdk"}
SENDERS = ("ada", "bo", "cy")


@dataclass
class Sender:
    """Sends 0, 1, 2 … to each receiver; what was not answered is sent again, under the same request id."""

    account: str
    sent: int = 0  # numbers below it were sent at least once
    acknowledged: set[int] = field(default_factory=set)

    async def run(self, url: str, stop: asyncio.Event) -> None:
        """Send until the server is gone, or until told to stop and everything is answered."""
        client = await RawClient.open(url)
        waiting: dict[int, int] = {}
        try:
            await client.login(self.account, device="signalpost-python")
            for number in sorted(set(range(self.sent)) - self.acknowledged):
                waiting[await self._send(client, number)] = number
            while waiting or not stop.is_set():
                while len(waiting) < WINDOW and not stop.is_set():
                    waiting[await self._send(client, self.sent)] = self.sent
                    self.sent += 1
                call = next(iter(waiting))
                body = await client.answer(call, "message")
                assert body["result"] == "ok", body
                self.acknowledged.add(waiting.pop(call))
        except (ConnectionClosed, AssertionError) as error:
            if isinstance(error, AssertionError) and client.closed is None:
                raise
        finally:
            await client.close()

    async def _send(self, client: RawClient, number: int) -> int:
        receiver = list(RECEIVERS)[number % len(RECEIVERS)]
        text = f"{self.account} {number}"
        return await client.ask(
            "user_sendmsg", peer=receiver, flag="v1:E:3600", t="instant", content=text, rid=f"r{number}"
        )


@dataclass
class Receiver:
    """Takes what comes, as its SDK does, and remembers it as one process does."""

    account: str
    epoch: str = ""
    cursor: int = 0
    texts: list[str] = field(default_factory=list)
    versions: dict[int, str] = field(default_factory=dict)  # which message id a version had
    ids: set[str] = field(default_factory=set)

    async def run(self, url: str, done: asyncio.Event) -> None:
        """Receive until the server is gone, or until told that all is there."""
        client = await RawClient.open(url)
        try:
            if self.account == "ours":
                body = await client.login(
                    self.account, device="signalpost-python", inbox=[self.epoch, self.cursor]
                )
                assert body["inbox"] == self.epoch or not self.epoch, "a store on disk keeps its epoch"
                self.epoch = body["inbox"]
            else:
                await client.login(self.account)
                self.cursor = 0
                for version, line in await client.poll():
                    self._take(version, line.id, line.content)
            while not done.is_set():
                if client.frames or client.closed is not None:
                    version, line = await client.pushed()
                    self._take(version, line.id, line.content)
                else:
                    await asyncio.sleep(0.001)
                if random.random() < 0.02:
                    await client.ask("user_ack", ver_clear=self.cursor)
                client.frames = [frame for frame in client.frames if frame[0] != "call2-ret"]
        except (ConnectionClosed, AssertionError) as error:
            if isinstance(error, AssertionError) and client.closed is None:
                raise
        finally:
            await client.close()

    def _take(self, version: int, message_id: str, text: str) -> None:
        assert self.versions.setdefault(version, message_id) == message_id, "a version was used twice"
        if self.account == "ours":
            assert version > self.cursor, "a client that keeps its cursor sees nothing twice"
        self.cursor = max(self.cursor, version)
        if message_id not in self.ids:  # web 1.3.0/1.4.0 drop what they have seen (PROTOCOL §6)
            self.ids.add(message_id)
            self.texts.append(text)


@pytest.mark.timeout(300)
async def test_thirty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """SPEC M4, M5, M6, M7: kept, in order, once; no inbox version is used twice, whatever crashes."""
    server = ServerProcess(tmp_path, config=CONFIG)
    senders = [Sender(account) for account in SENDERS]
    receivers = [Receiver(account) for account in RECEIVERS]
    for _ in range(ROUNDS):
        server.start()
        never = asyncio.Event()
        load = asyncio.gather(
            *(sender.run(server.url, never) for sender in senders),
            *(receiver.run(server.url, never) for receiver in receivers),
        )
        await asyncio.sleep(random.uniform(0.05, 0.4))
        server.kill()
        await load
    server.start()
    try:
        done, stop = asyncio.Event(), asyncio.Event()
        stop.set()
        taking = asyncio.gather(*(receiver.run(server.url, done) for receiver in receivers))
        await asyncio.gather(*(sender.run(server.url, stop) for sender in senders))
        total = sum(sender.sent for sender in senders)

        async def all_there() -> bool:
            return sum(len(receiver.texts) for receiver in receivers) >= total

        await until(all_there, "all messages", within=30)
        done.set()
        await taking
    finally:
        assert server.stop() == 0
    for index, receiver in enumerate(receivers):
        got: dict[str, list[int]] = defaultdict(list)
        for text in receiver.texts:
            account, number = text.split()
            got[account].append(int(number))
        for sender in senders:
            expected = list(range(index, sender.sent, len(RECEIVERS)))
            assert got[sender.account] == expected
    assert min(sender.sent for sender in senders) > ROUNDS, "there was load"
