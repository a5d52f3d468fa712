"""JSON Web Tokens: form, keys and signatures, by the vectors of the standards (SPEC J1, J4)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from signalpost.wire.tokens import make_token
from signalpost.wire.web_tokens import (
    ALGORITHMS,
    Key,
    KeyFault,
    key_of_jwk,
    make_web_token,
    public_key,
    read_web_token,
    secret_key,
)

SECRET = "a secret of at least thirty-two bytes, no less"

# RFC 7515, appendix A.
A1 = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
A1_SECRET = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
A3 = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
A4 = (
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"
    ".AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2Y"
    "BJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
)
A4_KEY = {
    "kty": "EC",
    "crv": "P-521",
    "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
    "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
}
A5 = (
    "eyJhbGciOiJub25lIn0"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
)
JOE = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}

# RFC 8037, appendix A.4.
OKP = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)
OKP_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

RSA = rsa.generate_private_key(65537, 2048)


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pem_of(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def private_pem_of(key: Any) -> str:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, form, plain).decode())


def claims(token: str, key: Key) -> Any:
    read = read_web_token(token)
    return None if read is None else read.claims_by(key)


# --- vectors --------------------------------------------------------------------------------------


def test_the_vector_with_a_secret() -> None:
    """RFC 7515 A.1, whose key is 64 bytes that are no text."""
    key = secret_key(decoded(A1_SECRET), ("HS256",))
    assert claims(A1, key) == JOE
    assert claims(A1[:-1] + "j", key) is None
    assert claims(A1, secret_key(SECRET.encode(), ("HS256",))) is None


def test_the_vectors_with_elliptic_curves() -> None:
    """RFC 7515 A.3, A.4."""
    assert claims(A3, key_of_jwk(A3_KEY, ALGORITHMS)) == JOE
    read = read_web_token(A4)
    assert read is not None
    assert read.payload_by(key_of_jwk(A4_KEY, ALGORITHMS)) == b"Payload"
    assert read.claims_by(key_of_jwk(A4_KEY, ALGORITHMS)) is None
    assert claims(A3, key_of_jwk(A4_KEY, ALGORITHMS)) is None


def test_the_vector_with_an_edwards_curve() -> None:
    """RFC 8037 A.4."""
    read = read_web_token(OKP)
    assert read is not None
    assert read.payload_by(key_of_jwk(OKP_KEY, ALGORITHMS)) == b"Example of Ed25519 signing"
    head, payload, signature = OKP.split(".")
    forged = read_web_token(f"{head}.{payload}.{signature[:-2]}Bg")
    assert forged is not None
    assert forged.payload_by(key_of_jwk(OKP_KEY, ALGORITHMS)) is None


def test_no_key_makes_an_unsigned_token_right() -> None:
    """SPEC J4; RFC 7515 A.5."""
    keys = [secret_key(decoded(A1_SECRET), ("HS256",)), key_of_jwk(A3_KEY, ALGORITHMS)]
    assert [claims(A5, key) for key in keys] == [None, None]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_takes_what_it_has_signed_and_no_other_does(algorithm: str) -> None:
    """SPEC J1, J4."""
    private: Any = {
        "HS": SECRET * 2,
        "RS": RSA,
        "PS": RSA,
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "Ed": ed25519.Ed25519PrivateKey.generate(),
    }
    own = private.get(algorithm) or private[algorithm[:2]]
    if isinstance(own, str):
        key = secret_key(own.encode(), (algorithm,))
    else:
        key = public_key(pem_of(own), (algorithm,))
    token = jwt.encode({"sub": "ada"}, own, algorithm)
    assert claims(token, key) == {"sub": "ada"}
    others = frozenset(ALGORITHMS) - {algorithm}
    assert claims(token, key._replace(algorithms=others)) is None


# --- confusion ------------------------------------------------------------------------------------


def test_a_public_key_is_never_a_secret() -> None:
    """SPEC J4: HS256 with the text of the public key, which everybody knows."""
    import hashlib
    import hmac

    pem = pem_of(RSA)
    signed = b".".join(
        urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in ({"alg": "HS256"}, {"sub": "ada"})
    )
    for secret in (pem, pem.strip(), pem.replace("\n", "")):
        signature = urlsafe_b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).rstrip(b"=")
        assert claims((signed + b"." + signature).decode(), public_key(pem, ())) is None
    with pytest.raises(KeyFault, match="give it as public_key"):
        secret_key(pem.encode(), ("HS256",))


def test_a_key_within_the_token_counts_for_nothing() -> None:
    """SPEC J4: jwk, jku and x5u name keys of the attacker's; `crit` demands what nobody here knows."""
    attacker = rsa.generate_private_key(65537, 2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(attacker.public_key()))
    key = public_key(pem_of(RSA), ("RS256",))
    for header in (
        {"jwk": jwk},
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example"},
    ):
        assert claims(jwt.encode({"sub": "ada"}, attacker, "RS256", headers=header), key) is None
    assert claims(jwt.encode({"sub": "ada"}, RSA, "RS256"), key) == {"sub": "ada"}
    assert claims(jwt.encode({"sub": "ada"}, RSA, "RS256", headers={"crit": ["exp"], "exp": 1}), key) is None


