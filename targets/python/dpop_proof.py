"""The DPoP proof of a token that is bound to a DPoP key: RFC 9449 §4.3 and §7.1."""

import jwk
import jws
from access_token import AccessToken
from authorization import invalid_dpop_proof
from http_message import Request
from jws import JwsError
from proof_claims import (
    CLOCK_SKEW,
    MAXIMUM_AGE,
    UsedIdentifiers,
    check_issued,
    check_lifetime,
    check_method,
    check_target,
    same_text,
)

PROOF_TYPE = "dpop+jwt"


def check_dpop_proof(request: Request, token: AccessToken, identifiers: UsedIdentifiers) -> None:
    """Raises a Refusal unless the request carries a DPoP proof by the key that the token names."""
    fields = request.field_values("dpop")
    if len(fields) != 1:
        raise invalid_dpop_proof("this token must come with one DPoP proof")
    try:
        _verify(fields[0], request, token, identifiers)
    except JwsError as error:
        raise invalid_dpop_proof(f"the DPoP proof {error}") from None


def _verify(proof: str, request: Request, token: AccessToken, identifiers: UsedIdentifiers) -> None:
    signed = jws.parse(proof)
    if signed.header.get("typ") != PROOF_TYPE:
        raise JwsError(f"is not of the type {PROOF_TYPE}")
    # Unlike a Session-Binding Proof it brings its key along; what makes that key the right one is the token.
    key = signed.header.get("jwk")
    if not isinstance(key, dict) or "d" in key:
        raise JwsError("has no public key")
    public_key = jwk.verification_key(key)
    if token.confirmation["jkt"] != jwk.thumbprint(key):
        raise JwsError("is by another key")
    signed.check_signature(public_key)
    claims = jws.json_object(signed.payload)
    if not same_text(claims.get("ath"), token.hash):
        raise JwsError("is for another access token")
    if "htm" not in claims or "htu" not in claims:
        raise JwsError("does not name its request")
    check_method(claims, request)
    check_target(claims, request, path_alone=False)
    check_issued(claims)
    check_lifetime(claims)
    identifiers.use(token.confirmation["jkt"], claims.get("jti"), claims["iat"] + MAXIMUM_AGE + CLOCK_SKEW)
