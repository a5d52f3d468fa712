"""`Call`, method by method and callback by callback (SPEC §6)."""

from __future__ import annotations

import json
from typing import Any

from signalpost.web import Call
from support.pretender import pretending, refusal
from web_face.people import House, User


async def ringing(web: House) -> tuple[User, Call, User, Call]:
    """Ada calls Bo, and it rings."""
    ada, bo = await web.user("ada"), await web.user("bo")
    going = ada.invite("room", "bo")
    coming = await bo.rings("room", "ada")
    await ada.expect("onInviteReceivedByPeer", "")
    return ada, going, bo, coming


async def talking(web: House) -> tuple[User, Call, User, Call]:
    """Bo has accepted."""
    ada, going, bo, coming = await ringing(web)
    coming.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")
    return ada, going, bo, coming


async def test_call_channelInviteAccept(web: House) -> None:
    """SPEC K2: the caller is told, with the extra; the callee is told nothing."""
    ada, _, bo, coming = await ringing(web)
    coming.channelInviteAccept("any text")
    await ada.expect("onInviteAcceptedByPeer", "any text")
    await bo.quiet()


async def test_call_channelInviteRefuse(web: House) -> None:
    """SPEC K2: the caller is told, with the extra; the call is over."""
    ada, _, bo, coming = await ringing(web)
    coming.channelInviteRefuse("not now")
    await ada.expect("onInviteRefusedByPeer", "not now")
    coming.channelInviteAccept()  # late, and so nothing (K12)
    await ada.quiet()
    await bo.quiet()


async def test_call_channelInviteDTMF(web: House) -> None:
    """SPEC K4: from either side of an accepted call."""
    ada, going, bo, coming = await talking(web)
    going.channelInviteDTMF("12*#")
    await bo.expect("onInviteMsg", '{"msgtype":"dtmf","msgdata":"12*#"}')
    coming.channelInviteDTMF("A" * 64)
    await ada.expect(
        "onInviteMsg", json.dumps({"msgtype": "dtmf", "msgdata": "A" * 64}, separators=(",", ":"))
    )


async def test_call_channelInviteEnd(web: House) -> None:
    """SPEC K3: oneself and the other are told; the other gets the extra."""
    ada, going, bo, _ = await talking(web)
    going.channelInviteEnd("bye")
    assert ada.told.empty()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "bye")


async def test_call_onInviteReceivedByPeer(web: House) -> None:
    """SPEC K1: once, before any answer, without the peer's doing."""
    ada, _, _, coming = await ringing(web)
    coming.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")
    await ada.quiet()


async def test_call_onInviteAcceptedByPeer(web: House) -> None:
    """SPEC K2: the extra is any text, never parsed."""
    ada, _, _, coming = await ringing(web)
    coming.channelInviteAccept('{"half": ')
    await ada.expect("onInviteAcceptedByPeer", '{"half": ')


async def test_call_onInviteRefusedByPeer(web: House) -> None:
    """SPEC K2: an object becomes its JSON text."""
    ada, _, _, coming = await ringing(web)
    coming.channelInviteRefuse({"busy": True})
    await ada.expect("onInviteRefusedByPeer", '{"busy":true}')


async def test_call_onInviteFailed(web: House) -> None:
    """SPEC E4: JSON text with code and reason, and the call is over."""
    ada = await web.user("ada")
    call = ada.invite("room", "nobody", {"_require_peer_online": 1})
    assert ada.told.empty()
    assert await ada.expect_failure(703)
    call.channelInviteAccept()
    await ada.quiet()


async def test_call_onInviteEndByPeer(web: House) -> None:
    """SPEC K3: the callee hangs up, with an extra."""
    ada, _, bo, coming = await talking(web)
    coming.channelInviteEnd({"why": "done"})
    await bo.expect("onInviteEndByMyself", "")
    await ada.expect("onInviteEndByPeer", '{"why":"done"}')


async def test_call_onInviteEndByMyself(web: House) -> None:
    """SPEC K3: before the answer, too."""
    ada, going, bo, _ = await ringing(web)
    going.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")


