"""Every argument, wrong in type, empty, too long: ArgumentError, and nothing is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from native_face.people import House, ring, soon
from signalpost.client import ArgumentError, Call, Channel, Client, connect
from signalpost.client.engine import Engine
from signalpost.client.steps import Transmit

#: Names of accounts and channels, of attributes, texts of messages and values: what each may not be.
NAMES: list[tuple[Any, int]] = [
    (None, 1004),
    ("", 1004),
    ([], 1004),
    (True, 1004),
    (b"ada", 1004),
    (float("nan"), 1004),
    ("with space", 1004),
    ("nul\0", 1004),
    ("\ud800", 1004),
    ("x" * 129, 1005),
    ("\u00e9" * 65, 1005),
]
LABELS = [pair for pair in NAMES if pair[0] != "with space"]
TEXTS: list[tuple[Any, int]] = [(b"x", 1004), (object(), 1004), ("nul\0", 1004), ("\ud800", 1004)]
EXTRAS: list[tuple[Any, int]] = [*TEXTS, ("x" * 8193, 1005)]
JSON: list[tuple[Any, int]] = [
    (object(), 1004),
    ({"a": object()}, 1004),
    (b"{}", 1004),
    ("{", 1004),
    ("no JSON", 1004),
    ("\ud800", 1004),
    ('"' + "x" * 8191 + '"', 1005),
    ({"a": "x" * 8192}, 1005),
]
KEYS: list[tuple[Any, int]] = [
    (None, 1004),
    (5, 1004),
    ("", 1004),
    ("a", 1004),
    ("1 2", 1004),
    ("\uff11", 1004),
    ("1" * 65, 1005),
]
MOST: list[tuple[Any, int]] = [(None, 1004), (-1, 1004), (1.5, 1004), (True, 1004), ("many", 1004)]
SECONDS: list[tuple[Any, int]] = [(0, 1004), (31, 1004), (-1, 1004), (1.5, 1004), ("5", 1004), (True, 1004)]
OBJECTS: list[tuple[Any, int]] = [("[]", 1004), ("{", 1004), ([], 1004), (5, 1004), ("\ud800", 1004)]


class Scene:
    """What the arguments are given to."""

    def __init__(self, ada: Client, room: Channel, call: Call, ringing: Call) -> None:
        self.ada = ada
        self.room = room
        self.call = call
        self.ringing = ringing


def too_long(limit: int) -> list[tuple[Any, int]]:
    return [*TEXTS, ("x" * (limit + 1), 1005), ("\u00e9" * (limit // 2 + 1), 1005)]


#: By argument: what it is given to, and what it may not be.
ARGUMENTS: dict[str, tuple[Callable[[Scene, Any], Any], list[tuple[Any, int]]]] = {
    "send peer": (lambda scene, bad: scene.ada.send(bad, "x"), NAMES),
    "send text": (lambda scene, bad: scene.ada.send("bo", bad), too_long(8196)),
    "is_online account": (lambda scene, bad: scene.ada.is_online(bad), NAMES),
    "attributes_of account": (lambda scene, bad: scene.ada.attributes_of(bad), NAMES),
    "get name": (lambda scene, bad: scene.ada.attributes.get(bad), LABELS),
    "set name": (lambda scene, bad: scene.ada.attributes.set(bad, "x"), LABELS),
    "set value": (lambda scene, bad: scene.ada.attributes.set("x", bad), too_long(8096)),
    "join channel": (lambda scene, bad: scene.ada.join(bad), NAMES),
    "channel name": (lambda scene, bad: scene.ada.channel(bad), NAMES),
    "has account": (lambda scene, bad: scene.room.has(bad), NAMES),
    "all_members most": (lambda scene, bad: scene.room.all_members(bad), MOST),
    "channel set name": (lambda scene, bad: scene.room.set(bad, "x"), LABELS),
    "channel set value": (lambda scene, bad: scene.room.set("x", bad), too_long(8096)),
    "channel delete name": (lambda scene, bad: scene.room.delete(bad), LABELS),
    "channel send text": (lambda scene, bad: scene.room.send(bad), too_long(8192)),
    "force_send text": (lambda scene, bad: scene.room.force_send(bad), too_long(8192)),
    "special force_send": (lambda scene, bad: scene.ada.channel(bad).force_send("x"), [("__agora_x", 1004)]),
    "special set": (lambda scene, bad: scene.ada.channel(bad).set("x", "y"), [("__agora_x", 1004)]),
    "special delete": (lambda scene, bad: scene.ada.channel(bad).delete("x"), [("__agora_x", 1004)]),
    "special clear": (lambda scene, bad: scene.ada.channel(bad).clear(), [("__agora_x", 1004)]),
    "invite peer": (lambda scene, bad: scene.ada.invite(bad, "room"), NAMES),
    "invite channel": (
        lambda scene, bad: scene.ada.invite("bo", bad),
        [pair for pair in NAMES if pair[0] != ""],
    ),
    "invite extra": (lambda scene, bad: scene.ada.invite("bo", "room", extra=bad), JSON),
    "invite ring_seconds": (lambda scene, bad: scene.ada.invite("bo", "room", ring_seconds=bad), SECONDS),
    "invite extra with ring_seconds": (
        lambda scene, bad: scene.ada.invite("bo", "room", extra=bad, ring_seconds=5),
        OBJECTS,
    ),
    "accept extra": (lambda scene, bad: scene.ringing.accept(bad), EXTRAS),
    "refuse extra": (lambda scene, bad: scene.ringing.refuse(bad), EXTRAS),
    "end extra": (lambda scene, bad: scene.call.end(bad), EXTRAS),
    "dtmf keys": (lambda scene, bad: scene.call.dtmf(bad), KEYS),
}
CASES = [
    pytest.param(give, bad, code, id=f"{name}-{number}")
    for name, (give, bads) in ARGUMENTS.items()
    for number, (bad, code) in enumerate(bads)
]


@pytest.fixture
async def scene(native: House) -> AsyncIterator[Scene]:
    ada, bo = await native.client("ada"), await native.client("bo")
    room = await soon(ada.join("room"))
    call, ringing = await ring(ada, bo)
    return Scene(ada, room, call, ringing)


@pytest.mark.parametrize(("give", "bad", "code"), CASES)
async def test_bad_arguments(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, give: Callable[[Scene, Any], Any], bad: Any, code: int
) -> None:
    """SPEC §1, S3: the error says which code, and what is allowed."""
    sent: list[object] = []
    perform = Engine._perform

    def watch(engine: Engine, effects: list[Any]) -> None:
        sent.extend(effect for effect in effects if isinstance(effect, Transmit))
        perform(engine, effects)

    monkeypatch.setattr(Engine, "_perform", watch)
    with pytest.raises(ArgumentError) as raised:
        await _given(give(scene, bad))
    assert raised.value.code == code
    assert raised.value.reason
    assert isinstance(raised.value, ValueError)
    assert sent == []


async def _given(result: Awaitable[object]) -> None:
    await soon(_awaited(result))


async def _awaited(result: Awaitable[object]) -> None:
    await result


LOGIN: dict[str, list[tuple[Any, int]]] = {
    "account": NAMES,
    "app_id": [pair for pair in NAMES if not isinstance(pair[0], float)],
    "token": [
        (None, 1004),
        ("", 1004),
        (5, 1004),
        (b"x", 1004),
        ("nul\0", 1004),
        ("\ud800", 1004),
        ("x" * 8193, 1005),
    ],
    "retries": [(0, 1004), (-1, 1004), ("5", 1004), (1.5, 1004), (True, 1004), (None, 1004)],
    "retry_seconds": [(0, 1004), (-1, 1004), ("5", 1004), (float("nan"), 1004), (float("inf"), 1004)],
    "settings": [({}, 1004), ("x", 1004)],
    "tls": [({}, 1004), (True, 1004)],
}


@pytest.mark.parametrize(
    ("name", "bad", "code"),
    [
        pytest.param(name, bad, code, id=f"{name}-{number}")
        for name, bads in LOGIN.items()
        for number, (bad, code) in enumerate(bads)
    ],
)
def test_bad_arguments_of_a_login(name: str, bad: Any, code: int) -> None:
    """SPEC L2, L5: at once, also where no loop runs."""
    good: dict[str, Any] = {"app_id": "demo", "account": "ada", "token": "any"}
    with pytest.raises(ArgumentError) as raised:
        connect("ws://127.0.0.1:1/", **{**good, name: bad})
    assert raised.value.code == code


@pytest.mark.parametrize(
    "url", [5, b"ws://h/", "x", "ftp://h/", "ws://", "ws://h:99999/", "ws://h:x/", "ws://h/#a", "ws://[::1"]
)
def test_bad_addresses(url: Any) -> None:
    """SPEC S3: what is allowed is said."""
    with pytest.raises(ValueError, match="ws://HOST:PORT/"):
        connect(url, app_id="demo", account="ada", token="any")


def test_every_argument_has_bad_values() -> None:
    """SPEC S3: no method that takes an argument is left out."""
    import inspect

    from signalpost.client import ChannelView, OwnAttributes

    takers = {
        name
        for kind in (Client, ChannelView, Channel, Call, OwnAttributes, OwnAttributes.__mro__[1])
        for name, method in vars(kind).items()
        if inspect.isfunction(method)
        and not name.startswith("_")
        and set(inspect.signature(method).parameters) - {"self", "timeout"}
    }
    ours = {"happened", "left"}
    assert takers - ours <= {word for name in ARGUMENTS for word in name.split()}
    assert set(inspect.signature(connect).parameters) == {"url", *LOGIN}
