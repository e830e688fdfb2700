import { expect, test } from 'vitest';
import { ath } from '../forge/read.ts';
import { CORE } from './permutation.ts';
import { LITERAL, Preparations } from './preparation.ts';
import type { Permutation } from './record.ts';
import { challenged, correct, failure, onPaper, response } from './target.fixture.ts';
import type { Answer, Paper, Seen } from './target.fixture.ts';

const RSA: Permutation = { ...CORE, key: 'RSA' };
const TLS12: Permutation = { ...CORE, tls: 'TLSv1.2' };

function prepare(paper: Paper, permutation = CORE) {
  return new Preparations(onPaper(paper).setting).for(permutation);
}

/** Serves what meets this, besides being right. */
function demanding(condition: (seen: Seen) => boolean): Paper {
  return { answer: (seen) => (seen.right && condition(seen) ? response(200) : challenged('invalid_proof')) };
}

test('a target that takes the literal reading needs no preparation', async () => {
  expect(await prepare({})).toEqual(LITERAL);
  expect(LITERAL).toEqual({
    exporterForm: 'zero-length',
    algorithm: undefined,
    htu: 'absolute',
    persistent: true,
  });
});

test('a permutation is prepared once, however often it is asked for', async () => {
  const { setting, opened } = onPaper();
  const preparations = new Preparations(setting);
  const first = await preparations.for(CORE);
  const connections = opened.length;
  expect(await preparations.for({ ...CORE })).toBe(first);
  expect(opened).toHaveLength(connections);
  await preparations.for(TLS12);
  expect(opened.length).toBeGreaterThan(connections);
  expect(opened.every(({ disposed }) => disposed)).toBe(true);
});

test('the form of htu that the target takes is found; where it takes neither, the literal one stays', async () => {
  const htu = (form: (text: unknown) => boolean) =>
    demanding(({ claims }) => claims['htu'] === undefined || form(claims['htu']));
  expect(await prepare(htu((text) => text === '/resource'))).toEqual({ ...LITERAL, htu: 'path' });
  expect(await prepare(htu((text) => text === 'https://rs.tsbt.test:8443/resource'))).toEqual(LITERAL);
  expect(await prepare(htu(() => false))).toEqual(LITERAL);
});

test('the algorithm that the target takes is found for RSA and Ed25519', async () => {
  const only = (alg: string) => demanding(({ header }) => header['alg'] === alg);
  const ed25519: Permutation = { ...CORE, key: 'Ed25519' };
  expect(await prepare(only('RS256'), RSA)).toMatchObject({ algorithm: 'RS256' });
  expect(await prepare(only('PS256'), RSA)).toMatchObject({ algorithm: 'PS256' });
  expect(await prepare(only('EdDSA'), ed25519)).toMatchObject({ algorithm: 'EdDSA' });
  expect(await prepare(only('Ed25519'), ed25519)).toMatchObject({ algorithm: 'Ed25519' });
  for (const [key, alg] of [
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
  ] as const)
    expect(await prepare(only(alg), { ...CORE, key })).toMatchObject({ algorithm: undefined });
});

test('the form of the exporter that the target uses on TLS 1.2 is found', async () => {
  const withoutContext: Answer = ({ claims, connection, token }) =>
    claims['ekm'] === connection.exporter({ context: null }).toString('base64url') &&
    claims['ath'] === ath(token ?? '')
      ? response(200)
      : challenged('invalid_proof');
  expect(await prepare({ answer: withoutContext }, TLS12)).toMatchObject({ exporterForm: 'absent' });
  expect(await prepare({}, TLS12)).toMatchObject({ exporterForm: 'zero-length' });
  expect(await prepare({ answer: withoutContext })).toMatchObject({ exporterForm: 'zero-length' });
});

/** What the target does with the second request on a connection. */
function atSecond(answer: Answer): Paper {
  return { answer: (seen) => (seen.connection.requests.length === 2 ? answer(seen) : correct(seen)) };
}

test.each<[string, Answer, boolean]>([
  ['serves', () => response(200), true],
  ['refuses', () => challenged('invalid_token'), true],
  ['cuts off', () => failure('closed'), false],
  ['fails at', () => response(500), false],
  ['does not answer', () => failure('timeout'), false],
])('a target that %s the second request on a connection', async (_what, answer, persistent) => {
  expect(await prepare(atSecond(answer))).toMatchObject({ persistent });
});

