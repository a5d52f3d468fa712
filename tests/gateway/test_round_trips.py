"""How often each operation goes to the engine and back: over a network each time costs it its delay.

The bounds are what is needed today: whoever makes an operation ask more often notices it here, and whoever
makes it ask less often lowers its bound.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signalpost.app import Engine, Server, embedded
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.engine.ports import Clock
from signalpost.engine.store import Store
from signalpost.gateway.connection import Connection
from support.far import AtOnce, Cable, Far
from support.wiring import Wire

OURS = "signalpost-web"

# By operation: port calls, of which notes to other nodes and sweeps are none.
BOUNDS = {
    "a fresh login": 5,
    "a login over another": 7,
    "a resume": 5,
    "a resume into a channel": 7,
    "a log-out": 5,  # of an account with attributes, whose record then says that it has left
    "a break": 2,
    "a message": 1,
    "a message without an id": 1,
    "an acknowledgement": 1,
    "a poll": 1,
    "a query of a status": 1,
    "a user attribute": 4,
    "a query of user attributes": 1,
    "a join": 1,
    "a switch": 4,
    "a leave": 4,
    "a channel message": 1,
    "a channel message without an id": 1,
    "a channel attribute": 6,
    "a deleted channel attribute": 6,
    "a query of a list": 1,
    "an invitation": 5,
    "an invitation of somebody offline": 6,
    "a confirmation": 4,
    "an acceptance": 4,
    "a key": 4,
    "an end": 4,
    "a refusal": 4,
}


class Node:
    """A server that listens nowhere, whose engine is far away, and what goes there."""

    def __init__(self) -> None:
        self.cable = Cable(AtOnce(), AtOnce())
        config = Config(data=":memory:", apps={"app": App(any_token=True)})
        self.server = Server(config, engine=self.engine)
        self.rids = itertools.count()

    def engine(self, store: Store | None, clock: Clock) -> Engine:
        return Engine(*(Far(part, self.cable) for part in embedded(store, clock)))  # type: ignore[arg-type]

    def client(self, account: str, **login: Any) -> Client:
        """Somebody with one of our SDKs, logged in."""
        client = Client(self, account)
        client.login(**login)
        return client

    def count(self) -> Counter[str]:
        """What has gone to the engine since the last look."""
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
        self.seen = 0  # the latest version that it was pushed

    def send(self, frame: Any) -> list[Any]:
        self.connection.text(json.dumps(frame).encode())
        return self.wire.tick()

    def login(self, **more: Any) -> None:
        fields = {
            "vid": "app",
            "account": self.account,
            "token": "t",
            "device": OURS,
            "inbox": ["", 0],
            **more,
        }
        frames = self.send(["login", fields])
        [body] = [frame[1][1] for frame in frames if frame[0] == "login_ret"]
        self.line = json.loads(body)["line"]

    def call(self, func: str, **args: Any) -> dict[str, Any]:
        args = {"line": self.line, "rid": f"{self.account}-{next(self.node.rids)}", **args}
        frames = self.send(["call2", [func, 1, args]])
        [answer] = [frame[1] for frame in frames if frame[0] == "call2-ret"]
        body: dict[str, Any] = json.loads(answer[2])
        assert body["result"] == "ok", body
        return body

    def breaks(self) -> None:
        self.connection.lost(0.0, 0)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node()
    yield node
    node.server.listener.stop()


async def measure(node: Node) -> dict[str, Counter[str]]:
    """Each operation once, in a life as it is led."""
    trips: dict[str, Counter[str]] = {}

    async def done(what: str) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        trips[what] = node.count()

    bo, cy = node.client("bo"), node.client("cy")
    for one in (bo, cy):
        one.call("channel_join", name="room")
        one.wire.tick()
    await asyncio.sleep(0.01)
    node.count()

    ada = node.client("ada")
    await done("a fresh login")
    ada.call("user_set_attr", name="mood", value="fine")
    await done("a user attribute")
    again = node.client("ada")
    await done("a login over another")
    ada = again
    ada.call("channel_join", name="room")
    await done("a join")
    ada.call("channel_sendmsg", name="room", msg="hi")
    await done("a channel message")
    ada.call("channel_sendmsg", name="room", msg="hi", rid="")
    await done("a channel message without an id")
    ada.call("channel_set_attr", channel="room", name="topic", value="tea")
    await done("a channel attribute")
    ada.call("channel_del_attr", channel="room", name="topic")
    await done("a deleted channel attribute")
    ada.call("channel_query_userlist", name="room")
    await done("a query of a list")
    ada.breaks()
    await done("a break")
    resumed = node.client("ada", line=ada.line)
    await done("a resume into a channel")
    ada = resumed
    ada.call("channel_join", name="hall")
    await done("a switch")
    ada.call("channel_leave", name="hall")
    await done("a leave")
    ada.breaks()
    node.count()
    resumed = node.client("ada", line=ada.line)
    await done("a resume")
    ada = resumed
    ada.call("user_sendmsg", peer="bo", t="instant", content="hi")
    await done("a message")
    ada.call("user_sendmsg", peer="bo", t="instant", content="hi", rid="")
    await done("a message without an id")
    bo.call("user_ack", ver_clear=1)
    await done("an acknowledgement")
    bo.call("user_getmsg", ver_clear=0, max=30)
    await done("a poll")
    ada.call("user_query_user_status", account="bo")
    await done("a query of a status")
    ada.call("user_get_attr_all", account="ada")
    await done("a query of user attributes")
    ada.call("voip_invite", channelName="call", peer="bo", extra="")
    await done("an invitation")
    bo.call("voip_invite_ack", channelName="call", peer="ada", extra="")
    await done("a confirmation")
    bo.call("voip_invite_accept", channelName="call", peer="ada", extra="")
    await done("an acceptance")
    ada.call("voip_invite_msg", channelName="call", peer="bo", extra='{"msgtype":"dtmf","msgdata":"1"}')
    await done("a key")
    ada.call("voip_invite_bye", channelName="call", peer="bo", extra="")
    await done("an end")
    ada.call("voip_invite", channelName="call", peer="cy", extra="")
    node.count()
    cy.call("voip_invite_refuse", channelName="call", peer="ada", extra="")
    await done("a refusal")
    ada.call("voip_invite", channelName="call", peer="dan", extra="")
    await done("an invitation of somebody offline")
    ada.call("voip_invite_bye", channelName="call", peer="dan", extra="")
    node.count()
    ada.call("user_logout")
    await done("a log-out")
    return trips


async def test_no_operation_asks_the_engine_more_often_than_it_did(node: Node) -> None:
    """ENGINE: "round trips wanted"; each of these is one over a network."""
    trips = await measure(node)
    assert trips.keys() == BOUNDS.keys()
    more = {what: dict(found) for what, found in trips.items() if found.total() > BOUNDS[what]}
    assert not more
