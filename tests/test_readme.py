"""The documents tell the truth: what they show runs, what they list is complete, their links hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

from signalpost.config import Config, load
from signalpost.domain.limits import Limits
from signalpost.gateway.commands import COMMANDS
from signalpost.settings import PAGE
from signalpost.wire.codes import NAME_FORBIDDEN, NEVER_PRODUCED, Code
from support.server import ServerProcess

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "signalpost"
HOSTILE = ROOT / "bench" / "hostile"
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *(
        ROOT / place / "README.md"
        for place in ("bench", "bench/hostile", "protocol/scenarios", "protocol/vectors")
    ),
]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(document), re.MULTILINE | re.DOTALL)


def section(document: str, number: int) -> str:
    """A numbered section of a document."""
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", read(document), re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no section {number}"
    return found[0]


def anchors(document: Path) -> set[str]:
    """The names that parts of a document can be linked by: headings, numbered if they repeat, and anchors."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    names = [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]
    repeats = [names[:at].count(name) for at, name in enumerate(names)]
    numbered = {f"{name}-{times}" if times else name for name, times in zip(names, repeats, strict=True)}
    return {*numbered, *re.findall(r'<a id="([^"]+)">', text)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """What `make run` starts, on another port."""
    directory = tmp_path_factory.mktemp("readme")
    with ServerProcess(directory, config="", flags=("--dev",)) as process:
        yield process


def run(script: str, server: ServerProcess, directory: Path) -> str:
    """Run a script of the documents against this server; what it prints."""
    assert "127.0.0.1:8080" in script
    file = directory / "script.py"
    file.write_text(script.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}"), encoding="utf-8")
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- what is shown runs ------------------------------------------------------------------------


def test_the_first_call_of_the_readme_rings(server: ServerProcess, tmp_path: Path) -> None:
    [script] = blocks("README.md", "python")
    for _ in range(2):  # newcomers run it twice
        assert run(script, server, tmp_path) == "bo: ada calls me into room\nada: coming\n"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_short_and_run_by_a_test(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 60
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    assert any(f"{example.stem}.py" in test for test in tests)


def test_the_first_call_leaves_nothing_behind(server: ServerProcess, tmp_path: Path) -> None:
    script = read("examples/first_call.py")
    first, second = (run(script, server, tmp_path).splitlines() for _ in range(2))
    assert len(first) == len(second)
    assert sum("voip_invite_bye" in line for line in first) == 1


def test_the_configuration_of_the_readme_is_accepted_and_lists_every_default(tmp_path: Path) -> None:
    """SPEC §9: what can be set, and what it is if it is not."""
    [text] = blocks("README.md", "toml")
    file = tmp_path / "signalpost.toml"
    file.write_text(text, encoding="utf-8")
    config = load(str(file), environment={}, flags={})
    assert msgspec.structs.replace(config, apps={}) == Config()

    shown = tomllib.loads(text)
    commented = set(re.findall(r"^# (\w+) = ", text, re.MULTILINE))
    server_fields = (
        {field.name for field in msgspec.structs.fields(Config)}
        - {"limits", "apps", "dev", "api"}
        - set(PAGE)
    )
    assert shown["server"].keys() | commented == server_fields
    assert shown["page"].keys() == set(PAGE)
    assert shown["limits"].keys() == {field.name for field in msgspec.structs.fields(Limits)}


def test_the_readme_lists_every_metric(server: ServerProcess) -> None:
    with urlopen(f"{server.http}/metrics") as answer:
        served = re.findall(r"^# TYPE (\w+) (\w+)$", answer.read().decode(), re.MULTILINE)
    listed = set(re.findall(r"`(signalpost_\w+)", read("README.md")))
    assert listed == {name for name, kind in served if name != "signalpost_info"}


# --- what is listed is complete ----------------------------------------------------------------


def test_the_map_names_every_module_and_no_other() -> None:
    modules = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if path.name != "__init__.py"}
    code_map = read("docs/map.md").partition("| elsewhere")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", code_map, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([\w/]+\.py)`", cell)]
    assert len(named) == len(set(named))
    assert set(named) == modules


