"""docs/server-api.md tells the truth: what it shows runs, what it lists is complete."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from signalpost.api.table import ROWS, Row
from signalpost.config import Api
from signalpost.domain.keys import Scope
from support.api import KEYS, SECRET, ApiServer

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "server-api.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def cells(row: Row) -> tuple[str, str, str]:
    path = row.path.removeprefix("/v1/apps/{app}")
    scope = "any" if row.scope is None else row.scope.value
    return f"`{row.method} {path}`", scope, row.summary + (" *" if row.once else "")


def test_it_lists_every_row() -> None:
    listed = re.findall(r"^\| (`[A-Z]+ /.*?`) \| (\w+) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert listed == [cells(row) for row in ROWS]


def test_it_lists_every_scope() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[: len(Scope)] == [scope.value for scope in Scope]


def test_its_settings_are_the_defaults() -> None:
    [shown] = blocks("toml")
    assert tomllib.loads(shown)["api"] == {
        name: value for name, value in msgspec.structs.asdict(Api()).items() if name != "keys"
    }


@pytest.mark.parametrize("number", range(2), ids=["curl", "signalpost"])
async def test_what_it_has_a_shell_do_is_done(server: ApiServer, number: int, n: str) -> None:
    [*scripts] = blocks("sh")
    bo = await server.client(f"ada-{n}")
    shown = scripts[number].replace("myapp", "app").replace(" ada", f" {bo.account}")
    shown = shown.replace('"ada"', f'"{bo.account}"').replace("account=ada", f"account={bo.account}")
    shown = shown.replace("http://127.0.0.1:8082", await server.api())
    shown = shown.replace("signalpost ", f"{sys.executable} -m signalpost ")
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-e", "-c", shown],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SIGNALPOST_KEY": f"spk_op_{SECRET}", "SIGNALPOST_API": await server.api()},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if number == 0:
        assert done.stdout.count('"from":"office"') == 2
        assert (await bo.pushed())[1].type == "voip_invite"
    else:
        assert "online" in done.stdout
        assert (await bo.pushed())[1].content == "your order is ready"
        await bo.wait(lambda frame: frame[0] == "kick", "kick")
    await server.leave()


async def test_its_program_runs(server: ApiServer) -> None:
    [shown] = blocks("python")
    ada = await server.client("ada")
    program = shown.replace("http://127.0.0.1:8082", await server.api()).replace("myapp", "app")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SIGNALPOST_KEY": f"spk_op_{SECRET}"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ada True" in done.stdout
    assert [(await ada.pushed())[1].type for _ in range(3)] == ["instant", "voip_invite", "voip_invite_bye"]
    await server.leave()


def test_the_key_that_it_shows_is_no_key_of_the_tests() -> None:
    assert SECRET not in PAGE
    assert SECRET in KEYS
