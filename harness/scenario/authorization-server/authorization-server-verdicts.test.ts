import { hash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createDpopKey, forgeDpopProof } from '../../forge/dpop-proof.ts';
import type { Outcome } from '../../wire/connection.ts';
import { challenged, failure, pki, response } from '../target.fixture.ts';
import { CAUSE } from '../cause.fixture.ts';
import {
  answerOf,
  authorizationServerStageOn,
  BOUND_TOKEN,
  json,
  OPAQUE_TOKEN,
  refusal,
  registry,
} from './authorization-server-target.fixture.ts';
import { CLIENTS } from './registered-clients.ts';

const stageOn = authorizationServerStageOn;

test.each<[string, Outcome]>([
  ['an OAuth error', refusal('invalid_grant')],
  ['an error of the client', refusal('invalid_client', 401)],
  ['the last of the client’s errors', response(499)],
  ['a connection that is closed', failure('closed')],
  ['an alert', failure('tls-alert')],
])('%s is a refusal', (_what, outcome) => {
  const { stage } = stageOn();
  stage.refuses('a stolen token', answerOf(outcome));
  expect(stage.findings).toEqual([]);
});

test.each<[string, Outcome, string]>([
  ['a token', json(200, { access_token: 'x' }), '200 with access_token'],
  ['a success without token', json(200, {}), '200'],
  ['a redirection', response(302), '302'],
  ['a refresh token in an error', json(400, { refresh_token: 'x' }), '400 with refresh_token'],
  [
    'two tokens in an error',
    json(401, { error: 'no', refresh_token: 'x', access_token: null }),
    '401 no with access_token and refresh_token',
  ],
])('%s is no refusal', (_what, outcome, told) => {
  const { stage } = stageOn();
  stage.refuses('a stolen token', answerOf(outcome));
  expect(stage.findings).toMatchObject([
    {
      severity: 'fail',
      reason: `a stolen token: answered ${told}, must be refused`,
      cause: CAUSE,
      attribution: 'target',
    },
  ]);
});

const OWN_FAILURE = {
  severity: 'warn',
  reason: "it: answered 500: refused, but as a failure of the target's own",
  cause: 'An error while checking the request is not caught. Answer with an error of RFC 6749 §5.2.',
  attribution: 'target',
};

test('a token in the target’s own words appears in no reason', () => {
  const { stage } = stageOn();
  stage.evidence.conceal('ab+cd/ef==token');
  stage.refuses('it', answerOf(json(500, { error: 'bad ab+cd/ef==token' })));
  expect(stage.findings[0]?.reason).toMatch(/^it: answered 500 bad <token sha-256 [0-9a-f]{16}…>: refused/);
  expect(() => stage.inconclusive('no ab+cd/ef==token')).toThrow(/^no <token sha-256 [0-9a-f]{16}…>$/);
  expect(() => stage.notApplicable('no ab+cd/ef==token')).toThrow(/^no <token sha-256 [0-9a-f]{16}…>$/);
});

test('a failure of the target’s own is a refusal to be warned of, and none where it gives a token', () => {
  const { stage } = stageOn();
  stage.refuses('it', answerOf(response(500)));
  expect(stage.findings).toMatchObject([OWN_FAILURE]);
  stage.refuses('it', answerOf(json(500, { access_token: 'x' })));
  expect(stage.findings).toMatchObject([
    OWN_FAILURE,
    OWN_FAILURE,
    { severity: 'fail', reason: 'it: answered 500 with access_token, must be refused' },
  ]);
});

test.each(['timeout', 'garbage', 'refused'] as const)('no answer (%s) is no refusal to judge', (kind) => {
  const { stage } = stageOn();
  stage.refuses('it', answerOf(failure(kind)));
  expect(stage.findings).toMatchObject([
    { severity: 'inconclusive', reason: `it: ${kind}`, cause: null, attribution: 'target' },
  ]);
});

test('what is served and must not be has the cause that is named', () => {
  const { stage } = stageOn({}, 'warn');
  stage.refuses('it', answerOf(response(200)), 'a mistake of its own');
  stage.refuses('it', answerOf(response(200)), null);
  expect(stage.findings.map(({ severity, cause }) => [severity, cause])).toEqual([
    ['warn', 'a mistake of its own'],
    ['warn', null],
  ]);
});

test('a statement that holds leaves nothing, one that does not is a finding', () => {
  const { stage } = stageOn({}, 'warn');
  stage.holds(true, 'not seen');
  expect(stage.findings).toEqual([]);
  stage.holds(false, 'cnf is missing');
  stage.holds(false, 'without cause', null);
  expect(stage.findings).toMatchObject([
    { severity: 'warn', reason: 'cnf is missing', cause: CAUSE, attribution: 'target' },
    { severity: 'warn', reason: 'without cause', cause: null, attribution: 'target' },
  ]);
});

