"""Every code that this face can tell is met here (SPEC §7, E1): a table of code and test says where."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from android_face.people import NO_TOKEN, House, Person
from android_face.phones import calls
from signalpost.client.settings import Settings
from signalpost.tokens import make_token
from signalpost.wire.codes import NEVER_PRODUCED, Code
from support.call_apps import CALL_APPS
from support.client import RawClient
from support.server import ServerProcess

SERVER = (
    CALL_APPS
    + """
[server]
port = 0

[apps.secret]
certificate = "certificate"
[apps.secret.limits]
grace_min = 0.3
grace_max = 0.3

[apps.brief]
allow_no_token = true
[apps.brief.limits]
grace_min = 0.3
grace_max = 0.3

[apps.few]
allow_no_token = true
watchers = ["watcher"]
[apps.few.limits]
requests = 4
requests_burst = 4
user_messages = 2
history_events = 2

[apps.many]
allow_no_token = true
[apps.many.limits]
requests = 1000
"""
)
QUICK = Settings(retry_first=0.05)  # to try again
IMPATIENT = Settings(request_seconds=0.3)  # with answers

#: Where each code is met.
MET = {
    Code.SUCCESS: "test_0",
    Code.LOGOUT_E_USER: "test_101_and_603",
    Code.LOGOUT_E_NET: "test_102_and_604",
    Code.LOGOUT_E_KICKED: "test_103_and_601",
    Code.LOGOUT_E_TOKENEXPIRED: "test_105",
    Code.LOGOUT_E_TOKENWRONG: "test_107",
    Code.LOGOUT_E_ALREADY_LOGOUT: "test_108",
    Code.LOGIN_E_NET: "test_201",
    Code.LOGIN_E_CANCEL: "test_203",
    Code.LOGIN_E_TOKENEXPIRED: "test_204",
    Code.LOGIN_E_TOKENWRONG: "test_206",
    Code.LOGIN_E_TOKEN_KICKED: "test_207",
    Code.LOGIN_E_ALREADY_LOGIN: "test_208",
    Code.LOGIN_E_INVALID_USER: "test_209",
    Code.JOINCHANNEL_E_OTHER: "test_300",
    Code.SENDMESSAGE_E_OTHER: "test_400",
    Code.SENDMESSAGE_E_TIMEOUT: "test_401_and_501_and_the_other_silences",
    Code.QUERYUSERNUM_E_OTHER: "test_500",
    Code.QUERYUSERNUM_E_TIMEOUT: "test_401_and_501_and_the_other_silences",
    Code.LEAVECHANNEL_E_KICKED: "test_103_and_601",
    Code.LEAVECHANNEL_E_BYUSER: "test_602",
    Code.LEAVECHANNEL_E_LOGOUT: "test_101_and_603",
    Code.LEAVECHANNEL_E_DISCONN: "test_102_and_604",
    Code.INVITE_E_OTHER: "test_700",
    Code.INVITE_E_REINVITE: "test_701",
    Code.INVITE_E_NET: "test_702",
    Code.INVITE_E_PEEROFFLINE: "test_703",
    Code.INVITE_E_TIMEOUT: "test_704",
    Code.INVITE_E_CANTRECV: "test_705",
    Code.GENERAL_E: "test_1000",
    Code.GENERAL_E_FAILED: "test_1001",
    Code.GENERAL_E_UNKNOWN: "test_1002",
    Code.GENERAL_E_NOT_LOGIN: "test_1003",
    Code.GENERAL_E_WRONG_PARAM: "test_1004_and_1005",
    Code.GENERAL_E_LARGE_PARAM: "test_1004_and_1005",
}


def test_every_code_has_a_test() -> None:
    """SPEC E1: all but those that are never produced."""
    assert set(MET) == set(Code) - NEVER_PRODUCED
    assert set(MET.values()) <= set(globals())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("codes"), config=SERVER) as server:
        yield server


@pytest.fixture
def flats(server: ServerProcess) -> Iterator[dict[str, House]]:
    """The apps of the configuration."""
    houses = {
        name: House(server, name) for name in ("peer", "ring", "confirm", "secret", "few", "many", "brief")
    }
    yield houses
    for house in houses.values():
        house.close()


def token(account: str, seconds: int = 60, certificate: str = "certificate") -> str:
    return make_token("secret", certificate, account, ttl=seconds)


def told(person: Person, *names: str) -> list[tuple[str, tuple[object, ...]]]:
    """The next callbacks up to the last of these names; tries to reconnect do not count."""
    found = []
    while not found or found[-1][0] != names[-1]:
        name, args = person.handler.next(names)
        if name != "onReconnecting":
            found.append((name, args))
    assert [name for name, _ in found] == list(names)
    return found


# --- the session ------------------------------------------------------------------------------


def test_0(flat: House) -> None:
    """SPEC C12: a number that was read."""
    [ann] = flat.enter("ann")
    ann.api.channelQueryUserNum("room")
    ann.gets("onChannelQueryUserNumResult", "room", 0, 0)


def test_101_and_603(flat: House) -> None:
    """SPEC L9: logged out by the user."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.api.logout()
    ann.gets("onChannelLeaved", "room", 603)
    ann.gets("onLogout", 101)


