import { describe, expect, test } from 'vitest';
import { forgeToken } from '../../forge/token.ts';
import { issuer } from '../target.fixture.ts';
import { confusing, deaf, proving, stageOn, unproven } from './client-under-test.fixture.ts';

describe('what arrives', () => {
  test('belongs to the request of the agent that it was made for', async () => {
    const right = proving();
    let unasked = 0;
    const { stage } = await stageOn({
      client: async (request, upstream) => {
        if (unasked++ === 0)
          await upstream.receive(upstream.connect(null), [['Authorization', 'Basic eDp5']]);
        await right(request, upstream);
        const lower = request.fields.map(([name, value]) => [name.toLowerCase(), value] as const);
        return right({ ...request, fields: lower }, upstream);
      },
    });
    const first = await stage.journey('one');
    const second = await stage.journey('two');
    expect(first.arrivals.map(({ request }) => request.id)).toEqual([2, 3]);
    expect(second.arrivals.map(({ request }) => request.id)).toEqual([4, 5]);
    expect(stage.arrivals().map(({ request }) => request.id)).toEqual([1, 2, 3, 4, 5]);
  });

  test('leaves out what the client sends on its own account, which no scripted answer is used up by', async () => {
    const right = proving();
    const warmUps: unknown[] = [];
    const { stage } = await stageOn({
      client: async (request, upstream) => {
        const connection = upstream.connect(upstream.identity);
        warmUps.push(
          await upstream.receive(connection, [['User-Agent', 'x']], { method: 'HEAD', target: '/' }),
        );
        return right(request, upstream);
      },
    });
    let asked = 0;
    stage.answerWith(() => ({ kind: 'response', status: 200 + asked++, fields: [], body: '' }));
    const { outcome, arrivals } = await stage.journey('a request');
    expect(outcome).toMatchObject({ status: 200 });
    expect(arrivals.map(({ request }) => request.id)).toEqual([2]);
    expect(stage.arrivals().map(({ request }) => request.id)).toEqual([2]);
    expect(warmUps).toEqual([{ kind: 'response', status: 204, fields: [], body: '' }]);
  });

  test('is nothing where the client keeps it for itself', async () => {
    const { stage } = await stageOn({ client: deaf });
    const { outcome, arrivals } = await stage.journey('a request');
    expect(outcome).toMatchObject({ type: 'failure', kind: 'timeout' });
    expect(arrivals).toEqual([]);
    expect(stage.arrivals()).toEqual([]);
  });

  test('is told to have been there before where the proof is the very same', async () => {
    const proofs: string[] = [];
    const { stage } = await stageOn({
      client: proving({}, (proof) => {
        proofs.push(proof);
        return proofs.length === 1 ? [] : [['Session-Binding-Proof', proofs[1] ?? '']];
      }),
    });
    const token = stage.mint();
    await stage.journey('unproven', { token, once: true });
    await stage.journey('proven', { token });
    await stage.journey('again', { token });
    expect(stage.arrivals().map(({ proofSeenBefore }) => proofSeenBefore)).toEqual([false, false, true]);
    expect(stage.arrivals().map((arrival) => arrival.proofs.length)).toEqual([0, 1, 1]);
  });

  test('has no defects where there is no proof, and those of the first one where there are two', async () => {
    const { stage } = await stageOn({ client: unproven });
    expect((await stage.journey('unproven')).arrivals[0]).toMatchObject({ proofs: [], defects: [] });
    const two = await stageOn({
      client: proving({}, (proof) => [
        ['Session-Binding-Proof', 'no JWT'],
        ['Session-Binding-Proof', proof],
      ]),
    });
    expect((await two.stage.journey('two')).arrivals[0]?.defects).toMatchObject([{ aspect: 'form' }]);
  });
});

describe('a proof is held against', () => {
  test('no token where none came with it, though it can be wrong in other respects', async () => {
    const right = proving({ header: { typ: 'JWT' } });
    const { stage } = await stageOn({
      client: (request, { receive, ...upstream }) =>
        right(request, {
          ...upstream,
          receive: (connection, fields, sent) =>
            receive(
              connection,
              fields.filter(([name]) => name !== 'Authorization'),
              sent,
            ),
        }),
    });
    const { arrivals } = await stage.journey('token lost');
    expect(arrivals[0]).toMatchObject({ token: null, defects: [{ aspect: 'typ' }] });
  });

  test('the token that came with it', async () => {
    const other = forgeToken(issuer, { boundTo: null }).compact;
    const right = proving();
    const { stage } = await stageOn({
      client: ({ fields, ...request }, { receive, ...upstream }) =>
        right(
          { ...request, fields },
          {
            ...upstream,
            receive: (connection, sent, more) =>
              receive(
                connection,
                sent.map(([name, value]) => [name, name === 'Authorization' ? `Bearer ${other}` : value]),
                more,
              ),
          },
        ),
    });
    const { arrivals } = await stage.journey('exchanged');
    expect(arrivals[0]?.defects).toMatchObject([{ aspect: 'ath' }]);
  });

  test('the connection that it came on, and the client’s other ones', async () => {
    const { stage } = await stageOn({ client: confusing() });
    const { arrivals } = await stage.journey('moved');
    expect(arrivals[0]?.request.connection.id).toBe('c2');
    expect(arrivals[0]?.defects).toMatchObject([
      { aspect: 'ekm', what: 'ekm on connection c2 is the exporter value of connection c1' },
    ]);
  });

  test('the method and the host of the request', async () => {
    const claims = { htm: 'GET', htu: 'https://rs.tsbt.test:8443/resource' };
    const { stage } = await stageOn({ client: proving({ claims }) });
    expect((await stage.journey('right')).arrivals[0]?.defects).toEqual([]);
    const { arrivals } = await stage.journey('another', { method: 'PUT', path: '/up' });
    expect(arrivals[0]?.defects).toMatchObject([{ aspect: 'htm' }, { aspect: 'htu' }]);
  });

  test('the time when it was first seen, not the time when it comes again', async () => {
    const now = Date.now();
    let times = 0;
    let kept: string | undefined;
    const right = proving({}, (proof) => [['Session-Binding-Proof', (kept ??= proof)]]);
    const { stage } = await stageOn({
      client: (request, { receive, ...upstream }) =>
        right(request, {
          ...upstream,
          receive: (connection, fields, sent) =>
            receive(connection, fields, { ...sent, receivedAt: now + times++ * 3_600_000 }),
        }),
    });
    const token = stage.mint();
    for (const what of ['at once', 'an hour later']) {
      const { arrivals } = await stage.journey(what, { token });
      expect(arrivals[0]?.defects).toEqual([]);
    }
    kept = undefined;
    expect((await stage.journey('made too early', { token })).arrivals[0]?.defects).toMatchObject([
      { aspect: 'iat', what: expect.stringMatching(/^iat lies \d+ s before the first use/) },
    ]);
  });

  test('what was known when it came, once', async () => {
    const { stage, happened } = await stageOn({ client: proving({ header: { typ: 'JWT' } }) });
    const { arrivals } = await stage.journey('wrong');
    const [again] = stage.arrivals();
    expect(again?.defects).toBe(arrivals[0]?.defects);
    happened.server.connect(null);
    expect(stage.arrivals()[0]?.defects).toBe(arrivals[0]?.defects);
  });
});
