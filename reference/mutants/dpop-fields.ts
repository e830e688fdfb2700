import { decodeJwt } from 'jose';
import { createDpopVerifier } from '../dpop/verify.ts';
import { dpopProofsOf } from '../resource-server/credentials.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

/** The reference that makes something else of the values of the DPoP fields. */
function reading(read: (values: readonly string[]) => readonly string[]): TargetVariant {
  return { parts: () => ({ dpopProofsOf: (request) => read(dpopProofsOf(request)) }) };
}

/** The key that a JWT is bound to. */
function keyOf(token: string): unknown {
  const { cnf } = isJwt(token) ? decodeJwt(token) : {};
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : undefined;
}

const SEPARATOR = '\n';

/** All values at once are handed on, and one that holds is enough. */
function anyHolds(): TargetVariant {
  const verify = createDpopVerifier();
  return {
    parts: () => ({
      dpopProofsOf(request) {
        const values = dpopProofsOf(request);
        return values.length === 0 ? [] : [values.join(SEPARATOR)];
      },
      async verifyDpop(subject) {
        const results = await Promise.all(
          subject.proof.split(SEPARATOR).map((proof) => verify({ ...subject, proof })),
        );
        const bound = keyOf(subject.token);
        return results.find((one) => one.holds && one.keyThumbprint === bound) ?? verify(subject);
      },
    }),
  };
}

/** Mistakes with several DPoP fields (RFC 9449 §4.3 items 1 and 2). */
export const dpopFieldsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-672',
    mistake: 'takes the first of several DPoP fields',
    breaks: ['RS-DPOP-8'],
    variant: () => reading((values) => values.slice(0, 1)),
  },
  {
    id: 'M-RS-673',
    mistake: 'takes the last of several DPoP fields',
    breaks: ['RS-DPOP-8'],
    variant: () => reading((values) => values.slice(-1)),
  },
  {
    id: 'M-RS-674',
    mistake:
      'joins several DPoP fields with commas as HTTP does for lists, and takes the first proof in the list',
    breaks: ['RS-DPOP-8'],
    variant: () => reading((values) => values.join(', ').split(', ').slice(0, 1)),
  },
  {
    id: 'M-RS-675',
    mistake: 'takes several DPoP fields that say the same for one',
    breaks: ['RS-DPOP-8'],
    variant: () => reading((values) => [...new Set(values)]),
  },
  {
    id: 'M-RS-676',
    mistake: 'goes through the DPoP fields until one holds by the key that the token is bound to',
    breaks: ['RS-DPOP-8'],
    variant: anyHolds,
  },
  {
    id: 'M-RS-677',
    mistake: 'counts the DPoP fields, and takes the last part of the one where that is a list',
    breaks: ['RS-DPOP-8'],
    variant: () =>
      reading((values) => (values.length > 1 ? values : (values[0]?.split(', ').slice(-1) ?? []))),
  },
];
