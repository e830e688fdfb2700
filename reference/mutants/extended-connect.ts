import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { answer, type RequestListener } from '../resource-server/protect.ts';
import { createServer, tlsOptionsFor, type TlsMaterial } from '../resource-server/server.ts';
import type { Mutant } from './mutant.ts';

/** The reference's server, which offers extended CONNECT and hands it to a listener of its own (RFC 8441 §3). */
export function offeringConnect(
  material: TlsMaterial,
  listener: RequestListener,
  onConnect: RequestListener,
): Http2SecureServer {
  const server = createServer({ listener, tls: tlsOptionsFor(material) });
  server.updateSettings({ enableConnectProtocol: true });
  server.on('connect', (request: Http2ServerRequest, response: Http2ServerResponse) =>
    onConnect(request, response),
  );
  return server;
}

/** Mistakes with extended CONNECT. */
export const extendedConnectMutants: readonly Mutant[] = [
  {
    id: 'M-RS-640',
    mistake: 'opens a tunnel for every extended CONNECT, since its check hangs on ordinary requests',
    breaks: ['RS-FLD-8'],
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ({
      server: (material, listener) =>
        offeringConnect(material, listener, (_, response) => answer(response, 200, 'a tunnel')),
    }),
  },
];