test('an observation is information about the specification, and a note has no bearing', () => {
  const { stage } = stageOn();
  stage.note('by the way');
  expect(stage.findings).toEqual([]);
  stage.observe('it does so');
  expect(stage.findings).toMatchObject([
    { severity: 'info', reason: 'it does so', cause: null, attribution: 'specification' },
  ]);
  expect(stage.evidence.close().notes).toEqual(['by the way']);
});

test('an attack is judged by each attempt that succeeded, and told in full', () => {
  const { stage } = stageOn();
  const story = {
    attacker: 'mallory',
    loot: 'a token',
    attempts: [
      { attempt: 'exchanges it', outcome: 'refused', succeeded: false },
      { attempt: 'introspects it', outcome: 'served', succeeded: true },
    ],
  };
  stage.attack(story);
  stage.attack(story, 'a mistake of its own');
  expect(stage.findings.map(({ reason, cause }) => [reason, cause])).toEqual([
    ['introspects it: served', CAUSE],
    ['introspects it: served', 'a mistake of its own'],
  ]);
  expect(stage.evidence.close().attack).toEqual({
    ...story,
    outcome: 'The attack succeeded in 1 of 2 attempts.',
  });
});

test('a token that the scenario rests on is recorded as its control', async () => {
  const { stage, asked } = stageOn();
  expect(await stage.token()).toEqual({
    compact: BOUND_TOKEN,
    header: { typ: 'at+jwt', alg: 'ES256' },
    claims: { sub: 'tsbt-bound', cnf: { tls_exp: 'label' } },
  });
  const options = { by: pki.mallory, expected: 'a token for mallory' };
  await stage.token('the attacker’s own', { scope: 'a' }, options, CLIENTS.mallory);
  expect(asked.map(({ form }) => Object.fromEntries(form))).toMatchObject([
    { client_id: CLIENTS.bound },
    { client_id: CLIENTS.mallory, scope: 'a' },
  ]);
  expect(asked[1]?.connection.options.identity).toBe(pki.mallory);
  const [, ...exchanges] = stage.evidence.close().exchanges;
  expect(exchanges.map(({ what, part, expected }) => [what, part, expected])).toEqual([
    ['a session-bound token', 'control', 'a token'],
    ['the attacker’s own', 'control', 'a token for mallory'],
  ]);
});

test('where no token is issued that the scenario rests on, nothing can be judged', async () => {
  const { stage } = stageOn({ answer: () => refusal('unauthorized_client') });
  await expect(stage.token()).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    message: 'a session-bound token: no token was issued to tsbt-bound (400 unauthorized_client)',
    likelyCause: null,
  });
  await expect(stage.jwt('it', {}, {}, CLIENTS.both)).rejects.toMatchObject({
    message: 'it: no token was issued to tsbt-both (400 unauthorized_client)',
  });
});

test('a token that the scenario looks into must not be opaque', async () => {
  const { stage, asked } = stageOn();
  expect(await stage.jwt()).toEqual({
    compact: BOUND_TOKEN,
    header: { typ: 'at+jwt', alg: 'ES256' },
    claims: { sub: 'tsbt-bound', cnf: { tls_exp: 'label' } },
  });
  await stage.jwt('another', { scope: 'a' }, { by: null }, CLIENTS.plain);
  expect(Object.fromEntries(asked[1]?.form ?? [])).toMatchObject({ client_id: CLIENTS.plain, scope: 'a' });
  expect(asked[1]?.connection.options.identity).toBeNull();
  expect(stage.evidence.close().exchanges.map(({ what }) => what)).toEqual([
    'the metadata',
    'a session-bound token',
    'another',
  ]);

  const opaque = stageOn({ answer: () => json(200, { access_token: OPAQUE_TOKEN }) }).stage;
  expect(await opaque.token()).toEqual({ compact: OPAQUE_TOKEN, header: null, claims: null });
  await expect(opaque.jwt()).rejects.toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message: 'its access tokens are opaque: what they say is seen by introspection alone',
  });
});

test('a scenario ends itself with a reason', () => {
  const { stage } = stageOn();
  expect(() => stage.notApplicable('not here')).toThrow(
    expect.objectContaining({ verdict: 'not-applicable', attribution: 'target', message: 'not here' }),
  );
  expect(() => stage.inconclusive('not now')).toThrow(
    expect.objectContaining({
      verdict: 'inconclusive',
      attribution: 'target',
      message: 'not now',
      likelyCause: null,
    }),
  );
  expect(() => stage.inconclusive('a bug', 'harness')).toThrow(
    expect.objectContaining({ attribution: 'harness', likelyCause: null }),
  );
});

