"""What a token grants besides the login (SPEC J5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.domain.grants import NOTHING, Grants, check_may_join, read_grants
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.wire.codes import Code


def may_join(patterns: list[str], channel: str) -> bool:
    try:
        check_may_join(tuple(patterns), channel)
    except Refusal as refusal:
        return refusal.code is not Code.JOINCHANNEL_E_OTHER
    return True


def test_a_token_without_these_claims_grants_nothing() -> None:
    assert read_grants({"sub": "ada", "exp": 1}, Limits()) is NOTHING


def test_attributes_are_texts_or_become_their_json() -> None:
    """SPEC §1: contents that are no text are sent as their JSON text."""
    granted = read_grants({"attrs": {"name": "Ada", "age": 36, "vip": True, "_conn_timeout": 5}}, Limits())
    assert granted == Grants({"name": "Ada", "age": "36", "vip": "true", "_conn_timeout": "20"}, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"attrs": "name"},
        {"attrs": ["name"]},
        {"attrs": {"": "x"}},
        {"attrs": {"name": "x" * 8097}},
        {"attrs": {"name": "\0"}},
        {"attrs": {f"a{number}": "" for number in range(101)}},
        {"channels": "room"},
        {"channels": [1]},
        {"channels": ["room"] * 101},
    ],
)
def test_claims_that_make_no_sense_make_the_token_wrong(claims: dict[str, Any]) -> None:
    """SPEC J2: 206."""
    with pytest.raises(Refusal, match="TokenError") as caught:
        read_grants(claims, Limits())
    assert caught.value.code is Code.LOGIN_E_TOKENWRONG


def test_patterns_are_names_with_stars() -> None:
    assert may_join(["room"], "room")
    assert not may_join(["room"], "rooms")
    assert may_join(["lobby", "team-7-*"], "team-7-")
    assert may_join(["team-*-chat"], "team-a-b-chat")
    assert not may_join(["team-*-chat"], "team-chat")
    assert may_join(["*"], "__agora_user_online")
    assert not may_join(["a*a"], "a")
    assert not may_join([""], "a")
    assert not may_join(["[ab]", "a?", "a.c"], "abc")
    assert not may_join([], "room")


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_matches_what_its_expression_does(pattern: str, name: str) -> None:
    import re

    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert may_join([pattern], name) == bool(re.fullmatch(expression, name))


def test_many_stars_cost_no_more_than_few() -> None:
    assert not may_join(["*a" * 60 + "b"] * 100, "a" * 128)
