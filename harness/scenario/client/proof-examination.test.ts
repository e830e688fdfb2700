import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../certs/identity.ts';
import { perRequest } from '../../forge/proof.ts';
import type { ProofChange } from '../../forge/proof.ts';
import { pki } from '../target.fixture.ts';
import { examine, formOfExporterValue } from './proof-examination.ts';
import type { Circumstances, ProvenConnection } from './defect.ts';
import { circumstancesOn, NOW, proofOn, provenConnection, TOKEN, told } from './proof-examination.fixture.ts';

const alice = pki.alice['P-256'];
const c7 = provenConnection('c7', pki.alice['P-384']);

interface Examined extends Partial<Circumstances> {
  readonly connection?: ProvenConnection;
  readonly by?: Identity;
}

/** What is wrong with a proof that is right but for the change: aspect, defect and cure of each. */
function examined(
  change: ProofChange = {},
  { connection = provenConnection('c1'), by = alice, ...beside }: Examined = {},
): readonly string[] {
  const circumstances = circumstancesOn(connection, { others: [c7], ...beside });
  return told(examine(proofOn(connection, change, by), circumstances));
}

const request = (target: string, authority = 'localhost:8443') => ({
  method: 'POST',
  target,
  authority,
  fields: [],
});

describe('nothing is wrong with', () => {
  test.each(['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'] as const)('a right proof by a %s key', (key) => {
    const by = pki.alice[key];
    expect(examined({}, { connection: provenConnection('c1', by), by })).toEqual([]);
  });

  test.each<[string, ProofChange]>([
    ['further header members and claims', { header: { kid: 'a' }, claims: { exp: NOW + 60, nbf: NOW } }],
    [
      'claims of the request, htu absolute',
      {
        claims: perRequest({ htm: 'POST', htu: 'https://localhost:8443/resource' }),
      },
    ],
    ['claims of the request, htu a path', { claims: perRequest({ htm: 'POST', htu: '/resource' }) }],
    ['an htu in another spelling', { claims: { htu: 'HTTPS://LOCALHOST:8443/x/../resource' } }],
    ['a proof that is a minute old', { claims: { iat: NOW - 60 } }],
    ['a proof whose time is rounded up', { claims: { iat: NOW + 2 } }],
  ])('%s', (_what, change) => {
    expect(examined(change)).toEqual([]);
  });

  test('PS256 by an RSA key', () => {
    const by = pki.alice.RSA;
    expect(examined({ algorithm: 'PS256' }, { connection: provenConnection('c1', by), by })).toEqual([]);
  });

  test('either form of the exporter value on TLS 1.2', () => {
    const connection = provenConnection('c1', alice, 'TLSv1.2');
    const absent = connection.exporter({ context: null }).toString('base64url');
    expect(examined({ claims: { ekm: absent } }, { connection })).toEqual([]);
    expect(formOfExporterValue(absent, connection)).toBe('absent');
    expect(formOfExporterValue(connection.exporter().toString('base64url'), connection)).toBe('zero-length');
  });

  test('the hash of a token that is not known', () => {
    expect(examined({ claims: { ath: 'any' } }, { token: '' })).toEqual([]);
  });

  test('the path of a request for which no URI can be made', () => {
    expect(examined({ claims: { htu: '/a' } }, { request: request('/a#b', 'no authority') })).toEqual([]);
  });
});

const wrong = Buffer.alloc(32, 9).toString('base64url');
const sha256 = (octets: Uint8Array | string): Buffer => createHash('sha256').update(octets).digest();
const exported = (connection: ProvenConnection, label?: string) =>
  connection.exporter(label === undefined ? {} : { label }).toString('base64url');
const EVERY = 'Every proof has ath, ekm (strings) and iat (a number of seconds) (draft -06 §2.3.2.1).';

