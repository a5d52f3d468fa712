"""Whether a JSON Web Token lets an account in, and what it grants (SPEC J1-J5).

What is wrong about it is looked for first, and whether it has expired last: what is forged is wrong (L3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from signalpost.domain.apps import WebTokens
from signalpost.domain.grants import Grants, read_grants
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal
from signalpost.gateway.key_sets import KeySet
from signalpost.wire.arguments import name_text
from signalpost.wire.codes import REASON_TOKEN_WRONG, Code
from signalpost.wire.web_tokens import ALGORITHMS, SECRET_ALGORITHMS, Key, WebToken, public_key, secret_key

__all__ = ["Judge", "Verdict", "fixed_key"]


class Verdict(NamedTuple):
    """What is left to say of a token that is right."""

    expired: bool
    grants: Grants
    issued: float = 0.0  #: when it was made; 0.0 if it does not say
    expires: float = 0.0


def fixed_key(policy: WebTokens) -> Key | None:
    """The one key that the app's tokens are signed with; None if a provider publishes them.

    Raises KeyFault.
    """
    if policy.secret:
        return secret_key(policy.secret.encode(), policy.algorithms or ("HS256",))
    if policy.public_key:
        return public_key(policy.public_key, policy.algorithms)
    return None


class Judge:
    """Judges the tokens of one app."""

    __slots__ = ("_algorithms", "_key", "_keys", "_limits", "_policy")

    def __init__(self, policy: WebTokens, limits: Limits, keys: KeySet | None) -> None:
        """`keys`: those of the provider, where the app has one. Raises KeyFault."""
        self._policy = policy
        self._limits = limits
        self._key = fixed_key(policy)
        self._keys = keys
        public = frozenset(ALGORITHMS) - SECRET_ALGORITHMS.keys()
        self._algorithms = frozenset(policy.algorithms) or public  # that a published key may be used with

    async def judge(self, token: WebToken, account: str, now: float) -> Verdict:
        """Raises Refusal 206, Unknowable."""
        key = self._key
        if key is None and self._keys is not None and token.algorithm in self._algorithms:
            key = await self._keys.find(token.kid)
        claims = None if key is None else token.claims_by(key)
        if claims is None:
            raise _wrong("it is not signed with a key and an algorithm of this app")
        policy = self._policy
        if policy.issuer and claims.get("iss") != policy.issuer:
            raise _wrong("iss is another issuer")
        if not _is_for(policy.audience, claims.get("aud")):
            raise _wrong("aud is another audience")
        if not _names(claims.get(policy.account_claim), account):
            raise _wrong(f"{policy.account_claim} is another account")
        begins = _time(claims, "nbf", 0.0)
        if begins > now + policy.leeway:
            raise _wrong("nbf: it is not valid yet")
        expires = _time(claims, "exp", None)
        return Verdict(
            expires + policy.leeway <= now,
            read_grants(claims, self._limits),
            _time(claims, "iat", 0.0),
            expires,
        )


def _is_for(audience: tuple[str, ...], claimed: Any) -> bool:
    """Whether one of these is meant; where there are none, nobody in particular must be (RFC 7519 §4.1.3)."""
    if claimed is None:
        return not audience
    return any(each in audience for each in (claimed if isinstance(claimed, list) else [claimed]))


def _names(claimed: Any, account: str) -> bool:
    if isinstance(claimed, int | float) and not isinstance(claimed, bool):
        claimed = name_text(claimed)
    return isinstance(claimed, str) and claimed == account


def _time(claims: Mapping[str, Any], name: str, default: float | None) -> float:
    """A claim in Unix seconds. Raises Refusal."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(f"{name} must be Unix seconds")
    return float(min(value, 2**53))


def _wrong(reason: str) -> Refusal:
    return Refusal(Code.LOGIN_E_TOKENWRONG, f"{REASON_TOKEN_WRONG}: {reason}")
