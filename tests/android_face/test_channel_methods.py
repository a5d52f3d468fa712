"""Channels: in and out, messages, attributes, numbers."""

from __future__ import annotations

from android_face.people import House


def test_channelJoin(flat: House) -> None:
    """SPEC C1: joined, then the list with oneself last, then the attributes."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    ann.api.channelSetAttr("room", "topic", "x")
    ann.gets("onChannelAttrUpdated", "room", "topic", "x", "update")
    bob.join("room", "ann", "bob", topic="x")
    ann.gets("onChannelUserJoined", "bob", 0)


def test_channelJoin_leaves_the_channel_before(flat: House) -> None:
    """SPEC C2: one ordinary channel at a time; joining the one you are in gives list and attributes again."""
    ann, bob = flat.enter("ann", "bob")
    bob.join("one", "bob")
    ann.join("one", "bob", "ann")
    bob.gets("onChannelUserJoined", "ann", 0)
    ann.join("one", "bob", "ann")
    ann.api.channelJoin("two")
    ann.gets("onChannelLeaved", "one", 602)
    ann.gets("onChannelJoined", "two")
    ann.gets("onChannelUserList", ["ann"], [0])
    bob.gets("onChannelUserLeaved", "ann", 0)


def test_channelJoin_of_a_special_channel(flat: House) -> None:
    """SPEC P4: logins and logouts come as messages, besides the ordinary channel."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.join("__agora_user_online", "ann")
    [bob] = flat.enter("bob")
    name, (channel, _, uid, msg) = ann.handler.next()
    assert (name, channel, uid) == ("onMessageChannelReceive", "__agora_user_online", 0)
    assert "bob" in msg
    bob.api.logout()
    bob.gets("onLogout", 101)
    assert ann.handler.next()[1][0] == "__agora_user_online"


def test_channelLeave(flat: House) -> None:
    """SPEC C3: onChannelLeaved with 602 when voluntary; the others see it."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    bob.api.channelLeave("room")
    bob.gets("onChannelLeaved", "room", 602)
    ann.gets("onChannelUserLeaved", "bob", 0)


def test_channelLeave_of_a_channel_where_one_is_not(flat: House) -> None:
    """SPEC C3: told as if one had been, each time, and no error."""
    [ann] = flat.enter("ann")
    for _ in range(3):
        ann.api.channelLeave("room")
        ann.gets("onChannelLeaved", "room", 602)
    ann.join("room", "ann")
    ann.api.channelLeave("room")
    ann.api.channelLeave("room")
    ann.gets("onChannelLeaved", "room", 602)
    ann.gets("onChannelLeaved", "room", 602)


def test_channelQueryUserNum(flat: House) -> None:
    """SPEC C12, C13: no membership is needed; an unknown channel has 0."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.api.channelQueryUserNum("room")
    bob.gets("onChannelQueryUserNumResult", "room", 0, 1)
    bob.api.channelQueryUserNum(7)
    bob.gets("onChannelQueryUserNumResult", "7", 0, 0)


def test_channelSetAttr(flat: House) -> None:
    """SPEC C10, C13: every member is told; no membership is needed."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    bob.api.channelSetAttr("room", "topic", "tea")
    ann.gets("onChannelAttrUpdated", "room", "topic", "tea", "update")


def test_channelDelAttr(flat: House) -> None:
    """SPEC C10: type "del"."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.api.channelSetAttr("room", "topic", "tea")
    ann.gets("onChannelAttrUpdated", "room", "topic", "tea", "update")
    ann.api.channelDelAttr("room", "topic")
    name, args = ann.handler.next()
    assert (name, args[0], args[1], args[3]) == ("onChannelAttrUpdated", "room", "topic", "del")


def test_channelClearAttr(flat: House) -> None:
    """SPEC C10: type "clear"; a member who comes later finds none."""
    ann, bob = flat.enter("ann", "bob")
    ann.join("room", "ann")
    ann.api.channelSetAttr("room", "topic", "tea")
    ann.gets("onChannelAttrUpdated", "room", "topic", "tea", "update")
    ann.api.channelClearAttr("room")
    name, args = ann.handler.next()
    assert (name, args[0], args[3]) == ("onChannelAttrUpdated", "room", "clear")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)


def test_messageChannelSend(flat: House) -> None:
    """SPEC C4: every member gets it, the sender too; members only, else 400."""
    ann, bob, eve = flat.enter("ann", "bob", "eve")
    ann.join("room", "ann")
    bob.join("room", "ann", "bob")
    ann.gets("onChannelUserJoined", "bob", 0)
    for text in ("", "x" * 8192):
        bob.api.messageChannelSend("room", text, "id")
        bob.gets_all(("onMessageSendSuccess", ("id",)), ("onMessageChannelReceive", ("room", "bob", 0, text)))
        ann.gets("onMessageChannelReceive", "room", "bob", 0, text)
    eve.api.messageChannelSend("room", "hi", "id")
    eve.gets("onMessageSendError", "id", 400)


def test_messageChannelSendForce(flat: House) -> None:
    """SPEC C5: without being a member, and without an echo then; an unknown channel does as well."""
    ann, eve = flat.enter("ann", "eve")
    ann.join("room", "ann")
    for channel in ("room", "nowhere"):
        eve.api.messageChannelSendForce(channel, "hi", channel)
        eve.gets("onMessageSendSuccess", channel)
    ann.gets("onMessageChannelReceive", "room", "eve", 0, "hi")
