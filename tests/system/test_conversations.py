"""Every row of PROTOCOL §5 to §8, and §2-§4 and §12, as scripted conversations with a real server.

The scripts are in protocol/vectors/conversations; their format is protocol/vectors/README.md. Each plays
in an app of its own, unless it needs one that is configured.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signalpost.gateway.commands import COMMANDS
from support.client import RawClient
from support.conversation import SETTING, Conversation, Mismatch, Player, conversations, match
from support.server import ServerProcess

SCRIPTS = list(conversations())
ROOT = Path(__file__).parents[2]

#: What PROTOCOL §6 says of the inbox, paragraph by paragraph.
INBOX_ROWS = (
    "v2",
    "v3",
    "policy flag",
    "poll",
    "announce",
    "push",
    "every poll",
    "first poll",
    "acknowledge",
    "nudge",
    "over thirty",
    "order",
    "again",
    "mode 1",
)
#: What PROTOCOL §7 says besides its table.
CHANNEL_ROWS = (
    "ids",
    "one channel",
    "join again",
    "before the join",
    "watchers",
    "__agora_user_online",
    "__agora_channel_event",
)
#: What PROTOCOL §2-§4 and §12 say.
OTHER_ROWS = (
    "1 two sockets",
    "2 ping",
    "2 set_flag",
    "2 call2",
    "2 login",
    "2 line_login",
    "2 contents",
    "2 names",
    "3 pong",
    "3 kick",
    "3 close",
    "3 error",
    "4 success",
    "4 kick",
    "4 TokenErrorExpired",
    "4 TokenError",
    "4 wrong account",
    "4 anything else",
    "12 resume",
    "12 superseded",
    "12 epochs",
    "12 inbox cursor",
    "12 rid",
    "12 user_ack",
    "12 set_flag",
    "12 device",
    "12 code",
)


def _toml() -> str:
    """The configuration that the scripts of configured apps rely on."""
    lines = ["[server]", 'exempt_networks = ["127.0.0.0/8"]']
    for app, settings in SETTING["apps"].items():
        lines += [f"[apps.{app}]", *(f"{name} = {json.dumps(value)}" for name, value in settings.items())]
    return "\n".join(lines)


@pytest.fixture(scope="session")
def configured_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The apps of setting.json, and no others."""
    server = ServerProcess(tmp_path_factory.mktemp("configured"), config=_toml())
    with server:
        yield server


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
async def test_conversation(
    script: Conversation, dev_server: ServerProcess, request: pytest.FixtureRequest
) -> None:
    """PROTOCOL §1-§8, §12: the rows that the script names."""
    server: ServerProcess = request.getfixturevalue("configured_server") if script.app else dev_server
    clients: list[RawClient] = []

    async def open_() -> RawClient:
        clients.append(await server.open())
        return clients[-1]

    try:
        await Player(script, open_, script.app or f"app-{uuid.uuid4().hex}").play()
    finally:
        for client in clients:
            await client.close()


# --- nothing is forgotten ---------------------------------------------------------------------


