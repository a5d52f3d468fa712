"""Tokens: their spelling, their digest, and the order in which they are judged (SPEC L3, PROTOCOL §4)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.wire import tokens
from signalpost.wire.tokens import check_token, make_token

APP = "970ca35de60c44645bbae8a215061b33"
CERTIFICATE = "5cfd2fd1755d40ecb72977518be15d3b"
EXPIRY = 1_446_455_471
TOKEN = f"1:{APP}:{EXPIRY}:4815d52c4fd440bac35b981c12798774"

WRONG = "TokenErrorWrong"
EXPIRED = "TokenErrorExpired"


def check(
    token: str,
    *,
    app_id: str = APP,
    certificate: str = CERTIFICATE,
    account: str = "TestAccount",
    now: float = EXPIRY - 1,
) -> str:
    return check_token(token, app_id=app_id, certificate=certificate, account=account, now=now)


def sign(expiry: str, account: str = "TestAccount") -> str:
    """A token with a right digest over any text of an expiry."""
    digest = hashlib.md5(f"{account}{APP}{CERTIFICATE}{expiry}".encode()).hexdigest()
    return f"1:{APP}:{expiry}:{digest}"


@pytest.mark.parametrize(
    ("app_id", "certificate", "account", "expires", "digest"),
    [
        (APP, CERTIFICATE, "TestAccount", EXPIRY, "4815d52c4fd440bac35b981c12798774"),
        (
            "C5D15F8FD394285DA5227B533302A518",
            "fe1a0437bf217bdd34cd65053fb0fe1d",
            "test@agora.io",
            1_546_271_999,
            "2d572d6e3a75ebde5a06626f40fe9684",
        ),
    ],
)
def test_published_vectors_are_made_and_accepted(
    app_id: str, certificate: str, account: str, expires: int, digest: str
) -> None:
    """SPEC L3: the published vectors."""
    token = make_token(app_id, certificate, account, expires)
    assert token == f"1:{app_id}:{expires}:{digest}"
    assert check(token, app_id=app_id, certificate=certificate, account=account, now=expires - 0.5) == ""


@given(account=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_what_is_made_is_accepted_for_its_account_and_no_other(account: str) -> None:
    """SPEC L3: digested are the UTF-8 bytes of the account."""
    token = make_token(APP, CERTIFICATE, account, EXPIRY)
    assert check(token, account=account) == ""
    assert check(token, account=account + "x") == WRONG


def test_an_account_in_chinese_is_digested_as_utf_8() -> None:
    """SPEC L3: account + appid + certificate + EXPIRY without separators, as UTF-8."""
    account = "\u5c0f\u660e"
    assert make_token(APP, CERTIFICATE, account, EXPIRY) == sign(str(EXPIRY), account)
    assert check(sign(str(EXPIRY), account), account=account) == ""


def test_a_token_is_over_at_its_expiry() -> None:
    """SPEC L3: expired when EXPIRY ≤ now."""
    assert check(TOKEN, now=EXPIRY - 0.001) == ""
    assert check(TOKEN, now=EXPIRY) == EXPIRED
    assert check(TOKEN, now=EXPIRY + 1) == EXPIRED


@pytest.mark.parametrize("expiry", ["0", "00", "0000000000"])
def test_an_expiry_of_zero_is_expired(expiry: str) -> None:
    """SPEC L3: 0 too is an expiry in the past."""
    assert check(sign(expiry), now=0.0) == EXPIRED


def test_one_to_ten_digits_are_an_expiry_and_are_digested_as_written() -> None:
    """SPEC L3: 1-10 digits."""
    assert check(sign("7"), now=6) == ""
    assert check(sign("0007"), now=6) == ""
    assert check(sign("9999999999")) == ""


def test_the_digest_is_judged_before_the_expiry() -> None:
    """SPEC L3: what is forged is wrong, however long it is expired."""
    assert check(TOKEN[:-1] + "5", now=EXPIRY + 1) == WRONG
    assert check(TOKEN, account="Eve", now=EXPIRY + 1) == WRONG


@pytest.mark.parametrize(
    "token",
    [
        "",
        "_no_need_token",
        "1",
        f"1:{APP}",
        f"1:{APP}:{EXPIRY}",
        f"1:{APP}:{EXPIRY}:",
        f"2:{APP}:{EXPIRY}:4815d52c4fd440bac35b981c12798774",
        f"1:{APP.upper()}:{EXPIRY}:4815d52c4fd440bac35b981c12798774",
        f"1:{APP}0:{EXPIRY}:4815d52c4fd440bac35b981c12798774",
        TOKEN[:-32] + TOKEN[-32:].upper(),
        TOKEN[:-1],
        TOKEN + "0",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN + ":",
        sign(""),
        sign("12345678901"),
        sign("-1"),
        sign("+1"),
        sign(" 1"),
        sign("1_0"),
        sign("1e9"),
        sign("1446455471.0"),
        sign("\u0661\u0662"),
        sign("\uff11"),
    ],
)
def test_anything_of_another_shape_is_wrong(token: str) -> None:
    """SPEC L3: exactly this App ID, 1-10 digits and 32 lower-case hex digits, else 206."""
    assert check(token) == WRONG


def test_an_app_without_a_certificate_refuses_every_token() -> None:
    """SPEC L3: even the one that an empty certificate would sign."""
    digest = hashlib.md5(f"TestAccount{APP}{EXPIRY}".encode()).hexdigest()
    assert check(f"1:{APP}:{EXPIRY}:{digest}", certificate="") == WRONG


def test_an_account_that_has_no_bytes_is_wrong_and_raises_nothing() -> None:
    """SPEC L3, E5: a lone surrogate comes in JSON and must not break the login."""
    assert check(TOKEN, account="\ud800") == WRONG


@given(token=st.text() | st.from_regex(rf"1:{APP}:[0-9]{{1,10}}:[0-9a-f]{{32}}", fullmatch=True))
def test_no_text_that_was_not_signed_is_right(token: str) -> None:
    """SPEC L3: every other text is refused, and none raises."""
    assert check(token) == WRONG


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC L3: compared in constant time."""
    compared: list[tuple[str, str]] = []
    monkeypatch.setattr(tokens, "hmac", _Recorder(compared))
    assert check(TOKEN) == ""
    assert compared == [("4815d52c4fd440bac35b981c12798774",) * 2]


class _Recorder:
    """Stands in for the module `hmac`."""

    def __init__(self, compared: list[tuple[str, str]]) -> None:
        self._compared = compared

    def compare_digest(self, one: str, other: str) -> bool:
        self._compared.append((one, other))
        return one == other


@pytest.mark.parametrize("expires", [-1, 10_000_000_000])
def test_no_token_is_made_with_an_expiry_that_no_token_can_hold(expires: int) -> None:
    """SPEC L3: 1-10 digits."""
    with pytest.raises(ValueError, match="9999999999"):
        make_token(APP, CERTIFICATE, "ada", expires)


def test_no_token_is_made_without_a_certificate() -> None:
    """SPEC L3: it would be refused."""
    with pytest.raises(ValueError, match="certificate"):
        make_token(APP, "", "ada", EXPIRY)
