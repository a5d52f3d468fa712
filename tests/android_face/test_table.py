"""The face has what the Android document has, and each of it has a test (SPEC S2)."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from android_face.names import CALLBACKS, DEPRECATED, METHODS
from signalpost.android import AgoraAPIOnlySignal, IAgoraAPI, ICallBack
from signalpost.wire.codes import Code

TESTS = {
    node.name
    for file in Path(__file__).parent.glob("test_*.py")
    for node in ast.parse(file.read_text()).body
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}


def parameters(function: object) -> list[str]:
    """The parameters that have a place, without `self`."""
    assert callable(function)
    return [
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is each.POSITIONAL_OR_KEYWORD and name != "self"
    ]


@pytest.mark.parametrize(("name", "expected"), [*METHODS.items(), *DEPRECATED.items()])
def test_every_method_of_the_document_is_there(name: str, expected: str) -> None:
    """SPEC S2: names and order of parameters are the document's."""
    assert parameters(getattr(AgoraAPIOnlySignal, name)) == expected.split()


@pytest.mark.parametrize(("name", "expected"), CALLBACKS.items())
def test_every_callback_of_the_document_is_there(name: str, expected: str) -> None:
    """SPEC S2: names and order of parameters are the document's; each does nothing by itself."""
    assert parameters(getattr(ICallBack, name)) == expected.split()
    assert getattr(ICallBack(), name)(*expected.split()) is None


def test_there_is_nothing_else() -> None:
    """SPEC S2: what is public is in the document."""
    assert len(CALLBACKS) == 31
    assert {name for name in vars(ICallBack) if not name.startswith("_")} == set(CALLBACKS)
    public = {name for name in vars(AgoraAPIOnlySignal) if not name.startswith("_")}
    assert public == set(METHODS) | set(DEPRECATED)


@pytest.mark.parametrize("name", [*METHODS, *DEPRECATED, *CALLBACKS])
def test_each_has_a_test_named_after_it(name: str) -> None:
    """SPEC S2: whoever adds a method or a callback adds its test."""
    assert f"test_{name}" in TESTS


def test_the_codes_are_constants() -> None:
    """SPEC §7: every code is ECODE_…; PROTOCOL §13 has the numbers."""
    constants = {name: value for name, value in vars(IAgoraAPI).items() if name.startswith("ECODE_")}
    assert constants == {f"ECODE_{code.name}": int(code) for code in Code}
    assert {type(value) for value in constants.values()} == {int}
    assert AgoraAPIOnlySignal.ECODE_LOGIN_E_INVALID_USER == 209


def test_the_states_are_constants() -> None:
    """SPEC L12: what getStatus() says."""
    assert IAgoraAPI.LOGIN_STATE_NOT_LOGIN == 0
    assert IAgoraAPI.LOGIN_STATE_LOGINING == 1
    assert IAgoraAPI.LOGIN_STATE_LOGINED == 2
    assert IAgoraAPI.LOGIN_STATE_RECONNECTING == 3
    assert IAgoraAPI.ICallBack is ICallBack


REFERENCE = Path(__file__).parents[2] / "docs" / "android-face.md"


@pytest.mark.parametrize(("name", "expected"), [*METHODS.items(), *DEPRECATED.items(), *CALLBACKS.items()])
def test_the_reference_names_each(name: str, expected: str) -> None:
    """SPEC S2: docs/android-face.md has every method and callback, with its parameters."""
    more = ", *, url" if name in ("getInstance", "createAgoraSDKInstance") else ""
    assert f"`{name}({', '.join(expected.split())}{more})`" in REFERENCE.read_text(encoding="utf-8")
