"""What the extras of calls may say (SPEC K1, K2, K4-K6, K13)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.saying_no import refused
from signalpost.domain.extras import (
    Invitation,
    check_answer_extra,
    check_dtmf,
    is_phone,
    parse_invitation,
)
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal

LIMITS = Limits()


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("1", 1.0),
        ("30", 30.0),
        ("31", 30.0),
        ("0", 30.0),
        ("-1", 30.0),
        ("0.5", 0.5),
        ('"15"', 15.0),
        ('"0"', 30.0),
        ('"31"', 30.0),
        ('" 15 "', 15.0),
        ('"soon"', 30.0),
        ("null", 30.0),
        ("[5]", 30.0),
        ("9" * 400, 30.0),
        ("-" + "9" * 400, 30.0),
        ('"' + "9" * 40 + '"', 30.0),
    ],
)
def test_a_time_out_is_clamped_and_digits_count(asked: str, seconds: float) -> None:
    """SPEC K6."""
    assert parse_invitation(f'{{"_timeout":{asked}}}', LIMITS).timeout == seconds


@pytest.mark.parametrize(
    ("asked", "required"), [("1", True), ('"1"', True), ("true", True), ("0", False), ('"0"', False)]
)
def test_a_peer_may_have_to_be_online(asked: str, required: bool) -> None:
    """SPEC K5."""
    assert parse_invitation(f'{{"_require_peer_online":{asked}}}', LIMITS).require_online is required


@pytest.mark.parametrize(
    "extra", ["", "{}", "[]", "5", '"text"', "null", "true", '{"destMediaUid":"7"}', " {} "]
)
def test_an_extra_that_asks_for_nothing_gets_the_defaults(extra: str) -> None:
    """SPEC K1, K5, K6: any JSON text, or empty."""
    assert parse_invitation(extra, LIMITS) == Invitation(30.0, False, False)


@pytest.mark.parametrize(
    "extra", ["{", "{}x", "nope", "{'a':1}", "NaN", " ", '{"a":}', "[" * 4000, '"\\ud800"']
)
def test_an_extra_that_is_no_json_is_refused(extra: str) -> None:
    """SPEC K1."""
    with refused(1004):
        parse_invitation(extra, LIMITS)


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_an_extra_has_at_most_8_kib(unit: str) -> None:
    """SPEC K1, K2: at N and N + 1, in multi-byte text too."""
    size = len(unit.encode())
    text = '"' + unit * (8190 // size) + "a" * (8190 % size) + '"'
    parse_invitation(text, LIMITS)
    check_answer_extra(text)
    with refused(1005):
        parse_invitation(text[:-1] + 'a"', LIMITS)
    with refused(1005):
        check_answer_extra(text + "a")


@pytest.mark.parametrize("extra", ["", "not JSON {", "{}", "\u2028"])
def test_an_answers_extra_is_any_text(extra: str) -> None:
    """SPEC K2: never parsed."""
    check_answer_extra(extra)


@pytest.mark.parametrize("extra", ["\0", "\ud800"])
def test_no_extra_holds_nul_or_a_lone_surrogate(extra: str) -> None:
    """SPEC §1."""
    for check in (check_answer_extra, check_dtmf):
        with refused(1004):
            check(extra)
    with refused(1004):
        parse_invitation(extra, LIMITS)


@given(st.text(max_size=200))
def test_an_extra_is_read_or_refused_and_nothing_else(extra: str) -> None:
    """SPEC E5: nothing that a client sends breaks anything."""
    try:
        outcome: float = parse_invitation(extra, LIMITS).timeout
    except Refusal as refusal:
        outcome = refusal.code
    assert outcome == 1004 or 0 < outcome <= 30


# --- DTMF -------------------------------------------------------------------------------------------


def keys(data: object, kind: object = "dtmf") -> str:
    return json.dumps({"msgtype": kind, "msgdata": data})


@pytest.mark.parametrize("data", ["0", "12*#", "0123456789*#ABCD", "5" * 64])
def test_keys_of_a_telephone_may_be_pressed(data: str) -> None:
    """SPEC K4: 1 to 64 of them."""
    check_dtmf(keys(data))


@pytest.mark.parametrize("data", ["", "a", "E", "1 2", "1\n", "+", "٣", None, 5, ["1"]])
def test_nothing_else_is_a_key(data: object) -> None:
    """SPEC K4."""
    with refused(1004):
        check_dtmf(keys(data))


def test_65_keys_at_once_are_too_many() -> None:
    """SPEC K4."""
    with refused(1005):
        check_dtmf(keys("5" * 65))


@pytest.mark.parametrize(
    "extra", ["", "12", "{", "[]", "null", '{"msgdata":"1"}', '{"msgtype":"dtmf"}', keys("1", "sms")]
)
def test_a_calls_message_is_dtmf_and_nothing_else(extra: str) -> None:
    """SPEC K4, PROTOCOL §8."""
    with refused(1004):
        check_dtmf(extra)


# --- phone numbers ----------------------------------------------------------------------------------

PHONE, PERSON = Invitation(30.0, False, True), Invitation(30.0, False, False)


@pytest.mark.parametrize("peer", ["+491", "+8613800138000", "008613800138000", "+123456789012345", "00123"])
def test_a_number_with_its_country_code_is_a_phone_call(peer: str) -> None:
    """SPEC K13."""
    assert is_phone(peer, PHONE)


@pytest.mark.parametrize(
    "peer",
    [
        "123",
        "0",
        "0123456",
        "13800138000",
        "10086",
        "+0123",
        "+12",
        "+1234567890123456",
        "+",
        "+49x",
        "+49-30",
        "000123",
        "030-12345",
        "٠٠٤٩١٢٣",
        "+49\u0661\u0662",
        *("bo", "bo+49123456", "a123"),
    ],
)
def test_the_form_of_any_other_name_says_nothing(peer: str) -> None:
    """SPEC K13: an account of digits is called like any other, whatever the extra holds."""
    assert not is_phone(peer, PHONE)


@pytest.mark.parametrize("peer", ["+8613800138000", "008613800138000", "123"])
def test_without_a_source_number_a_number_is_an_account(peer: str) -> None:
    """SPEC K13, §1: `srcNum` in the extra makes the phone call."""
    assert not is_phone(peer, PERSON)
    assert parse_invitation('{"srcNum":"+491"}', LIMITS).source_number
