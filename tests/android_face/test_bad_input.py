"""Every argument of every method, wrong in type, empty, and too long: told as documented, nothing is sent.

`uid`, `deviceID` and `context` are not looked at, and the labels `msgID` and `callID` are given back as they
came: there is nothing that they may not be.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from android_face.names import DEPRECATED, METHODS
from android_face.people import NO_TOKEN, House, Person
from signalpost.android import AgoraAPIOnlySignal
from support.server import ServerProcess

WRONG_TYPES = [None, True, [], {}, b"bytes", object()]
NAME = [(each, 1004) for each in [*WRONG_TYPES, "", "a b", "a\0", "\ud800", "\u3000"]]
NAME += [("x" * 129, 1005), ("ä" * 65, 1005), (10**130, 1005), (10**5000, 1005)]
CALL_CHANNEL = [(value, code) for value, code in NAME if value != ""]  # empty: the server makes one (K10)
RESERVED = [("__agora_user_online", 1004), ("__agora_x", 1004)]
LABEL = [(each, 1004) for each in [*WRONG_TYPES, "", "a\0", "\ud800"]] + [("x" * 129, 1005)]
TEXT = [(object(), 1004), ({1: object()}, 1004), ("a\0", 1004), ("\ud800", 1004)]
VALUE = [*TEXT, ("x" * 8097, 1005), (["x" * 8097], 1005)]
INSTANT = [*TEXT, ("x" * 8197, 1005), ("ä" * 4099, 1005)]
CHANNEL_TEXT = [*TEXT, ("x" * 8193, 1005)]
JSON = [*TEXT, ("{", 1004), ("text", 1004), ('"' + "x" * 8191 + '"', 1005), ("[" * 8000, 1004)]
ANY_TEXT = [*TEXT, ("x" * 8193, 1005)]
KEYS = [(each, 1004) for each in [*WRONG_TYPES, "", "a", "1 2", "\uff11", 12]] + [("1" * 65, 1005)]
PHONE = [(each, 1004) for each in [*WRONG_TYPES, "", "030123", "+", "+4912a", "+" + "1" * 16, 4930123]]
OBJECT = [*JSON, ("[1]", 1004), ('"x"', 1004), ("1", 1004)]
REQUEST = [(each, 1004) for each in [None, 1, [], b"{}", "[]", "1", "{", '{"name":"a b"}', {"name": []}]]
REQUEST += [('{"name":"' + "x" * 129 + '"}', 1005), ("\ud800", 1004)]

#: By method: arguments that are right, and by parameter what is wrong.
CASES: dict[str, tuple[tuple[Any, ...], dict[str, list[tuple[Any, int]]]]] = {
    "queryUserStatus": (("bob",), {"account": NAME}),
    "setAttr": (("a", "1"), {"name": LABEL, "value": VALUE}),
    "getAttr": (("a",), {"name": LABEL}),
    "getUserAttr": (("bob", "a"), {"account": NAME, "name": LABEL}),
    "getUserAttrAll": (("bob",), {"account": NAME}),
    "messageInstantSend": (("bob", 0, "hi", "id"), {"account": NAME, "msg": INSTANT}),
    "messageChannelSend": (("room", "hi", "id"), {"channelID": NAME + RESERVED, "msg": CHANNEL_TEXT}),
    "messageChannelSendForce": (("room", "hi", "id"), {"channelID": NAME + RESERVED, "msg": CHANNEL_TEXT}),
    "messageDTMFSend": ((0, "1", "id"), {"msg": KEYS}),
    "channelJoin": (("room",), {"channelID": NAME}),
    "channelLeave": (("room",), {"channelID": NAME}),
    "channelQueryUserNum": (("room",), {"channelID": NAME}),
    "channelSetAttr": (("room", "a", "1"), {"channelID": NAME + RESERVED, "name": LABEL, "value": VALUE}),
    "channelDelAttr": (("room", "a"), {"channelID": NAME + RESERVED, "name": LABEL}),
    "channelClearAttr": (("room",), {"channelID": NAME + RESERVED}),
    "channelInviteUser": (("room", "bob", 0), {"channelID": CALL_CHANNEL, "account": NAME}),
    "channelInviteUser2": (
        ("room", "bob", ""),
        {"channelID": CALL_CHANNEL, "account": NAME, "extra": JSON},
    ),
    "channelInvitePhone": (("room", "+49301", 0), {"channelID": CALL_CHANNEL, "phoneNum": PHONE}),
    "channelInvitePhone2": (
        ("room", "+49301", "+1"),
        {"channelID": CALL_CHANNEL, "phoneNum": PHONE, "sourcesNum": NAME},
    ),
    "channelInvitePhone3": (
        ("room", "+49301", "+1", ""),
        {"channelID": CALL_CHANNEL, "phoneNum": PHONE, "sourcesNum": NAME, "extra": OBJECT},
    ),
    "channelInviteDTMF": (
        ("room", "bob", "1"),
        {"channelID": CALL_CHANNEL, "phoneNum": NAME, "dtmf": KEYS},
    ),
    "channelInviteAccept": (
        ("room", "bob", 0, ""),
        {"channelID": CALL_CHANNEL, "account": NAME, "extra": ANY_TEXT},
    ),
    "channelInviteRefuse": (
        ("room", "bob", 0, ""),
        {"channelID": CALL_CHANNEL, "account": NAME, "extra": ANY_TEXT},
    ),
    "channelInviteEnd": (("room", "bob", 0), {"channelID": CALL_CHANNEL, "account": NAME}),
    "invoke": (("io.agora.signal.channel_query_num", '{"name":"room"}', "id"), {"req": REQUEST}),
}
NOT_LOOKED_AT = {"context", "uid", "deviceID", "msgID", "callID"}
ELSEWHERE = {
    ("getInstance", "appId"): "test_login_with_bad_arguments",
    ("createAgoraSDKInstance", "appId"): "test_login_with_bad_arguments",
    ("callbackSet", "handler"): "test_a_handler_without_callbacks",
    ("invoke", "name"): "test_user_methods.py: test_invoke_of_another_name",
}
SNAKE = {
    "queryUserStatus": "query_user_status",
    "setAttr": "set_attr",
    "getAttr": "get_attr",
    "getUserAttr": "get_user_attr",
    "getUserAttrAll": "get_user_attr_all",
    "messageInstantSend": "message_instant_send",
    "messageChannelSend": "message_channel_send",
    "messageChannelSendForce": "message_channel_send_force",
    "messageDTMFSend": "message_dtmf_send",
    "channelJoin": "channel_join",
    "channelLeave": "channel_leave",
    "channelQueryUserNum": "channel_query_user_num",
    "channelSetAttr": "channel_set_attr",
    "channelDelAttr": "channel_del_attr",
    "channelClearAttr": "channel_clear_attr",
    "channelInviteUser": "channel_invite_user",
    "channelInviteUser2": "channel_invite_user2",
    "channelInvitePhone": "channel_invite_phone",
    "channelInvitePhone2": "channel_invite_phone2",
    "channelInvitePhone3": "channel_invite_phone3",
    "channelInviteDTMF": "channel_invite_dtmf",
    "channelInviteAccept": "channel_invite_accept",
    "channelInviteRefuse": "channel_invite_refuse",
    "channelInviteEnd": "channel_invite_end",
    "invoke": "invoke",
}
WRONG = [(method, parameter) for method, (_, wrong) in CASES.items() for parameter in wrong]


@pytest.fixture(scope="module")
def ann(dev_server: ServerProcess) -> Iterator[Person]:
    """Somebody who is logged in; nothing that is wrong harms the session."""
    house = House(dev_server)
    [ann] = house.enter("ann")
    yield ann
    house.close()


def test_every_argument_is_given_wrong() -> None:
    """Every parameter of every method of the document is in one of the tables above, or in LOGIN below."""
    login = {"login": set(LOGIN) - {"retry_time_in_s", "retry_count"}, "login2": set(LOGIN)}
    for method, parameters in (METHODS | DEPRECATED).items():
        judged = set(CASES[method][1]) if method in CASES else login.get(method, set())
        judged |= {parameter for name, parameter in ELSEWHERE if name == method}
        assert judged == set(parameters.split()) - NOT_LOOKED_AT, method


@pytest.mark.parametrize(("method", "parameter"), WRONG)
def test_wrong_arguments(ann: Person, method: str, parameter: str) -> None:
    """SPEC E1, E3: 1004 or 1005 through the method's own callback, if it has one, and onError, once each."""
    right, wrong = CASES[method]
    place = list(inspect.signature(getattr(ann.api, method)).parameters).index(parameter)
    for value, code in wrong[parameter]:
        args = [*right[:place], value, *right[place + 1 :]]
        getattr(ann.api, method)(*args)
        own = own_callback(method, args, code)
        name, told = ann.handler.next((method, value))
        if own is not None:
            assert (name, told[: len(own[1])]) == own
            name, told = ann.handler.next((method, value))
        assert (name, *told[:2]) == ("onError", SNAKE[method], code), (value, told)
        assert told[2]
        if name == "onInvokeRet":
            assert told[1]
    ann.settle()


