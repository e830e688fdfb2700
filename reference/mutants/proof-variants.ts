import type { JsonObject } from '../proof/parse.ts';
import type { ProofVerifier, VerificationRules } from '../proof/subject.ts';
import { createVerifier } from '../proof/verify.ts';
import type { TargetVariant } from '../resource-server/target.ts';

/** The reference with this way of verifying proofs. */
export function verifying(verifyProof: ProofVerifier): TargetVariant {
  return { parts: () => ({ verifyProof }) };
}

/** The reference with these rules of verification instead of the defaults. */
export function withRules(rules: Partial<VerificationRules>): TargetVariant {
  return verifying(createVerifier({ rules }));
}

/** A JSON object or array from its text; `undefined` for anything else. */
export function objectOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The text that a part of a JWT stands for. */
export function decoded(part: string | undefined): string {
  return Buffer.from(part ?? '', 'base64url').toString();
}
