import type { KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { thumbprint } from '../proof/encoding.ts';
import type { HttpRequest } from './http-message.ts';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';

/** The end-entity certificate that the client presented in this connection's handshake. */
export interface PeerCertificate {
  /** `x5t#S256` */
  readonly thumbprint: string;
  readonly publicKey: KeyObject;
  /** Whether the chain led to a trust anchor, for client authentication, when the handshake was made. */
  readonly verified: boolean;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What is known of the TLS connection that carried a request. */
export interface TlsConnection {
  /** Exporter value: 32 octets. */
  readonly exporter: Uint8Array;
  readonly certificate: PeerCertificate | undefined;
  /** Whether an exporter value may stand for this connection. */
  readonly exporterTrusted: boolean;
}

/** The TLS facts that the resource server relies on, each replaceable. */
export interface ConnectionFacts {
  readonly exporterOf: (socket: TLSSocket, request: HttpRequest) => Uint8Array;
  readonly certificateOf: (socket: TLSSocket, request: HttpRequest) => PeerCertificate | undefined;
  readonly exporterTrustedOn: (socket: TLSSocket) => boolean;
  /** Keeps what was read true for the connection's life: no renegotiation from here on. */
  readonly pin: (socket: TLSSocket, request: HttpRequest) => void;
}

/** The certificate of the handshake, or, on a resumed connection, of the session's first handshake. */
export function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    thumbprint: thumbprint(certificate.raw),
    publicKey: certificate.publicKey,
    verified: socket.authorized,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/**
 * Makes a client-initiated TLS 1.2 renegotiation fatal, since it would change exporter value and
 * certificate in mid connection. HTTP/2 sessions refuse it by themselves (RFC 9113 §9.2.1).
 */
export function pinHandshake(socket: TLSSocket, request: HttpRequest): void {
  if (request.httpVersionMajor < 2) socket.disableRenegotiation();
}

export const defaultConnectionFacts: ConnectionFacts = {
  exporterOf,
  certificateOf,
  exporterTrustedOn,
  pin: pinHandshake,
};

function isTls(socket: unknown): socket is TLSSocket {
  return (socket as { encrypted?: unknown } | undefined)?.encrypted === true;
}

/**
 * The object that lives exactly as long as the connection and is the same for all its requests: the
 * session for HTTP/2 (`request.socket` is a new proxy there), else the socket.
 */
export function connectionKeyOf(request: HttpRequest): object | undefined {
  return 'stream' in request ? request.stream.session : request.socket;
}

/**
 * Reads the facts of a request's connection, once for each connection. To be called as soon as a
 * request arrives: once a socket is closed there is nothing left to read.
 */
export class ConnectionReader {
  readonly #facts: ConnectionFacts;
  readonly #known = new WeakMap<object, TlsConnection>();

  constructor(facts: ConnectionFacts = defaultConnectionFacts) {
    this.#facts = facts;
  }

  /** @returns `undefined` where the request did not come over TLS, or its connection is gone */
  read(request: HttpRequest, key: object): TlsConnection | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { socket } = request;
    if (!isTls(socket) || socket.destroyed) return undefined;
    try {
      const connection = {
        exporter: this.#facts.exporterOf(socket, request),
        certificate: this.#facts.certificateOf(socket, request),
        exporterTrusted: this.#facts.exporterTrustedOn(socket),
      };
      this.#facts.pin(socket, request);
      this.#known.set(key, connection);
      return connection;
    } catch {
      // The connection ended between the request's arrival and this call.
      return undefined;
    }
  }
}
