"""Who may ask, and the listener that is asked (SPEC A1)."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from signalpost.api.desk import Desk
from signalpost.api.listener import ApiListener, Surroundings
from signalpost.config import ConfigError, load
from signalpost.domain.keys import Key, Keyring, Scope, digest_of, spelled
from support.api import KEYS, SECRET, ApiServer, BackEnd
from support.server import CONFIG, ServerProcess
from support.web import fetch, metrics

OTHER = "z" * 32


def key(**options: object) -> Key:
    usual: dict[str, object] = {"id": "k", "app": "", "digests": (digest_of(SECRET),), "scopes": frozenset()}
    return Key(**(usual | options))  # type: ignore[arg-type]


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_is_found_by_its_whole_text_alone() -> None:
    known = key()
    ring = Keyring([known])
    assert ring.find(spelled("k", SECRET)) is known
    right = spelled("k", SECRET)
    wrong = [
        right[:-1],
        right + "x",
        right.upper(),
        f" {right}",
        f"{right}\n",
        spelled("j", SECRET),
        SECRET,
        "",
    ]
    assert [
        ring.find(text) for text in [*wrong, spelled("k", OTHER), "spk_k_", "spk__" + SECRET, "é" * 40]
    ] == [None] * 12


def test_two_secrets_are_right_while_one_replaces_the_other() -> None:
    ring = Keyring([key(digests=(digest_of(SECRET), digest_of(OTHER)))])
    assert ring.find(spelled("k", SECRET)) is ring.find(spelled("k", OTHER)) is not None


@pytest.mark.parametrize(
    ("address", "may"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.1.2.3", False), ("2001:db8::1", True), ("", False)],
)
def test_a_key_is_good_from_its_networks(address: str, may: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert key(networks=networks).may_come_from(address) is may
    assert key().may_come_from(address)


def test_a_key_shows_nothing_of_itself() -> None:
    assert digest_of(SECRET) not in repr(key())


# --- the configuration --------------------------------------------------------------------------


def read(tmp_path: Path, text: str) -> object:
    file = tmp_path / "signalpost.toml"
    file.write_text(text)
    return load(str(file), environment={}, flags={}).api


def test_without_a_section_there_is_no_listener(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG) is None
    api = read(tmp_path, f"{CONFIG}[api]\n")
    assert (api.host, api.port, api.keys) == ("127.0.0.1", 8082, ())  # type: ignore[attr-defined]


def test_a_key_may_be_written_as_a_hash_and_as_two(tmp_path: Path) -> None:
    text = f"""{CONFIG}[api]