test.each<[string, ProofChange, RegExp]>([
  ['typ JWT', { header: { typ: 'JWT' } }, /^typ: .*JWT.*tls-binding-proof\+jwt/],
  ['the thumbprint of another', { header: { 'x5t#S256': pki.mallory.thumbprint } }, /^thumbprint: /],
  ['a private JWK', { header: { jwk: { kty: 'EC', d: 'secret' } } }, /^disclosure: .*of a private key/],
  ['another key', { signWith: pki.mallory }, /^signature: .*does not verify/],
  [
    'another ath',
    { claims: { ath: wrong } },
    /^ath: ath is "CQkJ.*", and must be [\w-]{43}\. .*another token/,
  ],
  [
    'ath with the scheme',
    { claims: { ath: sha256(`Bearer ${TOKEN}`).toString('base64url') } },
    /^ath: ath is the hash of the whole .* "Bearer ", and must be .* Compute ath as/,
  ],
  [
    'the value of another connection',
    { claims: { ekm: exported(c7) } },
    /^ekm: ekm on connection c1 is the exporter value of connection c7\. Take the value from the connection that carries/,
  ],
  [
    'the RFC 9266 label',
    { claims: { ekm: exported(provenConnection('c1'), 'EXPORTER-Channel-Binding') } },
    /^ekm: ekm is the RFC 9266 label .* Export with the label EXPORTER-oauth-tls-session-bound/,
  ],
  ['an unknown value', { claims: { ekm: wrong } }, /^ekm: ekm is "CQkJ.*no value that is known/],
  [
    'iat in milliseconds',
    { claims: { iat: NOW * 1000 } },
    /^iat: iat is in milliseconds\. NumericDate is in s/,
  ],
  ['iat an hour ahead', { claims: { iat: NOW + 3600 } }, /^iat: iat lies 3600 s after the first use/],
  [
    'iat an hour ago',
    { claims: { iat: NOW - 3600 } },
    /^iat: iat lies 3600 s before .*\. Set iat to the time when/,
  ],
  [
    'iat in the milliseconds of an hour ago',
    { claims: { iat: (NOW - 3600) * 1000 } },
    /^iat: iat lies \d+ s/,
  ],
  ['iat a second too old', { claims: { iat: NOW - 61 } }, /^iat: iat lies 61 s before/],
  ['iat too far ahead to be rounded', { claims: { iat: NOW + 3 } }, /^iat: iat lies 3 s after/],
  ['an empty jti', { claims: { jti: '' } }, /^jti: jti is ""\. A unique text/],
  ['a jti that is a number', { claims: { jti: 7 } }, /^jti: jti is 7\./],
  [
    'another method',
    { claims: { htm: 'GET' } },
    /^htm: htm is "GET" on a POST request\. htm is the method of the very/,
  ],
  ['a method in lower case', { claims: { htm: 'post' } }, /^htm: .* as it is spelled there/],
  [
    'htu with the query',
    { claims: { htu: 'https://localhost:8443/resource?a=1' } },
    /^htu: htu is "https:.*" on a request for https:\/\/localhost:8443\/resource\?a=1\. .*without query/,
  ],
  ['htu of another host', { claims: { htu: 'https://localhost:1/resource' } }, /^htu: .*localhost:8443/],
  ['htu of plain HTTP', { claims: { htu: 'http://localhost:8443/resource' } }, /^htu: htu is "http:/],
  ['htu that is no URI', { claims: { htu: 'resource' } }, /^htu: htu is "resource" on a request for/],
  ['htu in a list', { claims: { htu: ['https://localhost:8443/resource'] } }, /^htu: htu is \["https:/],
])('%s is found, alone, and its cause named', (_what, change, words) => {
  expect(examined(change)).toEqual([expect.stringMatching(words)]);
});

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ['ath', { ath: 7 }, 'ath is 7, and must be a string'],
  ['ath', { ath: undefined }, 'ath is missing, and must be a string'],
  ['ekm', { ekm: undefined }, 'ekm is missing, and must be a string'],
  ['ekm', { ekm: ['a'] }, 'ekm is ["a"], and must be a string'],
  ['iat', { iat: undefined }, 'iat is missing, and must be a number'],
  ['iat', { iat: '7' }, 'iat is "7", and must be a number'],
])('%s of another type or missing (%j) is told as that alone', (_name, claims, what) => {
  expect(examined({ claims })).toEqual([`claims: ${what}. ${EVERY}`]);
});

test('several mistakes are told each on its own', () => {
  const found = examined({
    header: { typ: 'JWT' },
    claims: { ath: wrong, ekm: undefined, iat: 1, htm: 'GET' },
  });
  expect(found.map((words) => words.split(':')[0])).toEqual(['typ', 'claims', 'ath', 'iat', 'htm']);
});

test('an algorithm that does not fit the key is wrong even where its signature verifies with that key', () => {
  expect(examined({ algorithm: 'ES384' })).toEqual([
    expect.stringMatching(/^alg: alg is "ES384", and .* on the curve prime256v1\. .* here ES256\.$/),
  ]);
});

test('an exporter value with the certificate thumbprint as context is known for it', () => {
  const ekm = provenConnection('c1')
    .exporter({ context: Buffer.from(alice.thumbprint) })
    .toString('base64url');
  expect(examined({ claims: { ekm } })).toEqual([
    expect.stringMatching(/^ekm: ekm is the certificate thumbprint \(x5t#S256\) as exporter context\./),
  ]);
});

test('on TLS 1.2 neither form of the exporter value is any other value', () => {
  const connection = provenConnection('c1', alice, 'TLSv1.2');
  expect(formOfExporterValue(wrong, connection)).toBeUndefined();
  expect(formOfExporterValue(undefined, connection)).toBeUndefined();
  expect(examined({ claims: { ekm: wrong } }, { connection })).toEqual([expect.stringMatching(/^ekm: /)]);
});

test('the form without context that belongs to another connection is known for it', () => {
  const other = provenConnection('c9', alice, 'TLSv1.2');
  const ekm = other.exporter({ context: null }).toString('base64url');
  expect(examined({ claims: { ekm } }, { others: [c7, other] })).toEqual([
    expect.stringContaining('the exporter value of connection c9'),
  ]);
});

test('an htu cannot be that of a request for which no URI can be made', () => {
  const htu = 'https://localhost:8443/resource';
  expect(examined({ claims: { htu } }, { request: request('/resource', 'no authority') })).toEqual([
    expect.stringMatching(/^htu: .* on a request for https:\/\/no authority\/resource\./),
  ]);
});

test.each<[string, (proof: string) => string, string]>([
  ['nothing', () => '', '1 of 3 parts'],
  ['two parts', (proof) => proof.split('.').slice(0, 2).join('.'), '2 of 3 parts'],
  ['no signature', (proof) => `${proof.split('.').slice(0, 2).join('.')}.`, 'the signature is empty'],
  [
    'padding',
    (proof) => `${proof.split('.')[0]}=.${proof.split('.').slice(1).join('.')}`,
    'the header is not canonical base64url',
  ],
])('%s is no JWT, and is told why', (_what, compact, why) => {
  expect(examined({ compact })).toEqual([
    `form: the proof is not a JWT in JWS compact serialization: ${why}. ` +
      'Three parts, each in base64url without padding, joined with dots (RFC 7515 §3.1, §7.1).',
  ]);
});

test('claims that are no JSON object are no JWT', () => {
  expect(examined({ payloadText: () => '[]' })).toEqual([
    expect.stringContaining('form: the proof is not a JWT in JWS compact serialization: the payload is not'),
  ]);
});

test('a right signature in another spelling of base64url is malformed, and nothing else', () => {
  expect(examined({ compact: (right) => `${right}==` })).toEqual([
    'form: the signature part of the proof is not canonical base64url. ' +
      'Write it with - and _ instead of + and /, and without = (RFC 7515 §2).',
  ]);
});

test('a proof on a connection without a certificate is by nobody, and its claims count still', () => {
  const connection = provenConnection('c1', alice, 'TLSv1.3', { clientChain: [] });
  expect(examined({}, { connection })).toEqual([expect.stringMatching(/^signature: /)]);
  expect(examined({ claims: { ekm: wrong } }, { connection })).toEqual([
    expect.stringMatching(/^signature: /),
    expect.stringMatching(/^ekm: .*no value that is known/),
  ]);
});

test('the certificate is the first of the chain', () => {
  const clientChain = [pki.mallory, alice].map(({ certificate }) => new X509Certificate(certificate));
  const connection = provenConnection('c1', alice, 'TLSv1.3', { clientChain });
  expect(examined({}, { connection })).toEqual([
    expect.stringMatching(/^thumbprint: .*further up the chain/),
    expect.stringMatching(/^signature: /),
  ]);
});
