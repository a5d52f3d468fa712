"""Users: who is online, their attributes, messages to them, and remote calls by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from android_face.people import House

RPC = "io.agora.signal."


def test_queryUserStatus(flat: House) -> None:
    """SPEC P1: the status is the text "1" or "0"."""
    [ann] = flat.enter("ann")
    ann.api.queryUserStatus("ann")
    ann.gets("onQueryUserStatusResult", "ann", "1")
    ann.api.queryUserStatus(42)
    ann.gets("onQueryUserStatusResult", "42", "0")


def test_setAttr(flat: House) -> None:
    """SPEC P2: own attributes; no callback when it worked; `_conn_timeout` reads back clamped."""
    [ann] = flat.enter("ann")
    ann.api.setAttr("a name", "värde")
    ann.api.setAttr("_conn_timeout", "5")
    ann.api.getAttr("a name")
    ann.gets("onUserAttrResult", "ann", "a name", "värde")
    ann.api.getAttr("_conn_timeout")
    ann.gets("onUserAttrResult", "ann", "_conn_timeout", "20")


def test_getAttr(flat: House) -> None:
    """SPEC P2: never set is ""."""
    [ann] = flat.enter("ann")
    ann.api.getAttr("colour")
    ann.gets("onUserAttrResult", "ann", "colour", "")


def test_getAttrAll(flat: House) -> None:
    """SPEC P2: the text of a JSON object."""
    [ann] = flat.enter("ann")
    ann.api.getAttrAll()
    ann.gets("onUserAttrAllResult", "ann", "{}")
    ann.api.setAttr("a", "1")
    ann.api.setAttr("b", "2")
    ann.api.getAttrAll()
    name, (account, value) = ann.handler.next()
    assert (name, account, json.loads(value)) == ("onUserAttrAllResult", "ann", {"a": "1", "b": "2"})


def test_getUserAttr(flat: House) -> None:
    """SPEC P2: anyone in the app may read."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.setAttr("colour", "red")
    ann.heard_all()
    bob.api.getUserAttr("ann", "colour")
    bob.gets("onUserAttrResult", "ann", "colour", "red")
    bob.api.getUserAttr("nobody", "colour")
    bob.gets("onUserAttrResult", "nobody", "colour", "")


def test_getUserAttrAll(flat: House) -> None:
    """SPEC P2: {} for an unknown account."""
    ann, bob = flat.enter("ann", "bob")
    ann.api.setAttr("colour", "red")
    ann.heard_all()
    bob.api.getUserAttrAll("ann")
    bob.gets("onUserAttrAllResult", "ann", '{"colour":"red"}')
    bob.api.getUserAttrAll("nobody")
    bob.gets("onUserAttrAllResult", "nobody", "{}")


def test_messageInstantSend(flat: House) -> None:
    """SPEC M1, M2, M4: stored, then received byte for byte and in order; an empty msgID is made up."""
    ann, bob = flat.enter("ann", "bob")
    texts = ["", "x" * 8196, '{"a": "\\u0000 ä 👍"}', "\n\ttabs"]
    for number, text in enumerate(texts):
        ann.api.messageInstantSend("bob", 0, text, f"label {number}")
    ann.gets_all(*(("onMessageSendSuccess", (f"label {number}",)) for number in range(len(texts))))
    for text in texts:
        bob.gets("onMessageInstantReceive", "ann", 0, text)
    for label in ("", None, ""):
        ann.api.messageInstantSend("ann", 0, "self", label)
    told = [ann.handler.next() for _ in range(6)]
    labels = {args[0] for name, args in told if name == "onMessageSendSuccess"}
    assert len(labels) == 3
    assert all(labels)


def test_messageInstantSend_to_somebody_offline(flat: House) -> None:
    """SPEC M3: the message waits, and comes at the next login."""
    [ann] = flat.enter("ann")
    ann.api.messageInstantSend("bob", 0, "later", "1")
    ann.gets("onMessageSendSuccess", "1")
    [bob] = flat.enter("bob")
    bob.gets("onMessageInstantReceive", "ann", 0, "later")


def test_messageInstantSend_of_what_is_no_text(flat: House) -> None:
    """SPEC §1: it is sent as its JSON text, as it was when the method was called."""
    [ann] = flat.enter("ann")
    content = {"n": 1}
    ann.api.messageInstantSend("ann", 0, content, "1")
    content["n"] = 2
    ann.gets_all(("onMessageSendSuccess", ("1",)), ("onMessageInstantReceive", ("ann", 0, '{"n":1}')))


FUNCTIONS: list[tuple[str, Any, dict[str, Any]]] = [
    ("user_set_attr", {"name": "colour", "value": "red"}, {}),
    ("user_get_attr", {"account": "ann", "name": "colour"}, {"value": "red"}),
    ("user_get_attr_all", {"account": "ann"}, {"json": '{"colour":"red"}'}),
    ("user_query_user_status", {"account": "ann"}, {"status": 1}),
    ("channel_query_num", {"name": "room"}, {"num": 1}),
    ("channel_query_user_isin", {"name": "room", "account": "ann"}, {"isin": 1}),
    ("channel_query_user_isin", {"name": "room", "account": "bob"}, {"isin": 0}),
    ("channel_query_userlist", {"name": "room"}, {"num": 1, "list": [["ann", 0]]}),
    ("channel_query_userlist_all", {"name": "room", "num": 10}, {"num": 1, "list": [["ann", 0]]}),
]


def test_invoke(flat: House) -> None:
    """SPEC C12, C14: err is "", resp is JSON text, callID unchanged; objects do as arguments."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    for number, (name, args, fields) in enumerate(FUNCTIONS):
        for given in (json.dumps(args), args):
            ann.api.invoke(RPC + name, given, f"call {number}")
            told, (call, err, resp) = ann.handler.next(name)
            assert (told, call, err) == ("onInvokeRet", f"call {number}", "")
            assert json.loads(resp) == {"result": "ok", **fields}


def test_invoke_changes_channels(flat: House) -> None:
    """SPEC C12: the three functions that change attributes of a channel."""
    [ann] = flat.enter("ann")
    ann.join("room", "ann")
    steps = [
        ("channel_set_attr", '{"channel":"room","name":"a","value":"1"}', ("a", "1", "update")),
        ("channel_del_attr", '{"channel":"room","name":"a"}', ("a", "1", "del")),
        ("channel_clear_attr", '{"channel":"room"}', ("", "", "clear")),
    ]
    for name, args, (attribute, value, change) in steps:
        ann.api.invoke(RPC + name, args, "id")
        told = dict([ann.handler.next(name), ann.handler.next(name)])
        assert told["onInvokeRet"] == ("id", "", '{"result":"ok"}')
        channel, changed, _, how = told["onChannelAttrUpdated"]
        assert (channel, how) == ("room", change)
        assert change == "clear" or changed == attribute
        assert value or change == "clear"


@pytest.mark.parametrize(
    "name", ["", "user_get_attr", "io.agora.other.user_get_attr", RPC, RPC + "x", None, 1]
)
def test_invoke_of_another_name(flat: House, name: Any) -> None:
    """SPEC C12, E3: any other name is an error through the callback: 1001."""
    [ann] = flat.enter("ann")
    ann.api.invoke(name, "{}", "id")
    told, (call, err, resp) = ann.handler.next()
    assert (told, call) == ("onInvokeRet", "id")
    assert json.loads(resp) == {"code": 1001, "reason": err}
    assert err
    assert ann.fails("invoke", 1001) == err