def test_102_and_604(flat: House) -> None:
    """SPEC L10, S7: the network stays away: out of the channel, calls fail with 702, then 102."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url, settings=QUICK).enter(count=3)
    [bob] = flat.enter("bob")
    ann.join("room", "ann")
    calls(ann, bob)
    relay.shut()
    found = told(ann, "onChannelLeaved", "onInviteFailed", "onLogout")
    assert [args[:2] for _, args in found] == [("room", 604), ("room", "bob"), (102,)]
    assert found[1][1][3] == 702


def test_604_and_a_new_session(flats: dict[str, House]) -> None:
    """SPEC S7: the connection comes back too late for the session: 604, 702, then onReconnected."""
    house = flats["brief"]
    relay = house.relay()
    ann = house.person("ann", url=relay.url, settings=QUICK).enter()
    [bob] = house.enter("bob")
    ann.join("room", "ann")
    calls(ann, bob)
    relay.shut()
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")  # the session is over
    relay.reopen()
    found = told(ann, "onChannelLeaved", "onInviteFailed", "onReconnected")
    assert found[0][1] == ("room", 604)
    assert found[1][1][:4] == ("room", "bob", 0, 702)
    ann.heard_all()


def test_103_and_601(flat: House) -> None:
    """SPEC L7: the account logs in elsewhere."""
    [here] = flat.enter("ann")
    here.join("room", "ann")
    flat.enter("ann")
    here.gets("onChannelLeaved", "room", 601)
    here.gets("onLogout", 103)


def test_105(flats: dict[str, House]) -> None:
    """SPEC L6: at a reconnect the token has expired, and the session is gone."""
    house = flats["secret"]
    relay = house.relay()
    ann = house.person("ann", url=relay.url, settings=QUICK)
    ann.enter(token("ann", 6))
    expiry = int(time.time()) + 6
    relay.shut()
    ann.gets("onReconnecting", 1)
    while time.time() < expiry + 0.4:  # the token's end is absolute: there is nothing else to wait for
        time.sleep(0.05)
    relay.reopen()
    assert told(ann, "onLogout") == [("onLogout", (105,))]


def test_107(flats: dict[str, House], tmp_path: Path) -> None:
    """SPEC L6: at a reconnect the certificate is another one."""
    house = flats["secret"]
    relay = house.relay()
    ann = house.person("ann", url=relay.url, settings=QUICK).enter(token("ann"))
    config = SERVER.replace('"certificate"', '"another"')
    with ServerProcess(tmp_path, config=config) as other:
        relay.target = other.port
        relay.cut()
        assert told(ann, "onLogout") == [("onLogout", (107,))]


def test_108(flat: House) -> None:
    """SPEC L9: logout without a login is a line in the log."""
    ann = flat.person("ann")
    ann.api.logout()
    ann.logs("108")


def test_201(flats: dict[str, House]) -> None:
    """SPEC L5: no App ID, an unknown one, no token, no server."""
    house = flats["secret"]
    ann = house.person("ann")
    for app, given in (("unknown", NO_TOKEN), ("", ""), ("", None)):
        ann.api.login(app, "ann", given, 0, "")
        ann.gets("onLoginFailed", 201)
    relay = house.relay()
    relay.shut()
    bob = house.person("bob", url=relay.url)
    bob.api.login2("", "bob", token("bob"), 0, "", 0.1, 1)
    bob.gets("onLoginFailed", 201)


@pytest.mark.parametrize("app_id", ["", None])
def test_201_if_there_is_no_app_id_at_all(flat: House, app_id: str | None) -> None:
    """SPEC S9: neither the instance nor the login has one."""
    nobody = Person(flat.url, "", "ann")
    nobody.api.login(app_id, "ann", NO_TOKEN, 0, "")
    nobody.gets("onLoginFailed", 201)
    nobody.api.destroy()


def test_203(flat: House) -> None:
    """SPEC L9: logout while connecting."""
    relay = flat.relay()
    relay.silence()
    ann = flat.person("ann", url=relay.url)
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    assert ann.api.getStatus() == 1
    ann.api.logout()
    ann.gets("onLoginFailed", 203)


def test_204(flats: dict[str, House]) -> None:
    """SPEC L3: the token has expired."""
    ann = flats["secret"].person("ann")
    ann.api.login("", "ann", token("ann", -10), 0, "")
    ann.gets("onLoginFailed", 204)


def test_206(flats: dict[str, House]) -> None:
    """SPEC L3, L4: the token is not right."""
    ann = flats["secret"].person("ann")
    for wrong in (token("bob"), token("ann", certificate="another"), NO_TOKEN, "x"):
        ann.api.login("", "ann", wrong, 0, "")
        ann.gets("onLoginFailed", 206)


def test_207(flat: House) -> None:
    """SPEC E1: superseded at the first login already. No server of ours says that: a scripted one does."""
    with ScriptedServer({"login": ("kick", {})}) as script:
        ann = flat.person("ann", url=script.url)
        ann.api.login("", "ann", NO_TOKEN, 0, "")
        ann.gets("onLoginFailed", 207)


def test_208(flat: House) -> None:
    """SPEC L8: login while logged in is a line in the log."""
    [ann] = flat.enter("ann")
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.logs("208")


def test_209(flat: House) -> None:
    """SPEC L2: onLoginFailed(209), and onError with what is wrong."""
    ann = flat.person("ann")
    for method, account, code in (("login", "a b", 1004), ("login2", "x" * 129, 1005), ("login", "", 1004)):
        limits = (30, 15) if method == "login2" else ()
        getattr(ann.api, method)("", account, NO_TOKEN, 0, "", *limits)
        ann.fails(method, code, "onLoginFailed", 209)


@pytest.fixture
def crowded(flat: House) -> Iterator[Person]:
    """Somebody who may have one request without an answer, and has it."""
    relay = flat.relay()
    settings = Settings(unanswered_requests=1)
    ann = flat.person("ann", url=relay.url, settings=settings).enter()
    relay.silence()
    ann.api.setAttr("a", "1")
    yield ann
    relay.speak()
    ann.api.logout()
    ann.gets("onLogout", 101)


# --- requests ---------------------------------------------------------------------------------


def test_300(crowded: Person, flats: dict[str, House]) -> None:
    """SPEC E1, P4: a join that failed for another reason than an argument."""
    crowded.api.channelJoin("room")
    crowded.gets("onChannelJoinFailed", "room", 300)
    [ann] = flats["few"].enter("ann")
    ann.api.channelJoin("__agora_user_online")  # only those whom the configuration names
    ann.gets("onChannelJoinFailed", "__agora_user_online", 300)


def test_400(flats: dict[str, House]) -> None:
    """SPEC M8: too many messages; C4: not a member."""
    [ann] = flats["few"].enter("ann")
    ann.api.messageChannelSend("room", "hi", "1")
    ann.gets("onMessageSendError", "1", 400)
    for _ in range(12):
        ann.api.messageInstantSend("dave", 0, "hi", "2")
    assert ("onMessageSendError", ("2", 400)) in [ann.handler.next() for _ in range(12)]


def test_401_and_501_and_the_other_silences(flat: House) -> None:
    """SPEC E1: nobody answers; every request fails once, in its own way."""
    relay = flat.relay()
    ann = flat.person("ann", url=relay.url, settings=IMPATIENT).enter()
    relay.silence()
    ann.api.messageInstantSend("bob", 0, "hi", "1")
    ann.api.messageChannelSendForce("room", "hi", "2")
    ann.api.channelQueryUserNum("room")
    ann.api.channelJoin("room")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.api.invoke("io.agora.signal.channel_query_num", '{"name":"room"}', "3")
    ann.api.setAttr("a", "1")
    ann.gets("onMessageSendError", "1", 401)
    ann.gets("onMessageSendError", "2", 401)
    ann.gets("onChannelQueryUserNumResult", "room", 501, 0)
    ann.gets("onChannelJoinFailed", "room", 300)
    ann.invitation_fails("room", "bob", 702)
    name, (call, err, resp) = ann.handler.next()
    assert (name, call) == ("onInvokeRet", "3")
    assert json.loads(resp) == {"code": 501, "reason": err}
    assert err
    ann.fails("set_attr", 1001)
    ann.api.logout()
    ann.gets("onLogout", 101)


def test_500(crowded: Person) -> None:
    """SPEC E1: a query that failed for another reason than an argument."""
    crowded.api.channelQueryUserNum("room")
    crowded.gets("onChannelQueryUserNumResult", "room", 500, 0)


def test_602(flat: House) -> None:
    """SPEC C3: by the user."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    ann.api.channelLeave("room")
    ann.gets("onChannelLeaved", "room", 602)


