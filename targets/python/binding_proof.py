"""The Session-Binding Proof: draft -06 §2.3 and §3.3.2 steps 5d to 5i."""

import jws
from access_token import AccessToken
from authorization import invalid_proof, use_session_binding
from http_message import Request
from jws import Json, JwsError
from proof_claims import UsedIdentifiers, check_issued, check_lifetime, check_method, check_target, same_text
from session import ClientCertificate, Session

PROOF_TYPE = "tls-binding-proof+jwt"


def check_binding_proof(
    request: Request,
    token: AccessToken,
    session: Session,
    certificate: ClientCertificate,
    identifiers: UsedIdentifiers,
) -> None:
    """Raises a Refusal unless the request carries a proof of this token for this connection."""
    proof = _presented(request)
    claims = known = session.bindings.find(token.hash, proof)
    try:
        if claims is None:
            claims = _verify(proof, token, session, certificate)
        # What a proof says of one request, or of its own life, is looked at each time, found or verified.
        check_lifetime(claims)
        if "htm" in claims:
            check_method(claims, request)
        if "htu" in claims:
            # draft -06 §2.3.2.2: the text says "target URI", its example is a bare path.
            check_target(claims, request, path_alone=True)
        if "jti" in claims:  # last, so that a proof which does not hold cannot use up another one's identifier
            identifiers.use(token.hash, claims["jti"], token.expires)
    except JwsError as error:
        raise invalid_proof(f"the proof {error}") from None
    if known is None:
        session.bindings.remember(token.hash, proof, claims)


def _presented(request: Request) -> str:
    fields = request.field_values("session-binding-proof")
    if not fields:
        raise use_session_binding()
    if len(fields) > 1:
        raise invalid_proof("more than one Session-Binding-Proof field")
    return fields[0]


def _verify(proof: str, token: AccessToken, session: Session, certificate: ClientCertificate) -> Json:
    """All that does not change from one request to the next on a connection: steps 5e to 5h."""
    signed = jws.parse(proof)
    if signed.header.get("typ") != PROOF_TYPE:  # RFC 8725 §3.11: no other JWT that this key has signed is a proof
        raise JwsError(f"is not of the type {PROOF_TYPE}")
    if signed.header.get("x5t#S256") != certificate.thumbprint:
        raise JwsError("names another certificate")
    # The key is the one that TLS has authenticated. jwk, jku, x5c, x5u and kid are not looked at.
    signed.check_signature(certificate.key)
    claims = jws.json_object(signed.payload)
    if not same_text(claims.get("ekm"), session.exporter_value):
        raise JwsError("is for another connection")
    if not same_text(claims.get("ath"), token.hash):
        raise JwsError("is for another access token")
    check_issued(claims)
    return claims
