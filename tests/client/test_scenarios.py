"""The session machine does what the scenarios say that all SDKs share (protocol/scenarios/README.md)."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from signalpost.client.settings import Settings
from support.conversation import Mismatch
from support.scenarios import SCENARIOS, SETTING, Player, Scenario, scenarios

ALL = list(scenarios())

#: What a scenario has to be there for, by file: beginnings of names.
TOPICS = {
    "login": [
        "login ok",
        "a token that is fetched",
        "refused: token expired",
        "refused: token expired, the server gives no code",
        "refused: token wrong",
        "refused: token wrong, the server gives no code",
        "refused: superseded",
        "refused: superseded, the server gives no code",
        "refused: wrong account",
        "refused: wrong account, the server gives no code",
        "refused: anything else",
        "refused: anything else, the server gives no code",
        "the account is empty",
        "the account is no name",
        "the account is too long",
        "the App ID is empty",
        "the token is empty",
        "login twice",
        "first login: retries limited by their number",
        "first login: retries limited by time",
        "refused with retry_ms",
    ],
    "logout": [
        "logout answered",
        "logout unanswered",
        "logout failed",
        "logout while connecting",
        "logout while reconnecting",
        "logout without a login",
        "logout with a channel, a call and requests open",
        "logout and login at once",
        "logout and login at once, twice in a row",
        "requests between logout and login",
        "kick while leaving",
        "sends and a logout in one turn",
        "logout: what is unanswered after two seconds fails first",
        "logout while reconnecting: what is unanswered fails first",
        "logout: what the application was told is acknowledged",
    ],
    "connection": [
        "reconnect: growing delays, numbered tries, limited by their number",
        "reconnect: limited by time",
        "reconnect: refused with 201",
        "reconnect: the token has expired",
        "reconnect: the token is wrong",
        "reconnect: the line was superseded",
        "kick",
        "a close frame without a kick",
        "a reconnect frame",
        "the network may be back",
        "reconnect: each login succeeds and the connection is lost right behind it",
        "a request that costs the connection each time",
        "reconnect: refused with retry_ms",
        "ticks that come late",
        "a ping every 10 seconds",
        "a server that is silent for too long",
    ],
    "resume": [
        "resumed: cursors at the login, then what was missed, nothing twice",
        "resumed: requests without an answer are repeated, in order",
        "resumed: an acknowledgement and a poll are not repeated",
        "resumed: events that are no longer kept",
        "resumed: a channel in another epoch",
        "resumed: calls go on",
        "not resumed: first what is lost, then the reconnect, then what waits",
        "not resumed: the versions of another inbox epoch",
    ],
    "requests": [
        "answered, refused",
        "an answer that lacks what it has to say",
        "nobody answers: each function has its code",
        "requests wait for the first login",
        "requests wait for a reconnect",
        "an invitation does not wait",
        "a thousand requests wait",
        "a request that is too large",
        "not logged in",
    ],
    "inbox": [
        "messages are acknowledged when they have been seen",
        "seen out of order",
        "many are acknowledged at once",
        "a version that comes again",
        "what is no line",
        "an application that is slow",
        "the inbox of another epoch",
    ],
    "channels": [
        "join: members and attributes",
        "joining a second channel",
        "joining the same channel again",
        "special channels",
        "leave: nothing of the channel comes after it",
        "leave: a channel that the session is not in",
        "leave: twice in one turn",
        "events of other channels",
        "events that are repeated, or in the snapshot",
    ],
    "calls": [
        "caller: a whole life",
        "callee: a whole life",
        "callee: refuses",
        "callee: an answer that came too late",
        "caller: received is told once",
        "caller: refused",
        "caller: cancels before the answer",
        "caller: the peer is offline, known at once",
        "caller: fails later",
        "caller: the server does not answer the invitation",
        "an empty channel name",
        "an end before the name is known is sent",
        "an event that overtakes the answer",
        "inviting again while it rings",
        "caller: inviting again while it is accepted",
        "glare: the other invitation was first",
        "glare: the answer comes before",
        "ending a call that is over",
        "an end of an old call",
        "an end of a call waits while its pair is invited again",
        "an acceptance waits while the caller is invited",
        "an end of an invitation waits for its answer",
        "an end of a call waits over a break",
        "an invitation that nobody answers is taken back",
        "callee: an invitation is confirmed when",
        "callee: an invitation that rings anew",
        "events of unknown calls",
    ],
    "frames": [
        "an error frame",
        "frames that are not known",
        "texts that are no frames",
    ],
}

#: The requirements that a session machine has to do with.
REQUIREMENTS = [
    *(f"SPEC L{n}" for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 16, 17, 18, 19)),
    *(f"SPEC {id}" for id in ("M2", "M6", "M7", "M11", "P4", "S2", "S7")),
    *(f"SPEC C{n}" for n in (1, 2, 3, 4, 9, 10)),
    *(f"SPEC K{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)),
    *(f"SPEC E{n}" for n in (1, 2, 3, 5)),
    *(f"PROTOCOL {n}" for n in (3, 4, 5, 6, 7, 8, 9, 12, 13, 14)),
]


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.id)
def test_the_machine_does_what_the_scenario_says(scenario: Scenario) -> None:
    """The ids are in the scenario's `shows`."""
    Player(scenario).play()


