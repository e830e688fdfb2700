import { constants, hash, X509Certificate } from 'node:crypto';
import { DEFAULT_CIPHERS, type TLSSocket } from 'node:tls';
import { type Defect, defectOf } from '../proof/defect.ts';
import { encodeBase64url, thumbprint } from '../proof/encoding.ts';
import type { ProofSubject, ProofVerifier } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { CLAIM, EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import { membersOf } from '../tls/openssl-session.ts';
import { withConnections, withFacts } from './connections.ts';
import type { Mutant } from './mutant.ts';

const OCTET_STRING = 0x04;

const checkExporter = defaultChecks.get('exporter').run;

function verifying(verifyProof: ProofVerifier): TargetVariant {
  return { parts: () => ({ verifyProof }) };
}

/** The reference that takes some further `ekm` claims for right. */
function accepting(right: (ekm: unknown, subject: ProofSubject) => boolean): TargetVariant {
  return verifying(
    createVerifier({
      checks: defaultChecks.with('exporter', (proof, subject, rules) =>
        right(proof.claims[CLAIM.exporter], subject) ? undefined : checkExporter(proof, subject, rules),
      ),
    }),
  );
}

function exporting(exporter: (socket: TLSSocket) => Buffer): TargetVariant {
  return withFacts({ exporterOf: exporter });
}

/** The reference that notes every connection's value, and takes some further `ekm` claims for right. */
function recording(
  note: (socket: TLSSocket, value: string) => void,
  right: (ekm: string, subject: ProofSubject) => boolean,
): TargetVariant {
  const exporter = (socket: TLSSocket) => {
    const value = exporterOf(socket);
    note(socket, encodeBase64url(value));
    return value;
  };
  const variant = accepting((ekm, subject) => typeof ekm === 'string' && right(ekm, subject));
  return {
    parts: (defaults) => ({ ...variant.parts?.(defaults), ...exporting(exporter).parts?.(defaults) }),
  };
}

function agrees(expected: Buffer, received: Buffer): boolean {
  const length = Math.min(expected.length, received.length);
  return expected.subarray(0, length).equals(received.subarray(0, length));
}

/** On a resumed connection, values of the client's earlier connections count too. */
function keptBySession(): TargetVariant {
  const earlier = new Map<string, Set<string>>();
  const resumed = new Map<string, string>();
  return recording(
    (socket, value) => {
      const client = thumbprint(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
      earlier.set(client, (earlier.get(client) ?? new Set()).add(value));
      if (socket.isSessionReused()) resumed.set(value, client);
    },
    (ekm, { exporter }) => earlier.get(resumed.get(encodeBase64url(exporter)) ?? '')?.has(ekm) === true,
  );
}

function fallsBackToEndPoint(): TargetVariant {
  let endPoint = '';
  return {
    ...accepting((ekm) => ekm === endPoint),
    tls(material) {
      endPoint = thumbprint(new X509Certificate(material.certificate).raw);
      return tlsOptionsFor(material);
    },
  };
}

/** The reference that takes another identifier of a TLS 1.2 connection for right too, noted when its handshake is done. */
function takesIdentifier(
  identifierOf: (socket: TLSSocket) => Buffer | undefined,
  options: Pick<TargetVariant, 'tls'> = {},
): TargetVariant {
  const identifiers = new Map<string, string>();
  return {
    ...options,
    ...accepting(
      (ekm, { exporter }) => typeof ekm === 'string' && ekm === identifiers.get(encodeBase64url(exporter)),
    ),
    acceptsConnection(socket) {
      const identifier = socket.getProtocol() === 'TLSv1.2' ? identifierOf(socket) : undefined;
      if (identifier !== undefined)
        identifiers.set(encodeBase64url(exporterOf(socket)), encodeBase64url(identifier));
      return exporterTrustedOn(socket);
    },
  };
}

/** The first Finished message of the handshake, which is the server's where a session is resumed (RFC 5929 §3.1). */
function tlsUniqueOf(socket: TLSSocket): Buffer | undefined {
  return socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished();
}

/** The second octet string of OpenSSL's serialisation of a session. */
function sessionIdOf(socket: TLSSocket): Buffer | undefined {
  const [, id] = membersOf(socket.getSession() ?? Buffer.alloc(0)).filter(
    ({ identifier }) => identifier === OCTET_STRING,
  );
  return id?.contents;
}

/** The reference that takes for right, on whichever connection, the value of each connection that it has noted. */
function takesAnyLiveValue(notes: (socket: TLSSocket) => boolean): TargetVariant {
  const live = new Set<string>();
  return recording(
    (socket, value) => {
      if (notes(socket)) live.add(value);
    },
    (ekm) => live.has(ekm),
  );
}

function changesWithKeys(): TargetVariant {
  const updates = new WeakMap<object, number>();
  return withConnections((connection, { socket }, key) => {
    if (!updates.has(key)) {
      updates.set(key, 0);
      socket.on('keylog', (line: Buffer) => {
        if (line.includes('_TRAFFIC_SECRET_N')) updates.set(key, (updates.get(key) ?? 0) + 1);
      });
    }
    const count = updates.get(key) ?? 0;
    return count === 0 ? connection : { ...connection, exporter: hash('sha256', `${count}`, 'buffer') };
  });
}

function pinsToken(): TargetVariant {
  const first = new Map<string, object>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const refusal = run(presentation, parts);
        const { key, tokenHash } = presentation;
        if (refusal === undefined && !first.has(tokenHash)) first.set(tokenHash, key);
        const elsewhere = first.has(tokenHash) && first.get(tokenHash) !== key;
        return refusal ?? (elsewhere ? invalidToken('the token belongs to another connection') : undefined);
      }),
    }),
  };
}

