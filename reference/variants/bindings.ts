import { parseProof } from '../proof/parse.ts';
import { isPerRequest } from '../proof/verify.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { createBindingCache } from '../resource-server/bindings.ts';
import type { Variant } from './variant.ts';

/** Freedom in what is remembered of a connection (draft -06 §3.3.2), and in which tokens are taken. */
export const bindingVariants: readonly Variant[] = [
  {
    id: 'V-RS-no-cache',
    difference: 'verifies the proof anew with each request',
    variant: () => ({ parts: () => ({ bindings: { get: () => undefined, set: () => undefined } }) }),
  },
  {
    id: 'V-RS-tiny-cache',
    difference: 'remembers only the last verified binding of a connection',
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ({ parts: () => ({ bindings: createBindingCache(1) }) }),
  },
  {
    id: 'V-RS-cached-pair',
    difference:
      'takes any plain proof for a token that was proven on this connection before, unread (AMB-17)',
    variant: () => {
      const { run } = defaultPresentationChecks.get('proof');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
            const { confirmation, key, tokenHash, proofs } = presentation;
            const proof = parseProof(proofs[0] ?? '');
            const plain = !('code' in proof) && !isPerRequest(proof);
            const known = confirmation.kind === 'session' && parts.bindings.get(key, tokenHash) !== undefined;
            return known && plain ? undefined : run(presentation, parts);
          }),
        }),
      };
    },
  },
  {
    id: 'V-RS-binding-required',
    difference: 'refuses every token that is not bound to TLS sessions',
    gains: ['binding-required'],
    variant: () => ({ parts: () => ({ requireBinding: true }) }),
  },
  {
    id: 'V-RS-token-leeway',
    difference: 'allows the issuer’s clock to be a minute off',
    variant: () => ({
      parts: ({ validateToken }) => ({
        validateToken: async (token, now) =>
          (await validateToken(token, now)) ??
          (await validateToken(token, now - 60)) ??
          validateToken(token, now + 60),
      }),
    }),
  },
];
