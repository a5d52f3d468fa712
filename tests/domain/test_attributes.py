"""What a user may say of himself (SPEC P2, L11)."""

from __future__ import annotations

import pytest

from domain.saying_no import refused
from signalpost.domain.attributes import set_attribute
from signalpost.domain.limits import Limits

LIMITS = Limits()


def test_an_attribute_is_set_and_replaced_and_nothing_else_changes() -> None:
    """SPEC P2."""
    before = {"a": "1"}
    after = set_attribute(before, "b", "", LIMITS)
    assert after == {"a": "1", "b": ""}
    assert set_attribute(after, "a", "2", LIMITS) == {"a": "2", "b": ""}
    assert before == {"a": "1"}


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_a_value_has_at_most_8096_bytes(unit: str) -> None:
    """SPEC P2: at N and N + 1, in multi-byte text too."""
    size = len(unit.encode())
    value = unit * (8096 // size) + "a" * (8096 % size)
    assert set_attribute({}, "a", value, LIMITS) == {"a": value}
    with refused(1005):
        set_attribute({}, "a", value + "a", LIMITS)


def test_an_account_has_at_most_100_attributes() -> None:
    """SPEC P2: 1001 above; what is there may change."""
    full = {f"a{n}": "" for n in range(99)}
    full = set_attribute(full, "the hundredth", "1", LIMITS)
    with refused(1001):
        set_attribute(full, "one more", "1", LIMITS)
    assert set_attribute(full, "the hundredth", "2", LIMITS)["the hundredth"] == "2"


@pytest.mark.parametrize(("name", "code"), [("", 1004), ("a\0", 1004), ("\ud800", 1004), ("é" * 65, 1005)])
def test_an_attribute_has_a_proper_name(name: str, code: int) -> None:
    """SPEC P2."""
    with refused(code):
        set_attribute({}, name, "1", LIMITS)


@pytest.mark.parametrize("name", ["_", "_anything", "__agora_x", "_channel_ttl", "_member_num"])
def test_any_name_with_an_underscore_but_one_is_ordinary(name: str) -> None:
    """SPEC P2: channels' built-ins mean nothing here."""
    assert set_attribute({}, name, "x", LIMITS) == {name: "x"}