test('an exchange tells what was sent and what came of it', async () => {
  const { stage } = stageOn({ answer: () => refusal('invalid_target') });
  const first = await stage.send('one', 'POST', '/1', { body: 'a=1' });
  const second = await stage.send('two', 'GET', '/2', { part: 'variant', expected: 'refused' });
  expect([first.id, second.id]).toEqual([1, 2]);
  const { exchanges } = stage.evidence.close();
  expect(exchanges).toMatchObject([
    {
      id: 1,
      connection: 'c1',
      part: 'request',
      what: 'one',
      request: { method: 'POST', target: '/1', body: 'a=1' },
      response: { status: 400, body: '{"error":"invalid_target"}' },
      expected: 'recorded',
      observed: '400 invalid_target',
    },
    { id: 2, part: 'variant', what: 'two', expected: 'refused' },
  ]);
  // Nothing is told that was not sent.
  for (const exchange of exchanges)
    for (const member of ['token', 'proof', 'dpop']) expect(exchange).not.toHaveProperty(member);
});

const basis = { token: BOUND_TOKEN, htm: 'POST', htu: 'https://as.tsbt.test:8443/token' };

test('of a DPoP proof it is told whose key has signed it', async () => {
  const { stage } = stageOn();
  const [key, other] = [createDpopKey('mine'), createDpopKey('other')];
  const right = forgeDpopProof({ ...basis, key });
  const wrong = forgeDpopProof({ ...basis, key: { ...key, jwk: other.jwk } });
  for (const proof of [right, wrong]) await stage.send('it', 'POST', '/token', { fields: [['DPoP', proof]] });
  const evidence = stage.evidence.close();
  expect(evidence.exchanges.map(({ dpop }) => [dpop?.sha256, dpop?.signature])).toEqual([
    [hash('sha256', right), 'by the key in its header'],
    [hash('sha256', wrong), 'by no key that the suite knows'],
  ]);
  expect(JSON.stringify(evidence)).not.toContain(right);
});

test.each(['access_token', 'refresh_token', 'client_secret', 'registration_access_token'])(
  'an %s that the target has given is named by its hash, in the response and in all that follows',
  async (member) => {
    const secret = `worth-to-be-kept-${member}`;
    const { stage } = stageOn({
      answer: ({ path }) =>
        path === '/1' ? json(200, { [member]: secret }) : refusal(`do not know ${secret}`),
    });
    await stage.send('it', 'GET', '/1', {});
    await stage.send('it again', 'POST', '/2', {
      fields: [['Authorization', `Bearer ${secret}`]],
      body: `token=${secret}`,
    });
    stage.holds(false, `saw ${secret}`);
    const told = JSON.stringify([stage.evidence.close(), stage.findings]);
    const name = `<token sha-256 ${hash('sha256', secret).slice(0, 16)}…>`;
    expect(told).not.toContain(secret);
    // Response, field, body, error, what was observed, and the finding.
    expect(told.split(name)).toHaveLength(7);
  },
);

test('what has the name of a token and is no text is no secret', async () => {
  const { stage } = stageOn({ answer: () => json(200, { access_token: ['12345678', '12345678'] }) });
  expect(await stage.requestToken('it')).toMatchObject({ status: 200 });
  expect(stage.evidence.close().exchanges[1]?.response).toMatchObject({
    body: '{"access_token":["12345678","12345678"]}',
  });
});

test('the secret of a client is not told', async () => {
  const { stage } = stageOn({ answer: () => challenged('invalid_client') });
  await stage.requestToken('it', { client_secret: registry.secret }, {}, CLIENTS.secret);
  expect(JSON.stringify(stage.evidence.close())).not.toContain(registry.secret);
});

test('with light effort no exchange is told', async () => {
  const { stage } = stageOn({ setting: { effort: 'light' } });
  await stage.token();
  expect(stage.evidence.close().exchanges).toEqual([]);
});

test('time passes until an instant, never for more than ten seconds', async () => {
  const pause = vi.spyOn(timers, 'setTimeout').mockResolvedValue(undefined);
  syncBuiltinESMExports();
  try {
    const { stage } = stageOn();
    const now = Date.now();
    await stage.until(now + 1000);
    await stage.until(now - 1000);
    await stage.until(now + 60_000);
    const [soon, past, far] = pause.mock.calls.map(([milliseconds]) => milliseconds);
    expect(soon).toBeGreaterThan(900);
    expect(soon).toBeLessThanOrEqual(1000);
    expect([past, far]).toEqual([0, 10_000]);
  } finally {
    pause.mockRestore();
    syncBuiltinESMExports();
  }
});
