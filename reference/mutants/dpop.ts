import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import {
  createDpopVerifier,
  defaultDpopChecks,
  type DpopCheckName,
  type DpopRules,
  type OpenedDpopProof,
} from '../dpop/verify.ts';
import { DPOP_FIELD_LOWER, DPOP_TYPE } from '../dpop/vocabulary.ts';
import { type Confirmation, dpopKeyOf, readConfirmation } from '../proof/confirmation.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { PROOF_FIELD_LOWER, PROOF_TYPE } from '../proof/vocabulary.ts';
import {
  defaultPresentationChecks,
  type Presentation,
  type PresentationCheckName,
} from '../resource-server/admission.ts';
import { bearerTokenOf, isUnderDpop } from '../resource-server/credentials.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import { invalidToken, underDpop } from '../resource-server/refusal.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { checksUnless, PROOF_CHECKS, skipping } from './skipped-checks.ts';

const DPOP_CHECKS: readonly PresentationCheckName[] = ['dpop-proof', 'dpop-identifier'];

function verifying(rules: Partial<DpopRules>): TargetVariant {
  return { parts: () => ({ verifyDpop: createDpopVerifier({ rules }) }) };
}

function withoutChecks(...names: readonly DpopCheckName[]): TargetVariant {
  const checks = names.reduce((all, name) => all.without(name), defaultDpopChecks);
  return { parts: () => ({ verifyDpop: createDpopVerifier({ checks }) }) };
}

/** The proof as it says of itself, signature or not. */
async function believe(proof: string): Promise<OpenedDpopProof | undefined> {
  try {
    const { jwk, typ } = decodeProtectedHeader(proof);
    if (jwk === undefined || typ !== DPOP_TYPE) return undefined;
    return { claims: decodeJwt(proof), keyThumbprint: await calculateJwkThumbprint(jwk) };
  } catch {
    return undefined;
  }
}

/** Verifies the signature of a proof, of whatever type it says that it is. */
async function openAnyType(proof: string): Promise<OpenedDpopProof | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK);
    return { claims: payload, keyThumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) };
  } catch {
    return undefined;
  }
}

/** Proofs of both fields, told apart by what they say that they are. */
function proofsByType(typ: string) {
  return (request: HttpRequest): readonly string[] =>
    [PROOF_FIELD_LOWER, DPOP_FIELD_LOWER]
      .flatMap((name) => fieldValues(request, name))
      .filter((proof) => {
        try {
          return decodeProtectedHeader(proof).typ === typ;
        } catch {
          return false;
        }
      });
}

function withoutKey(confirmation: Confirmation): Confirmation {
  if (confirmation.kind !== 'certificate' && confirmation.kind !== 'session') return confirmation;
  const { dpopKey: _key, ...rest } = confirmation;
  return rest;
}

/** A server without DPoP in two releases, of which the one that gets every second token bound in both ways fails at it. */
function runsTwoReleases(): TargetVariant {
  let seen = 0;
  return {
    parts: () => ({
      tokenOf: bearerTokenOf,
      isUnderDpop: () => false,
      readConfirmation(cnf) {
        const confirmation = readConfirmation(cnf);
        if (confirmation.kind === 'session' && dpopKeyOf(confirmation) !== undefined) {
          seen += 1;
          if (seen % 2 === 1) throw new TypeError('jkt is no member of cnf');
        }
        return confirmation.kind === 'key'
          ? { kind: 'unusable', description: 'the access token is bound in no way that is known here' }
          : withoutKey(confirmation);
      },
    }),
  };
}

