"""The protected resource: who may have it, and what it answers."""

import json
import sys

from access_token import AccessToken, AccessTokenValidator
from authorization import Refusal, bearer_error, read_credentials
from confirmation import ConfirmationCheck
from http_message import Request, Response
from session import Session

PROTECTED = "/resource"
SCOPE = "tsbt.scoped"


class ProtectedResource:
    def __init__(self, tokens: AccessTokenValidator, confirmation: ConfirmationCheck) -> None:
        self._tokens = tokens
        self._confirmation = confirmation
        self._count = 0

    def answer(self, request: Request, session: Session) -> Response:
        try:
            # Before the path is looked at: no spelling of it, and no method, goes past the checks.
            credentials = read_credentials(request.field_values("authorization"))
            token = self._tokens.validate(credentials.token)
            self._confirmation.check(request, credentials, token, session)
            status, body = self._serve(request, token)
            return json_response(status, body)
        except Refusal as refusal:
            print(f"refused {request.method} {request.path!r}: {refusal}", file=sys.stderr, flush=True)
            challenges = ((b"www-authenticate", text.encode("ascii")) for text in refusal.challenges)
            return json_response(refusal.status, {"refused": True}, *challenges)

    def _serve(self, request: Request, token: AccessToken) -> tuple[int, dict[str, object]]:
        path = request.path
        if path != PROTECTED and not path.startswith(PROTECTED + "/"):
            return 404, {}
        if path == f"{PROTECTED}/scoped" or path.startswith(f"{PROTECTED}/scoped/"):
            if SCOPE not in token.scope:
                raise bearer_error(403, "insufficient_scope", "this resource needs another scope", SCOPE)
        if path == f"{PROTECTED}/counter":
            if request.method == "POST":
                self._count += 1
            return 200, {"sub": token.subject, "count": self._count}
        return 200, {"sub": token.subject}


def json_response(status: int, content: dict[str, object], *fields: tuple[bytes, bytes]) -> Response:
    body = json.dumps(content).encode()
    return Response(
        status,
        [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *fields,
        ],
        body,
    )
