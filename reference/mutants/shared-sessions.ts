import type { TLSSocket } from 'node:tls';
import { encodeBase64url, thumbprint } from '../proof/encoding.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import { membersOf } from '../tls/openssl-session.ts';
import { socketOf, withConnections, withFacts } from './connections.ts';
import { onHandmadeTls } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';

const OCTET_STRING = 0x04;

/** What a TLS 1.2 session is known by: its master secret, the third octet string of OpenSSL's serialisation. */
function sessionOf(socket: TLSSocket): string | undefined {
  const session = socket.getProtocol() === 'TLSv1.2' ? socket.getSession() : undefined;
  if (session === undefined) return undefined;
  const [, , secret] = membersOf(session).filter(({ identifier }) => identifier === OCTET_STRING);
  return secret?.contents.toString('hex');
}

/** The reference with TLS 1.2 sessions that have an exporter value, which each handshake writes: that of a resumption too. */
function writingToSession(
  reading: (valueOf: (socket: TLSSocket) => Buffer) => Pick<TargetVariant, 'parts'>,
): TargetVariant {
  const values = new Map<string, Buffer>();
  return {
    ...reading((socket) => values.get(sessionOf(socket) ?? '') ?? exporterOf(socket)),
    acceptsConnection(socket) {
      const session = sessionOf(socket);
      if (session !== undefined) values.set(session, exporterOf(socket));
      return exporterTrustedOn(socket);
    },
  };
}

/** On each connection of a client, the values of those that have resumed a session count too. */
function takesResumed(): TargetVariant {
  const resumed = new Map<string, Set<string>>();
  const clients = new Map<string, string>();
  const { run } = defaultChecks.get('exporter');
  const check: typeof run = (proof, subject, rules) => {
    const { [CLAIM.exporter]: ekm } = proof.claims;
    const client = clients.get(encodeBase64url(subject.exporter)) ?? '';
    return typeof ekm === 'string' && resumed.get(client)?.has(ekm) === true
      ? undefined
      : run(proof, subject, rules);
  };
  const { parts } = withFacts({
    exporterOf(socket) {
      const value = exporterOf(socket);
      const client = thumbprint(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
      clients.set(encodeBase64url(value), client);
      if (socket.isSessionReused())
        resumed.set(client, (resumed.get(client) ?? new Set()).add(encodeBase64url(value)));
      return value;
    },
  });
  return {
    parts: (defaults) => ({
      ...parts?.(defaults),
      verifyProof: createVerifier({ checks: defaultChecks.with('exporter', check) }),
    }),
  };
}

/** Mistakes with what connections of one TLS session share (draft -06 §2.2, §3.3.2 step 5f). */
export const sharedSessionsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-380',
    mistake:
      'reads the exporter value with each request from the TLS 1.2 session, where a younger connection that resumes it has left its own',
    breaks: ['RS-EKM-8'],
    variant: () =>
      writingToSession((valueOf) =>
        withConnections((connection, request) => ({ ...connection, exporter: valueOf(socketOf(request)) })),
      ),
  },
  {
    id: 'M-RS-381',
    mistake:
      'reads the exporter value from the TLS 1.2 session when the first request comes, by which time a younger connection may have resumed it',
    breaks: ['RS-EKM-8'],
    variant: () => writingToSession((valueOf) => withFacts({ exporterOf: valueOf })),
  },
  {
    id: 'M-RS-382',
    mistake:
      'keeps the values of connections that have resumed a session by client, and takes them for right on its other connections',
    breaks: ['RS-EKM-7', 'RS-EKM-8'],
    variant: takesResumed,
  },
  {
    id: 'M-RS-433',
    mistake:
      'derives the exporter value when the first request comes, from the TLS 1.3 session, where a younger connection that resumes it may have left its own by then',
    breaks: ['RS-EKM-7'],
    lacks: ['tls1.2', 'h2'],
    variant: () =>
      onHandmadeTls({
        exportsFromSession: true,
      }),
  },
];
