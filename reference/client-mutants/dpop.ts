import { generateKeyPairSync, sign } from 'node:crypto';
import { defaultClientParts } from '../client/parts.ts';
import { type DpopProofs, DpopSource } from '../client/dpop.ts';
import { confirmationOf } from '../client/token-binding.ts';
import { createDpopProof, type DpopContent, type DpopSigner } from '../dpop/create.ts';
import { dpopKeyOf } from '../proof/confirmation.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';

/** The reference client that gets its DPoP proofs elsewhere; `inner` is where the reference would get them. */
function provingDpop(dpopProofsOf: (inner: DpopProofs) => Partial<DpopProofs>): ClientVariant {
  return withParts(() => ({
    dpopProofsOf(policy, clock) {
      const inner = defaultClientParts.dpopProofsOf(policy, clock);
      return {
        proofFor: (request) => inner.proofFor(request),
        heard: (origin, headers) => inner.heard(origin, headers),
        ...dpopProofsOf(inner),
      };
    },
  }));
}

/** The reference client whose DPoP proofs say something else. */
function saying(change: (right: DpopContent) => DpopContent): ClientVariant {
  return withParts(() => ({
    dpopProofsOf: (policy, clock) =>
      new DpopSource(policy, clock, (signer, content) => createDpopProof(signer, change(content))),
  }));
}

/** The right proof, with another digest than that of the key's curve. */
function asEs384(signer: DpopSigner, content: DpopContent): string {
  const [header = '', payload = ''] = createDpopProof(signer, content).split('.');
  const named = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), alg: 'ES384' };
  const input = `${encodeBase64url(JSON.stringify(named))}.${payload}`;
  const options = { key: signer.key, dsaEncoding: 'ieee-p1363' } as const;
  return `${input}.${encodeBase64url(sign('sha384', Buffer.from(input), options))}`;
}

function hasDpopKey(token: string): boolean {
  const confirmation = confirmationOf(token);
  return confirmation !== undefined && dpopKeyOf(confirmation) !== undefined;
}

/** Mistakes with tokens that are bound to a DPoP key too (draft -06 §4.2, RFC 9449). */
export const dpopMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-300',
    mistake: 'sends no session-binding proof with a token that has a DPoP key',
    breaks: ['CL-DPOP-1'],
    variant: () =>
      proving((inner) => ({
        proofFor: (request) => (hasDpopKey(request.token) ? undefined : inner.proofFor(request)),
      })),
  },
  {
    id: 'M-CL-301',
    mistake: 'sends a DPoP proof only under the scheme DPoP',
    breaks: ['CL-DPOP-1'],
    variant: () =>
      provingDpop((inner) => ({
        proofFor: (request) => (request.underDpop ? inner.proofFor(request) : undefined),
      })),
  },
  {
    id: 'M-CL-302',
    mistake: 'keeps the DPoP proof of a token for the connection, as it does with the session-binding proof',
    breaks: ['CL-DPOP-1'],
    variant: () => {
      const made = new Map<string, string | undefined>();
      return provingDpop((inner) => ({
        proofFor(request) {
          if (!made.has(request.token)) made.set(request.token, inner.proofFor(request));
          return made.get(request.token);
        },
      }));
    },
  },
  {
    id: 'M-CL-303',
    mistake: 'pays no heed to nonces',
    breaks: ['CL-DPOP-1'],
    variant: () => provingDpop(() => ({ heard: () => false })),
  },
  {
    id: 'M-CL-304',
    mistake: 'hashes a token with its scheme into ath of a DPoP proof',
    breaks: ['CL-DPOP-1'],
    variant: () => saying((content) => ({ ...content, token: `DPoP ${content.token}` })),
  },
  {
    id: 'M-CL-305',
    mistake: 'leaves the port out of htu of a DPoP proof',
    breaks: ['CL-DPOP-1'],
    variant: () => saying((content) => ({ ...content, target: content.target.replace(/:\d+\//, '/') })),
  },
  {
    id: 'M-CL-355',
    mistake: 'refuses requests under the scheme DPoP',
    breaks: ['CL-DPOP-1'],
    variant: () => ({
      sidecar: {
        destinationOf: (request, upstream) =>
          /^dpop /i.test(request.headers.authorization ?? '')
            ? { status: 403, text: 'this scheme is not served here' }
            : defaultSidecarParts.destinationOf(request, upstream),
      },
    }),
  },
  {
    id: 'M-CL-450',
    mistake: 'signs DPoP proofs with ES384 by its P-256 key, as its library lets it',
    breaks: ['CL-DPOP-1'],
    variant: () =>
      withParts(() => ({
        dpopProofsOf: (policy, clock) => new DpopSource(policy, clock, asEs384),
      })),
  },
  {
    id: 'M-CL-306',
    mistake: 'proves with a DPoP key of its own making instead of the one that the token is bound to',
    breaks: ['CL-DPOP-1'],
    variant: () =>
      withParts(() => ({
        dpopProofsOf(_policy, clock) {
          const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
          return new DpopSource({ key, tokens: 'all' }, clock);
        },
      })),
  },
];
