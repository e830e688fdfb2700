import { hash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { defaultClientParts } from '../client/parts.ts';
import { confirmationOf } from '../client/token-binding.ts';
import { createProof } from '../proof/create.ts';
import { CLAIM, EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { claiming, making, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { onSession } from './resumption.ts';

/** The reference client that takes another value for the connection's. The proof itself is made as it should be. */
function exporting(exporter: (socket: TLSSocket) => Buffer): ClientVariant {
  const { client } = making(() => {});
  return { client: { ...client, parts: { ...client?.parts, exporterOf: exporter } } };
}

function labelledOn(socket: TLSSocket, label: string): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_LENGTH, label, Buffer.alloc(0));
}

function labelled(label: string): ClientVariant {
  return exporting((socket) => labelledOn(socket, label));
}

function keptByHost(): ClientVariant {
  let first: Buffer | undefined;
  return exporting((socket) => (first ??= exporterOf(socket)));
}

function keptBySession(): ClientVariant {
  const kept: { session?: Buffer; exporter?: Buffer } = {};
  return {
    client: {
      parts: {
        tlsOptions: (origin, identity, settings) => ({
          ...defaultClientParts.tlsOptions(origin, identity, settings),
          ...(kept.session && { session: kept.session }),
        }),
        objectionTo: (socket) =>
          socket.isSessionReused() ? undefined : defaultClientParts.objectionTo(socket),
        exporterOf(socket) {
          onSession(socket, (session) => (kept.session = session));
          if (!socket.isSessionReused()) kept.exporter = exporterOf(socket);
          return kept.exporter ?? exporterOf(socket);
        },
      },
    },
  };
}

function withoutMasterSecretExtended(): ClientVariant {
  return withParts(() => ({
    objectionTo(socket) {
      const objection = defaultClientParts.objectionTo(socket);
      return objection?.code === 'exporter-not-trusted' ? undefined : objection;
    },
  }));
}

function renegotiating(): ClientVariant {
  return withParts(() => ({
    tlsOptions: (origin, identity, settings) => ({
      ...defaultClientParts.tlsOptions(origin, identity, settings),
      secureOptions: 0,
    }),
  }));
}

/** Takes a token that names another label for one of RFC 9266. */
function byUnknownLabel(): ClientVariant {
  return withParts(() => ({
    proofsOf: (basis) =>
      defaultClientParts.proofsOf({
        ...basis,
        createProof: (signer, content) =>
          createProof(
            signer,
            basis.socket !== undefined && confirmationOf(content.token)?.kind === 'unusable'
              ? { ...content, exporter: labelledOn(basis.socket, 'EXPORTER-Channel-Binding') }
              : content,
          ),
      }),
  }));
}

/** Mistakes with the exporter value (draft -06 §2.2, §2.3.2.1). */
export const exporterMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-01',
    mistake: 'exports with the label of RFC 9266',
    breaks: ['CL-EKM-1'],
    variant: () => labelled('EXPORTER-Channel-Binding'),
  },
  {
    id: 'M-CL-101',
    mistake: 'exports with the label of the predecessor draft',
    breaks: ['CL-EKM-1'],
    variant: () => labelled('EXPORTER-oauth-tls-bound-token-exchange'),
  },
  {
    id: 'M-CL-02',
    mistake: 'exports as many octets as the hash of the cipher suite has',
    breaks: ['CL-EKM-1'],
    variant: () =>
      exporting((socket) =>
        socket.exportKeyingMaterial(
          socket.getCipher().standardName.endsWith('SHA384') ? 48 : EXPORTER_LENGTH,
          EXPORTER_LABEL,
          Buffer.alloc(0),
        ),
      ),
  },
  {
    id: 'M-CL-03',
    mistake: 'exports with the host name as context',
    breaks: ['CL-EKM-1', 'CL-EKM-2'],
    variant: () =>
      exporting((socket) =>
        socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, Buffer.from('localhost')),
      ),
  },
  {
    id: 'M-CL-102',
    mistake: 'exports with the host name as context on TLS 1.2, where an empty one would make a difference',
    breaks: ['CL-EKM-2'],
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () =>
      exporting((socket) =>
        socket.exportKeyingMaterial(
          EXPORTER_LENGTH,
          EXPORTER_LABEL,
          Buffer.from(socket.getProtocol() === 'TLSv1.2' ? 'localhost' : ''),
        ),
      ),
  },
  {
    id: 'M-CL-103',
    mistake: 'writes the exporter value in hexadecimal',
    breaks: ['CL-EKM-1'],
    variant: () => claiming(CLAIM.exporter, (_right, { exporter }) => Buffer.from(exporter).toString('hex')),
  },
  {
    id: 'M-CL-104',
    mistake: 'takes the hash of the server certificate, tls-server-end-point, for the exporter value',
    breaks: ['CL-EKM-1'],
    variant: () =>
      exporting((socket) => Buffer.from(hash('sha256', socket.getPeerCertificate().raw, 'hex'), 'hex')),
  },
  {
    id: 'M-CL-105',
    mistake: 'leaves the exporter value out',
    breaks: ['CL-PL-1', 'CL-EKM-1'],
    variant: () => claiming(CLAIM.exporter, () => undefined),
  },
  {
    id: 'M-CL-04',
    mistake: 'exports once for each server, and uses that value on later connections',
    breaks: ['CL-EKM-4', 'CL-REUSE-3', 'CL-SC-3'],
    variant: keptByHost,
  },
  {
    id: 'M-CL-05',
    mistake: 'keeps the exporter value with the TLS session, and uses it again when the session is resumed',
    breaks: ['CL-EKM-4'],
    variant: keptBySession,
  },
  {
    id: 'M-CL-09',
    mistake: 'makes proofs on TLS 1.2 without the extended master secret',
    breaks: ['CL-EKM-3'],
    variant: withoutMasterSecretExtended,
  },
  {
    id: 'M-CL-11',
    mistake: 'lets the server renegotiate, and goes on with the exporter value of the first handshake',
    breaks: ['CL-EKM-8'],
    variant: renegotiating,
  },
  {
    id: 'M-CL-197',
    mistake: 'exports with the label of RFC 9266 where a token names a label that it does not know',
    breaks: ['CL-NOTE-2'],
    variant: byUnknownLabel,
  },
];
