"""The public surface is a list that somebody wrote (ARCHITECTURE)."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import signalpost

ROOT = Path(signalpost.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__main__.py")
MODULES = [
    ".".join(("signalpost", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in FILES
    if path.stat().st_size
]


def test_the_package_says_its_version_and_nothing_else() -> None:
    """SPEC §9: `signalpost --version`; whoever wants more imports the module that has it."""
    assert signalpost.__all__ == ["__version__"]
    assert signalpost.__version__ == "0.1.0"
    assert (ROOT / "py.typed").exists()


@pytest.mark.parametrize("name", MODULES)
def test_every_module_begins_with_what_it_knows(name: str) -> None:
    """STYLE: two or three lines at the top of each module."""
    module = importlib.import_module(name)
    assert module.__doc__
    assert module.__doc__.strip().split("\n")[0].endswith((".", ":", ",", "…"))


@pytest.mark.parametrize("name", [name for name in MODULES if "." in name])
def test_every_module_lists_what_it_offers(name: str) -> None:
    """STYLE: `__all__`, with nothing in it that is private, missing or another package's."""
    module = importlib.import_module(name)
    if not hasattr(module, "__all__"):
        assert inspect.getfile(module).endswith("__init__.py")  # a package that offers only its modules
        return
    assert len(set(module.__all__)) == len(module.__all__)
    for each in module.__all__:
        assert not each.startswith("_")
        value = getattr(module, each)
        if inspect.isclass(value) or inspect.isfunction(value):
            home = name if inspect.getfile(module).endswith("__init__.py") else name.rpartition(".")[0]
            assert f"{value.__module__}.".startswith((f"{home}.", "signalpost.wire.codes."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_reaches_for_what_another_keeps_private(path: Path) -> None:
    """STYLE: a name with an underscore belongs to its file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("signalpost"):
            private = [
                alias.name
                for alias in node.names
                if alias.name.startswith("_") and alias.name != "__version__"
            ]
            assert private == []
