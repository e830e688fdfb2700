"""The Authorization field, and the challenges of RFC 6750, RFC 9449 and draft -06 §3.5."""

import re
from dataclasses import dataclass

REALM = "tls-session-bound"
DPOP_ALGORITHMS = "ES256 ES384 ES512 PS256 RS256 EdDSA"
# RFC 6750 §2.1, RFC 9449 §7.1; the scheme is matched without regard to case (RFC 9110 §11.1).
_CREDENTIALS = re.compile(r"(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


def _challenge(scheme: str, **parameters: str | None) -> str:
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value)


class Refusal(Exception):
    """An answer that is not the resource. A challenge says what was wrong, and quotes nothing of it."""

    def __init__(self, status: int, reason: str, *challenges: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.challenges = challenges


def bearer_error(status: int, error: str, description: str, scope: str | None = None) -> Refusal:
    challenge = _challenge("Bearer", realm=REALM, error=error, error_description=description, scope=scope)
    return Refusal(status, f"{error}: {description}", challenge)


def invalid_token(description: str) -> Refusal:
    return bearer_error(401, "invalid_token", description)


def use_session_binding() -> Refusal:
    return bearer_error(401, "use_session_binding", "this token must come with a Session-Binding-Proof")


def invalid_proof(description: str) -> Refusal:
    return bearer_error(401, "invalid_proof", description)


def invalid_dpop_proof(description: str) -> Refusal:
    error = "invalid_dpop_proof"
    challenge = _challenge("DPoP", realm=REALM, error=error, error_description=description, algs=DPOP_ALGORITHMS)
    return Refusal(401, f"{error}: {description}", challenge)


def no_token() -> Refusal:
    # RFC 6750 §3.1: where no authentication information came, no error code goes. RFC 9449 §7.2: one challenge each.
    bearer, dpop = _challenge("Bearer", realm=REALM), _challenge("DPoP", realm=REALM, algs=DPOP_ALGORITHMS)
    return Refusal(401, "no access token", bearer, dpop)


@dataclass(frozen=True)
class Credentials:
    scheme: str
    token: str


def read_credentials(authorization: list[str]) -> Credentials:
    """What the request's Authorization fields hold. Tokens in a query or a form are not looked for."""
    if len(authorization) > 1:
        raise bearer_error(400, "invalid_request", "more than one Authorization field")
    scheme = authorization[0].partition(" ")[0].lower() if authorization else None
    if scheme not in ("bearer", "dpop"):
        raise no_token()
    credentials = _CREDENTIALS.fullmatch(authorization[0])
    if credentials is None:
        raise invalid_token("the credentials are malformed")
    return Credentials(scheme, credentials[2])
