import { expect, test } from 'vitest';
import { refused, refusedExactly } from './expectation.ts';
import type { Expectation } from './expectation.ts';
import type { RequestPlan, Variation } from './request.ts';
import type { Severity } from './requirement.ts';
import type { ScenarioDefinition } from './scenario.ts';
import { CAUSE } from './cause.fixture.ts';
import { otherwise, stageOn, wrongAth, wrongEkm, wrongType } from './stage.fixture.ts';
import { challenged, correct, failure, response } from './target.fixture.ts';
import type { Paper } from './target.fixture.ts';

async function judged(paper: Paper, expectation: Expectation, severity: Severity = 'fail') {
  const { stage } = stageOn(paper, severity);
  await stage.refuses(expectation, [wrongEkm]);
  const { pairs, notes } = stage.evidence.close();
  return { findings: stage.findings, notes, verdict: pairs[0]?.verdict };
}

test('a refusal is judged between two controls and a neutral request', async () => {
  const { stage, opened } = stageOn();
  const base: RequestPlan = { method: 'POST' };
  await stage.refuses(refused('invalid_proof'), [wrongEkm, wrongAth], base);
  expect(stage.findings).toEqual([]);
  const { exchanges, pairs } = stage.evidence.close();
  expect(exchanges.map(({ part, what, expected }) => [part, what, expected])).toEqual([
    ['control', 'the right request', 'served'],
    ['neutral', 'the right request with a harmless difference', 'served'],
    ['variant', 'ekm of nothing', '401 invalid_proof'],
    ['variant', 'ath of nothing', '401 invalid_proof'],
    ['control', 'the right request again', 'served'],
  ]);
  expect(opened).toHaveLength(1);
  const sent = opened[0]?.requests ?? [];
  expect(sent.map(({ method }) => method)).toEqual(Array(5).fill('POST'));
  expect(sent.map(({ fields }) => fields.some(([name]) => name === 'X-Tsbt-Neutral'))).toEqual([
    false,
    true,
    false,
    false,
    false,
  ]);
  expect(pairs).toEqual([
    {
      what: 'ekm of nothing',
      control: 1,
      variant: 3,
      difference: [
        { field: 'proof.claims.ekm', control: "this connection's exporter value", variant: '"wrong"' },
      ],
      expected: '401 invalid_proof',
      observed: '401 invalid_proof',
      verdict: 'pass',
    },
    {
      what: 'ath of nothing',
      control: 1,
      variant: 4,
      difference: [{ field: 'proof.claims.ath', control: 'SHA-256 of this token', variant: '"wrong"' }],
      expected: '401 invalid_proof',
      observed: '401 invalid_proof',
      verdict: 'pass',
    },
  ]);
});

test('the harmless difference can be another one, and must be served', async () => {
  const { stage, opened } = stageOn();
  await stage.refuses(refused(), [wrongEkm], {}, {}, { fields: [['X-Other', '2']] });
  expect(opened[0]?.requests[1]?.fields).toContainEqual(['X-Other', '2']);

  const picky = stageOn({
    answer: (seen) =>
      seen.request.fields.some(([name]) => name === 'X-Tsbt-Neutral') ? response(400) : correct(seen),
  });
  await expect(picky.stage.refuses(refused(), [wrongEkm])).rejects.toMatchObject({
    verdict: 'inconclusive',
    message: expect.stringContaining(
      'the neutral "the right request with a harmless difference" was not served (400 no Bearer challenge)',
    ),
  });
});

test('a target that stops serving the right request cannot be judged, but keeps the failures found before', async () => {
  let served = 0;
  const { stage } = stageOn({ answer: () => (++served <= 3 ? response(200) : response(404)) });
  await expect(stage.refuses(refused(), [wrongEkm])).rejects.toMatchObject({ verdict: 'inconclusive' });
  expect(stage.findings).toMatchObject([{ severity: 'fail' }]);
});

test('what must be refused and is served is held against the target', async () => {
  const paper = otherwise(response(206));
  expect(await judged(paper, refused('invalid_proof'))).toMatchObject({
    findings: [
      {
        severity: 'fail',
        reason: 'ekm of nothing: served (206), must be refused with 401 invalid_proof',
        cause: CAUSE,
        attribution: 'target',
      },
    ],
    notes: [],
    verdict: 'fail',
  });
  expect((await judged(paper, refused())).findings).toMatchObject([
    { reason: 'ekm of nothing: served (206), must be refused' },
  ]);
});

