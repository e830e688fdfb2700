import { constants, randomUUID, sign } from 'node:crypto';
import { confirmationOf } from '../client/token-binding.ts';
import { making, proving, withParts } from '../client-mutants/making.ts';
import { CLAIM, HEADER } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { provingAfterChallenge } from './after-challenge.ts';
import type { Variant } from './variant.ts';

/** RSA keys sign with RSASSA-PKCS1-v1_5. */
function pkcs1(): ClientVariant {
  return making((draft) => {
    if (draft.key.asymmetricKeyType !== 'rsa') return;
    draft.header[HEADER.algorithm] = 'RS256';
    draft.algorithm = {
      sign: (key, input) => sign('sha256', input, { key, padding: constants.RSA_PKCS1_PADDING }),
    };
  });
}

/** Freedom in how a proof is made, and when (draft -06 §2.3, §3.1 step 4, §3.3.1). */
export const proofsVariants: readonly Variant[] = [
  {
    id: 'V-CL-only-bound',
    difference:
      'proves only tokens that say they are bound, and opaque ones once that was asked for (AMB-53)',
    variant: () =>
      withParts(() => provingAfterChallenge((token) => confirmationOf(token)?.kind === 'session')),
  },
  {
    id: 'V-CL-after-challenge',
    difference: 'proves a token only once that was asked for (AMB-53)',
    variant: () => withParts(() => provingAfterChallenge(() => false)),
  },
  {
    id: 'V-CL-proof-each-time',
    difference: 'makes a new proof for each request, without claims of the request',
    variant: () => ({ client: { proofs: { lifetime: 0 } } }),
  },
  {
    id: 'V-CL-further-header',
    difference: 'writes kid and the public key into the header too',
    variant: () =>
      making((draft, signer) => {
        const jwk = signer.key.export({ format: 'jwk' });
        const { kty, crv, x, y, n, e } = jwk;
        draft.header['kid'] = 'client';
        draft.header['jwk'] = { kty, crv, x, y, n, e };
      }),
  },
  {
    id: 'V-CL-further-claims',
    difference: 'writes exp, nbf and a claim of its own into each proof',
    variant: () =>
      making(({ claims }, _signer, { issuedAt }) => {
        claims[CLAIM.expires] = issuedAt + 300;
        claims[CLAIM.notBefore] = issuedAt;
        claims['client'] = 'reference';
      }),
  },
  {
    id: 'V-CL-jti-each-time',
    difference: 'makes a proof with jti, and nothing else of the request, for each request',
    variant: () => {
      const { client } = making(({ claims }) => {
        claims[CLAIM.identifier] ??= randomUUID();
      });
      return { client: { ...client, proofs: { lifetime: 0 } } };
    },
  },
  {
    id: 'V-CL-rs256',
    difference: 'signs with RS256 where the reference takes PS256 (AMB-12)',
    also: ['TLSv1.3 http/1.1 RSA'],
    variant: pkcs1,
  },
  {
    id: 'V-CL-eddsa',
    difference: 'calls the algorithm of Ed25519 keys EdDSA (RFC 8037)',
    also: ['TLSv1.3 http/1.1 Ed25519'],
    variant: () =>
      making(({ header }) => {
        if (header[HEADER.algorithm] === 'Ed25519') header[HEADER.algorithm] = 'EdDSA';
      }),
  },
  {
    id: 'V-CL-htu-path',
    difference: 'writes htu as a path (AMB-26)',
    // Of this proof alone: in a DPoP proof it is a URI (RFC 9449 §4.2).
    variant: () =>
      proving((inner) => ({
        proofFor: (request) =>
          inner.proofFor({ ...request, target: request.target.replace(/^https:\/\/[^/]*/, '') }),
      })),
  },
];
