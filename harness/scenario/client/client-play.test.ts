import { describe, expect, test } from 'vitest';
import { readJwt } from '../../forge/read.ts';
import { forgeToken } from '../../forge/token.ts';
import { CORE } from '../permutation.ts';
import { challenged, issuer, pki, response } from '../target.fixture.ts';
import { served, status } from './answers.ts';
import { arrived, proving, relayed, stageOn, unproven, valuesOf } from './client-under-test.fixture.ts';
import type { Client } from './client-under-test.fixture.ts';

const claimsOf = (compact: string | undefined) => readJwt(compact ?? '').claims;

describe('the agent sends', () => {
  test('GET of the protected path with a fresh session-bound token, and waits as long as it may', async () => {
    const { stage, happened } = await stageOn();
    const { token, what } = await stage.journey('a request');
    expect(what).toBe('a request');
    const [[request, timeoutMs] = []] = happened.asked;
    expect(timeoutMs).toBe(1234);
    expect(request).toStrictEqual({
      method: 'GET',
      target: '/resource',
      fields: [
        ['Authorization', `Bearer ${token?.compact}`],
        ['X-Tsbt-Request', '1'],
      ],
    });
    const another = await stage.journey('another');
    expect(another.token?.compact).not.toBe(token?.compact);
    expect(valuesOf(happened.asked[1]?.[0].fields ?? [], 'X-Tsbt-Request')).toEqual(['2']);
  });

  test('what the scenario wants it to', async () => {
    const { stage, happened } = await stageOn();
    const body = Buffer.from('content');
    await stage.journey('a request', {
      method: 'PUT',
      path: '/up?a=1',
      authorization: (token) => [['X-Token', token]],
      fields: [['X-More', 'm']],
      token: stage.adopt('opaque-token'),
      body,
    });
    expect(happened.asked[0]?.[0]).toEqual({
      method: 'PUT',
      target: '/up?a=1',
      fields: [
        ['X-Token', 'opaque-token'],
        ['X-More', 'm'],
        ['X-Tsbt-Request', '1'],
      ],
      body,
    });
  });

  test('a token as planned, one that is there, or none', async () => {
    const { stage, happened } = await stageOn();
    const planned = await stage.journey('planned', { token: { subject: 'bob' } });
    expect(claimsOf(planned.token?.compact)).toMatchObject({ sub: 'bob' });
    const again = await stage.journey('again', { token: planned.token });
    expect(again.token).toBe(planned.token);
    const none = await stage.journey('none', { token: null, authorization: (token) => [['X-Token', token]] });
    expect(none.token).toBeNull();
    expect(happened.asked.map(([{ fields }]) => fields.length)).toEqual([2, 2, 1]);
  });
});

describe('a fresh token', () => {
  test('is bound to sessions and to the client’s certificate', async () => {
    const { stage } = await stageOn({}, { scenario: { identity: async () => pki.mallory } });
    const token = stage.mint();
    expect(token.subject).toBe('alice');
    expect(claimsOf(token.compact)).toMatchObject({
      iss: issuer.issuer,
      cnf: { 'x5t#S256': pki.mallory.thumbprint, tls_exp: 'EXPORTER-oauth-tls-session-bound' },
    });
    expect(token.sha256).toHaveLength(43);
  });

  test('can be another one', async () => {
    const { stage } = await stageOn();
    const token = stage.mint({ boundTo: pki.mallory, subject: 'bob', scope: 'x' });
    expect(token.subject).toBe('bob');
    expect(claimsOf(token.compact)).toMatchObject({
      sub: 'bob',
      scope: 'x',
      cnf: { 'x5t#S256': pki.mallory.thumbprint },
    });
    const opaque = stage.mint({ opaque: true, subject: 'bob' });
    expect(opaque.subject).toBe('bob');
    expect(opaque.compact.split('.')).toHaveLength(2);
    expect(stage.adopt('some text').subject).toBe('alice');
  });

  test('is known when it arrives, and one that somebody else made is not', async () => {
    const { stage } = await stageOn();
    const adopted = stage.adopt('opaque-token');
    const known = await stage.journey('adopted', { token: adopted });
    expect(known.arrivals[0]?.token).toBe(adopted);
    const foreign = forgeToken(issuer, { boundTo: null });
    expect((await stage.journey('foreign', { token: foreign })).arrivals[0]?.token).toBeNull();
    expect((await stage.journey('none', { token: null })).arrivals[0]?.token).toBeNull();
  });

  test('is concealed wherever it shows up', async () => {
    const { stage } = await stageOn();
    const [minted, opaque, adopted] = [
      stage.mint(),
      stage.mint({ opaque: true }),
      stage.adopt('a-secret-text'),
    ];
    for (const { compact } of [minted, opaque, adopted]) {
      stage.note(`saw ${compact}`);
      stage.holds(false, `saw ${compact}`);
      await stage.journey(`sent`, { token: { ...minted, compact }, fields: [['X-Copy', compact]] });
    }
    const told = JSON.stringify([stage.evidence.close(), stage.findings]);
    for (const { compact } of [minted, opaque, adopted]) expect(told).not.toContain(compact);
    expect(told).toContain('<token sha-256 ');
  });
});

