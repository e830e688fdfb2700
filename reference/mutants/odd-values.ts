import { type Algorithm, algorithmsFor } from '../proof/algorithms.ts';
import { checkTokenHash } from '../proof/claim-checks.ts';
import type { VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks, defaultRules } from '../proof/verify.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { verifying, withRules } from './proof-variants.ts';

/** The reference that looks at a signature in its own way before it verifies it. */
function knowing(looksRight: (signature: Buffer) => boolean): TargetVariant {
  const careless = (algorithm: Algorithm): Algorithm => ({
    ...algorithm,
    verify: (key, input, signature) =>
      looksRight(Buffer.from(signature)) && algorithm.verify(key, input, signature),
  });
  return withRules({ algorithms: (key) => algorithmsFor(key).map(careless) });
}

/** Whether two hashes are the same up to the first zero octet, which is where C's string functions end. */
function sameAsCString(expected: string, received: string): boolean {
  const [left, right] = [Buffer.from(expected, 'base64url'), Buffer.from(received, 'base64url')];
  if (right.length !== 32 || right.toString('base64url') !== received) return false;
  const end = left.indexOf(0);
  return end < 0 ? left.equals(right) : left.subarray(0, end + 1).equals(right.subarray(0, end + 1));
}

/** Takes off the ends what does not look like a part of an identifier. */
function tidied(text: string): string {
  return text.replace(/^[-_]+|[-_]+$/g, '');
}

/** The reference that compares the hash of the token in its own way. */
function comparingTokenHashes(same: VerificationRules['same']): TargetVariant {
  const checks = defaultChecks.with('token-hash', (proof, subject, rules) =>
    checkTokenHash(proof, subject, { ...rules, same }),
  );
  return verifying(createVerifier({ checks }));
}

/** The reference that compares thumbprints in its own way. */
function comparingThumbprints(same: (presented: string, bound: string) => boolean): TargetVariant {
  const checks = defaultPresentationChecks.with('certificate-thumbprint', ({ confirmation, connection }) => {
    if (confirmation.kind !== 'certificate' && confirmation.kind !== 'session') return undefined;
    return same(connection.certificate?.thumbprint ?? '', confirmation.thumbprint)
      ? undefined
      : invalidToken('the access token is bound to another client certificate');
  });
  return { parts: () => ({ checks }) };
}

/** A proof with its zero octets at the end of ekm taken for padding: they are cut off, and as much is compared. */
function withoutPadding(expected: string, received: string): boolean {
  const octets = Buffer.from(received, 'base64url');
  const length = octets.findLastIndex((octet) => octet !== 0) + 1;
  const isOfThatLength = octets.length === 32 && length < 32 && length >= 4;
  return isOfThatLength
    ? Buffer.from(expected, 'base64url').subarray(0, length).equals(octets.subarray(0, length))
    : defaultRules.same(expected, received);
}

/** Mistakes that show in one of many valid values (draft -06 §2.3, §3.3.2 step 5). */
export const oddValuesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-750',
    mistake: 'takes a signature for DER where it begins with 0x30',
    breaks: ['RS-SIG-5'],
    variant: () => knowing(([first]) => first !== 0x30),
  },
  {
    id: 'M-RS-751',
    mistake: 'reads R and S as numbers, and refuses them where they come out shorter than the curve’s order',
    breaks: ['RS-SIG-5'],
    also: ['TLSv1.3 http/1.1 P-384'],
    variant: () =>
      knowing((signature) => {
        const half = signature.length / 2;
        // Those of P-521 begin with seven bits that are none of theirs.
        return signature.length === 132 || (signature[0] !== 0 && signature[half] !== 0);
      }),
  },
  {
    id: 'M-RS-752',
    mistake: 'takes a signature whose first octet is zero for an empty one',
    breaks: ['RS-SIG-5'],
    also: ['TLSv1.3 http/1.1 RSA'],
    variant: () => knowing(([first]) => first !== 0),
  },
  {
    id: 'M-RS-753',
    mistake: 'decodes ath and compares it with strcmp',
    breaks: ['RS-PL-2'],
    variant: () => comparingTokenHashes(sameAsCString),
  },
  {
    id: 'M-RS-754',
    mistake: 'trims - and _ off the ends of the claims that it compares',
    breaks: ['RS-PL-2'],
    variant: () => withRules({ same: (expected, received) => defaultRules.same(expected, tidied(received)) }),
  },
  {
    id: 'M-RS-755',
    mistake: 'decodes thumbprints and compares them with strcmp',
    breaks: ['RS-MTLS-4'],
    variant: () => comparingThumbprints(sameAsCString),
  },
  {
    id: 'M-RS-756',
    mistake: 'trims - and _ off the ends of the thumbprint in a token',
    breaks: ['RS-MTLS-4'],
    variant: () => comparingThumbprints((presented, bound) => presented === tidied(bound)),
  },
  {
    id: 'M-RS-757',
    mistake: 'takes zero octets at the end of ekm for padding, and compares what stands before them',
    breaks: ['RS-EKM-2'],
    variant: () => withRules({ same: withoutPadding }),
  },
];