def test_no_token_has_two_forms() -> None:
    """SPEC J1: told from MD5 tokens by its form."""
    assert read_web_token(make_token("app", "certificate", "ada", 2_000_000_000)) is None
    assert read_web_token("_no_need_token") is None
    assert read_web_token("a.b") is None
    assert read_web_token("a.b.c.d.e") is None  # encrypted: no signature
    assert read_web_token(A1 + "\n") is None
    assert read_web_token(A1) is not None


@given(
    st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,50}", fullmatch=True)
)
def test_whatever_is_no_token_is_refused(text: str) -> None:
    assert claims(text, secret_key(SECRET.encode(), ("HS256",))) is None


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_short_secret_is_refused(algorithm: str, least: int) -> None:
    """SPEC J4; RFC 7518 §3.2."""
    secret_key(b"x" * least, (algorithm,))
    with pytest.raises(KeyFault, match=f"at least {least} bytes") as caught:
        secret_key(b"x" * (least - 1), (algorithm,))
    assert "xx" not in str(caught.value)


def test_a_private_key_is_refused() -> None:
    """SPEC J4: the server needs none, and should not know it."""
    for private in (RSA, ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(KeyFault, match="private key"):
            public_key(private_pem_of(private), ())
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA))
    with pytest.raises(KeyFault, match="private parts"):
        key_of_jwk(jwk, ALGORITHMS)
    with pytest.raises(KeyFault, match="private parts"):
        key_of_jwk({"kty": "oct", "k": A1_SECRET}, ALGORITHMS)


def test_a_weak_or_unsuited_key_is_refused() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    with pytest.raises(KeyFault, match="2048 bits"):
        public_key(pem_of(weak), ())
    with pytest.raises(KeyFault, match="2048 bits"):
        key_of_jwk(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(weak.public_key())), ALGORITHMS)
    with pytest.raises(KeyFault, match="not for ES256"):
        public_key(pem_of(RSA), ("ES256",))
    with pytest.raises(KeyFault, match="BEGIN PUBLIC KEY"):
        public_key("no key at all", ())


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "RSA"},
        {"kty": "RSA", "n": 1, "e": []},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {**A3_KEY, "x": A3_KEY["y"]},
        {**A3_KEY, "use": "enc"},
        {**A3_KEY, "alg": "RS256"},
        {**OKP_KEY, "crv": "X25519"},
        {"kty": ["RSA"], "crv": {}},
    ],
)
def test_a_published_key_that_is_none_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(KeyFault):
        key_of_jwk(jwk, ALGORITHMS)


def test_only_algorithms_with_a_secret_make_tokens() -> None:
    assert claims(make_web_token({"sub": "ada"}, SECRET, "HS256"), secret_key(SECRET.encode(), ("HS256",)))
    for algorithm in ("none", "RS256", ""):
        with pytest.raises(KeyFault):
            make_web_token({"sub": "ada"}, SECRET, algorithm)
