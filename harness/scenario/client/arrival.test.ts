import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Answer } from '../../counterpart/resource-server/contract.ts';
import type { Field } from '../../wire/connection.ts';
import { pki } from '../target.fixture.ts';
import {
  answeredWith,
  bearerOf,
  isOfClientItself,
  proofsOf,
  seenFromBehind,
  sentBy,
  tokenIn,
} from './arrival.ts';
import { arrived, upstream } from './client-under-test.fixture.ts';

const alice = pki.alice['P-256'];
const known = [pki.mallory, alice];

test('proofs are the values of every proof field, in order and in any letter case', () => {
  const fields: readonly Field[] = [
    ['Session-Binding-Proof', 'a'],
    ['X-Session-Binding-Proof', 'b'],
    ['SESSION-BINDING-PROOF', 'c'],
    ['session-binding-proof', 'a'],
  ];
  expect(proofsOf({ fields })).toEqual(['a', 'c', 'a']);
  expect(proofsOf({ fields: [] })).toEqual([]);
});

test.each<[string, readonly Field[], own: boolean]>([
  ['no field', [], true],
  ['fields that say nothing of anyone', [['User-Agent', 'x']], true],
  ['the agent’s mark', [['x-tsbt-request', '1']], false],
  ['credentials', [['authorization', 'Basic eDp5']], false],
  ['a proof', [['SESSION-BINDING-PROOF', 'a.b.c']], false],
  ['a DPoP proof', [['dpop', 'a.b.c']], false],
])('a request with %s is the client’s own, or is not', (_what, fields, own) => {
  expect(isOfClientItself({ fields })).toBe(own);
});

test.each<[string, readonly Field[], bearer: string | null, token: string | null]>([
  ['a bearer token', [['Authorization', 'Bearer a.b-c~+/=']], 'a.b-c~+/=', 'a.b-c~+/='],
  ['one in other letter cases', [['AUTHORIZATION', 'bEARER t']], 't', 't'],
  ['several spaces', [['Authorization', 'Bearer    t']], 't', 't'],
  ['a DPoP token', [['Authorization', 'DPoP t']], null, 't'],
  ['a DPoP token in other letter cases', [['authorization', 'dpop t']], null, 't'],
  ['no field', [], null, null],
  ['another field', [['Proxy-Authorization', 'Bearer t']], null, null],
  [
    'a token in another field beside it',
    [
      ['X-Authorization', 'Bearer u'],
      ['Authorization', 'Bearer t'],
    ],
    't',
    't',
  ],
  [
    'the same field twice',
    [
      ['Authorization', 'Bearer t'],
      ['authorization', 'Bearer t'],
    ],
    null,
    null,
  ],
  [
    'one of each scheme',
    [
      ['Authorization', 'Bearer t'],
      ['Authorization', 'DPoP t'],
    ],
    null,
    null,
  ],
  ['another scheme', [['Authorization', 'Basic t']], null, null],
  ['a scheme that ends so', [['Authorization', 'XBearer t']], null, null],
  ['another scheme that ends so', [['Authorization', 'XDPoP t']], null, null],
  ['no space', [['Authorization', 'Bearert']], null, null],
  ['no token', [['Authorization', 'Bearer ']], null, null],
  ['two words', [['Authorization', 'Bearer t u']], null, null],
  ['a list', [['Authorization', 'Bearer t,Bearer u']], null, null],
  ['a parameter behind', [['Authorization', 'Bearer t\tu']], null, null],
])('the token of a request with %s', (_what, fields, bearer, token) => {
  expect(bearerOf({ fields })).toBe(bearer);
  expect(tokenIn({ fields })).toBe(token);
});

test('a connection is told with its own facts and values, and the client’s certificate by its name', () => {
  const connection = upstream('c7', { facts: { serverName: 'rs.example', resumed: true } });
  const seen = seenFromBehind(connection, known);
  expect(seen.id).toBe('c7');
  expect(seen.facts).toBe(connection.facts);
  expect(seen.options).toEqual({ http: 'http/1.1', identity: alice, servername: 'rs.example' });
  expect(seen.exporter()).toEqual(connection.exporter());
  const other = { label: 'another label', length: 16 };
  expect(seen.exporter(other)).toEqual(connection.exporter(other));
});

test.each([
  ['h2', 'h2'],
  ['http/1.1', 'http/1.1'],
  ['none', 'http/1.1'],
])('a connection with the ALPN result %s speaks %s', (alpn, http) => {
  expect(seenFromBehind(upstream('c1', { facts: { alpn } }), known).options.http).toBe(http);
});

