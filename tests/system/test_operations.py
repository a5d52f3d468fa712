"""The server as its operator sees it: command line, ports, logs, numbers, start and end (SPEC §9)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from support.client import RawClient
from support.house import House
from support.server import CONFIG, ServerProcess
from support.waiting import until
from support.web import fetch, metrics


def signalpost(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "signalpost", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def refusal(*arguments: str, **environment: str) -> str:
    """What `serve` says when it does not start; nothing is on standard output."""
    ended = signalpost("serve", "--port", "0", *arguments, **environment)
    assert ended.returncode in (1, 2), ended
    assert ended.stdout == ""
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, "one line says what is wrong"
    return lines[0]


def free_port() -> int:
    """A port that nobody uses now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- starting -----------------------------------------------------------------------------------


async def test_the_first_line_says_where_it_listens(directory: Path) -> None:
    """SPEC §9: on standard output, alone, and only once it accepts; `--port 0` takes a free port."""
    server = ServerProcess(directory)
    with server:
        assert server.port > 0
        ada = await server.client("ada")
        await ada.close()
        assert server.process is not None
        assert server.process.stdout is not None
        output = server.process.stdout
        server.process.terminate()
        assert await asyncio.to_thread(output.read) == b"", "nothing else is printed"
        assert await server.stopped() == 0


async def test_a_port_that_is_asked_for_is_taken(directory: Path) -> None:
    """SPEC §9: or, if it is in use, refused with a clear message."""
    server = ServerProcess(directory)
    server.port = free_port()
    with server:
        assert server.url.endswith(f":{server.port}/")
        said = refusal("--dev", "--port", str(server.port), "--data", ":memory:")
        assert said.startswith("signalpost: ")
        assert "in use" in said
        assert await server.stopped() == 0


def test_a_second_server_on_the_same_data_refuses_to_start(directory: Path) -> None:
    """SPEC §9: with a message that names the directory; the first one goes on, and frees it when it ends."""
    with ServerProcess(directory) as server:
        said = refusal("--dev", "--data", server.data)
        assert server.data in said
        assert str(server.process.pid if server.process else "") in said
        assert fetch(f"{server.http}/healthz").status == 200
        assert server.stop() == 0
    with ServerProcess(directory) as server:
        server.kill()
    with ServerProcess(directory) as server:
        assert server.stop() == 0, "a crash leaves no lock behind"


def test_data_of_a_newer_version_is_left_alone(directory: Path) -> None:
    """SPEC §9 (issue: newer schema refused): the message says what is known; the file is not touched."""
    with ServerProcess(directory) as server:
        assert server.stop() == 0
    (database,) = Path(server.data).glob("*.db")
    connection = sqlite3.connect(database)
    known = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {known + 1}")
    connection.close()
    before = database.read_bytes()
    said = refusal("--dev", "--data", server.data)
    assert str(known + 1) in said
    assert "version" in said
    assert database.read_bytes() == before


