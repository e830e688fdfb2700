import { constants } from 'node:crypto';
import { createSecureServer, type Http2SecureServer, type SecureServerOptions } from 'node:http2';
import type { Server as NetServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { answerBrokenHttp } from './broken-http.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import type { RequestListener } from './protect.ts';

/** What a server needs for TLS; all PEM. */
export interface TlsMaterial {
  /** Certificate chain, end-entity certificate first. */
  readonly certificate: string;
  /** PKCS#8 */
  readonly key: string;
  /** Trust anchors for client certificates. */
  readonly clientAuthorities: string;
}

/**
 * TLS as session binding needs it: 1.2 and 1.3, client certificates asked for, no renegotiation. A client
 * without a valid certificate may finish the handshake, so that it gets an answer that says why; its
 * certificate counts for nothing. OpenSSL accepts early data only where it is switched on, and Node never does.
 */
export function tlsOptionsFor(material: TlsMaterial): SecureServerOptions {
  return {
    cert: material.certificate,
    key: material.key,
    ca: material.clientAuthorities,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    allowHTTP1: true,
  };
}

export interface ServerOptions {
  readonly listener: RequestListener;
  readonly tls: SecureServerOptions;
  /** Connections for which this is false are closed as soon as the handshake is done. */
  readonly acceptsConnection?: (socket: TLSSocket) => boolean;
}

/** A server that listens; released with `await using`. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** How long an idle connection is kept, in milliseconds: a proof is as good as its connection. */
const KEEP_ALIVE = 120_000;
/** Longest header section that gets an ordinary answer, in octets. */
const MAXIMUM_HEADERS = 131_072;
const HTTP1 = { keepAliveTimeout: KEEP_ALIVE, maxHeaderSize: MAXIMUM_HEADERS };

/** Creates the HTTPS server, HTTP/1.1 and HTTP/2 on one port; it does not listen yet. */
export function createServer({ listener, tls, acceptsConnection }: ServerOptions): Http2SecureServer {
  const server = createSecureServer(
    {
      ...tls,
      noDelay: true,
      settings: { maxHeaderListSize: MAXIMUM_HEADERS, ...tls.settings },
      maxHeaderListPairs: 256,
      http1Options: HTTP1,
    },
    listener,
  );
  // Of its own accord Node ends idle HTTP/1.1 connections only.
  server.setTimeout(KEEP_ALIVE);
  server.on('checkContinue', listener);
  server.on('clientError', answerBrokenHttp);
  const accepts = acceptsConnection ?? exporterTrustedOn;
  server.prependListener('secureConnection', (socket) => {
    if (!accepts(socket)) socket.destroy();
  });
  return server;
}

/**
 * Starts listening.
 *
 * @throws what `listen` fails with, such as `EADDRINUSE`
 */
export async function listen(server: NetServer, host: string, port: number): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    close,
    [Symbol.asyncDispose]: close,
  };
}
