"""What one TLS connection contributes to a decision: its exporter value, its client certificate, its bindings."""

from collections import OrderedDict
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import PublicKeyAlgorithmOID
from jws import Json, VerificationKey, base64url_encode

EXPORTER_LABEL = "EXPORTER-oauth-tls-session-bound"  # draft -06 §2.2
EXPORTER_LENGTH = 32  # octets
REMEMBERED_BINDINGS = 1024  # for each connection


class ClientCertificate:
    """The end-entity certificate that TLS has authenticated; what else the client sent in its chain has no say."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self.thumbprint = base64url_encode(certificate.fingerprint(hashes.SHA256()))  # RFC 8705 §3.1
        self._valid_until = certificate.not_valid_after_utc
        try:
            self.key = VerificationKey(
                certificate.public_key(),
                pss_only=certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS,
            )
        except (UnsupportedAlgorithm, ValueError):
            self.key = VerificationKey(None)  # TLS knows this kind of key, JWS does not: no proof can hold

    @property
    def expired(self) -> bool:
        return datetime.now(UTC) > self._valid_until


class VerifiedBindings:
    """
    Proofs that have held on this connection, so that a proof sent again costs no second signature check
    (draft -06 §3.3.2). Only the same proof for the same token is found here: the draft would allow to look for the
    token alone, but then a wrong proof would pass once a right one had. It is a field of its connection and has no
    key that another connection could repeat, so it is gone when the connection is.
    """

    def __init__(self) -> None:
        self._claims: OrderedDict[tuple[str, str], Json] = OrderedDict()

    def find(self, token_hash: str, proof: str) -> Json | None:
        claims = self._claims.get((token_hash, proof))
        if claims is not None:
            self._claims.move_to_end((token_hash, proof))
        return claims

    def remember(self, token_hash: str, proof: str, claims: Json) -> None:
        self._claims[token_hash, proof] = claims
        if len(self._claims) > REMEMBERED_BINDINGS:
            self._claims.popitem(last=False)


class Session:
    def __init__(self, exporter_value: bytes, certificate: x509.Certificate | None) -> None:
        self.exporter_value = base64url_encode(exporter_value)
        self.certificate = ClientCertificate(certificate) if certificate else None
        self.bindings = VerifiedBindings()