def own_callback(method: str, args: list[Any], code: int) -> tuple[str, tuple[Any, ...]] | None:
    """What comes besides onError."""
    if method.startswith("message"):
        return "onMessageSendError", ("id", code)
    if method == "channelJoin":
        return "onChannelJoinFailed", (text(args[0]), code)
    if method == "channelQueryUserNum":
        return "onChannelQueryUserNumResult", (text(args[0]), code, 0)
    if method.startswith(("channelInviteUser", "channelInvitePhone")):
        return "onInviteFailed", (text(args[0]), text(args[1]), 0, code)
    if method == "invoke":
        return "onInvokeRet", ("id",)
    return None


def text(value: Any) -> str:
    """Arguments come back as text; what is neither text nor a number that does comes back as nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value < 10**128 else ""


#: By parameter of a login: what is wrong, the code for onLoginFailed, and that for onError; 0: there is none.
LOGIN: dict[str, list[tuple[Any, int, int]]] = {
    "appId": [
        *((each, 201, 1004) for each in (5, [], {}, b"x", object(), "a b", "\ud800")),
        ("x" * 129, 201, 1005),
    ],
    "account": [(value, 209, code) for value, code in NAME],
    "token": [
        *((each, 206, 1004) for each in (5, [], {}, b"x", object(), "a\0", "\ud800")),
        ("x" * 8193, 206, 1005),
        ("", 201, 0),
        (None, 201, 0),
    ],
    "retry_time_in_s": [(each, 1004, 1004) for each in (True, "30", [], object(), float("nan"))],
    "retry_count": [(each, 1004, 1004) for each in (True, "15", [], object(), float("nan"))],
}


@pytest.mark.parametrize("parameter", LOGIN)
@pytest.mark.parametrize("method", ["login", "login2"])
def test_login_with_bad_arguments(flat: House, method: str, parameter: str) -> None:
    """SPEC L1, L2, L5, E3: onLoginFailed once, and onError for what is no argument at all."""
    ann = flat.person("ann")
    call = getattr(ann.api, method)
    parameters = list(inspect.signature(call).parameters)
    right = {"appId": "", "account": "ann", "token": NO_TOKEN, "uid": 0, "deviceID": ""}
    if parameter not in parameters:
        return
    for value, own, code in LOGIN[parameter]:
        given = {**right, parameter: value}
        call(**given)
        if code:
            ann.fails(method, code, "onLoginFailed", own)
        else:
            ann.gets("onLoginFailed", own)
        assert ann.api.getStatus() == 0
    if parameter == "appId":  # the instance's own is judged in the same way
        for value, own, code in LOGIN[parameter]:
            other = Person(flat.url, value, "ann")
            other.api.login("", "ann", NO_TOKEN, 0, "")
            other.fails("login", code, "onLoginFailed", own)
            other.api.destroy()


@pytest.mark.parametrize("limit", [10**400, float("inf"), 1e300, 0.5], ids=["int", "inf", "float", "less"])
def test_odd_limits_of_retries(flat: House, limit: float) -> None:
    """SPEC L10: any number is a limit."""
    ann = flat.person("ann")
    ann.api.login2("", "ann", NO_TOKEN, 0, "", limit, limit)
    ann.gets("onLoginSuccess", 0, 0)


@pytest.mark.parametrize("odd", [None, "x", -1, [], object()])
def test_what_is_not_looked_at(flat: House, odd: Any) -> None:
    """SPEC L1, M1, C12: uid, deviceID and context mean nothing; labels come back as they are."""
    ann = flat.person("ann")
    ann.api.login("", "ann", NO_TOKEN, odd, odd)
    ann.gets("onLoginSuccess", 0, 0)
    ann.api.messageInstantSend("bob", odd, "hi", odd)
    name, (label,) = ann.handler.next()
    assert name == "onMessageSendSuccess"
    assert label is odd or odd is None
    ann.api.invoke("io.agora.signal.channel_query_num", '{"name":"room"}', odd)
    name, (label, _, _) = ann.handler.next()
    assert (name, label is odd) == ("onInvokeRet", True)
    other = AgoraAPIOnlySignal.createAgoraSDKInstance(odd, flat.app, url=flat.url)
    other.destroy()


@pytest.mark.parametrize("handler", [5, "x", object(), type("Half", (), {"onLog": print})()])
def test_a_handler_without_callbacks(flat: House, handler: Any) -> None:
    """SPEC S2: it has to have all of them; else the one before stays."""
    ann = flat.person("ann")
    ann.api.callbackSet(handler)
    ann.fails("callback_set", 1004)
    assert ann.api.callbackGet() is ann.handler


def test_numbers_as_names(flat: House) -> None:
    """SPEC §1: numbers given as names become their decimal text."""
    ann = flat.person("17")
    ann.api.login("", 17, NO_TOKEN, 0, "")
    ann.gets("onLoginSuccess", 0, 0)
    ann.api.channelJoin(5)
    ann.gets("onChannelJoined", "5")
    ann.gets("onChannelUserList", ["17"], [0])
    ann.api.channelInviteUser(5, 17, 0)
    ann.invitation_fails("5", "17", 1004, "channel_invite_user")
