"""What an application gives is checked before anything is sent (client/arguments.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from signalpost.client import arguments
from signalpost.client.arguments import Ask
from signalpost.client.errors import ArgumentError, RequestError
from support.conversation import VECTORS

NAMES = json.loads((VECTORS / "names.json").read_text())
TOO_LONG = "a" * 129


def code_of(make: Callable[[], Any]) -> int:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert caught.value.reason
    return int(caught.value.code)


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [arguments.account_name, arguments.channel_name])
def test_names(check: Callable[[Any], str]) -> None:
    """SPEC §1: what is a name, and what is none, is in the vectors."""
    for case in NAMES["valid"]:
        assert check(case["name"]) == case["name"]
    for case in NAMES["invalid"]:
        assert code_of(lambda case=case: check(case["name"])) == case["code"], case["why"]


@pytest.mark.parametrize(("number", "text"), [(7, "7"), (-7, "-7"), (7.0, "7"), (1.5, "1.5"), (0, "0")])
def test_numbers_as_names_are_their_decimal_text(number: float, text: str) -> None:
    """SPEC §1."""
    assert arguments.account_name(number) == text
    assert arguments.query_number(number) == Ask("channel_query_num", {"name": text})
    assert arguments.set_user_attribute(number, "v").args["name"] == text


@pytest.mark.parametrize("value", [None, True, b"ada", [], {}, object(), float("nan"), float("inf")])
def test_what_cannot_be_a_name(value: Any) -> None:
    """SPEC E1: 1004."""
    assert code_of(lambda: arguments.account_name(value)) == 1004
    assert code_of(lambda: arguments.channel_name(value)) == 1004
    assert code_of(lambda: arguments.get_user_attribute("ada", value)) == 1004


def test_attribute_names() -> None:
    """SPEC P2, C10: 1 to 128 bytes, blanks allowed."""
    assert arguments.get_user_attribute("ada", "a b").args["name"] == "a b"
    for make in (
        lambda name: arguments.set_user_attribute(name, "v"),
        lambda name: arguments.get_user_attribute("ada", name),
        lambda name: arguments.set_channel_attribute("room", name, "v"),
        lambda name: arguments.delete_channel_attribute("room", name),
    ):
        assert make("\u00e9" * 64).args["name"]
        assert code_of(lambda make=make: make("")) == 1004
        assert code_of(lambda make=make: make("a\0")) == 1004
        assert code_of(lambda make=make: make("\ud800")) == 1004
        assert code_of(lambda make=make: make(TOO_LONG)) == 1005
        assert code_of(lambda make=make: make("\u00e9" * 65)) == 1005


# --- contents ------------------------------------------------------------------------------------

CONTENTS: list[tuple[Callable[[Any], Ask], str, int]] = [
    (lambda text: arguments.send("bo", text), "content", 8196),
    (lambda text: arguments.send_to_channel("room", text), "msg", 8192),
    (lambda text: arguments.send_to_channel("room", text, force=True), "msg", 8192),
    (lambda text: arguments.set_user_attribute("n", text), "value", 8096),
    (lambda text: arguments.set_channel_attribute("room", "n", text), "value", 8096),
]


@pytest.mark.parametrize(("make", "field", "most"), CONTENTS)
def test_contents_and_their_limits(make: Callable[[Any], Ask], field: str, most: int) -> None:
    """SPEC M1, C4, C10, P2: bytes of UTF-8; an empty one is allowed."""
    for text in ("", " two  words ", "a" * most, "\u00e9" * (most // 2)):
        assert make(text).args[field] == text
    for text in ("a" * (most + 1), "\u00e9" * (most // 2 + 1)):
        assert code_of(lambda text=text: make(text)) == 1005
    for text in ("a\0b", "\ud800"):
        assert code_of(lambda text=text: make(text)) == 1004


@pytest.mark.parametrize(("make", "field", "most"), CONTENTS)
def test_contents_that_are_no_text(make: Callable[[Any], Ask], field: str, most: int) -> None:
    """SPEC §1: they travel as their JSON text; what has none is refused."""
    assert make({"a": [1, None, "\u00fc"]}).args[field] == '{"a":[1,null,"\u00fc"]}'
    assert make(7).args[field] == "7"
    assert make(True).args[field] == "true"
    assert code_of(lambda: make(["a" * most])) == 1005
    deep: list[Any] = []
    deep.append(deep)
    for value in (object(), b"bytes", bytearray(b"x"), {"a": "\ud800"}, deep):
        assert code_of(lambda value=value: make(value)) == 1004


def test_nobody_sends_into_special_channels() -> None:
    """SPEC P5: nor changes them; joining and asking is allowed."""
    name = "__agora_user_online"
    for make in (
        lambda: arguments.send_to_channel(name, "x"),
        lambda: arguments.send_to_channel(name, "x", force=True),
        lambda: arguments.set_channel_attribute(name, "n", "v"),
        lambda: arguments.delete_channel_attribute(name, "n"),
        lambda: arguments.clear_channel_attributes(name),
        lambda: arguments.clear_channel_attributes("__agora_anything"),
    ):
        assert code_of(make) == 1004
    assert arguments.join(name).args == {"name": name}
    assert arguments.query_number(name).args == {"name": name}


# --- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        (None, ""),
        ("", ""),
        ("{}", "{}"),
        (' {"a": 1}', ' {"a": 1}'),
        ("7", "7"),
        ({"_timeout": 5, "a": "\u00fc"}, '{"_timeout":5,"a":"\u00fc"}'),
    ],
)
def test_extras_of_invitations(extra: Any, text: str) -> None:
    """SPEC K1, K9: JSON text or nothing, as it is."""
    assert arguments.invitation_extra(extra) == text


@pytest.mark.parametrize("extra", ["no JSON", "{", "{}x", "[" * 3000, " ", object(), b"{}"])
def test_extras_of_invitations_that_are_no_json(extra: Any) -> None:
    """SPEC K1: 1004."""
    assert code_of(lambda: arguments.invitation_extra(extra)) == 1004


def test_extras_of_answers() -> None:
    """SPEC K2: any text of 8 KiB."""
    for text in ("", "no JSON {", "a" * 8192):
        assert arguments.answer_extra(text) == text
    assert arguments.answer_extra(None) == ""
    assert arguments.answer_extra({"a": 1}) == '{"a":1}'
    for check in (arguments.answer_extra, arguments.invitation_extra):
        assert code_of(lambda check=check: check('"' + "a" * 8191 + '"')) == 1005
        assert code_of(lambda check=check: check("a\0")) == 1004


def test_keys() -> None:
    """SPEC K4: 1 to 64 of 0-9 * # A-D."""
    assert json.loads(arguments.keys_extra("0189*#ABCD")) == {"msgtype": "dtmf", "msgdata": "0189*#ABCD"}
    assert arguments.keys_extra("1" * 64)
    assert code_of(lambda: arguments.keys_extra("1" * 65)) == 1005
    for keys in ("", "E", "a", "1 2", "1\n", "\u0661", 12, None, b"1", ["1"]):
        assert code_of(lambda keys=keys: arguments.keys_extra(keys)) == 1004


