import { constants } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { withFacts } from '../mutants/connections.ts';
import {
  certificateOf,
  connectionKeyOf,
  ConnectionReader,
  defaultConnectionFacts,
} from '../resource-server/connection.ts';
import type { HttpRequest, HttpResponse } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Variant } from './variant.ts';

const HEADER_LIMIT = 8192;
const DELAY = 15;
const FEW = 3;
const FEW_SCHEMES = 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256';

/** What Node's types leave out: without a context OpenSSL uses the form that has none (RFC 5705 §4). */
interface WithoutContext {
  exportKeyingMaterial(length: number, label: string): Buffer;
}

function withoutContext(socket: TLSSocket): Buffer {
  const exporting: WithoutContext = socket as unknown as WithoutContext;
  return exporting.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL);
}

/** Ends the connection once some of its responses are out. */
export function ending(when: (response: HttpResponse, connection: object) => boolean): TargetVariant {
  return {
    listener: (inner) => (request: HttpRequest, response: HttpResponse) => {
      response.once('finish', () => {
        if (!when(response, connectionKeyOf(request) ?? request)) return;
        if ('stream' in request) request.stream.session?.close();
        else request.socket.end();
      });
      inner(request, response);
    },
  };
}

/** Ends the connection once this many of its responses are out. */
function endingAfter(count: number): TargetVariant {
  const answered = new WeakMap<object, number>();
  return ending((_, connection) => {
    const responses = (answered.get(connection) ?? 0) + 1;
    answered.set(connection, responses);
    return responses === count;
  });
}

/** Freedom in TLS and HTTP. */
export const transportVariants: readonly Variant[] = [
  {
    id: 'V-RS-exporter-without-context',
    difference:
      'exports without a context on TLS 1.2, which is another value than with an empty one (AMB-01)',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => ({
      parts: () => ({
        connections: new ConnectionReader({
          ...defaultConnectionFacts,
          exporterOf: withoutContext,
        }),
      }),
    }),
  },
  {
    id: 'V-RS-no-tls1.2',
    difference: 'speaks TLS 1.3 only',
    lacks: ['tls1.2'],
    variant: () => ({ tls: (material) => ({ ...tlsOptionsFor(material), minVersion: 'TLSv1.3' }) }),
  },
  {
    id: 'V-RS-no-h2',
    difference: 'speaks HTTP/1.1 only',
    lacks: ['h2'],
    variant: () => ({
      tls: (material) => ({
        ...tlsOptionsFor(material),
        ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === 'http/1.1'),
      }),
    }),
  },
  {
    id: 'V-RS-no-resumption',
    difference: 'resumes no TLS sessions',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => ({
      tls: (material) => {
        const options = tlsOptionsFor(material);
        return { ...options, secureOptions: (options.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET };
      },
    }),
  },
  {
    id: 'V-RS-certificate-required',
    difference: 'finishes no handshake without a valid client certificate',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => ({ tls: (material) => ({ ...tlsOptionsFor(material), rejectUnauthorized: true }) }),
  },
  {
    id: 'V-RS-few-schemes',
    difference: 'takes signatures in the handshake by P-256 keys and RSA keys of the common kind only',
    also: ['TLSv1.3 http/1.1 P-521', 'TLSv1.3 http/1.1 RSA'],
    variant: () => ({ tls: (material) => ({ ...tlsOptionsFor(material), sigalgs: FEW_SCHEMES }) }),
  },
  {
    id: 'V-RS-whole-seconds',
    difference: 'takes a client certificate through the whole of its last second, on new connections too',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () =>
      withFacts({
        certificateOf(socket) {
          const certificate = certificateOf(socket);
          if (certificate === undefined) return undefined;
          // OpenSSL lets notAfter itself count as expired; that it is over is seen with each request.
          const verified =
            certificate.verified || String(socket.authorizationError).includes('CERT_HAS_EXPIRED');
          return { ...certificate, verified, notAfter: certificate.notAfter + 999 };
        },
      }),
  },
  {
    id: 'V-RS-closing',
    difference: 'ends each connection after one response',
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ending(() => true),
  },
  {
    id: 'V-RS-closing-later',
    difference: `ends each connection after ${FEW} responses`,
    also: ['TLSv1.3 h2 P-256'],
    variant: () => endingAfter(FEW),
  },
  {
    id: 'V-RS-closing-refused',
    difference: 'ends the connection with each 401 (AMB-52)',
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ending(({ statusCode }) => statusCode === 401),
  },
  {
    id: 'V-RS-slow',
    difference: `begins to look at a request ${DELAY} ms after it has arrived`,
    variant: () => ({
      listener: (inner) => (request, response) => {
        setTimeout(() => inner(request, response), DELAY);
      },
    }),
  },
  {
    id: 'V-RS-identity-field',
    difference:
      'tells its application in X-Verified-Subject who is calling, and answers 400 to clients that send that name',
    identityFields: ['X-Verified-Subject'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        const names = request.rawHeaders.filter((_, index) => index % 2 === 0);
        if (!names.some((name) => /^x[-_]verified[-_]subject$/i.test(name))) return inner(request, response);
        answer(response, 400, 'a field that only this server may set');
        discardBody(request);
      },
    }),
  },
  {
    id: 'V-RS-header-limit',
    difference: `answers header sections of more than ${HEADER_LIMIT} octets with 431`,
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (request.rawHeaders.join('').length <= HEADER_LIMIT) return inner(request, response);
        answer(response, 431, 'the header section is too long');
        discardBody(request);
      },
    }),
  },
];
