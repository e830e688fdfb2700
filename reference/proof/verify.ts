import { timingSafeEqual } from 'node:crypto';
import { algorithmsFor } from './algorithms.ts';
import { Checks } from './checks.ts';
import {
  checkExpiry,
  checkExporter,
  checkIdentifier,
  checkIssuedAt,
  checkMethod,
  checkNotBefore,
  checkTarget,
  checkTokenHash,
} from './claim-checks.ts';
import { accessTokenHash, encodeBase64url } from './encoding.ts';
import {
  checkAlgorithm,
  checkCritical,
  checkSignature,
  checkThumbprint,
  checkType,
  checkUnencoded,
} from './header-checks.ts';
import { parseProof, type ParsedProof } from './parse.ts';
import { matchesMethod, matchesTarget } from './request-target.ts';
import type { CheckName, ProofCheck, ProofVerifier, VerificationRules } from './subject.ts';
import { CLAIM, PROOF_TYPE } from './vocabulary.ts';

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