# --- requests ------------------------------------------------------------------------------------


def test_requests_are_those_of_the_protocol() -> None:
    """PROTOCOL §5: functions and arguments."""
    assert arguments.send("bo", "x") == Ask("user_sendmsg", {"peer": "bo", "t": "instant", "content": "x"})
    assert arguments.send_to_channel("r", "x") == Ask("channel_sendmsg", {"name": "r", "msg": "x"})
    assert arguments.send_to_channel("r", "x", force=True).args == {"name": "r", "msg": "x", "force": True}
    assert arguments.join("r") == Ask("channel_join", {"name": "r"})
    assert arguments.leave("r") == Ask("channel_leave", {"name": "r"})
    assert arguments.set_channel_attribute("r", "n", "v") == Ask(
        "channel_set_attr", {"channel": "r", "name": "n", "value": "v"}
    )
    assert arguments.delete_channel_attribute("r", "n") == Ask(
        "channel_del_attr", {"channel": "r", "name": "n"}
    )
    assert arguments.clear_channel_attributes("r") == Ask("channel_clear_attr", {"channel": "r"})
    assert arguments.query_number("r") == Ask("channel_query_num", {"name": "r"})
    assert arguments.query_is_in("r", "bo") == Ask("channel_query_user_isin", {"name": "r", "account": "bo"})
    assert arguments.query_members("r") == Ask("channel_query_userlist", {"name": "r"})
    assert arguments.query_all_members("r") == Ask(
        "channel_query_userlist_all", {"name": "r", "num": 1_000_000}
    )
    assert arguments.query_status("bo") == Ask("user_query_user_status", {"account": "bo"})
    assert arguments.set_user_attribute("n", "v") == Ask("user_set_attr", {"name": "n", "value": "v"})
    assert arguments.get_user_attribute("bo", "n") == Ask("user_get_attr", {"account": "bo", "name": "n"})
    assert arguments.get_user_attributes("bo") == Ask("user_get_attr_all", {"account": "bo"})