test('an observation is attributed to the specification, a warning to the target', async () => {
  expect(await judged(otherwise(response(200)), refused(), 'info')).toMatchObject({
    findings: [{ severity: 'info', attribution: 'specification' }],
    verdict: 'info',
  });
  expect(await judged(otherwise(response(200)), refused(), 'warn')).toMatchObject({
    findings: [{ severity: 'warn', attribution: 'target' }],
    verdict: 'warn',
  });
});

test('a refusal in another manner passes with a note, unless the manner counts', async () => {
  const paper = otherwise(response(403));
  expect(await judged(paper, refused('invalid_proof'))).toMatchObject({
    findings: [],
    notes: [
      'ekm of nothing: refused, though with 403 no Bearer challenge instead of 401 invalid_proof; the manner is judged by RS-ERR-1, RS-ERR-2 and RS-ERR-3',
    ],
    verdict: 'pass',
  });
  expect(await judged(paper, refusedExactly('invalid_proof'))).toMatchObject({
    findings: [
      {
        severity: 'fail',
        reason: 'ekm of nothing: refused with 403 no Bearer challenge, must be 401 invalid_proof',
        cause: CAUSE,
        attribution: 'target',
      },
    ],
    notes: [],
    verdict: 'fail',
  });
});

test('a failure of the target’s own is a warning, unless the manner counts', async () => {
  const paper = otherwise(response(503));
  expect(await judged(paper, refused('invalid_proof'))).toMatchObject({
    findings: [
      {
        severity: 'warn',
        reason: "ekm of nothing: answered 503: refused, but as a failure of the target's own",
        cause: 'An error while checking the request is not caught. Answer what cannot be verified with 401.',
        attribution: 'target',
      },
    ],
    notes: [],
    verdict: 'warn',
  });
  expect(await judged(paper, refusedExactly('invalid_proof'))).toMatchObject({
    findings: [
      {
        severity: 'fail',
        reason: 'ekm of nothing: answered 503, must be refused with 401 invalid_proof',
        cause: CAUSE,
      },
    ],
    verdict: 'fail',
  });
});

test.each([refused('invalid_proof'), refusedExactly('invalid_proof')])(
  'a variant without an answer could not be measured (%j)',
  async (expectation) => {
    expect(await judged(otherwise(failure('timeout', 'x')), expectation)).toMatchObject({
      findings: [
        {
          severity: 'inconclusive',
          reason: 'ekm of nothing: no answer that can be judged (timeout: x)',
          cause: null,
          attribution: 'target',
        },
      ],
      notes: [],
      verdict: 'inconclusive',
    });
  },
);

test('a variation’s own expectation and cause come before the common ones', async () => {
  const { stage } = stageOn(otherwise(challenged('invalid_token')));
  await stage.refuses(refusedExactly('invalid_proof'), [
    { ...wrongEkm, expect: refusedExactly('invalid_token') },
    { ...wrongAth, cause: { 'other-manner': 'a mistake of its own' } },
  ]);
  expect(stage.findings).toMatchObject([
    { reason: expect.stringMatching(/^ath of nothing: refused/), cause: 'a mistake of its own' },
  ]);
});

test('a pair that differs in something else than declared is never judged', async () => {
  const { stage } = stageOn(otherwise(response(200)));
  await expect(
    stage.refuses(refused(), [{ ...wrongEkm, differs: ['proof.claims.ath'] }]),
  ).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
    message:
      'the pair "ekm of nothing" is not minimal: it also differs in proof.claims.ekm and does not differ in proof.claims.ath',
  });
  expect(stage.findings).toEqual([]);
});

test('with light effort pairs are taken for minimal', async () => {
  const { stage } = stageOn({ ...otherwise(response(200)), setting: { effort: 'light' } });
  await stage.refuses(refused(), [{ ...wrongEkm, differs: ['proof.claims.ath'] }]);
  expect(stage.findings).toMatchObject([{ severity: 'fail' }]);
  expect(stage.evidence.close().pairs).toMatchObject([{ difference: [] }]);
});

const withoutCertificate: Variation = { what: 'no certificate', connect: { identity: null } };

test('a variant that is not even let in is refused', async () => {
  const { stage, opened } = stageOn({
    bars: ({ identity }) => (identity === null ? failure('tls-alert', 'certificate required') : undefined),
  });
  const control = await stage.control();
  const came = await stage.refusesOne(refused(), withoutCertificate, control);
  expect(came).toMatchObject({ type: 'failure', kind: 'tls-alert' });
  expect(stage.findings).toEqual([]);
  expect(opened).toHaveLength(1);

  await stage.refusesOne(refusedExactly('invalid_token'), withoutCertificate, control);
  expect(stage.findings).toMatchObject([
    {
      reason: 'no certificate: refused with tls-alert: certificate required, must be 401 invalid_token',
    },
  ]);
});

