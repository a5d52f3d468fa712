"""Every argument of every method, wrong in type, empty and too long: the code that comes back through the
documented callback, and nothing sent (SPEC §1, E1)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from support.relay import Relay
from web_face.people import STATUS, House, User

NO_NAMES: list[tuple[Any, int]] = [
    (None, 1004),
    ("", 1004),
    ([], 1004),
    ({}, 1004),
    (True, 1004),
    (b"bytes", 1004),
    ("a b", 1004),
    ("\u3000", 1004),
    ("nul\0", 1004),
    ("\ud800", 1004),
    ("x" * 129, 1005),
    ("ü" * 65, 1005),
]
NO_LABELS = [(value, code) for value, code in NO_NAMES if value not in ("a b", "\u3000")]


def no_texts(limit: int) -> list[tuple[Any, int]]:
    """What is no content of at most so many bytes."""
    return [
        (object(), 1004),
        ("nul\0", 1004),
        ("\ud800", 1004),
        ({1: {2: object()}}, 1004),
        ("x" * (limit + 1), 1005),
        ("ü" * (limit // 2 + 1), 1005),
    ]


@pytest.fixture
async def ada(web: House, relay: Relay) -> AsyncIterator[User]:
    """She sends nothing while the test runs, but what makes sure of it in the end."""
    user = await web.user("ada", url=relay.url)
    await user.quiet()
    asked = relay.asked
    yield user
    assert relay.asked == asked


async def told(user: User, bad: list[tuple[Any, int]], do: Callable[[Any], Any], *before: Any) -> None:
    """Each bad value brings one callback, which begins so, and says code and reason."""
    for value, code in bad:
        do(value)
        assert user.told.empty(), "not inside the call"
        *got, failure = await user.next()
        assert tuple(got) == before
        assert failure.keys() == {"code", "reason"}
        assert (failure["code"], bool(failure["reason"])) == (code, True), value
    assert user.told.empty()


async def test_message_instant_send(ada: User) -> None:
    """SPEC M1, E4: `cb(True, …)`."""
    send = ada.session.messageInstantSend
    await told(ada, NO_NAMES, lambda bad: send(bad, "x", ada.answer("cb")), "cb", True)
    await told(ada, no_texts(8196), lambda bad: send("bo", bad, ada.answer("cb")), "cb", True)


async def test_invoke(ada: User) -> None:
    """SPEC C12: the reason is the error, too."""

    async def refused(func: Any, args: Any, code: int) -> None:
        ada.session.invoke(func, args, ada.answer("cb"))
        name, error, failure = await ada.next()
        assert (name, failure) == ("cb", {"code": code, "reason": error})

    for func in (None, 5, [], "", "user_query_user_status", "io.agora.signal.", "io.agora.signal.nothing"):
        await refused(func, {"account": "bo"}, 1001)
    for args in (5, [], True, object(), "no JSON", "[]", "5", '"\ud800"', "[" * 100_000):
        await refused(STATUS, args, 1004)
    for args in (None, {}, "", "{}"):
        await refused(STATUS, args, 1004)
    for value, code in NO_NAMES:
        await refused(STATUS, {"account": value}, code)
        for func in ("channel_query_num", "channel_query_userlist", "channel_query_userlist_all"):
            await refused(f"io.agora.signal.{func}", {"name": value}, code)
        await refused("io.agora.signal.channel_query_user_isin", {"name": value, "account": "bo"}, code)
        await refused("io.agora.signal.channel_query_user_isin", {"name": "room", "account": value}, code)
        await refused("io.agora.signal.channel_clear_attr", {"channel": value}, code)
    for num in (-1, "many", None, 1.5, []):
        await refused("io.agora.signal.channel_query_userlist_all", {"name": "room", "num": num}, 1004)
    for value, code in NO_LABELS:
        await refused("io.agora.signal.user_set_attr", {"name": value, "value": "x"}, code)
        await refused("io.agora.signal.user_get_attr", {"account": "bo", "name": value}, code)
        await refused("io.agora.signal.channel_del_attr", {"channel": "room", "name": value}, code)
    for value, code in no_texts(8096):
        await refused("io.agora.signal.user_set_attr", {"name": "a", "value": value}, code)
        await refused(
            "io.agora.signal.channel_set_attr", {"channel": "room", "name": "a", "value": value}, code
        )


async def test_channel_join(ada: User) -> None:
    """SPEC C1: `onChannelJoinFailed`; what is asked of the object that came of it fails as well."""
    for name, code in NO_NAMES:
        channel = ada.channel(name)
        assert ada.told.empty()
        await ada.expect("onChannelJoinFailed", code)
        channel.messageChannelSend("x", ada.answer("cb"))
        told, failure = await ada.next()
        assert (told, failure["code"] in (1004, 1005)) == ("cb", True)


async def test_channel_invite_user_2(ada: User) -> None:
    """SPEC K1: `onInviteFailed`; oneself is nobody to call (K8)."""
    no_channels = [(value, code) for value, code in NO_NAMES if value != ""]
    no_extras = [*no_texts(8192), ("no JSON", 1004), ("{", 1004), ("[" * 5000, 1004)]
    for name, code in no_channels:
        ada.invite(name, "bo")
        await ada.expect_failure(code)
    for peer, code in [*NO_NAMES, ("ada", 1004)]:
        ada.invite("room", peer)
        await ada.expect_failure(code)
    for extra, code in no_extras:
        call = ada.invite("room", "bo", extra)
        assert ada.told.empty()
        await ada.expect_failure(code)
        call.channelInviteEnd()
        await ada.expect("onInviteEndByMyself", "")
        assert json.dumps(call.toJSON())
    assert ada.told.empty()


async def test_what_is_done_to_a_call(web: House, relay: Relay) -> None:
    """SPEC K2 to K4, E3: `onError` of the session; the call goes on."""
    ada, bo = await web.user("ada"), await web.user("bo", url=relay.url)
    ada.invite("room", "bo")
    call = await bo.rings("room", "ada")
    await ada.expect("onInviteReceivedByPeer", "")
    for name in ("Accept", "Refuse", "End"):
        for extra, code in no_texts(8192):
            getattr(call, f"channelInvite{name}")(extra)
            assert bo.told.empty()
            assert (await bo.next())[:3] == ("onError", f"channel_invite_{name.lower()}", code)
    for keys, code in (
        (None, 1004),
        ("", 1004),
        (5, 1004),
        (["1"], 1004),
        ("E", 1004),
        ("1 2", 1004),
        ("a", 1004),
        ("1\n", 1004),
        ("\uff11", 1004),
        ("1" * 65, 1005),
    ):
        call.channelInviteDTMF(keys)
        assert (await bo.next())[:3] == ("onError", "channel_invite_dtmf", code)
    await ada.quiet()
    call.channelInviteAccept(None)  # that is an empty extra
    await ada.expect("onInviteAcceptedByPeer", "")


async def test_what_is_done_to_a_channel(web: House, relay: Relay) -> None:
    """SPEC C4, C10, E4: `cb({…})`."""
    ada = await web.user("ada", url=relay.url)
    room = await ada.join("room")
    asked = relay.asked
    cb = ada.answer("cb")
    await told(ada, no_texts(8192), lambda bad: room.messageChannelSend(bad, cb), "cb")
    await told(ada, NO_LABELS, lambda bad: room.channelSetAttr(bad, "x", cb), "cb")
    await told(ada, no_texts(8096), lambda bad: room.channelSetAttr("a", bad, cb), "cb")
    await told(ada, NO_LABELS, lambda bad: room.channelDelAttr(bad, cb), "cb")
    assert relay.asked == asked


async def test_channels_that_tell_what_happens(web: House) -> None:
    """SPEC P5: nobody may send into them or change them."""
    ada = await web.user("ada")
    channel = ada.channel("__agora_channel_event")
    await ada.expect("onChannelJoined")
    await ada.expect("onChannelUserList", [["ada", 0]])
    cb = ada.answer("cb")
    await told(ada, [("x", 1004)], lambda text: channel.messageChannelSend(text, cb), "cb")
    await told(ada, [("x", 1004)], lambda name: channel.channelSetAttr(name, "1", cb), "cb")
    await told(ada, [("x", 1004)], lambda name: channel.channelDelAttr(name, cb), "cb")
    await told(ada, [("x", 1004)], lambda _: channel.channelClearAttr(cb), "cb")


async def test_a_callback_that_cannot_be_called(ada: User) -> None:
    """SPEC E4: there is nobody to tell, so it is raised; nothing is sent."""
    session = ada.session
    bad: Any = "no function"
    for do in (
        lambda: session.invoke(STATUS, {"account": "bo"}, bad),
        lambda: session.messageInstantSend("bo", "x", bad),
    ):
        with pytest.raises(TypeError, match="cb takes a function"):
            do()


async def test_a_callback_of_a_channel_that_cannot_be_called(web: House) -> None:
    """SPEC E4: the same."""
    ada = await web.user("ada")
    room = await ada.join("room")
    bad: Any = 5
    for do in (
        lambda: room.messageChannelSend("x", bad),
        lambda: room.channelLeave(bad),
        lambda: room.channelSetAttr("a", "b", bad),
        lambda: room.channelDelAttr("a", bad),
        lambda: room.channelClearAttr(bad),
    ):
        with pytest.raises(TypeError, match="cb takes a function"):
            do()


@pytest.mark.parametrize("value", [0, -1, None, "10", [], float("nan"), True, float("inf"), 1e300, 10**400])
async def test_count_and_time_of_reconnects(web: House, relay: Relay, value: Any) -> None:
    """SPEC L10: what is no number above 0 is the default; what nobody can count to is bounded."""
    ada = await web.user("ada", value, value, url=relay.url)
    relay.cut()
    await ada.expect("onReconnecting", 1)
    await ada.expect("onLoginSuccess", 0)
    await ada.expect("onReconnected")


async def test_the_default_count_of_reconnects(web: House, relay: Relay) -> None:
    """SPEC L10: ten, also for 0 and for less."""
    for number, args in enumerate([(), (0, 0), (-5, None)]):
        ada = await web.user(f"ada{number}", *args, url=relay.url)
        relay.shut()
        for attempt in range(1, 11):
            await ada.expect("onReconnecting", attempt)
        await ada.expect("onLogout", 102)
        relay.reopen()
