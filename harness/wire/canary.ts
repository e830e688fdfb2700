import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Field } from './connection.ts';

/** Listeners that nothing should ever talk to; they record whoever does. */
export interface Canary extends AsyncDisposable {
  /** `https://host:port`; any path may be put behind it. */
  readonly url: string;
  /** `http://host:port`, the same without TLS. */
  readonly httpUrl: string;
  /** Every contact so far, in order: `GET /jwks.json`, or that a TLS handshake was begun and given up. */
  readonly requests: readonly string[];
  /** The fields of every request that arrived in full, in the same order; names as sent. */
  readonly fields: readonly (readonly Field[])[];
}

/** Request lines longer than this are cut; more than `MOST` contacts are not recorded. */
const LONGEST = 2048;
const MOST = 1000;

/**
 * Starts a canary, to see whether a target fetches what a `jku`, `x5u` or similar header names
 * (RFC 8725 §3.10). A target that connects but mistrusts the certificate is recorded as well: it did try.
 *
 * @param address to listen at: loopback, or one that a container reaches
 * @param host by which the target reaches it
 */
export async function startCanary(address: string = '127.0.0.1', host: string = address): Promise<Canary> {
  const requests: string[] = [];
  const fields: (readonly Field[])[] = [];
  const record = (contact: string): void => {
    if (requests.length < MOST) requests.push(contact.slice(0, LONGEST));
  };
  // Loaded on first use: it is slow to load, and few scenarios need a canary.
  const { generate } = await import('selfsigned');
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'tsbt canary' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
  });
  const answer: RequestListener = (request, response) => {
    record(`${request.method} ${request.url}`);
    const { rawHeaders: flat } = request;
    if (fields.length < MOST)
      fields.push(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : [])));
    response.setHeader('Content-Type', 'application/json');
    response.end('{"keys":[]}');
  };
  const secure = createHttps({ cert, key }, answer);
  const plain = createHttp(answer);
  secure.on('tlsClientError', () => {
    record('a TLS handshake that was given up');
  });
  const [securePort, plainPort] = await Promise.all([listen(secure, address), listen(plain, address)]);
  return {
    url: `https://${host}:${securePort}`,
    httpUrl: `http://${host}:${plainPort}`,
    requests,
    fields,
    async [Symbol.asyncDispose]() {
      const closed = Promise.all([once(secure, 'close'), once(plain, 'close')]);
      for (const server of [secure, plain]) {
        server.close();
        server.closeAllConnections();
      }
      await closed;
    },
  };
}

async function listen(server: Server, address: string): Promise<number> {
  server.listen(0, address);
  await once(server, 'listening');
  // A canary must not keep the process alive.
  server.unref();
  return (server.address() as AddressInfo).port;
}
