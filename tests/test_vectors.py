"""The vectors that every language reads, held against the server's rules (protocol/vectors/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signalpost.domain.names import check_name, is_name
from signalpost.domain.refusals import Refusal
from signalpost.wire.texts import size_of
from signalpost.wire.tokens import check_token, make_token
from support.conversation import VECTORS

TOKENS = json.loads((VECTORS / "tokens.json").read_text())
NAMES = json.loads((VECTORS / "names.json").read_text())


@pytest.mark.parametrize("case", TOKENS["made"], ids=lambda case: ascii(case["account"]))
def test_tokens_are_made_as_the_vectors_say(case: dict[str, Any]) -> None:
    """SPEC L3: the published vectors, and others."""
    made = make_token(case["app"], case["certificate"], case["account"], case["expires"])
    assert made == case["token"]


@pytest.mark.parametrize("case", TOKENS["judged"], ids=lambda case: case["why"])
def test_tokens_are_judged_as_the_vectors_say(case: dict[str, Any]) -> None:
    """SPEC L3, PROTOCOL §4."""
    verdict = check_token(
        case["token"],
        app_id=case["app"],
        certificate=case["certificate"],
        account=case["account"],
        now=case["now"],
    )
    assert verdict == case["verdict"]


@pytest.mark.parametrize("case", NAMES["valid"], ids=lambda case: ascii(case["name"])[:40])
def test_names_of_the_vectors_are_names(case: dict[str, Any]) -> None:
    """SPEC §1."""
    assert is_name(case["name"])
    assert size_of(case["name"]) == case["bytes"]
    check_name(case["name"], "account")


@pytest.mark.parametrize("case", NAMES["invalid"], ids=lambda case: case["why"])
def test_what_the_vectors_refuse_is_no_name(case: dict[str, Any]) -> None:
    """SPEC §1: 1005 for what is too long, 1004 for the rest."""
    assert not is_name(case["name"])
    with pytest.raises(Refusal) as refused:
        check_name(case["name"], "account")
    assert refused.value.code == case["code"]


@pytest.mark.parametrize("path", sorted(VECTORS.rglob("*.json")), ids=lambda path: path.name)
def test_vectors_are_ascii_and_end_with_a_line_break(path: Path) -> None:
    """So that no editor and no checkout changes what they say."""
    data = path.read_bytes()
    assert data.isascii()
    assert data.endswith(b"\n")
    assert b"\r" not in data