describe('a challenge for a proof', () => {
  const challenges = (...outcomes: readonly ReturnType<typeof response>[]): Client => {
    const left = [...outcomes];
    const right = proving();
    return async (request, upstream) => {
      const outcome = await right(request, upstream);
      return left.shift() ?? outcome;
    };
  };
  const asks = challenged('use_session_binding');

  test('is answered once more with the same token, and what arrived of both belongs together', async () => {
    const { stage, happened } = await stageOn({ client: challenges(asks) });
    const { outcome, arrivals, token } = await stage.journey('a request', { method: 'PUT' });
    expect(outcome).toMatchObject({ status: 200 });
    expect(arrivals.map(({ request }) => request.id)).toEqual([1, 2]);
    expect(arrivals.map((arrival) => arrival.token)).toEqual([token, token]);
    expect(happened.asked.map(([{ method }]) => method)).toEqual(['PUT', 'PUT']);
    expect(happened.asked.map(([{ fields }]) => valuesOf(fields, 'X-Tsbt-Request')[0])).toEqual(['1', '2']);
  });

  test('is not answered a second time', async () => {
    const { stage, happened } = await stageOn({ client: challenges(asks, asks, asks) });
    const { outcome } = await stage.journey('a request');
    expect(outcome).toBe(asks);
    expect(happened.asked).toHaveLength(2);
  });

  test('is the last word where the scenario says so', async () => {
    const { stage, happened } = await stageOn({ client: challenges(asks) });
    expect((await stage.journey('a request', { once: true })).outcome).toBe(asks);
    expect(happened.asked).toHaveLength(1);
    await stage.journey('another', { once: false });
    expect(happened.asked).toHaveLength(2);
  });

  test.each<[string, ReturnType<typeof response>]>([
    ['another error', challenged('invalid_token')],
    ['another status', response(403, [['WWW-Authenticate', 'Bearer error="use_session_binding"']])],
    ['another field', response(401, [['X-Error', 'use_session_binding']])],
    ['nothing', response(401)],
  ])('is something else than a refusal with %s', async (_what, outcome) => {
    const { stage, happened } = await stageOn({ client: challenges(outcome) });
    expect((await stage.journey('a request')).outcome).toBe(outcome);
    expect(happened.asked).toHaveLength(1);
  });

  test('is found among other fields, in any letter case', async () => {
    const among = response(401, [
      ['Content-Type', 'text/plain'],
      ['www-AUTHENTICATE', 'Basic, Bearer error="use_session_binding"'],
    ]);
    const { stage, happened } = await stageOn({ client: challenges(among) });
    await stage.journey('a request');
    expect(happened.asked).toHaveLength(2);
  });

  test('comes from the counterpart where a token comes without a proof', async () => {
    const { stage, happened } = await stageOn({ client: unproven });
    const { outcome, arrivals } = await stage.journey('a request');
    expect(outcome).toMatchObject({ status: 401 });
    expect(arrivals).toHaveLength(2);
    expect(happened.asked).toHaveLength(2);
  });
});

describe('the counterpart', () => {
  test('begins as the permutation says, and is met in another way for a while', async () => {
    const permutation = { ...CORE, tls: 'TLSv1.2', http: 'h2' } as const;
    const { stage, happened } = await stageOn({}, { permutation });
    stage.meet({ resumption: 'tickets' });
    stage.meet({ tls: 'TLSv1.3' });
    expect(happened.server.plans).toEqual([
      { tls: 'TLSv1.2', http: 'h2' },
      { tls: 'TLSv1.2', http: 'h2', resumption: 'tickets' },
      { tls: 'TLSv1.3', http: 'h2' },
    ]);
    expect(stage.counterpart).toBe(happened.server);
    await stage.journey('a request');
    expect(stage.connections.map(({ id, facts }) => [id, facts.alpn])).toEqual([['c1', 'h2']]);
  });

  test('answers in another way where the scenario wants it to', async () => {
    const { stage } = await stageOn();
    stage.answerWith(() => status(418));
    expect((await stage.journey('a request')).outcome).toMatchObject({ status: 418 });
    stage.answerWith(() => ({ kind: 'reset' }));
    expect((await stage.journey('a request')).outcome).toMatchObject(relayed({ kind: 'reset' }));
    stage.answerWith(() => served());
    expect((await stage.journey('a request')).outcome).toMatchObject({ status: 200 });
  });

  test('is called by its name and port, and so is any other server', async () => {
    const { stage } = await stageOn({ setting: { upstreamName: 'rs.example' } });
    expect(stage.authorityOf({ port: 1 })).toBe('rs.example:1');
    await stage.journey('a request');
    const [arrival] = stage.arrivals();
    if (arrival === undefined) throw new Error('nothing arrived');
    const authority = (text: string) =>
      stage.describe({ ...arrival, request: arrived({ authority: text }) }).get('request.authority');
    expect(authority('rs.example:8443')).toBe('the target');
    expect(authority('rs.tsbt.test:8443')).toBe('rs.tsbt.test:8443');
  });
});

describe('the client under test', () => {
  test('tells of itself what a scenario asks for', async () => {
    const { stage } = await stageOn();
    expect(await stage.reachBeyondLoopback()).toEqual({ tried: ['192.0.2.1'], accepting: [] });
    expect(stage.log()).toEqual(['it runs']);
    expect(stage.onUsedClient).toBe(true);
    expect((await stageOn({}, { scenario: { ownInstance: true } })).stage.onUsedClient).toBe(false);
  });

  test('can be given another certificate, under which evidence knows it', async () => {
    const { stage, happened } = await stageOn();
    const rotated = { ...pki.trusted, name: 'alice again', keyType: 'P-256', chain: '', thumbprint: 'x' };
    await stage.rotate(rotated);
    expect(happened.rotated).toEqual([rotated]);
    happened.server.connect(rotated);
    await stage[Symbol.asyncDispose]();
    expect(stage.evidence.close().connections).toMatchObject([
      { clientCertificate: { name: 'alice again' } },
    ]);
  });

  test('is played with in one profile or the other', async () => {
    expect((await stageOn()).stage.full).toBe(false);
    expect((await stageOn({ setting: { profile: 'full' } })).stage.full).toBe(true);
  });
});
