import { createPublicKey } from 'node:crypto';
import { forgeProof } from '../forge/proof.ts';
import type { ProofChange } from '../forge/proof.ts';
import { forgeToken } from '../forge/token.ts';
import type { TokenRequest } from '../forge/token.ts';
import type { ConnectOptions, WireRequest } from '../wire/connection.ts';
import { describe } from './describe.ts';
import type { Known, Sent } from './describe.ts';
import { correct, issuer, PaperConnection, pki } from './target.fixture.ts';

export const NOW = 1_800_000_000;
export const alice = pki.alice['P-256'];
const OPTIONS: ConnectOptions = { host: 'h', port: 1, tls: 'TLSv1.3', http: 'http/1.1', identity: alice };

export function on(options: Partial<ConnectOptions> = {}, id = 'c1'): PaperConnection {
  return new PaperConnection({ ...OPTIONS, ...options }, id, correct);
}

const KNOWN: Known = {
  keyType: 'P-256',
  identities: [...Object.values(pki.alice), pki.mallory, pki.server],
  issuerKey: createPublicKey(issuer.privateKey),
  exporterValues: new Map([[on({}, 'c2').exporter().toString('base64url'), 'the exporter value of c2']]),
  issuedTokens: new Set(),
  signers: new Map(),
  proofIdsSeen: new Set(['seen']),
};

/** What a description is made from, where it is not the usual. */
export interface Situation {
  readonly connection?: PaperConnection;
  readonly request?: Partial<WireRequest>;
  readonly sent?: Partial<Sent>;
  readonly known?: Partial<Known>;
}

export function described({ connection = on(), request, sent, known }: Situation = {}) {
  return describe(
    {
      connection,
      request: { method: 'GET', target: '/resource', fields: [], ...request },
      defaultAuthority: 'rs.tsbt.test:8443',
      token: null,
      proofs: [],
      now: NOW,
      ...sent,
    },
    { ...KNOWN, ...known },
  );
}

/** A request with a proof for the token `t`, in its usual field, right but for the change. */
export function withProof(change: ProofChange = {}, situation: Situation = {}) {
  const connection = situation.connection ?? on();
  const identity = connection.options.identity ?? alice;
  const proof = forgeProof({ token: 't', ekm: connection.exporter(), identity, now: NOW }, change);
  return withProofText(proof, { ...situation, connection });
}

export function withProofText(proof: string, situation: Situation = {}) {
  return described({
    ...situation,
    request: { fields: [['Session-Binding-Proof', proof]], ...situation.request },
    sent: { token: 't', proofs: [proof], ...situation.sent },
  });
}

export function withToken(request: Partial<TokenRequest> = {}, situation: Situation = {}) {
  const { compact } = forgeToken(issuer, { boundTo: alice, now: NOW, ...request });
  return withTokenText(compact, situation);
}

export function withTokenText(token: string, situation: Situation = {}) {
  return described({
    ...situation,
    request: { fields: [['Authorization', `Bearer ${token}`]], ...situation.request },
    sent: { token, ...situation.sent },
  });
}

/** The part of a description whose fields begin so. */
export function part(description: ReadonlyMap<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries([...description].filter(([field]) => field.startsWith(prefix)));
}