def test_names_are_unique() -> None:
    """A failure names its scenario."""
    ids = [(scenario.file, scenario.name) for scenario in ALL]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("file", "topic"), [(file, topic) for file, topics in TOPICS.items() for topic in topics], ids=str
)
def test_every_topic_has_a_scenario(file: str, topic: str) -> None:
    """So that none is lost, and three SDKs cannot differ in it."""
    assert any(scenario.file == file and scenario.name.startswith(topic) for scenario in ALL)


@pytest.mark.parametrize("id", REQUIREMENTS)
def test_every_requirement_of_a_session_machine_is_shown(id: str) -> None:
    """What the contract says of clients is in some scenario."""
    assert any(id in scenario.shows for scenario in ALL)


def test_scenarios_show_ids() -> None:
    """`shows` holds ids of requirements and sections."""
    for scenario in ALL:
        assert scenario.shows, scenario.id
        for id in scenario.shows:
            assert re.fullmatch(r"SPEC [A-Z]\d+|PROTOCOL \d+", id), (scenario.id, id)


def test_settings_are_the_same_in_code_scenarios_and_readme() -> None:
    """The defaults that all SDKs share."""
    settings = dataclasses.asdict(Settings())
    del settings["device"]
    assert settings == SETTING["settings"]
    table = (SCENARIOS / "README.md").read_text()
    assert {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", table, re.M)} == (
        settings
    )


def test_scenarios_are_ascii_and_end_with_a_line_break() -> None:
    """So that no editor and no checkout changes what they say."""
    for path in SCENARIOS.glob("*.json"):
        data = path.read_bytes()
        assert data.isascii(), path
        assert data.endswith(b"\n"), path
        assert b"\r" not in data, path


# --- the player itself ---------------------------------------------------------------------------

ONLINE: list[dict[str, Any]] = [{"begin": "online"}]
QUERY = {"request": ["user_query_user_status", {"account": "bo"}], "as": "q"}
SEND = {"request": ["user_sendmsg", {"peer": "bo"}], "as": "s"}
CUT = [{"closed": "cut", "effects": [{"reconnecting": {"attempt": 1}}]}]


@pytest.mark.parametrize(
    "steps",
    [
        [{"login": {}}],
        [{"login": {}, "effects": [{"open": True}, {"open": True}]}],
        [{"login": {}, "effects": [{"drop": True}]}],
        [{"login": {}, "effects": [{"open": True}], "status": 2}],
        [*ONLINE, {"at": 10}],
        [*ONLINE, {"at": 10, "effects": [{"at": 9.9, "transmit": ["ping", 1]}]}],
        [*ONLINE, {"at": 10, "effects": [{"transmit": ["ping", 2]}]}],
        [*ONLINE, {**QUERY, "effects": [{"call": ["user_query_user_status", {}]}]}],
        [*ONLINE, {**QUERY, "effects": [{"call": ["user_get_attr", {"account": "bo"}]}]}],
        [*ONLINE, {**SEND, "effects": [{"call": ["user_sendmsg", {"peer": "bo", "rid": "x"}]}]}],
        [*ONLINE, {"closed": "cut", "effects": [{"reconnecting": {"attempt": 2}}]}],
        [*ONLINE, {"closed": "cut", "effects": [{"reconnecting": {}}]}],
        [*ONLINE, {"login": {}, "effects": [{"note": "209"}]}],
        [
            *ONLINE,
            *CUT,
            {"at": 0.2, "effects": [{"open": True}]},
            {"opened": True, "effects": [{"enter": {}}]},
        ],
    ],
    ids=json.dumps,
)
def test_what_a_scenario_does_not_expect_is_a_failure(steps: list[dict[str, Any]]) -> None:
    """A player that lets something pass would prove nothing."""
    with pytest.raises(Mismatch):
        Player(Scenario("here", "wrong", (), {}, 1, steps)).play()
