import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { algorithmsFor } from './algorithms.ts';
import { accessTokenHash, encodeBase64url } from './encoding.ts';
import type { ProofSubject } from './subject.ts';
import vectors from './vectors.json' with { type: 'json' };

const { key, certificate, thumbprint } = vectors.ES256;

export const NOW = 1_800_000_000;
export const TOKEN = 'the.access.token';
export const EXPORTER = Buffer.alloc(32, 7);
export const KEY = createPrivateKey(key);

export const HEADER = { typ: 'tls-binding-proof+jwt', alg: 'ES256', 'x5t#S256': thumbprint };
export const CLAIMS = { ath: accessTokenHash(TOKEN), ekm: encodeBase64url(EXPORTER), iat: NOW };

/** What every description of a defect is, at the least. */
export const SENTENCE = /^\S+( \S+){3,}$/;

/** A JWS in compact serialization over any header and payload text, signed by any key with its first algorithm. */
export function signText(header: string, payload: string, by: KeyObject = KEY): string {
  const input = `${encodeBase64url(header)}.${encodeBase64url(payload)}`;
  const signature = algorithmsFor(by)[0]?.sign(by, Buffer.from(input)) ?? Buffer.alloc(0);
  return `${input}.${encodeBase64url(signature)}`;
}

/** A proof that is right but for the members given. A member that is `undefined` is left out. */
export function proofWith(
  header: Readonly<Record<string, unknown>> = {},
  claims: Readonly<Record<string, unknown>> = {},
  by: KeyObject = KEY,
): string {
  return signText(JSON.stringify({ ...HEADER, ...header }), JSON.stringify({ ...CLAIMS, ...claims }), by);
}

/** What {@link proofWith} is held against. */
export function subjectOf(proof: string, changes: Partial<ProofSubject> = {}): ProofSubject {
  return {
    proof,
    token: TOKEN,
    exporter: EXPORTER,
    certificate: { publicKey: new X509Certificate(certificate).publicKey, thumbprint },
    request: { method: 'GET', authority: 'rs.example', path: '/resource' },
    now: NOW,
    claimIdentifier: () => true,
    ...changes,
  };
}
