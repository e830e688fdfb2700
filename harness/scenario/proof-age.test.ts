import { expect, test } from 'vitest';
import { readJwt } from '../forge/read.ts';
import { stageOn } from './stage.fixture.ts';
import { challenged, response } from './target.fixture.ts';
import type { Answer, Seen } from './target.fixture.ts';

/** Tokens that the target has been presented with, and what it makes of their proofs. */
function target(serves: (age: number, isKnown: boolean) => boolean): Answer {
  const known = new Set<string>();
  return (seen) => {
    const token = field(seen, 'authorization');
    const { claims } = readJwt(field(seen, 'session-binding-proof'));
    const { iat } = claims as { readonly iat: number };
    const served = serves(Date.now() / 1000 - iat, known.has(token));
    known.add(token);
    return served ? response(200) : challenged('invalid_proof');
  };
}

function field({ request }: Seen, name: string): string {
  return request.fields.find(([one]) => one.toLowerCase() === name)?.[1] ?? '';
}

test.each<
  [what: string, serves: (age: number, isKnown: boolean) => boolean, served: boolean, requests: number]
>([
  ['one that serves proofs of any age', () => true, true, 1],
  ['one whose window the proof has left: it is renewed', (age) => age < 5, true, 4],
  ['one that serves no token twice: the refusal stands', (_age, isKnown) => !isKnown, false, 2],
  ['one that serves nothing any more: the refusal stands', () => false, false, 3],
])('a proof that is sent once more, at %s', async (_what, serves, isServed, requests) => {
  let isFirst = true;
  const answer = target(serves);
  const { stage } = stageOn({
    answer(seen) {
      const given = answer(seen);
      if (!isFirst) return given;
      isFirst = false;
      return response(200);
    },
  });
  const on = await stage.connect();
  const token = await stage.mint();
  const proof = stage.proof(on, token, { claims: { iat: Math.floor(Date.now() / 1000) - 10 } });
  await stage.control('it', { token, proof }, { on });
  const again = await stage.sendCurrent('it again', { token, proof }, { on }, 'variant');
  expect(again.served).toBe(isServed);
  expect(stage.evidence.close().exchanges).toHaveLength(1 + requests);
});

test.each([
  ['made for the request, which is of this moment', {}],
  ['with a jti, which is good once', { claims: { jti: 'x', iat: 10 } }],
])('a proof %s is not renewed', async (_what, proof) => {
  const { stage } = stageOn({ answer: () => challenged('invalid_proof') });
  const on = await stage.connect();
  const token = await stage.mint();
  const plan = 'claims' in proof ? { token, proof: stage.proof(on, token, proof) } : { token, proof };
  const { served } = await stage.sendCurrent('it', plan, { on }, 'variant');
  expect(served).toBe(false);
  expect(stage.evidence.close().exchanges).toHaveLength(1);
});