def _section(number: int) -> str:
    text = (ROOT / "PROTOCOL.md").read_text()
    found = re.search(rf"^## {number}\. .*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert found, f"PROTOCOL.md has a section {number}"
    return found[0]


def _first_column(section: str) -> set[str]:
    """The names in code font in the first column of a section's tables."""
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z][a-z0-9_]+)`", cell)}


def _rows(scripts: list[Conversation]) -> set[str]:
    return {row for script in scripts for row in script.rows}


def test_every_function_has_a_conversation() -> None:
    """PROTOCOL §5: the page, the server's table and the vectors name the same functions."""
    told = {row.removeprefix("5 ") for row in _rows(SCRIPTS) if row.startswith("5 ")} - {"failure"}
    assert told == set(COMMANDS)
    requests = _section(5).split("### ")[0]
    assert _first_column(requests) == set(COMMANDS)


def test_every_event_of_a_channel_has_a_conversation() -> None:
    """PROTOCOL §7: each TYPE, and each rule."""
    types = _first_column(_section(7).split("### ")[0])
    assert types == {"channel_msg", "channel_user_join", "channel_user_leave", "channel_attr_update"}
    assert {f"7 {row}" for row in (*types, *CHANNEL_ROWS)} <= _rows(SCRIPTS)


def test_every_event_of_a_call_has_a_conversation() -> None:
    """PROTOCOL §8: each TYPE."""
    types = set(re.findall(r"`(voip_invite(?:_[a-z]+)?)`", _section(8)))
    assert types >= {"voip_invite", "voip_invite_failed"}
    assert {f"8 {type_}" for type_ in types} <= _rows(SCRIPTS)


def test_every_rule_of_the_inbox_has_a_conversation() -> None:
    """PROTOCOL §6: each paragraph and bullet."""
    assert {f"6 {row}" for row in INBOX_ROWS} <= _rows(SCRIPTS)


def test_logins_frames_and_additions_have_conversations() -> None:
    """PROTOCOL §1-§4, §12."""
    assert set(OTHER_ROWS) <= _rows(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_a_conversation_shows_what_it_claims(script: Conversation) -> None:
    """Whoever claims a function calls it, and whoever claims an event awaits it."""
    text = json.dumps(script.steps)
    for row in script.rows:
        section, name = row.split(" ", 1)
        if section == "5" and name in COMMANDS:
            assert f'["{name}", ' in text, row
        if section in ("7", "8") and re.fullmatch(r"channel_\w+|voip_\w+", name):
            assert f'"type": "{name}"' in text, row


def test_each_kind_of_client_plays_its_part() -> None:
    """PROTOCOL §10: every kind that is told of."""
    assert {script.kind for script in SCRIPTS if script.kind} == set(SETTING["kinds"])


def test_names_of_conversations_are_unique() -> None:
    """So that a failure names one."""
    ids = [script.id for script in SCRIPTS]
    assert len(set(ids)) == len(ids)


# --- the matcher itself -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (1, 1),
        ({"a": {"$any": True}}, {"a": None}),
        ({"a": 1, "$more": True}, {"a": 1, "b": 2}),
        ({"$json": {"a": [1]}}, '{"a":[1]}'),
        ({"$int": True}, 7),
        ({"$above": 6}, 7),
        ({"$next": 6}, 7),
        ({"$not": "x"}, "y"),
        ({"$begins": "Tok"}, "Token"),
        ({"$count": 2, "$each": {"$int": True}}, [1, 2]),
        ({"$line": {"version": "v3", "id": "i", "content": "a b"}}, "msg-v3 i s d f t 1 a b"),
        ({"$line": {"version": "v2", "src": "s", "content": "a b"}}, "msg-v2 s d f t 1 a b"),
    ],
)
def test_a_pattern_takes_what_it_should(pattern: Any, value: Any) -> None:
    """protocol/vectors/README.md: patterns."""
    match(pattern, value, {})


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (1, True),
        (1, "1"),
        (0, False),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "$more": True}, {"b": 2}),
        ([1], [1, 2]),
        ([], {}),
        ({"$json": {}}, "{"),
        ({"$json": {}}, {}),
        ({"$int": True}, True),
        ({"$int": True}, 1.5),
        ({"$text": True}, ""),
        ({"$above": 7}, 7),
        ({"$next": 7}, 9),
        ({"$not": "x"}, "x"),
        ({"$begins": "Tok"}, "tok"),
        ({"$count": 2}, [1]),
        ({"$each": 1}, [1, 2]),
        ({"$line": {"version": "v2"}}, "msg-v3 i s d f t 1 c"),
        ({"$line": {}}, "msg-v2 s d f"),
        ({"$line": {}}, "msg-v3 i s d f t now c"),
    ],
)
def test_a_pattern_refuses_what_it_should(pattern: Any, value: Any) -> None:
    """protocol/vectors/README.md: patterns."""
    with pytest.raises(Mismatch):
        match(pattern, value, {})


def test_what_is_saved_can_be_used() -> None:
    """protocol/vectors/README.md: `$save` and `${name}`."""
    saved: dict[str, Any] = {}
    match([{"$int": True, "$save": "v"}, "${v}", {"$next": "${v}"}], [7, 7, 8], saved)
    match("version ${v}", "version 7", saved)
    with pytest.raises(Mismatch):
        match("${v}", "7", saved)


# --- the player itself ------------------------------------------------------------------------


async def _plays(server: ServerProcess, *steps: dict[str, Any]) -> None:
    clients: list[RawClient] = []

    async def open_() -> RawClient:
        clients.append(await server.open())
        return clients[-1]

    script = Conversation("none", "none", (), list(steps), "", "")
    try:
        await Player(script, open_, f"app-{uuid.uuid4().hex}").play()
    finally:
        for client in clients:
            await client.close()


ADA: dict[str, Any] = {"who": "ada", "enter": "web 1.4.0"}
BO: dict[str, Any] = {"who": "bo", "enter": "web 1.4.0"}
HELLO: dict[str, Any] = {
    "who": "ada",
    "call": ["user_sendmsg", {"peer": "bo", "t": "instant", "content": "hello"}],
    "ok": {"id": {"$text": True}},
}
HEARD: dict[str, Any] = {"who": "bo", "receive": {"src": "ada", "content": "hello"}}


async def test_a_script_that_tells_all_is_played(dev_server: ServerProcess) -> None:
    """protocol/vectors/README.md: the counterpart of the failures below."""
    await _plays(dev_server, ADA, BO, HELLO, HEARD)


@pytest.mark.parametrize(
    "steps",
    [
        (ADA, BO, HELLO),
        (ADA, BO, HELLO, HEARD, HEARD),
        (ADA, BO, HELLO, {"who": "bo", "nothing": True}, HEARD),
        (ADA, BO, {**HELLO, "ok": {}}, HEARD),
        (ADA, BO, {**HELLO, "refused": 400}, HEARD),
        (ADA, BO, HELLO, {"who": "bo", "receive": {"src": "ada", "content": "Hello"}}),
        (ADA, BO, {**HELLO, "events": [["pong", 1]]}, HEARD),
        (ADA, {"who": "ada", "closed": 1000}),
        ({"who": "ada", "connect": True}, {"who": "ada", "login": "ours", "ok": {"resumed": True}}),
    ],
    ids=[
        "a surprise",
        "too little",
        "too early",
        "a member",
        "a success",
        "a content",
        "no event",
        "open",
        "fresh",
    ],
)
async def test_a_script_that_is_wrong_fails(
    dev_server: ServerProcess, steps: tuple[dict[str, Any], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """protocol/vectors/README.md: an unexpected frame is a failure, and so is one that is missing."""
    monkeypatch.setattr("support.client.WAIT", 0.3)
    with pytest.raises((AssertionError, TimeoutError)):
        await _plays(dev_server, *steps)