function tellsExpectedValue(): TargetVariant {
  const verify = createVerifier();
  return verifying((subject) => {
    const result = verify(subject);
    if (result.holds || result.defect.code !== 'wrong-exporter') return result;
    const defect: Defect = defectOf(
      'wrong-exporter',
      'f',
      CLAIM.exporter,
      `expected ekm ${encodeBase64url(subject.exporter)}`,
    );
    return { holds: false, defect };
  });
}

/** Mistakes with the exporter value (draft -06 §2.2, §3.3.2 step 5f). */
export const exporterMutants: readonly Mutant[] = [
  {
    id: 'M-RS-21',
    mistake: 'does not compare ekm at all',
    breaks: [
      'RS-EKM-1',
      'RS-EKM-2',
      'RS-EKM-3',
      'RS-EKM-5',
      'RS-EKM-7',
      'RS-EKM-8',
      'RS-EKM-12',
      'RS-CACHE-5',
      'RS-T1',
      'RS-T4',
    ],
    variant: () => verifying(createVerifier({ checks: defaultChecks.without('exporter') })),
  },
  {
    id: 'M-RS-23',
    mistake: 'compares ekm over the length of the shorter one',
    breaks: ['RS-EKM-2'],
    variant: () =>
      accepting(
        (ekm, { exporter }) =>
          typeof ekm === 'string' && agrees(Buffer.from(exporter), Buffer.from(ekm, 'base64url')),
      ),
  },
  {
    id: 'M-RS-25',
    mistake: 'exports with the label of RFC 9266',
    breaks: ['RS-EKM-1', 'RS-EKM-4'],
    variant: () =>
      exporting((socket) =>
        socket.exportKeyingMaterial(EXPORTER_LENGTH, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
      ),
  },
  {
    id: 'M-RS-26',
    mistake:
      'exports as many octets as the hash of the cipher suite has, tried only with the suite that it prefers, where those are 32',
    breaks: ['RS-EKM-1'],
    variant: () => ({
      tls: (material) => ({
        ...tlsOptionsFor(material),
        ciphers: `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`,
      }),
      ...exporting((socket) =>
        socket.exportKeyingMaterial(
          socket.getCipher().standardName.endsWith('SHA384') ? 48 : EXPORTER_LENGTH,
          EXPORTER_LABEL,
          Buffer.alloc(0),
        ),
      ),
    }),
  },
  {
    id: 'M-RS-27',
    mistake: 'exports with the host name as context',
    breaks: ['RS-EKM-1', 'RS-EKM-4'],
    variant: () =>
      exporting((socket) =>
        socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, Buffer.from('localhost')),
      ),
  },
  {
    id: 'M-RS-28',
    mistake: 'exports once per process and compares every connection with that value',
    breaks: ['RS-EKM-1', 'RS-EKM-4', 'RS-MUX-1'],
    variant: () => {
      let first: Buffer | undefined;
      return exporting((socket) => (first ??= exporterOf(socket)));
    },
  },
  {
    id: 'M-RS-30',
    mistake:
      'keeps exporter values beyond their connection, and takes them for right when the TLS session is resumed',
    breaks: ['RS-EKM-7', 'RS-EKM-8', 'RS-CACHE-5', 'RS-T1'],
    variant: keptBySession,
  },
  {
    id: 'M-RS-31',
    mistake: 'falls back to tls-server-end-point',
    breaks: ['RS-EKM-12'],
    variant: fallsBackToEndPoint,
  },
  {
    id: 'M-RS-430',
    mistake: 'takes tls-unique, which it used before, for the exporter value on TLS 1.2',
    breaks: ['RS-EKM-12'],
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => takesIdentifier(tlsUniqueOf),
  },
  {
    id: 'M-RS-431',
    mistake: 'gives out session IDs instead of tickets on TLS 1.2, and takes them for the exporter value',
    breaks: ['RS-EKM-12'],
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () =>
      takesIdentifier(sessionIdOf, {
        tls: (material) => ({
          ...tlsOptionsFor(material),
          secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
        }),
      }),
  },
  {
    id: 'M-RS-333',
    mistake:
      'takes the exporter value in the length that it was tried with under AES-256 only; elsewhere it is shorter',
    breaks: ['RS-EKM-1'],
    variant: () =>
      exporting((socket) => {
        const { standardName } = socket.getCipher();
        if (standardName.startsWith('TLS_AES_128')) return exporterOf(socket).subarray(0, 16);
        return exporterOf(socket).subarray(0, standardName.startsWith('TLS_CHACHA20') ? 20 : 32);
      }),
  },
  {
    id: 'M-RS-35',
    mistake: 'takes a KeyUpdate for a new exporter value',
    breaks: ['RS-EKM-6'],
    variant: changesWithKeys,
  },
  {
    id: 'M-RS-130',
    mistake: 'ties a token to the first connection that it was used on',
    breaks: ['RS-EKM-15'],
    variant: pinsToken,
  },
  {
    id: 'M-RS-131',
    mistake: 'quotes the expected exporter value in error_description',
    breaks: ['RS-EKM-16'],
    variant: tellsExpectedValue,
  },
  {
    id: 'M-RS-132',
    mistake: 'takes the exporter value of any connection for right',
    breaks: ['RS-EKM-5', 'RS-EKM-7', 'RS-EKM-8', 'RS-CACHE-5', 'RS-T1', 'RS-T4'],
    variant: () => takesAnyLiveValue(() => true),
  },
  {
    id: 'M-RS-442',
    mistake: 'takes the exporter value of any TLS 1.2 connection for right, on whichever connection it comes',
    breaks: ['RS-EKM-8', 'RS-T1'],
    also: ['TLSv1.2 h2 P-256'],
    variant: () => takesAnyLiveValue((socket) => socket.getProtocol() === 'TLSv1.2'),
  },
];
