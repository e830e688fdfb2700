"""JWS in its compact form (RFC 7515), read strictly, and the asymmetric algorithms of RFC 7518 and RFC 8037."""

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

type Json = dict[str, Any]


class JwsError(Exception):
    """Why this text is not a JWS that holds; the message never quotes the text."""


def base64url_encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def base64url_decode(text: str) -> bytes:
    # Python's decoder skips characters outside the alphabet and ignores trailing bits. Encoding the result again
    # shows whether the text was the one canonical spelling (RFC 7515 §2: no padding, no white space).
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise JwsError("is not base64url") from None
    if base64url_encode(octets) != text:
        raise JwsError("is not base64url without padding")
    return octets


def _without_duplicates(members: list[tuple[str, Any]]) -> Json:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("repeated member name")
    return found


def _no_constant(name: str) -> None:
    # Python's parser reads NaN and Infinity, which are not JSON.
    raise ValueError(f"{name} is not JSON")


def json_object(octets: bytes) -> Json:
    """A JSON object whose member names are unique (RFC 7515 §4 and RFC 7519 §4 allow this strict reading)."""
    try:
        value = json.loads(
            octets.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):  # RecursionError: nested deeper than the parser's stack allows
        raise JwsError("is not JSON") from None
    if not isinstance(value, dict):
        raise JwsError("is not a JSON object")
    return value


def numeric_date(value: Any) -> float | None:
    """A NumericDate (RFC 7519 §2) or None. In Python a bool is an int, and 1e400 is read as infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


_DIGESTS = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
# Each curve has one algorithm (RFC 7518 §3.4): ES256 with a P-384 key would be another signature scheme.
_CURVE_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_MINIMUM_RSA_BITS = 2048  # RFC 7518 §3.3


class VerificationKey:
    """A public key with the algorithms that fit it: a header only chooses among those (RFC 8725 §3.1)."""

    def __init__(self, public_key: Any, *, pss_only: bool = False) -> None:
        self._public_key = public_key
        match public_key:
            case ec.EllipticCurvePublicKey():
                algorithm = _CURVE_ALGORITHMS.get(public_key.curve.name)
                self.algorithms = {algorithm} if algorithm else set()
            case rsa.RSAPublicKey() if public_key.key_size >= _MINIMUM_RSA_BITS:
                # A key whose certificate says id-RSASSA-PSS must not sign with PKCS #1 v1.5 (RFC 4055 §1.2).
                self.algorithms = {f"PS{bits}" for bits in _DIGESTS}
                if not pss_only:
                    self.algorithms |= {f"RS{bits}" for bits in _DIGESTS}
            case ed25519.Ed25519PublicKey():
                self.algorithms = {"EdDSA", "Ed25519"}  # RFC 8037, and its fully specified name of RFC 9864
            case _:
                self.algorithms = set()

    def verifies(self, algorithm: str, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature is right; `algorithm` is one of `algorithms`."""
        key, bits = self._public_key, algorithm[2:]
        try:
            match key:
                case ec.EllipticCurvePublicKey():
                    key.verify(_der_signature(key, signature), signing_input, ec.ECDSA(_DIGESTS[bits]))
                case rsa.RSAPublicKey() if algorithm.startswith("RS"):
                    key.verify(signature, signing_input, padding.PKCS1v15(), _DIGESTS[bits])
                case rsa.RSAPublicKey():
                    # RFC 7518 §3.5: MGF1 with the same digest, a salt as long as the digest.
                    pss = padding.PSS(padding.MGF1(_DIGESTS[bits]), padding.PSS.DIGEST_LENGTH)
                    key.verify(signature, signing_input, pss, _DIGESTS[bits])
                case _:
                    key.verify(signature, signing_input)
        except InvalidSignature:
            return False
        return True


def _der_signature(key: ec.EllipticCurvePublicKey, signature: bytes) -> bytes:
    """JWS has R and S side by side, each as long as the curve's order (RFC 7518 §3.4); OpenSSL wants them in DER."""
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))


# No part may be empty: that keeps out detached payloads and missing signatures.
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Jws:
    header: Json
    payload: bytes
    signing_input: bytes
    signature: bytes

    def check_signature(self, key: VerificationKey) -> None:
        algorithm = self.header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in key.algorithms:
            raise JwsError("has an alg that does not fit the key")
        if not key.verifies(algorithm, self.signing_input, self.signature):
            raise JwsError("has a wrong signature")


def parse(compact: str) -> Jws:
    """The parts of a JWS. Nothing in it is to be believed before `check_signature`."""
    parts = _COMPACT.fullmatch(compact)
    if parts is None:
        raise JwsError("is not a JWS of three parts")
    header, payload, signature = (base64url_decode(part) for part in parts.groups())
    jws = Jws(json_object(header), payload, compact.rpartition(".")[0].encode("ascii"), signature)
    # No extension is understood here, so that any crit is a refusal (RFC 7515 §4.1.11). RFC 7797's b64 is
    # refused where crit does not name it, too: someone else might read another payload.
    if "crit" in jws.header or "b64" in jws.header:
        raise JwsError("demands an extension that is not supported")
    return jws
