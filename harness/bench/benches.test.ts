import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Bench, BenchPlan } from '../scenario/client/client-setting.ts';
import type { Manifest } from '../target/manifest.ts';
import { SAME_MACHINE } from '../target/vantage.ts';
import { Benches } from './benches.ts';

const pki = await createPki();
const alice = pki.alice['P-256'];

const MANIFEST: Manifest = {
  name: 'plain',
  title: 'A client that calls nobody',
  role: 'client',
  start: { kind: 'module', module: fileURLToPath(new URL('fixtures/plain-client.mjs', import.meta.url)) },
  capabilities: ['tls1.3', 'http/1.1'],
  paths: { protected: '/resource' },
  knownFailures: {},
  file: null,
};

function benches(most = 4, manifest: Manifest = MANIFEST): Benches {
  const made = new Benches({
    manifest,
    server: pki.server,
    vantage: SAME_MACHINE,
    authorities: pki.trusted.certificate,
    most,
  });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

const PLAN: BenchPlan = { identity: alice, proofClaims: 'connection', own: false };

interface Told {
  readonly instance: number;
  readonly certificate: string;
  readonly claims: string;
  readonly upstream: string;
}

async function ask(bench: Bench): Promise<Told> {
  const outcome = await bench.send({ method: 'GET', target: '/', fields: [] }, 2000);
  if (outcome.type !== 'response') throw new Error(outcome.detail);
  return JSON.parse(outcome.body.toString()) as Told;
}

/** Takes a bench, asks it who it is, and gives it back. */
async function once(of: Benches, plan: Partial<BenchPlan> = {}): Promise<Told> {
  await using bench = await of.take({ ...PLAN, ...plan });
  return await ask(bench);
}

test('a client is told whom to call and with what, and kept for the next scenario of its kind', async () => {
  const of = benches();
  const bench = await of.take(PLAN);
  const first = await ask(bench);
  expect(first).toMatchObject({
    certificate: alice.chain,
    claims: 'connection',
    upstream: `https://localhost:${bench.counterpart.port}`,
  });
  await bench[Symbol.asyncDispose]();
  expect(await once(of)).toEqual(first);
  expect((await once(of, { proofClaims: 'request' })).claims).toBe('request');
  expect((await once(of, { identity: pki.mallory })).certificate).toBe(pki.mallory.chain);
  expect((await once(of)).instance).toBe(first.instance);
});

test('a client of one’s own, and one with another certificate, is nobody else’s', async () => {
  const of = benches();
  const own = await once(of, { own: true });
  const bench = await of.take(PLAN);
  expect((await ask(bench)).instance).not.toBe(own.instance);
  await bench.rotate(pki.mallory);
  const rotated = await ask(bench);
  expect(rotated.certificate).toBe(pki.mallory.chain);
  await bench[Symbol.asyncDispose]();
  expect((await once(of)).instance).not.toBe(rotated.instance);
});

test('no more run at once than are allowed: the next one waits', async () => {
  const of = benches(2);
  const [first, second] = await Promise.all([of.take(PLAN), of.take(PLAN)]);
  let third: Bench | undefined;
  const waiting = of.take(PLAN).then((bench) => (third = bench));
  await ask(second);
  expect(third).toBeUndefined();
  const { instance } = await ask(first);
  await first[Symbol.asyncDispose]();
  expect((await ask(await waiting)).instance).toBe(instance);
  await Promise.all([second[Symbol.asyncDispose](), third?.[Symbol.asyncDispose]()]);
  // Another kind takes the place of one that is idle.
  expect((await once(of, { identity: pki.mallory })).certificate).toBe(pki.mallory.chain);
});

test('all end with the benches', async () => {
  const of = benches();
  const bench = await of.take(PLAN);
  const { host, port } = bench;
  await bench[Symbol.asyncDispose]();
  await of[Symbol.asyncDispose]();
  const refused = Promise.withResolvers<string>();
  connect(port, host)
    .on('error', (error) => refused.resolve('code' in error ? String(error.code) : error.message))
    .on('connect', () => refused.resolve('connected'));
  expect(await refused.promise).toBe('ECONNREFUSED');
});

test('a client that cannot be started says why, and takes nobody’s place', async () => {
  const module = fileURLToPath(new URL('fixtures/missing.mjs', import.meta.url));
  const of = benches(1, { ...MANIFEST, start: { kind: 'module', module } });
  await expect(of.take(PLAN)).rejects.toThrow('cannot be loaded');
  await expect(of.take(PLAN)).rejects.toThrow('cannot be loaded');
});

test('a client that runs already is as it is', async () => {
  const of = benches(1, { ...MANIFEST, start: { kind: 'url', url: 'http://127.0.0.1:1' } });
  for (const plan of [{ own: true }, { proofClaims: 'request' }, { identity: pki.alice.RSA }] as const)
    await expect(of.take({ ...PLAN, ...plan })).rejects.toMatchObject({ verdict: 'not-applicable' });
  await expect(of.take(PLAN)).rejects.toThrow('nobody accepts a connection');
});