# --- calls ------------------------------------------------------------------------------------


def test_700(crowded: Person) -> None:
    """SPEC E1: an invitation that failed for none of the other reasons."""
    crowded.api.channelInviteUser("room", "bob", 0)
    crowded.invitation_fails("room", "bob", 700)


def test_701(flat: House) -> None:
    """SPEC K8: the same call rings already."""
    ann, bob = flat.enter("ann", "bob")
    calls(ann, bob)
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 701)


def test_702(flat: House) -> None:
    """SPEC K8, L19: in states 1 and 3, at once."""
    relay = flat.relay()
    relay.silence()
    ann = flat.person("ann", url=relay.url)
    ann.api.login("", "ann", NO_TOKEN, 0, "")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 702)
    relay.speak()
    ann.gets("onLoginSuccess", 0, 0)
    relay.shut()
    ann.gets("onReconnecting", 1)
    ann.api.channelInviteUser("room", "bob", 0)
    assert told(ann, "onInviteFailed")[0][1][3] == 702


def test_703(flats: dict[str, House]) -> None:
    """SPEC K5: the peer is offline."""
    [ann] = flats["peer"].enter("ann")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 703)


def test_704(flats: dict[str, House]) -> None:
    """SPEC K6: not answered in time."""
    ann, bob = flats["ring"].enter("ann", "bob")
    calls(ann, bob)
    ann.invitation_fails("room", "bob", 704)
    bob.gets("onInviteEndByPeer", "room", "ann", 0, "")


