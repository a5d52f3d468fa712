"""Client, Connecting, Joining and Messages, method by method."""

from __future__ import annotations

import pytest

from native_face.people import PROMPT, House, ring, soon, take
from signalpost.client import (
    CallAccepted,
    Channel,
    ChannelView,
    Client,
    Connecting,
    LoggedOut,
    Messages,
    NotLoggedIn,
    OwnAttributes,
    Reconnected,
    Reconnecting,
    Status,
    Stream,
    connect,
)
from support.relay import Relay

# --- connect ----------------------------------------------------------------------------------------


async def test_client_connect(native: House) -> None:
    """SPEC S3: nothing happens before the result is awaited or entered."""
    connecting = connect(native.url, app_id=native.app, account="ada", token="any")
    assert isinstance(connecting, Connecting)
    bo = await native.client("bo")
    assert not await bo.is_online("ada")
    async with connecting as ada:
        assert await bo.is_online("ada")
        assert ada.account == "ada"


async def test_connect_finds_the_address_in_the_environment(
    native: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC S3: SIGNALPOST_URL, if no address is given; without both a ValueError says what to do."""
    with pytest.raises(ValueError, match="SIGNALPOST_URL"):
        connect(app_id=native.app, account="ada", token="any")
    monkeypatch.setenv("SIGNALPOST_URL", native.url)
    async with connect(app_id=native.app, account="ada", token="any") as ada:
        assert ada.status is Status.ONLINE
    monkeypatch.setenv("SIGNALPOST_URL", "ws://nowhere.invalid/")
    async with native.connect("ada") as ada:  # the argument counts first
        assert ada.status is Status.ONLINE


async def test_connecting_await(native: House) -> None:
    """SPEC L1: awaited, it stays until somebody logs it out."""
    ada, bo = await soon(native.connect("ada")), await native.client("bo")
    assert ada.status is Status.ONLINE
    assert await bo.is_online("ada")
    await soon(ada.logout())
    assert not await bo.is_online("ada")


async def test_connecting_async_with(native: House) -> None:
    """SPEC L1, L9: entered, it logs out at the end, however that comes."""
    bo = await native.client("bo")
    async with native.connect("ada") as ada:
        assert ada.status is Status.ONLINE
    assert ada.status is Status.LOGGED_OUT
    assert not await bo.is_online("ada")
    with pytest.raises(ZeroDivisionError):
        async with native.connect("ada"):
            raise ZeroDivisionError
    assert not await bo.is_online("ada")


# --- the session ------------------------------------------------------------------------------------


async def test_client_app_id(native: House) -> None:
    """SPEC S3: as it was given."""
    assert (await native.client("ada")).app_id == native.app


async def test_client_account(native: House) -> None:
    """SPEC §1: a number is taken as its decimal text."""
    async with native.connect(12) as twelve:
        assert twelve.account == "12"
    assert (await native.client("ada")).account == "ada"


async def test_client_async_with(native: House) -> None:
    """SPEC L9: a client that is there already can be entered, too."""
    bo = await native.client("bo")
    async with await native.connect("ada") as ada:
        assert isinstance(ada, Client)
        assert await bo.is_online("ada")
    assert not await bo.is_online("ada")


async def test_client_status(native: House, relay: Relay) -> None:
    """SPEC L12: new as soon as something is told."""
    ada = await native.client("ada", url=relay.url)
    assert ada.status is Status.ONLINE
    relay.shut()
    assert await take(ada.events()) == Reconnecting(1)
    assert ada.status is Status.RECONNECTING
    relay.reopen()
    while not isinstance(await take(ada.events()), Reconnected):
        pass
    assert ada.status is Status.ONLINE
    await ada.logout()
    assert ada.status is Status.LOGGED_OUT


async def test_client_events(native: House, relay: Relay) -> None:
    """SPEC L10: what happens to the session; it ends with a logout, and one stream is for all."""
    ada = await native.client("ada", url=relay.url)
    events = ada.events()
    assert events is ada.events()
    assert isinstance(events, Stream)
    relay.cut()
    assert await take(events) == Reconnecting(1)
    assert await take(events) == Reconnected(resumed=True)
    await ada.logout()
    with pytest.raises(StopAsyncIteration):
        await take(events)


async def test_client_logout(native: House) -> None:
    """SPEC L9: offline at once; iterations end, what is asked then fails."""
    ada, bo = await native.client("ada"), await native.client("bo")
    room = await soon(ada.join("room"))
    await soon(ada.logout())
    assert not await bo.is_online("ada")
    assert not room.joined
    for stream in (ada.messages(), ada.invites(), ada.events(), aiter(room)):
        with pytest.raises(StopAsyncIteration):
            await take(stream)  # type: ignore[type-var]
    with pytest.raises(NotLoggedIn):
        await ada.send("bo", "hello")


async def test_client_close(native: House) -> None:
    """SPEC L11: nobody is told; the session lives on for its grace time."""
    ada, bo = await native.client("ada"), await native.client("bo")
    room = await soon(ada.join("room"))
    ada.close()
    assert ada.status is Status.LOGGED_OUT
    assert await bo.is_online("ada")
    assert await bo.channel("room").has("ada")
    for stream in (ada.messages(), ada.invites(), ada.events(), aiter(room)):
        with pytest.raises(StopAsyncIteration):
            await take(stream)  # type: ignore[type-var]
    with pytest.raises(NotLoggedIn):
        await ada.send("bo", "hello")


async def test_client_attributes(native: House) -> None:
    """SPEC P2: what this account says of itself."""
    ada = await native.client("ada")
    assert isinstance(ada.attributes, OwnAttributes)
    await ada.attributes.set("mood", "good")
    assert await ada.attributes.get("mood") == "good"


async def test_client_attributes_of(native: House) -> None:
    """SPEC P2: anybody in the app reads them; nothing for an unknown account."""
    ada, bo = await native.client("ada"), await native.client("bo")
    await ada.attributes.set("mood", "good")
    assert await bo.attributes_of("ada").all() == {"mood": "good"}
    assert await bo.attributes_of("nobody").all() == {}


# --- messages and presence --------------------------------------------------------------------------


async def test_client_send(native: House) -> None:
    """SPEC M1 to M4: stored, then delivered byte for byte, in order, also to who comes later."""
    ada = await native.client("ada")
    texts = ["one", "", " two\n", "\U0001f600" * 2049]  # the last one has 8196 bytes
    ids = [await soon(ada.send("bo", text)) for text in texts]
    assert len(set(ids)) == 4
    bo = await native.client("bo")
    got = [await take(bo.messages()) for _ in texts]
    assert [(message.sender, message.text, message.id) for message in got] == [
        ("ada", text, id) for text, id in zip(texts, ids, strict=True)
    ]
    assert 0 <= got[-1].time - got[0].time <= 60


async def test_client_messages(native: House) -> None:
    """SPEC M2: one stream for all who ask; it ends with a logout."""
    ada = await native.client("ada")
    messages = ada.messages()
    assert isinstance(messages, Messages)
    assert messages is ada.messages()
    await ada.send("ada", "to myself")
    assert (await take(messages)).text == "to myself"
    await ada.logout()
    assert [message async for message in messages] == []


async def test_messages_async_for(native: House) -> None:
    """SPEC M4, L7: in order; LoggedOut is raised when the session is lost."""
    ada, bo = await native.client("ada"), await native.client("bo")
    for text in "abc":
        await ada.send("bo", text)
    texts = []
    async for message in bo.messages():
        texts.append(message.text)
        if len(texts) == 3:
            break
    assert texts == ["a", "b", "c"]
    await native.client("bo")
    with pytest.raises(LoggedOut) as raised:
        await take(bo.messages())
    assert raised.value.code == 103


async def test_messages_done(native: House) -> None:
    """SPEC M6: what is done with is acknowledged, also when no next message is asked for."""
    ada, bo = await native.client("ada"), await native.client("bo", settings=PROMPT)
    await ada.send("bo", "one")
    await ada.send("bo", "two")
    await take(bo.messages())
    bo.messages().done()
    bo.messages().done()  # again: nothing
    await bo.is_online("bo")  # the server has served what was sent before
    bo.close()
    bo = await native.client("bo")
    assert (await take(bo.messages())).text == "two"


async def test_client_is_online(native: House) -> None:
    """SPEC P1."""
    ada = await native.client("ada")
    assert await ada.is_online("ada") is True
    assert await ada.is_online("bo") is False
    bo = await native.client("bo")
    assert await ada.is_online("bo") is True
    await bo.logout()
    assert await ada.is_online("bo") is False


# --- channels and calls -----------------------------------------------------------------------------


async def test_client_join(native: House) -> None:
    """SPEC C1, C2: one ordinary channel at a time: the first one's iteration ends."""
    ada = await native.client("ada")
    first = await soon(ada.join("first"))
    second = await soon(ada.join("second"))
    assert (first.joined, second.joined) == (False, True)
    assert [event async for event in first] == []
    again = await soon(ada.join("second"))
    assert (second.joined, again.joined) == (False, True)
    assert again.members == ("ada",)


async def test_joining_await(native: House) -> None:
    """SPEC C1: awaited, it stays in the channel."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    assert isinstance(room, Channel)
    assert await ada.channel("room").has("ada")


async def test_joining_async_with(native: House) -> None:
    """SPEC C3: entered, it leaves at the end; it has left already when the session is lost."""
    ada = await native.client("ada")
    async with ada.join("room") as room:
        assert await ada.channel("room").has("ada")
    assert not room.joined
    assert not await ada.channel("room").has("ada")
    async with ada.join("room") as room:
        await native.client("ada")
        with pytest.raises(LoggedOut):
            await take(ada.messages())
    assert not room.joined


async def test_client_channel(native: House) -> None:
    """SPEC C13: a channel to look at; nobody joins."""
    ada = await native.client("ada")
    view = ada.channel("room")
    assert isinstance(view, ChannelView)
    assert not isinstance(view, Channel)
    assert await view.count() == 0


async def test_client_invite(native: House) -> None:
    """SPEC K1, K9, K10: the peer gets the extra as it is; without a channel the server makes one."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call = await soon(ada.invite("bo", extra={"video": True, "n": [1]}, ring_seconds=20, require_online=True))
    ringing = await take(bo.invites())
    assert call.channel == ringing.channel != ""
    assert ringing.extra == '{"video":true,"n":[1],"_timeout":20,"_require_peer_online":1}'
    call, ringing = await ring(ada, bo, extra='{ "as": "it is" }')
    assert ringing.extra == '{ "as": "it is" }'


async def test_client_invites(native: House) -> None:
    """SPEC K12, M6: in order; a call that is over before it is taken still comes, and says so."""
    ada, bo, cy = [await native.client(name) for name in ("ada", "bo", "cy")]
    first = await soon(ada.invite("cy", "room"))
    await take(aiter(first))
    second = await soon(bo.invite("cy", "room"))
    await take(aiter(second))
    await soon(first.end())
    invites = cy.invites()
    assert invites is cy.invites()
    over, ringing = await take(invites), await take(invites)
    assert (over.peer, ringing.peer) == ("ada", "bo")
    await soon(over.ended())
    await soon(ringing.accept())
    assert isinstance(await soon(second.answered()), CallAccepted)
