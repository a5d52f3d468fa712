"""Where programs run: plain asyncio, uvloop, a web framework; and what type checkers say of a user's code."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
import uvloop
from fastapi import FastAPI

from native_face import typed_user
from native_face.people import House, ring, soon, take
from signalpost.client import Client, Settings, connect
from support.server import ServerProcess
from support.waiting import until

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = [Path(typed_user.__file__), *sorted((ROOT / "examples").glob("*.py"))]


async def converse(url: str) -> None:
    """A bit of everything."""
    house = House(url)
    ada, bo = await house.client("ada"), await house.client("bo")
    await soon(ada.send("bo", "hello"))
    assert (await take(bo.messages())).text == "hello"
    async with ada.join("room") as room:
        await room.send("hello")
        await take(aiter(room))
    call, ringing = await ring(ada, bo)
    await ringing.accept()
    await soon(call.answered())
    await call.end()
    await house.close()


LOOPS = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@LOOPS
def test_loops(dev_server: ServerProcess, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """SPEC S3: plain asyncio and uvloop; in debug mode, too."""
    for debug in (False, True):
        with asyncio.Runner(loop_factory=new_loop, debug=debug) as runner:
            runner.run(converse(dev_server.url))


@LOOPS
def test_what_is_due_at_once(
    dev_server: ServerProcess, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """SPEC S3: a deadline that is over when it is set; uvloop then gives a handle without a time.

    Not that of pings: without a pause between them they are a flood, which the server makes wait.
    """
    hasty = Settings(acknowledge_seconds=0.0, ping_seconds=0.01)
    app = f"app-{uuid.uuid4().hex}"

    async def hurry() -> None:
        async with connect(dev_server.url, app_id=app, account="ada", token="any", settings=hasty) as ada:
            for number in range(50):
                await ada.send("ada", str(number))
                assert (await take(ada.messages())).text == str(number)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(hurry())


async def test_inside_fastapi(native: House) -> None:
    """SPEC S3: one client for all requests, logged in and out with the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with connect(native.url, app_id=native.app, account="web", token="any") as app.state.client:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/send/{peer}")
    async def send(peer: str, text: str) -> str:
        client: Client = app.state.client
        return await client.send(peer, text)

    config = uvicorn.Config(app, host="127.0.0.1", port=0, ws="none", log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    bo = await native.client("bo")
    serving = asyncio.create_task(server._serve())
    await until(lambda: _is(server.started), "the application is up")
    port = server.servers[0].sockets[0].getsockname()[1]
    assert await bo.is_online("web")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
        answers = await asyncio.gather(
            *(browser.post("/send/bo", params={"text": f"{n}"}) for n in range(10))
        )
    assert {answer.status_code for answer in answers} == {200}
    texts = [(await take(bo.messages())).text for _ in range(10)]
    assert sorted(texts) == [f"{n}" for n in range(10)]
    server.should_exit = True
    await soon(serving)
    assert not await bo.is_online("web")


async def _is(value: bool) -> bool:
    return value


async def test_the_typed_program_runs(dev_server: ServerProcess) -> None:
    """SPEC S3: what the type checkers read is a program."""
    await soon(typed_user.main(dev_server.url))


def check(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=100)


def test_mypy_understands_a_users_program() -> None:
    """SPEC S3: `mypy --strict`."""
    done = check(sys.executable, "-m", "mypy", "--strict", *map(str, PROGRAMS))
    assert done.returncode == 0, done.stdout


def test_pyright_understands_a_users_program(tmp_path: Path) -> None:
    """SPEC S3: pyright's standard rules."""
    config = tmp_path / "pyrightconfig.json"
    config.write_text(
        json.dumps(
            {
                "typeCheckingMode": "standard",
                "include": [os.path.relpath(path, tmp_path) for path in PROGRAMS],
                "extraPaths": [str(ROOT / "src")],
            }
        )
    )
    done = check(
        *(sys.executable, "-m", "basedpyright", "--project", str(config)),
        *("--pythonpath", sys.executable, "--level", "warning"),
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(PROGRAMS)} source files" in done.stdout or "0 errors, 0 warnings" in done.stdout


def test_the_checkers_find_what_is_wrong(tmp_path: Path) -> None:
    """SPEC S3: the two tests above would fail."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from signalpost.client import Client\n\n\n"
        "async def use(me: Client) -> int:\n    return await me.send('bo', 5)\n"
    )
    done = check(sys.executable, "-m", "mypy", "--strict", str(wrong))
    assert done.stdout.count("error:") == 2, done.stdout
