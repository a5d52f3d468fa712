"""JSON Web Tokens as login tokens: their form, their signature, what they claim (SPEC J1, J4; RFC 7515).

This file knows the spelling and the keys; it has no clock, and fetches nothing. The algorithm is the key's:
a token's header chooses only among those that its key was made for, so that no public key is ever a secret.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import jwt
import msgspec
from jwt.algorithms import Algorithm, HMACAlgorithm, get_default_algorithms, has_crypto

__all__ = [
    "ALGORITHMS",
    "SECRET_ALGORITHMS",
    "Key",
    "KeyFault",
    "WebToken",
    "key_of_jwk",
    "make_web_token",
    "public_key",
    "read_web_token",
    "secret_key",
]

#: Algorithms with a secret that both sides know, and how many bytes it has at least (RFC 7518 §3.2).
SECRET_ALGORITHMS: Final[Mapping[str, int]] = {"HS256": 32, "HS384": 48, "HS512": 64}

#: Algorithms with a public key, by what a key says of its kind: `kty`, and `crv` where there is one.
_BY_KIND: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}

#: All that are known; `none` is not.
ALGORITHMS: Final = (*SECRET_ALGORITHMS, *(name for names in _BY_KIND.values() for name in names))

_RSA_BITS: Final = 2048  # at least (RFC 7518 §3.3)
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*").fullmatch
_PADDING: Final = ("", "", "==", "=")  # by how many characters there are above a multiple of four
_SIGN: Final[Mapping[str, Algorithm]] = get_default_algorithms()


class KeyFault(ValueError):
    """Why something is no key for tokens; the text says nothing of it."""


class Key(NamedTuple):
    """What signatures are judged with, and by which algorithms."""

    material: Any  #: as PyJWT's algorithms take it
    algorithms: frozenset[str]


class WebToken:
    """A token as it was read: nothing of it is true before `claims_by` has said so."""

    __slots__ = ("_payload", "_signature", "_signed", "algorithm", "kid")

    def __init__(self, algorithm: str, kid: str, signed: bytes, payload: str, signature: str) -> None:
        self.algorithm = algorithm
        self.kid = kid  # which key it says that it was signed with; "" for none
        self._signed = signed
        self._payload = payload
        self._signature = signature

    def payload_by(self, key: Key) -> bytes | None:
        """What was signed with this key; None if nothing was (RFC 7515 §5.2)."""
        if self.algorithm not in key.algorithms:
            return None
        try:
            signature = _decoded(self._signature)
            if not _SIGN[self.algorithm].verify(self._signed, key.material, signature):
                return None
            return _decoded(self._payload)
        except NotBase64:
            return None

    def claims_by(self, key: Key) -> dict[str, Any] | None:
        """What it claims, if it was signed with this key; None if it was not, or claims nothing."""
        payload = self.payload_by(key)
        if payload is None:
            return None
        try:
            claims = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return claims if isinstance(claims, dict) else None


class _Header(msgspec.Struct, gc=False):
    """What is looked at of a header. Whatever it says of where a key might be found counts for nothing."""

    alg: str
    kid: str = ""
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_read_header = msgspec.json.Decoder(_Header).decode


def read_web_token(token: str) -> WebToken | None:
    """The token, if it has this form: three parts in base64url, between dots. No MD5 token has it, which has
    colons. One whose header is unreadable, or demands what is not known (`crit`), names no algorithm."""
    if _FORM(token) is None:
        return None
    signed, _, signature = token.rpartition(".")
    head, _, payload = signed.partition(".")
    try:
        header = _read_header(_decoded(head))
    except (NotBase64, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return WebToken("", "", b"", "", "")
    algorithm = header.alg if header.crit is msgspec.UNSET else ""
    return WebToken(algorithm, header.kid, signed.encode(), payload, signature)


def _decoded(text: str) -> bytes:
    """Base64url without its padding. Raises NotBase64."""
    return urlsafe_b64decode(text + _PADDING[len(text) & 3])


# --- keys -----------------------------------------------------------------------------------------


def secret_key(secret: bytes, algorithms: Collection[str]) -> Key:
    """A secret that the app's back end shares. Raises KeyFault."""
    least = max(SECRET_ALGORITHMS[name] for name in algorithms)
    if len(secret) < least:
        raise KeyFault(f"a secret for {_listed(algorithms)} has at least {least} bytes")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except jwt.InvalidKeyError:
        raise KeyFault("the secret is a key in PEM or SSH form: give it as public_key") from None
    return Key(secret, frozenset(algorithms))


def public_key(pem: str, algorithms: Collection[str]) -> Key:
    """A public key in PEM form; with no algorithms named, the first that suits it. Raises KeyFault."""
    _require_crypto()
    if "PRIVATE KEY" in pem:
        raise KeyFault("it is a private key: the server needs the public one, and should not know this")
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        material = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm, UnicodeEncodeError):
        raise KeyFault("expected a public key in PEM form, BEGIN PUBLIC KEY") from None
    suited = _suited(material)
    if not set(algorithms) <= set(suited):
        raise KeyFault(f"this key is for {_listed(suited)}, and not for {_listed(algorithms)}")
    return Key(material, frozenset(algorithms or suited[:1]))


def key_of_jwk(jwk: Mapping[str, Any], algorithms: Collection[str]) -> Key:
    """A public key as a provider publishes it (RFC 7517), for those of these algorithms that suit it.

    Raises KeyFault, for secrets and private keys too.
    """
    _require_crypto()
    if "d" in jwk or "k" in jwk:
        raise KeyFault("it has private parts")
    kind = str(jwk.get("kty")), str(jwk.get("crv", ""))
    suited = set(_BY_KIND.get(kind, ())) & set(algorithms)
    if "alg" in jwk:
        suited &= {str(jwk["alg"])}
    if not suited or jwk.get("use", "sig") != "sig":
        raise KeyFault("it is for something else")
    try:
        material = _SIGN[min(suited)].from_jwk(dict(jwk))
    except Exception:  # a stranger wrote it
        raise KeyFault("it is damaged") from None
    _suited(material)
    return Key(material, frozenset(suited))


def _suited(material: Any) -> tuple[str, ...]:
    """The algorithms that a public key is for. Raises KeyFault."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match material:
        case rsa.RSAPublicKey(key_size=bits):
            if bits < _RSA_BITS:
                raise KeyFault(f"an RSA key has at least {_RSA_BITS} bits")
            return _BY_KIND["RSA", ""]
        case ec.EllipticCurvePublicKey(curve=curve):
            named = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
            suited = _BY_KIND.get(("EC", named.get(curve.name, "")))
            if suited is not None:
                return suited
        case ed25519.Ed25519PublicKey():
            return _BY_KIND["OKP", "Ed25519"]
    raise KeyFault("no algorithm is known for this kind of key")


def _require_crypto() -> None:
    if not has_crypto:
        raise KeyFault("public keys need another library: pip install 'signalpost[crypto]'")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


# --- making ---------------------------------------------------------------------------------------


def make_web_token(claims: dict[str, Any], secret: str, algorithm: str) -> str:
    """A token with these claims. Raises KeyFault for a secret that is too short, and for an algorithm that
    takes none."""
    if algorithm not in SECRET_ALGORITHMS:
        raise KeyFault(f"expected one of {', '.join(SECRET_ALGORITHMS)}")
    key = secret_key(secret.encode(), (algorithm,))
    return jwt.encode(claims, key.material, algorithm)
