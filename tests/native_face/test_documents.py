"""The tutorial and the reference of the asyncio API tell the truth: programs run, lists are complete."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re
import sys
from pathlib import Path

import pytest

from native_face.people import House
from native_face.test_table import KINDS, public
from signalpost import client
from signalpost.client.events import Event
from signalpost.tokens import make_token

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
REFERENCE = (DOCS / "native-face.md").read_text(encoding="utf-8")
PROGRAMS = [
    pytest.param(program, output, id=f"{name}-{number}")
    for name in ("tutorial", "native-face")
    for number, (program, output) in enumerate(
        re.findall(
            r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?",
            (DOCS / f"{name}.md").read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
    )
]


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
async def test_programs_of_the_documents_run(native: House, program: str, output: str) -> None:
    """SPEC S3: as they stand there, and they print what is shown."""
    script = program.replace("ws://127.0.0.1:8080/", native.url)
    if "make_token" not in script:
        script = script.replace('"demo"', f'"{native.app}"')
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (errors.decode(), process.returncode) == ("", 0)
    assert not output or told.decode() == output


def test_the_tutorial_has_programs_with_output() -> None:
    """The test above runs something."""
    assert sum(bool(each.values[1]) for each in PROGRAMS) >= 8
    assert (DOCS / "tutorial.md").read_text(encoding="utf-8").count("```python") == len(PROGRAMS) - 1


@pytest.mark.parametrize("name", client.__all__)
def test_the_reference_names_everything(name: str) -> None:
    """SPEC S3: every public name."""
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", REFERENCE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_reference_names_every_method(kind: type) -> None:
    """SPEC S3: every method and property."""
    makers = {"put", "close"} if kind is client.Stream else set()
    for name in public(kind) - makers - {"await", "async_with", "async_for"}:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", REFERENCE), name


def test_the_reference_names_every_argument() -> None:
    """SPEC S3: with its default, in the order in which it stands."""
    for function in (client.connect, client.Client.invite, make_token, client.ChannelView.all_members):
        shown = re.search(rf"`(?:[\w.]*\.|await )?{function.__name__}\(([^`)]*)\)", REFERENCE)
        assert shown, function
        names = re.findall(r"(\w+)(?:=[^,]*)?(?:,|$)", shown[1])
        assert names == [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_reference_names_every_field() -> None:
    """SPEC S3: of the events and of the settings."""
    fields = {field.name for field in dataclasses.fields(client.Settings)}
    for name in client.__all__:
        kind = getattr(client, name)
        if inspect.isclass(kind) and issubclass(kind, Event):
            fields |= set(kind.__struct_fields__)
    for name in fields:
        assert f"`{name}`" in REFERENCE, name


def test_the_reference_has_the_defaults_of_the_settings() -> None:
    """SPEC S3."""
    for row in re.findall(
        r"^\| (`\w+`(?:, `\w+`)?) \| ([^|]*) \|", REFERENCE.partition("## `Settings`")[2], re.M
    ):
        names, values = row[0].replace("`", "").split(", "), row[1].strip().split(", ")
        for name, value in zip(names, values, strict=True):
            assert str(getattr(client.Settings(), name)).removesuffix(".0") == value.strip('"`').replace(
                " ", ""
            )
