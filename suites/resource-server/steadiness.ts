import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/**
 * draft -06 §3.3.2: whether a request is served is settled by that request and the connection that carried it. Here
 * nothing but valid requests is sent, one after the other: what is rejected is rejected for what came before it.
 */

const WEARS_OUT = {
  rejected:
    'A valid request is rejected because of valid ones before it on the same connection: something is counted or used up that is not. Verify each request for itself (draft -06 §3.3.2).',
};
const OTHER_CONNECTION = {
  rejected:
    'A valid request is rejected because of other connections of the same client: what is known of a connection is kept in one place for all of them, or for all of a certificate. Key it by the connection object (draft -06 §3.3.2).',
};
const ONE_TOKEN = {
  rejected:
    'A valid request is rejected because of another token on the same connection. Keep a binding for each token of a connection, keyed by its ath (draft -06 §3.3.2).',
};

/** A valid request, and the connection that it goes out on. */
type Step = readonly [what: string, on: Connection, plan: RequestPlan];

/** Judges each valid request in turn; the first that is not served is told, since the rest may follow from it. */
async function servesEach(
  stage: Stage,
  steps: readonly (() => Step | Promise<Step>)[],
  cause: { readonly rejected: string },
): Promise<void> {
  for (const step of steps) {
    const [what, on, plan] = await step();
    if (!(await stage.accepts(what, plan, { on }, cause)).served) return;
  }
}

export const steadiness = suite('resource-server', 'steadiness', [
  {
    id: 'RS-MUX-9',
    title: 'serves valid requests of one token, one after the other, on one connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: WEARS_OUT,
    async run(stage) {
      const on = await stage.connect();
      const token = await stage.mint();
      const proof = stage.proof(on, token);
      await servesEach(
        stage,
        [
          () => ['a token with its proof', on, { token, proof }],
          () => ['the same token and proof again', on, { token, proof }],
          () => ['the same token with a new proof', on, { token }],
          () => ['the same token with its first proof', on, { token, proof }],
          () => ['a POST request with the same token and proof', on, { token, proof, method: 'POST' }],
          () => ['the same token and proof once more', on, { token, proof }],
        ],
        WEARS_OUT,
      );
    },
  },
  {
    id: 'RS-MUX-9.connections',
    title: 'serves valid requests on a connection while newer ones are opened, used and closed',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: OTHER_CONNECTION,
    async run(stage) {
      const older = await stage.connect();
      const token = await stage.mint();
      const proof = stage.proof(older, token);
      await stage.control('a token with its proof', { token, proof }, { on: older });
      await stage.control('a fresh token, before there is a newer connection', {}, { on: older });
      const newer = await stage.connect();
      await servesEach(
        stage,
        [
          () => ['a fresh token on the newer connection', newer, {}],
          () => ['a fresh token on the older connection, after the newer one was used', older, {}],
          () => ['the first token with its first proof on the older connection', older, { token, proof }],
          () => ['the first token with a new proof on the newer connection', newer, { token }],
          () => ['a fresh token on the newer connection, after both were used', newer, {}],
          async () => {
            await newer.close();
            return ['a fresh token on the older connection, after the newer one was closed', older, {}];
          },
          () => ['the first token with its first proof once more', older, { token, proof }],
        ],
        OTHER_CONNECTION,
      );
    },
  },
  {
    id: 'RS-MUX-9.tokens',
    title: 'serves valid requests of two tokens in turn on one connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: ONE_TOKEN,
    async run(stage) {
      const on = await stage.connect();
      const [one, two] = [await stage.mint({ subject: 'alice' }), await stage.mint({ subject: 'alice' })];
      const [first, second] = [stage.proof(on, one), stage.proof(on, two)];
      await servesEach(
        stage,
        [
          () => ['a token with its proof', on, { token: one, proof: first }],
          () => ['another token with its own proof', on, { token: two, proof: second }],
          () => ['the first token with its proof again', on, { token: one, proof: first }],
          () => ['the other token with its proof again', on, { token: two, proof: second }],
          () => ['the other token with a new proof', on, { token: two }],
          () => ['the first token with a new proof', on, { token: one }],
        ],
        ONE_TOKEN,
      );
    },
  },
]);
