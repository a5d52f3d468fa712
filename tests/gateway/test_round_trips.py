"""How often each operation goes to the engine and back: over a network each time costs it its delay.

The bounds are what is needed today: whoever makes an operation ask more often notices it here, and whoever
makes it ask less often lowers its bound. SDKs send an id with each change; it is asked for and noted along.

A channel's attribute is three: how often it is changed is counted where its members are, before it is kept,
and when it is kept they are told.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.engine.ports import Clock
from signalpost.engines import Embedded, Engine
from signalpost.gateway.connection import Connection
from support.far import Cable, Far, Steps
from support.wiring import Wire

OURS = "signalpost-web"

# By operation: how many delays its answer has to wait for, and how many calls it makes in all, those behind
# its answer included. Calls that are under way at the same time are one delay.
BOUNDS = {
    "a fresh login": (3, 5),
    "a login over another": (5, 7),
    "a resume": (3, 5),
    "a resume into a channel": (3, 7),
    # Of an account with attributes, whose record then says that it has left; call events that it has not
    # taken are one more.
    "a log-out": (2, 4),
    "a break": (0, 2),
    "a message": (1, 1),
    "a message without an id": (1, 1),
    "an acknowledgement": (0, 1),
    "a poll": (1, 1),
    "a query of a status": (1, 1),
    "a user attribute": (2, 2),
    "a query of user attributes": (1, 1),
    "a join": (1, 1),
    "a switch to a channel that is there": (1, 2),
    "a switch": (4, 4),
    "a leave": (2, 2),
    "a channel message": (1, 1),
    "a channel message without an id": (1, 1),
    "a channel attribute": (3, 4),
    "a deleted channel attribute": (3, 4),
    "a query of a list": (1, 1),
    "an invitation": (2, 3),
    "an invitation of somebody offline": (3, 4),
    "a confirmation": (2, 2),
    "an acceptance": (2, 2),
    "a key": (2, 2),
    "an end": (2, 2),
    "a refusal": (2, 2),
}


class Node:
    """A server that listens nowhere, whose engine is far away, and what goes there."""

    def __init__(self) -> None:
        self.there, self.back = Steps(), Steps()
        self.cable = Cable(self.there, self.back)
        config = Config(data=":memory:", apps={"app": App(any_token=True)})
        self.server = Server(config, engine=self.engine)
        self.rids = itertools.count()

    def engine(self, config: Config, wall: Clock, clock: Clock | None) -> Engine:
        engine: Any = Embedded(config, wall, clock)
        engine.kept, engine.shared = Far(engine.kept, self.cable), Far(engine.shared, self.cable)
        made: Engine = engine
        return made

    def client(self, account: str, **login: Any) -> Client:
        """Somebody with one of our SDKs, logged in."""
        client = Client(self, account)
        client.login(**login)
        return client

    def travel(self) -> bool:
        """Let all that is on its way go to the engine, and the answers come back; False if nothing is."""
        ways = self.there, self.back
        if not any(ways):
            return False
        for way in ways:
            for _ in range(len(way)):
                way.step()
        return True

    def settle(self) -> None:
        """Let everything come to its end."""
        while self.travel():
            pass

    def count(self) -> Counter[str]:
        """What has gone to the engine since the last look."""
        self.settle()
        trips, self.cable.trips = self.cable.trips, Counter()
        return trips


class Client:
    """A connection that sends requests as our SDKs do, with an id each, and expects them to succeed."""

    def __init__(self, node: Node, account: str) -> None:
        self.node = node
        self.account = account
        self.wire = Wire()
        self.connection = Connection(node.server._gate, self.wire)  # type: ignore[arg-type]
        self.line = ""
        self.delays = 0  # that the latest answer had to wait for

    def send(self, frame: Any, answer: str) -> list[Any]:
        """Send a frame, and wait for the answer of this name."""
        self.connection.text(json.dumps(frame).encode())
        self.delays = 0
        frames = self.wire.tick()
        while not (answers := [frame[1] for frame in frames if frame[0] == answer]):
            assert self.node.travel(), "it is answered at last"
            self.delays += 1
            frames = self.wire.tick()
        [found] = answers
        told: list[Any] = found
        return told

    def login(self, **more: Any) -> None:
        fields = {
            "vid": "app",
            "account": self.account,
            "token": "t",
            "device": OURS,
            "inbox": ["", 0],
            **more,
        }
        self.line = json.loads(self.send(["login", fields], "login_ret")[1])["line"]

    def call(self, func: str, **args: Any) -> dict[str, Any]:
        args = {"line": self.line, "rid": f"{self.account}-{next(self.node.rids)}", **args}
        body: dict[str, Any] = json.loads(self.send(["call2", [func, 1, args]], "call2-ret")[2])
        assert body["result"] == "ok", body
        return body

    def breaks(self) -> None:
        self.connection.lost(0.0, 0)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node()
    yield node
    node.server.listener.stop()


async def measure(node: Node) -> dict[str, tuple[int, Counter[str]]]:
    """Each operation once, in a life as it is led: delays, and calls by method."""
    trips: dict[str, tuple[int, Counter[str]]] = {}

    async def done(what: str, by: Client) -> None:
        await ticks()
        trips[what] = by.delays, node.count()

    async def ticks() -> None:
        for _ in range(5):
            node.settle()
            await asyncio.sleep(0)

    bo, cy = node.client("bo"), node.client("cy")
    for one in (bo, cy):
        one.call("channel_join", name="room")
        one.wire.tick()
    await ticks()
    node.count()

    ada = node.client("ada")
    await done("a fresh login", ada)
    ada.call("user_set_attr", name="mood", value="fine")
    await done("a user attribute", ada)
    again = node.client("ada")
    await done("a login over another", again)
    ada = again
    ada.call("channel_join", name="room")
    await done("a join", ada)
    ada.call("channel_sendmsg", name="room", msg="hi")
    await done("a channel message", ada)
    ada.call("channel_sendmsg", name="room", msg="hi", rid="")
    await done("a channel message without an id", ada)
    ada.call("channel_set_attr", channel="room", name="topic", value="tea")
    await done("a channel attribute", ada)
    ada.call("channel_del_attr", channel="room", name="topic")
    await done("a deleted channel attribute", ada)
    ada.call("channel_query_userlist", name="room")
    await done("a query of a list", ada)
    ada.breaks()
    ada.delays = 0
    await done("a break", ada)
    resumed = node.client("ada", line=ada.line)
    await done("a resume into a channel", resumed)
    ada = resumed
    ada.call("channel_join", name="hall")
    await done("a switch", ada)
    ada.call("channel_join", name="room")
    await done("a switch to a channel that is there", ada)
    ada.call("channel_leave", name="room")
    await done("a leave", ada)
    ada.breaks()
    node.count()
    resumed = node.client("ada", line=ada.line)
    await done("a resume", resumed)
    ada = resumed
    ada.call("user_sendmsg", peer="bo", t="instant", content="hi")
    await done("a message", ada)
    ada.call("user_sendmsg", peer="bo", t="instant", content="hi", rid="")
    await done("a message without an id", ada)
    bo.call("user_ack", ver_clear=1)
    await done("an acknowledgement", bo)
    bo.call("user_getmsg", ver_clear=0, max=30)
    await done("a poll", bo)
    ada.call("user_query_user_status", account="bo")
    await done("a query of a status", ada)
    ada.call("user_get_attr_all", account="ada")
    await done("a query of user attributes", ada)
    ada.call("voip_invite", channelName="call", peer="bo", extra="")
    await done("an invitation", ada)
    bo.call("voip_invite_ack", channelName="call", peer="ada", extra="")
    await done("a confirmation", bo)
    bo.call("voip_invite_accept", channelName="call", peer="ada", extra="")
    await done("an acceptance", bo)
    ada.call("voip_invite_msg", channelName="call", peer="bo", extra='{"msgtype":"dtmf","msgdata":"1"}')
    await done("a key", ada)
    ada.call("voip_invite_bye", channelName="call", peer="bo", extra="")
    await done("an end", ada)
    ada.call("voip_invite", channelName="call", peer="cy", extra="")
    node.count()
    cy.call("voip_invite_refuse", channelName="call", peer="ada", extra="")
    await done("a refusal", cy)
    ada.call("voip_invite", channelName="call", peer="dan", extra="")
    await done("an invitation of somebody offline", ada)
    ada.call("voip_invite_bye", channelName="call", peer="dan", extra="")
    node.count()
    polled = ada.call("user_getmsg", ver_clear=0, max=30)
    ada.call("user_ack", ver_clear=polled["msgs"][-1][0])
    node.count()
    ada.call("user_logout")
    await done("a log-out", ada)
    return trips


async def test_no_operation_asks_the_engine_more_often_than_it_did(node: Node) -> None:
    """ENGINE: "round trips wanted"; each of these is one over a network."""
    found = {
        what: (delays, trips.total(), dict(trips)) for what, (delays, trips) in (await measure(node)).items()
    }
    assert found.keys() == BOUNDS.keys()
    assert not {
        what: these
        for what, these in found.items()
        if any(is_ > was for is_, was in zip(these, BOUNDS[what], strict=False))
    }
