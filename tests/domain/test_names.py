"""What names and texts may look like (SPEC §1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.saying_no import refused
from signalpost.domain.names import check_label, check_name, check_text, is_name, whole_number
from signalpost.wire.texts import size_of

# SPEC §1, written down once more by hand: the generated table is what is under test.
FORBIDDEN = [
    *range(0x0000, 0x0021),
    *range(0x007F, 0x00A1),
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
    *range(0xD800, 0xE000),
    0xFEFF,
]
NEIGHBOURS = [
    0x21,
    0x7E,
    0xA1,
    0x167F,
    0x1681,
    0x1FFF,
    0x200B,
    0x2027,
    0x202A,
    0x202E,
    0x2030,
    0x205E,
    0x2060,
]
NEIGHBOURS += [0x2FFF, 0x3001, 0xD7FF, 0xE000, 0xFEFE, 0xFF00, 0x1F600, 0x10FFFF]
JOINERS = [0x200C, 0x200D]

# Characters of one to four bytes: 128 bytes of each, and one byte more.
FULL = ["a" * 128, "é" * 64, "€" * 42 + "aa", "😀" * 32]
OVER = ["a" * 129, "é" * 64 + "a", "€" * 43, "😀" * 32 + "a"]


def test_no_name_holds_an_invisible_character() -> None:
    """SPEC §1: every forbidden code point, wherever it stands."""
    for point in FORBIDDEN:
        for name in (chr(point), f"a{chr(point)}", f"{chr(point)}a", f"a{chr(point)}a"):
            assert not is_name(name), f"U+{point:04X}"
            with refused(1004):
                check_name(name, "account")


@pytest.mark.parametrize("point", NEIGHBOURS + JOINERS)
def test_a_name_may_hold_any_visible_character_and_joiners(point: int) -> None:
    """SPEC §1: the neighbours of what is forbidden."""
    assert is_name(chr(point))
    check_name(chr(point), "account")


@given(st.characters(codec=None))
def test_a_character_is_visible_unless_it_is_forbidden(character: str) -> None:
    """SPEC §1."""
    assert is_name(character) == (ord(character) not in FORBIDDEN)


@pytest.mark.parametrize("name", FULL)
def test_a_name_has_at_most_128_bytes(name: str) -> None:
    """SPEC §1: at N, in multi-byte text too."""
    assert is_name(name)
    check_name(name, "account")


@pytest.mark.parametrize("name", OVER)
def test_a_name_of_more_bytes_is_too_long(name: str) -> None:
    """SPEC §1, E1 1005: at N + 1."""
    assert not is_name(name)
    with refused(1005):
        check_name(name, "account")


def test_an_empty_name_is_none() -> None:
    """SPEC §1."""
    assert not is_name("")
    with refused(1004):
        check_name("", "account")


def test_names_are_case_sensitive_and_not_normalised() -> None:
    """SPEC §1: what looks alike is two names, and both are names."""
    composed, combined = "é", "e\u0301"
    assert composed != combined
    assert is_name(composed)
    assert is_name(combined)


def test_an_attributes_name_may_hold_blanks_but_no_nul_and_no_lone_surrogate() -> None:
    """SPEC P2, C10."""
    for name in (" ", "full name", "a\tb", "\u3000"):
        check_label(name, "attribute name")
    for name in ("", "a\0", "\ud800", "a\udfffb"):
        with refused(1004):
            check_label(name, "attribute name")


@pytest.mark.parametrize(("fits", "over"), list(zip(FULL, OVER, strict=True)))
def test_an_attributes_name_has_at_most_128_bytes(fits: str, over: str) -> None:
    """SPEC P2, C10."""
    check_label(fits, "attribute name")
    with refused(1005):
        check_label(over, "attribute name")


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
@pytest.mark.parametrize("limit", [8096, 8192, 8196])
def test_a_text_is_measured_in_bytes(unit: str, limit: int) -> None:
    """SPEC §1: at N and N + 1."""
    size = len(unit.encode())
    text = unit * (limit // size) + "a" * (limit % size)
    assert check_text(text, "message", limit) == limit
    with refused(1005):
        check_text(text + "a", "message", limit)


@pytest.mark.parametrize("text", ["\0", "a\0b", "é\0", chr(0xD800), chr(0xDFFF), "a" + chr(0xD83D)])
def test_a_text_has_neither_nul_nor_a_lone_surrogate(text: str) -> None:
    """SPEC §1: 1004."""
    with refused(1004):
        check_text(text, "message", 100)


@pytest.mark.parametrize("text", ["", " ", "\x01", "\x7f", "\u2028", "😀", "\ufeff"])
def test_any_other_text_is_fine_the_empty_one_too(text: str) -> None:
    """SPEC §1."""
    assert check_text(text, "message", 100) == len(text.encode())


@given(st.text())
def test_the_size_is_that_of_utf_8(text: str) -> None:
    """SPEC §1."""
    assert size_of(text) == len(text.encode())


def test_the_size_of_what_is_no_utf_8_is_known_too() -> None:
    """SPEC §1: it is measured before it is refused."""
    assert size_of("\ud800") == 3


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("007", 7), ("-5", -5), ("-0", 0), ("9" * 18, int("9" * 18))]
    + [(text, None) for text in ("", "-", "+5", "1.0", "1e3", " 1", "1 ", "1\n", "٣", "²", "0x1", "9" * 19)],
)
def test_digits_spell_a_whole_number(text: str, number: int | None) -> None:
    """SPEC C11, K6: digits as text."""
    assert whole_number(text) == number