def test_the_map_names_no_place_that_is_not_there() -> None:
    elsewhere = read("docs/map.md").partition("| elsewhere")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", elsewhere, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([\w./…-]+)`", cell)]
    assert len(named) > 10
    assert [name for name in named if not list(ROOT.glob(name.replace("…", "**")))] == []


def test_the_attacks_are_all_described() -> None:
    described = re.findall(r"^\| `(\w+\.py)` \|", read("bench/hostile/README.md"), re.MULTILINE)
    apart = {"wire.py", "process.py"}  # what they share
    assert sorted(described) == sorted(path.name for path in HOSTILE.glob("*.py") if path.name not in apart)


def test_the_table_of_codes_is_that_of_the_codes() -> None:
    """SPEC E1, PROTOCOL §13: the numbers and names that apps compare with."""
    rows = re.findall(
        r"^\| (\d+) \| `(\w+)` \| (.+?) \| (yes|never) \|$", section("PROTOCOL.md", 13), re.MULTILINE
    )
    expected = [
        (str(int(code)), code.name, code.meaning, "never" if code in NEVER_PRODUCED else "yes")
        for code in Code
    ]
    assert rows == expected


def test_the_protocol_describes_every_request() -> None:
    """PROTOCOL §5: the table of functions."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", section("PROTOCOL.md", 5), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(COMMANDS) <= described


def test_the_protocol_lists_the_code_points_that_no_name_holds() -> None:
    """SPEC §1, PROTOCOL §14."""
    listed = section("PROTOCOL.md", 14).partition("are not allowed in them:")[2].partition(". Joiners")[0]
    ranges = [
        (int(low, 16), int(high or low, 16))
        for low, high in re.findall(r"U\+([0-9A-F]{4})(?: to U\+([0-9A-F]{4}))?", listed)
    ]
    points = {point for low, high in ranges for point in range(low, high + 1)}
    assert points == {point for low, high in NAME_FORBIDDEN for point in range(low, high + 1)}


def test_every_id_that_is_cited_is_explained() -> None:
    explained = set(re.findall(r"^\| ([LPMCKESNAWJ]\d+) \|", read("docs/REQUIREMENTS.md"), re.MULTILINE))
    sections = {int(number) for number in re.findall(r"^## (\d+)\. ", read("PROTOCOL.md"), re.MULTILINE)}
    cited_ids: dict[str, str] = {}
    cited_sections: dict[int, str] = {}
    for files in ("src/**/*.py", "tests/**/*.py", "protocol/**/*.py", "sdk/web/src/**/*.ts"):
        for path in ROOT.glob(files):
            text = path.read_text(encoding="utf-8")
            for cited in re.findall(r"SPEC ((?:[LPMCKESNAWJ]\d+(?:, | and )?)+)", text):
                cited_ids |= {each: str(path) for each in re.findall(r"[LPMCKESNAWJ]\d+", cited)}
            for cited in re.findall(r"PROTOCOL §(\d+)", text):
                cited_sections[int(cited)] = str(path)
    assert {each: where for each, where in cited_ids.items() if each not in explained} == {}
    assert {each: where for each, where in cited_sections.items() if each not in sections} == {}


# --- what is linked and quoted -----------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (document.parent / name).resolve() if name else document
        assert linked.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked), f"{document.name} links to {target}"


def test_every_frame_that_the_protocol_quotes_is_json() -> None:
    """PROTOCOL §3: bodies are texts that hold JSON, and so are pushes."""
    quoted: list[Any] = [
        json.loads(line) for block in blocks("PROTOCOL.md", "json") for line in block.splitlines()
    ]
    assert len(quoted) > 10
    for frame in quoted:
        match frame:
            case ["login_ret" | "call2-ret", [*_, str(body)]]:
                assert json.loads(body)["result"] in ("ok", "failed")
            case ["notify", ["recvmsg", str(push)]]:
                version, line = json.loads(push)
                assert isinstance(version, int)
                assert line.startswith("msg-v3 ")
            case ["notify", ["channel2", str(name), int(), str(line)]]:
                assert json.loads(line.split(" ", 7)[7])["channel"] == name
