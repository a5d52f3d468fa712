"""Connections leave nothing behind for the garbage collector, which comes seldom (SPEC E5).

Otherwise whoever comes and goes takes memory that is given back when a hundred thousand more have come.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import uvloop

from signalpost.app import Server
from signalpost.config import Config
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from support.client import RawClient
from support.waiting import until

TIMES = 5

End = Callable[[Server, RawClient], Awaitable[None]]


@contextmanager
def garbage() -> Iterator[Counter[str]]:
    """What only the collector could free of what is made inside, by class: ours, and transports."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.disable()
    try:
        yield found
        gc.collect()
        kinds = [type(each) for each in gc.garbage]
        found.update(
            f"{kind.__module__}.{kind.__qualname__}"
            for kind in kinds
            if kind.__module__.startswith(("signalpost.gateway", "signalpost.services", "signalpost.domain"))
        )
    finally:
        gc.enable()
        gc.set_debug(0)
        gc.garbage.clear()


async def nobody(server: Server) -> bool:
    return not len(server.fanout)


async def closes(server: Server, client: RawClient) -> None:
    await client.close()


async def is_cut(server: Server, client: RawClient) -> None:
    await client.cut()


async def logs_out(server: Server, client: RawClient) -> None:
    await client.ok("user_logout")
    await client.cut()


async def is_kicked(server: Server, client: RawClient) -> None:
    other = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
    await other.login("ada")
    await client.gone()
    await other.ok("user_logout")
    await other.cut()


async def resumes(server: Server, client: RawClient) -> None:
    other = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
    await other.login("ada", line=client.line)
    await client.gone()
    await other.ok("user_logout")
    await other.cut()


async def is_refused(server: Server, client: RawClient) -> None:
    """Pipelined messages that find no room, while those before them are on their way to the disk."""
    for number in range(40):
        message = {"peer": "bo", "t": "instant", "content": "x", "rid": f"m{number}", "line": client.line}
        await client.send(["call2", ["user_sendmsg", 1000 + number, message]])
        nothing = {"channelName": "none", "peer": "bo", "extra": "", "rid": f"a{number}", "line": client.line}
        await client.send(["call2", ["voip_invite_accept", 2000 + number, nothing]])
    await client.ok("user_query_user_status", account="bo")
    await client.cut()


async def never_logs_in(server: Server, client: RawClient) -> None:
    other = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
    await other.send("no frame")
    await other.cut()
    await client.cut()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("device", ["signalpost-web", "websdk"])
@pytest.mark.parametrize("end", [closes, is_cut, logs_out, is_kicked, resumes, is_refused, never_logs_in])
def test_a_connection_that_ends_leaves_nothing_to_the_collector(
    end: End, device: str, loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """SPEC E5."""

    async def live(server: Server) -> None:
        client = await RawClient.open(f"ws://127.0.0.1:{server.port}/")
        await client.login("ada", device=device)
        await client.ok("channel_join", name="room")
        await client.ok("channel_sendmsg", name="room", msg="hi")
        await client.ok("user_getmsg", ver_clear=0, max=30)
        await end(server, client)
        await until(partial(nobody, server), "nobody is there")
        await asyncio.sleep(0.01)

    async def main() -> Counter[str]:
        limits = Limits(inbox_messages=20, grace_min=1.0, logins_burst=1000)
        server = Server(
            Config(data=str(tmp_path / "data"), port=0, apps={"app": App(any_token=True, limits=limits)})
        )
        await server.start()
        await live(server)
        with garbage() as found:
            for _ in range(TIMES):
                await live(server)
        await server.stop()
        return found

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(main()) == {}
