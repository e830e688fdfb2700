import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Token } from '../../harness/forge/token.ts';
import { invalidProofs, missingProof } from './proof-failures.ts';
import type { ProofFailure } from './proof-failures.ts';

/** Whether a refused request has an effect, on a target without a counter: seen by what a plain GET shows. */

/** Requests that may change what a GET of the same path shows. */
const METHODS = ['POST', 'PUT', 'PATCH'] as const;

/** So many times a change has to follow upon the refused request: others send requests too, and change something now and then. */
const ROUNDS = 5;

/** How often this is tried at most: where something changes with nothing sent, nothing can be told. */
const ATTEMPTS = 25;

/** What of a response changes with the resource. */
const VALIDATORS = ['etag', 'last-modified', 'content-length', 'content-type'];

/** Reads the protected resource, always with the same token, and tells what is shown as one text. */
function reader(stage: Stage, token: Token): () => Promise<string> {
  return async () => {
    const { outcome } = await stage.control('reading the protected resource', { token });
    if (outcome.type !== 'response') return '';
    const fields = outcome.fields
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => VALIDATORS.includes(name));
    return JSON.stringify([outcome.status, fields, outcome.body.toString('latin1')]);
  };
}

/**
 * Judged: a refused request changes nothing that a GET shows. Applies where two GETs are answered alike and a request
 * that is admitted changes what they show; else only a counter could tell.
 */
export async function judgeVisibleEffects(stage: Stage): Promise<void> {
  const shows = reader(stage, await stage.mint());
  if ((await shows()) !== (await shows()))
    return leftToCounter(stage, 'two GET requests are not answered alike');
  let number = 0;
  /** A body that was not sent before, so that it makes a difference. */
  const fresh = (): RequestPlan => ({ body: `tsbt ${++number}` });
  const path = stage.setting.target.protectedPath;
  let visible = 0;
  for (const method of METHODS) {
    const request = { method, path };
    const before = await shows();
    const admitted = await stage.send(`${method}, admitted`, { ...request, ...fresh() });
    if (!admitted.served || (await shows()) === before) continue;
    visible++;
    const failures = [...(await invalidProofs(stage, request)), missingProof(request)];
    await judge(stage, method, failures, shows, fresh);
  }
  if (visible === 0)
    leftToCounter(
      stage,
      'a request that is admitted changes nothing that a GET of the protected resource shows',
    );
}

async function judge(
  stage: Stage,
  method: string,
  failures: readonly ProofFailure[],
  shows: () => Promise<string>,
  fresh: () => RequestPlan,
): Promise<void> {
  for (const { base, variation } of failures) {
    let changes = 0;
    for (let attempt = 0; attempt < ATTEMPTS && changes < ROUNDS; attempt++) {
      const [earlier, before] = [await shows(), await shows()];
      if (earlier !== before) continue;
      const plan = combine(combine(base, fresh()), variation.change ?? {});
      const what = `${method}, ${variation.what}`;
      const { served } = await stage.send(what, plan, {}, 'variant', 'refused, without effect');
      if (served || (await shows()) === before) break;
      changes++;
    }
    stage.holds(
      changes < ROUNDS,
      `${method}, ${variation.what}: refused, and what a GET shows changed all the same`,
    );
  }
}

function leftToCounter(stage: Stage, why: string): never {
  return stage.notApplicable(`the target does not claim counter (${why})`);
}
