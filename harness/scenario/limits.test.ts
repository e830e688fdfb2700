import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Field, Outcome } from '../wire/connection.ts';
import { stageOn } from './stage.fixture.ts';
import { correct, failure, response } from './target.fixture.ts';
import type { Answer } from './target.fixture.ts';

/** Targets that have no room for each request at once, which is no matter of tokens and proofs. */

const limits = (status: number, ...after: readonly string[]): Outcome =>
  response(
    status,
    after.map((value): Field => ['Retry-After', value]),
  );

/** Answers the first requests with this, and the rest as it should. */
function firstly(count: number, outcome: Outcome): Answer {
  let seen = 0;
  return (request) => (seen++ < count ? outcome : correct(request));
}

test.each<[string, Outcome]>([
  ['429', limits(429)],
  ['429 with Retry-After', limits(429, '0')],
  ['503 with Retry-After', limits(503, '0')],
  ['429 with a date', limits(429, new Date(0).toUTCString())],
])('a request that is answered %s goes out again', async (_what, outcome) => {
  const { stage } = stageOn({ answer: firstly(2, outcome) });
  expect((await stage.control()).served).toBe(true);
  expect((await stage.accepts('it')).served).toBe(true);
  expect(stage.findings).toEqual([]);
});

test.each<[string, Outcome]>([
  ['for longer than can be waited for', limits(429, '3600')],
  ['again and again', limits(503, '0')],
])('a target that limits requests %s is neither blamed nor passed', async (_what, outcome) => {
  const { stage } = stageOn({ answer: () => outcome });
  await expect(stage.control()).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
    message: expect.stringContaining('the target limits requests'),
  });
  await stage.accepts('it');
  expect(stage.findings).toMatchObject([{ severity: 'inconclusive', cause: null }]);
});

test('a refusal of an invalid request is none where the target limits requests', async () => {
  const { stage } = stageOn({
    answer: (seen) => (seen.right ? response(200) : limits(429, '3600')),
  });
  await stage.refuses({ refusals: ['invalid_proof'], exact: false }, [
    { what: 'a wrong ekm', change: { proof: { claims: { ekm: 'wrong' } } } },
  ]);
  expect(stage.findings).toMatchObject([{ severity: 'inconclusive' }]);
});

test('503 without Retry-After, and other errors, stay what they are', async () => {
  const { stage, opened } = stageOn({ answer: firstly(1, response(503)) });
  expect((await stage.send('it')).reading.kind).toBe('server-error');
  expect(opened[0]?.requests).toHaveLength(1);
});

test('a stream that was refused unprocessed is opened again, one that is reset otherwise is not', async () => {
  const refused = failure('stream-reset', 'the stream ended with REFUSED_STREAM');
  const { stage } = stageOn({ answer: firstly(2, refused) });
  const on = await stage.connect();
  const both = await Promise.all([stage.send('one', {}, { on }), stage.send('two', {}, { on })]);
  expect(both.map(({ served }) => served)).toEqual([true, true]);
  const other = stageOn({
    answer: firstly(1, failure('stream-reset', 'the stream ended with CANCEL')),
  }).stage;
  expect((await other.send('it', {}, { on: await other.connect() })).served).toBe(false);
});

test('one that is refused for ever did not end the connection', async () => {
  const { stage } = stageOn({
    answer: () => failure('stream-reset', 'the stream ended with REFUSED_STREAM'),
  });
  const on = await stage.connect();
  await expect(stage.control('it', {}, { on })).rejects.toMatchObject({
    verdict: 'not-applicable',
    message: expect.stringMatching(/^the target refused a stream on connection c1/),
  });
});

test('content is read whatever its coding', async () => {
  const body = gzipSync('{"sub":"alice"}');
  const { stage } = stageOn({
    answer: () => ({ ...response(200, [['Content-Encoding', 'gzip']]), body }),
  });
  const { outcome } = await stage.send('it');
  expect(outcome).toMatchObject({ body: Buffer.from('{"sub":"alice"}') });
});
