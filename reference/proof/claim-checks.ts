import { type Defect, defectOf, type Step } from './defect.ts';
import type { ParsedProof } from './parse.ts';
import type { ProofSubject, VerificationRules } from './subject.ts';
import { CLAIM } from './vocabulary.ts';

/** The claim as a string, or what is wrong with it. */
function requiredText({ claims }: ParsedProof, member: string, step: Step): string | Defect {
  const value = claims[member];
  if (value === undefined || value === null) {
    return defectOf('missing-claim', step, member, `the claim ${member} is missing`);
  }
  if (typeof value !== 'string') {
    return defectOf('malformed-claim', step, member, `the claim ${member} is not a string`);
  }
  return value;
}

export function checkExporter(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const received = requiredText(proof, CLAIM.exporter, 'f');
  if (typeof received !== 'string') return received;
  if (rules.same(rules.encodeExporter(subject.exporter), received)) return undefined;
  return defectOf('wrong-exporter', 'f', CLAIM.exporter, 'ekm is not the exporter value of this connection');
}

export function checkTokenHash(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const received = requiredText(proof, CLAIM.tokenHash, 'g');
  if (typeof received !== 'string') return received;
  if (rules.same(rules.tokenHash(subject.token), received)) return undefined;
  return defectOf(
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
    return defectOf('missing-claim', step, member, `the claim ${member} is missing`);
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return defectOf('malformed-claim', step, member, `the claim ${member} is not a number of seconds`);
  }
  return value;
}

export function checkIssuedAt(proof: ParsedProof, { now }: ProofSubject, rules: VerificationRules) {
  const issuedAt = numericDate(proof, CLAIM.issuedAt, 'h');
  if (typeof issuedAt !== 'number') return issuedAt;
  if (issuedAt < now - rules.pastSeconds) {
    return defectOf('stale', 'h', CLAIM.issuedAt, 'iat is too long ago');
  }
  if (issuedAt > now + rules.futureSeconds) {
    return defectOf('from-the-future', 'h', CLAIM.issuedAt, 'iat is in the future');
  }
  return undefined;
}

/** The draft gives `exp` no meaning; RFC 7519 §4.1.4 forbids processing a JWT beyond it all the same. */
export function checkExpiry(proof: ParsedProof, { now }: ProofSubject) {
  if (!Object.hasOwn(proof.claims, CLAIM.expires)) return undefined;
  const expires = numericDate(proof, CLAIM.expires, 'form');
  if (typeof expires !== 'number') return expires;
  return expires > now ? undefined : defectOf('expired', 'form', CLAIM.expires, 'the proof has expired');
}

export function checkNotBefore(proof: ParsedProof, { now }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.notBefore)) return undefined;
  const notBefore = numericDate(proof, CLAIM.notBefore, 'form');
  if (typeof notBefore !== 'number') return notBefore;
  if (notBefore <= now + rules.futureSeconds) return undefined;
  return defectOf('not-yet-valid', 'form', CLAIM.notBefore, 'the proof is not valid yet');
}

export function checkMethod(proof: ParsedProof, { request }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.method)) return undefined;
  const htm = requiredText(proof, CLAIM.method, 'i');
  if (typeof htm !== 'string') return htm;
  if (rules.matchesMethod(htm, request)) return undefined;
  return defectOf('wrong-method', 'i', CLAIM.method, 'htm is not the method of this request');
}

export function checkTarget(proof: ParsedProof, { request }: ProofSubject, rules: VerificationRules) {
  if (!Object.hasOwn(proof.claims, CLAIM.target)) return undefined;
  const htu = requiredText(proof, CLAIM.target, 'i');
  if (typeof htu !== 'string') return htu;
  if (rules.matchesTarget(htu, request)) return undefined;
  return defectOf('wrong-target', 'i', CLAIM.target, 'htu is not the target of this request');
}

export function checkIdentifier(proof: ParsedProof, { claimIdentifier }: ProofSubject) {
  if (!Object.hasOwn(proof.claims, CLAIM.identifier)) return undefined;
  const jti = requiredText(proof, CLAIM.identifier, 'i');
  if (typeof jti !== 'string') return jti;
  if (jti === '') return defectOf('malformed-claim', 'i', CLAIM.identifier, 'the claim jti is empty');
  if (claimIdentifier(jti)) return undefined;
  return defectOf('replayed', 'i', CLAIM.identifier, 'a proof with this jti was presented before');
}
