import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { Checks } from '../proof/checks.ts';
import { accessTokenHash } from '../proof/encoding.ts';
import { matchesMethod, matchesTarget, type ProvenRequest } from '../proof/request-target.ts';
import type { NonceSource } from './nonces.ts';
import { DPOP_ALGORITHMS, DPOP_CLAIM, DPOP_TYPE } from './vocabulary.ts';

/** What a DPoP proof is held against. */
export interface DpopSubject {
  /** The proof as received, compact serialization. */
  readonly proof: string;
  /** The access token exactly as presented. */
  readonly token: string;
  readonly request: ProvenRequest;
  /** Seconds since 1970-01-01 UTC. */
  readonly now: number;
}

/** A DPoP proof whose signature verifies under the key in its own header. */
export interface OpenedDpopProof {
  readonly claims: Readonly<Record<string, unknown>>;
  /** RFC 7638 SHA-256 thumbprint of that key: the value of `cnf.jkt`. */
  readonly keyThumbprint: string;
}

/** Why a DPoP proof does not hold. */
export interface DpopDefect {
  /** Value of the challenge's `error` attribute (RFC 9449 §7.1, §9). */
  readonly error: 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** One sentence for the client's developer: fixed text that quotes nothing of the request. */
  readonly description: string;
  /** The nonce that the next proof has to carry. */
  readonly nonce?: string;
}

/** A DPoP proof that holds but for whether its key is the token's and its `jti` is new, or what is wrong with it. */
export type DpopVerification =
  | { readonly holds: true; readonly keyThumbprint: string; readonly identifier: string }
  | { readonly holds: false; readonly defect: DpopDefect };

export type DpopVerifier = (subject: DpopSubject) => Promise<DpopVerification>;

/** The decisions that verification rests on, each with one default. */
export interface DpopRules {
  /** Verifies type, algorithm and signature; `undefined` where they are not right. */
  readonly open: (proof: string, now: number) => Promise<OpenedDpopProof | undefined>;
  /** How old a proof may be, in seconds. */
  readonly pastSeconds: number;
  /** How far ahead the client's clock may run, in seconds. */
  readonly futureSeconds: number;
  /** Given, every proof has to carry a nonce of these. */
  readonly nonces: NonceSource | undefined;
}

export type DpopCheckName = 'method' | 'target' | 'token-hash' | 'issued-at' | 'nonce' | 'identifier';

export type DpopCheck = (
  proof: OpenedDpopProof,
  subject: DpopSubject,
  rules: DpopRules,
) => DpopDefect | undefined;

/** A proof that does not hold. @param description one sentence that quotes nothing of the request */
export function invalidDpopProof(description: string): DpopDefect {
  return { error: 'invalid_dpop_proof', description };
}

/** Verification with `jose`: the key is the one in the header, and has to be a public one (RFC 9449 §4.3). */
export async function openDpopProof(proof: string, now: number): Promise<OpenedDpopProof | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: DPOP_TYPE,
      algorithms: [...DPOP_ALGORITHMS],
      currentDate: new Date(now * 1000),
    });
    if (protectedHeader.jwk === undefined) return undefined;
    return { claims: payload, keyThumbprint: await calculateJwkThumbprint(protectedHeader.jwk, 'sha256') };
  } catch {
    return undefined;
  }
}

function checkMethod({ claims }: OpenedDpopProof, { request }: DpopSubject) {
  const htm = claims[DPOP_CLAIM.method];
  if (typeof htm === 'string' && matchesMethod(htm, request)) return undefined;
  return invalidDpopProof('htm of the DPoP proof is not the method of this request');
}

/** `htu` is a URI here; a bare path, which the draft's example allows in its own proof, is none. */
function checkTarget({ claims }: OpenedDpopProof, { request }: DpopSubject) {
  const htu = claims[DPOP_CLAIM.target];
  if (typeof htu === 'string' && !htu.startsWith('/') && matchesTarget(htu, request)) return undefined;
  return invalidDpopProof('htu of the DPoP proof is not the URI of this request');
}

