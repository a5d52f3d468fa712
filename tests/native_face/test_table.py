"""The table of the asyncio API: every public method and property has a test that is named after it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from signalpost import client, tokens

HERE = Path(__file__).parent
TESTS = {
    node.name
    for path in HERE.glob("test_*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}
#: By class: what the programs of users call and read, beside what the classes show by themselves.
KINDS = {
    client.Client: {"app_id", "account", "attributes", "async_with"},
    client.Connecting: {"await", "async_with"},
    client.Joining: {"await", "async_with"},
    client.Messages: {"async_for"},
    client.ChannelView: {"name"},
    client.Channel: {"joined", "async_for", "async_with"},
    client.Call: {"channel", "peer", "extra", "incoming", "state", "async_for"},
    client.Attributes: set(),
    client.OwnAttributes: set(),
    client.Stream: {"async_for"},
}
#: What the client itself calls of these objects.
OURS = {
    client.Messages: {"put", "close"},
    client.Channel: {"happened", "left"},
    client.Call: {"happened", "closed"},
}


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")} - OURS.get(kind, set()) | KINDS[kind]


LISTED = [(kind, name) for kind in KINDS for name in sorted(public(kind))]


@pytest.mark.parametrize(("kind", "name"), LISTED, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_public_has_a_test(kind: type, name: str) -> None:
    """SPEC S3: one test per method and property."""
    assert f"test_{kind.__name__.lower()}_{name}" in TESTS


def test_every_class_with_methods_is_listed() -> None:
    """SPEC S3: the table above leaves out values and errors only."""
    values = (Exception, client.Settings, client.Message.__mro__[1], int, str, client.CallState)
    kinds = {getattr(client, name) for name in client.__all__}
    found = {kind for kind in kinds if isinstance(kind, type) and not issubclass(kind, values)}
    assert found == KINDS.keys()


@pytest.mark.parametrize(
    "name", [*(f"client_{n}" for n in ("connect",)), *(f"tokens_{n}" for n in tokens.__all__)]
)
def test_every_function_has_a_test(name: str) -> None:
    """SPEC S3, L3."""
    assert f"test_{name}" in TESTS
