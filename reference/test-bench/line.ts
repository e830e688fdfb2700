import { Agent, request as httpRequest } from 'node:http';
import { connect as http2Connect, constants } from 'node:http2';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { Identity } from '../../certs/identity.ts';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';

interface BenchRequest {
  readonly method?: string;
  readonly path?: string;
  /** Names and values; a name may be there twice. */
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: string;
}

interface BenchResponse {
  readonly status: number;
  /** The challenge, or an empty text. */
  readonly challenge: string;
  /** The DPoP nonce, where one is given (RFC 9449 §8.2). */
  readonly nonce?: string;
  readonly body: string;
}

/** One TLS connection with HTTP on it, for tests. */
export interface Line extends AsyncDisposable {
  readonly socket: TLSSocket;
  /** With a zero-length context. */
  readonly exporter: Buffer;
  send(request: BenchRequest): Promise<BenchResponse>;
}

export interface LineOptions {
  readonly port: number;
  /** PEM trust anchor for the server. */
  readonly authority: string;
  readonly identity?: Identity | undefined;
  readonly http: 'http/1.1' | 'h2';
  readonly tls?: ConnectionOptions;
}

/** Opens a connection. @throws what the handshake fails with */
export async function openLine(options: LineOptions): Promise<Line> {
  const { identity } = options;
  const socket = tlsConnect({
    host: '127.0.0.1',
    port: options.port,
    servername: 'localhost',
    ca: options.authority,
    ALPNProtocols: [options.http],
    ...(identity && { cert: identity.chain, key: identity.privateKey }),
    ...options.tls,
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  const exporter = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
  const send = options.http === 'h2' ? overHttp2(socket) : overHttp1(socket);
  return {
    socket,
    exporter,
    send,
    [Symbol.asyncDispose]: async () => {
      if (socket.closed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      // A reset by the server is an error of the socket, and its end all the same.
      socket.once('close', () => resolve());
      socket.destroy();
      await promise;
    },
  };
}

function overHttp1(socket: TLSSocket): Line['send'] {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return ({ method = 'GET', path = '/resource', fields = [], body }) =>
    new Promise((resolve, reject) => {
      const headers = ['Host', 'localhost', ...fields.flat()];
      if (body !== undefined) headers.push('Content-Length', String(Buffer.byteLength(body)));
      const request = httpRequest({ agent, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          const challenge = response.headers['www-authenticate'] ?? '';
          const nonce = response.headers['dpop-nonce'];
          const given = typeof nonce === 'string' && { nonce };
          resolve({ status: response.statusCode ?? 0, challenge, body: text, ...given });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
}

function overHttp2(socket: TLSSocket): Line['send'] {
  const options = {
    createConnection: () => socket,
    strictSingleValueFields: false,
    maxSendHeaderBlockLength: 1_048_576,
  };
  const session = http2Connect('https://localhost', options);
  session.on('error', () => {});
  return ({ method = 'GET', path = '/resource', fields = [], body }) =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string | string[]> = {
        [constants.HTTP2_HEADER_METHOD]: method,
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_AUTHORITY]: 'localhost',
      };
      for (const [name, value] of fields) {
        const lower = name.toLowerCase();
        headers[lower] = lower in headers ? [headers[lower] ?? '', value].flat() : value;
      }
      const stream = session.request(headers);
      let [status, challenge, text] = [0, '', ''];
      stream.setEncoding('utf8');
      stream.on('response', (fields) => {
        status = Number(fields[':status']);
        challenge = fields['www-authenticate'] ?? '';
      });
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, challenge, body: text }));
      stream.end(body);
    });
}
