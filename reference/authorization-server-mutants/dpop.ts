import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { errors, type KoaContextWithOIDC, type UnknownObject } from 'oidc-provider';
import { type ProvenKey, provingKey } from '../authorization-server/dpop.ts';
import { TOKEN_EXCHANGE } from '../authorization-server/exchange-request.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import { DPOP_FIELD } from '../dpop/vocabulary.ts';
import { Checks } from '../proof/checks.ts';
import { answering, binding, parameter, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** What a DPoP proof says of its key, whether it is right or not. */
async function claimedKeyOf(context: KoaContextWithOIDC): Promise<ProvenKey | undefined> {
  const proof = context.get(DPOP_FIELD);
  if (proof === '') return undefined;
  const { jwk } = decodeProtectedHeader(proof);
  if (jwk === undefined) throw new errors.InvalidDpopProof('there is no key');
  return { thumbprint: await calculateJwkThumbprint(jwk), identifier: crypto.randomUUID() };
}

/** Whether the subject token of an exchange is bound to a DPoP key. */
function hasKey(context: KoaContextWithOIDC): boolean {
  const token = parameter(context, 'subject_token') ?? '';
  if (token.split('.').length !== 3) return false;
  return Object.hasOwn(Object.assign({}, decodeJwt(token)['cnf']), 'jkt');
}

/** The answer to a token exchange. */
function isExchanged(body: UnknownObject): boolean {
  return body['issued_token_type'] !== undefined;
}

/** Mistakes with DPoP in a token exchange (draft -06 §4.2; RFC 9449 §5). */
export const dpopMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-151',
    mistake: 'takes the key of a DPoP proof in an exchange, and does not verify the proof',
    breaks: ['AS-CNF-6'],
    variant: () => withParts({ provenKeyOf: claimedKeyOf }),
  },
  {
    id: 'M-AS-152',
    mistake: 'verifies of the DPoP proof in an exchange its signature alone',
    breaks: ['AS-CNF-6'],
    variant: () => withParts({ provenKeyOf: provingKey(createDpopVerifier({ checks: new Checks([]) })) }),
  },
  {
    id: 'M-AS-153',
    mistake: 'binds the token of an exchange to the DPoP key alone where there is a proof',
    breaks: ['AS-CNF-6', 'AS-TX-1'],
    variant: () =>
      binding({
        isRequired: (issuance) =>
          defaultSessionBinding.isRequired(issuance) &&
          !(issuance.grantType === TOKEN_EXCHANGE && issuance.context.get(DPOP_FIELD) !== ''),
      }),
  },
  {
    id: 'M-AS-154',
    mistake: 'passes the binding of a subject token on only where that has no DPoP key',
    breaks: ['AS-TX-1'],
    variant: () =>
      binding({
        isRequired: (issuance) =>
          defaultSessionBinding.isRequired({
            ...issuance,
            inherited: issuance.inherited && !hasKey(issuance.context),
          }),
      }),
  },
  {
    id: 'M-AS-155',
    mistake: 'exchanges a DPoP-bound token for a bearer token where there is no DPoP proof',
    breaks: ['AS-TX-8'],
    variant: () => withParts({ needsNoKey: () => true }),
  },
  {
    id: 'M-AS-156',
    mistake: 'says token_type Bearer of an exchanged token that is bound to a DPoP key',
    breaks: ['AS-CNF-6'],
    variant: () =>
      answering('/token', (body) => (isExchanged(body) ? { ...body, token_type: 'Bearer' } : body)),
  },
];