function checkTokenHash({ claims }: OpenedDpopProof, { token }: DpopSubject) {
  if (claims[DPOP_CLAIM.tokenHash] === accessTokenHash(token)) return undefined;
  return invalidDpopProof('ath of the DPoP proof is not the hash of the access token presented');
}

function checkIssuedAt({ claims }: OpenedDpopProof, { now }: DpopSubject, rules: DpopRules) {
  const issuedAt = claims[DPOP_CLAIM.issuedAt];
  if (typeof issuedAt !== 'number') return invalidDpopProof('iat of the DPoP proof is missing');
  if (issuedAt >= now - rules.pastSeconds && issuedAt <= now + rules.futureSeconds) return undefined;
  return invalidDpopProof('iat of the DPoP proof is not close to now');
}

function checkNonce({ claims }: OpenedDpopProof, { now }: DpopSubject, { nonces }: DpopRules) {
  if (nonces === undefined || nonces.accepts(claims[DPOP_CLAIM.nonce], now)) return undefined;
  const description = 'the DPoP proof has to carry the nonce that is given here';
  return { error: 'use_dpop_nonce' as const, description, nonce: nonces.current(now) };
}

function checkIdentifier({ claims }: OpenedDpopProof) {
  const jti = claims[DPOP_CLAIM.identifier];
  if (typeof jti === 'string' && jti !== '') return undefined;
  return invalidDpopProof('jti of the DPoP proof is missing');
}

/** What is asked of a DPoP proof whose signature verifies, in order (RFC 9449 §4.3). */
export const defaultDpopChecks = new Checks<DpopCheckName, DpopCheck>([
  { name: 'method', section: 'RFC 9449 §4.3 item 8', run: checkMethod },
  { name: 'target', section: 'RFC 9449 §4.3 item 9', run: checkTarget },
  { name: 'token-hash', section: 'RFC 9449 §4.3 item 12', run: checkTokenHash },
  { name: 'issued-at', section: 'RFC 9449 §4.3 item 11, §11.1', run: checkIssuedAt },
  { name: 'identifier', section: 'RFC 9449 §4.3 item 3', run: checkIdentifier },
  { name: 'nonce', section: 'RFC 9449 §4.3 item 10, §9', run: checkNonce },
]);

export const defaultDpopRules: DpopRules = {
  open: openDpopProof,
  pastSeconds: 300,
  futureSeconds: 30,
  nonces: undefined,
};

/**
 * Composes a verifier of DPoP proofs (RFC 9449 §4.3). Whether the key is the token's (`cnf.jkt`) and whether the `jti`
 * is new is for the caller to see: the one needs the token's claims, the other a store. It never throws for what a
 * proof contains.
 *
 * @example
 * const verify = createDpopVerifier({ rules: { nonces: createNonceSource() } });
 * const result = await verify({ proof, token, request, now });
 */
export function createDpopVerifier(
  options: { readonly checks?: Checks<DpopCheckName, DpopCheck>; readonly rules?: Partial<DpopRules> } = {},
): DpopVerifier {
  const { entries } = options.checks ?? defaultDpopChecks;
  const rules = { ...defaultDpopRules, ...options.rules };
  return async (subject) => {
    const opened = await rules.open(subject.proof, subject.now);
    if (opened === undefined) {
      const description = 'the DPoP proof is not a JWT of its type, signed with the key in its header';
      return { holds: false, defect: invalidDpopProof(description) };
    }
    for (const { run } of entries) {
      const defect = run(opened, subject, rules);
      if (defect !== undefined) return { holds: false, defect };
    }
    const { keyThumbprint, claims } = opened;
    return { holds: true, keyThumbprint, identifier: String(claims[DPOP_CLAIM.identifier]) };
  };
}
