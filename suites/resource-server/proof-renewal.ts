import { suite } from '../../harness/scenario/scenario.ts';
import { another, prime, timeFor, unthrottled } from './primed.ts';

/** draft -06 §3.3.1, §3.3.2 step 5h: pairs of connection and token that outlast a proof, or their place in a cache. */

const FIRST_PROOF_PINNED =
  'The first proof of a pair is the only one that is taken afterwards. Verify a proof that is not the cached one from scratch: clients renew proofs.';
const EVICTION_REFUSES =
  'A binding that has left the cache is taken for one that was never there or was used up. Fall back to full verification on a miss.';

const HOUR = 3600;

/** How long a loop goes on at most, in milliseconds. */
const LOOP_MS = 5000;

function seconds(): number {
  return Date.now() / 1000;
}

/** The greatest age, in seconds, at which a proof is served, to within a step; `undefined` where there is none within hours. */
async function endOfWindow(
  serves: (age: number) => Promise<boolean>,
  step: number,
): Promise<number | undefined> {
  let [within, beyond] = [0, 6 * HOUR];
  if (await serves(beyond)) return undefined;
  while (beyond - within > step) {
    const middle = (within + beyond) / 2;
    if (await serves(middle)) within = middle;
    else beyond = middle;
  }
  return within;
}

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
      const serves = async (iat: number): Promise<boolean> =>
        (
          await stage.send('another token with a proof of some age', {
            token: await another(stage),
            proof: { claims: { iat } },
          })
        ).served;
      // Fractions of a second (RFC 7519 §2) tell the end of the window closely, and spare the wait for the next second.
      const fine = await serves(seconds() - 0.5);
      const before = (age: number): number => (fine ? seconds() - age : Math.floor(seconds() - age));
      const within = await endOfWindow((age) => serves(before(age)), fine ? 0.02 : 1);
      if (within === undefined)
        return stage.notApplicable('the target has no window of iat that ends within hours; see RS-PL-3');
      const token = await another(stage);
      const pair = async (
        iat: number,
      ): Promise<{ readonly iat: number; readonly proof: string } | undefined> => {
        const proof = stage.proof(connection, token, { claims: { iat } });
        return (await stage.send('a token with a proof at the end of its window', { token, proof }, way))
          .served
          ? { iat, proof }
          : undefined;
      };
      let verified = await pair(before(within - 0.05));
      for (const margin of [0.2, 0.6, 1]) verified ??= await pair(before(within - margin));
      if (verified === undefined)
        return stage.inconclusive('the window of iat ended between a search and its use');
      const patience = performance.now() + 2500;
      while (await serves(verified.iat)) {
        if (performance.now() > patience)
          stage.inconclusive('the window of iat did not end when it should have', 'target');
      }
      const { proof } = verified;
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
      const connection = await stage.connect();
      const token = await stage.mint();
      const at = (offset: number): string =>
        stage.proof(connection, token, { claims: { iat: Math.floor(seconds()) + offset } });
      const older = at(-10);
      await stage.control('a token with its proof', { token, proof: older }, { on: connection });
      await stage.accepts(
        'the token with a proof made ten seconds later',
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
