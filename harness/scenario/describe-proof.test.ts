import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { forgeProof } from '../forge/proof.ts';
import type { ProofChange } from '../forge/proof.ts';
import { ath } from '../forge/read.ts';
import { forgeToken } from '../forge/token.ts';
import type { Derivation, WireRequest } from '../wire/connection.ts';
import {
  alice,
  described,
  NOW,
  on,
  part,
  withProof,
  withProofText,
  withToken,
} from './description.fixture.ts';
import type { Situation } from './description.fixture.ts';
import { issuer, pki } from './target.fixture.ts';
import type { PaperConnection } from './target.fixture.ts';

test('a right proof is told by what it means', () => {
  expect(part(withProof(), 'proof')).toEqual({
    proof: 'present',
    'proof.header.typ': '"tls-binding-proof+jwt"',
    'proof.header.alg': "natural for the certificate's key",
    'proof.header.x5t#S256': "thumbprint of this connection's certificate",
    'proof.claims.ath': 'SHA-256 of this token',
    'proof.claims.ekm': "this connection's exporter value",
    'proof.claims.iat': 'now',
    'proof.signature': "by the key of this connection's certificate",
  });
});

test.each<[string, Record<string, unknown>, string, string]>([
  [
    'the exporter value of another connection',
    { ekm: on({}, 'c2').exporter().toString('base64url') },
    'ekm',
    'the exporter value of c2',
  ],
  ['an exporter value of nobody', { ekm: 'x' }, 'ekm', '"x"'],
  ['an exporter value that is no text', { ekm: 7 }, 'ekm', '7'],
  ['the hash of another token', { ath: ath('u') }, 'ath', JSON.stringify(ath('u'))],
  ['an identifier', { jti: 'new' }, 'jti', 'fresh'],
  ['an identifier that came before', { jti: 'seen' }, 'jti', 'used before: seen'],
  ['an identifier that is no text', { jti: 7 }, 'jti', '7'],
  ['a cnf, which means nothing in a proof', { cnf: { 'x5t#S256': 't' } }, 'cnf', '{"x5t#S256":"t"}'],
  ['the token’s hash in another claim', { x: ath('t') }, 'x', JSON.stringify(ath('t'))],
  ['a claim of no meaning', { x: { y: [1] } }, 'x', '{"y":[1]}'],
  ['a time as text', { iat: String(NOW) }, 'iat', `"${NOW}"`],
  ['a time between seconds', { iat: NOW + 0.5 }, 'iat', `${NOW + 0.5}`],
  ['four seconds ago', { iat: NOW - 4 }, 'iat', 'now'],
  ['four seconds ahead', { iat: NOW + 4 }, 'iat', 'now'],
  ['five seconds ago', { iat: NOW - 5 }, 'iat', 'now − a few s'],
  ['nine seconds ahead', { iat: NOW + 9 }, 'iat', 'now + a few s'],
  ['ten seconds ahead', { iat: NOW + 10 }, 'iat', 'now + 10 s'],
  ['five minutes ago, more or less', { iat: NOW - 302 }, 'iat', 'now − 300 s'],
  ['an end', { exp: NOW + 60 }, 'exp', 'now + 60 s'],
  ['a beginning', { nbf: NOW - 60 }, 'nbf', 'now − 60 s'],
])('%s in a proof', (_what, claims, claim, text) => {
  expect(withProof({ claims }).get(`proof.claims.${claim}`)).toBe(text);
});

test('a long identifier is cut', () => {
  const jti = 'j'.repeat(61);
  expect(
    withProof({ claims: { jti } }, { known: { proofIdsSeen: new Set([jti]) } }).get('proof.claims.jti'),
  ).toBe(`used before: ${'j'.repeat(60)}… (61 characters)`);
});

test('on TLS 1.2 the form without context is told from the other, on 1.3 there is one', () => {
  const ekm = (connection: PaperConnection) =>
    withProof(
      { claims: { ekm: connection.exporter({ context: null }).toString('base64url') } },
      { connection },
    ).get('proof.claims.ekm');
  expect(ekm(on({ tls: 'TLSv1.2' }))).toBe("this connection's exporter value (form without context)");
  expect(ekm(on())).toBe("this connection's exporter value");
  const wrong = withProof({ claims: { ekm: 'x' } }, { connection: on({ tls: 'TLSv1.2' }) });
  expect(wrong.get('proof.claims.ekm')).toBe('"x"');
});

test('only on TLS 1.2 is the form without context a name for a value', () => {
  const connection = on();
  const exporter = connection.exporter.bind(connection);
  connection.exporter = (derivation?: Derivation) =>
    derivation?.context === null ? Buffer.from('odd') : exporter(derivation);
  const ekm = Buffer.from('odd').toString('base64url');
  expect(withProof({ claims: { ekm } }, { connection }).get('proof.claims.ekm')).toBe(`"${ekm}"`);
});

test('an algorithm is natural for the key of the connection’s certificate', () => {
  const alg = (keyType: keyof typeof pki.alice, algorithm: unknown) =>
    withProof({ header: { alg: algorithm } }, { connection: on({ identity: pki.alice[keyType] }) }).get(
      'proof.header.alg',
    );
  const natural = "natural for the certificate's key";
  expect(alg('P-256', 'ES256')).toBe(natural);
  expect(alg('P-384', 'ES384')).toBe(natural);
  expect(alg('P-521', 'ES512')).toBe(natural);
  expect([alg('RSA', 'RS256'), alg('RSA', 'PS256')]).toEqual([natural, natural]);
  expect([alg('Ed25519', 'EdDSA'), alg('Ed25519', 'Ed25519')]).toEqual([natural, natural]);
  expect(alg('P-256', 'ES384')).toBe('"ES384"');
  expect(alg('RSA', 'ES256')).toBe('"ES256"');
  expect(alg('P-256', ['ES256'])).toBe('["ES256"]');
});

