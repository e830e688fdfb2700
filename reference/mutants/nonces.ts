import { createNonceSource, type NonceSource } from '../dpop/nonces.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

/** The reference that demands nonces, and recognizes them in another way. */
function recognizing(accepts: (nonce: string, given: string) => boolean): () => TargetVariant {
  return () => {
    const source = createNonceSource();
    const nonces: NonceSource = {
      current: (now) => source.current(now),
      accepts: (nonce, now) =>
        source.accepts(nonce, now) || (typeof nonce === 'string' && accepts(nonce, source.current(now))),
    };
    return { parts: () => ({ verifyDpop: createDpopVerifier({ rules: { nonces } }) }) };
  };
}

/** Mistakes with the nonces that a server demands in DPoP proofs (RFC 9449 §8, §9). */
export const noncesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-535',
    mistake: 'demands a nonce in each DPoP proof, and accepts any',
    breaks: ['RS-DPOP-1'],
    variant: recognizing((nonce) => nonce !== ''),
  },
  {
    id: 'M-RS-536',
    mistake: 'compares the nonce of a DPoP proof without letter case',
    breaks: ['RS-DPOP-1'],
    variant: recognizing((nonce, given) => nonce.toLowerCase() === given.toLowerCase()),
  },
  {
    id: 'M-RS-537',
    mistake: 'compares the nonce of a DPoP proof as far as the client’s goes',
    breaks: ['RS-DPOP-1'],
    variant: recognizing((nonce, given) => given.startsWith(nonce)),
  },
  {
    id: 'M-RS-538',
    mistake: 'keeps the nonces that it has given as members of a plain object',
    breaks: ['RS-DPOP-1'],
    variant: recognizing((nonce) => nonce in {}),
  },
];
