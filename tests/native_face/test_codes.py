"""Every code of SPEC §7 that this API can raise or tell, met by a test that the table below names."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from native_face import test_bad_input, test_call, test_call_flow, test_channel, test_client, test_tokens
from native_face.people import QUICK, House, ring, soon, take
from signalpost.client import (
    ArgumentError,
    CallError,
    CallFailed,
    ChannelLeft,
    EventsLost,
    JoinError,
    LoggedOut,
    LoginError,
    MessageError,
    NotLoggedIn,
    Problem,
    QueryError,
    Reconnected,
    RequestError,
    Settings,
    SignalpostError,
    Status,
)
from signalpost.client.errors import error_of
from signalpost.tokens import make_token
from signalpost.wire.codes import NEVER_PRODUCED, Code
from support.pretender import SILENCE, pretending, refusal
from support.relay import Relay
from support.server import ServerProcess, serving
from support.waiting import until

IMPATIENT = Settings(retry_first=0.05, retry_most=0.1, request_seconds=3)
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
"""

MET = {
    Code.LOGOUT_E_USER: ["test_client_logout"],
    Code.LOGOUT_E_NET: ["test_102_and_604_the_network_stays_away", "test_102_after_the_time_that_is_given"],
    Code.LOGOUT_E_KICKED: ["test_103_and_601_logged_in_elsewhere", "test_103_while_it_was_away"],
    Code.LOGOUT_E_TOKENEXPIRED: ["test_105_the_token_expired_meanwhile"],
    Code.LOGOUT_E_TOKENWRONG: ["test_107_the_token_is_wrong_meanwhile"],
    Code.LOGOUT_E_ALREADY_LOGOUT: ["test_108_is_a_log_line"],
    Code.LOGIN_E_NET: ["test_201_nobody_is_there", "test_201_unknown_app"],
    Code.LOGIN_E_TOKENEXPIRED: ["test_tokens_make_token"],
    Code.LOGIN_E_TOKENWRONG: ["test_tokens_make_token"],
    Code.LOGIN_E_TOKEN_KICKED: ["test_207_and_209_as_only_another_server_says"],
    Code.LOGIN_E_INVALID_USER: ["test_207_and_209_as_only_another_server_says"],
    Code.JOINCHANNEL_E_OTHER: ["test_300_not_for_this_account", "test_without_an_answer"],
    Code.SENDMESSAGE_E_OTHER: ["test_400_too_many", "test_channel_send"],
    Code.SENDMESSAGE_E_TIMEOUT: ["test_without_an_answer"],
    Code.QUERYUSERNUM_E_OTHER: ["test_500_and_700_too_much_at_once"],
    Code.QUERYUSERNUM_E_TIMEOUT: ["test_without_an_answer"],
    Code.LEAVECHANNEL_E_KICKED: ["test_103_and_601_logged_in_elsewhere"],
    Code.LEAVECHANNEL_E_BYUSER: ["test_channel_leave"],
    Code.LEAVECHANNEL_E_LOGOUT: ["test_client_logout"],
    Code.LEAVECHANNEL_E_DISCONN: ["test_102_and_604_the_network_stays_away", "test_604_away_for_too_long"],
    Code.INVITE_E_OTHER: ["test_500_and_700_too_much_at_once"],
    Code.INVITE_E_REINVITE: ["test_the_same_call_again_while_it_rings", "test_both_call_each_other_at_once"],
    Code.INVITE_E_NET: ["test_no_network_at_the_caller", "test_604_away_for_too_long"],
    Code.INVITE_E_PEEROFFLINE: [
        "test_offline_peer_is_required_to_be_online",
        "test_offline_peer_does_not_come",
    ],
    Code.INVITE_E_TIMEOUT: ["test_nobody_answers"],
    Code.INVITE_E_CANTRECV: ["test_the_peer_cannot_receive"],
    Code.GENERAL_E: ["test_1000_and_1002_as_only_another_server_says"],
    Code.GENERAL_E_FAILED: ["test_without_an_answer", "test_call_accept"],
    Code.GENERAL_E_UNKNOWN: ["test_1000_and_1002_as_only_another_server_says"],
    Code.GENERAL_E_NOT_LOGIN: ["test_1003_not_logged_in"],
    Code.GENERAL_E_WRONG_PARAM: ["test_bad_arguments", "test_1004_refused_by_the_server"],
    Code.GENERAL_E_LARGE_PARAM: ["test_bad_arguments"],
}
#: Success raises nothing; a login is cancelled by cancelling what waits for it; a client logs in once.
NOT_HERE = {Code.SUCCESS, Code.LOGIN_E_CANCEL, Code.LOGIN_E_ALREADY_LOGIN}

