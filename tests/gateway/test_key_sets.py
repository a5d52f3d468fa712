"""The keys of a provider that is real, and slow, dead or lying (SPEC J3)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signalpost.gateway.key_sets import KeySet, Unknowable
from signalpost.gateway.provider import fetch
from signalpost.services.driver import start
from signalpost.wire.web_tokens import Key
from support.provider import Provider

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as running:
        running.rotate("one")
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Fetched:
    """Fetches, and counts what has come back."""

    def __init__(self) -> None:
        self.times = 0
        self.more = asyncio.Event()

    async def __call__(self, url: str) -> bytes:
        try:
            return await fetch(url)
        finally:
            self.times += 1
            self.more.set()

    async def reached(self, times: int) -> None:
        async with asyncio.timeout(20):
            while self.times < times:
                self.more.clear()
                await self.more.wait()
        await asyncio.sleep(0)


@pytest.fixture
def fetched() -> Fetched:
    return Fetched()


@pytest.fixture
async def keys(provider: Provider, clock: Clock, fetched: Fetched) -> AsyncIterator[KeySet]:
    made = KeySet(provider.url, fetched, clock)
    yield made
    made.close()


async def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what suspends on the engine's `Pending`, as a login does."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(result: Any, error: Exception | None) -> None:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    start(coroutine, done)
    return await future


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The same of what must not wait."""
    found: list[Any] = []
    start(coroutine, lambda result, error: found.append(result if error is None else error))
    assert found, "it waits"
    return found[0]


async def test_a_known_key_is_an_answer_at_once(provider: Provider, keys: KeySet) -> None:
    key = await driven(keys.find("one"))
    assert isinstance(key, Key)
    for _ in range(1000):
        assert at_once(keys.find("one")) is key
    assert provider.asked == 1


async def test_an_unknown_kid_is_looked_for_once_in_thirty_seconds(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    await driven(keys.find("one"))
    for number in range(100):
        assert at_once(keys.find(f"unknown-{number}")) is None
    assert provider.asked == 1
    clock.now += 29.9
    assert at_once(keys.find("two")) is None
    provider.rotate("two")
    clock.now += 0.2
    assert isinstance(await driven(keys.find("two")), Key)
    assert isinstance(at_once(keys.find("one")), Key)
    assert provider.asked == 2


async def test_a_key_that_is_withdrawn_ends_within_ten_minutes(
    provider: Provider, keys: KeySet, fetched: Fetched, clock: Clock
) -> None:
    await driven(keys.find("one"))
    provider.rotate("two")
    del provider.keys["one"]
    clock.now += 599
    assert isinstance(at_once(keys.find("one")), Key)
    assert provider.asked == 1
    clock.now += 1
    assert isinstance(at_once(keys.find("one")), Key), "nobody waits for what is fetched behind him"
    await fetched.reached(2)
    assert at_once(keys.find("one")) is None
    assert isinstance(at_once(keys.find("two")), Key)


async def test_a_dead_provider_changes_nothing_for_a_day(
    provider: Provider, keys: KeySet, clock: Clock
) -> None:
    await driven(keys.find("one"))
    await provider.stop()
    begun = clock.now
    while clock.now < begun + DAY - 3600:
        clock.now += 3600
        assert isinstance(at_once(keys.find("one")), Key)
        await asyncio.sleep(0.01)
    clock.now = begun + DAY
    with pytest.raises(Unknowable):
        await driven(keys.find("one"))
    await provider.start()
    clock.now += 30
    assert isinstance(await driven(keys.find("one")), Key)


async def test_a_slow_provider_delays_a_login_by_two_seconds_and_nobody_else(
    provider: Provider, keys: KeySet, fetched: Fetched, clock: Clock
) -> None:
    await driven(keys.find("one"))
    provider.may_answer.clear()
    clock.now += 31
    begun = time.monotonic()
    waiting = [asyncio.ensure_future(driven(keys.find("two"))) for _ in range(50)]
    await asyncio.sleep(0)
    assert isinstance(at_once(keys.find("one")), Key)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(result) for result in results} == {Unknowable}
    assert time.monotonic() - begun < 10
    assert provider.asked == 2
    provider.rotate("two")
    provider.may_answer.set()
    await fetched.reached(2)
    assert isinstance(at_once(keys.find("two")), Key)


def private_set() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return json.dumps(
        {"keys": [{**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key)), "kid": "one"}]}
    ).encode()


LIES = {
    "nothing": b"",
    "a page": b"<html>sign in</html>",
    "a list": b"[]",
    "an object": b"{}",
    "null": b'{"keys": null}',
    "no key": b'{"keys": []}',
    "numbers": b'{"keys": [1, 2]}',
    "a secret": b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]}',
    "half a key": b'{"keys": [{"kty": "RSA", "kid": "one"}]}',
    "no text": b"\xff\xfe",
    "too deep": b"[" * 100_000,
    "too much": b" " * 300_000 + b'{"keys": []}',
    "a private key": private_set(),
}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        *(pytest.param(answer, 200, id=name) for name, answer in LIES.items()),
        pytest.param(b'{"keys": []}', 500, id="an error"),
        pytest.param(b"", 302, id="elsewhere"),
    ],
)
async def test_a_lying_provider_is_as_good_as_none(
    provider: Provider, keys: KeySet, fetched: Fetched, clock: Clock, answer: bytes, status: int
) -> None:
    key = await driven(keys.find("one"))
    provider.answer, provider.status = answer, status
    provider.headers = {"Location": provider.url} if status == 302 else {}
    clock.now += 700
    assert at_once(keys.find("one")) is key
    await fetched.reached(2)
    assert at_once(keys.find("one")) is key
    with pytest.raises(Unknowable):
        await driven(keys.find("two"))
    provider.answer, provider.status = None, 200
    provider.rotate("two")
    clock.now += 31
    assert isinstance(await driven(keys.find("two")), Key)


async def test_one_bad_key_spoils_no_other(provider: Provider, keys: KeySet) -> None:
    good = provider.published()
    bad = [{"kty": "EC", "kid": "bad"}, {**good[0], "kid": ["one"]}, {**good[0], "kid": "d", "d": "AA"}]
    provider.answer = json.dumps({"keys": [*bad, *good]}).encode()
    assert isinstance(await driven(keys.find("one")), Key)
    assert at_once(keys.find("bad")) is None
    assert at_once(keys.find("d")) is None


async def test_a_token_without_a_kid_means_the_only_key(
    provider: Provider, keys: KeySet, fetched: Fetched, clock: Clock
) -> None:
    assert await driven(keys.find("")) is at_once(keys.find("one"))
    provider.rotate("two")
    clock.now += 700
    at_once(keys.find(""))
    await fetched.reached(2)
    assert at_once(keys.find("")) is None


async def test_keys_rotate_under_load(
    provider: Provider, keys: KeySet, clock: Clock, fetched: Fetched
) -> None:
    """Every login by a published key comes in, whatever the provider does; none gets another's."""
    await driven(keys.find("one"))
    for turn in range(20):
        kid = f"kid-{turn}"
        provider.rotate(kid)
        clock.now += 31
        found = await asyncio.gather(*(driven(keys.find(each)) for each in [kid, "one"] * 50))
        assert all(isinstance(key, Key) for key in found)
        assert len({id(key.material) for key in found}) == 2
        provider.answer = b"nonsense" if turn % 3 == 1 else None
        clock.now += 700
        times = fetched.times
        assert isinstance(at_once(keys.find(kid)), Key)
        await fetched.reached(times + 1)
        provider.answer = None
    assert provider.asked == 41
