"""HTTP/2 on one connection, with h2: octets in, octets out."""

from collections.abc import Callable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from http_message import Request, Response

type Answer = Callable[[Request], Response]


class Http2:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._connection = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._unsent: dict[int, bytes] = {}  # bodies that wait for room in the client's flow-control window
        self.ended = False

    def begin(self) -> bytes:
        self._connection.initiate_connection()
        return self._connection.data_to_send()

    def receive(self, octets: bytes) -> bytes:
        """What to send in reply. Once `ended` is set the connection is to be closed after that."""
        events = []
        try:
            events = self._connection.receive_data(octets)
        except ProtocolError:  # h2 has put a GOAWAY with the reason into what is to be sent
            self.ended = True
        for event in events:
            try:
                self._handle(event)
            except ProtocolError:
                continue  # the same octets went on to reset the stream, or to end the connection
        return self._connection.data_to_send()

    def _handle(self, event: object) -> None:
        match event:
            case RequestReceived():
                self._respond(event.stream_id, event.headers)
            case DataReceived():
                # No request's body is read, but its octets count against the windows that this server has granted.
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamReset():
                self._unsent.pop(event.stream_id, None)
            case WindowUpdated() | RemoteSettingsChanged():
                for stream in list(self._unsent):
                    self._send_body(stream)
            case ConnectionTerminated():
                self.ended = True

    def _respond(self, stream: int, fields: list[tuple[bytes, bytes]]) -> None:
        pseudo = {name: value for name, value in fields if name.startswith(b":")}
        plain = [(name, value) for name, value in fields if not name.startswith(b":")]
        authority = pseudo.get(b":authority") or dict(plain).get(b"host", b"")
        request = Request.of(pseudo[b":method"], pseudo.get(b":path", b""), authority, plain)
        response = self._answer(request)
        head_only = request.method == "HEAD"
        self._connection.send_headers(
            stream, [(b":status", str(response.status).encode()), *response.fields], end_stream=head_only
        )
        if not head_only:
            self._unsent[stream] = response.body
            self._send_body(stream)

    def _send_body(self, stream: int) -> None:
        body = self._unsent[stream]
        room = self._connection.local_flow_control_window(stream)
        if room >= len(body):
            del self._unsent[stream]
            self._connection.send_data(stream, body, end_stream=True)
