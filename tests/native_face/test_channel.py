"""ChannelView and Channel, method by method."""

from __future__ import annotations

import json

import pytest

from native_face.people import House, soon, take
from signalpost.client import (
    AttributeChanged,
    Change,
    Channel,
    ChannelMessage,
    Client,
    MemberJoined,
    MemberLeft,
    MessageError,
)


async def both(native: House) -> tuple[Client, Channel, Client, Channel]:
    """Ada and Bo in a room; Ada has been told."""
    ada, bo = await native.client("ada"), await native.client("bo")
    hers = await soon(ada.join("room"))
    his = await soon(bo.join("room"))
    assert await take(aiter(hers)) == MemberJoined("room", "bo")
    return ada, hers, bo, his


# --- as anybody sees it -------------------------------------------------------------------------------


async def test_channelview_name(native: House) -> None:
    """SPEC §1: a number is taken as its decimal text."""
    ada = await native.client("ada")
    assert ada.channel("room").name == "room"
    assert ada.channel(5).name == "5"  # type: ignore[arg-type]


async def test_channelview_count(native: House) -> None:
    """SPEC C12, C13."""
    ada, room, _, _ = await both(native)
    assert await room.count() == 2
    assert await ada.channel("other").count() == 0


async def test_channelview_has(native: House) -> None:
    """SPEC C12."""
    ada, *_ = await both(native)
    assert await ada.channel("room").has("bo") is True
    assert await ada.channel("room").has("cy") is False


async def test_channelview_latest_members(native: House) -> None:
    """SPEC C12: oldest first."""
    ada, *_ = await both(native)
    assert await ada.channel("room").latest_members() == ("ada", "bo")
    assert await ada.channel("other").latest_members() == ()


async def test_channelview_all_members(native: House) -> None:
    """SPEC C12: the latest `most`."""
    ada, *_ = await both(native)
    assert await ada.channel("room").all_members() == ("ada", "bo")
    assert await ada.channel("room").all_members(1) == ("bo",)


async def test_channelview_set(native: House) -> None:
    """SPEC C10, C13: by anybody; the members are told."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    cy = await native.client("cy")
    await cy.channel("room").set("a topic", "x")
    assert await take(aiter(room)) == AttributeChanged("room", "cy", "a topic", "x", Change.UPDATE)


async def test_channelview_delete(native: House) -> None:
    """SPEC C10."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    await room.set("topic", "x")
    await ada.channel("room").delete("topic")
    await take(aiter(room))
    deleted = await take(aiter(room))
    assert isinstance(deleted, AttributeChanged)
    assert (deleted.name, deleted.change) == ("topic", Change.DELETE)


async def test_channelview_clear(native: House) -> None:
    """SPEC C10: those that begin with an underscore stay."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    for name in ("_own", "topic"):
        await room.set(name, "x")
    await ada.channel("room").clear()
    events = [await take(aiter(room)) for _ in range(3)]
    assert isinstance(events[2], AttributeChanged)
    assert events[2].change is Change.CLEAR
    assert dict((await soon(ada.join("room"))).attributes) == dict(room.attributes) == {"_own": "x"}


async def test_channelview_force_send(native: House) -> None:
    """SPEC C5: without being a member; nobody there is no failure."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    cy = await native.client("cy")
    id = await cy.channel("room").force_send("from outside")
    event = await take(aiter(room))
    assert isinstance(event, ChannelMessage)
    assert (event.channel, event.sender, event.text, event.id) == ("room", "cy", "from outside", id)
    assert isinstance(await cy.channel("empty").force_send("hello"), str)


# --- as a member sees it --------------------------------------------------------------------------------


async def test_channel_members(native: House) -> None:
    """SPEC C1, C3: as at the join, and then who comes and goes."""
    _, hers, bo, his = await both(native)
    assert his.members == ("ada", "bo")
    assert hers.members == ("ada", "bo")
    await his.leave()
    assert await take(aiter(hers)) == MemberLeft("room", "bo")
    assert hers.members == ("ada",)
    await soon(bo.join("room"))
    await take(aiter(hers))
    assert hers.members == ("ada", "bo")


async def test_channel_attributes(native: House) -> None:
    """SPEC C10: as at the join, and then what changes; not to be written to."""
    _, hers, bo, _ = await both(native)
    await hers.set("topic", "x")
    await take(aiter(hers))
    assert hers.attributes == {"topic": "x"}
    again = await soon(bo.join("room"))
    assert again.attributes == {"topic": "x"}
    await again.delete("topic")
    await take(aiter(hers))
    assert hers.attributes == {}
    with pytest.raises(TypeError):
        hers.attributes["topic"] = "y"  # type: ignore[index]


async def test_channel_send(native: House) -> None:
    """SPEC C4, C6: to all members, oneself included; who is none is refused."""
    _, hers, _, his = await both(native)
    id = await soon(hers.send("x" * 8192))
    for room in (hers, his):
        event = await take(aiter(room))
        assert isinstance(event, ChannelMessage)
        assert (event.sender, event.text, event.id) == ("ada", "x" * 8192, id)
    await his.leave()
    with pytest.raises(MessageError, match="400"):
        await his.send("hello")


async def test_channel_leave(native: House) -> None:
    """SPEC C3: nothing of the channel comes after it; a second time it does nothing."""
    ada, hers, _, his = await both(native)
    await soon(his.leave())
    await soon(his.leave())
    assert await take(aiter(hers)) == MemberLeft("room", "bo")
    await hers.send("alone")
    assert [event async for event in his] == []
    assert await ada.channel("room").latest_members() == ("ada",)


async def test_channel_joined(native: House) -> None:
    """SPEC C3: until this client leaves."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    assert room.joined
    await room.leave()
    assert not room.joined


async def test_channel_async_for(native: House) -> None:
    """SPEC C6: what happens, in order, until it leaves."""
    _, hers, bo, his = await both(native)
    await his.set("topic", "x")
    await his.send("hello")
    await his.send("bye")
    await bo.logout()
    kinds = []
    async for event in hers:
        kinds.append(type(event))
        if isinstance(event, MemberLeft):
            await hers.leave()
    assert kinds == [AttributeChanged, ChannelMessage, ChannelMessage, MemberLeft]


async def test_channel_async_with(native: House) -> None:
    """SPEC C3: it leaves at the end."""
    ada = await native.client("ada")
    async with await ada.join("room") as room:
        assert room.joined
    assert not room.joined
    assert await ada.channel("room").count() == 0


async def test_the_special_channels_tell_who_comes_and_goes(native: House) -> None:
    """SPEC P4: `__agora_user_online`, beside the one ordinary channel."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    online = await soon(ada.join("__agora_user_online"))
    assert room.joined
    bo = await native.client("bo")
    await bo.logout()
    told = [await take(aiter(online)) for _ in range(2)]
    for event, word in zip(told, ("online", "offline"), strict=True):
        assert isinstance(event, ChannelMessage)
        assert event.sender == "bo"
        assert json.loads(event.text)["event"] == word
