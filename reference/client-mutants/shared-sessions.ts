import type { TLSSocket } from 'node:tls';
import { defaultClientParts } from '../client/parts.ts';
import { createProof } from '../proof/create.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { onSession } from './resumption.ts';

/** What connections share that have resumed one TLS session. */
interface SharedSession {
  /** Written by each handshake. */
  exporter: Buffer;
}

/** The reference client that resumes sessions, and finds the exporter value in them. */
function readingFromSession(
  readerOf: (session: SharedSession) => () => Buffer,
  versions: readonly (string | null)[],
): ClientVariant {
  return withParts(() => {
    const sessions = new WeakMap<TLSSocket, SharedSession>();
    let newest: { readonly ticket: Buffer; readonly session: SharedSession } | undefined;
    // One connection is opened after another.
    let offered: typeof newest;
    return {
      tlsOptions(origin, identity, settings) {
        offered = newest;
        return {
          ...defaultClientParts.tlsOptions(origin, identity, settings),
          ...(offered && { session: offered.ticket }),
        };
      },
      objectionTo(socket) {
        const objection = defaultClientParts.objectionTo(socket);
        const resumed = socket.isSessionReused() ? offered?.session : undefined;
        if (objection !== undefined && (resumed === undefined || objection.code !== 'certificate-not-asked'))
          return objection;
        const session = resumed ?? { exporter: exporterOf(socket) };
        session.exporter = exporterOf(socket);
        sessions.set(socket, session);
        onSession(socket, (ticket) => (newest = { ticket, session }));
        return undefined;
      },
      proofsOf(basis) {
        const { socket } = basis;
        const session = socket && sessions.get(socket);
        if (session === undefined || !versions.includes(socket?.getProtocol() ?? null))
          return defaultClientParts.proofsOf(basis);
        const read = readerOf(session);
        return defaultClientParts.proofsOf({
          ...basis,
          createProof: (signer, content) => createProof(signer, { ...content, exporter: read() }),
        });
      },
    };
  });
}

/** Mistakes with what connections of one TLS session share (draft -06 §2.2, §3.3.2 step 3). */
export const sharedSessionsMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-320',
    mistake:
      'reads the exporter value for each proof from the TLS session, where a younger connection that resumes it has left its own',
    breaks: ['CL-EKM-4'],
    variant: () => readingFromSession((session) => () => session.exporter, ['TLSv1.2', 'TLSv1.3']),
  },
  {
    id: 'M-CL-321',
    mistake:
      'reads the exporter value from the TLS 1.2 session when a connection’s first proof is made, by which time a younger one may have resumed it',
    breaks: ['CL-EKM-4'],
    variant: () =>
      readingFromSession(
        (session) => {
          let value: Buffer | undefined;
          return () => (value ??= session.exporter);
        },
        ['TLSv1.2'],
      ),
  },
];
