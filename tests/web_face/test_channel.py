"""`Channel`, method by method and callback by callback (SPEC §5)."""

from __future__ import annotations

from signalpost.web import Channel
from web_face.people import House, User


async def together(web: House) -> tuple[User, Channel, User, Channel]:
    """Ada and Bo are in a channel."""
    ada, bo = await web.user("ada"), await web.user("bo")
    first = await ada.join("room")
    second = await bo.join("room", "ada")
    await ada.expect("onChannelUserJoined", "bo", 0)
    return ada, first, bo, second


async def both(user: User, *told: tuple[object, ...]) -> None:
    """An answer and one's own echo, whose order is not promised (SPEC C4)."""
    got = [await user.next() for _ in told]
    assert sorted(got, key=str) == sorted(told, key=str)


async def test_channel_messageChannelSend(web: House) -> None:
    """SPEC C4, E4: `cb()`, and everybody gets it, oneself too."""
    ada, room, bo, _ = await together(web)
    for text in ("hello", "", "x" * 8192):
        room.messageChannelSend(text, ada.answer("cb"))
        await both(ada, ("cb",), ("onMessageChannelReceive", "ada", 0, text))
        await bo.expect("onMessageChannelReceive", "ada", 0, text)
    room.messageChannelSend({"a": 1})
    for user in (ada, bo):
        await user.expect("onMessageChannelReceive", "ada", 0, '{"a":1}')


async def test_channel_channelLeave(web: House) -> None:
    """SPEC C3, E4: `cb()` and `onChannelLeaved(0)`, and nothing after."""
    ada, room, bo, other = await together(web)
    room.channelLeave(ada.answer("cb"))
    assert ada.told.empty()
    await ada.expect("cb")
    await ada.expect("onChannelLeaved", 0)
    assert room.state == 0
    await bo.expect("onChannelUserLeaved", "ada", 0)
    other.messageChannelSend("alone", bo.answer("cb"))
    await both(bo, ("cb",), ("onMessageChannelReceive", "bo", 0, "alone"))
    await ada.quiet()
    other.channelLeave()
    await bo.expect("onChannelLeaved", 0)
    for _ in range(3):  # and so it is if one is not in it (C3)
        room.channelLeave(ada.answer("cb"))
        assert ada.told.empty()
        await ada.expect("cb")
        await ada.expect("onChannelLeaved", 0)


async def test_leaving_twice_in_one_turn_is_answered_twice(web: House) -> None:
    """SPEC C3: with `cb` and without."""
    ada, room, bo, _ = await together(web)
    room.channelLeave(ada.answer("first"))
    room.channelLeave()
    await ada.expect("first")
    await ada.expect("onChannelLeaved", 0)
    await ada.expect("onChannelLeaved", 0)
    await bo.expect("onChannelUserLeaved", "ada", 0)


async def test_leaving_a_channel_while_the_join_is_on_its_way(web: House) -> None:
    """SPEC C3: first in, then out."""
    ada = await web.user("ada")
    joining = ada.channel("room")
    joining.channelLeave(ada.answer("cb"))
    await ada.expect("onChannelJoined")
    await ada.expect("onChannelUserList", [["ada", 0]])
    await ada.expect("cb")
    await ada.expect("onChannelLeaved", 0)


async def test_channel_channelSetAttr(web: House) -> None:
    """SPEC C10: `cb()`, and everybody gets it."""
    ada, room, bo, _ = await together(web)
    for value, text in (("x", "x"), ("", ""), ("v" * 8096, "v" * 8096), (5, "5")):
        room.channelSetAttr("a name", value, ada.answer("cb"))
        await both(ada, ("cb",), ("onChannelAttrUpdated", "a name", text, "update"))
        await bo.expect("onChannelAttrUpdated", "a name", text, "update")


async def test_channel_channelDelAttr(web: House) -> None:
    """SPEC C10: type `del`."""
    ada, room, bo, _ = await together(web)
    room.channelSetAttr("topic", "x")
    room.channelDelAttr("topic", ada.answer("cb"))
    await ada.expect("onChannelAttrUpdated", "topic", "x", "update")
    await both(ada, ("cb",), ("onChannelAttrUpdated", "topic", "", "del"))
    await bo.expect("onChannelAttrUpdated", "topic", "x", "update")
    await bo.expect("onChannelAttrUpdated", "topic", "", "del")


async def test_channel_channelClearAttr(web: House) -> None:
    """SPEC C10: type `clear`."""
    ada, room, bo, _ = await together(web)
    room.channelSetAttr("topic", "x")
    room.channelClearAttr(ada.answer("cb"))
    await ada.expect("onChannelAttrUpdated", "topic", "x", "update")
    await both(ada, ("cb",), ("onChannelAttrUpdated", "", "", "clear"))
    await bo.expect("onChannelAttrUpdated", "topic", "x", "update")
    await bo.expect("onChannelAttrUpdated", "", "", "clear")


async def test_channel_onChannelJoined(web: House) -> None:
    """SPEC C1: before anything else of the channel."""
    ada = await web.user("ada")
    channel = ada.channel("room")
    channel.messageChannelSend("at once")
    await ada.expect("onChannelJoined")
    await ada.expect("onChannelUserList", [["ada", 0]])
    await ada.expect("onMessageChannelReceive", "ada", 0, "at once")


async def test_channel_onChannelJoinFailed(web: House) -> None:
    """SPEC C1: with a number."""
    ada = await web.user("ada")
    channel = ada.channel("no spaces")
    assert ada.told.empty()
    await ada.expect("onChannelJoinFailed", 1004)
    assert (channel.name, channel.state) == ("no spaces", 0)


