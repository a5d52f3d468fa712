"""Logins by JSON Web Tokens on a real server, with a real provider (SPEC J1-J5)."""

from __future__ import annotations

import asyncio
import json
import re
import time
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from signalpost.client import LoginError, connect
from signalpost.config import load
from signalpost.tokens import make_token, make_web_token
from support.provider import Provider
from support.server import ServerProcess

SECRET = "32 bytes or more, that only the back end knows"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "authentication.md").read_text(encoding="utf-8")

CONFIG = f"""
[apps.both]
certificate = "certificate"
[apps.both.jwt]
secret = "{SECRET}"

[apps.strict]
certificate = "certificate"
md5_tokens = false
[apps.strict.jwt]
secret = "{SECRET}!"

[apps.md5]
certificate = "certificate"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("tokens"), config=CONFIG) as process:
        yield process
        assert process.stop() == 0
        log = process.log.read_text()
        assert SECRET not in log
        assert "eyJ" not in log


async def refusal(server: ServerProcess, app: str, token: Any, account: str = "ada") -> tuple[int, str]:
    """The code of a login, 0 if it succeeds, and the reason."""
    client = await server.open()
    err, body = await client.try_login(account, app=app, token=token, device="signalpost-python")
    await client.close()
    return (0, "") if err == "" else (body["code"], body["reason"])


async def test_each_kind_of_token_lets_in_and_no_other_app_takes_it(server: ServerProcess) -> None:
    """SPEC J1: told by its form; MD5 per app switchable off."""
    web, md5 = make_web_token(SECRET, "ada"), make_token("both", "certificate", "ada")
    assert (await refusal(server, "both", web))[0] == 0
    assert (await refusal(server, "both", md5))[0] == 0
    assert (await refusal(server, "both", web, "bo"))[0] == 206
    assert (await refusal(server, "strict", web))[0] == 206
    assert (await refusal(server, "strict", make_web_token(SECRET + "!", "ada")))[0] == 0
    assert (await refusal(server, "strict", make_token("strict", "certificate", "ada")))[0] == 206
    assert (await refusal(server, "md5", web))[0] == 206
    assert (await refusal(server, "md5", make_token("md5", "certificate", "ada")))[0] == 0


async def test_what_is_wrong_is_206_and_what_has_expired_204(server: ServerProcess) -> None:
    """SPEC J2."""
    assert (await refusal(server, "both", make_web_token(SECRET, "ada", ttl=-31)))[0] == 204
    assert (await refusal(server, "both", make_web_token(SECRET, "ada", ttl=-25)))[0] == 0
    code, reason = await refusal(server, "both", make_web_token(SECRET + "?", "ada", ttl=-31))
    assert (code, reason[:10]) == (206, "TokenError")
    unsigned = jwt.encode({"sub": "ada", "exp": time.time() + 60}, None, "none")
    for token in (unsigned, "a.b.c", ".", "..", "ey.ey.", make_web_token(SECRET, "ada") + "A"):
        assert (await refusal(server, "both", token))[0] == 206


async def test_the_token_that_opened_a_session_may_resume_it_when_it_has_expired(
    server: ServerProcess,
) -> None:
    """SPEC J2, L6; others are 204."""
    short = make_web_token(SECRET, "eve", ttl=-27)
    client = await server.open()
    body = await client.login("eve", app="both", token=short, device="signalpost-python")
    await client.cut()
    while (await refusal(server, "both", make_web_token(SECRET, "fay", ttl=-27)))[0] != 204:
        if int(jwt.decode(short, options={"verify_signature": False})["exp"]) + 30 <= time.time():
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    again = await server.open()
    answer = await again.login(
        "eve", app="both", token=short, device="signalpost-python", **{"line": body["line"]}
    )
    assert answer["line"] == body["line"]
    assert (await refusal(server, "both", make_web_token(SECRET, "eve", ttl=-40), "eve"))[0] == 204
    await again.close()


async def test_a_token_sets_attributes_and_names_channels(server: ServerProcess) -> None:
    """SPEC J5."""
    claims = {"attrs": {"name": "Ada", "level": 7, "_conn_timeout": "30"}, "channels": ["lobby", "team-*"]}
    ada = await server.open()
    body = await ada.login("gil", app="both", token=make_web_token(SECRET, "gil", claims=claims))
    found = await ada.ok("user_get_attr_all", account="gil")
    assert json.loads(found["json"]) == {"name": "Ada", "level": "7", "_conn_timeout": "30"}
    await ada.ok("channel_join", name="lobby")
    await ada.ok("channel_join", name="team-7")
    await ada.refused("channel_join", 300, name="office")
    await ada.refused("channel_join", 300, name="__agora_user_online")
    assert body["line"]
    await ada.ok("user_set_attr", name="name", value="Countess")
    await ada.cut()
    resumed = await server.open()
    more = {"attrs": {"name": "x"}, "channels": ["*"]}
    await resumed.login(
        "gil",
        app="both",
        token=make_web_token(SECRET, "gil", claims=more),
        device="signalpost-python",
        **{"line": body["line"]},
    )
    found = await resumed.ok("user_get_attr", account="gil", name="name")
    assert found["value"] == "Countess", "a reconnect sets nothing"
    await resumed.ok("channel_join", name="office")
    await resumed.close()


async def test_attributes_of_a_token_come_besides_a_hundred_of_ones_own(server: ServerProcess) -> None:
    """SPEC P2, J5: nobody is locked out by what he has set."""
    full = await server.open()
    await full.login("hal", app="both", token=make_web_token(SECRET, "hal"))
    for number in range(100):
        await full.ok("user_set_attr", name=f"a{number}", value="")
    await full.refused("user_set_attr", 1001, name="more", value="")
    await full.close()
    claims = {"attrs": {"role": "host"}}
    again = await server.open()
    await again.login("hal", app="both", token=make_web_token(SECRET, "hal", claims=claims))
    assert (await again.ok("user_get_attr", account="hal", name="role"))["value"] == "host"
    await again.close()


async def test_a_long_token_arrives(server: ServerProcess) -> None:
    """SPEC E5: a frame has 64 KiB; providers put much into tokens."""
    token = make_web_token(SECRET, "ada", claims={"groups": ["g" * 40] * 1000})
    assert 50_000 < len(token) < 60_000
    assert (await refusal(server, "both", token))[0] == 0
    token = make_web_token(SECRET, "ida", claims={"groups": ["g" * 40] * 139})
    assert 8_000 < len(token) <= 8_192, "more, no SDK takes"
    async with connect(server.url, app_id="both", account="ida", token=token) as me:
        assert me.account == "ida"
    with pytest.raises(LoginError) as raised:
        await connect(server.url, app_id="both", account="ada", token=token, retries=1)
    assert raised.value.code == 206


# --- providers ------------------------------------------------------------------------------------


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as running:
        running.rotate("one")
        yield running


def config_of(*urls: str) -> str:
    return "".join(
        f'[apps.app{number}.jwt]\njwks_url = "{url}"\naudience = "app"\n' for number, url in enumerate(urls)
    )


async def test_the_same_kid_of_two_providers_is_two_keys(provider: Provider, tmp_path: Path) -> None:
    """SPEC J3: cached by (URL, kid)."""
    async with Provider() as other:
        other.rotate("one")
        with ServerProcess(tmp_path, config=config_of(provider.url, other.url)) as server:
            assert (await refusal(server, "app0", provider.token("one")))[0] == 0
            assert (await refusal(server, "app1", other.token("one")))[0] == 0
            assert (await refusal(server, "app0", other.token("one")))[0] == 206
            assert (await refusal(server, "app1", provider.token("one")))[0] == 206
            assert (await refusal(server, "app0", provider.token("one", aud="x")))[0] == 206


async def test_a_provider_that_hangs_delays_nobody_whose_key_is_known(
    provider: Provider, tmp_path: Path
) -> None:
    """SPEC J3."""
    async with Provider() as hanging:
        hanging.rotate("one")
        hanging.may_answer.clear()
        with ServerProcess(tmp_path, config=config_of(provider.url, hanging.url)) as server:
            assert (await refusal(server, "app0", provider.token("one")))[0] == 0
            slow = [asyncio.create_task(refusal(server, "app1", hanging.token("one"))) for _ in range(20)]
            for _ in range(20):
                assert (await refusal(server, "app0", provider.token("one")))[0] == 0
            assert {code for code, _ in await asyncio.gather(*slow)} == {201}
            hanging.may_answer.set()
            deadline = time.monotonic() + 20
            while (await refusal(server, "app1", hanging.token("one")))[0]:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)


async def test_a_login_is_told_when_to_come_back(provider: Provider, tmp_path: Path) -> None:
    """SPEC J3: a provider that is away is no fault of the token."""
    await provider.stop()
    with ServerProcess(tmp_path, config=config_of(provider.url)) as server:
        client = await server.open()
        err, body = await client.try_login("ada", app="app0", token=provider.token("one"))
        assert err
        assert (body["code"], body["retry_ms"]) == (201, 5000)


# --- what is refused at the start -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ('secret = "hunter2 hunter2 hunter2"', "at least 32 bytes"),
        ('secret = "hunter2 hunter2 hunter2 hunter2 hunter2"\nalgorithms = "none"', "algorithms"),
        ('secret = "hunter2 hunter2 hunter2 hunter2 hunter2"\nalgorithms = ["RS256"]', "algorithms"),
        ('secret = "hunter2 hunter2 hunter2 hunter2 hunter2"\nalgorithms = ["HS256", "HS512"]', "64 bytes"),
        ('jwks_url = "https://id.example/keys"', "audience is missing"),
        ('jwks_url = "https://id.example/keys"\naudience = "a"\nalgorithms = "HS256"', "algorithms"),
        ('jwks_url = "https://ada:hunter2@id.example/keys"\naudience = "a"', "without a password"),
        ('jwks_url = "file:///etc/passwd"\naudience = "a"', "https://"),
        ('public_key = "-----BEGIN PRIVATE KEY-----\\nhunter2"', "private key"),
        ('public_key = "hunter2"', "BEGIN PUBLIC KEY"),
        ('secret = "-----BEGIN PUBLIC KEY-----\\nhunter2 hunter2\\n-----END PUBLIC KEY-----"', "public_key"),
        ('public_key = "x"\nsecret = "hunter2"', "one of secret, public_key and jwks_url"),
        ('audience = "a"', "one of secret, public_key and jwks_url"),
        ('secrets = "hunter2"', "unknown key"),
        ("secret = 7", "a secret as text"),
        ("leeway = -1", "seconds"),
    ],
)
def test_what_could_never_be_safe_is_refused_in_one_line(tmp_path: Path, section: str, reason: str) -> None:
    """SPEC J4: by the start and by check-config; no secret is shown."""
    from signalpost.cli import main

    file = tmp_path / "signalpost.toml"
    file.write_text(f"[apps.a]\ncertificate = 'x'\n[apps.a.jwt]\n{section}\n")
    from signalpost.config import ConfigError

    with pytest.raises(ConfigError) as caught:
        load(str(file), environment={}, flags={})
    lines = str(caught.value).splitlines()
    assert any(reason in line for line in lines), lines
    assert all(line.startswith(f"{file}:") for line in lines)
    assert "hunter2" not in str(caught.value)
    assert main(["check-config", str(file)]) == 1


def test_an_app_with_web_tokens_alone_needs_no_certificate(tmp_path: Path) -> None:
    file = tmp_path / "signalpost.toml"
    file.write_text(f'[apps.a.jwt]\nsecret = "{SECRET}"\n[apps.b]\ncertificate = "x"\nmd5_tokens = false\n')
    from signalpost.config import ConfigError

    with pytest.raises(ConfigError, match=r"^\S+: apps\.b: md5_tokens is false, so nobody"):
        load(str(file), environment={}, flags={})


def test_the_command_makes_tokens_that_the_configuration_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SPEC §9: `signalpost token --jwt`."""
    from signalpost.cli import main

    file = tmp_path / "signalpost.toml"
    file.write_text(
        f'[apps.a.jwt]\nsecret = "{SECRET * 2}"\nalgorithms = ["HS512", "HS256"]\naudience = ["x", "y"]\n'
        'issuer = "me"\naccount_claim = "uid"\n[apps.b]\ncertificate = "x"\n'
    )
    arguments = ["token", "--jwt", "--config", str(file), "--account", "ada", "--ttl", "60"]
    assert main([*arguments, "--app", "a"]) == 0
    token = capsys.readouterr().out.strip()
    claims = jwt.decode(token, SECRET * 2, ["HS512"], audience="x", issuer="me")
    assert claims["uid"] == "ada"
    assert main([*arguments, "--app", "b"]) == 2
    assert "no secret" in capsys.readouterr().err


