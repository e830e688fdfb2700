import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ConnectOptions, Outcome, WireRequest } from '../wire/connection.ts';
import { createDpopKey, forgeDpopProof } from '../forge/dpop-proof.ts';
import { forgeProof } from '../forge/proof.ts';
import { forgeToken } from '../forge/token.ts';
import type { Sent } from './describe.ts';
import { EvidenceBook } from './evidence.ts';
import { challenged, correct, failure, issuer, PaperConnection, pki, response } from './target.fixture.ts';

const alice = pki.alice['P-256'];
const OPTIONS: ConnectOptions = { host: 'h', port: 1, tls: 'TLSv1.3', http: 'h2', identity: alice };
const connection = new PaperConnection(OPTIONS, 'c1', correct);
const TOKEN = forgeToken(issuer, { boundTo: alice }).compact;
const PROOF = forgeProof({ token: TOKEN, ekm: connection.exporter(), identity: alice });
const SHA256 = createHash('sha256').update(TOKEN).digest('hex');
const CONCEALED = `<token sha-256 ${SHA256.slice(0, 16)}…>`;

interface Entry {
  readonly sent?: Partial<Sent>;
  readonly request?: Partial<WireRequest>;
  readonly part?: Parameters<EvidenceBook['exchanged']>[0]['part'];
  readonly outcome?: Outcome;
  readonly expected?: string;
  readonly observed?: string;
  readonly description?: ReadonlyMap<string, string>;
}

function exchange(book: EvidenceBook, entry: Entry = {}): number {
  return book.exchanged({
    sent: {
      connection,
      request: { method: 'GET', target: '/resource', fields: [], ...entry.request },
      defaultAuthority: 'rs',
      token: null,
      proofs: [],
      now: 0,
      ...entry.sent,
    },
    description: () => entry.description ?? new Map(),
    part: entry.part ?? 'request',
    what: 'it',
    outcome: entry.outcome ?? response(200),
    expected: entry.expected ?? 'recorded',
    observed: entry.observed ?? '200',
  });
}

/** The evidence of one exchange, by a book that knows of the token. */
function told(entry: Entry = {}) {
  const book = new EvidenceBook();
  book.conceal(TOKEN);
  exchange(book, entry);
  const [only] = book.close().exchanges;
  if (only === undefined) throw new Error('the exchange was not kept');
  return only;
}

test('a token is told by its hash as it is, in a form or URL, and in JSON with escaped slashes', () => {
  const book = new EvidenceBook();
  book.conceal('ab+cd/ef==token');
  for (const text of ['ab+cd/ef==token', 't=ab%2Bcd%2Fef%3D%3Dtoken&x=1', String.raw`"ab+cd\/ef==token"`])
    expect(book.redact(text)).toMatch(/^(?:t=|")?<token sha-256 [0-9a-f]{16}…>(?:&x=1|")?$/);
});

test('a connection is told by what was negotiated, and by whose certificate it has', () => {
  const book = new EvidenceBook();
  book.connected(connection);
  book.connected(new PaperConnection({ ...OPTIONS, identity: null }, 'c2', correct));
  expect(book.close().connections).toEqual([
    {
      id: 'c1',
      tls: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn: 'h2',
      extendedMasterSecret: true,
      resumed: false,
      exporterCheck: 'key-log',
      handshakeMs: 3.46,
      clientCertificate: { name: 'alice', keyType: 'P-256', thumbprint: alice.thumbprint },
    },
    expect.objectContaining({ id: 'c2', clientCertificate: null }),
  ]);
});

test('a connection on which the client withheld its certificate is told without it, and why', () => {
  const book = new EvidenceBook();
  const { id, options, facts } = connection;
  book.connected({ id, options, facts: { ...facts, certificateWithheld: 'nobody asked' } });
  expect(book.close().connections).toEqual([
    expect.objectContaining({ clientCertificate: null, certificateWithheld: 'nobody asked' }),
  ]);
});