async def test_705(flats: dict[str, House], server: ServerProcess) -> None:
    """SPEC K7: not confirmed by the peer's device in time."""
    mute: RawClient = await server.client("bob", app="confirm", device="signalpost-python")
    [ann] = flats["confirm"].enter("ann")
    ann.api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 705)
    await mute.close()


# --- the general ones -------------------------------------------------------------------------


def test_1000(flats: dict[str, House]) -> None:
    """SPEC C9: more was missed than the server keeps: onError says how many."""
    house = flats["few"]
    relay = house.relay()
    ann = house.person("ann", url=relay.url).enter()
    ann.join("room", "ann")
    relay.shut()
    ann.gets("onReconnecting", 1)
    others = house.enter("bob", "eve", "joe")
    for other in others:
        for number in range(2):
            other.api.messageChannelSendForce("room", str(number), "")
            assert other.handler.next()[0] == "onMessageSendSuccess"
    relay.reopen()
    found = told(ann, "onReconnected", "onError", "onMessageChannelReceive")[1][1]
    assert found[:2] == ("channel_events", 1000)
    assert "4 events of room" in str(found[2])
    assert ann.handler.next()[0] == "onMessageChannelReceive"


def test_1001(flat: House) -> None:
    """SPEC K12: an answer to no open call; M10: too many requests."""
    [ann] = flat.enter("ann")
    ann.api.channelInviteAccept("room", "bob", 0, "")
    ann.fails("channel_invite_accept", 1001)
    ann.api.channelInviteRefuse("room", "bob", 0, "")
    ann.fails("channel_invite_refuse", 1001)
    ann.api.channelInviteDTMF("room", "bob", "1")
    ann.fails("channel_invite_dtmf", 1001)


