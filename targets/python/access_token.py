"""JWT access tokens (RFC 9068), validated anew for every request (draft -06 §3.3.2 step 5b)."""

import time
from dataclasses import dataclass
from hashlib import sha256

import jws
from authorization import invalid_token
from jwk import IssuerKey
from jws import Json, JwsError, base64url_encode

CLOCK_SKEW = 5  # seconds that an issuer's clock may be ahead, for nbf


@dataclass(frozen=True)
class AccessToken:
    hash: str
    """As `ath` of a proof has it: over the octets of the token as it was sent."""
    subject: str | None
    scope: frozenset[str]
    expires: float
    confirmation: Json


class AccessTokenValidator:
    def __init__(self, *, issuer: str, audience: str, keys: list[IssuerKey]) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    def validate(self, compact: str) -> AccessToken:
        try:
            token = jws.parse(compact)
            # RFC 9068 §4. Without it an ID token, or a proof, of the same issuer would pass.
            if str(token.header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
                raise JwsError("is not of the type at+jwt")
            self._check_signature(token)
            claims = jws.json_object(token.payload)
        except JwsError as error:
            raise invalid_token(f"the access token {error}") from None
        return self._check_claims(compact, claims)

    def _check_signature(self, token: jws.Jws) -> None:
        identifier, algorithm = token.header.get("kid"), token.header.get("alg")
        candidates = [
            known
            for known in self._keys
            if (identifier is None or known.identifier == identifier)
            and (known.algorithm is None or known.algorithm == algorithm)
        ]
        refusal = JwsError("names no key and alg of its issuer")
        for candidate in candidates:
            try:
                return token.check_signature(candidate.key)
            except JwsError as error:
                refusal = error
        raise refusal

    def _check_claims(self, compact: str, claims: Json) -> AccessToken:
        now = time.time()
        if claims.get("iss") != self._issuer:
            raise invalid_token("the access token is of another issuer")
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise invalid_token("the access token is for another audience")
        expires = jws.numeric_date(claims.get("exp"))
        if expires is None or expires <= now:
            raise invalid_token("the access token has expired, or has no usable exp")
        not_before = jws.numeric_date(claims.get("nbf", 0))
        if not_before is None or not_before > now + CLOCK_SKEW:
            raise invalid_token("the access token is not valid yet")
        # A cnf that cannot be read might have been a binding: it is never taken for none.
        confirmation = claims.get("cnf", {})
        if not isinstance(confirmation, dict):
            raise invalid_token("the cnf of the access token is not an object")
        subject, scope = claims.get("sub"), claims.get("scope")
        return AccessToken(
            base64url_encode(sha256(compact.encode("ascii")).digest()),
            subject if isinstance(subject, str) else None,
            frozenset(scope.split(" ") if isinstance(scope, str) else ()),
            expires,
            confirmation,
        )