def test_what_is_no_database_is_left_alone(directory: Path) -> None:
    """SPEC §9: a damaged file is refused with a clear message, and kept for who can mend it."""
    with ServerProcess(directory) as server:
        assert server.stop() == 0
    (database,) = Path(server.data).glob("*.db")
    database.write_bytes(b"this was a database once " * 400)
    assert str(database) in refusal("--dev", "--data", server.data)
    assert database.read_bytes().startswith(b"this was")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "app"),
        (("--app", "app"), "app"),
        (("--dev", "--host", "0.0.0.0"), "loopback"),
        (("--dev", "--port", "65536"), "port"),
        (("--dev", "--port", "http"), "port"),
        (("--dev", "--advertise", "host.name:1"), "advertise"),
        (("--dev", "--trusted-proxies", "10.0.0.1/8"), "trusted"),
        (("--dev", "--tls-cert", "cert.pem"), "tls"),
        (("--dev", "--tls-cert", "missing.pem", "--tls-key", "missing.pem"), "--tls-cert: no such file"),
        (("--config", "missing.toml"), "the configuration file: cannot be read"),
        (("--dev", "--no-such-flag"), "no such option"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    arguments: tuple[str, ...], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC §9, L4: secure by default, and clear about it."""
    monkeypatch.chdir(tmp_path)
    assert named in refusal("--data", ":memory:", *arguments).lower()


async def test_dev_says_what_it_is(directory: Path) -> None:
    """SPEC §9, L4: any App ID, any token, loopback only."""
    with ServerProcess(directory, config="", flags=("--dev",)) as server:
        ada = await server.client("ada", app="any app at all".replace(" ", "-"), token="")
        await ada.close()
        assert await server.stopped() == 0
    assert "any App ID and any token" in server.log.read_text()


async def test_settings_come_from_file_environment_and_flags(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC §9: flags win over the environment, the environment over the file."""
    monkeypatch.setenv("SIGNALPOST_APPS", "second:secret")
    monkeypatch.setenv("SIGNALPOST_ADVERTISE", "192.0.2.1:1")
    flags = ("--app", "third", "--allow-no-token", "third", "--advertise", "192.0.2.2:2")
    config = '[server]\nadvertise = "192.0.2.3:3"\n\n[apps.first]\nallow_no_token = true\n'
    with ServerProcess(directory, config=config, flags=flags) as server:
        codes = {}
        for app in ("first", "second", "third", "fourth"):
            client = await server.open()
            codes[app] = (await client.try_login("ada", app=app))[1].get("code", 0)
            await client.close()
        assert codes == {"first": 0, "second": 206, "third": 0, "fourth": 201}
        assert fetch(f"{server.http}/getaddr?vid=first").json["web"] == [["192.0.2.2", 2]]
        assert await server.stopped() == 0


async def test_a_token_of_the_command_line_logs_in(directory: Path) -> None:
    """SPEC §9, L3: `signalpost token` prints a token and nothing else; it is good for its account alone."""
    asked = ("token", "--app", "app", "--certificate", "secret", "--account", "ada", "--ttl", "60")
    made = signalpost(*asked)
    assert (made.returncode, made.stderr) == (0, "")
    token = made.stdout.strip()
    assert re.fullmatch(r"1:app:\d{10}:[0-9a-f]{32}", token)
    assert made.stdout == f"{token}\n"
    with ServerProcess(directory, config="", flags=("--app", "app:secret")) as server:
        ada = await server.client("ada", token=token)
        await ada.close()
        for account, wrong in (("bo", token), ("ada", token[:-1]), ("ada", "_no_need_token")):
            client = await server.open()
            assert (await client.try_login(account, token=wrong))[1]["code"] == 206
            await client.close()
        assert await server.stopped() == 0


# --- where to connect ---------------------------------------------------------------------------


def test_getaddr_names_the_address_that_was_asked(directory: Path) -> None:
    """SPEC §9, PROTOCOL §1: always 200, with CORS, whatever `vid` says; clients elsewhere are told theirs."""
    with ServerProcess(directory, flags=("--host", "0.0.0.0")) as server:
        for host in ("127.0.0.1", "127.0.0.2"):
            for query in ("vid=app", "vid=unknown", "vid=", ""):
                answer = fetch(f"http://{host}:{server.port}/getaddr?{query}")
                assert answer.status == 200
                assert answer.headers["access-control-allow-origin"] == "*"
                assert answer.json == {
                    "web": [[host, server.port]],
                    "web2": [[host, server.port]],
                    "wx_web": [f"{host}:{server.port}/"],
                }
        assert server.stop() == 0


@pytest.mark.parametrize("said", ["192.0.2.7:8001", "wss://signal.example.org/ws"])
def test_advertise_is_what_getaddr_says(directory: Path, said: str) -> None:
    """SPEC §9, PROTOCOL §1: a pair for everybody; a URL for the browsers that can use one."""
    with ServerProcess(directory, flags=("--advertise", said)) as server:
        url = f"{server.http}/getaddr?vid=app"
        browser = fetch(url, {"User-Agent": "Mozilla/5.0"}).json
        python = fetch(url, {"User-Agent": "python-requests"}).json
        if said.startswith("wss"):
            assert browser["web"] == [said]
            assert browser["wx_web"] == [said.removeprefix("wss://")]
            assert python["web"] == [["127.0.0.1", server.port]], "it would take a URL for a pair"
        else:
            assert browser["web"] == python["web"] == [["192.0.2.7", 8001]]
            assert browser["wx_web"] == ["192.0.2.7:8001/"]
        assert server.stop() == 0


async def test_tls_is_one_port_above(directory: Path) -> None:
    """SPEC §9, PROTOCOL §1: plain on the port and TLS on port + 1, both the same service."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    await asyncio.to_thread(
        subprocess.run,
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    trust = ssl.create_default_context(cafile=str(cert))
    with ServerProcess(directory, flags=("--tls-cert", str(cert), "--tls-key", str(key))) as server:
        secure = await RawClient.open(f"wss://127.0.0.1:{server.port + 1}/", ssl=trust)
        await secure.login("ada")
        await secure.poll()
        plain = await server.client("bo")
        await plain.ok("user_sendmsg", peer="ada", t="instant", content="😀" * 2049)
        assert (await secure.pushed())[1].content == "😀" * 2049
        await secure.ok("user_sendmsg", peer="bo", t="instant", content="back")
        assert (await plain.pushed())[1].content == "back"
        found = fetch(f"{server.http}/getaddr?vid=app").json
        assert found["web"] == [["127.0.0.1", server.port]], "web SDKs add the 1 themselves"
        assert found["wx_web"] == [f"127.0.0.1:{server.port + 1}/"]
        closing = asyncio.create_task(server.stopped())
        assert (await secure.gone())[0] == 1012
        assert (await plain.gone())[0] == 1012
        assert await closing == 0


# --- ending -------------------------------------------------------------------------------------


async def test_sigterm_sends_everybody_away_in_good_order(directory: Path) -> None:
    """SPEC §9: accepts no more, commits, closes with 1012 and never with a `close` frame; exits with 0."""
    with ServerProcess(directory) as server:
        clients = [
            await server.client(device, device=device) for device in ("websdk", "javasdk", "signalpost-web")
        ]
        idle = await server.open()
        ada = await server.client("ada")
        asked = [
            await ada.ask("user_sendmsg", peer="cy", t="instant", content=str(number)) for number in range(20)
        ]
        await ada.settle()
        began = time.monotonic()
        assert await server.stopped() == 0
        assert time.monotonic() - began < 3
        for client in (*clients, idle):
            assert (await client.gone())[0] == 1012
            assert client.frames == [], "a close frame would log an original out"
        assert (await ada.gone())[0] == 1012
        stored = [(await ada.answer(call))["result"] for call in asked]
        assert stored == ["ok"] * 20, "what was taken is committed and answered"
        server.start()
        cy = await server.client("cy", polled=False)
        assert [line.content for _, line in await cy.poll()] == [*map(str, range(20))]
        await cy.close()
        assert await server.stopped() == 0


async def test_a_client_that_does_not_answer_the_close_delays_the_end_but_not_for_long(
    directory: Path,
) -> None:
    """SPEC §9: no new connection while it drains; within 10 s it is over, whoever does not follow."""
    with ServerProcess(directory) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        began = time.monotonic()
        closing = asyncio.create_task(server.stopped())
        assert await reader.readexactly(4) == b"\x88" + bytes([2 + len("the server restarts")]) + b"\x03\xf4"

        async def accepts_none() -> bool:
            try:
                await RawClient.open(server.url)
            except (ConnectionRefusedError, ConnectionResetError, EOFError, InvalidStatus):
                return True
            return False

        await until(accepts_none, "no new connection is taken")
        assert not closing.done()
        assert await closing == 0
        assert time.monotonic() - began < 10
        writer.close()


async def test_a_client_that_reads_nothing_cannot_hold_the_server(directory: Path) -> None:
    """SPEC §9: not even with a full outbox."""
    with ServerProcess(directory) as server:
        ada = await server.client("ada")
        mute = await server.client("mute", device="signalpost-web")
        mute.socket.transport.pause_reading()
        await ada.ok("channel_join", name="room")
        await mute.send(["call2", ["channel_join", "j", {"name": "room"}]])
        await ada.event("room")
        for _ in range(50):
            await ada.ok("channel_sendmsg", name="room", msg="x" * 8192)
        began = time.monotonic()
        assert await server.stopped() == 0
        assert time.monotonic() - began < 10
        mute.socket.transport.resume_reading()
        await mute.gone()


# --- what it says -------------------------------------------------------------------------------

DEBUG = CONFIG.replace("[server]", '[server]\nlog_level = "debug"\nlog_format = "{}"')
SECRETS = {
    "token": "1:app:9999999999:0123456789abcdef0123456789abcdef",
    "certificate": "secret",
    "instant": "an-instant-message-nobody-may-read",
    "channel": "a-channel-message-nobody-may-read",
    "attribute": "an-attribute-value-nobody-may-read",
    "extra": "an-extra-nobody-may-read",
    "junk": "junk-nobody-may-read",
}


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_log_holds_a_token_or_a_message(directory: Path, form: str) -> None:
    """SPEC §9, S8: at debug level, after all kinds of traffic, good and bad; JSON is one object a line."""
    with ServerProcess(directory, config=DEBUG.format(form)) as server:
        ada = await server.client("ada")
        bo = await server.client("bo", device="signalpost-python")
        client = await server.open()
        await client.try_login("ada", token=SECRETS["token"])
        await client.gone()
        await ada.ok("user_sendmsg", peer="bo", t="instant", content=SECRETS["instant"])
        await ada.refused("user_sendmsg", 1004, peer="b o", t="instant", content=SECRETS["instant"])
        await ada.refused("user_sendmsg", 1005, peer="bo", t="instant", content=SECRETS["instant"] * 500)
        await ada.ok("channel_join", name="room")
        await ada.ok("channel_sendmsg", name="room", msg=SECRETS["channel"])
        await ada.ok("user_set_attr", name="n", value=SECRETS["attribute"])
        await ada.ok("channel_set_attr", channel="room", name="n", value=SECRETS["attribute"])
        extra = json.dumps({"x": SECRETS["extra"]})
        await ada.ok("voip_invite", channelName="room", peer="bo", extra=extra)
        await ada.refused("voip_invite", 1004, channelName="room", peer="cy", extra=f"[{SECRETS['extra']}")
        await bo.ok("voip_invite_accept", channelName="room", peer="ada", extra=SECRETS["extra"])
        await ada.send(["call2", ["no_such_function", 1, {"x": SECRETS["junk"]}]])
        await ada.send(["no such frame", SECRETS["junk"]])
        await ada.send(["call2", [{"x": SECRETS["junk"]}, 1, {}]])
        await ada.send(["login", {"token": SECRETS["token"]}])
        await ada.settle()
        await ada.send(f"[{SECRETS['junk']}")
        assert (await ada.gone())[0] == 1008
        fetch(f"{server.http}/{SECRETS['junk']}?token={SECRETS['token']}")
        await bo.cut()
        assert await server.stopped() == 0
    log = server.log.read_text()
    assert log.count("\n") >= 3, "something was logged"
    for what, secret in SECRETS.items():
        assert not re.search(rf"\b{re.escape(secret)}\b", log), what
    assert "Traceback" not in log
    if form == "json":
        events = [json.loads(line) for line in log.splitlines()]
        assert all({"event", "level", "timestamp"} <= event.keys() for event in events)
        assert all(event["level"] in ("debug", "info", "warning") for event in events)


def test_healthz_says_that_it_lives(directory: Path) -> None:
    """SPEC §9: 200 with JSON; a path that is not there says what is."""
    with ServerProcess(directory) as server:
        healthy = fetch(f"{server.http}/healthz")
        assert (healthy.status, healthy.json["status"]) == (200, "ok")
        missing = fetch(f"{server.http}/no/such/page")
        assert missing.status == 404
        assert "/getaddr" in missing.text
        page = fetch(f"{server.http}/")
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/html")
        assert f"ws://127.0.0.1:{server.port}/" in page.text
        assert server.stop() == 0


async def test_metrics_count_what_happened(directory: Path) -> None:
    """SPEC §9: every number that the issue names, in Prometheus' words, after known traffic."""
    with ServerProcess(directory) as server:
        before = metrics(server.http)
        ada, bo = await server.client("ada"), await server.client("bo")
        idle = await server.open()
        gone = await server.client("gone")
        await gone.close()
        await ada.ok("channel_join", name="room")
        await bo.ok("channel_join", name="room")
        await ada.event("room")
        for number in range(3):
            await ada.ok("channel_sendmsg", name="room", msg=str(number))
        for peer in ("bo", "bo", "cy", "cy", "cy"):
            await ada.ok("user_sendmsg", peer=peer, t="instant", content="")
        await bo.poll((await bo.pushed())[0])
        await ada.refused("channel_sendmsg", 400, name="elsewhere", msg="")
        await ada.refused("channel_join", 1004, name="")
        await ada.refused("channel_join", 1004, name=" ")
        client = await server.open()
        await client.try_login("ada", token="wrong")
        await client.gone()
        again = await server.client("bo")
        await bo.gone()

        async def counted() -> bool:
            return metrics(server.http)["signalpost_connections"] == 3

        await until(counted, "the closed connections are gone")
        now = metrics(server.http)

        def more(name: str) -> float:
            return now[name] - before.get(name, 0)

        assert now["signalpost_sessions"] == 2, "attached ones"
        assert now["signalpost_channels"] == 1
        assert now["signalpost_inbox_depth"] == 4, "one for bo, three for cy"
        assert more("signalpost_messages_in_total") == 8
        assert more('signalpost_messages_out_total{kind="inbox"}') >= 2
        assert more('signalpost_messages_out_total{kind="channel"}') == 1 + 6 + 1, (
            "a join, 3 to both, a leave"
        )
        assert more('signalpost_refusals_total{code="400"}') == 1
        assert more('signalpost_refusals_total{code="1004"}') == 2
        assert more('signalpost_refusals_total{code="206"}') == 1
        assert more('signalpost_logins_total{outcome="opened"}') == 4
        assert more('signalpost_logins_total{outcome="refused"}') == 1
        assert more("signalpost_kicks_total") == 1
        assert more("signalpost_requests_total") >= 16
        assert more("signalpost_commit_latency_seconds_count") >= 1
        assert more('signalpost_commit_latency_seconds_bucket{le="+Inf"}') >= 1

        async def lag_is_measured() -> bool:
            return metrics(server.http)["signalpost_loop_lag_seconds_count"] >= 1

        await until(lag_is_measured, "the loop's lag is measured")
        for one in (ada, again, idle):
            await one.close()
        assert await server.stopped() == 0


async def test_metrics_are_well_formed(house: House) -> None:
    """SPEC §9: every sample has its type and its help, and no counter is negative."""
    text = fetch(f"{house.server.http}/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    described = set(re.findall(r"^# TYPE (\S+) ", text.text, re.MULTILINE))
    assert described == set(re.findall(r"^# HELP (\S+) \S", text.text, re.MULTILINE))
    for name, value in metrics(house.server.http).items():
        bare = name.partition("{")[0]
        family = re.sub(r"_(bucket|count|sum|created)$", "", bare)
        assert bare in described or family in described, name
        assert value >= 0


async def test_connections_that_never_speak_are_normal(directory: Path) -> None:
    """PROTOCOL §1: web SDKs open two and close one; one that stays silent for long is ended."""
    config = CONFIG.replace("[server]", "[server]\nlogin_timeout = 3")
    with ServerProcess(directory, config=config) as server:
        ada = await server.client("ada")
        spare = await server.open()
        await spare.close()
        silent = await server.open()
        assert (await silent.gone())[0] == 1008
        await ada.quiet()
        await ada.close()
        assert await server.stopped() == 0


async def test_a_peer_that_answers_no_ping_is_dead(directory: Path) -> None:
    """SPEC L13: pinged when silent; pongs alone keep a connection, without them its session detaches."""
    config = CONFIG.replace("[server]", "[server]\nping_after = 1\ndead_after = 5")
    with ServerProcess(directory, config=config) as server:
        hidden = await server.client("hidden")
        frozen = await server.client("frozen")
        frozen.socket.transport.pause_reading()

        async def dropped() -> bool:
            return metrics(server.http)["signalpost_connections"] == 1

        await until(dropped, "the frozen peer's connection is gone")
        assert (await hidden.ok("user_query_user_status", account="frozen"))["status"] == 1
        await hidden.quiet()
        frozen.socket.transport.resume_reading()
        await frozen.gone()
        await hidden.close()
        assert await server.stopped() == 0


def test_check_config_and_help_are_worth_reading(directory: Path) -> None:
    """SPEC §9: `check-config` names line and reason; `--help` says where settings come from."""
    file = directory / "signalpost.toml"
    file.write_text("[server]\nport = 1\nprot = 2\n")
    wrong = signalpost("check-config", str(file))
    assert wrong.returncode == 1
    assert f"{file}:3" in wrong.stderr
    assert "port" in wrong.stderr
    file.write_text(CONFIG)
    right = signalpost("check-config", str(file))
    assert right.returncode == 0
    assert "secret" not in right.stdout
    shown = signalpost("serve", "--help", COLUMNS="120").stdout
    for word in ("--config", "--data", "--dev", "--advertise", "--trusted-proxies", "SIGNALPOST_", "TOML"):
        assert word in shown
