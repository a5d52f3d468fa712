"""Answers that no server of ours gives: out of order, twice, to nobody's request, at a close."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import permutations, product
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from native_face.people import House, soon
from signalpost.client import Client, JoinError, NotLoggedIn
from signalpost.client.api.channel import Channel

OK = {"result": "ok", "list": [], "attrs": {}, "id": 1, "epoch": "e"}
REFUSED = {"result": "failed", "reason": "no", "code": 300}


class Puppet:
    """A server that lets everybody in, and answers when and what the test says."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: asyncio.Queue[tuple[str, int]] = asyncio.Queue()  # function and number of each request
        self._socket: ServerConnection | None = None  # the latest connection

    async def talk(self, socket: ServerConnection) -> None:
        self._socket = socket
        async for text in socket:
            match json.loads(text):
                case ["login", _]:
                    await self.say(["login_ret", ["", json.dumps({"result": "ok", "line": "x"})]])
                case ["call2", ["user_logout", number, _]]:
                    await self.say(answer(number, OK))
                case ["call2", [func, number, _]]:
                    self.asked.put_nowait((func, number))

    async def say(self, *frames: Any) -> None:
        """Say these, in one chunk if the network likes."""
        assert self._socket is not None, "somebody is there"
        for frame in frames:
            await self._socket.send(json.dumps(frame))

    async def is_heard(self) -> None:
        """All that was said has been taken, or the client has hung up."""
        assert self._socket is not None, "somebody is there"
        with suppress(ConnectionClosed):
            await soon(await self._socket.ping())

    async def requests(self, func: str, count: int) -> list[int]:
        """The numbers of the next requests of a function."""
        numbers: list[int] = []
        while len(numbers) < count:
            asked, number = await soon(self.asked.get())
            if asked == func:
                numbers.append(number)
        return numbers


def answer(number: int, body: dict[str, Any]) -> list[Any]:
    return ["call2-ret", [number, "" if body is OK else "no", json.dumps(body)]]


@contextmanager
def nothing_raised() -> Iterator[None]:
    """Nothing is left to the loop to complain about."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    yield
    loop.set_exception_handler(None)
    assert complaints == []


@asynccontextmanager
async def logged_in() -> AsyncIterator[tuple[Puppet, Client]]:
    puppet = Puppet()
    async with serve(puppet.talk, "127.0.0.1", 0) as server:
        puppet.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        client = await House(puppet.url).client("ada")
        yield puppet, client
        client.close()


def outcome(task: asyncio.Future[Channel]) -> str:
    if not task.done():
        return "waits"
    error = task.exception()
    return "joined" if error is None else type(error).__name__


ORDERS = list(permutations(range(3)))
WORDS = list(product([OK, REFUSED], repeat=3))


@pytest.mark.parametrize("told", range(4))
async def test_joins_of_one_channel_are_answered_in_any_order(told: int) -> None:
    """SPEC E5: an answer is for the join that asked; who has none when the client closes is told so."""
    for order, words in product(ORDERS, WORDS):
        async with logged_in() as (puppet, client):
            with nothing_raised():
                joins = [asyncio.ensure_future(client._join("room")) for _ in range(3)]
                numbers = await puppet.requests("channel_join", 3)
                await puppet.say(*(answer(numbers[index], words[index]) for index in order[:told]))
                await puppet.is_heard()
                expected = ["waits"] * 3
                for index in order[:told]:
                    expected[index] = "joined" if words[index] is OK else JoinError.__name__
                assert [outcome(join) for join in joins] == expected
                client.close()
                await soon(asyncio.wait(joins))
                assert [outcome(join) for join in joins] == [
                    NotLoggedIn.__name__ if word == "waits" else word for word in expected
                ]


ODD: dict[str, list[Any]] = {
    "twice": [answer(1, OK), answer(1, OK)],
    "first yes then no": [answer(1, OK), answer(1, REFUSED)],
    "first no then yes": [answer(1, REFUSED), answer(1, OK)],
    "of nobody's request": [answer(number, OK) for number in (0, -1, 99, 2**63, 2**64, 10**30)],
    "of a number that is none": [["call2-ret", [number, "", "{}"]] for number in (True, None, "1", 1.5, [1])],
    "logins": [["login_ret", ["", "{}"]], ["login_ret", ["no", "{}"]]],
    "pongs": [["pong", number] for number in (0, -1, 10**30, 1e300, None, [])],
    "closes": [["close"], ["close", 1], ["kick", None]],
    "moving on": [["reconnect", {"after_ms": ms}] for ms in (0, -1, 1e308, 10**30, None)],
    "versions": [["notify", ["msg", 10**30]], ["notify", ["recvmsg", f"[{10**30}, null]"]], ["notify", []]],
    "channels": [["notify", ["channel2", "room", 10**30, "x"]], ["notify", ["channel2", "", -1, ""]]],
    "errors": [["error", {"reason": "x", "code": 10**30}], ["error", {"code": 0}], ["error"]],
}


@pytest.mark.parametrize("end", ["close", "logout"])
@pytest.mark.parametrize("odd", ODD)
async def test_what_nobody_asked_for_raises_nowhere(odd: str, end: str) -> None:
    """SPEC E5: nothing is raised, in the loop or out of the end, and whoever waits is told."""
    asks: list[Callable[[Client], Awaitable[Any]]] = [
        lambda client: client._join("room"),
        lambda client: client.send("bo", "x"),
        lambda client: client.invite("bo", "room"),
        lambda client: client.attributes.all(),
    ]
    async with logged_in() as (puppet, client):
        with nothing_raised():
            tasks = [asyncio.ensure_future(ask(client)) for ask in asks]
            await puppet.requests("user_get_attr_all", 1)
            with suppress(ConnectionClosed):
                await puppet.say(*ODD[odd])
            await puppet.is_heard()
            await soon(client.logout() if end == "logout" else _closed(client))
            await soon(asyncio.wait(tasks))
            for task in tasks:
                task.exception()


async def _closed(client: Client) -> None:
    client.close()
    client.close()