def test_1001_for_too_many_requests(flats: dict[str, House]) -> None:
    """SPEC M10: the surplus is refused, whatever it is, and told both ways."""
    [ann] = flats["few"].enter("ann")
    for _ in range(10):
        ann.api.channelQueryUserNum("room")
    codes = []
    for _ in range(10):
        name, args = ann.handler.next()
        assert (name, args[0], args[2]) == ("onChannelQueryUserNumResult", "room", 0)
        codes.append(args[1])
        if args[1]:
            ann.fails("channel_query_user_num", 1001)
    assert set(codes) == {0, 1001}
    name, deadline = "onError", time.monotonic() + 20
    while name == "onError":  # it goes on after a second, by the server's clock
        assert time.monotonic() < deadline
        ann.api.queryUserStatus("nobody")
        name, _ = ann.handler.next()
    ann.api.logout()  # there may be no room for a question at the end
    ann.gets("onLogout", 101)


def test_1001_for_too_many_attributes(flats: dict[str, House]) -> None:
    """SPEC P2: at most 100 an account."""
    [ann] = flats["many"].enter("ann")
    for number in range(101):
        ann.api.setAttr(f"name {number}", "")
    ann.fails("set_attr", 1001)


def test_1002(flat: House) -> None:
    """SPEC §7: a failure of which this client does not know the code. Only a scripted server says that."""
    with ScriptedServer(
        {"user_set_attr": ("", {"result": "failed", "reason": "odd", "code": 9999})}
    ) as script:
        ann = flat.person("ann", url=script.url).enter()
        ann.api.setAttr("a", "1")
        assert ann.fails("set_attr", 1002) == "odd"
        ann.api.destroy()


@pytest.mark.parametrize("instead", [{}, None, True], ids=["missing", "null", "true"])
def test_answers_that_lack_what_they_have_to_say(flat: House, instead: object) -> None:
    """SPEC E1, E3: a failure of the method, as any other."""
    members = ("id", "status", "value", "json", "num", "isin", "list")
    lacking = {"result": "ok"} | ({} if instead == {} else dict.fromkeys(members, instead))
    functions = ("user_sendmsg", "channel_sendmsg", "user_query_user_status", "user_get_attr")
    others = ("user_get_attr_all", "channel_query_num", "channel_query_userlist")
    with ScriptedServer(dict.fromkeys((*functions, *others), ("", lacking))) as script:
        ann = flat.person("ann", url=script.url).enter()
        ann.api.messageInstantSend("bob", 0, "hi", "1")
        ann.gets("onMessageSendError", "1", 400)
        ann.api.messageChannelSend("room", "hi", "2")
        ann.gets("onMessageSendError", "2", 400)
        ann.api.queryUserStatus("bob")
        ann.fails("query_user_status", 1001)
        ann.api.getAttr("a")
        ann.fails("get_attr", 1001)
        ann.api.getAttrAll()
        ann.fails("get_attr_all", 1001)
        ann.api.getUserAttr("bob", "a")
        ann.fails("get_user_attr", 1001)
        ann.api.getUserAttrAll("bob")
        ann.fails("get_user_attr_all", 1001)
        ann.api.channelQueryUserNum("room")
        ann.gets("onChannelQueryUserNumResult", "room", 500, 0)
        ann.api.invoke("io.agora.signal.channel_query_userlist", '{"name":"room"}', "7")
        name, args = ann.handler.next("onInvokeRet")
        assert (name, args[0], json.loads(args[2])["code"]) == ("onInvokeRet", "7", 500)
        assert args[1]
        ann.api.destroy()


