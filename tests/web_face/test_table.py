"""The table of the web document: what it lists is in the face, and has a test that is named after it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from signalpost import web
from signalpost.web.delivery import Callback
from web_face.names import CALLBACKS, METHODS

HERE = Path(__file__).parent
TESTS = {
    node.name
    for path in HERE.glob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}
LISTED = [(kind, name) for table in (METHODS, CALLBACKS) for kind, names in table.items() for name in names]
#: What our face has besides (SPEC L10, S6, S7, E3), and attributes that apps read.
BESIDES: dict[str, set[str]] = {
    "Signal": set(),
    "Session": {"state", "onReconnecting", "onReconnected", "onError"},
    "Call": {"toJSON"},
    "Channel": set(),
}


@pytest.mark.parametrize(("kind", "name"), LISTED)
def test_what_the_document_lists_has_a_test(kind: str, name: str) -> None:
    """SPEC S1: all methods and callbacks of the document."""
    assert f"test_{kind.lower()}_{name}" in TESTS


@pytest.mark.parametrize(("kind", "name"), LISTED)
def test_what_the_document_lists_is_there(kind: str, name: str) -> None:
    """SPEC S1: under its name, a method as a method, a callback as what can be set."""
    found: Any = getattr(getattr(web, kind), name)
    if name in CALLBACKS.get(kind, ()):
        assert isinstance(found, Callback)
    else:
        assert callable(found)


@pytest.mark.parametrize("kind", METHODS)
def test_the_face_has_nothing_else(kind: str) -> None:
    """SPEC S1: names are exactly those of the document; what is added is listed here."""
    public = {name for name in vars(getattr(web, kind)) if not name.startswith("_")}
    assert public == {*METHODS[kind], *CALLBACKS.get(kind, ()), *BESIDES[kind]}
