"""Message lines: what the server builds is what the vectors say, and SDKs take apart (PROTOCOL §6-§8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.wire.lines import (
    attribute_content,
    call_content,
    line_v2,
    line_v3,
    member_content,
    message_content,
)
from support.client import parse_line
from support.conversation import VECTORS

LINES = json.loads((VECTORS / "lines.json").read_text())
OURS = [case for case in LINES["valid"] if case["fields"]["flag"] == "v1:E:86400"]

names = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]))


def build(fields: dict[str, Any]) -> str:
    shared = fields["src"], fields["dst"], fields["type"], int(fields["time"]), fields["content"]
    return line_v3(fields["id"], *shared) if fields["version"] == "v3" else line_v2(*shared)


@pytest.mark.parametrize("case", OURS, ids=lambda case: case["line"][:60])
def test_the_lines_of_the_vectors_are_built(case: dict[str, Any]) -> None:
    """PROTOCOL §6: both versions, byte for byte."""
    assert build(case["fields"]) == case["line"]


@pytest.mark.parametrize("case", LINES["valid"], ids=lambda case: case["line"][:60])
def test_the_lines_of_the_vectors_are_taken_apart(case: dict[str, Any]) -> None:
    """PROTOCOL §6: at the first 6 spaces (v2) or 7 (v3)."""
    line = parse_line(case["line"])
    assert {name: getattr(line, name) for name in case["fields"]} == case["fields"]


@pytest.mark.parametrize("case", LINES["invalid"], ids=lambda case: case["why"])
def test_what_is_no_line_is_not_taken_apart(case: dict[str, Any]) -> None:
    """PROTOCOL §6: another prefix, or too few fields."""
    with pytest.raises((AssertionError, TypeError, ValueError)):
        parse_line(case["line"])


@given(src=names, dst=names, content=texts)
def test_only_the_content_may_hold_spaces(src: str, dst: str, content: str) -> None:
    """PROTOCOL §6, §11.10: whatever the content, the other fields stay where they are."""
    shared = src, dst, "instant", 1_763_700_000, content
    for line in (parse_line(line_v2(*shared)), parse_line(line_v3("m1", *shared))):
        assert (line.src, line.dst, line.type, line.time) == (src, dst, "instant", "1763700000")
        assert line.content == content


def test_what_nobody_caused_comes_from_the_system() -> None:
    """PROTOCOL §12: account "" and SRC `_system`."""
    assert parse_line(line_v2("", "room", "channel_attr_update", 1, "{}")).src == "_system"


@given(channel=names, account=names, text=texts)
def test_a_channel_message_has_all_members(channel: str, account: str, text: str) -> None:
    """PROTOCOL §7, §11.5: channel, account, uid and msg, always."""
    content = json.loads(message_content(channel, account, text))
    assert content == {"channel": channel, "account": account, "uid": 0, "msg": text}


def test_a_join_or_leave_has_all_members() -> None:
    """PROTOCOL §7, §11.5: channel, account and uid."""
    assert json.loads(member_content("room", "ada")) == {"channel": "room", "account": "ada", "uid": 0}


@pytest.mark.parametrize(
    ("name", "value", "change"), [("topic", 'a "cup"', "update"), ("topic", "", "del"), ("", "", "clear")]
)
def test_an_attribute_event_has_all_members(name: str, value: str, change: str) -> None:
    """PROTOCOL §7, §11.5: name, value and type as well, empty or not."""
    content = json.loads(attribute_content("room", "", name, value, change))
    assert content == {
        "channel": "room",
        "account": "",
        "uid": 0,
        "name": name,
        "value": value,
        "type": change,
    }


@given(channel=names, peer=names, extra=texts)
def test_a_call_event_has_all_members(channel: str, peer: str, extra: str) -> None:
    """PROTOCOL §8, §11.7: JSON with channel, peer, peeruid and extra, always."""
    content = json.loads(call_content(channel, peer, extra))
    assert content == {"channel": channel, "peer": peer, "peeruid": 0, "extra": extra}