async def test_channel_onChannelLeaved(web: House) -> None:
    """SPEC C2: joining another channel leaves the first, with 0."""
    ada, room, bo, _ = await together(web)
    other = ada.channel("other", "other ")
    await ada.expect("onChannelLeaved", 0)
    await ada.expect("other onChannelJoined")
    await ada.expect("other onChannelUserList", [["ada", 0]])
    assert (room.state, other.state) == (0, 2)
    await bo.expect("onChannelUserLeaved", "ada", 0)


async def test_channel_onChannelUserJoined(web: House) -> None:
    """SPEC C1: the others, not oneself."""
    ada, _, bo, _ = await together(web)
    cy = await web.user("cy")
    await cy.join("room", "ada", "bo")
    for user in (ada, bo):
        await user.expect("onChannelUserJoined", "cy", 0)


async def test_channel_onChannelUserLeaved(web: House) -> None:
    """SPEC C3: who leaves, and who logs out."""
    ada, _, bo, other = await together(web)
    other.channelLeave()
    await bo.expect("onChannelLeaved", 0)
    await ada.expect("onChannelUserLeaved", "bo", 0)
    cy = await web.user("cy")
    await cy.join("room", "ada")
    await ada.expect("onChannelUserJoined", "cy", 0)
    cy.session.logout()
    await cy.expect("onChannelLeaved", 603)
    await cy.expect("onLogout", 101)
    await ada.expect("onChannelUserLeaved", "cy", 0)


async def test_channel_onChannelUserList(web: House) -> None:
    """SPEC C1: pairs, oldest first, oneself last."""
    await together(web)
    cy = await web.user("cy")
    cy.channel("room")
    await cy.expect("onChannelJoined")
    await cy.expect("onChannelUserList", [["ada", 0], ["bo", 0], ["cy", 0]])
    for user in web.users[:2]:
        await user.expect("onChannelUserJoined", "cy", 0)


async def test_channel_onChannelAttrUpdated(web: House) -> None:
    """SPEC C1, C10: each attribute at the join, then what anybody changes, `invoke` too."""
    ada, room, bo, _ = await together(web)
    room.channelSetAttr("b", "1")
    room.channelSetAttr("a", "2")
    for user in (ada, bo):
        await user.expect("onChannelAttrUpdated", "b", "1", "update")
        await user.expect("onChannelAttrUpdated", "a", "2", "update")
    cy = await web.user("cy")
    cy.channel("room")
    await cy.expect("onChannelJoined")
    await cy.expect("onChannelUserList", [["ada", 0], ["bo", 0], ["cy", 0]])
    await both(cy, ("onChannelAttrUpdated", "a", "2", "update"), ("onChannelAttrUpdated", "b", "1", "update"))
    args = {"channel": "room", "name": "c", "value": "3"}
    cy.session.invoke("io.agora.signal.channel_set_attr", args, cy.answer("cb"))
    await both(cy, ("cb", "", {"result": "ok"}), ("onChannelAttrUpdated", "c", "3", "update"))
    for user in (ada, bo):
        await user.expect("onChannelUserJoined", "cy", 0)
        await user.expect("onChannelAttrUpdated", "c", "3", "update")


async def test_channel_onMessageChannelReceive(web: House) -> None:
    """SPEC C4, C6: all members in one order, one's own too."""
    ada, room, bo, other = await together(web)
    for number in range(10):
        room.messageChannelSend(f"ada {number}")
        other.messageChannelSend(f"bo {number}")
    first = [await ada.next() for _ in range(20)]
    assert [await bo.next() for _ in range(20)] == first
    for who in ("ada", "bo"):
        texts = [told[3] for told in first if told[:3] == ("onMessageChannelReceive", who, 0)]
        assert texts == [f"{who} {number}" for number in range(10)]


# --- one object a channel -------------------------------------------------------------------------


async def test_the_last_object_alone_gets_what_follows(web: House) -> None:
    """SPEC C2: joining the same channel again gives list and attributes again, and tells nobody."""
    ada, first, bo, other = await together(web)
    second = await ada.join("room", "bo", label="second ")
    assert (first.state, second.state) == (0, 2)
    other.messageChannelSend("hello", bo.answer("cb"))
    await both(bo, ("cb",), ("onMessageChannelReceive", "bo", 0, "hello"))
    await ada.expect("second onMessageChannelReceive", "bo", 0, "hello")
    second.channelLeave(ada.answer("cb"))
    await ada.expect("cb")
    await ada.expect("second onChannelLeaved", 0)
    await bo.expect("onChannelUserLeaved", "ada", 0)


async def test_a_join_that_fails_changes_nothing(web: House) -> None:
    """SPEC C2: the old object goes on."""
    ada, room, _, _ = await together(web)
    failed = ada.channel("", "failed ")
    await ada.expect("failed onChannelJoinFailed", 1004)
    assert (failed.state, room.state) == (0, 2)
    room.messageChannelSend("still here")
    for user in web.users:
        await user.expect("onMessageChannelReceive", "ada", 0, "still here")


async def test_special_channels_are_joined_besides(web: House) -> None:
    """SPEC P4: they leave the ordinary channel alone; nobody may send there (P5)."""
    ada, _, _, _ = await together(web)
    presence = ada.channel("__agora_user_online", "online ")
    await ada.expect("online onChannelJoined")
    await ada.expect("online onChannelUserList", [["ada", 0]])
    await web.user("cy")
    name, account, uid, text = await ada.next()
    assert (name, account, uid) == ("online onMessageChannelReceive", "cy", 0)
    assert "cy" in text or text
    presence.messageChannelSend("forged", ada.answer("cb"))
    assert (await ada.next())[1]["code"] == 1004
    presence.channelLeave(ada.answer("cb"))
    await ada.expect("cb")
    await ada.expect("online onChannelLeaved", 0)
