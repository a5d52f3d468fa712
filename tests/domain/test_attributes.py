"""What a user may say of himself (SPEC P2, L11)."""

from __future__ import annotations

import pytest

from domain.saying_no import refused
from signalpost.domain.attributes import check_attribute
from signalpost.domain.limits import Limits

LIMITS = Limits()


def test_a_value_is_stored_as_it_is() -> None:
    """SPEC P2."""
    assert check_attribute({"a"}, "b", "", LIMITS) == ""
    assert check_attribute({"a", "b"}, "a", "2", LIMITS) == "2"


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_a_value_has_at_most_8096_bytes(unit: str) -> None:
    """SPEC P2: at N and N + 1, in multi-byte text too."""
    size = len(unit.encode())
    value = unit * (8096 // size) + "a" * (8096 % size)
    assert check_attribute((), "a", value, LIMITS) == value
    with refused(1005):
        check_attribute((), "a", value + "a", LIMITS)


def test_an_account_has_at_most_100_attributes() -> None:
    """SPEC P2: 1001 above; what is there may change."""
    names = {f"a{n}" for n in range(99)}
    check_attribute(names, "the hundredth", "1", LIMITS)
    names.add("the hundredth")
    with refused(1001):
        check_attribute(names, "one more", "1", LIMITS)
    assert check_attribute(names, "the hundredth", "2", LIMITS) == "2"


@pytest.mark.parametrize(("name", "code"), [("", 1004), ("a\0", 1004), ("\ud800", 1004), ("é" * 65, 1005)])
def test_an_attribute_has_a_proper_name(name: str, code: int) -> None:
    """SPEC P2."""
    with refused(code):
        check_attribute((), name, "1", LIMITS)


@pytest.mark.parametrize("name", ["_", "_anything", "__agora_x", "_channel_ttl", "_member_num"])
def test_any_name_with_an_underscore_but_one_is_ordinary(name: str) -> None:
    """SPEC P2: channels' built-ins mean nothing here."""
    assert check_attribute((), name, "x", LIMITS) == "x"
