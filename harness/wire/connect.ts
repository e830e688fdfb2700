import {
  CannotSend,
  DEFAULT_TIMEOUT_MS,
  type Connection,
  type ConnectOptions,
  type Outcome,
  type WireRequest,
} from './connection.ts';
import { Http1 } from './http1.ts';
import { Http2 } from './http2.ts';
import type { ChannelEvents, OctetChannel } from './octet-channel.ts';
import { openTls, type TlsConnection } from './tls-connection.ts';

const TICKET_TIMEOUT_MS = 1000;

/**
 * Opens a TLS connection to the target, with HTTP on it. Each call is a new TCP connection.
 *
 * @param id shown in evidence: `c1`, `c2`, …
 * @throws {ConnectFailure} if the target refuses, fails or does not answer
 * @throws {Error} if the harness is at fault: an unusable identity, a local port that is taken, an exporter value that
 *   the key log does not confirm
 */
export async function connect(options: ConnectOptions, id = 'c1'): Promise<Connection> {
  const tls = await openTls(options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const authority = `${host}:${options.port}`;
  if (options.http === 'h2') {
    const http2 = new Http2(tls, authority, options.gathersWrites);
    return connectionOf(tls, options, id, {
      open: () => http2.open,
      send: (request, timeoutMs) => http2.send(request, timeoutMs),
      sendOctets: () => {
        throw new CannotSend('raw octets can be sent on HTTP/1.1 only');
      },
      abandon: (request) => http2.abandon(request),
      close: () => http2.close(),
    });
  }
  const http1 = new Http1(channelOf(tls), authority);
  return connectionOf(tls, options, id, {
    open: () => http1.open,
    send: (request, timeoutMs) => http1.send(request, timeoutMs),
    sendOctets: (octets, timeoutMs) => http1.sendOctets(octets, timeoutMs),
    abandon: () => {
      throw new CannotSend('a stream can be abandoned on HTTP/2 only');
    },
    close: () => tls.close(),
  });
}

interface Protocol {
  open(): boolean;
  send(request: WireRequest, timeoutMs: number): Promise<Outcome>;
  sendOctets(octets: Uint8Array, timeoutMs: number): Promise<Outcome>;
  abandon(request: WireRequest): Promise<void>;
  close(): Promise<void>;
}

function connectionOf(tls: TlsConnection, options: ConnectOptions, id: string, http: Protocol): Connection {
  return {
    id,
    options,
    facts: tls.facts,
    get open() {
      return tls.ending === undefined && http.open();
    },
    exporter: (derivation) => tls.exporter(derivation),
    tlsUnique: tls.tlsUnique,
    get serverEndPoint() {
      return tls.serverEndPoint;
    },
    clientRandom: tls.clientRandom,
    sessionId: tls.sessionId,
    send: async (request, timeoutMs = DEFAULT_TIMEOUT_MS) => http.send(request, timeoutMs),
    sendOctets: async (octets, timeoutMs = DEFAULT_TIMEOUT_MS) => http.sendOctets(octets, timeoutMs),
    abandon: async (request) => http.abandon(request),
    session: (timeoutMs = TICKET_TIMEOUT_MS) => tls.session(timeoutMs),
    close: () => http.close(),
    reset: () => {
      tls.reset();
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
}

function channelOf(tls: TlsConnection): OctetChannel {
  const { socket } = tls;
  return {
    get ended() {
      return tls.ending;
    },
    write: (octets) => {
      if (tls.ending === undefined && socket.writable) socket.write(octets);
    },
    close: () => tls.close(),
    destroy: () => {
      tls.destroy();
    },
    listen: (events: ChannelEvents) => {
      socket.on('data', (octets: Buffer) => {
        events.data(octets);
      });
      tls.onEnd(() => {
        if (tls.ending !== undefined) events.end(tls.ending);
      });
    },
  };
}
