import type { Expectation } from '../../harness/scenario/expectation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import type { Exchange, Way } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** A way for a proof to fail, all else being right (draft -06 §3.5). */
export interface ProofFailure {
  /** What the request that is served has beyond the right one. */
  readonly base: RequestPlan;
  readonly variation: Variation;
}

/** Text that is no proof, and that no honest response has in it. */
export const NO_PROOF = 'tsbt-canary-4d1f8e0c97';
const DAY = 86_400;

/** What it means that one of them is served. How one is refused is for the scenarios to explain. */
const NOT_DEMANDED = 'The proof of a session-bound token is not demanded (see RS-FLD-1).';
const NOT_PARSED = 'A proof that cannot be read counts as verified (see RS-PL-17).';
const NOT_VERIFIED =
  'The signature of the proof is not verified, or not with the key of the client certificate (see RS-SIG-1).';

function notCompared(claim: string, scenario: string): string {
  return `The ${claim} claim is not compared, or not as a whole (see ${scenario}).`;
}

/** One representative of each class of failure for which a proof was sent: `invalid_proof`. */
export async function invalidProofs(
  stage: Stage,
  request: { readonly method: string; readonly path: string } = protectedRequest(stage),
): Promise<readonly ProofFailure[]> {
  const { method, path } = request;
  const base: RequestPlan = { method, path };
  const failure = (what: string, proof: RequestPlan['proof'] & {}, cause: string): ProofFailure => ({
    base,
    variation: { what, change: { proof }, cause },
  });
  return [
    failure('the proof is not a JWT', NO_PROOF, NOT_PARSED),
    failure(
      'the proof has two parts',
      { compact: (right) => right.split('.').slice(0, 2).join('.') },
      NOT_PARSED,
    ),
    failure('one bit of the signature is flipped', { signature: flipped }, NOT_VERIFIED),
    failure('the signature is by another key', { signWith: stage.mallory }, NOT_VERIFIED),
    failure(
      'ekm is another value',
      { claims: { ekm: Buffer.alloc(32, 7).toString('base64url') } },
      notCompared('ekm', 'RS-EKM-1'),
    ),
    failure(
      'ath is another hash',
      { claims: { ath: Buffer.alloc(32, 9).toString('base64url') } },
      notCompared('ath', 'RS-PL-2'),
    ),
    failure(
      'iat is a day ago',
      { claims: { iat: Math.floor(Date.now() / 1000) - DAY } },
      notCompared('iat', 'RS-PL-3'),
    ),
    ...(stage.setting.target.capabilities.has('per-request-claims')
      ? await perRequestFailures(stage, base, method, path)
      : []),
  ];
}

async function perRequestFailures(
  stage: Stage,
  base: RequestPlan,
  method: string,
  path: string,
): Promise<readonly ProofFailure[]> {
  const claims = () => stage.perRequest(method, path);
  const failure = (what: string, wrong: Readonly<Record<string, string>>): ProofFailure => ({
    base: { ...base, proof: { claims: claims() } },
    variation: {
      what,
      change: { proof: { claims: { ...claims(), ...wrong } } },
      differs: Object.keys(wrong).map((name) => `proof.claims.${name}`),
      cause: Object.keys(wrong)
        .map((name) => notCompared(name, name === 'htm' ? 'RS-PL-10' : 'RS-PL-11'))
        .join('\n'),
    },
  });
  const used = claims();
  const token = await stage.mint();
  return [
    failure('htm is another method', { htm: method === 'GET' ? 'POST' : 'GET' }),
    failure('htu is another path', { htu: stage.perRequest(method, `${path}-elsewhere`).htu }),
    {
      base: { ...base, token, proof: { claims: used } },
      variation: {
        what: 'jti was used before with this token',
        change: { proof: { claims: used } },
        differs: ['proof.claims.jti'],
        cause: 'The jti of an accepted proof is not remembered (see RS-PL-7).',
      },
    },
  ];
}

/** The proof is missing: `use_session_binding`. */
export function missingProof(request: { readonly method: string; readonly path: string }): ProofFailure {
  return { base: request, variation: { what: 'no proof', change: { proof: null }, cause: NOT_DEMANDED } };
}

export function protectedRequest(stage: Stage): { readonly method: string; readonly path: string } {
  return { method: 'GET', path: stage.setting.target.protectedPath };
}

/**
 * Where a failure's requests go out, and in this order. Those whose `jti` is fixed have a connection of their own: on one
 * that the target may be about to end, a request has to be sent again, and the `jti` would have been used.
 */
async function* waysOf(stage: Stage, { base }: ProofFailure): AsyncGenerator<Way, never> {
  const own = base.proof === undefined ? {} : { on: await stage.connect() };
  yield own;
  for (;;) yield base.proof === undefined || stage.persistent ? own : { on: await stage.connect() };
}

/** Judged: each failure is refused as expected, right after the request that it varies was served. */
export async function eachRefused(
  stage: Stage,
  expectation: Expectation,
  failures: readonly ProofFailure[],
): Promise<void> {
  for (const failure of failures) {
    const ways = waysOf(stage, failure);
    const control = await stage.control('the right request', failure.base, (await ways.next()).value);
    await stage.refusesOne(expectation, failure.variation, control, failure.base, (await ways.next()).value);
  }
  await stage.control('the right request again');
}

/** Sends what fails, right after what it varies, and judges nothing. */
export async function sendFailure(stage: Stage, failure: ProofFailure, expected: string): Promise<Exchange> {
  const { base, variation } = failure;
  const ways = waysOf(stage, failure);
  if (base.proof !== undefined) await stage.control('the right request', base, (await ways.next()).value);
  const way = (await ways.next()).value;
  return stage.send(variation.what, combine(base, variation.change ?? {}), way, 'variant', expected);
}

/** Provokes a response of every kind of refusal, and judges none of them. */
export async function refusals(stage: Stage): Promise<readonly Exchange[]> {
  const exchanges: Exchange[] = [];
  for (const failure of [...(await invalidProofs(stage)), missingProof(protectedRequest(stage))]) {
    exchanges.push(await sendFailure(stage, failure, 'a refusal'));
  }
  exchanges.push(await stage.send('no token', { token: null }));
  if (stage.setting.credentials === null) {
    exchanges.push(await stage.send('the token has expired', { token: { lifetime: -DAY } }));
    exchanges.push(
      await stage.send('the token is bound to another certificate', { token: { boundTo: stage.mallory } }),
    );
    exchanges.push(await stage.send('the token is not signed', { token: { algorithm: 'none' } }));
  }
  return exchanges;
}

function flipped(signature: Buffer): Buffer {
  const copy = Buffer.from(signature);
  copy[8] = (copy[8] ?? 0) ^ 1;
  return copy;
}
