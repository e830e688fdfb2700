"""Claims that Session-Binding Proofs and DPoP proofs have in common, and the identifiers that were used."""

import hmac
import time
from hashlib import sha256
from heapq import heappop, heappush
from urllib.parse import urlsplit

from http_message import Request
from jws import Json, JwsError, numeric_date

# Seconds. Neither specification sets a window. The proof of a connection may be sent for minutes before it is
# renewed: the exporter value already ties it to this connection.
MAXIMUM_AGE = 300
CLOCK_SKEW = 30


def same_text(claim: object, expected: str) -> bool:
    # As octets, because compare_digest takes no text beyond ASCII; JSON can even hold lone surrogates.
    return isinstance(claim, str) and hmac.compare_digest(
        claim.encode("utf-8", "surrogatepass"), expected.encode("ascii")
    )


def check_issued(claims: Json) -> None:
    issued, now = numeric_date(claims.get("iat")), time.time()
    if issued is None or not now - MAXIMUM_AGE <= issued <= now + CLOCK_SKEW:
        raise JwsError("has an iat outside the accepted window, or none")


def check_lifetime(claims: Json) -> None:
    """Neither specification defines these for a proof; RFC 7519 §4.1.4 and §4.1.5 hold for every JWT."""
    now = time.time()
    if "exp" in claims and ((expires := numeric_date(claims["exp"])) is None or expires <= now):
        raise JwsError("has expired")
    if "nbf" in claims and ((start := numeric_date(claims["nbf"])) is None or start > now + CLOCK_SKEW):
        raise JwsError("is not valid yet")


def check_method(claims: Json, request: Request) -> None:
    if claims["htm"] != request.method:  # methods are case-sensitive (RFC 9110 §9.1)
        raise JwsError("is for another method")


def check_target(claims: Json, request: Request, *, path_alone: bool) -> None:
    """`htu`, in the spelling of the request and not in one that merely resolves to it, but for query and fragment."""
    try:
        target = urlsplit(claims["htu"] if isinstance(claims["htu"], str) else "")
    except ValueError:
        target = urlsplit("")
    authority, expected = (text.lower().removesuffix(":443") for text in (target.netloc, request.authority))
    absolute = target.scheme == "https" and authority == expected
    relative = path_alone and not target.scheme and not target.netloc
    if target.path != request.path or not (absolute or relative):
        raise JwsError("is for another target URI")


class UsedIdentifiers:
    """The jti values of accepted proofs, for all connections, each until it could not be accepted anyway."""

    def __init__(self) -> None:
        self._used: set[bytes] = set()
        self._by_end: list[tuple[float, bytes]] = []

    def use(self, holder: str, identifier: object, until: float) -> None:
        if not isinstance(identifier, str) or identifier == "":
            raise JwsError("has a jti that is no text, or none")
        while self._by_end and self._by_end[0][0] <= time.time():
            self._used.discard(heappop(self._by_end)[1])
        # A digest, because an identifier may be long; `holder` has no space in it.
        entry = sha256(f"{holder} {identifier}".encode("utf-8", "surrogatepass")).digest()
        if entry in self._used:
            raise JwsError("has a jti that was used before")
        self._used.add(entry)
        heappush(self._by_end, (until, entry))
