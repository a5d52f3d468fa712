"""What a JSON Web Token has to say, and what becomes of it otherwise (SPEC J1, J2, J4)."""

from __future__ import annotations

import json
from typing import Any

import jwt

from signalpost.domain.apps import WebTokens
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.gateway.web_tokens import Judge, Verdict
from signalpost.services.driver import start
from signalpost.wire.codes import Code
from signalpost.wire.web_tokens import read_web_token

SECRET = "a secret of at least forty-eight bytes, no less than that"
NOW = 1_700_000_000.0


def verdict(
    claims: dict[str, Any],
    *,
    account: str = "ada",
    secret: str = SECRET,
    algorithm: str = "HS256",
    **policy: Any,
) -> Verdict | str:
    """What the judge says, or the reason of the refusal."""
    body = json.dumps({"exp": NOW + 60, "sub": "ada", **claims}).encode()
    token = read_web_token(jwt.PyJWS().encode(body, secret, algorithm))
    assert token is not None
    judge = Judge(WebTokens(secret=SECRET, **policy), Limits(), None)
    found: list[Any] = []
    start(judge.judge(token, account, NOW), lambda result, error: found.append(error or result))
    [said] = found
    if isinstance(said, Refusal):
        assert said.code is Code.LOGIN_E_TOKENWRONG
        assert said.reason.startswith("TokenError"), "original SDKs look for that (PROTOCOL §4)"
        assert "Expired" not in said.reason
        return said.reason
    assert isinstance(said, Verdict)
    return said


def right(said: Verdict | str) -> bool:
    return isinstance(said, Verdict) and not said.expired


def test_the_account_is_the_one_that_the_token_names() -> None:
    assert right(verdict({}))
    assert right(verdict({"uid": "ada", "sub": "x"}, account_claim="uid"))
    assert right(verdict({"sub": 42}, account="42"))
    assert right(verdict({"sub": "é "[:1]}, account="é"))
    for claims in ({"sub": "bo"}, {"sub": None}, {"sub": True}, {"sub": ["ada"]}, {"sub": {}}, {"sub": ""}):
        assert "another account" in str(verdict(claims))
    assert "another account" in str(verdict({"sub": True}, account="True"))
    assert "another account" in str(verdict({}, account_claim="uid"))


def test_a_token_is_over_at_its_end_and_the_leeway() -> None:
    """SPEC J1: 30 s."""
    assert right(verdict({"exp": NOW - 29.9}))
    assert verdict({"exp": NOW - 30}) == Verdict(True, verdict({}).grants, verdict({}).issued, NOW - 30)  # type: ignore[union-attr]
    assert not right(verdict({"exp": NOW}, leeway=0.0))
    assert right(verdict({"exp": 10**400}))
    for exp in (None, "soon", True, [NOW + 60], str(NOW + 60)):
        assert "exp must be" in str(verdict({"exp": exp}))


def test_a_token_does_not_begin_before_its_time() -> None:
    assert right(verdict({"nbf": NOW + 30}))
    assert "not valid yet" in str(verdict({"nbf": NOW + 31}))
    assert "nbf must be" in str(verdict({"nbf": "now"}))


def test_the_audience_is_meant() -> None:
    """RFC 7519 §4.1.3: who is not meant refuses."""
    assert right(verdict({"aud": "app"}, audience=("app", "other")))
    assert right(verdict({"aud": ["x", "other"]}, audience=("app", "other")))
    for aud in (None, "x", [], ["x"], {"app": 1}, 1):
        assert "audience" in str(verdict({"aud": aud}, audience=("app",)))
    assert "audience" in str(verdict({"aud": "app"}))


def test_the_issuer_is_the_one_that_is_configured() -> None:
    assert right(verdict({"iss": "https://id.example/"}, issuer="https://id.example/"))
    assert right(verdict({"iss": "anybody"}))
    for iss in (None, "https://id.example", ["https://id.example/"]):
        assert "issuer" in str(verdict({"iss": iss}, issuer="https://id.example/"))


def test_what_is_forged_is_wrong_and_not_expired() -> None:
    """SPEC L3, J2."""
    other = SECRET.replace("a", "b")
    assert "not signed" in str(verdict({"exp": NOW - 999}, secret=other))
    assert "audience" in str(verdict({"exp": NOW - 999, "aud": "x"}))
    assert "not signed" in str(verdict({}, secret=SECRET * 2, algorithm="HS512"))
    assert "not signed" in str(verdict({}, algorithm="HS256", algorithms=("HS384",)))
