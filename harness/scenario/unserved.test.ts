import { expect, test } from 'vitest';
import type { Exchange } from './play.ts';
import type { RequestPlan } from './request.ts';
import type { Stage } from './stage.ts';
import { stageOn } from './stage.fixture.ts';
import { challenged, correct, response } from './target.fixture.ts';
import type { Answer, PaperConnection, Seen } from './target.fixture.ts';

/** Targets that serve what is valid as long as nothing comes before it that they mind. */

const ODD: RequestPlan = { fields: [['X-Odd', '1']] };
const isOdd = ({ request }: Seen): boolean => request.fields.some(([name]) => name === 'X-Odd');
const rejected = challenged('invalid_proof');

const minds: Answer = (seen) => (isOdd(seen) ? rejected : correct(seen));

function tokensOnEach(most: number): Answer {
  const known = new Map<PaperConnection, Set<string>>();
  return (seen) => {
    const tokens = known.get(seen.connection) ?? new Set();
    known.set(seen.connection, tokens);
    if (tokens.size < most) tokens.add(seen.token ?? '');
    return tokens.has(seen.token ?? '') ? correct(seen) : rejected;
  };
}

function requestsOnEach(serves: (count: number) => boolean): Answer {
  return (seen) => (serves(seen.connection.requests.length) ? correct(seen) : rejected);
}

/** Expects each proof to have the exporter value of the connection that was opened last. */
function comparesWithNewest(): Answer {
  let newest: PaperConnection | undefined;
  return (seen) => {
    if (seen.connection.requests.length === 1) newest = seen.connection;
    return seen.claims['ekm'] === newest?.exporter().toString('base64url') ? response(200) : rejected;
  };
}

/** Expects each proof to have the hash of the first token of its connection. */
function comparesWithFirst(): Answer {
  const first = new Map<PaperConnection, unknown>();
  return (seen) => {
    if (!first.has(seen.connection)) first.set(seen.connection, seen.claims['ath']);
    return seen.claims['ath'] === first.get(seen.connection) ? response(200) : rejected;
  };
}

/** Serves the plain valid request on a connection before it judges another one there. */
async function second(stage: Stage, plan: RequestPlan): Promise<Exchange> {
  const on = await stage.connect();
  await stage.control('the first', {}, { on });
  return stage.accepts('the second', plan, { on });
}

test.each<[string, Answer]>([
  ['one token for each connection', tokensOnEach(1)],
  ['one request on each connection', requestsOnEach((count) => count <= 1)],
  ['each other request', requestsOnEach((count) => count % 2 === 1)],
])('a difference is not blamed where a target serves %s', async (_what, answer) => {
  const { stage } = stageOn({ answer });
  await expect(second(stage, ODD)).rejects.toMatchObject({
    name: 'ValidRejected',
    verdict: 'inconclusive',
    attribution: 'target',
    message: expect.stringMatching(
      /^the second: answered 401 invalid_proof, and so are plain valid requests/,
    ),
  });
  expect(stage.findings).toEqual([]);
});

test('a difference is blamed where all else is served', async () => {
  const { stage } = stageOn({ answer: minds });
  await second(stage, ODD);
  expect(stage.findings).toMatchObject([
    { reason: 'the second: must be served, was answered 401 invalid_proof' },
  ]);
  expect(stage.validRejected).toBe(false);
});

test.each<[string, Answer, string]>([
  [
    'one token for each connection',
    tokensOnEach(1),
    'The target serves the first token of a connection, and',
  ],
  ['by the first token', comparesWithFirst(), 'The target compares ath with the hash of the first token'],
])(
  'a valid request is judged where that is the subject (%s), with what is served instead',
  async (_what, answer, cause) => {
    const { stage } = stageOn({ answer }, 'fail', { judgesSequence: true });
    await second(stage, {});
    expect(stage.findings).toMatchObject([{ severity: 'fail', cause: expect.stringContaining(cause) }]);
    expect(stage.validRejected).toBe(true);
  },
);

test('a target that compares with the newest connection is found out', async () => {
  const { stage } = stageOn({ answer: comparesWithNewest() }, 'fail', { judgesSequence: true });
  const [older, newer] = [await stage.connect(), await stage.connect()];
  await stage.control('on the older', {}, { on: older });
  await stage.control('on the newer', {}, { on: newer });
  await stage.accepts('on the older again', {}, { on: older });
  expect(stage.findings).toMatchObject([
    {
      cause: expect.stringMatching(
        /^On c1 the target expects the exporter value of c2, the newest connection/,
      ),
    },
  ]);
});

test('what follows on a provocation is blamed on it only where the target serves as many valid requests without', async () => {
  const fine = stageOn({ answer: minds }).stage;
  await fine.blames('after something', await fine.send('odd', ODD));
  const few = stageOn({ answer: requestsOnEach((count) => count <= 2) }).stage;
  await few.send('one');
  await few.send('two');
  await expect(few.blames('after something', await few.send('three'))).rejects.toMatchObject({
    name: 'ValidRejected',
  });
});
