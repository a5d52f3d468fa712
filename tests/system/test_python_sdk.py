"""The discontinued Python SDK 1.0.2, unmodified, against a real server (SPEC S10, PROTOCOL §10)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signalpost.wire.tokens import make_token
from support.client import RawClient
from support.python_sdk import Sdk
from support.server import CONFIG, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with an app that has a certificate."""
    with ServerProcess(tmp_path_factory.mktemp("server"), config=CONFIG) as server:
        yield server
        assert server.stop() == 0


@pytest.fixture
async def sdk(sdk_python: Path, server: ServerProcess, request: pytest.FixtureRequest) -> AsyncIterator[Sdk]:
    """The SDK, logged in with a real token."""
    sdk = Sdk(sdk_python, server, f"py-{request.node.name[-40:]}")
    await sdk.start(make_token("app", "secret", sdk.account, int(time.time()) + 600))
    await sdk.do("login")
    await sdk.called("on_login_success", 0)
    yield sdk
    await sdk.end()


@pytest.fixture
async def web(server: ServerProcess, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    """Somebody else, with the web SDK's frames."""
    client = await server.client(f"web-{request.node.name[-40:]}")
    yield client
    await client.close()


async def test_it_sends_and_receives_messages_in_order(sdk: Sdk, web: RawClient) -> None:
    """SPEC S10, M1, M2, M4; PROTOCOL §6: more than one poll's worth comes without waiting."""
    await sdk.do("send", web.account, "hello, wörld")
    await sdk.called("on_msg_send_success")
    assert (await web.pushed())[1].content == "hello, wörld"
    for number in range(50):
        await web.ask("user_sendmsg", peer=sdk.account, t="instant", content=f"message {number}")
    for number in range(50):
        await sdk.called("on_msg_instant_received", web.account, 0, f"message {number}")


async def test_it_gets_what_waited_for_it_once(
    sdk_python: Path, server: ServerProcess, web: RawClient
) -> None:
    """SPEC M3, M6: more than 30 messages wait for an offline account; what was taken does not come again."""
    account = "py-offline"
    token = make_token("app", "secret", account, int(time.time()) + 600)
    for number in range(45):
        await web.ok("user_sendmsg", peer=account, t="instant", content=f"waiting {number}")
    for expected in ([f"waiting {number}" for number in range(45)], ["later"]):
        sdk = Sdk(sdk_python, server, account)
        await sdk.start(token)
        await sdk.do("login")
        await sdk.called("on_login_success", 0)
        for text in expected:
            await sdk.called("on_msg_instant_received", web.account, 0, text)
        await sdk.do("status", account)
        await sdk.called("status")
        await sdk.do("logout")
        await sdk.called("on_logout", 101)
        await sdk.end()
        await web.ok("user_sendmsg", peer=account, t="instant", content="later")


async def test_it_meets_others_in_a_channel(sdk: Sdk, web: RawClient) -> None:
    """SPEC S10, C1, C3, C4, C10: joins, lists, messages, attributes, leaves."""
    await web.ok("channel_join", name="room")
    await web.ok("channel_set_attr", channel="room", name="topic", value="tea")
    await web.event("room")
    await sdk.do("join", "room")
    await sdk.called("on_channel_joined")
    await sdk.called("on_channel_user_list", [web.account, sdk.account], [0, 0])
    await sdk.called("on_channel_attr_updated", "topic", "tea", "update")
    assert (await web.event("room"))[1].json["account"] == sdk.account
    await web.ok("channel_sendmsg", name="room", msg="hello")
    await sdk.called("on_msg_channel_received", web.account, 0, "hello")
    await web.event("room")
    await sdk.do("say", "hi")
    await sdk.called("on_msg_channel_received", sdk.account, 0, "hi")
    assert (await web.event("room"))[1].json["msg"] == "hi"
    await sdk.do("set_attr", "topic", "coffee")
    await sdk.called("on_channel_attr_updated", "topic", "coffee", "update")
    await web.ok("channel_leave", name="room")
    await sdk.called("on_channel_user_left", web.account, 0)


async def test_it_calls_and_is_answered(sdk: Sdk, web: RawClient) -> None:
    """SPEC S10, K1-K3: received, accepted, ended by the peer; refused; ended by itself."""
    pair = {"channelName": "line", "peer": sdk.account}
    await sdk.do("invite", "line", web.account, "")
    assert (await web.pushed())[1].type == "voip_invite"
    await web.ok("voip_invite_ack", **pair, extra="")
    await sdk.called("on_invite_received_by_peer")
    await web.ok("voip_invite_accept", **pair, extra="here")
    await sdk.called("on_invite_accepted_by_peer", "here")
    await web.ok("voip_invite_bye", **pair, extra="")
    await sdk.called("on_invite_end_by_peer")
    await sdk.do("invite", "line", web.account, "")
    await web.pushed()
    await web.ok("voip_invite_refuse", **pair, extra="busy")
    await sdk.called("on_invite_refused_by_peer", "busy")
    await sdk.do("invite", "line", web.account, "")
    await web.pushed()
    await sdk.do("end", web.account)
    await sdk.called("on_invite_end_by_myself")
    assert (await web.pushed())[1].type == "voip_invite_bye"


async def test_it_is_called_and_answers(sdk: Sdk, web: RawClient) -> None:
    """SPEC S10, K1, K2, K4: it confirms by itself, accepts, gets keys, ends; refuses."""
    pair = {"channelName": "line", "peer": sdk.account}
    await web.ok("voip_invite", **pair, extra='{"destMediaUid":7}')
    await sdk.called("on_invite_received", "line", web.account, '{"destMediaUid":7}')
    assert (await web.pushed())[1].type == "voip_invite_ack"
    await sdk.do("accept", web.account)
    assert (await web.pushed())[1].type == "voip_invite_accept"
    await web.ok("voip_invite_msg", **pair, extra='{"msgtype":"dtmf","msgdata":"12*#"}')
    await sdk.called("on_invite_msg", '{"msgtype":"dtmf","msgdata":"12*#"}')
    await sdk.do("end", web.account)
    await sdk.called("on_invite_end_by_myself")
    assert (await web.pushed())[1].type == "voip_invite_bye"
    await web.ok("voip_invite", **pair, extra="")
    await sdk.called("on_invite_received")
    await web.pushed()
    await sdk.do("refuse", web.account)
    assert (await web.pushed())[1].type == "voip_invite_refuse"


async def test_it_hears_of_no_call_that_it_does_not_know(
    sdk_python: Path, server: ServerProcess, web: RawClient
) -> None:
    """PROTOCOL §8, §11.7: a call cancelled while it was offline leaves nothing that breaks it."""
    account = "py-called-offline"
    pair = {"channelName": "line", "peer": account}
    await web.ok("voip_invite", **pair, extra="")
    await web.ok("voip_invite_bye", **pair, extra="")
    await web.ok("user_sendmsg", peer=account, t="instant", content="sorry")
    sdk = Sdk(sdk_python, server, account)
    await sdk.start(make_token("app", "secret", account, int(time.time()) + 600))
    await sdk.do("login")
    await sdk.called("on_login_success", 0)
    await sdk.called("on_msg_instant_received", web.account, 0, "sorry")
    await sdk.do("status", web.account)
    await sdk.called("status")
    await sdk.end()
