import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Identity } from '../../certs/identity.ts';
import { issue } from '../../certs/issue.ts';
import { createProof } from '../proof/create.ts';
import { accessTokenHash, encodeBase64url } from '../proof/encoding.ts';
import { signText } from '../proof/proof.fixture.ts';
import { PROOF_TYPE } from '../proof/vocabulary.ts';
import { type Bench, credentials, now, sessionBound, signerOf, startBench } from '../test-bench/bench.ts';
import type { Line } from '../test-bench/line.ts';

let bench: Bench;
let alice: Identity;

beforeAll(async () => {
  bench = await startBench();
  alice = bench.pki.alice['P-256'];
});
afterAll(() => bench[Symbol.asyncDispose]());

const VERSIONS = [
  ['http/1.1', 'TLSv1.3'],
  ['http/1.1', 'TLSv1.2'],
  ['h2', 'TLSv1.3'],
  ['h2', 'TLSv1.2'],
] as const;

function error(code: string) {
  return { status: 401, challenge: expect.stringContaining(`error="${code}"`) };
}

describe.each(VERSIONS)('over %s on %s', (http, version) => {
  const connect = (identity: Identity | undefined = alice) =>
    bench.connect(http, { identity, tls: { minVersion: version, maxVersion: version } });

  test('a token with a proof for this connection is served, again and again', async () => {
    await using line = await connect();
    const fields = credentials(await bench.mint({ sub: 'carol' }), line, alice);
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const response = await line.send({ method, fields });
      expect(response).toMatchObject({ status: 200 });
      expect(JSON.parse(response.body)).toMatchObject({ sub: 'carol' });
    }
    expect(await line.send({ method: 'HEAD', fields })).toMatchObject({ status: 200, body: '' });
  });

  test('a proof is of no use on another connection, cached there or not', async () => {
    await using here = await connect();
    await using there = await connect();
    const token = await bench.mint();
    const [own, foreign] = [credentials(token, here, alice), credentials(token, there, alice)];
    expect(await here.send({ fields: foreign })).toMatchObject(error('invalid_proof'));
    expect(await here.send({ fields: own })).toMatchObject({ status: 200 });
    expect(await here.send({ fields: foreign })).toMatchObject(error('invalid_proof'));
    expect(await there.send({ fields: foreign })).toMatchObject({ status: 200 });
  });

  test('the proof has to come with every request, and once', async () => {
    await using line = await connect();
    const [authorization, proof] = credentials(await bench.mint(), line, alice) as [
      [string, string],
      [string, string],
    ];
    expect(await line.send({ fields: [authorization] })).toMatchObject(error('use_session_binding'));
    expect(await line.send({ fields: [authorization, proof] })).toMatchObject({ status: 200 });
    expect(await line.send({ fields: [authorization] })).toMatchObject(error('use_session_binding'));
    const underscore: [string, string] = ['Session_Binding_Proof', proof[1]];
    expect(await line.send({ fields: [authorization, underscore] })).toMatchObject(
      error('use_session_binding'),
    );
    const comma: [string, string] = [proof[0], `${proof[1]}, ${proof[1]}`];
    const empty: [string, string] = [proof[0], ''];
    for (const more of [[proof, proof], [comma], [empty]]) {
      expect(await line.send({ fields: [authorization, ...more] })).toMatchObject(error('invalid_proof'));
    }
    expect(
      await line.send({ fields: [['authorization', authorization[1].replace('Bearer', 'BEARER ')], proof] }),
    ).toMatchObject({ status: 200 });
  });

  test('a stolen token is worth nothing to someone with another certificate', async () => {
    const { mallory } = bench.pki;
    await using victim = await connect();
    await using line = await connect(mallory);
    const token = await bench.mint();
    expect(await line.send({ fields: credentials(token, line, mallory) })).toMatchObject(
      error('invalid_token'),
    );
    expect(await line.send({ fields: credentials(token, victim, alice) })).toMatchObject(
      error('invalid_token'),
    );
  });

  test('a proof for one request serves one request', async () => {
    await using line = await connect();
    const token = await bench.mint();
    const request = { identifier: 'J', method: 'GET', target: 'https://localhost/resource/x' };
    const fields = credentials(token, line, alice, { request });
    const path = '/resource/x?a=1';
    expect(await line.send({ fields: credentials(token, line, alice) })).toMatchObject({ status: 200 });
    expect(await line.send({ fields, path, method: 'POST' })).toMatchObject(error('invalid_proof'));
    expect(await line.send({ fields, path: '/resource/y' })).toMatchObject(error('invalid_proof'));
    expect(await line.send({ fields, path })).toMatchObject({ status: 200 });
    expect(await line.send({ fields, path })).toMatchObject(error('invalid_proof'));
  });

  test('of requests that race with one jti only one is served', async () => {
    await using line = await connect();
    const token = await bench.mint();
    const request = { identifier: 'race', method: 'GET', target: '/resource' };
    const fields = credentials(token, line, alice, { request });
    const responses = await Promise.all(Array.from({ length: 8 }, () => line.send({ fields })));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('without, with an unknown or an outdated client certificate nothing bound is served', async () => {
    const request = { name: 'alice', keyType: 'P-256' } as const;
    const yesterday = { notBefore: new Date(0), notAfter: new Date(Date.now() - 86_400_000) };
    const wrong = [
      await issue(bench.pki.stranger, request),
      await issue(bench.pki.trusted, { ...request, ...yesterday }),
      await issue(bench.pki.trusted, { ...request, extendedKeyUsage: ['serverAuth'] }),
    ];
    for (const identity of wrong) {
      await using line = await connect(identity);
      const token = await bench.mint({ cnf: sessionBound(identity) });
      expect(await line.send({ fields: credentials(token, line, identity) })).toMatchObject(
        error('invalid_token'),
      );
    }
    await using line = await bench.connect(http, { identity: undefined });
    expect(await line.send({ fields: credentials(await bench.mint(), line, alice) })).toMatchObject(
      error('invalid_token'),
    );
  });

  test('tokens of other kinds keep their own rules', async () => {
    await using line = await connect();
    await using other = await connect(bench.pki.mallory);
    const bearer = async (cnf: unknown): Promise<[string, string][]> => [
      ['Authorization', `Bearer ${await bench.mint({ cnf })}`],
    ];
    expect(await line.send({ fields: await bearer(undefined) })).toMatchObject({ status: 200 });
    const certificateBound = await bearer({ 'x5t#S256': alice.thumbprint });
    expect(await line.send({ fields: certificateBound })).toMatchObject({ status: 200 });
    expect(await other.send({ fields: certificateBound })).toMatchObject(error('invalid_token'));
    const malformed = [null, 'x', [], { 'x5t#S256': alice.thumbprint, tls_exp: true }];
    for (const cnf of malformed) {
      expect(await line.send({ fields: await bearer(cnf) })).toMatchObject(error('invalid_token'));
    }
  });

  test('a token that is not valid stays so, with the best of proofs', async () => {
    await using line = await connect();
    const proof = createProof(signerOf(alice), { token: 'x', exporter: line.exporter, issuedAt: now() });
    const tokens = [
      await bench.mint({ exp: now() - 1 }),
      await bench.mint({ nbf: now() + 600 }),
      await bench.mint({ aud: 'https://other.example' }),
      await bench.mint({ iss: 'https://other.example' }),
      `${(await bench.mint()).slice(0, -4)}AAAA`,
      proof,
      'opaque',
      'a.b.c',
      '~/+=',
    ];
    for (const token of tokens) {
      expect(await line.send({ fields: credentials(token, line, alice) })).toMatchObject(
        error('invalid_token'),
      );
    }
    expect(await line.send({})).toMatchObject({ status: 401, challenge: 'Bearer realm="session-bound"' });
    const query = `/resource?access_token=${await bench.mint({ cnf: undefined })}`;
    expect(await line.send({ path: query })).toMatchObject({ status: 401 });
    const two: [string, string][] = [1, 2].map(() => ['Authorization', 'Bearer x']);
    expect(await line.send({ fields: two })).toMatchObject({ status: 400 });
  });

  test('scope is asked for last, in every spelling of the path', async () => {
    await using line = await connect();
    const fields = credentials(await bench.mint(), line, alice);
    for (const path of ['/resource/scoped', '/resource/scoped/x?y', '/resource/x/../scoped']) {
      expect(await line.send({ fields, path })).toMatchObject({
        status: 403,
        challenge: expect.stringContaining('error="insufficient_scope"'),
      });
    }
    expect(await line.send({ path: '/resource/scoped' })).toMatchObject({ status: 401 });
    const scoped = credentials(await bench.mint({ scope: 'a tsbt.scoped' }), line, alice);
    expect(await line.send({ fields: scoped, path: '/resource/scoped' })).toMatchObject({ status: 200 });
    expect(await line.send({ fields, path: '/resources' })).toMatchObject({ status: 404 });
  });

  test('a refused request changes nothing', async () => {
    await using line = await connect();
    const fields = credentials(await bench.mint(), line, alice);
    const path = '/resource/counter';
    const count = async () =>
      (JSON.parse((await line.send({ fields, path })).body) as { count: number }).count;
    const before = await count();
    await line.send({ method: 'POST', path, body: 'x', fields: fields.slice(0, 1) });
    expect(await count()).toBe(before);
    await line.send({ method: 'POST', path, body: 'x', fields });
    expect(await count()).toBe(before + 1);
  });

  test('on a resumed connection the session’s certificate counts, and the old proof does not', async () => {
    await using first = await connect();
    const session = new Promise<Buffer>((resolve) => first.socket.once('session', resolve));
    const token = await bench.mint();
    expect(await first.send({ fields: credentials(token, first, alice) })).toMatchObject({ status: 200 });
    await using second = await bench.connect(http, {
      tls: {
        minVersion: version,
        maxVersion: version,
        session: first.socket.getSession() ?? (await session),
      },
    });
    expect(second.socket.isSessionReused()).toBe(true);
    expect(await second.send({ fields: credentials(token, first, alice) })).toMatchObject(
      error('invalid_proof'),
    );
    expect(await second.send({ fields: credentials(token, second, alice) })).toMatchObject({ status: 200 });
  });
});

test('every kind of client key is served', async () => {
  const kinds = Object.values(bench.pki.alice);
  const pss = await issue(bench.pki.trusted, { name: 'alice', keyType: 'RSA-PSS' });
  for (const identity of [...kinds, pss]) {
    await using line: Line = await bench.connect('h2', { identity });
    const token = await bench.mint({ cnf: sessionBound(identity) });
    expect(await line.send({ fields: credentials(token, line, identity) })).toMatchObject({ status: 200 });
  }
});

test('many tokens share a connection, more than the cache holds, each with its own subject', async () => {
  await using line = await bench.connect('h2');
  const people = await Promise.all(
    Array.from({ length: 40 }, async (_each, index) => ({
      sub: `s${index}`,
      token: await bench.mint({ sub: `s${index}` }),
    })),
  );
  const fields = people.map(({ token }) => credentials(token, line, alice));
  for (let round = 0; round < 3; round += 1) {
    const responses = await Promise.all(fields.map((each) => line.send({ fields: each })));
    expect(responses.map(({ body }) => (JSON.parse(body) as { sub: string }).sub)).toEqual(
      people.map(({ sub }) => sub),
    );
  }
});

test('a proof that can expire is not taken as verified beyond its time', async () => {
  let time = now();
  await using own = await startBench({ variant: { parts: () => ({ clock: () => time }) } });
  const identity = own.pki.alice['P-256'];
  await using line = await own.connect('http/1.1');
  const token = await own.mint();
  const header = { typ: PROOF_TYPE, alg: 'ES256', 'x5t#S256': identity.thumbprint };
  const claims = {
    ath: accessTokenHash(token),
    ekm: encodeBase64url(line.exporter),
    iat: time,
    exp: time + 10,
  };
  const proof = signText(JSON.stringify(header), JSON.stringify(claims), signerOf(identity).key);
  const fields: [string, string][] = [
    ['Authorization', `Bearer ${token}`],
    ['Session-Binding-Proof', proof],
  ];
  expect(await line.send({ fields })).toMatchObject({ status: 200 });
  expect(await line.send({ fields })).toMatchObject({ status: 200 });
  time += 10;
  expect(await line.send({ fields })).toMatchObject(error('invalid_proof'));
});
