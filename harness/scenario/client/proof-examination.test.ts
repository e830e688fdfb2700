import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../certs/identity.ts';
import { forgeProof, perRequest } from '../../forge/proof.ts';
import type { ProofChange } from '../../forge/proof.ts';
import { EXPORTER_LABEL } from '../../wire/exporter.ts';
import { pki } from '../target.fixture.ts';
import { examine, formOfExporterValue } from './proof-examination.ts';
import type { Aspect, ProvenConnection } from './defect.ts';

const NOW = 1_800_000_000;
const TOKEN = 'header.payload.signature';
const alice = pki.alice['P-256'];

/** A connection whose exporter values follow from its name, label, context and length alone. */
function on(id: string, identity: Identity = alice, tls = 'TLSv1.3'): ProvenConnection {
  return {
    id,
    clientChain: [new X509Certificate(identity.certificate), new X509Certificate(pki.trusted.certificate)],
    facts: { tls },
    exporter: ({ label = EXPORTER_LABEL, context = new Uint8Array(), length = 32 } = {}) => {
      // Without a context it is another value on TLS 1.2 only (RFC 5705 §4).
      const given =
        context === null && tls === 'TLSv1.2' ? 'none' : Buffer.from(context ?? []).toString('hex');
      const seed = `${id} ${label} ${given} ${length}`;
      const [first, second] = [0, 1].map((round) => createHash('sha256').update(`${seed} ${round}`).digest());
      return Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)]).subarray(0, length);
    },
    tlsUnique: undefined,
    serverEndPoint: Buffer.alloc(32, 3),
    clientRandom: Buffer.alloc(32, 4),
    sessionId: undefined,
  };
}

const REQUEST = { method: 'POST', target: '/resource?a=1', authority: 'localhost:8443', fields: [] };

function examined(
  change: ProofChange = {},
  { connection = on('c1'), by = alice, text = (proof: string) => proof, firstSeenAt = NOW * 1000 } = {},
) {
  const proof = forgeProof({ token: TOKEN, ekm: connection.exporter(), identity: by, now: NOW }, change);
  return examine(text(proof), {
    connection,
    others: [on('c7', pki.alice['P-384'])],
    token: TOKEN,
    request: REQUEST,
    firstSeenAt,
    host: 'localhost',
  });
}

describe('nothing is wrong with', () => {
  test.each(['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'] as const)('a right proof by a %s key', (key) => {
    const by = pki.alice[key];
    expect(examined({}, { connection: on('c1', by), by })).toEqual([]);
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
    ['a proof that is a minute old', { claims: { iat: NOW - 60 } }],
  ])('%s', (_what, change) => {
    expect(examined(change)).toEqual([]);
  });

  test('PS256 by an RSA key', () => {
    const by = pki.alice.RSA;
    expect(examined({ algorithm: 'PS256' }, { connection: on('c1', by), by })).toEqual([]);
  });

  test('either form of the exporter value on TLS 1.2', () => {
    const connection = on('c1', alice, 'TLSv1.2');
    const absent = connection.exporter({ context: null }).toString('base64url');
    expect(examined({ claims: { ekm: absent } }, { connection })).toEqual([]);
    expect(formOfExporterValue(absent, connection)).toBe('absent');
    expect(formOfExporterValue(connection.exporter().toString('base64url'), connection)).toBe('zero-length');
  });
});

const wrong = Buffer.alloc(32, 9).toString('base64url');
const leaf = new X509Certificate(alice.certificate);
const sha256 = (octets: Uint8Array | string): Buffer => createHash('sha256').update(octets).digest();

