"""`Session`, method by method and callback by callback (SPEC §2 to §4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.relay import Relay
from web_face.people import STATUS, House

FUNCTIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("user_query_user_status", {"account": "ada"}, {"status": 1}),
    ("user_query_user_status", {"account": "nobody"}, {"status": 0}),
    ("user_set_attr", {"name": "mood", "value": "good"}, {}),
    ("user_get_attr", {"account": "ada", "name": "mood"}, {"value": "good"}),
    ("user_get_attr_all", {"account": "ada"}, {"json": '{"mood":"good"}'}),
    ("user_get_attr_all", {"account": "nobody"}, {"json": "{}"}),
    ("channel_set_attr", {"channel": "room", "name": "topic", "value": "x"}, {}),
    ("channel_del_attr", {"channel": "room", "name": "topic"}, {}),
    ("channel_clear_attr", {"channel": "room"}, {}),
    ("channel_query_num", {"name": "room"}, {"num": 0}),
    ("channel_query_user_isin", {"name": "room", "account": "ada"}, {"isin": 0}),
    ("channel_query_userlist", {"name": "room"}, {"num": 0, "list": []}),
    ("channel_query_userlist_all", {"name": "room", "num": 5}, {"num": 0, "list": []}),
]


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
async def test_session_invoke(web: House, as_text: bool) -> None:
    """SPEC C12, C14: every function of the document; the arguments as an object or as its JSON text."""
    ada = await web.user("ada")
    for func, args, result in FUNCTIONS:
        given = json.dumps(args) if as_text else args
        ada.session.invoke(f"io.agora.signal.{func}", given, ada.answer("cb"))
        await ada.expect("cb", "", {"result": "ok", **result})


async def test_session_messageInstantSend(web: House) -> None:
    """SPEC M1, E4: `cb(False)` once it is stored; numbers are names, objects are their JSON text."""
    ada, bo = await web.user("ada"), await web.user(17)
    assert bo.session.account == "17"
    for text, got in (("hello", "hello"), ("", ""), ("ü" * 4098, "ü" * 4098), ({"a": 1}, '{"a":1}')):
        ada.session.messageInstantSend(17, text, ada.answer("cb"))
        assert ada.told.empty()
        await ada.expect("cb", False)
        await bo.expect("onMessageInstantReceive", "ada", 0, got)
    ada.session.messageInstantSend("17", "without a callback")
    await bo.expect("onMessageInstantReceive", "ada", 0, "without a callback")


async def test_session_logout(web: House) -> None:
    """SPEC L9: `onLogout(101)`, and the others see it at once."""
    ada, bo = await web.user("ada"), await web.user("bo")
    await bo.join("room")
    await ada.join("room", "bo")
    await bo.expect("onChannelUserJoined", "ada", 0)
    ada.session.logout()
    assert ada.session.getStatus() == 0
    assert ada.told.empty()
    await ada.expect("onChannelLeaved", 603)
    await ada.expect("onLogout", 101)
    await bo.expect("onChannelUserLeaved", "ada", 0)
    bo.session.invoke(STATUS, {"account": "ada"}, bo.answer("cb"))
    await bo.expect("cb", "", {"result": "ok", "status": 0})
    ada.session.logout()  # a log line only


async def test_session_channelJoin(web: House) -> None:
    """SPEC C1: a channel object at once, then it is told all in order."""
    bo = await web.user("bo")
    room = await bo.join("room")
    room.channelSetAttr("topic", "x", bo.answer("cb"))
    assert {(await bo.next())[0], (await bo.next())[0]} == {"cb", "onChannelAttrUpdated"}

    ada = await web.user("ada")
    channel = ada.channel("room")
    assert (channel.name, channel.state) == ("room", 1)
    assert ada.told.empty()
    await ada.expect("onChannelJoined")
    assert channel.state == 2
    await ada.expect("onChannelUserList", [["bo", 0], ["ada", 0]])
    await ada.expect("onChannelAttrUpdated", "topic", "x", "update")
    await bo.expect("onChannelUserJoined", "ada", 0)


async def test_session_channelInviteUser2(web: House) -> None:
    """SPEC K1, S6: a call object at once; the peer gets the extra as it was given."""
    ada, bo = await web.user("ada"), await web.user("bo")
    call = ada.invite("room", "bo", {"destMediaUid": 123})
    assert (call.channelName, call.peer, call.extra) == ("room", "bo", '{"destMediaUid":123}')
    assert ada.told.empty()
    await bo.rings("room", "ada", '{"destMediaUid":123}')
    await ada.expect("onInviteReceivedByPeer", "")
    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")


async def test_session_getStatus(web: House, relay: Relay) -> None:
    """SPEC L12: 0 to 3, the same as `state`, and already new inside a callback."""
    seen: list[tuple[str, int, int]] = []
    ada = web.enter("ada", url=relay.url)
    session = ada.session

    def note(name: str) -> Any:
        return lambda *_: (
            seen.append((name, session.getStatus(), session.state)),
            ada.told.put_nowait((name,)),
        )

    names = ("onLoginSuccess", "onReconnecting", "onReconnected", "onLogout")
    for name in names:
        setattr(session, name, note(name))
    assert session.getStatus() == 1
    await ada.expect("onLoginSuccess")
    relay.cut()
    for name in ("onReconnecting", "onLoginSuccess", "onReconnected"):
        await ada.expect(name)
    session.logout()
    await ada.expect("onLogout")
    assert seen == [
        ("onLoginSuccess", 2, 2),
        ("onReconnecting", 3, 3),
        ("onLoginSuccess", 2, 2),
        ("onReconnected", 2, 2),
        ("onLogout", 0, 0),
    ]


async def test_session_onLoginSuccess(web: House, relay: Relay) -> None:
    """SPEC L1, S7: with 0, at the login and after each reconnect, then `onReconnected`."""
    ada = web.enter("ada", url=relay.url)
    await ada.expect("onLoginSuccess", 0)
    await ada.join("room")
    relay.cut()
    await ada.expect("onReconnecting", 1)
    await ada.expect("onLoginSuccess", 0)
    await ada.expect("onReconnected")
    await ada.quiet()


async def test_session_onLoginFailed(web: House) -> None:
    """SPEC L1, L5: an empty token."""
    ada = web.enter("ada", token="")
    assert ada.told.empty()
    await ada.expect("onLoginFailed", 201)
    assert ada.session.state == 0


async def test_session_onLogout(web: House) -> None:
    """SPEC L7: a login elsewhere ends this one with 103, for good."""
    ada = await web.user("ada")
    await web.user("ada")
    await ada.expect("onLogout", 103)
    assert ada.session.state == 0


async def test_session_onMessageInstantReceive(web: House) -> None:
    """SPEC M2 to M4: byte for byte and in order, what came while offline, too."""
    bo = await web.user("bo")
    texts = ["first", " \t\r\n", "\U0001f600 ü", '{"a":[1]}', ""]
    for text in texts:
        bo.session.messageInstantSend("ada", text, bo.answer("cb"))
    for _ in texts:
        await bo.expect("cb", False)
    ada = await web.user("ada")
    for text in texts:
        await ada.expect("onMessageInstantReceive", "bo", 0, text)
    bo.session.messageInstantSend("ada", "now", bo.answer("cb"))
    await bo.expect("cb", False)
    await ada.expect("onMessageInstantReceive", "bo", 0, "now")


async def test_session_onInviteReceived(web: House) -> None:
    """SPEC K1, K9: with a call that says who calls, and to where."""
    ada, bo = await web.user("ada"), await web.user("bo")
    call = ada.invite("room", "bo", '{"anything": [1, 2]}')
    ringing = await bo.rings("room", "ada", '{"anything": [1, 2]}')
    assert json.loads(json.dumps(ringing, default=type(ringing).toJSON)) == {
        "channelName": "room",
        "peer": "ada",
        "extra": '{"anything": [1, 2]}',
    }
    await ada.expect("onInviteReceivedByPeer", "")
    ringing.channelInviteRefuse()
    await ada.expect("onInviteRefusedByPeer", "")
    assert call.peer == "bo"


# --- what the face has besides -------------------------------------------------------------------


async def test_session_onReconnecting(web: House, relay: Relay) -> None:
    """SPEC L10: counts from 1, as long as it lasts; nothing is lost."""
    ada, bo = web.enter("ada", 1000, url=relay.url), await web.user("bo")
    await ada.expect("onLoginSuccess", 0)
    relay.shut()
    await ada.expect("onReconnecting", 1)
    await ada.expect("onReconnecting", 2)
    bo.session.messageInstantSend("ada", "meanwhile", bo.answer("cb"))
    await bo.expect("cb", False)
    relay.reopen()
    number = 3
    while (told := await ada.next()) == ("onReconnecting", number):
        number += 1
    assert told == ("onLoginSuccess", 0)
    await ada.expect("onReconnected")
    await ada.expect("onMessageInstantReceive", "bo", 0, "meanwhile")


async def test_session_onReconnected(web: House, relay: Relay) -> None:
    """SPEC S7, L10, C9: the same channel object, which is told what it missed, after it."""
    ada, bo = web.enter("ada", 1000, url=relay.url), await web.user("bo")
    await ada.expect("onLoginSuccess", 0)
    await ada.join("room")
    room = await bo.join("room", "ada")
    await ada.expect("onChannelUserJoined", "bo", 0)
    relay.shut()
    await ada.expect("onReconnecting", 1)
    room.messageChannelSend("meanwhile", bo.answer("cb"))
    assert {(await bo.next())[0], (await bo.next())[0]} == {"cb", "onMessageChannelReceive"}
    relay.reopen()
    while (told := await ada.next())[0] == "onReconnecting":
        pass
    assert told == ("onLoginSuccess", 0)
    await ada.expect("onReconnected")
    await ada.expect("onMessageChannelReceive", "bo", 0, "meanwhile")


async def test_session_onError(web: House) -> None:
    """SPEC E3: failures that have no callback of their own."""
    ada = await web.user("ada")
    ada.session.messageInstantSend("ada", "x" * 8197)
    name, method, code, reason = await ada.next()
    assert (name, method, code) == ("onError", "message_instant_send", 1005)
    assert "8196" in reason
    ada.session.invoke("nothing", {})
    assert (await ada.next())[:3] == ("onError", "invoke", 1001)
    room = await ada.join("room")
    room.channelSetAttr("_member_num", "1")
    assert (await ada.next())[:3] == ("onError", "channel_set_attr", 1004)
    ada.invite("room", "bo").channelInviteDTMF("no keys")
    assert (await ada.next())[:3] == ("onError", "channel_invite_dtmf", 1004)
