import { decodeJwt } from 'jose';
import { createDpopVerifier } from '../dpop/verify.ts';
import { checkIdentifier } from '../proof/claim-checks.ts';
import { defectOf } from '../proof/defect.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import { createIdentifierStore } from '../resource-server/identifiers.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Variant } from './variant.ts';

/** Accepts no jti that is not of this form. */
function only(form: RegExp): TargetVariant {
  const checks = defaultChecks.with('identifier', (proof, subject) => {
    const jti = proof.claims[CLAIM.identifier];
    if (typeof jti === 'string' && !form.test(jti))
      return defectOf('malformed-claim', 'i', CLAIM.identifier, 'the claim jti is not acceptable here');
    return checkIdentifier(proof, subject);
  });
  return { parts: () => ({ verifyProof: createVerifier({ checks }) }) };
}

/** Forgets the jti of a DPoP proof when its iat has left the window. */
function untilStale(): TargetVariant {
  const pastSeconds = 300;
  const verify = createDpopVerifier({ rules: { pastSeconds } });
  const issuedAt = new Map<string, number>();
  const until = new Map<string, number>();
  return {
    parts: () => ({
      async verifyDpop(subject) {
        const verification = await verify(subject);
        if (verification.holds) issuedAt.set(verification.identifier, decodeJwt(subject.proof).iat ?? 0);
        return verification;
      },
      dpopIdentifiers: {
        claim(_tokenHash, jti, _expiresAt, now) {
          if (now <= (until.get(jti) ?? 0)) return false;
          until.set(jti, (issuedAt.get(jti) ?? 0) + pastSeconds);
          return true;
        },
      },
    }),
  };
}

/** Freedom in what is accepted as a jti, and in what it is remembered for (draft -06 §2.3.2.2, AMB-29). */
export const identifierVariants: readonly Variant[] = [
  {
    id: 'V-RS-jti-once-for-all',
    difference: 'accepts a jti once for all tokens together (AMB-29)',
    variant: () => {
      const [session, dpop] = [createIdentifierStore(), createIdentifierStore()];
      return {
        parts: () => ({
          identifiers: { claim: (_token, jti, _expiresAt, now) => session.claim('', jti, undefined, now) },
          dpopIdentifiers: { claim: (_token, jti, _expiresAt, now) => dpop.claim('', jti, undefined, now) },
        }),
      };
    },
  },
  {
    id: 'V-RS-jti-short',
    difference: 'accepts no jti of more than 64 characters',
    variant: () => only(/^.{1,64}$/s),
  },
  {
    id: 'V-RS-jti-printable',
    difference: 'accepts a jti of visible ASCII characters only',
    variant: () => only(/^[!-~]+$/),
  },
  {
    id: 'V-RS-jti-few',
    difference: 'accepts at most 20 different jti values for one token, and rejects further ones',
    variant: () => ({ parts: () => ({ identifiers: createIdentifierStore(20) }) }),
  },
  {
    id: 'V-RS-dpop-jti-window',
    difference: 'forgets the jti of a DPoP proof when that proof has become too old (RFC 9449 §11.1)',
    variant: untilStale,
  },
];