KINDS = {
    ArgumentError: (1004, 1005),
    NotLoggedIn: (1003,),
    LoginError: (201, 204, 206, 207, 209),
    LoggedOut: (102, 103, 105, 107),
    MessageError: (400, 401),
    JoinError: (300,),
    ChannelLeft: (601, 604),
    QueryError: (500, 501),
    CallError: (700, 701, 702, 703, 704, 705),
    RequestError: (1000, 1001, 1002),
}


def test_every_code_has_a_test() -> None:
    """SPEC E1: the table is complete, and its tests are there."""
    assert MET.keys() | NOT_HERE | {Code(number) for number in NEVER_PRODUCED} == set(Code)
    assert not MET.keys() & NOT_HERE
    modules = (test_bad_input, test_call, test_call_flow, test_channel, test_client, test_tokens)
    tests = {name: value for module in modules for name, value in vars(module).items()} | globals()
    for names in MET.values():
        for name in names:
            assert callable(tests[name])


@pytest.mark.parametrize(("kind", "codes"), KINDS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_each_error_has_its_codes(kind: type[SignalpostError], codes: tuple[int, ...]) -> None:
    """SPEC S3: one tree; every error says its code and reason."""
    for code in codes:
        error = error_of(Code(code), "why")
        assert type(error) is kind
        assert isinstance(error, SignalpostError)
        assert (error.code, error.reason) == (code, "why")
        assert str(error) == f"{code} {Code(code).name}: why"


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("codes"), CONFIG) as server:
        yield server


# --- logging out ----------------------------------------------------------------------------------


async def test_102_and_604_the_network_stays_away(native: House, relay: Relay) -> None:
    """SPEC L10: three tries, then the end, for every iteration."""
    ada = await native.client("ada", url=relay.url, retries=3)
    room = await soon(ada.join("room"))
    relay.shut()
    attempts = []
    with pytest.raises(LoggedOut) as raised:
        await soon(_collect(ada.events(), attempts))
    assert [event.attempt for event in attempts] == [1, 2, 3]
    assert raised.value.code == 102
    assert ada.status is Status.LOGGED_OUT
    with pytest.raises(ChannelLeft) as left:
        await take(aiter(room))
    assert left.value.code == 604
    for stream in (ada.messages(), ada.invites()):
        with pytest.raises(LoggedOut):
            await take(stream)  # type: ignore[type-var]
    await soon(ada.logout())


async def _collect(stream, found) -> None:  # type: ignore[no-untyped-def]
    async for item in stream:
        found.append(item)


async def test_102_after_the_time_that_is_given(native: House, relay: Relay) -> None:
    """SPEC L10: the time is used up before the number of tries."""
    ada = await native.client("ada", url=relay.url, retries=1000, retry_seconds=4)
    relay.shut()
    began = asyncio.get_running_loop().time()
    with pytest.raises(LoggedOut) as raised:
        await take(ada.messages())
    assert raised.value.code == 102
    assert 3.8 <= asyncio.get_running_loop().time() - began <= 20


async def test_103_and_601_logged_in_elsewhere(native: House) -> None:
    """SPEC L7, C3."""
    ada = await native.client("ada")
    room = await soon(ada.join("room"))
    await native.client("ada")
    with pytest.raises(ChannelLeft) as left:
        await take(aiter(room))
    assert left.value.code == 601
    with pytest.raises(LoggedOut) as raised:
        await take(ada.events())
    assert raised.value.code == 103