test('the suite’s identity is known by its certificate, however that ends', () => {
  const padded = { ...alice, certificate: `\n${alice.certificate}\n\n` };
  expect(seenFromBehind(upstream(), [pki.mallory, padded]).options.identity).toBe(padded);
});

test('a client that presented nothing has no identity', () => {
  const connection = upstream('c1', { identity: null });
  expect(seenFromBehind(connection, known).options.identity).toBeNull();
});

test.each([
  ['P-256', 'prime256v1'],
  ['RSA', 'rsa'],
  ['Ed25519', 'ed25519'],
] as const)('an unknown %s certificate is told by itself', (key, keyType) => {
  const identity = pki.alice[key];
  const certificate = new X509Certificate(identity.certificate).toString();
  expect(seenFromBehind(upstream('c1', { identity }), [pki.mallory]).options.identity).toEqual({
    name: 'CN=alice',
    keyType,
    certificate,
    chain: certificate,
    privateKey: '',
    thumbprint: '',
  });
});

test('a subject of several lines is told in one', () => {
  const connection = upstream();
  const leaf = new X509Certificate(alice.certificate);
  Object.defineProperty(leaf, 'subject', { value: 'CN=eve\nO=Example\nC=CH' });
  const seen = seenFromBehind({ ...connection, clientChain: [leaf] }, []);
  expect(seen.options.identity?.name).toBe('CN=eve, O=Example, C=CH');
});

test('a request is described from what stood on the wire when it came', () => {
  const connection = seenFromBehind(upstream(), known);
  const fields: readonly Field[] = [
    ['Authorization', 'DPoP t'],
    ['DPoP', 'd'],
  ];
  const request = arrived({
    method: 'PUT',
    target: '/a?b',
    authority: 'rs:1',
    fields,
    receivedAt: 1_800_000_000_999,
  });
  expect(sentBy({ request, proofs: ['p'] }, connection, 'rs:2')).toEqual({
    connection,
    request: { method: 'PUT', target: '/a?b', authority: 'rs:1', fields },
    defaultAuthority: 'rs:2',
    token: 't',
    proofs: ['p'],
    dpop: ['d'],
    now: 1_800_000_000,
  });
});

test('a body is part of a request only where there is one', () => {
  const connection = seenFromBehind(upstream(), known);
  const [none, some] = [Buffer.alloc(0), Buffer.from('x')].map((body) =>
    sentBy({ request: arrived({ body }), proofs: [] }, connection, 'rs:2'),
  );
  expect(none?.request).not.toHaveProperty('body');
  expect(some?.request.body).toEqual(Buffer.from('x'));
});

test('a response of the counterpart is told as it was sent', () => {
  const fields: readonly Field[] = [['X-A', 'b']];
  expect(answeredWith({ kind: 'response', status: 418, fields, body: 'tea' })).toEqual({
    type: 'response',
    status: 418,
    fields,
    body: Buffer.from('tea'),
    bodyTruncated: false,
    informational: [],
    durationMs: 0,
  });
});

test.each<[string, Answer | undefined, kind: string, detail: string]>([
  ['nothing yet', undefined, 'timeout', 'the counterpart had not answered yet'],
  ['an end', { kind: 'end' }, 'closed', 'the counterpart ended the connection without a response'],
  ['a reset', { kind: 'reset' }, 'reset', 'the counterpart reset the connection without a response'],
  [
    'a refused stream',
    { kind: 'refuse-stream' },
    'closed',
    'the counterpart refused the stream (RST_STREAM, REFUSED_STREAM)',
  ],
  ['GOAWAY', { kind: 'go-away' }, 'closed', 'the counterpart sent GOAWAY and left this stream out'],
  [
    'octets',
    { kind: 'octets', what: 'an endless head', pieces: () => [] },
    'closed',
    'the counterpart sent an endless head and then ended the connection',
  ],
  [
    'half a response',
    { kind: 'cut', status: 206, how: 'reset' },
    'closed',
    'the counterpart sent the head of a 206 response and then ended the connection (reset)',
  ],
  [
    'half a response and a pause',
    { kind: 'cut', status: 200, how: 'end', stallMs: 250 },
    'closed',
    'the counterpart sent the head of a 200 response, nothing for 250 ms, and then ended the connection (end)',
  ],
])('where the counterpart answers with %s, evidence says so', (_what, answer, kind, detail) => {
  expect(answeredWith(answer)).toEqual({ type: 'failure', kind, detail, durationMs: 0 });
});