async def test_ending_a_call_that_is_over_is_answered_each_time(web: House) -> None:
    """SPEC K12: whoever has ended it, in every state, and nothing goes to the peer."""
    ada, going, bo, coming = await talking(web)
    going.channelInviteEnd()
    going.channelInviteEnd()
    for _ in range(2):
        await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")
    for call, user in ((going, ada), (coming, bo)):
        for _ in range(3):
            call.channelInviteEnd("again")
            assert user.told.empty()
            await user.expect("onInviteEndByMyself", "")
    bo.session.logout()
    await bo.expect("onLogout", 101)
    for _ in range(2):
        coming.channelInviteEnd()
        await bo.expect("onInviteEndByMyself", "")
    await ada.quiet()


async def test_an_old_call_never_touches_a_newer_one_of_the_same_pair(web: House) -> None:
    """SPEC K12: its end is answered, and the newer call goes on."""
    ada, _, bo, old = await ringing(web)
    old.channelInviteRefuse()
    await ada.expect("onInviteRefusedByPeer", "")
    ada.invite("room", "bo")
    newer = await bo.rings("room", "ada")
    await ada.expect("onInviteReceivedByPeer", "")
    for _ in range(2):
        old.channelInviteEnd()
        await bo.expect("onInviteEndByMyself", "")
    old.channelInviteAccept()
    newer.channelInviteAccept("yes")
    await ada.expect("onInviteAcceptedByPeer", "yes")
    await bo.quiet()


async def test_the_end_of_a_call_of_a_session_that_is_over(web: House) -> None:
    """SPEC K12: answered, and nothing of the new session is touched."""
    signal = web.signal()
    ada, bo = await web.user("ada"), await web.user("bo", signal=signal)
    ada.invite("room", "bo", {"_timeout": 30})
    old = await bo.rings("room", "ada", '{"_timeout":30}')
    await ada.expect("onInviteReceivedByPeer", "")
    bo.session.logout()
    await bo.expect("onInviteEndByMyself", "")
    await bo.expect("onLogout", 101)
    await ada.expect_failure(703)
    again = await web.user("bo", signal=signal)
    ada.invite("room", "bo")
    newer = await again.rings("room", "ada")
    await ada.expect("onInviteReceivedByPeer", "")
    old.channelInviteEnd()
    await bo.expect("onInviteEndByMyself", "")
    newer.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")


async def test_call_onInviteMsg(web: House) -> None:
    """SPEC K4: one callback for each press, in order."""
    _, going, bo, _ = await talking(web)
    for keys in "159#":
        going.channelInviteDTMF(keys)
    for keys in "159#":
        await bo.expect("onInviteMsg", f'{{"msgtype":"dtmf","msgdata":"{keys}"}}')


# --- names ----------------------------------------------------------------------------------------


async def test_the_server_names_a_channel_that_has_no_name(web: House) -> None:
    """SPEC K10: the caller's object knows the name by the first callback, and can end the call before."""
    ada, bo = await web.user("ada"), await web.user("bo")
    call = ada.invite("", "bo")
    assert call.channelName == ""
    await ada.expect("onInviteReceivedByPeer", "")
    assert call.channelName
    await bo.rings(call.channelName, "ada")
    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    await bo.expect("onInviteEndByPeer", "")

    other = ada.invite("", "bo")
    other.channelInviteEnd()
    while (told := await ada.next()) == ("onInviteReceivedByPeer", ""):
        pass
    assert told == ("onInviteEndByMyself", "")
    assert other.channelName not in ("", call.channelName)
    while (told := await bo.next())[0] == "onInviteReceived":
        assert told[1].channelName == other.channelName
    assert told == ("onInviteEndByPeer", "")


async def test_an_end_that_the_server_refuses_is_told(web: House) -> None:
    """SPEC K12, E3: the call is open still, and the next end is sent."""
    said = [refusal("too many requests: 100 a second", 1001), ("", {"result": "ok"})]

    def answer(func: str, args: dict[str, Any]) -> Any:
        match func:
            case "login":
                return []
            case "voip_invite":
                return "", {"result": "ok", "channelName": "room"}
            case "voip_invite_bye":
                return said.pop(0)
        return "", {"result": "ok", "status": 0}

    async with pretending(answer) as url:
        ada = await web.user("ada", url=url)
        call = ada.invite("room", "bo")
        call.channelInviteEnd()
        await ada.expect("onError", "channel_invite_end", 1001, "too many requests: 100 a second")
        call.channelInviteEnd()
        await ada.expect("onInviteEndByMyself", "")
        call.channelInviteEnd()
        await ada.expect("onInviteEndByMyself", "")
        assert said == []
        ada.session.logout()
        await ada.expect("onLogout", 101)