async def test_103_while_it_was_away(native: House, relay: Relay) -> None:
    """SPEC L18: a line that another login has superseded."""
    ada = await native.client("ada", url=relay.url, retries=1000)
    relay.shut()
    await take(ada.events())
    await native.client("ada")
    relay.reopen()
    with pytest.raises(LoggedOut) as raised:
        await take(ada.messages())
    assert raised.value.code == 103


async def test_105_the_token_expired_meanwhile(tmp_path: Path) -> None:
    """SPEC L6: while the session lives, its token may expire; for a new one it may not have."""
    config = '[limits]\ngrace_min = 0.3\ngrace_max = 0.3\n[apps.app]\ncertificate = "secret"\n'
    with ServerProcess(tmp_path, config=config) as server, Relay(server.port) as relay:
        house = House(server.url, "app")
        bo = await house.client("bo", token=make_token("app", "secret", "bo"))
        token = make_token("app", "secret", "ada", ttl=6)
        ada = await house.client("ada", token=token, url=relay.url, retries=1000)
        relay.shut()

        async def is_over() -> bool:
            return not await bo.is_online("ada") and time.time() > int(token.split(":")[2])

        await until(is_over, "the session is gone, and the token has expired")
        relay.reopen()
        with pytest.raises(LoggedOut) as raised:
            await take(ada.messages())
        assert raised.value.code == 105
        await house.close()


async def test_107_the_token_is_wrong_meanwhile(tmp_path: Path) -> None:
    """SPEC L6: the server comes back with another certificate."""
    config = '[apps.app]\ncertificate = "{}"\n'
    with ServerProcess(tmp_path, config=config.format("one")) as server:
        house = House(server.url, "app")
        token = make_token("app", "one", "ada")
        ada = await house.client("ada", token=token, retries=1000)
        ada_events = ada.events()
        assert await server.stopped() == 0
        await take(ada_events)
    other = ServerProcess(tmp_path, config=config.format("two"))
    other.port = server.port
    with other:
        with pytest.raises(LoggedOut) as raised:
            await take(ada.messages())
        assert raised.value.code == 107


async def test_108_is_a_log_line(native: House, caplog: pytest.LogCaptureFixture) -> None:
    """SPEC L9, E3: a second logout does nothing, and only the log says so."""
    ada = await native.client("ada")
    with caplog.at_level(logging.INFO, "signalpost.client"):
        await soon(asyncio.gather(ada.logout(), ada.logout()))
    assert "108: " in caplog.text


# --- logging in -----------------------------------------------------------------------------------


async def test_201_nobody_is_there(native: House, relay: Relay) -> None:
    """SPEC L10: until the number of tries is used up, or the time; a host that cannot be is no different."""
    relay.shut()
    hosts = [relay.url, "ws://127.0.0.1:1/", f"ws://{'x' * 64}.example/"]
    for url in hosts:
        with pytest.raises(LoginError) as raised:
            await soon(native.connect("ada", url=url, retries=2))
        assert raised.value.code == 201
    with pytest.raises(LoginError) as raised:
        await soon(native.connect("ada", url=relay.url, retries=1000, retry_seconds=0.2))
    assert raised.value.code == 201


async def test_201_unknown_app(tmp_path: Path) -> None:
    """SPEC L5."""
    with ServerProcess(tmp_path) as server:
        with pytest.raises(LoginError) as raised:
            await soon(House(server.url, "nothing").connect("ada"))
        assert raised.value.code == 201
        assert "unknown app" in raised.value.reason


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (refusal("kick"), 207),
        (refusal("kick", 207), 207),
        (refusal("InvalidAccount", 209), 209),
        (refusal("whatever"), 201),
    ],
)
async def test_207_and_209_as_only_another_server_says(said: object, code: int) -> None:
    """SPEC E1: what ours does not say at a first login, or not about names that the client lets through."""
    async with pretending(lambda func, args: said) as url:
        with pytest.raises(LoginError) as raised:
            await soon(House(url).connect("ada"))
        assert raised.value.code == code