[api.keys.op]
hash = ["sha256:{digest_of(SECRET)}", "sha256:{digest_of(OTHER)}"]
scopes = ["admin", "read"]
networks = ["127.0.0.1"]
[apps.app.keys.back]
secret = "{SECRET}"
scopes = ["send"]
"""
    operator, back = read(tmp_path, text).keys  # type: ignore[attr-defined]
    assert operator == key(
        id="op",
        digests=(digest_of(SECRET), digest_of(OTHER)),
        scopes=frozenset({Scope.ADMIN, Scope.READ}),
        networks=(ip_network("127.0.0.1/32"),),
    )
    assert back == key(id="back", app="app", scopes=frozenset({Scope.SEND}))


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("[api]\nports = 1", "unknown key (did you mean 'port'?)"),
        ("[api]\nport = 70000", "expected a whole number from 0 to 65535"),
        ("[api]\n[api.keys.op]\nscopes = ['read']", "neither a secret nor a hash"),
        (f"[api]\n[api.keys.op]\nsecret = '{SECRET}'", "the key may do nothing"),
        (f"[api]\n[api.keys.op]\nsecret = '{SECRET}'\nscopes = ['rule']", 'expected a list of "read"'),
        ("[api]\n[api.keys.op]\nsecret = 'short'\nscopes = ['read']", "expected 32 to 128 letters"),
        ("[api]\n[api.keys.op]\nhash = 'sha256:1'\nscopes = ['read']", "64 hex digits"),
        (f"[api]\n[api.keys.o_p]\nsecret = '{SECRET}'\nscopes = ['read']", "expected an id"),
        (
            f"[api]\n[api.keys.op]\nsecret = ['{SECRET}', '{OTHER}']\nhash = 'sha256:{'0' * 64}'",
            "2 secrets at most",
        ),
        (f"[api]\n[apps.app.keys.op]\nsecret = '{SECRET}'\nscopes = ['admin']", "admin is for operators"),
        (f"[apps.app.keys.op]\nsecret = '{SECRET}'\nscopes = ['read']", "give the file a section [api]"),
        (
            "[api]\n"
            + "\n".join(
                f"[{table}.keys.same]\nsecret = '{SECRET}'\nscopes = ['read']"
                for table in ("api", "apps.app")
            ),
            "the id is that of another key",
        ),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, section: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, f"{CONFIG}{section}\n")
    assert reason in str(refused.value)
    assert SECRET not in str(refused.value)


def test_the_command_makes_a_key_that_the_configuration_takes(tmp_path: Path) -> None:
    """SPEC §9: `signalpost key`."""

    def made(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "signalpost", "key", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    done = made("back", "--app", "app", "--scope", "send", "--scope", "read")
    text, _, section = done.stdout.partition("\n")
    [back] = read(tmp_path, f"{CONFIG}[api]\n{section}").keys  # type: ignore[attr-defined]
    assert Keyring([back]).find(text) is back
    assert (back.app, back.scopes) == ("app", {Scope.SEND, Scope.READ})
    assert text not in section
    [operator] = read(
        tmp_path, f"{CONFIG}[api]\n" + made("op", "--scope", "admin").stdout.partition("\n")[2]
    ).keys  # type: ignore[attr-defined]
    assert operator.app == ""
    for arguments in (("b_k", "--scope", "read"), ("back",), ("back", "--app", "a", "--scope", "admin")):
        assert made(*arguments).returncode == 2


# --- the listener -------------------------------------------------------------------------------


async def test_the_metrics_leave_the_public_port(server: ApiServer) -> None:
    """SPEC A1: what only operators should see is where they ask."""
    base = await server.api()
    assert "signalpost_sessions" in metrics(base)
    assert fetch(f"{server.http}/metrics").status == 404
    for path, status in (("/healthz", 200), ("/readyz", 200)):
        assert fetch(f"{base}{path}").status == fetch(f"{server.http}{path}").status == status
    assert fetch(f"{base}/getaddr").status == 404


async def test_a_setting_keeps_the_metrics_on_the_public_port(directory: Path) -> None:
    with ApiServer(directory, config=f"{CONFIG}[api]\nport = 0\npublic_metrics = true\n") as server:
        assert "signalpost_sessions" in metrics(await server.api())
        assert "signalpost_sessions" in metrics(server.http)


def test_without_a_section_the_metrics_are_on_the_public_port(directory: Path) -> None:
    with ServerProcess(directory) as server:
        assert "signalpost_sessions" in metrics(server.http)


def test_a_port_that_is_taken_is_named(directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = directory / "signalpost.toml"
        file.write_text(f"{CONFIG}[api]\nport = {port}\n")
        done = subprocess.run(
            [sys.executable, "-m", "signalpost", "serve", "--config", file, "--data", directory / "data"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last == f"signalpost: cannot listen on 127.0.0.1:{port} for the API: Address already in use"


async def test_wrong_keys_count_against_their_address(directory: Path) -> None:
    config = CONFIG.replace("[server]", "[server]\nfailed_logins_per_minute = 3") + KEYS
    with ApiServer(directory, config=config) as server:
        wrong, right = await server.back_end("back", "y" * 32), await server.back_end()
        assert [(await wrong.ask("GET", "online")).status for _ in range(4)] == [401, 401, 401, 429]
        told = await right.ask("GET", "online")
        assert (told.status, told.headers["retry-after"]) == (429, "60")
        client = await server.open()
        err, _ = await client.try_login("ada")
        assert "too many" in err or "failed" in err
        await server.leave()


async def test_a_key_is_refused_from_elsewhere(directory: Path) -> None:
    keys = KEYS.replace("[apps.app.keys.back]", '[apps.app.keys.back]\nnetworks = ["192.0.2.0/24"]')
    config = CONFIG.replace("[server]", '[server]\ntrusted_proxies = ["127.0.0.1"]') + keys
    with ApiServer(directory, config=config) as server:
        back = await server.back_end()
        assert (await back.ask("GET", "online")).status == 403
        forwarded = {"X-Forwarded-For": "192.0.2.7"}
        assert (await back.ask("GET", "online", headers=forwarded)).status == 200
        await server.leave()


async def test_a_key_has_a_rate(directory: Path) -> None:
    config = CONFIG + KEYS.replace("requests = 1000", "requests = 1").replace("5000", "5")
    with ApiServer(directory, config=config) as server:
        back, other = await server.back_end(), await server.back_end("reader")
        statuses = [(await back.ask("GET", "online")).status for _ in range(9)]
        assert statuses[:5] == [200] * 5
        told = await back.ask("GET", "online")
        if told.status == 429:
            assert "too many requests" in told.body["detail"]
            assert int(told.headers["retry-after"]) >= 1
        assert 429 in statuses
        assert (await other.ask("GET", "online")).status == 200
        await server.leave()


async def test_an_operator_ends_the_server_as_its_signal_does(directory: Path) -> None:
    """SPEC A2: and what comes meanwhile is told so."""
    with ApiServer(directory) as server:
        operator = await server.back_end("op")
        bo = await server.client("bo")
        await operator.post("/v1/drain")
        assert (await bo.gone())[0] == 1012
        assert server.process is not None
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        await server.leave()


async def test_while_it_ends_it_says_so_and_takes_nothing() -> None:
    """SPEC A1: and still whether it lives."""
    around = Surroundings(
        metrics=lambda: b"",
        health=dict,
        unready=lambda: None,
        draining=lambda: True,
        address_of=lambda peer, forwarded: peer,
        may_try=lambda address: True,
        failed=lambda address: None,
    )
    nothing: Any = None
    listener = ApiListener(
        Desk(nothing, nothing, nothing, rate=1, burst=1), Keyring([]), around, host="127.0.0.1", port=0
    )
    await listener.start()
    back = BackEnd(f"http://127.0.0.1:{listener.port}", "")
    try:
        told = await back.ask("GET", "online")
        assert (told.status, told.headers["retry-after"]) == (503, "1")
        ready = await back.ask("GET", "/readyz")
        assert (ready.status, ready.body["status"]) == (503, "draining")
        assert (await back.ask("GET", "/healthz")).status == 200
        assert (await back.ask("POST", "/healthz")).status == 405
    finally:
        await back.close()
        await listener.stop()
