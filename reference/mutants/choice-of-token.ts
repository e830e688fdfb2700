import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { bearerTokenOf } from '../resource-server/credentials.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import type { Mutant } from './mutant.ts';
import { checksUnless, PROOF_CHECKS } from './skipped-checks.ts';

const BEARER = /^bearer +(\S+)$/i;

function tokensOf(request: HttpRequest): readonly string[] {
  return fieldValues(request, 'authorization').flatMap((field) => BEARER.exec(field)?.[1] ?? []);
}

function isUnbound(token: string | undefined): boolean {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null && !('cnf' in claims);
  } catch {
    return false;
  }
}

/** Mistakes with which token decides (draft -06 §3.3.2 steps 4 and 5d). */
export const choiceOfTokenMutants: readonly Mutant[] = [
  {
    id: 'M-RS-220',
    mistake:
      'takes the token from the first of two Authorization fields, and looks into the last one for cnf',
    breaks: ['RS-FLD-7'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) => {
          const [first, ...more] = tokensOf(request);
          return first === undefined || more.length === 0 ? bearerTokenOf(request) : first;
        },
        checks: checksUnless(PROOF_CHECKS, ({ request }) => isUnbound(tokensOf(request).at(-1))),
      }),
    }),
  },
  {
    id: 'M-RS-221',
    mistake:
      'takes a certificate-bound token for one that is bound to TLS sessions where it requires binding',
    breaks: ['RS-CNF-5'],
    gains: ['binding-required'],
    variant: () => ({
      parts: () => ({
        checks: defaultPresentationChecks.with('binding-required', ({ confirmation }) =>
          confirmation.kind === 'none'
            ? invalidToken('only bound access tokens are accepted here')
            : undefined,
        ),
      }),
    }),
  },
  {
    id: 'M-RS-400',
    mistake:
      'requires that the cnf of a token has tls_exp where it requires binding, and not that a token has cnf',
    breaks: ['RS-CNF-5'],
    gains: ['binding-required'],
    variant: () => {
      const { run } = defaultPresentationChecks.get('binding-required');
      const checks = defaultPresentationChecks.with('binding-required', (presentation, parts) =>
        presentation.confirmation.kind === 'none'
          ? undefined
          : run(presentation, { ...parts, requireBinding: true }),
      );
      return { parts: () => ({ checks }) };
    },
  },
];
