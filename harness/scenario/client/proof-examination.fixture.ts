import { createHash, X509Certificate } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';
import { forgeProof } from '../../forge/proof.ts';
import type { ProofChange } from '../../forge/proof.ts';
import { EXPORTER_LABEL } from '../../wire/exporter.ts';
import { pki } from '../target.fixture.ts';
import type { Circumstances, Defect, ProvenConnection } from './defect.ts';

/** When the proofs are made and first seen, in seconds since 1970. */
export const NOW = 1_800_000_000;
/** The access token that goes with the proofs. */
export const TOKEN = 'header.payload.signature';

const alice = pki.alice['P-256'];

/** A connection whose exporter values follow from its name, label, context and length alone. */
export function provenConnection(
  id: string,
  identity: Identity = alice,
  tls = 'TLSv1.3',
  beside: Partial<ProvenConnection> = {},
): ProvenConnection {
  return {
    id,
    clientChain: [new X509Certificate(identity.certificate), new X509Certificate(pki.trusted.certificate)],
    facts: { tls },
    exporter: ({ label = EXPORTER_LABEL, context = new Uint8Array(), length = 32 } = {}) => {
      // Without a context it is another value on TLS 1.2 only (RFC 5705 §4).
      const given =
        context === null && tls === 'TLSv1.2' ? 'none' : Buffer.from(context ?? []).toString('hex');
      const seed = `${id} ${label} ${given} ${length}`;
      const [first, second] = [0, 1].map((round) => createHash('sha256').update(`${seed} ${round}`).digest());
      return Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)]).subarray(0, length);
    },
    tlsUnique: undefined,
    serverEndPoint: Buffer.alloc(32, 3),
    clientRandom: Buffer.alloc(32, 4),
    sessionId: undefined,
    ...beside,
  };
}

/** What a proof on a connection is held against: a POST with {@link TOKEN} at {@link NOW}, unless said otherwise. */
export function circumstancesOn(
  connection: ProvenConnection,
  beside: Partial<Circumstances> = {},
): Circumstances {
  return {
    connection,
    others: [],
    token: TOKEN,
    request: { method: 'POST', target: '/resource?a=1', authority: 'localhost:8443', fields: [] },
    firstSeenAt: NOW * 1000,
    host: 'localhost',
    ...beside,
  };
}

/** A proof for {@link TOKEN}, made at {@link NOW} on a connection; right but for the change. */
export function proofOn(
  connection: ProvenConnection,
  change: ProofChange = {},
  by: Identity = alice,
): string {
  return forgeProof({ token: TOKEN, ekm: connection.exporter(), identity: by, now: NOW }, change);
}

/** Defects as a user reads them: what is looked at, what is wrong, and the cure. */
export function told(defects: readonly Defect[]): readonly string[] {
  return defects.map(({ aspect, what, cure }) => `${aspect}: ${what}. ${cure ?? ''}`);
}