@pytest.mark.parametrize(("most", "num"), [(0, 0), (7, 7), ("7", 7), (10**400, 2**53)])
def test_how_many_members_are_asked_for(most: Any, num: int) -> None:
    """SPEC C12: a number or its digits."""
    assert arguments.query_all_members("r", most).args["num"] == num


@pytest.mark.parametrize(
    "most", [-1, "-1", "", "x", 1.5, None, True, "9" * 5000, []], ids=lambda most: repr(most)[:20]
)
def test_how_many_members_cannot_be_asked_for(most: Any) -> None:
    """SPEC C12: 1004."""
    assert code_of(lambda: arguments.query_all_members("r", most)) == 1004


# --- remote calls --------------------------------------------------------------------------------

REMOTE = {
    "user_query_user_status": {"account": "bo"},
    "user_set_attr": {"name": "n", "value": "v"},
    "user_get_attr": {"account": "bo", "name": "n"},
    "user_get_attr_all": {"account": "bo"},
    "channel_query_num": {"name": "r"},
    "channel_query_user_isin": {"name": "r", "account": "bo"},
    "channel_query_userlist": {"name": "r"},
    "channel_query_userlist_all": {"name": "r", "num": 5},
    "channel_set_attr": {"channel": "r", "name": "n", "value": "v"},
    "channel_del_attr": {"channel": "r", "name": "n"},
    "channel_clear_attr": {"channel": "r"},
}


@pytest.mark.parametrize("name", REMOTE)
def test_remote_calls(name: str) -> None:
    """SPEC C12: an object, or its JSON text; what is not needed is left out."""
    wanted = Ask(name, REMOTE[name])
    given = {**REMOTE[name], "more": 1}
    assert arguments.remote_call(f"io.agora.signal.{name}", given) == wanted
    assert arguments.remote_call(f"io.agora.signal.{name}", json.dumps(given)) == wanted


@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("args", [{}, "", "{}"], ids=repr)
def test_remote_calls_without_arguments(name: str, args: Any) -> None:
    """SPEC C12: each of them needs some."""
    assert code_of(lambda: arguments.remote_call(f"io.agora.signal.{name}", args)) == 1004


@pytest.mark.parametrize("args", ["no JSON", "[]", "7", None, 7, [], "[" * 3000, "\ud800"], ids=ascii)
def test_remote_calls_with_arguments_that_are_none(args: Any) -> None:
    """SPEC C12: 1004."""
    assert code_of(lambda: arguments.remote_call("io.agora.signal.channel_query_num", args)) == 1004


@pytest.mark.parametrize(
    "name",
    [
        "channel_query_num",
        "io.agora.signal.",
        "io.agora.signal.user_sendmsg",
        "io.agora.x.user_get_attr",
        "",
        None,
        7,
    ],
)
def test_remote_calls_that_do_not_exist(name: Any) -> None:
    """SPEC C12: an error of the callback, 1001."""
    with pytest.raises(RequestError) as caught:
        arguments.remote_call(name, {})
    assert caught.value.code == 1001
