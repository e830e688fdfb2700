import { timingSafeEqual, type KeyObject } from 'node:crypto';
import { type Algorithm, algorithmsFor } from './algorithms.ts';
import { Checks } from './checks.ts';
import type { Defect, DefectCode, Step } from './defect.ts';
import { accessTokenHash, encodeBase64url } from './encoding.ts';
import { parseProof, type ParsedProof } from './parse.ts';
import { matchesMethod, matchesTarget, type ProvenRequest } from './request-target.ts';
import { CLAIM, HEADER, PROOF_TYPE } from './vocabulary.ts';

/** What a proof is held against: the request it came with, and the connection that carried it. */
export interface ProofSubject {
  /** The proof as received, compact serialization. */
  readonly proof: string;
  /** The access token exactly as presented. */
  readonly token: string;
  /** Exporter value of the very connection that carried the request: 32 octets. */
  readonly exporter: Uint8Array;
  /** The client certificate that was authenticated on that connection. */
  readonly certificate: { readonly publicKey: KeyObject; readonly thumbprint: string };
  readonly request: ProvenRequest;
  /** Seconds since 1970-01-01 UTC. */
  readonly now: number;
  /**
   * Records a `jti` for this token and says whether it was new: one step, so that of two requests
   * that race only one wins. Called after every other check has passed.
   */
  readonly claimIdentifier: (jti: string) => boolean;
}

/** The decisions that verification rests on, each with one default; see {@link defaultRules}. */
export interface VerificationRules {
  readonly parse: (compact: string) => ParsedProof | Defect;
  /** The only key that a signature is verified with. */
  readonly verificationKey: (proof: ParsedProof, subject: ProofSubject) => KeyObject;
  readonly algorithms: (key: KeyObject) => readonly Algorithm[];
  readonly type: string;
  /** How old a proof may be at first sight, in seconds. */
  readonly pastSeconds: number;
  /** How far ahead the client's clock may run, in seconds. */
  readonly futureSeconds: number;
  /** Comparison of secret-derived texts; takes the same time wherever they differ. */
  readonly same: (expected: string, received: string) => boolean;
  readonly tokenHash: (token: string) => string;
  readonly encodeExporter: (exporter: Uint8Array) => string;
  readonly matchesMethod: (htm: string, request: ProvenRequest) => boolean;
  readonly matchesTarget: (htu: string, request: ProvenRequest) => boolean;
}

export type CheckName =
  | 'type'
  | 'critical'
  | 'unencoded'
  | 'algorithm'
  | 'thumbprint'
  | 'signature'
  | 'exporter'
  | 'token-hash'
  | 'issued-at'
  | 'expiry'
  | 'not-before'
  | 'method'
  | 'target'
  | 'identifier';

/** Looks at one aspect of a parsed proof. */
export type ProofCheck = (
  proof: ParsedProof,
  subject: ProofSubject,
  rules: VerificationRules,
) => Defect | undefined;

/** A proof that holds, or what is wrong with it. */
export type Verification =
  | { readonly holds: true; readonly proof: ParsedProof }
  | { readonly holds: false; readonly defect: Defect };

export type ProofVerifier = (subject: ProofSubject) => Verification;

function defect(code: DefectCode, step: Step, member: string, description: string): Defect {
  return { code, step, member, description };
}