test('the name of an algorithm means nothing elsewhere in a header', () => {
  expect(withProof({ header: { x: 'ES256' } }).get('proof.header.x')).toBe('"ES256"');
});

test('without a certificate the algorithm is held against the rightful client’s key', () => {
  const connection = on({ identity: null });
  const alg = (keyType: string) => withProof({}, { connection, known: { keyType } }).get('proof.header.alg');
  expect(alg('P-256')).toBe("natural for the certificate's key");
  expect(alg('RSA')).toBe('"ES256"');
  expect(alg('unheard of')).toBe('"ES256"');
});

test('who signed a proof is found out', () => {
  const signature = (change: ProofChange, situation: Situation = {}) =>
    withProof(change, situation).get('proof.signature');
  const own = "by the key of this connection's certificate";
  const nobody = 'by no key that the suite knows';
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  expect(signature({})).toBe(own);
  expect(signature({ signWith: pki.mallory })).toBe("by mallory's P-256 key");
  expect(signature({ signWith: stranger })).toBe(nobody);
  expect(signature({ algorithm: 'ES384', signWith: pki.alice['P-384'] })).toBe("by alice's P-384 key");
  expect(signature({ signature: (right) => Buffer.alloc(right.length) })).toBe(nobody);
  const byIssuer = forgeToken(issuer, { boundTo: null }).compact;
  expect(withProofText(byIssuer).get('proof.signature')).toBe("by the issuer's key");
});

test('a signer that is known is taken at its word, where it is the connection’s own', () => {
  const proof = forgeProof(
    { token: 't', ekm: on().exporter(), identity: alice, now: NOW },
    { signature: (right) => Buffer.alloc(right.length) },
  );
  const signature = (signer: typeof alice, connection = on()) =>
    withProofText(proof, { connection, known: { signers: new Map([[proof, signer]]) } }).get(
      'proof.signature',
    );
  expect(signature(alice)).toBe("by the key of this connection's certificate");
  expect(signature(pki.mallory)).toBe('by no key that the suite knows');
  expect(signature(alice, on({ identity: null }))).toBe('by no key that the suite knows');
});

test('without a certificate a proof is by whoever signed it', () => {
  const connection = on({ identity: null });
  expect(part(withProof({}, { connection }), 'proof.')).toMatchObject({
    'proof.header.x5t#S256': "thumbprint of alice's P-256 certificate",
    'proof.signature': "by alice's P-256 key",
  });
});

test('a thumbprint in a proof’s header that is no text, or of nobody, stands as it is', () => {
  const x5t = (value: unknown) => withProof({ header: { 'x5t#S256': value } }).get('proof.header.x5t#S256');
  expect(x5t(7)).toBe('7');
  expect(x5t('of nobody')).toBe('"of nobody"');
  expect(withToken({ header: { 'x5t#S256': alice.thumbprint } }).get('token.header.x5t#S256')).toBe(
    JSON.stringify(alice.thumbprint),
  );
});

test('several proofs are told as such', () => {
  const proofs = ['first', 'x'.repeat(25)];
  expect(part(described({ sent: { proofs } }), 'proof')).toEqual({
    proof: `2 values: first | ${'x'.repeat(24)}… (25 characters)`,
  });
});

const right = forgeProof({ token: 't', ekm: on().exporter(), identity: alice, now: NOW });
const [rightHeader = '', rightClaims = '', rightSignature = ''] = right.split('.');

test.each<[string, string]>([
  ['nothing', ''],
  ['two parts', `${rightHeader}.${rightClaims}`],
  ['four parts', `${right}.x`],
  ['a header that is no object', `MQ.${rightClaims}.${rightSignature}`],
  ['claims that are no object', `${rightHeader}.W10.${rightSignature}`],
  ['a part that is not canonical', `${rightHeader}=.${rightClaims}.${rightSignature}`],
  ['no signature', `${rightHeader}.${rightClaims}.`],
])('a proof of %s is told as text', (_what, proof) => {
  const cut = proof.length > 160 ? `${proof.slice(0, 160)}… (${proof.length} characters)` : proof;
  expect(part(withProofText(proof), 'proof')).toEqual({ proof: `text: ${cut}` });
});

test('where a proof stands, if not in its field alone, is told', () => {
  const where = (...fields: WireRequest['fields']) =>
    withProofText(right, { request: { fields } }).get('proof');
  expect(where(['session-binding-PROOF', right])).toBe('present');
  expect(where(['DPoP', right])).toBe('in dpop');
  expect(where()).toBe('in no field');
  expect(where(['DPoP', right], ['Session-Binding-Proof', 'other'])).toBe('in dpop');
  expect(where(['Session-Binding-Proof', right], ['DPoP', right])).toBe('in session-binding-proof, dpop');
  expect(where(['DPoP', right], ['Session-Binding-Proof', right])).toBe('in dpop, session-binding-proof');
  expect(where(['Session-Binding-Proof', right], ['Session-Binding-Proof', 'other'])).toBe(
    'in session-binding-proof of 2 proof fields',
  );
  expect(where(['Session-Binding-Proof', `"${right}"`])).toBe('present');
});

test('JSON that means the same but is written otherwise is told as text', () => {
  const change: ProofChange = { headerText: (json) => ` ${json}`, payloadText: (json) => `${json} ` };
  const description = withProof(change);
  expect(description.get('proof.header')).toMatch(/^text: {2}\{"typ"/);
  expect(description.get('proof.claims')).toMatch(/^text: \{"ath"/);
  expect(withProof().has('proof.header')).toBe(false);
  expect(withProof().has('proof.claims')).toBe(false);
});