# --- requests -------------------------------------------------------------------------------------


async def test_300_not_for_this_account(dev_server: ServerProcess) -> None:
    """SPEC P4, E1: any other join failure."""
    closed = House(dev_server.url, "closed")
    ada = await closed.client("ada", token=make_token("closed", "secret", "ada"))
    with pytest.raises(JoinError) as raised:
        await soon(ada.join("__agora_user_online"))
    assert raised.value.code == 300
    with pytest.raises(JoinError):
        async with ada.join("__agora_user_online"):
            pass
    await closed.close()


async def test_400_too_many(native: House) -> None:
    """SPEC M8: the surplus is refused."""
    ada = await native.client("ada")
    results = await soon(asyncio.gather(*(ada.send("bo", "x") for _ in range(300)), return_exceptions=True))
    errors = [result for result in results if isinstance(result, BaseException)]
    assert {type(error) for error in errors} == {MessageError}
    assert {error.code for error in errors if isinstance(error, MessageError)} == {400}
    assert len(errors) <= 240  # sixty at least got through, whatever the time that it took


async def test_without_an_answer(native: House, relay: Relay) -> None:
    """SPEC E1: each request has its own code."""
    ada = await native.client("ada", url=relay.url, settings=IMPATIENT)
    room = await soon(ada.join("room"))
    relay.silence()
    expected = {
        ada.send("bo", "x"): (MessageError, 401),
        room.send("x"): (MessageError, 401),
        room.force_send("x"): (MessageError, 401),
        room.count(): (QueryError, 501),
        room.has("bo"): (QueryError, 501),
        room.latest_members(): (QueryError, 501),
        room.all_members(): (QueryError, 501),
        ada.is_online("bo"): (RequestError, 1001),
        ada.attributes.get("a"): (RequestError, 1001),
        ada.attributes.all(): (RequestError, 1001),
        ada.attributes.set("a", "b"): (RequestError, 1001),
        room.set("a", "b"): (RequestError, 1001),
        room.delete("a"): (RequestError, 1001),
        room.clear(): (RequestError, 1001),
        _join(ada, "other"): (JoinError, 300),
        ada.invite("bo", "room"): (CallError, 702),
    }
    results = await soon(asyncio.gather(*expected, return_exceptions=True))
    for result, (kind, code) in zip(results, expected.values(), strict=True):
        assert type(result) is kind
        assert isinstance(result, SignalpostError)
        assert (result.code, result.reason) == (code, "no answer within 3 s")
    relay.cut()
    relay.speak()


async def _join(client, name):  # type: ignore[no-untyped-def]
    return await client.join(name)


async def test_500_and_700_too_much_at_once(native: House, relay: Relay) -> None:
    """SPEC E1: what the client will not send for want of room."""
    ada = await native.client("ada", settings=BUSY, url=relay.url)
    relay.silence()
    first = asyncio.create_task(ada.send("bo", "x"))
    await asyncio.sleep(0)
    with pytest.raises(QueryError, match=r"500 .*no more are allowed"):
        await soon(ada.channel("room").count())
    with pytest.raises(MessageError, match="400"):
        await soon(ada.send("bo", "x"))
    with pytest.raises(CallError, match="700"):
        await soon(ada.invite("bo", "room"))
    relay.speak()
    await soon(first)


async def test_604_away_for_too_long(dev_server: ServerProcess, relay: Relay) -> None:
    """SPEC S7: the session was gone: channel and calls are lost, the client goes on with a new one."""
    short = House(dev_server.url, "short")
    ada, bo = await short.client("ada-604", url=relay.url, retries=1000), await short.client("bo-604")
    room = await soon(ada.join("room-604"))
    call, ringing = await ring(ada, bo)
    await ringing.accept()
    await soon(call.answered())
    relay.shut()
    await soon(ringing.ended())  # the session is gone
    relay.reopen()
    with pytest.raises(ChannelLeft) as left:
        await take(aiter(room))
    assert (left.value.code, room.joined) == (604, False)
    end = await soon(call.ended())
    assert isinstance(end, CallFailed)
    assert end.code == 702
    while not isinstance(event := await take(ada.events()), Reconnected):
        pass
    assert event == Reconnected(resumed=False)
    assert (await soon(ada.join("room-604"))).members == ("ada-604",)
    await short.close()