test('a connection that did not come about is told with its failure', () => {
  const book = new EvidenceBook();
  book.conceal(TOKEN);
  book.notConnected('c1', OPTIONS, failure('tls-alert', `not with ${TOKEN}`));
  book.notConnected('c2', { ...OPTIONS, extendedMasterSecret: false }, failure('closed'));
  const [first, second] = book.close().connections;
  expect(first).toEqual({
    id: 'c1',
    tls: 'TLSv1.3',
    cipher: '',
    alpn: 'h2',
    extendedMasterSecret: true,
    resumed: false,
    exporterCheck: 'not-checked',
    handshakeMs: 2.35,
    clientCertificate: { name: 'alice', keyType: 'P-256', thumbprint: alice.thumbprint },
    failure: `not with ${CONCEALED}`,
  });
  expect(second?.extendedMasterSecret).toBe(false);
});

test('an exchange is told with its request, token, proof and response', () => {
  const entry = told({
    sent: { token: TOKEN, proofs: [PROOF] },
    request: {
      method: 'POST',
      target: `/x?t=${TOKEN}`,
      fields: [['Authorization', `Bearer ${TOKEN}`]],
      body: Buffer.from(`\xe4 ${TOKEN}`, 'latin1'),
    },
    part: 'variant',
    outcome: response(401, [['X-Echo', TOKEN]], `no ${TOKEN}`),
    expected: 'served',
    observed: `401 ${TOKEN}`,
    description: new Map([
      ['token.signature', 'by the issuer'],
      ['proof.signature', 'by alice'],
    ]),
  });
  expect(entry).toEqual({
    id: 1,
    connection: 'c1',
    part: 'variant',
    what: 'it',
    request: {
      method: 'POST',
      target: `/x?t=${CONCEALED}`,
      fields: [['Authorization', `Bearer ${CONCEALED}`]],
      body: `\xe4 ${CONCEALED}`,
    },
    token: {
      sha256: SHA256,
      header: expect.objectContaining({ alg: 'ES256' }),
      claims: expect.objectContaining({ sub: 'alice' }),
      signature: 'by the issuer',
    },
    proof: {
      header: expect.objectContaining({ alg: 'ES256' }),
      claims: expect.objectContaining({ ekm: connection.exporter().toString('base64url') }),
      signature: 'by alice',
      compact: PROOF,
    },
    response: {
      status: 401,
      fields: [['X-Echo', CONCEALED]],
      body: `no ${CONCEALED}`,
      bodyTruncated: false,
    },
    expected: 'served',
    observed: `401 ${CONCEALED}`,
    startedMs: expect.any(Number),
    durationMs: 1.23,
  });
  expect(JSON.stringify(entry)).not.toContain(TOKEN);
});

test('the beginning of an exchange is told from the beginning of the scenario', () => {
  const before = performance.now();
  const { startedMs } = told({ outcome: { ...response(200), durationMs: 0 } });
  expect(startedMs).toBeGreaterThanOrEqual(0);
  expect(startedMs).toBeLessThanOrEqual(performance.now() - before + 1);
  expect(told({ outcome: { ...response(200), durationMs: 1000 } }).startedMs).toBeLessThan(-900);
});

test('what a request does not have is not told', () => {
  for (const token of [null, '']) {
    const entry = told({ sent: { token } });
    expect(entry).not.toHaveProperty('token');
    expect(entry).not.toHaveProperty('proof');
    expect(entry.request).not.toHaveProperty('body');
  }
});

test('an opaque token is told by its claims, and what is no JWT by its text', () => {
  expect(told({ sent: { token: 'opaque-one', opaqueClaims: { sub: 'x' } } }).token).toEqual({
    sha256: createHash('sha256').update('opaque-one').digest('hex'),
    header: null,
    claims: { sub: 'x' },
    signature: 'none: an opaque token, claims by introspection',
  });
  const text = Buffer.from('text').toString('base64url');
  expect(told({ sent: { proofs: [text] } }).proof).toEqual({
    header: 'text',
    claims: null,
    signature: 'not checked',
    compact: text,
  });
});

test('a proof is taken apart up to a length', () => {
  const proof = (length: number) => told({ sent: { proofs: ['A'.repeat(length)] } }).proof;
  expect(proof(32_768)?.header).not.toBe('not taken apart: too long');
  expect(proof(32_769)).toMatchObject({
    header: 'not taken apart: too long',
    claims: null,
    signature: 'not checked',
  });
});

