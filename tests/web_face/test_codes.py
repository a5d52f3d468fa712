"""Every code of SPEC §7 that this face can meet, each met by a test that is named in the table below."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalpost.client.settings import Settings
from signalpost.tokens import make_token
from signalpost.web import Signal
from signalpost.wire.codes import NEVER_PRODUCED, Code
from support.pretender import pretending
from support.relay import Relay
from support.server import ServerProcess, serving
from support.waiting import until
from web_face import test_call_flow, test_signal
from web_face.people import QUICK, STATUS, House, User

IMPATIENT = Settings(retry_first=0.05, retry_most=0.1, request_seconds=3, waiting_requests=1)
BUSY = Settings(unanswered_requests=1)

CONFIG = """
[apps.short]
allow_no_token = true
[apps.short.limits]
grace_min = 0.3
grace_max = 0.3

[apps.little]
allow_no_token = true
[apps.little.limits]
history_events = 2

[apps.closed]
certificate = "secret"
watchers = ["somebody"]
[apps.closed.limits]
grace_min = 0.3
grace_max = 0.3
"""

MET = {
    Code.SUCCESS: ["test_left_by_the_user_is_0"],
    Code.LOGOUT_E_USER: ["test_101_and_603_logged_out"],
    Code.LOGOUT_E_NET: ["test_102_and_604_the_network_stays_away"],
    Code.LOGOUT_E_KICKED: ["test_103_and_601_logged_in_elsewhere", "test_103_while_it_was_away"],
    Code.LOGOUT_E_TOKENEXPIRED: ["test_105_the_token_expired_meanwhile"],
    Code.LOGOUT_E_TOKENWRONG: ["test_107_the_token_is_wrong_meanwhile"],
    Code.LOGOUT_E_ALREADY_LOGOUT: ["test_108_is_a_log_line"],
    Code.LOGIN_E_NET: ["test_201_nobody_is_there", "test_201_no_app_and_no_token"],
    Code.LOGIN_E_CANCEL: ["test_203_logout_while_connecting"],
    Code.LOGIN_E_TOKENEXPIRED: ["test_204_and_206_bad_tokens"],
    Code.LOGIN_E_TOKENWRONG: ["test_204_and_206_bad_tokens"],
    Code.LOGIN_E_ALREADY_LOGIN: ["test_a_second_login_makes_none"],
    Code.LOGIN_E_INVALID_USER: ["test_209_no_name"],
    Code.JOINCHANNEL_E_OTHER: ["test_300_not_for_this_account", "test_without_an_answer"],
    Code.SENDMESSAGE_E_OTHER: ["test_400_not_a_member"],
    Code.SENDMESSAGE_E_TIMEOUT: ["test_without_an_answer"],
    Code.QUERYUSERNUM_E_OTHER: ["test_500_and_700_too_much_at_once"],
    Code.QUERYUSERNUM_E_TIMEOUT: ["test_without_an_answer"],
    Code.LEAVECHANNEL_E_KICKED: ["test_103_and_601_logged_in_elsewhere"],
    Code.LEAVECHANNEL_E_LOGOUT: ["test_101_and_603_logged_out"],
    Code.LEAVECHANNEL_E_DISCONN: ["test_102_and_604_the_network_stays_away", "test_604_away_for_too_long"],
    Code.INVITE_E_OTHER: ["test_500_and_700_too_much_at_once"],
    Code.INVITE_E_REINVITE: ["test_the_same_call_again_while_it_rings"],
    Code.INVITE_E_NET: ["test_no_network_at_the_caller", "test_604_away_for_too_long"],
    Code.INVITE_E_PEEROFFLINE: ["test_offline_peer_is_required_to_be_online"],
    Code.INVITE_E_TIMEOUT: ["test_nobody_answers"],
    Code.INVITE_E_CANTRECV: ["test_the_peer_cannot_receive"],
    Code.GENERAL_E: ["test_1000_events_that_are_lost"],
    Code.GENERAL_E_FAILED: ["test_without_an_answer", "test_1001_no_such_function"],
    Code.GENERAL_E_NOT_LOGIN: ["test_1003_not_logged_in"],
    Code.GENERAL_E_WRONG_PARAM: ["test_1004_and_1005_refused_by_the_server"],
    Code.GENERAL_E_LARGE_PARAM: ["test_1004_and_1005_refused_by_the_server"],
}
#: A first login has no line that could be superseded; a code is 1002 only if a server gives none of ours;
#: leaving by the user is 0 in this face.
NOT_HERE = {Code.LOGIN_E_TOKEN_KICKED, Code.GENERAL_E_UNKNOWN, Code.LEAVECHANNEL_E_BYUSER}


def test_every_code_has_a_test() -> None:
    """SPEC E1: the table is complete, and its tests are there."""
    assert MET.keys() | NOT_HERE | {Code(number) for number in NEVER_PRODUCED} == set(Code)
    assert not MET.keys() & NOT_HERE
    tests = {**vars(test_call_flow), **vars(test_signal), **globals()}
    for names in MET.values():
        for name in names:
            assert callable(tests[name])


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("codes"), CONFIG) as server:
        yield server


async def skip_reconnecting(user: User) -> tuple[object, ...]:
    """The first thing that is no `onReconnecting`."""
    while (told := await user.next())[0] == "onReconnecting":
        pass
    return told


# --- logging out ----------------------------------------------------------------------------------


async def test_101_and_603_logged_out(web: House) -> None:
    """SPEC L9, E2: first the channel, then the session; what waits for an answer is told 1003."""
    ada = await web.user("ada")
    room = await ada.join("room")
    ada.session.logout()
    await ada.expect("onChannelLeaved", 603)
    await ada.expect("onLogout", 101)
    assert (room.state, ada.session.state) == (0, 0)


async def test_left_by_the_user_is_0(web: House) -> None:
    """SPEC C3: 602 is 0 in this face."""
    ada = await web.user("ada")
    (await ada.join("room")).channelLeave()
    await ada.expect("onChannelLeaved", 0)


async def test_102_and_604_the_network_stays_away(web: House, relay: Relay) -> None:
    """SPEC L10: three tries, then the end."""
    ada = await web.user("ada", 3, 30, url=relay.url)
    await ada.join("room")
    relay.shut()
    for number in (1, 2, 3):
        await ada.expect("onReconnecting", number)
        assert ada.session.state == 3
    await ada.expect("onChannelLeaved", 604)
    await ada.expect("onLogout", 102)
    assert ada.session.state == 0


async def test_102_after_the_time_that_is_given(web: House, relay: Relay) -> None:
    """SPEC L10: the time is used up before the number of tries."""
    ada = await web.user("ada", 1000, 4, url=relay.url)
    relay.shut()
    began = asyncio.get_running_loop().time()
    assert await skip_reconnecting(ada) == ("onLogout", 102)
    assert 3.8 <= asyncio.get_running_loop().time() - began <= 20


async def test_103_and_601_logged_in_elsewhere(web: House) -> None:
    """SPEC L7, C3."""
    ada = await web.user("ada")
    await ada.join("room")
    await web.user("ada")
    await ada.expect("onChannelLeaved", 601)
    await ada.expect("onLogout", 103)


async def test_103_while_it_was_away(web: House, relay: Relay) -> None:
    """SPEC L18: a line that another login has superseded."""
    ada = await web.user("ada", 1000, url=relay.url)
    relay.shut()
    await ada.expect("onReconnecting", 1)
    await web.user("ada")
    relay.reopen()
    assert await skip_reconnecting(ada) == ("onLogout", 103)


async def test_105_the_token_expired_meanwhile(tmp_path: Path) -> None:
    """SPEC L6: while the session lives, its token may expire; for a new one it may not have."""
    config = '[limits]\ngrace_min = 0.3\ngrace_max = 0.3\n[apps.app]\ncertificate = "secret"\n'
    with ServerProcess(tmp_path, config=config) as server:
        relay, house = Relay(server.port), House(server.url, "app")
        bo = await house.user("bo", token=make_token("app", "secret", "bo"))
        token = make_token("app", "secret", "ada", ttl=6)
        ada = await house.user("ada", 1000, token=token, url=relay.url)
        relay.shut()
        await ada.expect("onReconnecting", 1)

        async def is_over() -> bool:
            bo.session.invoke(STATUS, {"account": "ada"}, bo.answer("cb"))
            return (await bo.next())[2]["status"] == 0 and time.time() > int(token.split(":")[2])

        await until(is_over, "the session is gone, and the token has expired")
        relay.reopen()
        assert await skip_reconnecting(ada) == ("onLogout", 105)
        await house.close()
        relay.close()


async def test_107_the_token_is_wrong_meanwhile(tmp_path: Path) -> None:
    """SPEC L6: the server comes back with another certificate."""
    config = '[apps.app]\ncertificate = "{}"\n'
    with ServerProcess(tmp_path, config=config.format("one")) as server:
        house = House(server.url, "app")
        ada = await house.user("ada", 1000, token=make_token("app", "one", "ada"))
        assert await server.stopped() == 0
        await ada.expect("onReconnecting", 1)
    other = ServerProcess(tmp_path, config=config.format("two"))
    other.port = server.port
    with other:
        assert await skip_reconnecting(ada) == ("onLogout", 107)


async def test_108_is_a_log_line(web: House, capsys: pytest.CaptureFixture[str]) -> None:
    """SPEC L9, E3: logout without a login."""
    signal = web.signal()
    signal.setDoLog(True, "INFO")
    ada = web.enter("ada", token="", signal=signal)
    await ada.expect("onLoginFailed", 201)
    ada.session.logout()
    bo = await web.user("bo", signal=signal)
    bo.session.logout()
    await bo.expect("onLogout", 101)
    bo.session.logout()
    await bo.quiet()
    assert capsys.readouterr().err.count("108: ") == 2


# --- logging in -----------------------------------------------------------------------------------


async def test_201_nobody_is_there(web: House, relay: Relay) -> None:
    """SPEC L10: state 1 and no `onReconnecting` while the first login is tried again."""
    relay.shut()
    ada = web.enter("ada", 3, 30, url=relay.url)
    assert ada.session.state == 1
    await ada.expect("onLoginFailed", 201)
    assert ada.session.state == 0


async def test_201_no_app_and_no_token(web: House) -> None:
    """SPEC L5: missing, empty, unknown, of another type."""
    for app in (None, "", 5, [], "a\0b", "\ud800", "x" * 9000):
        await web.enter("ada", signal=Signal(app, web.url)).expect("onLoginFailed", 201)
    for token in (None, "", 5, [], False):
        await web.enter("ada", token=token).expect("onLoginFailed", 201)


async def test_203_logout_while_connecting(web: House) -> None:
    """SPEC L9."""
    ada = web.enter("ada")
    ada.session.logout()
    assert ada.told.empty()
    await ada.expect("onLoginFailed", 203)


async def test_204_and_206_bad_tokens(dev_server: ServerProcess, tmp_path: Path) -> None:
    """SPEC L3: expired, of another account, no token at all, too long to be one."""
    with ServerProcess(tmp_path, config='[apps.app]\ncertificate = "secret"\n') as server:
        house = House(server.url, "app")
        good = make_token("app", "secret", "ada")
        await house.enter("ada", token=make_token("app", "secret", "ada", ttl=-5)).expect(
            "onLoginFailed", 204
        )
        for token in (
            make_token("app", "secret", "bo"),
            "nonsense",
            "_no_need_token",
            "a\0b",
            "\ud800",
            "x" * 9000,
        ):
            await house.enter("ada", token=token).expect("onLoginFailed", 206)
        ada = await house.user("ada", token=good)
        await house.close()
        await ada.quiet()
        assert server.stop() == 0


async def test_209_no_name(web: House) -> None:
    """SPEC L2: `onError` says what is allowed, and then the login fails."""
    for account, code in (
        (None, 1004),
        ("", 1004),
        ([], 1004),
        (True, 1004),
        ("with space", 1004),
        ("nul\0", 1004),
        ("\ud800", 1004),
        ("x" * 129, 1005),
    ):
        user = web.enter(account)
        name, method, got, reason = await user.next()
        assert (name, method, got) == ("onError", "login", code)
        assert "allowed" in reason or "has to be" in reason
        await user.expect("onLoginFailed", 209)
        assert user.session.state == 0


# --- requests -------------------------------------------------------------------------------------


async def test_300_not_for_this_account(dev_server: ServerProcess) -> None:
    """SPEC P4, E1: any other join failure."""
    closed = House(dev_server.url, "closed")
    ada = await closed.user("ada-300", token=make_token("closed", "secret", "ada-300"))
    ada.channel("__agora_user_online")
    await ada.expect("onChannelJoinFailed", 300)
    await closed.close()


async def test_400_not_a_member(web: House) -> None:
    """SPEC C4, M8: and a rate that is exceeded."""
    ada = await web.user("ada")
    room = await ada.join("room")
    room.channelLeave()
    await ada.expect("onChannelLeaved", 0)
    room.messageChannelSend("hello", ada.answer("cb"))
    name, failure = await ada.next()
    assert (name, failure["code"]) == ("cb", 400)
    for _ in range(300):
        ada.session.messageInstantSend("bo", "x", lambda *result: ada.told.put_nowait(result))
    results = [await ada.next() for _ in range(300)]
    codes = [rest[0]["code"] for failed, *rest in results if failed]
    assert set(codes) == {400}
    assert len(codes) <= 240  # sixty at least got through, whatever the time that it took


async def test_without_an_answer(web: House, relay: Relay) -> None:
    """SPEC E1: each request has its own code."""
    ada = await web.user("ada", signal=web.signal(IMPATIENT, relay.url))
    room = await ada.join("room")
    relay.silence()
    ada.session.messageInstantSend("bo", "x", ada.answer("instant"))
    room.messageChannelSend("x", ada.answer("channel"))
    ada.session.invoke("io.agora.signal.channel_query_num", {"name": "room"}, ada.answer("number"))
    ada.session.invoke(STATUS, {"account": "bo"}, ada.answer("status"))
    room.channelSetAttr("a", "b", ada.answer("attribute"))
    ada.channel("other", "other ")
    ada.invite("room", "bo")
    reason = "no answer within 3 s"

    def failure(code: int) -> dict[str, object]:
        return {"code": code, "reason": reason}

    await ada.expect("instant", True, failure(401))
    await ada.expect("channel", failure(401))
    await ada.expect("number", reason, failure(501))
    await ada.expect("status", reason, failure(1001))
    await ada.expect("attribute", failure(1001))
    await ada.expect("other onChannelJoinFailed", 300)
    assert await ada.expect_failure(702) == reason
    relay.cut()
    relay.speak()
    ada.session.logout()
    while (await ada.next())[0] != "onLogout":
        pass


async def test_500_and_700_too_much_at_once(web: House, relay: Relay) -> None:
    """SPEC E1: what the client will not send for want of room."""
    ada = await web.user("ada", signal=web.signal(BUSY, relay.url))
    relay.silence()
    ada.session.messageInstantSend("bo", "x", ada.answer("first"))
    ada.session.invoke("io.agora.signal.channel_query_num", {"name": "room"}, ada.answer("number"))
    ada.session.messageInstantSend("bo", "x", ada.answer("second"))
    ada.invite("room", "bo")
    name, reason, failure = await ada.next()
    assert (name, failure) == ("number", {"code": 500, "reason": reason})
    assert (await ada.next())[:2] == ("second", True)
    await ada.expect_failure(700)
    relay.speak()
    await ada.expect("first", False)


async def test_604_away_for_too_long(dev_server: ServerProcess, relay: Relay) -> None:
    """SPEC S7: the session was gone: channel, calls, then the login; the app joins again."""
    short = House(dev_server.url, "short")
    ada, bo = await short.user("ada-604", 1000, url=relay.url), await short.user("bo-604")
    await ada.join("room-604")
    ada.invite("room-604", "bo-604")
    ringing = await bo.rings("room-604", "ada-604")
    await ada.expect("onInviteReceivedByPeer", "")
    ringing.channelInviteAccept()
    await ada.expect("onInviteAcceptedByPeer", "")
    relay.shut()
    await bo.expect("onInviteEndByPeer", "")  # the session is gone
    relay.reopen()
    assert await skip_reconnecting(ada) == ("onChannelLeaved", 604)
    assert await ada.expect_failure(702)
    await ada.expect("onLoginSuccess", 0)
    await ada.expect("onReconnected")
    await ada.join("room-604")
    await short.close()


async def test_1000_events_that_are_lost(dev_server: ServerProcess, relay: Relay) -> None:
    """SPEC C9: `onError` says how many; the others come."""
    little = House(dev_server.url, "little")
    ada, bo = await little.user("ada-1000", url=relay.url), await little.user("bo-1000")
    await ada.join("room-1000")
    room = await bo.join("room-1000", "ada-1000")
    await ada.expect("onChannelUserJoined", "bo-1000", 0)
    relay.silence()
    for number in range(5):
        room.messageChannelSend(f"{number}")
        await bo.expect("onMessageChannelReceive", "bo-1000", 0, f"{number}")
    relay.cut()
    relay.speak()
    await ada.expect("onReconnecting", 1)
    await ada.expect("onLoginSuccess", 0)
    await ada.expect("onReconnected")
    name, method, code, reason = await ada.next()
    assert (name, method, code) == ("onError", "channel_join", 1000)
    assert "3 events of the channel room-1000" in reason
    await ada.expect("onMessageChannelReceive", "bo-1000", 0, "3")
    await ada.expect("onMessageChannelReceive", "bo-1000", 0, "4")
    await little.close()


async def test_1001_no_such_function(web: House) -> None:
    """SPEC C12: with or without the prefix; nothing is sent."""
    ada = await web.user("ada")
    for func in (
        "io.agora.signal.user_sendmsg",
        "io.agora.other.channel_query_num",
        "channel_query_num",
        "",
        None,
    ):
        ada.session.invoke(func, {"name": "room"}, ada.answer("cb"))
        name, error, failure = await ada.next()
        assert (name, failure) == ("cb", {"code": 1001, "reason": error})
        assert "no such function" in error


async def test_1003_not_logged_in(web: House) -> None:
    """SPEC E2: each through its own callback."""
    ada = await web.user("ada")
    room = await ada.join("room")
    call = ada.invite("room", "bo")
    ada.session.logout()
    await ada.expect("onChannelLeaved", 603)
    await ada.expect("onInviteEndByMyself", "")
    await ada.expect("onLogout", 101)

    failure = {"code": 1003, "reason": "not logged in: log in first"}
    ada.session.messageInstantSend("bo", "x", ada.answer("cb"))
    await ada.expect("cb", True, failure)
    ada.session.invoke(STATUS, {"account": "bo"}, ada.answer("cb"))
    await ada.expect("cb", failure["reason"], failure)
    ada.channel("other", "other ")
    await ada.expect("other onChannelJoinFailed", 1003)
    ada.invite("room", "bo")
    assert await ada.expect_failure(1003)
    room.messageChannelSend("x", ada.answer("cb"))
    await ada.expect("cb", failure)
    room.channelLeave(ada.answer("cb"))
    await ada.expect("cb", failure)
    await ada.expect("onError", "channel_leave", 1003, failure["reason"])
    room.channelLeave()
    await ada.expect("onError", "channel_leave", 1003, failure["reason"])
    room.channelSetAttr("a", "b", ada.answer("cb"))
    await ada.expect("cb", failure)
    room.channelDelAttr("a", ada.answer("cb"))
    await ada.expect("cb", failure)
    room.channelClearAttr(ada.answer("cb"))
    await ada.expect("cb", failure)
    call.channelInviteEnd()
    await ada.expect("onInviteEndByMyself", "")
    for method in ("Accept", "Refuse"):
        getattr(call, f"channelInvite{method}")()
        name = f"channel_invite_{method.lower()}"
        await ada.expect("onError", name, 1003, failure["reason"])
    call.channelInviteDTMF("1")
    await ada.expect("onError", "channel_invite_dtmf", 1003, failure["reason"])


async def test_1004_and_1005_refused_by_the_server(web: House) -> None:
    """SPEC C11, E1: what only the server can know, and what is too long (more in test_bad_input.py)."""
    ada = await web.user("ada")
    room = await ada.join("room")
    room.channelSetAttr("_member_num", "1", ada.answer("cb"))
    name, failure = await ada.next()
    assert (name, failure["code"]) == ("cb", 1004)
    room.channelSetAttr("x" * 129, "1", ada.answer("cb"))
    name, failure = await ada.next()
    assert (name, failure["code"]) == ("cb", 1005)
    assert json.dumps(failure)


@pytest.mark.parametrize("instead", [{}, None, True], ids=["missing", "null", "true"])
async def test_answers_that_lack_what_they_have_to_say(instead: object) -> None:
    """SPEC E1, E4: a failure of the method, as any other."""

    def answer(func: str, args: dict[str, object]) -> object:
        if func in ("login", "channel_join", "user_logout"):
            return []
        members = ("id", "status", "value", "json", "num", "isin", "list")
        return "", {"result": "ok"} | ({} if instead == {} else dict.fromkeys(members, instead))

    codes = {
        "user_query_user_status": 1001,
        "user_get_attr": 1001,
        "user_get_attr_all": 1001,
        "channel_query_num": 500,
        "channel_query_user_isin": 500,
        "channel_query_userlist": 500,
        "channel_query_userlist_all": 500,
    }
    async with pretending(answer) as url:
        ada = await House(url).user("ada")
        room = ada.channel("room")
        await ada.expect("onChannelJoined")
        await ada.expect("onChannelUserList", [])
        ada.session.messageInstantSend("bo", "x", ada.answer("cb"))
        assert [(await ada.next())[2]["code"]] == [400]
        room.messageChannelSend("x", ada.answer("cb"))
        assert [(await ada.next())[1]["code"]] == [400]
        for func, code in codes.items():
            given = {"account": "bo", "name": "room"}
            ada.session.invoke(f"io.agora.signal.{func}", given, ada.answer("cb"))
            _, error, failure = await ada.next()
            assert (error, failure["code"]) == (failure["reason"], code)
        ada.session.logout()
        await ada.expect("onChannelLeaved", 603)
        await ada.expect("onLogout", 101)


def test_quick_is_quick() -> None:
    """What the reconnects above rely on."""
    assert QUICK.retry_most < 1
