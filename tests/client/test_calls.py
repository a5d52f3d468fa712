"""The calls of a client as a table (client/calls.py)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signalpost.client.calls import Calls, Stage
from signalpost.client.events import (
    CallAccepted,
    CallEnded,
    CallFailed,
    CallIncoming,
    CallKeys,
    CallNamed,
    CallReceived,
    CallRefused,
    Event,
)
from signalpost.wire.codes import Code
from signalpost.wire.lines import Line


def event(type: str, extra: str = "", channel: str = "room", peer: str = "bo") -> Line:
    content = json.dumps({"channel": channel, "peer": peer, "peeruid": 0, "extra": extra})
    return Line("m", "bo", "ada", "f", f"voip_invite{type}", "1", content)


def calling(*types: str) -> Calls:
    """A table with call 1 to bo, to which these events have happened."""
    calls = Calls(1000)
    calls.invite(1, "room", "bo")
    calls.invited(1, "room")
    for type in types:
        calls.take(event(type), 1)
    return calls


OUTGOING = {"named": calling, "received": lambda: calling("_ack"), "accepted": lambda: calling("_accept")}


def called() -> Calls:
    """A table with call 2, by bo."""
    calls = Calls(1000)
    calls.take(event(""), 1)
    return calls


RINGING_OR_NOT = {
    ("named", "_ack"): CallReceived(1, "room", "bo", "", 7),
    ("named", "_accept"): CallAccepted(1, "room", "bo", "", 7),
    ("received", "_accept"): CallAccepted(1, "room", "bo", "", 7),
    ("named", "_refuse"): CallRefused(1, "room", "bo", "", 7),
    ("received", "_refuse"): CallRefused(1, "room", "bo", "", 7),
}


@pytest.mark.parametrize("stage", OUTGOING)
@pytest.mark.parametrize("type", ["_ack", "_accept", "_refuse"])
def test_what_answers_mean_at_each_stage(stage: str, type: str) -> None:
    """SPEC K1, K2: received once and before any answer, one answer."""
    expected = RINGING_OR_NOT.get((stage, type))
    assert OUTGOING[stage]().take(event(type), 7) == ([] if expected is None else [expected])


@pytest.mark.parametrize("type", ["_ack", "_accept", "_refuse", "_failed"])
def test_events_for_callers_mean_nothing_to_callees(type: str) -> None:
    """PROTOCOL §8."""
    assert called().take(event(type), 7) == []


@pytest.mark.parametrize("make", [*OUTGOING.values(), called])
def test_an_end_ends_at_every_stage(make: Any) -> None:
    """SPEC K3: and once."""
    calls = make()
    (ended,) = calls.take(event("_bye", "why"), 7)
    assert isinstance(ended, CallEnded)
    assert (ended.by_peer, ended.extra, ended.mark) == (True, "why", 7)
    assert calls.take(event("_bye"), 8) == []
    assert not calls


@pytest.mark.parametrize(
    ("extra", "code", "reason"),
    [
        ('{"code":704,"reason":"no answer"}', 704, "no answer"),
        ('{"code":99,"reason":"x"}', 1002, "x"),
        ("", 1002, None),
        ("[" * 3000, 1002, None),
        ('{"code":704}', 1002, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_failures_say_why(extra: str, code: int, reason: str | None) -> None:
    """SPEC K5 to K7."""
    calls = calling()
    (failed,) = calls.take(event("_failed", extra), 7)
    assert isinstance(failed, CallFailed)
    assert failed.code == code
    assert failed.reason == reason or (reason is None and failed.reason)
    assert calls.find(1) is None


def test_keys_come_both_ways_round() -> None:
    """SPEC K4."""
    extra = '{"msgtype":"dtmf","msgdata":"1#"}'
    assert calling("_accept").take(event("_msg", extra), 7) == [CallKeys(1, "room", "bo", "1#", extra, 7)]
    assert called().take(event("_msg", extra), 7) == [CallKeys(2, "room", "bo", "1#", extra, 7)]
    assert called().take(event("_msg", "x"), 7) == [CallKeys(2, "room", "bo", "", "x", 7)]


def test_incoming_calls_have_even_numbers_of_their_own() -> None:
    """The caller's are odd, so none is used twice."""
    calls = Calls(1000)
    assert calls.take(event("", "{}"), 7) == [CallIncoming(2, "room", "bo", "{}", 7)]
    assert calls.take(event("", "", "hall"), 8) == [CallIncoming(4, "hall", "bo", "", 8)]
    found = calls.find(4)
    assert found is not None
    assert found.stage is Stage.INCOMING