test('a target that ends each connection after one response keeps none', async () => {
  const closing: Answer = (seen) => {
    seen.connection.open = false;
    return correct(seen);
  };
  expect(await prepare({ answer: closing })).toEqual({ ...LITERAL, persistent: false });
  const path: Answer = (seen) =>
    String(seen.claims['htu']).startsWith('https') ? challenged('invalid_proof') : closing(seen);
  expect(await prepare({ answer: path })).toEqual({ ...LITERAL, persistent: false, htu: 'path' });
});

test('a target that refuses the right request of the core permutation is diagnosed', async () => {
  expect(await prepare({ answer: () => challenged('invalid_token') })).toMatchObject({
    name: 'Unjudgeable',
    verdict: 'inconclusive',
    attribution: 'target',
    message:
      'the right request is not served (401 invalid_token), so no refusal would prove anything; see RS-EKM-1, RS-EKM-4 and RS-TLS-1',
    likelyCause: null,
  });
  const hexadecimal: Answer = ({ claims, connection }) =>
    claims['ekm'] === connection.exporter().toString('hex') ? response(200) : challenged('invalid_proof');
  expect(await prepare({ answer: hexadecimal })).toMatchObject({
    likelyCause: expect.stringContaining('hexadecimal'),
  });
});

test('a key type that the target takes no algorithm for does not apply', async () => {
  expect(await prepare({ answer: () => challenged('invalid_proof') }, RSA)).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message:
      'the target takes no JWS algorithm for RSA keys (401 invalid_proof); the draft names none as mandatory, see RS-HDR-4',
  });
});

test('a key whose certificate does not go out does not apply; with P-256 it is told beside the refusal', async () => {
  const paper: Paper = { answer: () => challenged('invalid_token'), withheld: 'nobody asked' };
  expect(await prepare(paper, RSA)).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message:
      'the client did not present its certificate: nobody asked; the draft names no key type as mandatory',
  });
  expect(await prepare(paper)).toMatchObject({
    verdict: 'inconclusive',
    message: expect.stringContaining(
      '(401 invalid_token; the client did not present its certificate: nobody asked)',
    ),
  });
});

test('every algorithm of a key type is tried, and on TLS 1.2 with each form of the exporter', async () => {
  const tried = async (permutation: Permutation) => {
    const { setting, opened } = onPaper({ answer: () => challenged('invalid_proof') });
    await new Preparations(setting).for(permutation);
    return opened.length;
  };
  expect(await tried(RSA)).toBe(2);
  expect(await tried({ ...RSA, tls: 'TLSv1.2' })).toBe(4);
});

test('a key type whose certificate is not let in does not apply, at the handshake or after it', async () => {
  const text = (detail: string) => `the target does not let a client with a RSA certificate in (${detail})`;
  const after: Paper = { answer: () => failure('tls-alert', 'unsupported certificate') };
  expect(await prepare(after, RSA)).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message: text('tls-alert: unsupported certificate'),
  });
  for (const kind of ['tls-alert', 'closed', 'reset'] as const)
    expect(await prepare({ bars: () => failure(kind, 'no') }, RSA)).toMatchObject({
      verdict: 'not-applicable',
      attribution: 'target',
      message: text('no'),
    });
  expect(await prepare(after)).toMatchObject({ verdict: 'inconclusive' });
});

test.each([
  ['refused', RSA, 'environment', ''],
  ['timeout', RSA, 'target', ''],
  ['tls-alert', CORE, 'target', '; see RS-TLS-1'],
  ['refused', CORE, 'environment', ''],
] as const)(
  'a connection that ends with %s cannot be made (%j)',
  async (kind, permutation, attribution, see) => {
    expect(await prepare({ bars: () => failure(kind, 'no') }, permutation)).toMatchObject({
      verdict: 'inconclusive',
      attribution,
      message: `no TLSv1.3 connection with http/1.1 can be made: no${see}`,
    });
  },
);

test('a fault of the harness is its own', async () => {
  const bars = () => {
    throw new Error('a bug');
  };
  expect(await prepare({ bars })).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
    message: expect.stringMatching(/^the harness failed: Error: a bug/),
  });
});

test('a connection that is ended at its second token is persistent all the same: RS-MUX-1 judges that', async () => {
  const first = new Map<object, string | undefined>();
  const oneToken: Answer = (seen) => {
    if (!first.has(seen.connection)) first.set(seen.connection, seen.token);
    return first.get(seen.connection) === seen.token ? correct(seen) : failure('closed');
  };
  expect(await prepare({ answer: oneToken })).toMatchObject({ persistent: true });
});
