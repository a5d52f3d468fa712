"""Webhooks of a real server to a real receiver (SPEC W1-W3)."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from signalpost.config import ConfigError, load
from signalpost.domain.webhooks import EVENTS
from support.receiver import Post, Receiver, new_secret
from support.server import ServerProcess

ROOT = Path(__file__).parents[2]
APP = '[apps.app]\ncertificate = "secret"\nallow_no_token = true\n'
SHORT = "[apps.app.limits]\ngrace_min = 1\ngrace_max = 1\n"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def in_order(posts: list[Post]) -> None:
    """Of each subject the events are told by ascending `seq`."""
    last: dict[str, int] = defaultdict(int)
    for each in posts:
        data = each.said["data"]
        subject = data.get("call") or data.get("channel") or data.get("account") or data.get("to")
        kind = each.said["type"].split(".")[0]
        key = f"{'account' if kind == 'message' else kind} {subject}"
        assert each.said["seq"] >= last[key], (key, each)
        last[key] = each.said["seq"]


async def test_a_day_of_two_users_is_told(receiver: Receiver, tmp_path: Path) -> None:
    """SPEC W1: every event, through real sockets; signatures are right."""
    with ServerProcess(tmp_path, config=APP + SHORT + receiver.section(events=list(EVENTS))) as server:
        ada = await server.client("ada", device="signalpost-python")
        bo = await server.client("bo", device="signalpost-python")
        await ada.ok("channel_join", name="room")
        await bo.ok("channel_join", name="room")
        await ada.ok("user_sendmsg", peer="cy", content="hello")
        for answer in ("voip_invite_accept", "voip_invite_refuse"):
            await ada.ok("voip_invite", channelName="room", peer="bo", extra="")
            await bo.ok("voip_invite_ack", channelName="room", peer="ada", extra="")
            await bo.ok(answer, channelName="room", peer="ada", extra="")
        await receiver.wait(lambda: "call.refused" in receiver.types(), "call.refused")
        await ada.ok("voip_invite", channelName="room", peer="bo", extra='{"_timeout":1}')
        await receiver.wait(lambda: "call.failed" in receiver.types(), "call.failed")
        await bo.cut()
        await receiver.wait(lambda: receiver.types().count("account.offline") == 1, "bo's end")
        await ada.ok("user_logout")
        await receiver.wait(lambda: "channel.vacated" in receiver.types(), "channel.vacated")
        await receiver.wait(lambda: receiver.types().count("account.offline") == 2, "ada's end")
        assert set(receiver.types()) == set(EVENTS)
        reasons = [
            each.said["data"]["reason"] for each in receiver.told if each.said["type"] == "account.offline"
        ]
        assert reasons == ["timeout", "logout"]
        in_order(receiver.posts)
        assert receiver.wrong == 0
        assert len(receiver.posts) == len(receiver.told), "nothing is told twice"
        assert "hello" not in "".join(each.body for each in receiver.posts)


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_is_told_whatever_crashes(
    receiver: Receiver, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """SPEC W1, W2: `kill -9` right behind each acknowledgement, many times."""
    config = APP + SHORT + receiver.section()
    server = ServerProcess(tmp_path, config=config)
    request.addfinalizer(server.kill)
    for turn in range(25):
        server.start()
        account = f"user-{turn}"
        client = await server.client(account)
        for number in range(3):
            await client.ok("user_sendmsg", peer=f"nobody-{number}", content=f"{turn}", rid=f"{number}")
        server.kill()
        await client.close()
    server.start()
    messages = {f"{turn}-{number}" for turn in range(25) for number in range(3)}
    await receiver.wait(
        lambda: receiver.types().count("message.stored") == len(messages), "message.stored", within=60
    )
    await receiver.wait(lambda: receiver.types().count("account.offline") == 25, "offline", within=60)
    server.stop()
    online = [each.said["data"]["account"] for each in receiver.told if each.said["type"] == "account.online"]
    offline = [
        (each.said["data"]["account"], each.said["data"]["reason"])
        for each in receiver.told
        if each.said["type"] == "account.offline"
    ]
    assert sorted(online) == sorted(f"user-{turn}" for turn in range(25))
    assert sorted(offline) == sorted((f"user-{turn}", "restart") for turn in range(25))
    in_order(receiver.told)
    assert receiver.wrong == 0


async def test_a_receiver_that_misbehaves_is_told_in_the_end(receiver: Receiver, tmp_path: Path) -> None:
    """SPEC W3: an error, a redirect, a reset, a wait: each is tried again, under the same id and body."""
    faults = iter(("500", "redirect", "reset", "429", "huge"))

    async def answer(post: Post, request: web.Request) -> web.Response:
        match next(faults, ""):
            case "500":
                return web.Response(status=500)
            case "redirect":
                return web.Response(status=302, headers={"Location": receiver.url})
            case "reset":
                assert request.transport is not None
                request.transport.abort()
            case "429":
                return web.Response(status=429, headers={"Retry-After": "1"})
            case "huge":
                return web.Response(body=b"x" * 1_000_000)
        return web.Response(status=204)

    receiver.answer = answer
    with ServerProcess(tmp_path, config=APP + receiver.section()) as server:
        client = await server.client("ada")
        await receiver.wait(lambda: len(receiver.posts) >= 2, "a second try")
        receiver.answer = _fine
        await receiver.wait(lambda: receiver.types() == ["account.online"], "account.online", within=60)
        assert len({(each.id, each.body) for each in receiver.posts}) == 1
        await client.close()


async def _fine(post: Post, request: web.Request) -> web.Response:
    return web.Response(status=204)


async def test_the_configuration_of_two_secrets_signs_with_both(receiver: Receiver, tmp_path: Path) -> None:
    """SPEC W1: so that a receiver may change from one to the other."""
    old = new_secret()
    section = receiver.section().replace('secrets = ["', f'secrets = ["{old}", "')
    with ServerProcess(tmp_path, config=APP + section) as server:
        client = await server.client("ada")
        await receiver.wait(lambda: bool(receiver.told), "an event")
        [post] = receiver.told
        for secret in (old, receiver.secret):
            assert Webhook(secret).verify(post.body, post.headers) == post.said
        await client.close()
        assert old not in server.log.read_text()


async def test_another_implementation_verifies_the_signature(receiver: Receiver, tmp_path: Path) -> None:
    """SPEC W1: npm `standardwebhooks`."""
    with ServerProcess(tmp_path, config=APP + receiver.section(bodies=True)) as server:
        client = await server.client("ada")
        await client.ok("user_sendmsg", peer="zoë", content="héllo \u2028 \U0001f600")
        await receiver.wait(lambda: "message.stored" in receiver.types(), "message.stored")
        await client.close()
    program = (
        'import { Webhook } from "standardwebhooks"; import { readFileSync } from "node:fs";'
        "const { secret, posts } = JSON.parse(readFileSync(0, 'utf8'));"
        "const hook = new Webhook(secret);"
        "console.log(JSON.stringify(posts.map(({ body, headers }) => hook.verify(body, headers).type)));"
        "try { hook.verify(posts[0].body + ' ', posts[0].headers); console.log('taken'); }"
        "catch { console.log('refused'); }"
    )
    given = {
        "secret": receiver.secret,
        "posts": [{"body": each.body, "headers": each.headers} for each in receiver.told],
    }
    done = await asyncio.to_thread(
        subprocess.run,
        ["node", "--input-type=module", "-e", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=ROOT / "sdk" / "web",
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [json.dumps(receiver.types(), separators=(",", ":")), "refused"]


def test_without_webhooks_nothing_of_it_is_loaded() -> None:
    """Whoever has none starts as fast as ever."""
    code = "import sys, signalpost.app; print('standardwebhooks' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n"


async def test_what_waits_at_the_end_is_told_by_the_next_start(
    receiver: Receiver, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """SPEC W1: a server that is stopped in order leaves nothing behind either."""
    await receiver.stop()
    server = ServerProcess(tmp_path, config=APP + SHORT + receiver.section())
    request.addfinalizer(server.kill)
    server.start()
    client = await server.client("ada")
    await client.ok("user_logout")
    await client.close()
    assert await server.stopped() == 0
    await receiver.start()
    server.start()
    await receiver.wait(lambda: receiver.types() == ["account.online", "account.offline"], "both", within=60)
    assert await server.stopped() == 0


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ('url = "https://back.example"', "secrets missing"),
        ('secrets = ["whsec_hunter2"]', "url missing"),
        ('url = "ftp://back.example"\nsecrets = []', "https://"),
        ('url = "https://ada:hunter2@back.example/"', "without a password"),
        ('secrets = ["hunter2 hunter2 hunter2 hunter2"]', "whsec_"),
        ('secrets = ["whsec_aHVudGVyMg=="]', "24 to 64 bytes"),
        ('events = ["account.offlin"]', "account.offline"),
        ('colour = "red"', "unknown key"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_line(tmp_path: Path, section: str, reason: str) -> None:
    file = tmp_path / "signalpost.toml"
    file.write_text(f"{APP}[apps.app.webhooks.back]\n{section}\n")
    with pytest.raises(ConfigError) as caught:
        load(str(file), environment={}, flags={})
    assert any(reason in line for line in str(caught.value).splitlines())
    assert "hunter2" not in str(caught.value)


# --- the examples, the document -------------------------------------------------------------------


async def run(example: str, secret: str) -> tuple[asyncio.subprocess.Process, str]:
    """An example and where it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples" / example), secret, "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    return process, line.split()[-1]


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("webhook_receiver.py", [r'account\.online {"account": "ada"}', r'account\.offline .*"logout"']),
        ("who_was_online.py", [r"ada from [-0-9]+ [:0-9]+ for \d+ s, logout"]),
    ],
)
async def test_an_example_receives(example: str, expected: list[str], tmp_path: Path) -> None:
    secret = new_secret()
    process, url = await run(example, secret)
    section = f'[apps.app.webhooks.back]\nurl = "{url}"\nsecrets = ["{secret}"]\n'
    assert process.stdout is not None
    try:
        with ServerProcess(tmp_path, config=APP + section) as server:
            client = await server.client("ada")
            await client.ok("user_logout")
            for pattern in expected:
                line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
                assert re.search(pattern, line), line
            await client.close()
    finally:
        process.kill()
        await process.wait()


def test_the_document_lists_every_event_and_its_configuration_is_accepted(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+\.\w+)` \| (\w+) \|", document, re.MULTILINE)
    assert [name for name, _ in listed] == list(EVENTS)
    [section] = re.findall(r"^```toml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    file = tmp_path / "signalpost.toml"
    file.write_text('[apps.myapp]\ncertificate = "x"\n' + section)
    config = load(str(file), environment={}, flags={})
    [endpoint] = config.apps["myapp"].webhooks
    assert (endpoint.name, endpoint.bodies) == ("crm", False)
    [example] = re.findall(r"^```json\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    keys: dict[str, Any] = json.loads(example)
    assert list(keys) == ["type", "timestamp", "app", "seq", "data"]
