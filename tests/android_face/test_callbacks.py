"""Each callback of the document, with its arguments, against a real server; named after it (SPEC S2)."""

from __future__ import annotations

import json

from android_face.people import NO_TOKEN, House
from android_face.phones import calls, connects


def test_onLoginSuccess(flat: House) -> None:
    """SPEC L1: uid and fd are 0."""
    ann = flat.person("ann")
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.gets("onLoginSuccess", 0, 0)


def test_onLoginFailed(flat: House) -> None:
    """SPEC L1, L5: instead of onLoginSuccess; without a token 201."""
    ann = flat.person("ann")
    ann.api.login("", "ann", "", 0, "")
    ann.gets("onLoginFailed", 201)


def test_onLogout(flat: House) -> None:
    """SPEC L7: the account logs in elsewhere: 601 for the channel, then 103; no reconnecting."""
    [here] = flat.enter("ann")
    here.join("room", "ann")
    [there] = flat.enter("ann")
    here.gets("onChannelLeaved", "room", 601)
    here.gets("onLogout", 103)
    there.heard_all()
    assert (here.api.getStatus(), there.api.getStatus()) == (0, 2)


def test_onReconnecting(flat: House) -> None:
    """SPEC L10: numbered from 1; then onLogout(102) when count or time is used up."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter(count=2)
    relay.shut()
    ann.gets("onReconnecting", 1)
    ann.gets("onReconnecting", 2)
    ann.gets("onLogout", 102)
    assert ann.api.getStatus() == 0


def test_onReconnected(flat: House) -> None:
    """SPEC L10, S7: the same session and channel, what was missed comes, and no second onLoginSuccess."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter()
    [bob] = flat.enter("bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    relay.shut()
    ann.gets("onReconnecting", 1)
    bob.api.messageChannelSend("room", "missed", "1")
    bob.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageChannelReceive", ("room", "bob", 0, "missed")))
    bob.api.messageInstantSend("ann", 0, "missed too", "2")
    bob.gets("onMessageSendSuccess", "2")
    ann.api.queryUserStatus("bob")  # waits for the connection
    relay.reopen()
    name = "onReconnecting"
    while name == "onReconnecting":
        name, args = ann.handler.next()
    assert (name, args) == ("onReconnected", (0,))
    ann.gets_all(
        ("onMessageChannelReceive", ("room", "bob", 0, "missed")),
        ("onMessageInstantReceive", ("bob", 0, "missed too")),
        ("onQueryUserStatusResult", ("bob", "1")),
    )


def test_onError(flat: House) -> None:
    """SPEC E3: the method in snake_case, the code, what is wrong and what is allowed."""
    [ann] = flat.enter("ann")
    ann.api.setAttr("x" * 129, "1")
    assert "128" in ann.fails("set_attr", 1005)


def test_onLog(flat: House) -> None:
    """SPEC S8: a line for each thing that happens; never a token or a message."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter("secret-token")
    bob = flat.person("bob")
    bob.api.login("", "bob", "", 0, "")
    bob.gets("onLoginFailed", 201)
    bob.logs("201")
    ann.api.messageInstantSend("ann", 0, "secret-body", "1")
    ann.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageInstantReceive", ("ann", 0, "secret-body")))
    relay.cut()
    ann.gets("onReconnecting", 1)
    ann.gets("onReconnected", 0)
    ann.logs("connection lost")
    ann.logs("logged in")
    for line in ann.handler.lines:
        assert line.split(" ")[0] in ("DEBUG", "INFO", "WARNING")
        assert "\n" not in line
        assert "secret" not in line


def test_onQueryUserStatusResult(flat: House) -> None:
    """SPEC P1: "1" or "0", as text."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.queryUserStatus("bob")
    ann.gets("onQueryUserStatusResult", "bob", "1")
    bob.api.logout()
    bob.gets("onLogout", 101)
    ann.api.queryUserStatus("bob")
    ann.gets("onQueryUserStatusResult", "bob", "0")


def test_onUserAttrResult(flat: House) -> None:
    """SPEC P2: account, name and value."""
    [ann] = flat.enter("ann")
    ann.api.setAttr("x" * 128, "y" * 8096)
    ann.api.getUserAttr("ann", "x" * 128)
    ann.gets("onUserAttrResult", "ann", "x" * 128, "y" * 8096)


def test_onUserAttrAllResult(flat: House) -> None:
    """SPEC P2: account and the text of a JSON object."""
    [ann] = flat.enter("ann")
    ann.api.setAttr("a b", "ä")
    ann.api.getUserAttrAll("ann")
    name, (account, value) = ann.handler.next()
    assert (name, account, json.loads(value)) == ("onUserAttrAllResult", "ann", {"a b": "ä"})


def test_onInvokeRet(flat: House) -> None:
    """SPEC C12, E3: once for each invoke, with its callID; a failure in words, without an answer."""
    [ann] = flat.enter("ann")
    ann.api.invoke("io.agora.signal.user_query_user_status", '{"account":"ann"}', "id")
    name, (call, err, resp) = ann.handler.next()
    assert (name, call, err, json.loads(resp)) == ("onInvokeRet", "id", "", {"result": "ok", "status": 1})
    ann.api.invoke("io.agora.signal.user_query_user_status", '{"account":', "")
    name, (call, err, resp) = ann.handler.next()
    assert (name, call) == ("onInvokeRet", "")
    assert json.loads(resp) == {"code": 1004, "reason": err}
    assert ann.fails("invoke", 1004) == err


def test_onMessageSendSuccess(flat: House) -> None:
    """SPEC M1: once, with the label that was given, whatever it is."""
    [ann] = flat.enter("ann")
    for label in ("1", "x" * 1000, "1"):
        ann.api.messageInstantSend("bob", 0, "hi", label)
        ann.gets("onMessageSendSuccess", label)


def test_onMessageSendError(flat: House) -> None:
    """SPEC M1, C4: once, with the label and the code."""
    [ann] = flat.enter("ann")
    ann.api.messageChannelSend("room", "hi", "1")
    ann.gets("onMessageSendError", "1", 400)


def test_onMessageInstantReceive(flat: House) -> None:
    """SPEC M2, M6: exactly once each, in order, also when the connection is cut meanwhile."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url).enter()
    [bob] = flat.enter("bob")
    for number in range(50):
        bob.api.messageInstantSend("ann", 0, str(number), str(number))
        if number in (10, 30):
            relay.cut()
    bob.gets_all(*(("onMessageSendSuccess", (str(number),)) for number in range(50)))
    told = []
    while len(told) < 50:
        name, args = ann.handler.next()
        if name == "onMessageInstantReceive":
            told.append(args)
    assert told == [("bob", 0, str(number)) for number in range(50)]


def test_onMessageChannelReceive(flat: House) -> None:
    """SPEC C4, C6: channel, sender, 0 and text; all members in one order."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    for number in range(20):
        for sender in (ann, bob):
            sender.api.messageChannelSend("room", f"{sender.account} {number}", "")
    heard = []
    for person in (ann, bob):
        told = [person.handler.next() for _ in range(60)]
        heard.append([args for name, args in told if name == "onMessageChannelReceive"])
    assert heard[0] == heard[1]
    assert len(heard[0]) == 40


def test_onChannelJoined(flat: House) -> None:
    """SPEC C1: the channel's name."""
    [ann] = flat.enter("ann")
    ann.api.channelJoin("ein-Käse👍")
    ann.gets("onChannelJoined", "ein-Käse👍")
    ann.gets("onChannelUserList", ["ann"], [0])


def test_onChannelUserList(flat: House) -> None:
    """SPEC C1: after every join, oldest first, oneself last; as many uids, all 0."""
    ann, bob, eve = flat.enter("ann", "bob", "eve")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    eve.join("room", "ann", "bob", "eve")
    ann.gets("onChannelUserJoined", "bob", 0)
    ann.gets("onChannelUserJoined", "eve", 0)
    bob.gets("onChannelUserJoined", "eve", 0)


def test_onChannelJoinFailed(flat: House) -> None:
    """SPEC C1, E3: channel and code, a number."""
    [ann] = flat.enter("ann")
    ann.api.channelJoin("a b")
    ann.fails("channel_join", 1004, "onChannelJoinFailed", "a b", 1004)


def test_onChannelLeaved(flat: House) -> None:
    """SPEC C3: 602 by the user, 603 by a logout."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.api.channelLeave("room")
    ann.gets("onChannelLeaved", "room", 602)
    ann.join("room", "ann")
    ann.api.logout()
    ann.gets("onChannelLeaved", "room", 603)
    ann.gets("onLogout", 101)


def test_onChannelUserJoined(flat: House) -> None:
    """SPEC C1: the others are told, once."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    bob.join("room", "ann", "bob")


def test_onChannelUserLeaved(flat: House) -> None:
    """SPEC C3: the others are told."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    bob.api.channelLeave("room")
    bob.gets("onChannelLeaved", "room", 602)
    ann.gets("onChannelUserLeaved", "bob", 0)


def test_onChannelQueryUserNumResult(flat: House) -> None:
    """SPEC C12: channel, code and number."""
    [ann] = flat.enter("ann")
    ann.api.channelQueryUserNum("room")
    ann.gets("onChannelQueryUserNumResult", "room", 0, 0)


def test_onChannelAttrUpdated(flat: House) -> None:
    """SPEC C1, C10: update, del and clear."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.api.channelSetAttr("room", "a b", "")
    ann.gets("onChannelAttrUpdated", "room", "a b", "", "update")
    ann.api.channelDelAttr("room", "a b")
    ann.api.channelClearAttr("room")
    told = [ann.handler.next() for _ in range(2)]
    assert [(name, args[0], args[3]) for name, args in told] == [
        ("onChannelAttrUpdated", "room", "del"),
        ("onChannelAttrUpdated", "room", "clear"),
    ]


def test_onInviteReceived(flat: House) -> None:
    """SPEC K1: channel, caller, 0, extra."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser2("room", "bob", '{"a":[1]}')
    bob.gets("onInviteReceived", "room", "ann", 0, '{"a":[1]}')
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)


def test_onInviteReceivedByPeer(flat: House) -> None:
    """SPEC K1: once, before any answer."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.channelInviteUser("room", "bob", 0)
    bob.gets("onInviteReceived", "room", "ann", 0, "")
    bob.api.channelInviteAccept("room", "ann", 0, "")
    ann.gets("onInviteReceivedByPeer", "room", "bob", 0)
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "")