/** Mistakes with DPoP beside session binding (draft -06 §4.2, RFC 9449). */
export const dpopMutants: readonly Mutant[] = [
  {
    id: 'M-RS-106',
    mistake: 'asks for one proof of possession, and takes a right DPoP proof for it',
    breaks: ['RS-DPOP-1', 'RS-DPOP-2'],
    variant: () => skipping(PROOF_CHECKS, ({ dpop }) => dpop?.holds === true),
  },
  {
    id: 'M-RS-300',
    mistake: 'ignores jkt where the token is bound to a certificate too',
    breaks: ['RS-DPOP-1', 'RS-DPOP-2'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) => withoutKey(readConfirmation(cnf)),
        isUnderDpop: () => false,
      }),
    }),
  },
  {
    id: 'M-RS-301',
    mistake: 'verifies DPoP proofs only under the scheme DPoP',
    breaks: ['RS-DPOP-2'],
    variant: () => skipping(DPOP_CHECKS, ({ request }) => !isUnderDpop(request)),
  },
  {
    id: 'M-RS-302',
    mistake: 'verifies session-binding proofs only under the scheme Bearer',
    breaks: ['RS-DPOP-1', 'RS-DPOP-2'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => isUnderDpop(request)),
  },
  {
    id: 'M-RS-303',
    mistake: 'does not hold the key of a DPoP proof against jkt',
    breaks: ['RS-DPOP-1'],
    variant: () => skipping(['dpop-proof'], ({ dpop }) => dpop?.holds === true),
  },
  {
    id: 'M-RS-304',
    mistake: 'does not verify the signature of a DPoP proof',
    breaks: ['RS-DPOP-1'],
    variant: () => verifying({ open: believe }),
  },
  {
    id: 'M-RS-305',
    mistake: 'does not compare ath of a DPoP proof, since that of the session-binding proof is compared',
    breaks: ['RS-DPOP-1'],
    variant: () => withoutChecks('token-hash'),
  },
  {
    id: 'M-RS-306',
    mistake:
      'compares neither htm nor htu of a DPoP proof, since the session-binding proof is bound to the connection',
    breaks: ['RS-DPOP-1'],
    variant: () => withoutChecks('method', 'target'),
  },
  {
    id: 'M-RS-307',
    mistake: 'takes a DPoP proof any number of times',
    breaks: ['RS-DPOP-1'],
    variant: () => skipping(['dpop-identifier'], () => true),
  },
  {
    id: 'M-RS-308',
    mistake: 'takes DPoP proofs of any age',
    breaks: ['RS-DPOP-1'],
    variant: () => withoutChecks('issued-at'),
  },
  {
    id: 'M-RS-309',
    mistake: 'asks for no DPoP proof where a binding of the token was verified on the connection before',
    breaks: ['RS-DPOP-1'],
    variant: () =>
      skipping(DPOP_CHECKS, ({ key, tokenHash }, { bindings }) => bindings.get(key, tokenHash) !== undefined),
  },
  {
    id: 'M-RS-310',
    mistake: 'gathers proofs from both fields, and tells them apart by their type',
    breaks: ['RS-DPOP-4'],
    variant: () => ({
      parts: () => ({ proofsOf: proofsByType(PROOF_TYPE), dpopProofsOf: proofsByType(DPOP_TYPE) }),
    }),
  },
  {
    id: 'M-RS-311',
    mistake: 'takes a token that is bound to a DPoP key alone for a bearer token under the scheme Bearer',
    breaks: ['RS-DPOP-1'],
    variant: () =>
      skipping(
        ['scheme', ...DPOP_CHECKS],
        ({ request, confirmation }) => !isUnderDpop(request) && confirmation.kind === 'key',
      ),
  },
  {
    id: 'M-RS-312',
    mistake: 'reads jkt of JWTs only, not of introspection responses',
    breaks: ['RS-DPOP-1'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          if (grant === undefined || isJwt(token) || typeof grant.confirmation !== 'object') return grant;
          const { jkt: _jkt, ...rest } = { jkt: undefined, ...grant.confirmation };
          return { ...grant, confirmation: Object.keys(rest).length === 0 ? undefined : rest };
        },
      }),
    }),
  },
  {
    id: 'M-RS-313',
    mistake: 'compares ekm only where there is no DPoP proof',
    breaks: ['RS-DPOP-1'],
    variant: () => {
      const { run } = defaultPresentationChecks.get('proof');
      const verifyProof = createVerifier({ checks: defaultChecks.without('exporter') });
      const checks = defaultPresentationChecks.with('proof', (presentation, parts) =>
        run(presentation, presentation.dpop?.holds === true ? { ...parts, verifyProof } : parts),
      );
      return { parts: () => ({ checks }) };
    },
  },
  {
    id: 'M-RS-314',
    mistake:
      'settles with the first token on a connection whether DPoP or session binding is asked for on it',
    breaks: ['RS-DPOP-6'],
    variant: () => {
      const modes = new WeakMap<object, 'dpop' | 'session'>();
      const modeOf = ({ key, confirmation }: Presentation) => {
        const mode = modes.get(key) ?? (confirmation.kind === 'key' ? 'dpop' : 'session');
        modes.set(key, mode);
        return mode;
      };
      return skipping(PROOF_CHECKS, (presentation) => modeOf(presentation) === 'dpop');
    },
  },
  {
    id: 'M-RS-315',
    mistake: 'knows one mechanism for each token, and refuses a token that is bound in both ways',
    breaks: ['RS-DPOP-2'],
    variant: () => {
      const { run } = defaultPresentationChecks.get('scheme');
      const checks = defaultPresentationChecks.with('scheme', (presentation, parts) => {
        const { confirmation } = presentation;
        if (confirmation.kind !== 'session' || confirmation.dpopKey === undefined)
          return run(presentation, parts);
        return underDpop(invalidToken('the access token is bound in two ways'));
      });
      return { parts: () => ({ checks }) };
    },
  },
  {
    id: 'M-RS-316',
    mistake: 'does not check typ of a DPoP proof',
    breaks: ['RS-DPOP-1'],
    variant: () => verifying({ open: openAnyType }),
  },
  {
    id: 'M-RS-407',
    mistake:
      'refuses a token bound in both ways where one of the two proofs is there without the other, and forgets that both may be missing',
    breaks: ['RS-DPOP-1', 'RS-DPOP-2'],
    variant: () =>
      skipping(
        [...PROOF_CHECKS, ...DPOP_CHECKS],
        ({ confirmation, request, proofs }, { dpopProofsOf }) =>
          confirmation.kind === 'session' &&
          confirmation.dpopKey !== undefined &&
          proofs.length === 0 &&
          dpopProofsOf(request).length === 0,
      ),
  },
  {
    id: 'M-RS-408',
    mistake:
      'leaves a request with a DPoP proof to what verifies those, which lets tokens pass that are bound to no DPoP key',
    breaks: ['RS-DPOP-3'],
    variant: () =>
      skipping(
        PROOF_CHECKS,
        ({ confirmation, request }, { dpopProofsOf }) =>
          dpopKeyOf(confirmation) === undefined && dpopProofsOf(request).length > 0,
      ),
  },
  {
    id: 'M-RS-409',
    mistake:
      'asks for no DPoP proof of a token bound to a DPoP key alone on a connection that a Session-Binding Proof was verified for',
    breaks: ['RS-DPOP-6'],
    variant: () => {
      const proven = new WeakSet<object>();
      const checks = checksUnless(
        DPOP_CHECKS,
        ({ key, confirmation }) => confirmation.kind === 'key' && proven.has(key),
      );
      const { run } = checks.get('proof');
      return {
        parts: () => ({
          checks: checks.with('proof', (presentation, parts) => {
            const refusal = run(presentation, parts);
            if (refusal === undefined && presentation.confirmation.kind === 'session')
              proven.add(presentation.key);
            return refusal;
          }),
        }),
      };
    },
  },
  {
    id: 'M-RS-413',
    mistake:
      'knows nothing of DPoP, and runs in two releases by turns, of which one ignores jkt beside tls_exp and the other fails at it',
    breaks: ['RS-DPOP-5'],
    lacks: ['dpop'],
    variant: runsTwoReleases,
  },
];
