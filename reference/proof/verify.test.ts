import * as fc from 'fast-check';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Defect, DefectCode } from './defect.ts';
import { encodeBase64url } from './encoding.ts';
import {
  CLAIMS,
  EXPORTER,
  HEADER,
  KEY,
  NOW,
  proofWith,
  SENTENCE,
  signText,
  subjectOf,
  TOKEN,
} from './proof.fixture.ts';
import { createVerifier, defaultChecks, isPerRequest } from './verify.ts';

const verify = createVerifier();
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function codeOf(proof: string): DefectCode | 'holds' {
  const result = verify(subjectOf(proof));
  return result.holds ? 'holds' : result.defect.code;
}

const URI = 'https://rs.example/resource';

test.each<[string, Record<string, unknown>]>([
  ['as it is', {}],
  ['with unknown claims', { foo: 1, sub: 'x', cnf: { a: [] } }],
  ['with a fractional iat', { iat: NOW + 0.5 }],
  ['at the window’s past edge', { iat: NOW - 300 }],
  ['at the window’s future edge', { iat: NOW + 30 }],
  ['with exp ahead and nbf behind', { exp: NOW + 1, nbf: NOW - 1 }],
  ['with nbf at the window’s future edge', { nbf: NOW + 30 }],
  ['with all claims for one request', { jti: 'one', htm: 'GET', htu: URI }],
  ['with a path as htu', { htu: '/resource' }],
])('a proof %s holds', (_what, claims) => {
  expect(codeOf(proofWith({}, claims))).toBe('holds');
});

const hmacHeader = { alg: 'HS256' };