# --- the document -----------------------------------------------------------------------------------

EXAMPLES = re.findall(
    r"^\*\*(\w+)\.\*\*.*?^```toml\n(.*?)^```\n\n^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL
)


def test_the_document_has_four_providers() -> None:
    assert [name for name, _, _ in EXAMPLES] == ["Keycloak", "Firebase", "Auth0", "Supabase"]


@pytest.mark.parametrize(("section", "claims"), [pytest.param(*each[1:], id=each[0]) for each in EXAMPLES])
async def test_the_examples_of_the_document_log_in(
    provider: Provider, tmp_path: Path, section: str, claims: str
) -> None:
    """With the provider's own address, and at another time; nothing else is different."""
    settings = tomllib.loads(section)["apps"]["myapp"]["jwt"]
    said = json.loads(claims)
    account = said[settings.get("account_claim", "sub")]
    config = section.replace(settings["jwks_url"], provider.url)
    with ServerProcess(tmp_path, config=config) as server:
        now = {"exp": int(time.time()) + 300, "iat": int(time.time())}
        assert await refusal(server, "myapp", provider.token("one", **{**said, **now}), account) == (0, "")
        assert (await refusal(server, "myapp", provider.token("one", **said), account))[0] == 204
        for claim in ("aud", "iss"):
            token = provider.token("one", **{**said, **now, claim: "another"})
            assert (await refusal(server, "myapp", token, account))[0] == 206


async def test_the_rest_of_the_document_is_true(tmp_path: Path) -> None:
    """Its other blocks: one configuration, two programs, one set of claims."""
    first, second = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)[:2]
    made: dict[str, Any] = {}
    tokens = []
    for program in re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL):
        exec(program, made)
        tokens.append(made["token"])
    claims = json.loads(re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)[0])
    tokens.append(make_web_token(made["secret"], claims["sub"], claims=claims))
    with ServerProcess(tmp_path, config=first + second) as server:
        for token in tokens:
            assert await refusal(server, "myapp", token) == (0, "")
