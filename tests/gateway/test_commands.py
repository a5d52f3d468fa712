"""The table of requests as a whole: what holds for every row (PROTOCOL §5)."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.gateway.commands import COMMANDS
from signalpost.gateway.connection import Connection
from signalpost.services.rates import AccountRates
from support.wiring import Wire

MESSAGES = {"user_sendmsg", "channel_sendmsg"}  # they have rates and a memory of their own (M7, M8)
NOTED = {  # what came of them is noted under their id (PROTOCOL §12)
    *("user_set_attr", "channel_set_attr", "channel_del_attr", "channel_clear_attr"),
    *("voip_invite", "voip_invite_ack", "voip_invite_accept", "voip_invite_refuse"),
    *("voip_invite_bye", "voip_invite_msg"),
}
LIMITS = Limits(requests=1, requests_burst=3, list_requests=2, user_messages=2)
FLOOD = 200


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server(Config(data=":memory:", apps={"app": App(any_token=True, limits=LIMITS)}))
    yield server
    server.listener.stop()


def fresh(number: int) -> dict[str, Any]:
    """Arguments that suit every request, with names and an id that were never there before."""
    names = ("name", "channel", "account", "peer", "channelName")
    texts = {"content": "x", "msg": "x", "value": "v", "extra": "", "t": "instant"}
    numbers = {"ver_clear": 0, "max": 30, "num": 5, "force": True}
    return {**dict.fromkeys(names, f"n{number}"), **texts, **numbers, "rid": f"r{number}"}


def left_behind(server: Server) -> int:
    """How many things the engine remembers, of whatever kind."""
    parts = server._kept.parts
    queues = parts.queues
    held: list[Any] = [
        *(parts.records._records, parts.notes),  # type: ignore[attr-defined]
        *(queues._queues, queues._receipts, parts.deadlines),
    ]
    return sum(map(len, held)) + queues.items + server._shared.size()


@pytest.mark.parametrize("func", COMMANDS)
def test_no_request_has_a_memory_and_no_rate(func: str) -> None:
    """SPEC E5, M10: what is remembered under a request's id has a rate that refuses the surplus."""
    command = COMMANDS[func]
    assert (command.charge is None) == (func in MESSAGES)
    assert command.pipelined == (func in MESSAGES)
    if func in NOTED:
        assert command.charge in (AccountRates.ask, AccountRates.confirm)


@pytest.mark.parametrize("func", [*COMMANDS, "no_such_function"])
@pytest.mark.parametrize("known", [True, False], ids=["", "refused"])
async def test_a_flood_of_any_request_leaves_behind_what_the_rate_allows(
    server: Server, func: str, known: bool
) -> None:
    """SPEC E5, M8, M10: with fresh ids and fresh names, whether it can be served or not."""
    wire = Wire()
    connection = Connection(server._gate, wire)  # type: ignore[arg-type]
    login = {"vid": "app", "account": "ada", "token": "t", "device": "signalpost-test"}
    connection.text(json.dumps(["login", login]).encode())
    before = left_behind(server)
    for number in range(FLOOD):
        args = fresh(number)
        if not known:
            args |= {"name": "", "peer": "", "channel": "", "account": "", "channelName": ""}
        connection.text(json.dumps(["call2", [func, number, args]]).encode())
    wire.tick()
    assert left_behind(server) - before <= 8 * LIMITS.requests_burst


@pytest.mark.parametrize("func", [*COMMANDS, "no_such_function"])
@pytest.mark.parametrize("known", [True, False], ids=["", "refused"])
async def test_a_flood_of_any_request_makes_no_work_for_the_garbage_collector(
    server: Server, func: str, known: bool
) -> None:
    """SPEC E5: it comes seldom and then stops everybody, the longer the more there is that only it can free.

    A refusal that is kept in a variable of a function that raises it holds itself by way of its traceback.
    """
    wire = Wire()
    connection = Connection(server._gate, wire)  # type: ignore[arg-type]
    login = {"vid": "app", "account": "ada", "token": "t", "device": "signalpost-test"}
    connection.text(json.dumps(["login", login]).encode())
    frames = []
    for number in range(FLOOD):
        args = fresh(number)
        if not known:
            args |= {"name": "", "peer": "", "channel": "", "account": "", "channelName": ""}
        frames.append(json.dumps(["call2", [func, number, args]]).encode())
    gc.collect()
    gc.disable()
    try:
        for frame in frames:
            connection.text(frame)
        found = gc.collect()
    finally:
        gc.enable()
    wire.tick()
    assert found < FLOOD / 2


@pytest.mark.parametrize("func", sorted(NOTED))
async def test_what_is_remembered_of_an_answer_is_small(server: Server, func: str) -> None:
    """SPEC E5: at the rate that is allowed, what an account makes the server remember stays within bounds."""
    wire = Wire()
    connection = Connection(server._gate, wire)  # type: ignore[arg-type]
    login = {"vid": "app", "account": "ada", "token": "t", "device": "signalpost-test"}
    connection.text(json.dumps(["login", login]).encode())
    for number, size in enumerate((1, 64, 128, 8000, 60_000)):
        args = {name: "x" * size if isinstance(value, str) else value for name, value in fresh(0).items()}
        args |= {"extra": ""} if func == "voip_invite_msg" else {}
        connection.text(json.dumps(["call2", [func, number, {**args, "rid": f"r{number}"}]]).encode())
    wire.tick()
    noted = [one.value for names in server._kept.parts.notes._noted.values() for one in names.values()]
    assert all(len(value) < 512 for value in noted)
