"""The API as a Python program and as the command line see it (SPEC §11)."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from signalpost.admin import Admin, AdminError, Unreachable
from signalpost.api import types
from signalpost.api.table import ROWS
from support.api import SECRET, ApiServer

ROOT = Path(__file__).resolve().parents[2]
BACK, OPERATOR = f"spk_back_{SECRET}", f"spk_op_{SECRET}"


@pytest.fixture
async def admin(server: ApiServer) -> AsyncIterator[Admin]:
    async with Admin(await server.api(), BACK, "app") as admin:
        yield admin
    await server.leave()


def test_the_client_has_what_the_table_has() -> None:
    """A row that comes makes this fail until there is a method for it."""
    methods = [name for name, _ in inspect.getmembers(Admin, inspect.isfunction) if not name.startswith("_")]
    not_alone = {"getAccountAttribute", "getChannelAttribute"}  # which come with all of them
    assert len(methods) == len([row for row in ROWS if row.name not in not_alone])


async def test_messages(server: ApiServer, admin: Admin, n: str) -> None:
    bo = await server.client(f"bo-{n}", polled=False)
    id = await admin.send(bo.account, "hello", sender="shop", once=f"m-{n}")
    assert await admin.send(bo.account, "hello", sender="shop", once=f"m-{n}") == id
    told = await admin.send_many([bo.account, "b o"], "all", sender="shop")
    assert (told.sent, told.results[1].code) == (1, 1004)
    assert [(item.sender, item.text) async for item in admin.inbox(bo.account)] == [
        ("shop", "hello"),
        ("shop", "all"),
    ]
    assert await admin.clear_inbox(bo.account) == 2
    with pytest.raises(AdminError) as refused:
        await admin.send("b o", "", sender="shop")
    assert (refused.value.status, refused.value.code) == (400, 1004)


async def test_accounts(server: ApiServer, admin: Admin, n: str) -> None:
    name = f"a/b-{n}"
    await server.client(name)
    assert (await admin.account(name)).connected
    assert [each.online for each in await admin.presence([name, f"away-{n}"])] == [True, False]
    assert name in [each.account async for each in admin.online()]
    await admin.set_attribute(name, "a b", "c")
    assert await admin.attributes(name) == {"a b": "c"}
    assert await admin.kick(name)
    assert (await admin.block(name, 60, "spam")).reason == "spam"
    assert name in await admin.blocked()
    assert await admin.unblock(name)
    assert not (await admin.revoke(name)).kicked


async def test_channels(server: ApiServer, admin: Admin, n: str) -> None:
    bo, room = await server.client(f"bo-{n}"), f"r/{n}"
    await bo.ok("channel_join", name=room)
    assert room in [each.channel async for each in admin.channels()]
    await admin.set_channel_attribute(room, "topic", "v")
    assert await admin.channel_attributes(room) == {"topic": "v"}
    assert (await admin.channel(room)).members == 1
    assert [each async for each in admin.members(room)] == [bo.account]
    assert await admin.say(room, "hello", sender="desk")
    await admin.delete_channel_attribute(room, "topic")
    await admin.clear_channel_attributes(room)
    await admin.put_out(room, bo.account)
    assert await admin.close_channel(room) == 0
    with pytest.raises(AdminError, match="404"):
        await admin.channel(room)


async def test_calls(server: ApiServer, admin: Admin, n: str) -> None:
    bo = await server.client(f"bo-{n}")
    call = await admin.ring(bo.account, caller="office")
    assert await admin.call(call.id) == call
    assert [each async for each in admin.calls(bo.account)] == [call]
    assert call.id in [each.id async for each in admin.calls()]
    await admin.end_call(call.id)
    assert [each async for each in admin.calls(bo.account)] == []


async def test_tokens_batches_and_the_server(server: ApiServer, admin: Admin, n: str) -> None:
    await server.client(f"bo-{n}", token=await admin.token(f"bo-{n}", 60))
    answers = await admin.batch([types.BatchPart("GET", f"/accounts/bo-{n}"), types.BatchPart("GET", "/x")])
    assert [each.status for each in answers] == [200, 404]
    async with Admin(await server.api(), OPERATOR) as operator:
        assert (await operator.info()).ready
        assert "app" in [each.app for each in await operator.apps()]


async def test_what_is_asked_is_asked_again_until_it_is_answered() -> None:
    """And with the same key, so that it is done once."""
    keys: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            assert request.transport is not None
            request.transport.abort()
        if len(keys) < 4:
            return web.Response(status=503 if len(keys) == 2 else 409, headers={"Retry-After": "0"})
        return web.json_response({"id": "m"})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Admin(url, "spk", "app") as admin:
            assert await admin.send("bo", "", sender="ada") == "m"
        assert len(keys) == 4
        assert len(set(keys)) == 1
    finally:
        await runner.cleanup()
    async with Admin(url, "spk", "app", tries=2) as admin:
        with pytest.raises(Unreachable):
            await admin.send("bo", "", sender="ada")


# --- the command line ---------------------------------------------------------------------------


async def command(server: ApiServer, *arguments: str, key: str = BACK) -> tuple[int, str, str]:
    """Run a command against the server; exit code, standard output and error."""
    environment = {**os.environ, "SIGNALPOST_API": await server.api(), "SIGNALPOST_KEY": key}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "signalpost", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


async def test_the_command_line_sends_kicks_and_looks(server: ApiServer, n: str) -> None:
    """SPEC §9, O2."""
    try:
        bo = await server.client(f"bo-{n}")
        code, out, _ = await command(server, "send", "--app", "app", "--from", "shop", bo.account, "hello")
        assert (code, out.strip()) == (0, (await bo.pushed())[1].id)
        back = await server.back_end()
        await back.post("calls", {"from": "office", "to": bo.account, "channel": f"room-{n}"})
        code, out, _ = await command(server, "calls", "--app", "app", bo.account)
        assert (code, f"office -> {bo.account}  in room-{n}" in out) == (0, True)
        code, out, _ = await command(server, "status", "--app", "app", bo.account, f"away-{n}")
        assert (code, out.split()) == (1, ["online", bo.account, "offline", f"away-{n}"])
        code, out, _ = await command(server, "status", key=OPERATOR)
        assert (code, out.startswith("ok: signalpost")) == (0, True)
        assert (await command(server, "kick", "--app", "app", bo.account))[0] == 0
        code, _, err = await command(server, "kick", "--app", "app", bo.account)
        assert (code, err) == (1, f"signalpost: {bo.account} has no session\n")
        code, _, err = await command(server, "status")
        assert (code, err) == (1, "signalpost: 403: this takes an operator's key\n")
        code, _, err = await command(server, "kick", "--app", "app", "x", key="wrong")
        assert (code, err.startswith("signalpost: 401")) == (1, True)
        code, _, err = await command(server, "kick", "--api", "http://127.0.0.1:9", "--app", "app", "x")
        assert (code, "cannot" in err.lower()) == (1, True)
    finally:
        await server.leave()


# --- the example --------------------------------------------------------------------------------


async def test_the_example_rings_two_users(server: ApiServer, n: str) -> None:
    environment = {
        **os.environ,
        "SIGNALPOST_API": await server.api(),
        "SIGNALPOST_KEY": BACK,
        "SIGNALPOST_APP": "app",
        "PYTHONUNBUFFERED": "1",
    }
    for accepting in (True, False):
        clients = [await server.client(f"{name}-{n}-{accepting}") for name in ("ada", "bo")]
        names = [client.account for client in clients]
        example = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "examples" / "ring_two.py"), *names),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        for client, answer in zip(clients, (True, accepting), strict=True):
            _, line = await client.pushed()
            room = line.json["channel"]
            verb = "voip_invite_accept" if answer else "voip_invite_refuse"
            await client.ok("channel_join", name=room)
            await client.ok(verb, channelName=room, peer="office", extra="")
        out, _ = await asyncio.wait_for(example.communicate(), 30)
        assert example.returncode == (0 if accepting else 1)
        assert ("both are there" in out.decode()) is accepting
        if not accepting:
            assert (await clients[0].pushed())[1].type == "voip_invite_bye"
    await server.leave()
    assert len((ROOT / "examples" / "ring_two.py").read_text().splitlines()) <= 60
