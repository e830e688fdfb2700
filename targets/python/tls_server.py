"""TLS with pyOpenSSL on asyncio: the settings, and one connection from its handshake to its end."""

import asyncio
import sys
from pathlib import Path

from cryptography.hazmat.bindings.openssl.binding import Binding
from http1 import Http1
from http2 import Http2
from OpenSSL import SSL, crypto
from protected_resource import ProtectedResource
from session import EXPORTER_LABEL, EXPORTER_LENGTH, Session

HANDSHAKE_TIMEOUT = 10  # seconds
IDLE_TIMEOUT = 120
TURN = 16 * 1024  # octets that a connection may have handled before it is another one's turn


def server_context(*, certificate_file: str, key_file: str, client_ca_file: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # TLS 1.2: forward secrecy and AEAD only, which is also what HTTP/2 allows (RFC 9113 §9.2.2).
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    # A renegotiation would give the connection another exporter value and perhaps another client (TLS 1.2).
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.use_certificate_chain_file(certificate_file)
    # Not use_privatekey_file: its error does not say which file cannot be read.
    context.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_PEM, Path(key_file).read_bytes()))
    context.check_privatekey()

    # Requested, not required: who has none may come in and be told so with a 401. One that is sent must verify,
    # else the handshake fails; without a callback OpenSSL decides, also on the purpose "TLS client".
    context.load_verify_locations(client_ca_file)
    context.set_verify(SSL.VERIFY_PEER)

    # Resumption by ticket only. OpenSSL keeps the client certificate inside the ticket, and binds it to this name;
    # without the name a server that asks for certificates cannot resume. Nothing is kept in memory.
    context.set_session_id(b"tls-session-bound")
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)

    context.set_alpn_select_callback(select_protocol)
    return context


def select_protocol(_: SSL.Connection, offered: list[bytes]) -> bytes:
    for name in (b"h2", b"http/1.1"):
        if name in offered:
            return name
    # pyOpenSSL makes of an exception the alert that RFC 7301 §3.2 wants; NO_OVERLAPPING_PROTOCOLS would go on.
    raise SSL.Error("the client offers no HTTP version that is spoken here")


def has_extended_master_secret(tls: SSL.Connection) -> bool:
    # pyOpenSSL has no method for it, but the binding beneath has the function. Asking the library through ctypes
    # would be wrong: a wheel of cryptography carries an OpenSSL of its own.
    return Binding.lib.SSL_get_extms_support(tls._ssl) == 1


class HandshakeRefused(Exception):
    """OpenSSL would have gone on. What it still has to send is not sent: in a full handshake, its Finished."""


class TlsConnection(asyncio.BufferedProtocol):
    """
    The TLS engine works on memory: octets from the socket go in, what it wants to send comes out. No call here waits
    for a peer, so that one thread serves all connections and a slow client holds up none but itself. Nor does one
    that sends a thousand requests at once: the buffer of a BufferedProtocol limits what is taken in one turn.
    """

    def __init__(self, context: SSL.Context, resource: ProtectedResource) -> None:
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()
        self._resource = resource
        self._http: Http1 | Http2 | None = None
        self._buffer = bytearray(TURN)

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_TIMEOUT, transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        self._deadline.cancel()

    def pause_writing(self) -> None:
        self._transport.pause_reading()  # who does not read answers may send no further requests

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        self._tls.bio_write(bytes(self._buffer[:count]))
        try:
            http = self._http = self._http or self._shake_hands()
            self._prolong()
            while not http.ended:
                self._send(http.receive(self._tls.recv(TURN)))
            self._close()
        except SSL.WantReadError:
            self._flush()
        except SSL.ZeroReturnError:
            self._close()
        except SSL.Error as error:
            print(f"TLS: {error}", file=sys.stderr, flush=True)
            self._flush()  # the alert
            self._transport.close()
        except HandshakeRefused as error:
            print(f"TLS: {error}", file=sys.stderr, flush=True)
            self._transport.close()

    def eof_received(self) -> None:
        """An end without close_notify; returning None closes the transport."""

    def _shake_hands(self) -> Http1 | Http2:
        """Goes on with the handshake; after it, takes from the connection what decisions are made with."""
        tls = self._tls
        tls.do_handshake()  # ends with WantReadError until the client has sent all of its part
        if tls.get_protocol_version() < SSL.TLS1_3_VERSION and not has_extended_master_secret(tls):
            # RFC 7627 §5.4: without it two connections can be made to have the same exporter value.
            raise HandshakeRefused("TLS 1.2 without the extended master secret")
        # An empty context, not an absent one: on TLS 1.2 `None` gives other octets (RFC 5705 §4). Taken once, since
        # no event in the life of a connection changes it: key updates do not, and renegotiation is off.
        exporter_value = tls.export_keying_material(EXPORTER_LABEL.encode("ascii"), EXPORTER_LENGTH, b"")
        session = Session(exporter_value, tls.get_peer_certificate(as_cryptography=True))
        http_version = Http2 if tls.get_alpn_proto_negotiated() == b"h2" else Http1
        http = http_version(lambda request: self._resource.answer(request, session))
        self._send(http.begin())
        return http

    def _prolong(self) -> None:
        self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(IDLE_TIMEOUT, self._time_out)

    def _time_out(self) -> None:
        if not self._transport.is_closing():
            self._close()
        self._transport.abort()  # what a client has not read until now is dropped

    def _send(self, octets: bytes) -> None:
        if octets:
            self._tls.sendall(octets)
        self._flush()

    def _flush(self) -> None:
        try:
            while True:
                self._transport.write(self._tls.bio_read(TURN))
        except SSL.WantReadError:
            pass  # the engine has nothing more to send

    def _close(self) -> None:
        self._tls.shutdown()  # close_notify
        self._flush()
        self._transport.close()