def test_1003(flat: House) -> None:
    """SPEC E2: in state 0 each method fails in its own way, once."""
    ann = flat.person("ann")
    api = ann.api
    api.messageInstantSend("bob", 0, "hi", "1")
    ann.fails("message_instant_send", 1003, "onMessageSendError", "1", 1003)
    api.messageChannelSend("room", "hi", "2")
    ann.fails("message_channel_send", 1003, "onMessageSendError", "2", 1003)
    api.messageChannelSendForce("room", "hi", "3")
    ann.fails("message_channel_send_force", 1003, "onMessageSendError", "3", 1003)
    api.messageDTMFSend(0, "1", "4")
    ann.fails("message_dtmf_send", 1003, "onMessageSendError", "4", 1003)
    api.channelJoin("room")
    ann.fails("channel_join", 1003, "onChannelJoinFailed", "room", 1003)
    api.channelQueryUserNum("room")
    ann.fails("channel_query_user_num", 1003, "onChannelQueryUserNumResult", "room", 1003, 0)
    api.channelInviteUser("room", "bob", 0)
    ann.invitation_fails("room", "bob", 1003, "channel_invite_user")
    api.channelInviteUser2("room", "bob", "")
    ann.invitation_fails("room", "bob", 1003, "channel_invite_user2")
    api.channelInvitePhone("room", "+49301", 0)
    ann.invitation_fails("room", "+49301", 1003, "channel_invite_phone")
    api.channelInvitePhone2("room", "+49301", "+1")
    ann.invitation_fails("room", "+49301", 1003, "channel_invite_phone2")
    api.channelInvitePhone3("room", "+49301", "+1", "")
    ann.invitation_fails("room", "+49301", 1003, "channel_invite_phone3")
    api.invoke("io.agora.signal.channel_query_num", '{"name":"room"}', "5")
    name, (call, err, resp) = ann.handler.next()
    assert (name, call) == ("onInvokeRet", "5")
    assert json.loads(resp) == {"code": 1003, "reason": err}
    assert ann.fails("invoke", 1003) == err


NO_CALLBACK = {
    "query_user_status": ("queryUserStatus", "bob"),
    "set_attr": ("setAttr", "a", "1"),
    "get_attr": ("getAttr", "a"),
    "get_attr_all": ("getAttrAll",),
    "get_user_attr": ("getUserAttr", "bob", "a"),
    "get_user_attr_all": ("getUserAttrAll", "bob"),
    "channel_leave": ("channelLeave", "room"),
    "channel_set_attr": ("channelSetAttr", "room", "a", "1"),
    "channel_del_attr": ("channelDelAttr", "room", "a"),
    "channel_clear_attr": ("channelClearAttr", "room"),
    "channel_invite_accept": ("channelInviteAccept", "room", "bob", 0, ""),
    "channel_invite_refuse": ("channelInviteRefuse", "room", "bob", 0, ""),
    "channel_invite_dtmf": ("channelInviteDTMF", "room", "bob", "1"),
}


@pytest.mark.parametrize("name", NO_CALLBACK)
def test_1003_of_what_has_no_callback(flat: House, name: str) -> None:
    """SPEC E2: anything else is told by onError."""
    method, *args = NO_CALLBACK[name]
    ann = flat.person("ann")
    getattr(ann.api, method)(*args)
    ann.fails(name, 1003)


def test_1004_and_1005(flat: House) -> None:
    """SPEC E1, E3: from the client, before anything is sent, and from the server."""
    [ann] = flat.enter("ann")
    ann.api.messageInstantSend("bob", 0, "x" * 8197, "1")
    ann.fails("message_instant_send", 1005, "onMessageSendError", "1", 1005)
    ann.api.channelInviteUser("room", "ann", 0)  # oneself
    ann.invitation_fails("room", "ann", 1004, "channel_invite_user")
    ann.api.channelSetAttr("room", "_channel_ttl", "soon")
    ann.fails("channel_set_attr", 1004)


class ScriptedServer:
    """Says what no server of ours would. By function: the answer's error and body."""

    def __init__(self, answers: dict[str, tuple[str, dict[str, object]]]) -> None:
        self._answers = {"login": ("", {"result": "ok", "line": "x", "inbox": "x"}), **answers}
        self._server = serve(self._talk, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)

    def _talk(self, connection: ServerConnection) -> None:
        for frame in connection:
            match json.loads(frame):
                case ["login", _]:
                    error, body = self._answers["login"]
                    answer = ["login_ret", [error, json.dumps(body)]]
                case ["call2", [func, number, _]]:
                    error, body = self._answers.get(func, ("", {"result": "ok"}))
                    answer = ["call2-ret", [number, error, json.dumps(body)]]
                case _:
                    continue
            connection.send(json.dumps(answer))
