import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { parseProof } from '../proof/parse.ts';
import { HEADER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

const thumbprintCheck = defaultPresentationChecks.get('certificate-thumbprint').run;

/** Step 5c against what the proof says of a certificate. */
function thumbprintOfHeader(): TargetVariant {
  return {
    parts: () => ({
      verifyProof: createVerifier({ checks: defaultChecks.without('thumbprint') }),
      checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
        const { confirmation, proofs } = presentation;
        const proof = parseProof(proofs[0] ?? '');
        const named = 'header' in proof ? proof.header[HEADER.certificate] : undefined;
        const matches = 'thumbprint' in confirmation && confirmation.thumbprint === named;
        return matches ? undefined : thumbprintCheck(presentation, parts);
      }),
    }),
  };
}

/** Step 5c against every client that was ever seen. */
function anyKnownClient(): TargetVariant {
  const clients = new Set<string>();
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
        const { confirmation, connection } = presentation;
        if (connection.certificate !== undefined) clients.add(connection.certificate.thumbprint);
        const known = 'thumbprint' in confirmation && clients.has(confirmation.thumbprint);
        return known ? undefined : thumbprintCheck(presentation, parts);
      }),
    }),
  };
}

/** Mistakes that open the way to an attack told in draft -06 §6.1. */
export const threatsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-216',
    mistake:
      "compares the token's thumbprint with the one in the proof's header, which is not compared with the connection's certificate",
    breaks: ['RS-T2', 'RS-T4'],
    variant: thumbprintOfHeader,
  },
  {
    id: 'M-RS-217',
    mistake: "holds the token's thumbprint against the certificates of all clients seen so far",
    breaks: [
      'RS-CACHE-1',
      'RS-MTLS-4',
      'RS-T2',
      'RS-T3',
      'RS-T4',
      'RS-T5',
      'CL-SVID-3',
      'RS-CNF-6',
      'RS-INT-1',
      'RS-MTLS-5',
      'RS-MTLS-6',
      'RS-MTLS-8',
      'RS-MTLS-11',
    ],
    variant: anyKnownClient,
  },
];
