"""The client's half of the codec, held against the vectors (protocol/vectors/README.md)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.wire.client_codec import (
    Announcement,
    CallReturn,
    ChannelEvent,
    Close,
    Kick,
    LoginReturn,
    MoveOn,
    Pong,
    Push,
    ServerError,
    call_frame,
    code_of,
    decode_items,
    decode_server_frame,
    login_frame,
    ping_frame,
)
from signalpost.wire.codes import Code
from signalpost.wire.lines import Line, parse_line, seconds_of
from signalpost.wire.texts import name_fault, size_of
from support.conversation import VECTORS

FRAMES = json.loads((VECTORS / "frames.json").read_text())
LINES = json.loads((VECTORS / "lines.json").read_text())
NAMES = json.loads((VECTORS / "names.json").read_text())


def expected(meaning: dict[str, Any]) -> Any:
    """The frame that a meaning of the vectors stands for; None for what a client of ours ignores."""
    match meaning:
        case {"frame": "login_ret"}:
            return LoginReturn(meaning["error"], meaning["body"])
        case {"frame": "call2-ret", "id": str()}:
            return None  # our ids are numbers
        case {"frame": "call2-ret", "body": {"result": "failed", "reason": reason}}:
            return CallReturn(meaning["id"], reason, meaning["body"])
        case {"frame": "call2-ret"}:
            return CallReturn(meaning["id"], meaning["error"], meaning["body"])
        case {"frame": "announcement"}:
            return Announcement(meaning["version"])
        case {"frame": "push"}:
            return Push(meaning["version"], parse_line(meaning["line"]))
        case {"frame": "channel event"}:
            return ChannelEvent(meaning["channel"], meaning["id"], parse_line(meaning["line"]))
        case {"frame": "pong"}:
            return Pong(meaning["number"])
        case {"frame": "kick"}:
            return Kick()
        case {"frame": "close"}:
            return Close()
        case {"frame": "error"}:
            return ServerError(meaning["code"], meaning["reason"])
    raise AssertionError(meaning)


@pytest.mark.parametrize("case", FRAMES["server"], ids=lambda case: case["text"][:60])
def test_the_frames_of_a_server_mean_what_the_vectors_say(case: dict[str, Any]) -> None:
    """PROTOCOL §3 to §7."""
    wanted = expected(case["meaning"])
    for text in (case["text"], case["text"].encode(), memoryview(case["text"].encode())):
        found = decode_server_frame(text)
        assert found == wanted
        assert type(found) is type(wanted)


@pytest.mark.parametrize("case", FRAMES["client_invalid"], ids=lambda case: case["text"][:60])
def test_what_is_no_frame_means_nothing(case: dict[str, Any]) -> None:
    """SPEC E5."""
    assert decode_server_frame(case["text"].encode("utf-8", "surrogatepass")) is None


@pytest.mark.parametrize(
    "text",
    [
        '["notify",["msg",true]]',
        '["notify",["msg",1.5]]',
        '["notify",["recvmsg","[true,\\"x\\"]"]]',
        '["notify",["channel2","room",false,"x"]]',
        '["call2-ret",[true,"","{}"]]',
        '["reconnect",{"after_ms":"1"}]',
        '["error","reason"]',
        "[" * 5000,
        "\ud800",
        b'["kick","\xff"]',
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_frames_of_another_form_mean_nothing(text: str | bytes) -> None:
    """SPEC E5: true is no number, and nothing raises."""
    assert decode_server_frame(text) is None


def test_how_long_a_server_may_send_a_client_away() -> None:
    """PROTOCOL §12: milliseconds, a minute at most."""
    assert decode_server_frame('["reconnect",{"after_ms":1500}]') == MoveOn(1.5)
    assert decode_server_frame('["reconnect",{"after_ms":-1}]') == MoveOn(0)
    assert decode_server_frame('["reconnect",{"after_ms":1e300}]') == MoveOn(60)


def test_an_error_without_a_code() -> None:
    """PROTOCOL §3."""
    assert decode_server_frame('["error",{"reason":"x"}]') == ServerError(None, "x")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('{"result":"ok"}', ""),
        ('{"result":"failed","reason":"no"}', "no"),
        ('{"result":"failed"}', "failed"),
        ("{}", "failed"),
        ("[]", "failed"),
        ("no JSON", "failed"),
    ],
)
def test_an_answer_is_a_success_only_if_it_says_so(body: str, error: str) -> None:
    """PROTOCOL §5: the error element stays empty in a failure."""
    frame = decode_server_frame(json.dumps(["call2-ret", [1, "", body]]))
    assert isinstance(frame, CallReturn)
    assert frame.error == error


def test_items_of_a_poll() -> None:
    """PROTOCOL §6: what is no item is left out, what is no line is an item all the same."""
    line = "msg-v3 m1 ada bo f instant 1 x"
    assert decode_items([[1, line], [2, "x"], [True, line], ["3", line], [4], 5, None]) == [
        Push(1, parse_line(line)),
        Push(2, None),
    ]
    assert decode_items(None) == []
    assert decode_items({"a": 1}) == []


def test_codes_that_are_none_are_1002() -> None:
    """SPEC E1."""
    assert code_of(204) is Code.LOGIN_E_TOKENEXPIRED
    for value in (None, "204", 7, -1, True, 204.5, []):
        assert code_of(value) is Code.GENERAL_E_UNKNOWN


def test_the_frames_of_a_client() -> None:
    """PROTOCOL §2."""
    assert json.loads(login_frame({"vid": "app", "inbox": ("", 0)})) == [
        "login",
        {"vid": "app", "inbox": ["", 0]},
    ]
    assert json.loads(call_frame(7, "f", {"a": "\u00fc \u2028"})) == [
        "call2",
        ["f", 7, {"a": "\u00fc \u2028"}],
    ]
    assert ping_frame(3) == b'["ping",3]'


# --- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", LINES["valid"], ids=lambda case: case["line"][:60])
def test_a_line_is_taken_apart_as_the_vectors_say(case: dict[str, Any]) -> None:
    """PROTOCOL §6: at the first 6 spaces (v2) or 7 (v3)."""
    fields = {"id": "", **case["fields"]}
    del fields["version"]
    assert parse_line(case["line"]) == Line(**fields)


@pytest.mark.parametrize("case", LINES["invalid"], ids=lambda case: case["why"])
def test_what_is_no_line_is_none(case: dict[str, Any]) -> None:
    """PROTOCOL §6: dropped without a word."""
    assert parse_line(case["line"]) is None


@given(st.text(), st.text(min_size=1).filter(lambda text: " " not in text))
def test_the_content_is_all_the_rest(content: str, name: str) -> None:
    """SPEC M2: byte for byte."""
    line = parse_line(f"msg-v3 i {name} {name} f instant 1 {content}")
    assert line is not None
    assert (line.src, line.content) == (name, content)


@pytest.mark.parametrize(("time", "seconds"), [("1763700000", 1763700000), ("", 0), ("x", 0), ("1.5", 0)])
def test_the_time_of_a_line(time: str, seconds: int) -> None:
    """PROTOCOL §6: Unix seconds."""
    assert seconds_of(Line("", "a", "b", "f", "instant", time, "")) == seconds


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", NAMES["valid"], ids=lambda case: ascii(case["name"])[:40])
def test_names_have_no_fault(case: dict[str, Any]) -> None:
    """SPEC §1."""
    assert name_fault(case["name"], "account") is None
    assert size_of(case["name"]) == case["bytes"]


@pytest.mark.parametrize("case", NAMES["invalid"], ids=lambda case: case["why"])
def test_what_is_no_name_has_a_fault(case: dict[str, Any]) -> None:
    """SPEC L2: 1005 for what is too long, 1004 for the rest."""
    fault = name_fault(case["name"], "account")
    assert fault is not None
    assert fault.code == case["code"]