test('JSON nested without end is told to some depth', () => {
  const deep = (name: 'header' | 'claims') => {
    const nested: unknown = JSON.parse(`${'['.repeat(99)}${']'.repeat(99)}`);
    const proof = forgeProof(
      { token: 't', ekm: connection.exporter(), identity: alice },
      { [name]: { nested } },
    );
    return JSON.stringify(told({ sent: { proofs: [proof] } }).proof?.[name]);
  };
  expect(deep('header')).toContain('nested deeper');
  expect(deep('claims')).toContain('nested deeper');
});

test('a failure is told in the place of a response', () => {
  expect(told({ outcome: failure('timeout', `after ${TOKEN}`) }).response).toEqual({
    failure: 'timeout',
    detail: `after ${CONCEALED}`,
  });
});

test('a long text is cut, with its length', () => {
  const body = (length: number) => told({ outcome: response(200, [], 'x'.repeat(length)) }).response;
  expect(body(4096)).toMatchObject({ body: 'x'.repeat(4096), bodyTruncated: false });
  expect(body(4097)).toMatchObject({
    body: `${'x'.repeat(4096)}… (4097 characters)`,
    bodyTruncated: true,
  });
  expect(told({ outcome: { ...response(200), bodyTruncated: true } }).response).toMatchObject({
    bodyTruncated: true,
  });
});

test('a text too short to be a token is not concealed: it would be found everywhere', () => {
  const book = new EvidenceBook();
  book.conceal('1234567');
  book.conceal('12345678');
  expect(book.redact('1234567')).toBe('1234567');
  expect(book.redact('12345678, and again 12345678')).toMatch(
    /^<token sha-256 [0-9a-f]{16}…>, and again <token sha-256 [0-9a-f]{16}…>$/,
  );
});

test('notes and pairs tell no token, and no note stands there twice', () => {
  const book = new EvidenceBook();
  book.conceal(TOKEN);
  book.note(`saw ${TOKEN}`);
  book.note(`saw ${TOKEN}`);
  book.note('another');
  const pair = { what: 'w', control: 1, variant: 2, difference: [], expected: 'e', verdict: 'pass' } as const;
  book.paired({ ...pair, observed: TOKEN });
  const { notes, pairs } = book.close();
  expect(notes).toEqual([`saw ${CONCEALED}`, 'another']);
  expect(pairs).toEqual([{ ...pair, observed: CONCEALED }]);
});

test('evidence has an attack only where there was one', () => {
  const book = new EvidenceBook();
  expect(book.close()).toStrictEqual({ connections: [], exchanges: [], pairs: [], notes: [] });
  const attack = { attacker: 'm', loot: 'l', attempts: [], outcome: 'o' };
  book.attacked(attack);
  expect(book.close().attack).toEqual(attack);
});

test('what was measured is told to the hundredth', () => {
  const book = new EvidenceBook();
  book.measured({ what: 'time to answer', value: 1.234_567, unit: 'ms' });
  book.measured({ what: 'requests', value: 3, unit: '' });
  expect(book.close().measurements).toEqual([
    { what: 'time to answer', value: 1.23, unit: 'ms' },
    { what: 'requests', value: 3, unit: '' },
  ]);
});

/** A book in which so many unremarkable requests were recorded. */
function full(requests: number): EvidenceBook {
  const book = new EvidenceBook();
  for (let count = 0; count < requests; count++) exchange(book);
  return book;
}

