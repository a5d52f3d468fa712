"""The channels that a client is in (client/channels.py)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signalpost.client.channels import Channels
from signalpost.client.events import (
    AttributeChanged,
    Change,
    ChannelJoined,
    ChannelLeft,
    ChannelMessage,
    EventsLost,
    MemberJoined,
    MemberLeft,
)
from signalpost.client.requests import Requests
from signalpost.wire.client_codec import ChannelEvent
from signalpost.wire.codes import Code
from signalpost.wire.lines import Line

JOINED = {"list": [["bo", 0], ["ada", 0]], "attrs": {"a": "1"}, "epoch": "e1", "id": 10}


def event(id: int, type: str, channel: str = "room", /, **content: Any) -> ChannelEvent:
    text = json.dumps({"channel": channel, "account": "bo", "uid": 0, **content})
    return ChannelEvent(channel, id, Line(f"e1-{id}", "bo", channel, "f", type, "1763700000", text))


@pytest.fixture
def channels() -> Channels:
    made = Channels()
    made.join("room", JOINED)
    return made


def test_a_join_gives_members_and_attributes() -> None:
    """SPEC C1."""
    channels = Channels()
    assert channels.join("room", JOINED) == [ChannelJoined("room", ("bo", "ada"), {"a": "1"})]
    assert "room" in channels
    assert channels.cursors == {"room": ("e1", 10)}


@pytest.mark.parametrize(
    ("type", "content", "meaning"),
    [
        ("channel_msg", {"msg": "hi"}, ChannelMessage("room", "bo", "hi", "e1-11", 1763700000)),
        ("channel_user_join", {}, MemberJoined("room", "bo")),
        ("channel_user_leave", {}, MemberLeft("room", "bo")),
        (
            "channel_attr_update",
            {"name": "n", "value": "v", "type": "update"},
            AttributeChanged("room", "bo", "n", "v", Change.UPDATE),
        ),
        (
            "channel_attr_update",
            {"name": "n", "value": "", "type": "del"},
            AttributeChanged("room", "bo", "n", "", Change.DELETE),
        ),
        (
            "channel_attr_update",
            {"account": "", "name": "", "value": "", "type": "clear"},
            AttributeChanged("room", "", "", "", Change.CLEAR),
        ),
        ("channel_attr_update", {"name": "n", "value": "v", "type": "x"}, None),
        ("channel_unknown", {}, None),
        ("channel_msg", {"msg": 7}, None),
        ("channel_msg", {"account": None, "msg": "x"}, None),
    ],
)
def test_what_events_mean(channels: Channels, type: str, content: dict[str, Any], meaning: Any) -> None:
    """PROTOCOL §7; what means nothing counts as seen."""
    assert channels.take(event(11, type, **content)) == meaning
    assert channels.cursors == {"room": ("e1", 11)}


@pytest.mark.parametrize(
    "content", ["", "no JSON", "[]", "7", '{"x":' + "[" * 3000], ids=lambda text: text[:10]
)
def test_contents_that_are_none(channels: Channels, content: str) -> None:
    """SPEC E5."""
    line = Line("i", "bo", "room", "f", "channel_msg", "1", content)
    assert channels.take(ChannelEvent("room", 11, line)) is None
    assert channels.take(ChannelEvent("room", 12, None)) is None
    assert channels.cursors == {"room": ("e1", 12)}


def test_repeats_and_other_channels_are_passed_over(channels: Channels) -> None:
    """SPEC C9, PROTOCOL §12."""
    assert channels.take(event(10, "channel_user_join")) is None
    assert channels.take(event(12, "channel_user_join")) is not None
    assert channels.take(event(12, "channel_user_join")) is None
    assert channels.take(event(13, "channel_user_join", "hall")) is None
    assert channels.cursors == {"room": ("e1", 12)}


def test_one_ordinary_channel_at_a_time(channels: Channels) -> None:
    """SPEC C2, P4: special ones are besides."""
    assert len(channels.join("__agora_user_online", {})) == 1
    left, joined = channels.join("hall", {})
    assert left == ChannelLeft("room", Code.LEAVECHANNEL_E_BYUSER)
    assert joined == ChannelJoined("hall", (), {})
    assert len(channels.join("hall", {})) == 1
    assert list(channels.cursors) == ["__agora_user_online", "hall"]


def test_leaving(channels: Channels) -> None:
    """SPEC C3: told once."""
    code = Code.LEAVECHANNEL_E_KICKED
    channels.join("__agora_user_online", {})
    assert channels.leave_all(code) == [ChannelLeft("room", code), ChannelLeft("__agora_user_online", code)]
    assert channels.leave_all(code) == []
    assert channels.leave("room", code) == []


def test_resuming(channels: Channels) -> None:
    """SPEC C9: what is lost, what is in another epoch, what is gone."""
    assert channels.resume({"room": {"epoch": "e1", "lost": 0}}, []) == []
    assert channels.cursors == {"room": ("e1", 10)}
    assert channels.resume({"room": {"epoch": "e2", "lost": 5}}, []) == [EventsLost("room", 5)]
    assert channels.cursors == {"room": ("e2", 0)}
    assert channels.resume({}, []) == [ChannelLeft("room", Code.LEAVECHANNEL_E_DISCONN)]
    assert channels.cursors == {}


def test_what_a_pending_request_left_is_told_by_its_answer(channels: Channels) -> None:
    """SPEC C2, C3."""
    requests = Requests("seed", 10)
    for func, name in (("channel_leave", "room"), ("channel_join", "hall")):
        assert channels.resume({}, [requests.add(1, func, {"name": name}, 0)]) == []
    special = requests.add(1, "channel_join", {"name": "__agora_user_online"}, 0)
    assert channels.resume({}, [special]) == [ChannelLeft("room", Code.LEAVECHANNEL_E_DISCONN)]


@pytest.mark.parametrize("kept", [None, 7, [], {"room": 7}, {"room": {}}, {"room": {"lost": "x"}}], ids=repr)
def test_resuming_with_junk(channels: Channels, kept: Any) -> None:
    """SPEC E5: nothing raises."""
    channels.resume(kept, [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"list": 7, "attrs": 7, "id": "x", "epoch": 7},
        {"list": [7, [], None, {}], "attrs": [1], "id": None},
    ],
    ids=repr,
)
def test_joining_with_junk(body: dict[str, Any]) -> None:
    """SPEC E5."""
    assert Channels().join("room", body) == [ChannelJoined("room", (), {})]
