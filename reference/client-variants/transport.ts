import type { TLSSocket } from 'node:tls';
import { following, OneRequestEach } from '../client-mutants/connections.ts';
import { proving, withParts } from '../client-mutants/making.ts';
import { defaultClientParts } from '../client/parts.ts';
import { EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import type { Variant } from './variant.ts';

/** What Node's types leave out: without a context OpenSSL uses the form that has none (RFC 5705 §4). */
interface WithoutContext {
  exportKeyingMaterial(length: number, label: string): Buffer;
}

function withoutContext(socket: TLSSocket): Buffer {
  const exporting: WithoutContext = socket as unknown as WithoutContext;
  return exporting.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL);
}

function resuming(): ClientVariant {
  let session: Buffer | undefined;
  return withParts(() => ({
    tlsOptions: (origin, identity, settings) => ({
      ...defaultClientParts.tlsOptions(origin, identity, settings),
      ...(session && { session }),
    }),
    objectionTo(socket) {
      socket.on('session', (own) => (session = own));
      // No certificate is asked for when a session is resumed: it stands for the one that was presented then.
      const objection = defaultClientParts.objectionTo(socket);
      return objection?.code === 'certificate-not-asked' && socket.isSessionReused() ? undefined : objection;
    },
  }));
}

/** Freedom in TLS and HTTP. */
export const transportVariants: readonly Variant[] = [
  {
    id: 'V-CL-exporter-without-context',
    difference:
      'exports without a context on TLS 1.2, which is another value than with an empty one (AMB-01)',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => withParts(() => ({ exporterOf: withoutContext })),
  },
  {
    id: 'V-CL-no-tls1.2',
    difference: 'speaks TLS 1.3 only',
    lacks: ['tls1.2'],
    variant: () => ({ client: { tls: { minVersion: 'TLSv1.3' } } }),
  },
  {
    id: 'V-CL-no-h2',
    difference: 'speaks HTTP/1.1 only',
    lacks: ['h2'],
    variant: () => ({ client: { allowH2: false } }),
  },
  {
    id: 'V-CL-resumes',
    difference: 'resumes TLS sessions',
    variant: resuming,
  },
  {
    id: 'V-CL-connection-per-request',
    difference: 'opens a connection for each request',
    variant: () => ({ dispatcher: (_client, surroundings) => new OneRequestEach(surroundings) }),
  },
  {
    id: 'V-CL-one-at-a-time',
    difference: 'sends one request at a time',
    variant: () => ({ client: { connections: 1, streams: 1 } }),
  },
  {
    id: 'V-CL-old-connections-serve-all',
    difference: 'uses the connections of before for all tokens, after certificate and key were renewed',
    variant: () => proving(() => ({ knows: () => true })),
  },
  {
    id: 'V-CL-no-retry',
    difference: 'hands every refusal to the agent',
    variant: () => ({ client: { proofRetries: 0 } }),
  },
  {
    id: 'V-CL-follows-same-origin',
    difference: 'follows redirections within the server',
    variant: () => following((target, origin) => target.origin === origin.origin),
  },
  {
    id: 'V-CL-adds-fields',
    difference: 'adds Via and X-Forwarded-For to requests, and Via to responses',
    variant: () => ({
      sidecar: {
        requestFields: (request) =>
          defaultSidecarParts
            .requestFields(request)
            .concat('Via', '1.1 sidecar', 'X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Proto', 'http'),
        responseFields: (headers) => [...defaultSidecarParts.responseFields(headers), ['Via', '1.1 sidecar']],
      },
    }),
  },
];