test('a variant for which nobody is there to connect to could not be measured', async () => {
  const { stage } = stageOn({
    bars: ({ identity }) => (identity === null ? failure('refused') : undefined),
  });
  await stage.refusesOne(refused(), withoutCertificate, await stage.control());
  expect(stage.findings).toMatchObject([{ severity: 'inconclusive' }]);
});

test('a fault of the harness while a variant is sent is no refusal', async () => {
  const { stage } = stageOn();
  const control = await stage.control();
  const broken: Variation = {
    what: 'it',
    change: {
      carriage: () => {
        throw new Error('a bug');
      },
    },
  };
  await expect(stage.refusesOne(refused(), broken, control)).rejects.toThrow('a bug');
});

test('a variant goes out on a connection that differs from the control’s in just what it says', async () => {
  const { stage, opened } = stageOn();
  const way = { connect: { servername: null, ciphers: 'A' } };
  const control = await stage.control('the right request', {}, way);
  await stage.refusesOne(refused(), { what: 'SNI', connect: { servername: 'other' } }, control, {}, way);
  expect(opened.map(({ options }) => [options.servername, options.ciphers])).toEqual([
    [null, 'A'],
    ['other', 'A'],
  ]);
});

test('a variant without a word on connections goes where the control went', async () => {
  const { stage, opened } = stageOn();
  const way = { connect: { ciphers: 'A' } };
  await stage.refuses(refused(), [wrongEkm], {}, way);
  expect(opened).toHaveLength(1);
  expect(opened[0]?.requests).toHaveLength(4);
  const on = await stage.connect();
  await stage.refuses(refused(), [wrongEkm], {}, { on });
  expect(opened.map(({ requests }) => requests.length)).toEqual([4, 4]);
});

test('a variant goes out on the very connection that it names', async () => {
  const { stage, opened } = stageOn();
  const control = await stage.control();
  const on = await stage.connect();
  await stage.refusesOne(refused(), { ...wrongEkm, on }, control);
  expect(opened).toHaveLength(2);
  expect(opened[1]?.requests).toHaveLength(1);
});

test('the base of a pair is in its variant too', async () => {
  const { stage, opened } = stageOn();
  const base: RequestPlan = { fields: [['X-Base', 'b']], proof: { claims: { extra: 1 } } };
  const control = await stage.control('the right request', base);
  await stage.refusesOne(refused(), wrongEkm, control, base);
  expect(opened[0]?.requests.map(({ fields }) => fields.at(-1))).toEqual([
    ['X-Base', 'b'],
    ['X-Base', 'b'],
  ]);
  expect(stage.findings).toEqual([]);
});

const table: readonly Variation[] = [wrongEkm, wrongAth, wrongType].map((variation) => ({
  ...variation,
  cause: `cause of ${variation.what}`,
}));

test('where all of three mistakes are served, the check itself is missing', async () => {
  const { stage } = stageOn({ answer: () => response(200) });
  stage.holds(false, 'found before', 'its own cause');
  await stage.refuses(refused(), table);
  expect(stage.findings.map(({ reason, cause }) => [reason.split(':')[0], cause])).toEqual([
    ['found before', 'its own cause'],
    ['ekm of nothing', CAUSE],
    ['ath of nothing', CAUSE],
    ['typ of nothing', CAUSE],
  ]);
});

test.each<[string, readonly Variation[], Paper, Partial<ScenarioDefinition>]>([
  ['of two mistakes', table.slice(0, 2), { answer: () => response(200) }, {}],
  [
    'where one of three is refused',
    table,
    { answer: (seen) => (seen.header['typ'] === 'JWT' ? challenged('invalid_proof') : response(200)) },
    {},
  ],
  [
    'where one of three has no answer',
    table,
    { answer: (seen) => (seen.header['typ'] === 'JWT' ? failure('timeout') : response(200)) },
    {},
  ],
  ['where the scenario has no cause', table, { answer: () => response(200) }, { cause: null }],
])('%s each keeps its own cause', async (_what, variations, paper, definition) => {
  const { stage } = stageOn(paper, 'fail', definition);
  await stage.refuses(refused(), variations);
  const own = stage.findings.filter(({ severity }) => severity === 'fail');
  expect(own.length).toBeGreaterThan(1);
  for (const { reason, cause } of own) expect(cause).toBe(`cause of ${reason.split(':')[0]}`);
});