function sameText(expected: string, received: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(received)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Every rule's default (draft -06 §2.3, §3.3.2). */
export const defaultRules: VerificationRules = {
  parse: parseProof,
  verificationKey: (_proof, subject) => subject.certificate.publicKey,
  algorithms: algorithmsFor,
  type: PROOF_TYPE,
  pastSeconds: 300,
  futureSeconds: 30,
  same: sameText,
  tokenHash: accessTokenHash,
  encodeExporter: encodeBase64url,
  matchesMethod,
  matchesTarget,
};

function checkType({ header }: ParsedProof, _subject: ProofSubject, rules: VerificationRules) {
  if (header[HEADER.type] === rules.type) return undefined;
  return defect('wrong-type', 'form', HEADER.type, `typ is not ${PROOF_TYPE}`);
}

/** No extension is understood, so any `crit` is one too many (RFC 7515 §4.1.11). */
function checkCritical({ header }: ParsedProof) {
  if (!Object.hasOwn(header, HEADER.critical)) return undefined;
  return defect('critical-extension', 'form', HEADER.critical, 'crit names extensions not understood here');
}

function checkUnencoded({ header }: ParsedProof) {
  if (!Object.hasOwn(header, HEADER.encodedPayload)) return undefined;
  return defect('unencoded-payload', 'form', HEADER.encodedPayload, 'a proof has no b64 parameter');
}

function fittingAlgorithm(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const name = proof.header[HEADER.algorithm];
  return rules.algorithms(rules.verificationKey(proof, subject)).find((candidate) => candidate.name === name);
}

function checkAlgorithm(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  if (fittingAlgorithm(proof, subject, rules) !== undefined) return undefined;
  const description = 'alg does not fit the key of the client certificate of this connection';
  return defect('unfit-algorithm', 'form', HEADER.algorithm, description);
}

function checkThumbprint({ header }: ParsedProof, { certificate }: ProofSubject) {
  if (header[HEADER.certificate] === certificate.thumbprint) return undefined;
  const description = 'x5t#S256 in the header is not that of the client certificate of this connection';
  return defect('wrong-thumbprint', 'form', HEADER.certificate, description);
}

function checkSignature(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const algorithm = fittingAlgorithm(proof, subject, rules);
  try {
    const key = rules.verificationKey(proof, subject);
    if (algorithm?.verify(key, proof.signingInput, proof.signature) === true) return undefined;
  } catch {
    // A signature that OpenSSL cannot even read verifies as little as a wrong one.
  }
  const description = 'the signature is not by the key of the client certificate of this connection';
  return { code: 'bad-signature', step: 'e', description } satisfies Defect;
}

/** The claim as a string, or what is wrong with it. */
function requiredText({ claims }: ParsedProof, member: string, step: Step): string | Defect {
  const value = claims[member];
  if (value === undefined || value === null) {
    return defect('missing-claim', step, member, `the claim ${member} is missing`);
  }
  if (typeof value !== 'string') {
    return defect('malformed-claim', step, member, `the claim ${member} is not a string`);
  }
  return value;
}

function checkExporter(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const received = requiredText(proof, CLAIM.exporter, 'f');
  if (typeof received !== 'string') return received;
  if (rules.same(rules.encodeExporter(subject.exporter), received)) return undefined;
  return defect('wrong-exporter', 'f', CLAIM.exporter, 'ekm is not the exporter value of this connection');
}

function checkTokenHash(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const received = requiredText(proof, CLAIM.tokenHash, 'g');
  if (typeof received !== 'string') return received;
  if (rules.same(rules.tokenHash(subject.token), received)) return undefined;
  return defect(
    'wrong-token-hash',
    'g',
    CLAIM.tokenHash,
    'ath is not the hash of the access token presented',
  );
}

/** A NumericDate: whole or fractional seconds (RFC 7519 §2). */
function numericDate({ claims }: ParsedProof, member: string, step: Step): number | Defect {
  const value = claims[member];
  if (value === undefined || value === null) {
    return defect('missing-claim', step, member, `the claim ${member} is missing`);
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return defect('malformed-claim', step, member, `the claim ${member} is not a number of seconds`);
  }
  return value;
}

function checkIssuedAt(proof: ParsedProof, { now }: ProofSubject, rules: VerificationRules) {
  const issuedAt = numericDate(proof, CLAIM.issuedAt, 'h');
  if (typeof issuedAt !== 'number') return issuedAt;
  if (issuedAt < now - rules.pastSeconds) {
    return defect('stale', 'h', CLAIM.issuedAt, 'iat is too long ago');
  }
  if (issuedAt > now + rules.futureSeconds) {
    return defect('from-the-future', 'h', CLAIM.issuedAt, 'iat is in the future');
  }
  return undefined;
}

/** The draft gives `exp` no meaning; RFC 7519 §4.1.4 forbids processing a JWT beyond it all the same. */
function checkExpiry(proof: ParsedProof, { now }: ProofSubject) {
  if (!Object.hasOwn(proof.claims, CLAIM.expires)) return undefined;
  const expires = numericDate(proof, CLAIM.expires, 'form');
  if (typeof expires !== 'number') return expires;
  return expires > now ? undefined : defect('expired', 'form', CLAIM.expires, 'the proof has expired');
}

function checkNotBefore(proof: ParsedProof, { now }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.notBefore)) return undefined;
  const notBefore = numericDate(proof, CLAIM.notBefore, 'form');
  if (typeof notBefore !== 'number') return notBefore;
  if (notBefore <= now + rules.futureSeconds) return undefined;
  return defect('not-yet-valid', 'form', CLAIM.notBefore, 'the proof is not valid yet');
}