def test_pairs_are_not_joined_without_a_separator() -> None:
    """PROTOCOL §8: "roomb" and "o" are not "room" and "bo"."""
    assert calling().take(event("_accept", "", "roomb", "o"), 7) == []


def test_a_second_invitation_is_no_call_before_it_is_answered() -> None:
    """SPEC K8: refused, it harms nothing; taken, it ends the first."""
    calls = calling("_accept")
    calls.invite(3, "room", "bo")
    assert calls.failed(3, Code.INVITE_E_REINVITE, "rings") == [
        CallFailed(3, "room", "bo", Code.INVITE_E_REINVITE, "rings")
    ]
    assert calls.failed(3, Code.INVITE_E_REINVITE, "rings") == []
    calls.invite(5, "room", "bo")
    assert calls.invited(5, "room") == [CallEnded(1, "room", "bo", False, ""), CallNamed(5, "room", "bo")]
    assert calls.find(1) is None


def test_an_invitation_by_the_peer_ends_the_call_that_there_was() -> None:
    """SPEC K8: there is one call a channel between two."""
    calls = calling("_accept")
    assert calls.take(event(""), 7) == [
        CallEnded(1, "room", "bo", True, ""),
        CallIncoming(2, "room", "bo", "", 7),
    ]


@pytest.mark.parametrize("channel", ["room", ""])
@pytest.mark.parametrize(
    ("type", "last"),
    [
        ("_ack", CallReceived),
        ("_accept", CallAccepted),
        ("_refuse", CallRefused),
        ("_failed", CallFailed),
        ("_bye", CallEnded),
    ],
)
def test_an_event_may_overtake_the_answer(channel: str, type: str, last: type[Event]) -> None:
    """SPEC K12: the event names the call, the answer then says nothing new."""
    calls = Calls(1000)
    calls.invite(1, channel, "bo")
    named, happened = calls.take(event(type), 7)
    assert named == CallNamed(1, "room", "bo")
    assert isinstance(happened, last)
    assert calls.invited(1, "room") == []


def test_an_event_of_another_call_overtakes_nothing() -> None:
    """PROTOCOL §8."""
    calls = Calls(1000)
    calls.invite(1, "room", "bo")
    assert calls.take(event("_accept", "", "hall"), 7) == []
    assert calls.take(event("_accept", "", "room", "cy"), 7) == []
    assert calls.take(event("_msg"), 7) == []
    assert calls.invited(1, "room") == [CallNamed(1, "room", "bo")]


def test_what_this_client_does() -> None:
    """SPEC K2, K3, K12: who did it is told by the answer."""
    calls = called()
    calls.accepted(2)
    found = calls.find(2)
    assert found is not None
    assert found.stage is Stage.ACCEPTED
    calls.ended(2)
    calls.ended(2)
    assert calls.find(2) is None
    calls.accepted(2)
    calls.refused(2)
    assert calls.find(2) is None
    refused = called()
    refused.refused(2)
    assert not refused


def test_the_end_of_a_session_is_the_end_of_all_calls() -> None:
    """SPEC S7, L9."""
    for end in ("fail", "end"):
        calls = calling()
        calls.invite(3, "", "cy")
        events = calls.fail_all(Code.INVITE_E_NET, "gone") if end == "fail" else calls.end_all()
        assert [each.call for each in events if isinstance(each, CallFailed | CallEnded)] == [1, 3]
        assert not calls


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"channel":"room"}',
        '{"channel":1,"peer":"bo","extra":""}',
        '{"x":' + "[" * 3000,
    ],
    ids=lambda text: text[:20],
)
def test_contents_that_are_none(content: str) -> None:
    """SPEC E5."""
    calls = calling()
    for type in ("voip_invite", "voip_invite_bye", "voip_unknown"):
        assert calls.take(Line("m", "bo", "ada", "f", type, "1", content), 7) == []
    assert calls.find(1) is not None
