"""Tokens: made by a function, given as text or fetched by a function for each connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from native_face.people import House, soon, take
from signalpost.client import LoginError, Reconnected, Reconnecting, Status
from signalpost.tokens import make_token, make_web_token
from support.relay import Relay
from support.server import ServerProcess

JWT_SECRET = "a secret as long as a hash of HS256"
CONFIG = f'[apps.app]\ncertificate = "secret"\n\n[apps.app.jwt]\nsecret = "{JWT_SECRET}"\n'


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """An app that wants tokens."""
    with ServerProcess(tmp_path_factory.mktemp("tokens"), config=CONFIG) as server:
        yield server
        assert server.stop() == 0


def house_of(server: ServerProcess) -> House:
    return House(server.url, "app")


async def test_tokens_make_token(strict_server: ServerProcess) -> None:
    """SPEC L3: it lets the account in, and nobody else; for a day if nothing else is said."""
    house = house_of(strict_server)
    token = make_token("app", "secret", "ada")
    await house.client("ada", token=token)
    for account, wrong, code in (
        ("bo", token, 206),
        ("ada", make_token("app", "other", "ada"), 206),
        ("ada", make_token("app", "secret", "ada", ttl=-5), 204),
        ("ada", "_no_need_token", 206),
    ):
        with pytest.raises(LoginError) as raised:
            await soon(house.connect(account, token=wrong))
        assert raised.value.code == code
    await house.close()


async def test_tokens_make_web_token(strict_server: ServerProcess) -> None:
    """SPEC L15, J1, J2: it lets the account in, and nobody else."""
    house = house_of(strict_server)
    token = make_web_token(JWT_SECRET, "ada")
    await house.client("ada", token=token)
    for account, wrong, code in (
        ("bo", token, 206),
        ("ada", make_web_token(JWT_SECRET[::-1], "ada"), 206),
        ("ada", make_web_token(JWT_SECRET, "ada", ttl=-60), 204),
    ):
        with pytest.raises(LoginError) as raised:
            await soon(house.connect(account, token=wrong))
        assert raised.value.code == code
    await house.close()


def test_make_token_refuses_what_makes_no_token() -> None:
    """SPEC L3."""
    with pytest.raises(ValueError, match="certificate"):
        make_token("app", "", "ada")
    for ttl in (1e30, -1e30):
        with pytest.raises(ValueError):  # noqa: PT011  # any complaint about the time
            make_token("app", "secret", "ada", ttl=ttl)


async def test_a_function_gives_a_token_for_each_connection(strict_server: ServerProcess) -> None:
    """SPEC S3, L10: also for a reconnect."""
    house = house_of(strict_server)
    fetched = []

    def fetch() -> str:
        fetched.append(make_token("app", "secret", "ada"))
        return fetched[-1]

    with Relay(strict_server.port) as relay:
        ada = await house.client("ada", token=fetch, url=relay.url)
        assert len(fetched) == 1
        relay.cut()
        assert await take(ada.events()) == Reconnecting(1)
        assert await take(ada.events()) == Reconnected(resumed=True)
        assert len(fetched) == 2
        await house.close()


async def test_a_coroutine_function_gives_a_token(strict_server: ServerProcess) -> None:
    """SPEC S3."""
    house = house_of(strict_server)

    async def fetch() -> str:
        await asyncio.sleep(0)
        return make_token("app", "secret", "ada")

    assert (await house.client("ada", token=fetch)).status is Status.ONLINE
    await house.close()


async def test_a_function_that_raises_is_tried_again(
    strict_server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """SPEC L10: like a connection that fails; it is in the log."""
    house = house_of(strict_server)
    tries = []

    async def fetch() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("no token today")
        return make_token("app", "secret", "ada")

    with caplog.at_level(logging.WARNING, "signalpost.client"):
        ada = await house.client("ada", token=fetch)
    assert ada.status is Status.ONLINE
    assert len(tries) == 3
    assert caplog.text.count("the token could not be fetched") == 2
    await house.close()


async def test_a_function_that_always_raises_is_201(
    strict_server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """SPEC L10: until the number of tries is used up."""

    def fetch() -> str:
        raise RuntimeError("no token today")

    with caplog.at_level(logging.CRITICAL, "signalpost.client"), pytest.raises(LoginError) as raised:
        await soon(house_of(strict_server).connect("ada", token=fetch, retries=2))
    assert raised.value.code == 201


@pytest.mark.parametrize(
    ("value", "code"), [("", 201), ("nonsense", 206), (None, 201), (5, 206), (b"x", 206)]
)
async def test_a_function_that_gives_no_token(strict_server: ServerProcess, value: object, code: int) -> None:
    """SPEC L3, L5: the login fails."""
    with pytest.raises(LoginError) as raised:
        await soon(house_of(strict_server).connect("ada", token=lambda: value))
    assert raised.value.code == code


async def test_no_token_stands_in_the_log(
    strict_server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """SPEC S8: nor a message."""
    token = make_token("app", "secret", "ada")
    with caplog.at_level(logging.DEBUG):
        house = house_of(strict_server)
        ada = await house.client("ada", token=token)
        await ada.send("ada", "a private word")
        await take(ada.messages())
        await house.close()
    assert token not in caplog.text
    assert "private" not in caplog.text