test.each<[string, ProofChange, Aspect, RegExp]>([
  ['typ JWT', { header: { typ: 'JWT' } }, 'typ', /JWT.*tls-binding-proof\+jwt/s],
  ['no typ', { header: { typ: undefined } }, 'typ', /missing/],
  ['no x5t#S256', { header: { 'x5t#S256': undefined } }, 'thumbprint', /missing/],
  [
    'a hexadecimal x5t#S256',
    { header: { 'x5t#S256': sha256(leaf.raw).toString('hex') } },
    'thumbprint',
    /hexadecimal/,
  ],
  [
    'the thumbprint of the CA',
    {
      header: {
        'x5t#S256':
          pki.trusted.certificate &&
          sha256(new X509Certificate(pki.trusted.certificate).raw).toString('base64url'),
      },
    },
    'thumbprint',
    /further up the chain/,
  ],
  [
    'a private JWK',
    { header: { jwk: { kty: 'EC', d: 'secret' } } },
    'disclosure',
    /members of a private key/,
  ],
  ['another key', { signWith: pki.mallory }, 'signature', /does not verify/],
  [
    'the key of another connection',
    { signWith: pki.alice['P-384'], algorithm: 'ES384' },
    'signature',
    /connection c7/,
  ],
  ['ath as a number', { claims: { ath: 7 } }, 'claims', /ath is 7/],
  ['no ekm', { claims: { ekm: undefined } }, 'claims', /ekm is missing/],
  ['another ath', { claims: { ath: wrong } }, 'ath', /another token/],
  [
    'ath with the scheme',
    { claims: { ath: sha256(`Bearer ${TOKEN}`).toString('base64url') } },
    'ath',
    /"Bearer "/,
  ],
  [
    'the value of another connection',
    { claims: { ekm: on('c7').exporter().toString('base64url') } },
    'ekm',
    /connection c7/,
  ],
  [
    'the RFC 9266 label',
    { claims: { ekm: on('c1').exporter({ label: 'EXPORTER-Channel-Binding' }).toString('base64url') } },
    'ekm',
    /RFC 9266/,
  ],
  ['an unknown value', { claims: { ekm: wrong } }, 'ekm', /no value that is known/],
  ['iat in milliseconds', { claims: { iat: NOW * 1000 } }, 'iat', /milliseconds/],
  ['iat an hour ahead', { claims: { iat: NOW + 3600 } }, 'iat', /3600 s after/],
  ['iat an hour ago', { claims: { iat: NOW - 3600 } }, 'iat', /3600 s before/],
  ['an empty jti', { claims: { jti: '' } }, 'jti', /jti is ""/],
  ['another method', { claims: { htm: 'GET' } }, 'htm', /POST request/],
  ['htu with the query', { claims: { htu: 'https://localhost:8443/resource?a=1' } }, 'htu', /without query/],
  ['htu of another host', { claims: { htu: 'https://localhost:1/resource' } }, 'htu', /localhost:8443/],
])('%s is found, and its cause named', (_what, change, aspect, words) => {
  const defects = examined(change);
  expect(defects.map((defect) => `${defect.what} ${defect.cure ?? ''}`).join('\n')).toMatch(words);
  expect(defects.map((defect) => defect.aspect)).toContain(aspect);
});

test('one mistake is one defect', () => {
  expect(examined({ claims: { ath: wrong } })).toHaveLength(1);
  expect(examined({ header: { typ: 'JWT' } })).toHaveLength(1);
});

test('an algorithm that does not fit the key is found beside the signature', () => {
  const aspects = examined({ algorithm: 'ES384' }).map(({ aspect }) => aspect);
  expect(aspects).toContain('alg');
});

test.each([
  ['nothing', () => ''],
  ['two parts', (proof: string) => proof.split('.').slice(0, 2).join('.')],
  ['padding', (proof: string) => `${proof.split('.')[0]}=.${proof.split('.').slice(1).join('.')}`],
])('%s is no JWT', (_what, text) => {
  expect(examined({}, { text }).map(({ aspect }) => aspect)).toEqual(['form']);
});

test('a proof on a connection without a certificate is by nobody', () => {
  const connection: ProvenConnection = { ...on('c1'), clientChain: [] };
  expect(examined({}, { connection }).map(({ aspect }) => aspect)).toEqual(['signature']);
});
