import { suite } from '../../harness/scenario/scenario.ts';
import { atEndOfWindow, comfortableAge, seconds } from './iat-window.ts';
import { another, prime, timeFor, unthrottled } from './primed.ts';

/** draft -06 §3.3.1, §3.3.2 step 5h: pairs of connection and token that outlast a proof, or their place in a cache. */

const FIRST_PROOF_PINNED =
  'The first proof of a pair is the only one that is taken afterwards. Verify a proof that is not the cached one from scratch: clients renew proofs.';
const EVICTION_REFUSES =
  'A binding that has left the cache is taken for one that was never there or was used up. Fall back to full verification on a miss.';

/** How long a loop goes on at most, in milliseconds. */
const LOOP_MS = 5000;

export const proofRenewal = suite('resource-server', 'proof-renewal', [
  {
    id: 'RS-CACHE-11',
    title: 'serves a token with a fresh proof when the one that it has verified has left the window of iat',
    needs: ['persistent-connection'],
    cause: { rejected: FIRST_PROOF_PINNED },
    waits: true,
    async run(stage) {
      const connection = await stage.connect();
      const way = { on: connection };
      const token = await another(stage);
      let proof = '';
      const ending = await atEndOfWindow(stage, async (iat) => {
        proof = stage.proof(connection, token, { claims: { iat } });
        return (await stage.send('a token with a proof at the end of its window', { token, proof }, way))
          .served;
      });
      if (ending === undefined)
        return stage.notApplicable('the target has no window of iat that ends within hours; see RS-PL-3');
      await ending.over();
      const late = await stage.send('the verified proof after its window', { token, proof }, way);
      stage.note(
        `a verified proof is ${late.served ? 'served' : 'refused'} after its window has ended (AMB-14: both are conformant)`,
      );
      await stage.accepts('a fresh proof for the same token on the same connection', { token }, way);
    },
  },
  {
    id: 'RS-CACHE-11.renewal',
    title: 'serves a verified pair of connection and token with a newer proof',
    needs: ['persistent-connection'],
    cause: { rejected: FIRST_PROOF_PINNED },
    async run(stage) {
      const age = await comfortableAge(stage);
      const connection = await stage.connect();
      const token = await stage.mint();
      const at = (offset: number): string =>
        stage.proof(connection, token, { claims: { iat: Math.floor(seconds()) + offset } });
      const older = at(-age);
      await stage.control('a token with its proof', { token, proof: older }, { on: connection });
      await stage.accepts(
        `the token with a proof made ${age} s later`,
        { token, proof: at(0) },
        { on: connection },
      );
      await stage.accepts(
        'the token with its first proof again',
        { token, proof: older },
        { on: connection },
        'A newer proof takes the place of the older one, which is refused from then on. Each proof that is valid serves (draft -06 §3.3.1).',
      );
    },
  },
  {
    id: 'RS-CACHE-12',
    title: 'serves a token with its first proof after any number of other tokens on the connection',
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: { rejected: EVICTION_REFUSES },
    async run(stage) {
      const { connection, token, proof } = await prime(stage);
      const batches = stage.full ? 24 : 2;
      let others = 0;
      const more = timeFor(LOOP_MS);
      for (let batch = 0; batch < batches && connection.open && (batch === 0 || more()); batch++) {
        for (let i = 0; i < 50 && connection.open; i++, others++) {
          const what = 'another token with its proof';
          const exchange = await stage.send(what, { token: await another(stage) }, { on: connection });
          unthrottled(stage, what, exchange);
          const { reading } = exchange;
          if (reading.kind === 'refused')
            return stage.holds(
              false,
              `token ${others + 2} of the connection was refused with a right proof: ${reading.text}`,
              'The number of bindings of a connection is limited, and beyond it tokens are refused. Forget the oldest binding instead, or verify without storing.',
            );
        }
        if (!connection.open) break;
        const { served } = await stage.accepts(
          `the first token with its proof after ${others} others`,
          { token, proof },
          { on: connection },
        );
        if (!served) return;
      }
      stage.note(`the first token was tried again after up to ${others} others`);
      if (others < 50) stage.notApplicable(`the target ended the connection after ${others} further tokens`);
    },
  },
]);
