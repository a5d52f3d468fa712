"""What may be sent from one to another (SPEC M1, M8, M9)."""

from __future__ import annotations

import pytest

from domain.saying_no import refused
from signalpost.domain.inbox import (
    check_instant,
    half_full,
    inbox_full,
    most_of_one,
    too_fast,
    too_much_untaken,
)
from signalpost.domain.limits import Limits


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
    limits = Limits()
    assert too_fast(60).code == inbox_full(limits).code == half_full(limits).code == 400
    assert "60" in too_fast(60).reason


def test_the_bound_of_what_nobody_took_is_named_as_it_is_configured() -> None:
    """SPEC E6: and no second, which is for rates; what has no bound is not mentioned."""
    both = too_much_untaken(Limits()).reason
    assert "10000 messages and 67108864 bytes" in both
    assert "second" not in both
    assert "messages" not in too_much_untaken(Limits(untaken_messages=0)).reason
    assert "bytes" not in too_much_untaken(Limits(untaken_bytes=0)).reason


@pytest.mark.parametrize(
    ("messages", "size", "most"),
    [
        (10_000, 16 * 2**20, (5_000, 8 * 2**20)),
        (100, 2**20, (50, 2**19)),
        (101, 101, (50, 50)),
        (99, 2**20, (99, 2**20)),
        (10_000, 99, (5_000, 99)),
        (1, 1, (1, 1)),
    ],
)
def test_one_sender_has_half_of_an_inbox_that_is_large_enough_to_share(
    messages: int, size: int, most: tuple[int, int]
) -> None:
    """SPEC M9: from a bound of 100 up."""
    assert most_of_one(Limits(inbox_messages=messages, inbox_bytes=size)) == most