function checkMethod(proof: ParsedProof, { request }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.method)) return undefined;
  const htm = requiredText(proof, CLAIM.method, 'i');
  if (typeof htm !== 'string') return htm;
  if (rules.matchesMethod(htm, request)) return undefined;
  return defect('wrong-method', 'i', CLAIM.method, 'htm is not the method of this request');
}

function checkTarget(proof: ParsedProof, { request }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.target)) return undefined;
  const htu = requiredText(proof, CLAIM.target, 'i');
  if (typeof htu !== 'string') return htu;
  if (rules.matchesTarget(htu, request)) return undefined;
  return defect('wrong-target', 'i', CLAIM.target, 'htu is not the target of this request');
}

function checkIdentifier(proof: ParsedProof, { claimIdentifier }: ProofSubject) {
  if (!Object.hasOwn(proof.claims, CLAIM.identifier)) return undefined;
  const jti = requiredText(proof, CLAIM.identifier, 'i');
  if (typeof jti !== 'string') return jti;
  if (jti === '') return defect('malformed-claim', 'i', CLAIM.identifier, 'the claim jti is empty');
  if (claimIdentifier(jti)) return undefined;
  return defect('replayed', 'i', CLAIM.identifier, 'a proof with this jti was presented before');
}

/** Verification in the order it runs. `identifier` stays last: a refused proof must not use up its `jti`. */
export const defaultChecks = new Checks<CheckName, ProofCheck>([
  { name: 'type', section: 'draft -06 §2.3.1, RFC 8725 §3.11', run: checkType },
  { name: 'critical', section: 'RFC 7515 §4.1.11', run: checkCritical },
  { name: 'unencoded', section: 'RFC 7797 §7', run: checkUnencoded },
  { name: 'algorithm', section: 'draft -06 §2.3.1, RFC 8725 §3.1', run: checkAlgorithm },
  { name: 'thumbprint', section: 'draft -06 §2.3.1', run: checkThumbprint },
  { name: 'signature', section: 'draft -06 §3.3.2 step 5e', run: checkSignature },
  { name: 'exporter', section: 'draft -06 §3.3.2 step 5f', run: checkExporter },
  { name: 'token-hash', section: 'draft -06 §3.3.2 step 5g', run: checkTokenHash },
  { name: 'issued-at', section: 'draft -06 §3.3.2 step 5h', run: checkIssuedAt },
  { name: 'expiry', section: 'RFC 7519 §4.1.4', run: checkExpiry },
  { name: 'not-before', section: 'RFC 7519 §4.1.5', run: checkNotBefore },
  { name: 'method', section: 'draft -06 §3.3.2 step 5i', run: checkMethod },
  { name: 'target', section: 'draft -06 §3.3.2 step 5i', run: checkTarget },
  { name: 'identifier', section: 'draft -06 §3.3.2 step 5i', run: checkIdentifier },
]);

/** Whether a proof speaks of one request only, so that it must not stand for a second one (draft -06 §2.3.2.2). */
export function isPerRequest({ claims }: ParsedProof): boolean {
  return [CLAIM.identifier, CLAIM.method, CLAIM.target].some((member) => Object.hasOwn(claims, member));
}

/**
 * Composes a verifier from checks and rules. It holds no state, does no I/O and never throws for
 * what a proof contains.
 *
 * @example
 * const verify = createVerifier({ rules: { pastSeconds: 60 } });
 * const result = verify(subject);
 * if (!result.holds) console.log(result.defect.code);
 */
export function createVerifier(
  options: {
    readonly checks?: Checks<CheckName, ProofCheck>;
    readonly rules?: Partial<VerificationRules>;
  } = {},
): ProofVerifier {
  const { entries } = options.checks ?? defaultChecks;
  const rules = { ...defaultRules, ...options.rules };
  return (subject) => {
    const proof = rules.parse(subject.proof);
    if ('code' in proof) return { holds: false, defect: proof };
    for (const { run } of entries) {
      const found = run(proof, subject, rules);
      if (found !== undefined) return { holds: false, defect: found };
    }
    return { holds: true, proof };
  };
}