async def test_events_that_are_lost(dev_server: ServerProcess, relay: Relay) -> None:
    """SPEC C9: EventsLost says how many; the others come."""
    little = House(dev_server.url, "little")
    ada, bo = await little.client("ada-lost", url=relay.url), await little.client("bo-lost")
    hers, his = await soon(ada.join("room-lost")), await soon(bo.join("room-lost"))
    await take(aiter(hers))
    relay.silence()
    for number in range(5):
        await soon(his.send(f"{number}"))
    relay.cut()
    relay.speak()
    assert await take(aiter(hers)) == EventsLost("room-lost", 3)
    assert [(await take(aiter(hers))).text for _ in range(2)] == ["3", "4"]  # type: ignore[union-attr]
    await little.close()


async def test_1000_and_1002_as_only_another_server_says() -> None:
    """SPEC E1, E3: Problem in `events()`, or the error of a request; numbers that mean nothing are 1002."""

    def answer(func: str, args: dict[str, object]) -> object:
        match func:
            case "login":
                return [["error", {"code": 1000, "reason": "a"}], ["error", {"code": 31337, "reason": "b"}]]
            case "user_query_user_status":
                return refusal("c", 1000)
            case "user_set_attr":
                return refusal("d", 31337)
        return [] if func == "user_logout" else SILENCE

    async with pretending(answer) as url, House(url).connect("ada", settings=QUICK) as ada:
        with pytest.raises(RequestError) as raised:
            await soon(ada.is_online("bo"))
        assert (raised.value.code, raised.value.reason) == (1000, "c")
        with pytest.raises(RequestError) as raised:
            await soon(ada.attributes.set("a", "b"))
        assert (raised.value.code, raised.value.reason) == (1002, "d")
        told = [await take(ada.events()) for _ in range(2)]
        assert told == [Problem("", Code.GENERAL_E, "a"), Problem("", Code.GENERAL_E_UNKNOWN, "b")]


async def test_1003_not_logged_in(native: House) -> None:
    """SPEC E2: everything that asks the server."""
    ada, bo = await native.client("ada"), await native.client("bo")
    call, ringing = await ring(ada, bo)
    room = await soon(ada.join("room"))
    await native.client("ada")  # so that no call of these is over by an end of its own
    with pytest.raises(LoggedOut):
        await take(ada.messages())
    asked = [
        ada.send("bo", "x"),
        room.send("x"),
        room.force_send("x"),
        room.count(),
        room.has("bo"),
        room.latest_members(),
        room.all_members(),
        ada.is_online("bo"),
        ada.attributes.get("a"),
        ada.attributes.all(),
        ada.attributes.set("a", "b"),
        room.set("a", "b"),
        room.delete("a"),
        room.clear(),
        _join(ada, "other"),
        ada.invite("bo", "room"),
        call.accept(),
        call.refuse(),
        call.dtmf("1"),
    ]
    for result in await soon(asyncio.gather(*asked, return_exceptions=True)):
        assert isinstance(result, NotLoggedIn)
        assert (result.code, result.reason) == (1003, "not logged in: log in first")
    await room.leave()  # it has left, and the call is over: nothing is asked
    await call.end()
    await soon(ringing.ended())


async def test_1004_refused_by_the_server(native: House) -> None:
    """SPEC C11, E1: what only the server can know."""
    ada = await native.client("ada")
    with pytest.raises(ArgumentError) as raised:
        await ada.channel("room").set("_member_num", "1")
    assert raised.value.code == 1004
    with pytest.raises(ArgumentError) as raised:
        await ada.invite("ada", "room")
    assert raised.value.code == 1004
