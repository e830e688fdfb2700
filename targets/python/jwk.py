"""Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2)."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jws import Json, JwsError, VerificationKey, base64url_decode, base64url_encode, json_object

_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_REQUIRED_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


def _number(text: str) -> int:
    return int.from_bytes(base64url_decode(text))


def _public_key(jwk: Json) -> Any:
    match jwk:
        case {"kty": "EC", "crv": str(curve), "x": str(x), "y": str(y)} if curve in _CURVES:
            return ec.EllipticCurvePublicNumbers(_number(x), _number(y), _CURVES[curve]).public_key()
        case {"kty": "RSA", "n": str(n), "e": str(e)}:
            return rsa.RSAPublicNumbers(_number(e), _number(n)).public_key()
        case {"kty": "OKP", "crv": "Ed25519", "x": str(x)}:
            return ed25519.Ed25519PublicKey.from_public_bytes(base64url_decode(x))
    raise JwsError("has a key of a type that is not supported")


def verification_key(jwk: Json) -> VerificationKey:
    try:
        return VerificationKey(_public_key(jwk))
    except (ValueError, UnsupportedAlgorithm):  # a point that is not on the curve, an even modulus, …
        raise JwsError("has a key that is none") from None


def thumbprint(jwk: Json) -> str:
    """RFC 7638 §3; `jwk` is one that `verification_key` has taken."""
    required = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    return base64url_encode(sha256(json.dumps(required, separators=(",", ":")).encode()).digest())


@dataclass(frozen=True)
class IssuerKey:
    identifier: str | None
    algorithm: str | None
    key: VerificationKey


def read_jwk_set(octets: bytes) -> list[IssuerKey]:
    """The keys of a JWK Set that verify signatures. Those that cannot be used are passed over (RFC 7517 §5)."""
    keys = []
    for jwk in json_object(octets)["keys"]:
        if jwk.get("use", "sig") != "sig":
            continue
        try:
            keys.append(IssuerKey(jwk.get("kid"), jwk.get("alg"), verification_key(jwk)))
        except JwsError:
            continue
    if not keys:
        raise ValueError("the JWK Set holds no key that can verify a signature")
    return keys
