import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { connectionKeyOf } from '../resource-server/connection.ts';
import type { HttpRequest, HttpResponse } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { createServer, tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import type { Variant } from './variant.ts';

const OFTEN = 5;
const SELDOM = 12;

/** Answers a request that some limit does not let through before anybody looks at it. */
function limiting(
  status: number,
  fields: Readonly<Record<string, string>>,
  isOver: (request: HttpRequest) => boolean,
): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      if (!isOver(request)) return inner(request, response);
      answer(response, status, 'too many requests for now', fields);
      discardBody(request);
    },
  };
}

/** Whether it is the last of so many requests, counted for each connection. */
function eachOnConnection(count: number): (request: HttpRequest) => boolean {
  const seen = new WeakMap<object, number>();
  return (request) => {
    const key = connectionKeyOf(request) ?? request;
    const now = (seen.get(key) ?? 0) + 1;
    seen.set(key, now);
    return now % count === 0;
  };
}

function each(count: number): () => boolean {
  let seen = 0;
  return () => ++seen % count === 0;
}

/** Serves one stream of a connection at a time, and refuses the next unprocessed, without having said so in SETTINGS. */
function oneStream(): TargetVariant {
  const busy = new WeakSet();
  return {
    listener: (inner) => (request, response) => {
      if (!('stream' in request)) return inner(request, response);
      const { stream } = request;
      const { session } = stream;
      if (session === undefined) return inner(request, response);
      if (busy.has(session)) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      busy.add(session);
      stream.once('close', () => busy.delete(session));
      inner(request, response);
    },
  };
}

/** Codes the content of each response, though nobody asks for it (RFC 9110 §12.5.3). */
function coding(name: string, code: (content: Buffer) => Buffer): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      const end = response.end.bind(response);
      response.end = ((content?: unknown): HttpResponse => {
        if (typeof content !== 'string' && !Buffer.isBuffer(content)) return end();
        const octets = code(Buffer.from(content));
        response.setHeader('Content-Encoding', name);
        response.setHeader('Content-Length', octets.length);
        return end(octets);
      }) as typeof end;
      inner(request, response);
    },
  };
}

const FEW_CONNECTIONS = 8;

/** Ends a connection beyond so many that are open, before its handshake. */
function fewAccepted(): TargetVariant {
  return {
    server: (material, listener) => {
      const server = createServer({ listener, tls: tlsOptionsFor(material) });
      const open = new Set<Socket>();
      server.prependListener('connection', (socket: Socket) => {
        if (open.size >= FEW_CONNECTIONS) {
          socket.destroy();
          return;
        }
        open.add(socket);
        socket.once('close', () => open.delete(socket));
      });
      return server;
    },
  };
}

/** Ends a connection beyond so many that are open, once its handshake is done. */
function fewEstablished(): TargetVariant {
  const open = new Set<TLSSocket>();
  return {
    acceptsConnection: (socket) => {
      if (open.size >= FEW_CONNECTIONS || !exporterTrustedOn(socket)) return false;
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      return true;
    },
  };
}

/** Limits, and content codings, which are no matter of tokens and proofs. */
export const limitVariants: readonly Variant[] = [
  {
    id: 'V-RS-rate-limited',
    difference: `answers each ${SELDOM}th request with 429, unread, and says that it may come again at once`,
    variant: () => limiting(429, { 'Retry-After': '0' }, each(SELDOM)),
  },
  {
    id: 'V-RS-rate-limited-connection',
    difference: `answers each ${OFTEN}th request of a connection with 429, unread`,
    also: ['TLSv1.3 h2 P-256'],
    variant: () => limiting(429, {}, eachOnConnection(OFTEN)),
  },
  {
    id: 'V-RS-overloaded',
    difference: `answers each ${SELDOM}th request with 503 and Retry-After`,
    variant: () => limiting(503, { 'Retry-After': '0' }, each(SELDOM)),
  },
  {
    id: 'V-RS-one-stream',
    difference: 'serves one stream of an HTTP/2 connection at a time and refuses others unprocessed',
    also: ['TLSv1.3 h2 P-256'],
    variant: oneStream,
  },
  {
    id: 'V-RS-eight-connections',
    difference: `ends each connection beyond ${FEW_CONNECTIONS} that are open, before its handshake`,
    variant: fewAccepted,
  },
  {
    id: 'V-RS-eight-connections-established',
    difference: `ends each connection beyond ${FEW_CONNECTIONS} that are open, right after its handshake`,
    also: ['TLSv1.3 h2 P-256'],
    variant: fewEstablished,
  },
  {
    id: 'V-RS-gzip',
    difference: 'sends content in gzip, whatever the request accepts',
    also: ['TLSv1.3 h2 P-256'],
    variant: () => coding('gzip', (content) => gzipSync(content)),
  },
  {
    id: 'V-RS-brotli',
    difference: 'sends content in br, whatever the request accepts',
    variant: () => coding('br', (content) => brotliCompressSync(content)),
  },
  {
    id: 'V-RS-deflate',
    difference: 'sends content in deflate, whatever the request accepts',
    variant: () => coding('deflate', (content) => deflateSync(content)),
  },
];
