import { readJwt } from '../../harness/forge/read.ts';
import type { Token } from '../../harness/forge/token.ts';
import { combine } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { isRecord } from '../../harness/scenario/wording.ts';
import { doublyBound, REFUSED } from './dpop-bound.ts';

/** RFC 9449 §8, §9: a server that demands nonces accepts those that it has given, and no others. */

const ANY_NONCE =
  'A nonce is demanded but not recognized: whatever stands there is accepted, or it is looked up too roughly. Compare it whole, octet for octet, with nonces that were given (RFC 9449 §9).';

/** Nonces that no server has given, made from one that it has. */
const WRONG: readonly { readonly what: string; readonly from: (given: string) => unknown }[] = [
  { what: 'made up', from: () => 'tsbt-made-up-nonce' },
  { what: 'empty', from: () => '' },
  { what: 'in the other letter case', from: (given) => swapCase(given) },
  { what: 'less its last character', from: (given) => given.slice(0, -1) },
  { what: 'with a further character', from: (given) => `${given}A` },
  { what: 'an array with the right one', from: (given) => [given] },
  { what: 'the name of a member that every object has', from: () => 'constructor' },
];

function swapCase(text: string): string {
  return text.replaceAll(/[a-z]/gi, (letter) =>
    letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
  );
}

/** The nonce that the target has given last. */
function givenNonce(stage: Stage, token: Token): string | undefined {
  const { claims } = readJwt(stage.dpopProof(token));
  return isRecord(claims) && typeof claims['nonce'] === 'string' ? claims['nonce'] : undefined;
}

export const dpopNonces = suite('resource-server', 'dpop-nonces', [
  {
    id: 'RS-DPOP-1.nonce',
    title: 'accepts only nonces that it has given in DPoP proofs, where it demands them',
    capabilities: ['dpop'],
    cause: ANY_NONCE,
    async run(stage) {
      const base = await doublyBound(stage);
      const token = await stage.mint({ subject: 'alice', jkt: stage.dpopKey });
      const plan = combine(base, { token });
      const control = await stage.control('both proofs', plan);
      const without = combine(plan, { dpop: { claims: { nonce: undefined } } });
      if (givenNonce(stage, token) === undefined || (await stage.send('no nonce', without)).served)
        return stage.notApplicable('the target demands no nonce in DPoP proofs');
      for (const { what, from } of WRONG) {
        const given = givenNonce(stage, token) ?? '';
        const nonce = from(given);
        if (nonce === given) continue;
        await stage.refusesOne(
          REFUSED,
          {
            what: `the nonce of the DPoP proof is ${what}`,
            change: { dpop: { claims: { nonce } } },
            differs: ['dpop.claims.nonce'],
          },
          control,
          plan,
        );
      }
      await stage.control('both proofs again', plan);
    },
  },
]);
