import { AXES } from '../../harness/scenario/permutation.ts';
import { combine } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { judgeVisibleEffects } from './visible-effects.ts';
import { leaks } from './leaks.ts';
import { invalidProofs, missingProof, protectedRequest, refusals } from './proof-failures.ts';
import type { ProofFailure } from './proof-failures.ts';

/** draft -06 §3.3.2 step 6 and §3.5: a refused request does nothing, gives nothing away, and leaves room for a retry. */

const EFFECT =
  'The request takes effect before its proof is verified, or although it fails. Verify first, and run the handler only for requests that are admitted.';

const ENDS =
  'The connection is ended with each 401. A proof is good for one connection only: a client that has just made it for this one has to connect and sign anew each time.';

export const refusalEffects = suite('resource-server', 'refusal-effects', [
  {
    id: 'RS-ERR-6',
    title: 'lets a refused request have no effect',
    across: { http: AXES.http },
    cause: EFFECT,
    async run(stage) {
      if (!stage.setting.target.capabilities.has('counter')) return judgeVisibleEffects(stage);
      const request = { method: 'POST', path: `${stage.setting.target.protectedPath}/counter` };
      const failures = [...(await invalidProofs(stage, request)), missingProof(request)];
      const start = await count(stage, request.path);
      for (const { base } of [
        { base: request },
        ...failures.filter(({ base }) => base.proof !== undefined),
      ]) {
        await stage.control('a POST that is admitted', base, { on: await stage.connect() });
      }
      if ((await count(stage, request.path)) <= start)
        stage.inconclusive(
          'a POST that is admitted does not count, so nothing can be told from the counter',
          'target',
        );
      if (await withoutEffect(stage, request.path, failures)) return;
      // Another scenario may have counted meanwhile; what a request of one kind does shows each time that it is sent.
      for (const failure of failures) {
        const again = Array.from({ length: REPEATS }, () => failure);
        stage.holds(
          await withoutEffect(stage, request.path, again),
          `POST, ${failure.variation.what}: refused, and the counter went up all the same`,
        );
      }
    },
  },
  {
    id: 'RS-ERR-6.content',
    title: 'delivers no protected content with a refusal',
    capabilities: ['echo'],
    cause:
      'The handler runs and answers although the request was refused: a missing return, or a status set without ending the response.',
    async run(stage) {
      const subject = `tsbt-subject-${Math.random().toString(36).slice(2)}`;
      const content = new RegExp(`"sub"\\s*:\\s*"${subject}"`);
      const delivers = ({ outcome }: Exchange): boolean =>
        outcome.type === 'response' && content.test(outcome.body.toString());
      const control = await stage.control('the right request', { token: { subject } });
      if (!delivers(control))
        stage.inconclusive('the response to a right request does not have the token’s sub', 'target');
      for (const { base, variation } of [
        ...(await invalidProofs(stage)),
        missingProof(protectedRequest(stage)),
      ]) {
        if (base.token !== undefined) continue;
        const plan = combine({ ...base, token: { subject } }, variation.change ?? {});
        const exchange = await stage.send(variation.what, plan, {}, 'variant', 'refused, without content');
        stage.holds(
          exchange.served || !delivers(exchange),
          `${variation.what}: refused with ${exchange.reading.text}, and the protected content came with it`,
        );
      }
    },
  },
  {
    id: 'RS-ERR-8',
    title: 'leaves the connection usable after a 401, for the retry with a proof',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: {
      statement: ENDS,
      ended: ENDS,
      rejected:
        'A refusal is remembered for the connection or the token. Store only success: the client has to be able to repair what was wrong.',
    },
    async run(stage) {
      const on = await stage.connect();
      const token = await stage.mint();
      const { reading } = await stage.send(
        'no proof',
        { token, proof: null },
        { on },
        'variant',
        '401 use_session_binding',
      );
      if (reading.kind === 'served')
        stage.notApplicable('a request without proof is served, so there is nothing to retry; see RS-CNF-1');
      await stage.control('the right request on another connection, while the first may end');
      if (on.open) await stage.accepts('the retry with a proof on the same connection', { token }, { on });
      else stage.holds(false, `the connection was ended after the refusal (${reading.text})`);
    },
  },
  {
    id: 'RS-ERR-9',
    title: 'gives away nothing of token, proof, keys or its own code with a refusal',
    cause:
      'What came in, or what was expected, is put into the response. Answer with fixed sentences, and keep the details in a log.',
    async run(stage) {
      const refused = (await refusals(stage)).filter(
        ({ served, outcome }) => !served && outcome.type === 'response',
      );
      if (refused.length === 0)
        stage.notApplicable('nothing was answered with a refusal, so there is none to look at; see RS-ERR-1');
      for (const exchange of refused) {
        for (const what of leaks(exchange))
          stage.holds(false, `exchange ${exchange.id}: the refusal has ${what} in it`);
      }
    },
  },
]);

/** More requests of one kind than other scenarios send while they are counted. */
const REPEATS = 8;

async function count(stage: Stage, path: string): Promise<number> {
  const { outcome } = await stage.control('reading the counter', { path });
  const found =
    outcome.type === 'response' ? /"count"\s*:\s*(\d+)/.exec(outcome.body.toString())?.[1] : undefined;
  return found === undefined
    ? stage.inconclusive('the counter’s response has no "count"', 'target')
    : Number(found);
}

/**
 * Whether the counter shows no effect of the refused ones among these requests: it stayed as it was or, where all are of
 * one kind, went up by less than their number.
 */
async function withoutEffect(
  stage: Stage,
  path: string,
  failures: readonly ProofFailure[],
): Promise<boolean> {
  const before = await count(stage, path);
  let [served, refusedOnes] = [0, 0];
  for (const failure of failures) {
    const { base, variation } = failure;
    const exchange = await stage.send(
      variation.what,
      combine(base, variation.change ?? {}),
      {},
      'variant',
      'refused, without effect',
    );
    if (exchange.served) served++;
    else refusedOnes++;
  }
  const counted = (await count(stage, path)) - before - served;
  const least = new Set(failures).size === 1 ? refusedOnes : 1;
  return refusedOnes === 0 || counted < least;
}