def test_onInviteAcceptedByPeer(flat: House) -> None:
    """SPEC K2: the extra is any text."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteAccept("room", "ann", 0, "x" * 8192)
    ann.gets("onInviteAcceptedByPeer", "room", "bob", 0, "x" * 8192)


def test_onInviteRefusedByPeer(flat: House) -> None:
    """SPEC K2: the extra is any text."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteRefuse("room", "ann", 0, "[not JSON")
    ann.gets("onInviteRefusedByPeer", "room", "bob", 0, "[not JSON")


def test_onInviteFailed(flat: House) -> None:
    """SPEC K5, E4: the code as a number, and in the extra with its reason."""
    [ann] = flat.enter("ann")
    ann.api.channelInviteUser2("room", "bob", '{"_require_peer_online":1}')
    name, (*args, extra) = ann.handler.next()
    assert (name, args) == ("onInviteFailed", ["room", "bob", 0, 703])
    found = json.loads(extra)
    assert found.keys() == {"code", "reason"}
    assert found["code"] == 703
    assert found["reason"]


def test_onInviteEndByPeer(flat: House) -> None:
    """SPEC K3: the extra is empty, as this API's end has none."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    ann.api.channelInviteEnd("room", "bob", 0)
    ann.gets("onInviteEndByMyself", "room", "bob", 0)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")


def test_onInviteEndByMyself(flat: House) -> None:
    """SPEC K3: the one who ends is told so, without an extra."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    bob.api.channelInviteEnd("room", "ann", 0)
    bob.gets("onInviteEndByMyself", "room", "ann", 0)
    ann.gets("onInviteEndByPeer", "room", "bob", 0, "")


def test_onInviteMsg(flat: House) -> None:
    """SPEC K4: the type, the keys, and the text in which they came."""
    ann, bob = flat.enter("ann", "bob")
    connects(ann, bob)
    bob.api.channelInviteDTMF("room", "ann", "5")
    ann.gets("onInviteMsg", "room", "bob", 0, "dtmf", "5", '{"msgtype":"dtmf","msgdata":"5"}')