test('of very many requests the first ones are kept', () => {
  expect(full(24).close()).toMatchObject({ notes: [] });
  const { exchanges, notes } = full(26).close();
  expect(exchanges.map(({ id }) => id)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  expect(notes).toEqual(['2 further exchanges of 26 are not shown']);
});

test.each<[string, Entry, boolean]>([
  ['a control', { part: 'control' }, true],
  ['a variant', { part: 'variant' }, true],
  ['one that was to be served and was', { expected: 'served' }, false],
  [
    'one that was to be served and was, with nothing to say',
    { expected: 'served', outcome: response(299) },
    false,
  ],
  ['one that was to be served and was refused', { expected: 'served', outcome: challenged('x') }, true],
  ['one that was to be served and was sent elsewhere', { expected: 'served', outcome: response(300) }, true],
  [
    'one that was to be served and was answered too early',
    { expected: 'served', outcome: response(199) },
    true,
  ],
  ['one that was to be served and got no answer', { expected: 'served', outcome: failure('timeout') }, true],
  ['one that was to be refused and was', { expected: 'refused', outcome: challenged('x') }, false],
  ['one that was to be refused and was served', { expected: 'refused' }, true],
])('after many requests, %s is kept: %s', (_what, entry, kept) => {
  const book = full(24);
  expect(exchange(book, entry)).toBe(25);
  expect(book.close().exchanges).toHaveLength(kept ? 25 : 24);
});

test('even of surprises only so many are kept', () => {
  const book = full(24);
  for (let count = 0; count < 100; count++) exchange(book, { expected: 'refused' });
  const { exchanges, notes } = book.close();
  expect(exchanges).toHaveLength(120);
  expect(notes).toEqual(['4 further exchanges of 124 are not shown']);
});

test('of very many connections those are kept that the exchanges shown went out on', () => {
  const connected = (count: number) => {
    const book = new EvidenceBook();
    for (let index = 1; index <= count; index++)
      book.connected(new PaperConnection(OPTIONS, `c${index}`, correct));
    exchange(book);
    return book.close();
  };
  expect(connected(60)).toMatchObject({ notes: [] });
  expect(connected(60).connections).toHaveLength(60);
  const { connections, notes } = connected(61);
  expect(connections.map(({ id }) => id)).toEqual(['c1']);
  expect(notes).toEqual(['60 further connections of 61 are not shown']);
});

test('with light effort exchanges are counted and not kept', () => {
  const book = new EvidenceBook('light');
  expect([exchange(book, { part: 'control' }), exchange(book)]).toEqual([1, 2]);
  expect(book.close()).toMatchObject({ exchanges: [], notes: [] });
});

test('a DPoP proof is told decoded and by its hash, wherever it stands, and never as it was sent', () => {
  const key = createDpopKey('alice’s DPoP key');
  const proof = forgeDpopProof({ key, token: TOKEN, htm: 'GET', htu: 'https://rs/resource' });
  const sha256 = createHash('sha256').update(proof).digest('hex');
  const named = `<DPoP proof sha-256 ${sha256.slice(0, 16)}…>`;
  const entry = told({
    request: { target: `/x?p=${proof}`, fields: [['DPoP', proof]], body: Buffer.from(`dpop=${proof}`) },
    outcome: response(401, [['X-Echo', proof]], `no ${proof}`),
    observed: `401 ${proof}`,
    description: new Map([['dpop.signature', 'by the key in its header']]),
  });
  expect(entry.request).toMatchObject({
    target: `/x?p=${named}`,
    fields: [['DPoP', named]],
    body: `dpop=${named}`,
  });
  expect(entry.response).toMatchObject({ fields: [['X-Echo', named]], body: `no ${named}` });
  expect(entry.dpop).toEqual({
    sha256,
    header: expect.objectContaining({ typ: 'dpop+jwt' }),
    claims: expect.objectContaining({ htm: 'GET' }),
    signature: 'by the key in its header',
  });
  expect(JSON.stringify(entry)).not.toContain(proof.split('.')[2]);
  expect(told()).not.toHaveProperty('dpop');
});

test('a DPoP proof in a pair or a note is named too', () => {
  const key = createDpopKey('alice’s DPoP key');
  const proof = forgeDpopProof({ key, token: '', htm: 'GET', htu: 'https://rs/resource' });
  const book = new EvidenceBook();
  book.note(`with ${proof}`);
  book.paired({
    what: 'it',
    control: 1,
    variant: 2,
    difference: [{ field: 'request.field.x', control: proof, variant: `${proof}, ${proof}` }],
    expected: '401',
    observed: proof,
    verdict: 'pass',
  });
  expect(JSON.stringify(book.close())).not.toContain(proof.split('.')[2]);
});
