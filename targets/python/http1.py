"""HTTP/1.1 on one connection, with h11: octets in, octets out."""

from collections.abc import Callable

import h11
from http_message import Request, Response

type Answer = Callable[[Request], Response]

MAXIMUM_HEAD = 64 * 1024


class Http1:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAXIMUM_HEAD)
        self.ended = False

    def begin(self) -> bytes:
        return b""

    def receive(self, octets: bytes) -> bytes:
        """What to send in reply. Once `ended` is set the connection is to be closed after that."""
        connection, out = self._connection, b""
        try:
            connection.receive_data(octets)
            while (event := connection.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Request):
                    out += self._respond(event)
                if connection.our_state in (h11.MUST_CLOSE, h11.ERROR):
                    self.ended = True
                    break
                # Requests that were sent ahead wait in h11 until this one is answered and has come in whole.
                if connection.our_state is connection.their_state is h11.DONE:
                    connection.start_next_cycle()
        except h11.RemoteProtocolError as error:
            self.ended = True
            if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                out += self._send(
                    Response(error.error_status_hint, [(b"content-length", b"0"), (b"connection", b"close")], b"")
                )
        return out

    def _respond(self, event: h11.Request) -> bytes:
        # The resource reads no body, so the answer need not wait for one; what comes of it is read and dropped.
        fields = dict(event.headers)
        request = Request.of(event.method, event.target, fields.get(b"host", b""), list(event.headers))
        # A client that waits for "100 Continue" may keep its body now, and two lengths for one body are one too many
        # (RFC 9112 §6.1): where the next request would begin is not certain, so there is none.
        unclear_end = self._connection.they_are_waiting_for_100_continue or (
            b"content-length" in fields and b"transfer-encoding" in fields
        )
        response = self._answer(request)
        if unclear_end:
            response.fields.append((b"connection", b"close"))
        return self._send(response, head_only=event.method == b"HEAD")

    def _send(self, response: Response, *, head_only: bool = False) -> bytes:
        events = [
            h11.Response(status_code=response.status, headers=response.fields),
            *([] if head_only else [h11.Data(data=response.body)]),
            h11.EndOfMessage(),
        ]
        return b"".join(self._connection.send(event) or b"" for event in events)
