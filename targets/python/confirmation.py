"""Whether every binding that an access token has in its `cnf` holds for a request (draft -06 §3.3.2, §4.1, §4.2)."""

from access_token import AccessToken
from authorization import Credentials, invalid_token
from binding_proof import check_binding_proof
from dpop_proof import check_dpop_proof
from http_message import Request
from proof_claims import UsedIdentifiers
from session import EXPORTER_LABEL, ClientCertificate, Session


class ConfirmationCheck:
    def __init__(self) -> None:
        self._identifiers = UsedIdentifiers()

    def check(self, request: Request, credentials: Credentials, token: AccessToken, session: Session) -> None:
        """
        Raises a Refusal unless all of them hold. Which ones there are is read from the token, never from the scheme
        or from the proofs that came: those are the sender's choice. A token without `cnf` is a plain bearer token.
        """
        bindings = token.confirmation.keys()
        session_bound, key_bound = "tls_exp" in bindings, "jkt" in bindings
        check_scheme(credentials.scheme, session_bound=session_bound, key_bound=key_bound)
        # First, so that a request which lacks this proof does not use up the jti of its Session-Binding Proof.
        if key_bound:
            check_dpop_proof(request, token, self._identifiers)
        if session_bound or "x5t#S256" in bindings:
            certificate = bound_certificate(token, session)
            if session_bound:
                check_label(token)
                check_binding_proof(request, token, session, certificate, self._identifiers)


def check_scheme(scheme: str, *, session_bound: bool, key_bound: bool) -> None:
    if scheme == "dpop" and not key_bound:
        raise invalid_token("the access token is not bound to a DPoP key")
    # RFC 9449 §7.2 refuses key-bound tokens under Bearer. This draft sends its own tokens under Bearer, also where
    # both mechanisms are combined (§4.2): such a token is taken under either scheme, with both proofs.
    if scheme == "bearer" and key_bound and not session_bound:
        raise invalid_token("the access token is bound to a DPoP key")


def check_label(token: AccessToken) -> None:
    # draft -06 §2.2 fixes the label. Another one, or a value that is no label, must not switch the binding off.
    if token.confirmation["tls_exp"] != EXPORTER_LABEL:
        raise invalid_token("the access token names an exporter label that is not supported")


def bound_certificate(token: AccessToken, session: Session) -> ClientCertificate:
    """This connection's certificate, where it is the one of the token (step 5c, RFC 8705 §3)."""
    certificate = session.certificate
    if certificate is None:
        raise invalid_token("the access token needs a client certificate")
    if certificate.expired:
        raise invalid_token("the client certificate has expired")
    if token.confirmation.get("x5t#S256") != certificate.thumbprint:
        raise invalid_token("the access token is bound to another certificate")
    return certificate