test.each<[string, string, DefectCode]>([
  ['typ missing', proofWith({ typ: undefined }), 'wrong-type'],
  ['typ of a plain JWT', proofWith({ typ: 'JWT' }), 'wrong-type'],
  ['typ of a DPoP proof', proofWith({ typ: 'dpop+jwt' }), 'wrong-type'],
  ['typ not a string', proofWith({ typ: ['tls-binding-proof+jwt'] }), 'wrong-type'],
  ['crit with an unknown name', proofWith({ crit: ['x'], x: 1 }), 'critical-extension'],
  ['crit empty', proofWith({ crit: [] }), 'critical-extension'],
  ['crit null', proofWith({ crit: null }), 'critical-extension'],
  ['b64', proofWith({ b64: false }), 'unencoded-payload'],
  ['alg missing', proofWith({ alg: undefined }), 'unfit-algorithm'],
  ['alg none', proofWith({ alg: 'none' }), 'unfit-algorithm'],
  ['alg of a MAC', proofWith(hmacHeader), 'unfit-algorithm'],
  ['alg of another curve', proofWith({ alg: 'ES384' }), 'unfit-algorithm'],
  ['alg of RSA', proofWith({ alg: 'RS256' }), 'unfit-algorithm'],
  ['alg an array', proofWith({ alg: ['ES256'] }), 'unfit-algorithm'],
  ['alg a name of Object.prototype', proofWith({ alg: 'constructor' }), 'unfit-algorithm'],
  ['x5t#S256 missing', proofWith({ 'x5t#S256': undefined }), 'wrong-thumbprint'],
  ['x5t#S256 padded', proofWith({ 'x5t#S256': `${HEADER['x5t#S256']}=` }), 'wrong-thumbprint'],
  ['x5t#S256 of another certificate', proofWith({ 'x5t#S256': CLAIMS.ath }), 'wrong-thumbprint'],
  ['signature by another key', proofWith({}, {}, stranger), 'bad-signature'],
  ['key taken from the header', proofWith({ jwk: jwkOf(stranger) }, {}, stranger), 'bad-signature'],
  ['ekm missing', proofWith({}, { ekm: undefined }), 'missing-claim'],
  ['ekm null', proofWith({}, { ekm: null }), 'missing-claim'],
  ['ekm an array', proofWith({}, { ekm: [CLAIMS.ekm] }), 'malformed-claim'],
  ['ekm of another connection', proofWith({}, { ekm: encodeBase64url(Buffer.alloc(32)) }), 'wrong-exporter'],
  ['ekm cut short', proofWith({}, { ekm: encodeBase64url(EXPORTER.subarray(0, 16)) }), 'wrong-exporter'],
  ['ekm too long', proofWith({}, { ekm: encodeBase64url(Buffer.alloc(64, 7)) }), 'wrong-exporter'],
  ['ekm padded', proofWith({}, { ekm: `${CLAIMS.ekm}=` }), 'wrong-exporter'],
  [
    'ekm with other last bits',
    proofWith({}, { ekm: 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd' }),
    'wrong-exporter',
  ],
  ['ekm in hexadecimal', proofWith({}, { ekm: EXPORTER.toString('hex') }), 'wrong-exporter'],
  ['ekm empty', proofWith({}, { ekm: '' }), 'wrong-exporter'],
  ['ath missing', proofWith({}, { ath: undefined }), 'missing-claim'],
  ['ath a number', proofWith({}, { ath: 1 }), 'malformed-claim'],
  ['ath of another token', proofWith({}, { ath: CLAIMS.ekm }), 'wrong-token-hash'],
  ['iat missing', proofWith({}, { iat: undefined }), 'missing-claim'],
  ['iat a string', proofWith({}, { iat: String(NOW) }), 'malformed-claim'],
  ['iat true', proofWith({}, { iat: true }), 'malformed-claim'],
  ['iat an array', proofWith({}, { iat: [NOW] }), 'malformed-claim'],
  ['iat beyond numbers', signText(JSON.stringify(HEADER), withIat('1e400')), 'malformed-claim'],
  ['iat huge', signText(JSON.stringify(HEADER), withIat('18446744073709551616')), 'from-the-future'],
  ['iat minus zero', signText(JSON.stringify(HEADER), withIat('-0')), 'stale'],
  ['iat negative', proofWith({}, { iat: -NOW }), 'stale'],
  ['iat in milliseconds', proofWith({}, { iat: NOW * 1000 }), 'from-the-future'],
  ['iat before the window', proofWith({}, { iat: NOW - 301 }), 'stale'],
  ['iat beyond the window', proofWith({}, { iat: NOW + 31 }), 'from-the-future'],
  ['exp reached', proofWith({}, { exp: NOW }), 'expired'],
  ['exp a string', proofWith({}, { exp: String(NOW + 9) }), 'malformed-claim'],
  ['exp null', proofWith({}, { exp: null }), 'missing-claim'],
  ['nbf ahead', proofWith({}, { nbf: NOW + 60 }), 'not-yet-valid'],
  ['nbf a string', proofWith({}, { nbf: String(NOW) }), 'malformed-claim'],
  ['nbf null', proofWith({}, { nbf: null }), 'missing-claim'],
  ['htm of another method', proofWith({}, { htm: 'POST' }), 'wrong-method'],
  ['htm in lower case', proofWith({}, { htm: 'get' }), 'wrong-method'],
  ['htm empty', proofWith({}, { htm: '' }), 'wrong-method'],
  ['htm a number', proofWith({}, { htm: 1 }), 'malformed-claim'],
  ['htu of another path', proofWith({}, { htu: `${URI}/admin` }), 'wrong-target'],
  ['htu of another server', proofWith({}, { htu: 'https://other.example/resource' }), 'wrong-target'],
  ['htu an array', proofWith({}, { htu: [URI] }), 'malformed-claim'],
  ['jti a number', proofWith({}, { jti: 1 }), 'malformed-claim'],
  ['jti empty', proofWith({}, { jti: '' }), 'malformed-claim'],
])('%s', (_what, proof, code) => {
  expect(codeOf(proof)).toBe(code);
});

function withIat(literal: string): string {
  return JSON.stringify({ ...CLAIMS, iat: 'IAT' }).replace('"IAT"', literal);
}

function jwkOf(key: typeof stranger) {
  return createPublicKey(key).export({ format: 'jwk' });
}

test('of two members with one name the last counts, for every reader', () => {
  const header = JSON.stringify(HEADER);
  const wrong = encodeBase64url(Buffer.alloc(32));
  const claims = JSON.stringify(CLAIMS).slice(0, -1);
  expect(codeOf(signText(header, `${claims},"ekm":"${wrong}"}`))).toBe('wrong-exporter');
  expect(codeOf(signText(header, `${claims},"\\u0065km":"${wrong}"}`))).toBe('wrong-exporter');
  expect(codeOf(signText(`${header.slice(0, -1)},"alg":"none"}`, JSON.stringify(CLAIMS)))).toBe(
    'unfit-algorithm',
  );
});

test.each(['header', 'payload', 'signature'])('a flipped bit in the %s makes the proof useless', (part) => {
  const parts = proofWith().split('.');
  const index = ['header', 'payload', 'signature'].indexOf(part);
  const octets = Buffer.from(parts[index] ?? '', 'base64url');
  octets[octets.length - 3] = (octets[octets.length - 3] ?? 0) ^ 1;
  parts[index] = octets.toString('base64url');
  expect(codeOf(parts.join('.'))).not.toBe('holds');
});

test('ECDSA signatures have their fixed length and lie in range', () => {
  const [header, payload] = proofWith().split('.');
  for (const signature of [Buffer.alloc(64), Buffer.alloc(63, 1), Buffer.alloc(65, 1), Buffer.alloc(96, 1)]) {
    expect(codeOf(`${header}.${payload}.${encodeBase64url(signature)}`)).toBe('bad-signature');
  }
});

test('a jti is claimed once, and only by a proof that passed everything else', () => {
  const claimed: string[] = [];
  const claimIdentifier = (jti: string) => !claimed.includes(jti) && claimed.push(jti) > 0;
  const outcome = (proof: string) => {
    const result = verify(subjectOf(proof, { claimIdentifier }));
    return result.holds ? 'holds' : result.defect.code;
  };
  expect(outcome(proofWith({}, { jti: 'J', htm: 'PUT' }))).toBe('wrong-method');
  expect(outcome(proofWith({}, { jti: 'J' }, stranger))).toBe('bad-signature');
  expect(outcome(proofWith({}, { jti: 'J' }))).toBe('holds');
  expect(outcome(proofWith({}, { jti: 'J', iat: NOW - 1 }))).toBe('replayed');
});

test.each<[DefectCode, Defect['step'], string, string]>([
  ['wrong-type', 'form', 'typ', proofWith({ typ: 'JWT' })],
  ['critical-extension', 'form', 'crit', proofWith({ crit: [] })],
  ['unencoded-payload', 'form', 'b64', proofWith({ b64: true })],
  ['unfit-algorithm', 'form', 'alg', proofWith({ alg: 'none' })],
  ['wrong-thumbprint', 'form', 'x5t#S256', proofWith({ 'x5t#S256': CLAIMS.ath })],
  ['missing-claim', 'f', 'ekm', proofWith({}, { ekm: null })],
  ['malformed-claim', 'f', 'ekm', proofWith({}, { ekm: 1 })],
  ['wrong-exporter', 'f', 'ekm', proofWith({}, { ekm: 'secret' })],
  ['missing-claim', 'g', 'ath', proofWith({}, { ath: null })],
  ['wrong-token-hash', 'g', 'ath', proofWith({}, { ath: 'secret' })],
  ['missing-claim', 'h', 'iat', proofWith({}, { iat: null })],
  ['malformed-claim', 'h', 'iat', proofWith({}, { iat: 'secret' })],
  ['stale', 'h', 'iat', proofWith({}, { iat: 0 })],
  ['from-the-future', 'h', 'iat', proofWith({}, { iat: NOW * 2 })],
  ['malformed-claim', 'form', 'exp', proofWith({}, { exp: 'secret' })],
  ['expired', 'form', 'exp', proofWith({}, { exp: 0 })],
  ['malformed-claim', 'form', 'nbf', proofWith({}, { nbf: 'secret' })],
  ['not-yet-valid', 'form', 'nbf', proofWith({}, { nbf: NOW * 2 })],
  ['malformed-claim', 'i', 'htm', proofWith({}, { htm: 1 })],
  ['wrong-method', 'i', 'htm', proofWith({}, { htm: 'secret' })],
  ['malformed-claim', 'i', 'htu', proofWith({}, { htu: 1 })],
  ['wrong-target', 'i', 'htu', proofWith({}, { htu: 'secret' })],
  ['malformed-claim', 'i', 'jti', proofWith({}, { jti: 1 })],
  ['malformed-claim', 'i', 'jti', proofWith({}, { jti: '' })],
  ['replayed', 'i', 'jti', proofWith({}, { jti: 'secret' })],
])('%s is a defect of step %s in %s, told in a sentence without secrets', (code, step, member, proof) => {
  const result = verify(subjectOf(proof, { claimIdentifier: () => false }));
  expect(result).toEqual({
    holds: false,
    defect: { code, step, member, description: expect.stringMatching(SENTENCE) },
  });
  expect(JSON.stringify(result)).not.toContain('secret');
});

test('a wrong signature is a defect of no member', () => {
  expect(verify(subjectOf(proofWith({}, {}, stranger)))).toEqual({
    holds: false,
    defect: { code: 'bad-signature', step: 'e', description: expect.stringMatching(SENTENCE) },
  });
});

test('a check can be left out or replaced without touching the others', () => {
  const lenient = createVerifier({ checks: defaultChecks.without('exporter') });
  const wrong = subjectOf(proofWith({}, { ekm: 'x', ath: 'x' }));
  expect(verify(wrong)).toMatchObject({ defect: { code: 'wrong-exporter' } });
  expect(lenient(wrong)).toMatchObject({ defect: { code: 'wrong-token-hash' } });
  const wide = createVerifier({ rules: { pastSeconds: 1e6 } });
  expect(wide(subjectOf(proofWith({}, { iat: NOW - 9999 })))).toMatchObject({ holds: true });
  const blind = createVerifier({ checks: defaultChecks.with('token-hash', () => undefined) });
  expect(blind(subjectOf(proofWith({}, { ath: 'x' })))).toMatchObject({ holds: true });
});

test('a proof with any claim of a single request is per request', () => {
  for (const claim of ['jti', 'htm', 'htu']) {
    const result = createVerifier({ checks: defaultChecks.without('target').without('method') })(
      subjectOf(proofWith({}, { [claim]: 'x' })),
    );
    expect(result.holds && isPerRequest(result.proof)).toBe(true);
  }
  const plain = verify(subjectOf(proofWith()));
  expect(plain.holds && isPerRequest(plain.proof)).toBe(false);
});

test('nothing hostile makes verification throw, and nothing but a right proof passes', () => {
  const part = fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' }));
  const parts = fc.array(part, { maxLength: 6 }).map((each) => each.join('.'));
  const documents = fc.tuple(fc.json(), fc.json()).map(([header, claims]) => signText(header, claims));
  const member = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const nearly = fc
    .tuple(
      fc.constantFrom('typ', 'alg', 'crit', 'b64', 'x5t#S256'),
      member,
      fc.constantFrom(...'ath ekm iat'.split(' ')),
      member,
    )
    .map(([name, value, claim, other]) => proofWith({ [name]: value }, { [claim]: other }));
  fc.assert(
    fc.property(fc.oneof(parts, documents, nearly), (proof) => {
      expect(verify(subjectOf(proof, { token: TOKEN })).holds).toBe(false);
    }),
    { numRuns: 300 },
  );
  expect(KEY.asymmetricKeyType).toBe('ec');
});
