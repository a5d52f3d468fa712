"""What may be sent from one to another (SPEC M1, M8, M9)."""

from __future__ import annotations

import pytest

from domain.saying_no import refused
from signalpost.domain.inbox import check_instant, inbox_full, too_fast


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_a_message_has_at_most_8196_bytes(unit: str) -> None:
    """SPEC M1: at N and N + 1, in multi-byte text too."""
    size = len(unit.encode())
    text = unit * (8196 // size) + "a" * (8196 % size)
    assert check_instant("bo", text) == 8196
    with refused(1005):
        check_instant("bo", text + "a")


def test_an_empty_message_is_allowed() -> None:
    """SPEC §1."""
    assert check_instant("bo", "") == 0


@pytest.mark.parametrize(
    ("peer", "text", "code"),
    [("", "x", 1004), ("b o", "x", 1004), ("b" * 129, "x", 1005), ("bo", "\0", 1004), ("bo", "\ud800", 1004)],
)
def test_what_cannot_be_sent_is_refused(peer: str, text: str, code: int) -> None:
    """SPEC M1, §1."""
    with refused(code):
        check_instant(peer, text)


def test_a_message_too_many_and_one_without_room_are_400() -> None:
    """SPEC M8, M9: the reason says what is allowed."""
    assert too_fast(60).code == inbox_full("bo").code == 400
    assert "60" in too_fast(60).reason
    assert "bo" in inbox_full("bo").reason
